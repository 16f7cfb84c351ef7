//! Every dependency comes under a licence that `deny.toml` permits, and none is a crate that it bans.
//!
//! cargo-deny reads the same file and knows more (advisories, sources); this much needs nothing but cargo. Licences are
//! SPDX expressions (specification 2.3, annex D): `OR` offers a choice, `AND` binds stronger and demands both, `WITH`
//! adds an exception that belongs to the licence's name, and the old `MIT/Apache-2.0` means `OR`. A package that ships
//! its licence as a file without naming it is clarified there, in `[[licenses.clarify]]`.

use super::{Finding, Tree};
use serde_json::Value;

const FILE: &str = "deny.toml";

/// Judges the packages of a full `cargo metadata` by the lists in `deny.toml`.
pub(super) fn check(tree: &Tree, metadata: &Value) -> Vec<Finding> {
    let Some(text) = tree.text(FILE) else {
        return vec![Finding::new(FILE, 0, "is missing: it lists the permitted licences")];
    };
    let permitted = list(text, "licenses", "allow");
    let banned = list(text, "bans", "deny");
    let clarified = clarifications(text);
    if permitted.is_empty() {
        return vec![Finding::new(FILE, 0, "permits no licence: [licenses] needs a list `allow`")];
    }
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let who = format!("{} {}", text("name"), text("version"));
        if banned.iter().any(|name| name == text("name")) {
            findings.push(Finding::new("Cargo.lock", 0, format!("{who} is banned by [bans] in {FILE}: do without it")));
        }
        let clarified = clarified.iter().find(|(name, _)| *name == text("name")).map(|(_, licence)| *licence);
        let licence = clarified.filter(|_| text("license").is_empty()).unwrap_or(text("license"));
        let what = match permits(licence, &permitted) {
            Ok(true) => continue,
            Ok(false) => format!("{who} is under `{licence}`: do without it, or permit it in {FILE}"),
            Err(why) => format!("{who} is under `{licence}`, which cannot be read ({why}): do without it"),
        };
        findings.push(Finding::new("Cargo.lock", 0, what));
    }
    findings
}

/// The first quoted text of each entry of the list `key = [ … ]` in `[section]`: of `"MIT"`, MIT; of
/// `{ crate = "x", reason = "y" }`, x. Entries stand on lines of their own, as in every deny.toml.
fn list(text: &str, section: &str, key: &str) -> Vec<String> {
    let header = format!("[{section}]");
    let opening = format!("{key} = [");
    text.lines()
        .skip_while(|line| line.trim() != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .skip_while(|line| line.trim() != opening)
        .skip(1)
        .take_while(|line| line.trim() != "]")
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| Some(line.split('"').nth(1)?.to_string()))
        .collect()
}

/// Crate and expression of each `[[licenses.clarify]]`.
fn clarifications(text: &str) -> Vec<(&str, &str)> {
    fn value<'a>(section: &'a str, key: &str) -> Option<&'a str> {
        let lines = section.lines().take_while(|line| !line.starts_with('['));
        lines.filter_map(|line| line.split_once(" = ")).find(|(name, _)| *name == key)?.1.split('"').nth(1)
    }
    let sections = text.split("\n[[licenses.clarify]]\n").skip(1);
    sections.filter_map(|section| Some((value(section, "crate")?, value(section, "expression")?))).collect()
}

/// Whether `expression` can be satisfied with `permitted` licences alone, or why it cannot be read.
fn permits(expression: &str, permitted: &[String]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { words: spaced.split_whitespace().collect(), next: 0, permitted };
    let verdict = words.any()?;
    match words.peek() {
        None => Ok(verdict),
        Some(word) => Err(format!("`{word}` is unexpected")),
    }
}

