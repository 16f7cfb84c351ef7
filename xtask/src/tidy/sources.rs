//! Rules about the text of files: every source opens with prose, stays short, and leaves nothing behind.
//!
//! Golden files under `testdata/` are answers, not prose, and are left alone, as are the regression files proptest
//! writes.

use super::{Finding, Tree};

/// No source is longer than this; one that wants to be has two subjects.
const LINES_MAX: usize = 600;
/// The opening prose of a source, all of it: at least a sentence that says more than the file's name.
const HEADER_CHARS_MIN: usize = 40;

/// As wide as rustfmt makes code; it leaves comments alone.
const COMMENT_CHARS_MAX: usize = 120;

/// Kinds of files people read and write here.
const PROSE: [&str; 10] = ["rs", "toml", "md", "txt", "sh", "yml", "css", "js", "html", "json"];

/// Judges every text file of `tree`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        let extension = path.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        if extension == "rs" {
            header(path, text, &mut findings);
            length(path, text, &mut findings);
            comments(path, text, &mut findings);
        }
        let generated = path.contains("/testdata/") || path.ends_with(".proptest-regressions");
        if !generated && (PROSE.contains(&extension) || path.starts_with(".ci/")) {
            whitespace(path, text, &mut findings);
            leftovers(path, text, &mut findings);
        }
    }
    findings
}

/// Judges the opening `//!` lines.
fn header(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let prose = text.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim().chars().count());
    let what = match prose.clone().sum::<usize>() {
        _ if prose.count() == 0 => "does not open with `//!`".to_string(),
        chars if chars < HEADER_CHARS_MIN => {
            format!("opens with {chars} characters of prose, {HEADER_CHARS_MIN} at least")
        }
        _ => return,
    };
    findings.push(Finding::new(
        path,
        1,
        format!("{what}: say what the file is for, what always holds, what it leaves to others"),
    ));
}

fn length(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let lines = text.lines().count();
    if lines > LINES_MAX {
        let what =
            format!("has {lines} lines, at most {LINES_MAX} are permitted: give one of its subjects its own file");
        findings.push(Finding::new(path, LINES_MAX + 1, what));
    }
}

fn comments(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (index, line) in text.lines().enumerate() {
        let chars = line.chars().count();
        if chars > COMMENT_CHARS_MAX && line.trim_start().starts_with("//") {
            let what = format!("is a comment of {chars} characters: wrap it at {COMMENT_CHARS_MAX}");
            findings.push(Finding::new(path, index + 1, what));
        }
    }
}

fn whitespace(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (index, line) in text.lines().enumerate() {
        if line.contains('\t') {
            findings.push(Finding::new(path, index + 1, "holds a tab: write spaces"));
        }
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::new(path, index + 1, "ends in whitespace: remove it"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, text.lines().count(), "has no newline at its end: add one"));
    }
    if text.ends_with("\n\n") {
        findings.push(Finding::new(path, text.lines().count(), "ends in an empty line: remove it"));
    }
}

fn leftovers(path: &str, text: &str, findings: &mut Vec<Finding>) {
    // Put together here so that this file does not find itself.
    let words = [concat!("FIX", "ME"), concat!("X", "XX"), concat!("TO", "DO")];
    let calls = [concat!("to", "do!"), concat!("unimple", "mented!")];
    let ignored = concat!("#[ig", "nore]");
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| has_word(line, word)) {
            let what = format!("says `{word}`: do it, or open an issue and say here what is true today");
            findings.push(Finding::new(path, index + 1, what));
        }
        for call in calls.iter().filter(|call| line.contains(*call) && path.ends_with(".rs")) {
            findings.push(Finding::new(
                path,
                index + 1,
                format!("calls `{call}`: nothing here pretends; write it or leave it out"),
            ));
        }
        if path.ends_with(".rs") && line.contains(ignored) {
            let what = format!("`{ignored}` without a reason: say why, `#[ignore = \"…\"]`, or let it run");
            findings.push(Finding::new(path, index + 1, what));
        }
    }
}

/// True when `word` stands in `line` with no letter, digit or underscore beside it.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !before.ends_with(joins) && !after.starts_with(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "//! A file that says what it is for, in a sentence that is long enough to be worth reading.\n";

    fn findings(path: &str, text: &str) -> Vec<String> {
        let short = |finding: &Finding| {
            let text = finding.to_string();
            text.split(": ").take(2).collect::<Vec<_>>().join(": ")
        };
        check(&Tree::planted(&[(path, text)])).iter().map(short).collect()
    }

    #[test]
    fn a_source_opens_with_prose() {
        assert_eq!(findings("a.rs", HEADER), [""; 0]);
        assert_eq!(findings("a.rs", "fn main() {}\n"), ["a.rs:1: does not open with `//!`"]);
        assert_eq!(findings("a.rs", "//! Chores.\n"), ["a.rs:1: opens with 7 characters of prose, 40 at least"]);
        // Prose that comes after the code does not make up for an opening that says nothing.
        let later = format!("//! Chores.\nfn main() {{}}\n{HEADER}");
        assert_eq!(findings("a.rs", &later), ["a.rs:1: opens with 7 characters of prose, 40 at least"]);
        assert_eq!(findings("a.toml", "x = 1\n"), [""; 0], "other files need none");
    }

    #[test]
    fn a_source_may_have_as_many_lines_as_permitted_and_not_one_more() {
        let rest = "// line\n".repeat(LINES_MAX - 1);
        assert_eq!(findings("a.rs", &format!("{HEADER}{rest}")), [""; 0]);
        assert_eq!(
            findings("a.rs", &format!("{HEADER}{rest}// line\n")),
            ["a.rs:601: has 601 lines, at most 600 are permitted"]
        );
    }

    #[test]
    fn whitespace_is_where_one_sees_it() {
        assert_eq!(findings("a.md", "one \ntwo\n"), ["a.md:1: ends in whitespace"]);
        assert_eq!(findings("a.md", "one\n\ttwo\n"), ["a.md:2: holds a tab"]);
        assert_eq!(findings("a.md", "one\ntwo"), ["a.md:2: has no newline at its end"]);
        assert_eq!(findings("a.md", "one\n\n"), ["a.md:2: ends in an empty line"]);
        assert_eq!(findings("sim/x/testdata/a.txt", "one \n\ttwo"), [""; 0], "answers are as they are");
        assert_eq!(findings("a.png", "one \n\ttwo"), [""; 0]);
    }

    #[test]
    fn leftovers_are_found_as_words() {
        let says = |line: &str| findings("a.rs", &format!("{HEADER}{line}\n")).len();
        assert_eq!(says(concat!("// FIX", "ME later")), 1);
        assert_eq!(says(concat!("// (X", "XX)")), 1);
        assert_eq!(says(concat!("// X", "XXL is a size")), 0);
        assert_eq!(says(concat!("    to", "do!()")), 1);
        assert_eq!(says(concat!("#[ig", "nore]")), 1);
        assert_eq!(says("#[ignore = \"needs an hour\"]"), 0);
    }
}
