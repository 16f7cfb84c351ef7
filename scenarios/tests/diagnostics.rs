//! What a person sees who got a scenario wrong: golden text, one file a case, in `tests/bad`.
//!
//! `BLESS=1` rewrites the answers. The empty line that closes the last report is not part of an answer.

use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the cases are there").flatten().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "bad"));
    files.sort();
    files
}

#[test]
fn every_problem_of_a_file_is_told_where_it_is() {
    let mut wrong = Vec::new();
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let name = path.file_name().expect("a case has a name").to_string_lossy().into_owned();
        let checked = scenarios::check(&text, "bad");
        assert!(!checked.problems.is_empty(), "{name}: nothing is wrong with it");
        let shown = scenarios::render(&checked.problems, &name, &text, false);
        let shown = format!("{}\n", shown.trim_end());
        let answer = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&answer, &shown).expect("the answer can be written");
        }
        if std::fs::read_to_string(&answer).unwrap_or_default() != shown {
            wrong.push(format!("── {name}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 rewrites these after you have read them:\n{}", wrong.join("\n"));
}