/// A recursive descent over the words of an expression: `any` is a row of `all` joined by OR, `all` a row of `one`.
struct Words<'a> {
    words: Vec<&'a str>,
    next: usize,
    permitted: &'a [String],
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    /// Takes the next word if it is `word`.
    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut verdict = self.all()?;
        while self.take("OR") {
            verdict |= self.all()?;
        }
        Ok(verdict)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let verdict = self.any()?;
            return if self.take(")") { Ok(verdict) } else { Err("a parenthesis is not closed".into()) };
        }
        let name = self.name()?;
        let name = if self.take("WITH") { format!("{name} WITH {}", self.name()?) } else { name.to_string() };
        Ok(self.permitted.contains(&name))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        match self.peek() {
            Some(word) if !["OR", "AND", "WITH", "(", ")"].contains(&word) => {
                self.next += 1;
                Ok(word)
            }
            Some(word) => Err(format!("`{word}` stands where a licence should")),
            None => Err("it ends where a licence should stand".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_mean_what_spdx_says() {
        let permitted = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(String::from);
        let table = [
            ("MIT", Ok(true)),
            ("GPL-3.0-only", Ok(false)),
            ("MIT/GPL-3.0-only", Ok(true)),
            ("GPL-3.0-only / MIT", Ok(true)),
            ("GPL-3.0-only OR LGPL-2.1-or-later", Ok(false)),
            ("MIT OR Apache-2.0 OR LGPL-2.1-or-later", Ok(true)),
            ("MIT AND GPL-3.0-only", Ok(false)),
            ("(MIT OR GPL-3.0-only) AND Unicode-3.0", Ok(true)),
            ("(MIT OR Apache-2.0) AND OpenSSL", Ok(false)),
            // AND binds stronger: MIT alone is enough here, and not enough when parentheses say so.
            ("MIT OR Unicode-3.0 AND OpenSSL", Ok(true)),
            ("(MIT OR Unicode-3.0) AND OpenSSL", Ok(false)),
            ("Apache-2.0 WITH LLVM-exception", Ok(true)),
            ("Apache-2.0 WITH Moon-exception", Ok(false)),
            ("", Err("it ends where a licence should stand")),
            ("MIT OR", Err("it ends where a licence should stand")),
            ("OR MIT", Err("`OR` stands where a licence should")),
            ("(MIT", Err("a parenthesis is not closed")),
            ("MIT Apache-2.0", Err("`Apache-2.0` is unexpected")),
        ];
        for (expression, verdict) in table {
            assert_eq!(permits(expression, &permitted), verdict.map_err(String::from), "{expression}");
        }
    }

    #[test]
    fn a_licence_outside_the_list_and_a_banned_crate_are_found() {
        let deny = "[licenses]\nallow = [\n  \"MIT\",\n  # \"GPL-3.0-only\",\n]\n\n[bans]\ndeny = [\n  \
                    { crate = \"worse\", reason = \"better\" },\n]\n\n[[licenses.clarify]]\ncrate = \"filed\"\n\
                    expression = \"MIT\"\n\n[[licenses.clarify]]\ncrate = \"ill\"\n\
                    expression = \"GPL-3.0-only\"\n\n[x]\ncrate = \"mute\"\nexpression = \"MIT\"\n";
        let metadata = json!({"packages": [
            {"name": "good", "version": "1.0.0", "license": "MIT"},
            {"name": "bad", "version": "1.0.0", "license": "GPL-3.0-only"},
            {"name": "mute", "version": "1.0.0", "license": null},
            {"name": "worse", "version": "1.0.0", "license": "MIT"},
            {"name": "filed", "version": "1.0.0", "license": null},
            {"name": "ill", "version": "1.0.0", "license": null},
        ]});
        let findings: Vec<String> =
            check(&Tree::planted(&[(FILE, deny)]), &metadata).iter().map(Finding::to_string).collect();
        assert_eq!(
            findings,
            [
                "Cargo.lock: bad 1.0.0 is under `GPL-3.0-only`: do without it, or permit it in deny.toml",
                "Cargo.lock: mute 1.0.0 is under ``, which cannot be read (it ends where a licence should stand): \
                 do without it",
                "Cargo.lock: worse 1.0.0 is banned by [bans] in deny.toml: do without it",
                "Cargo.lock: ill 1.0.0 is under `GPL-3.0-only`: do without it, or permit it in deny.toml",
            ]
        );
        assert_eq!(
            check(&Tree::planted(&[(FILE, "[licenses]\n")]), &metadata).len(),
            1,
            "an empty list permits nothing"
        );
    }
}
