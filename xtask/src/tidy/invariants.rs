//! An invariant nobody asks for is not tested: each file of `sim/world/src/invariant/` must be named by a scenario. Nor
//! is a planted bug that nobody plants: each row of `planted!` must be named by a test of the world.
//!
//! The name of an invariant is the name of its file. Only `mod.rs` and `state.rs` are none.

use super::{Finding, Tree};

const FOLDER: &str = "sim/world/src/invariant/";
/// Where planted bugs are listed, and where they are planted.
const BUGS: &str = "sim/world/src/sabotage.rs";
const TESTS: &str = "sim/world/tests/";

/// Looks for a test that plants each bug there is.
pub(super) fn check_bugs(tree: &Tree) -> Vec<Finding> {
    let Some((path, text)) = tree.texts().find(|(path, _)| *path == BUGS) else { return Vec::new() };
    let tests: String = tree.texts().filter(|(path, _)| path.starts_with(TESTS)).map(|(_, text)| text).collect();
    let is_planted = |bug: &str| {
        tests.split("Sabotage::").skip(1).any(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            &rest[..end] == bug
        })
    };
    let rows = text.lines().enumerate().skip_while(|(_, line)| !line.starts_with("planted! {"));
    rows.skip(1)
        .take_while(|(_, line)| !line.starts_with('}'))
        .filter_map(|(at, line)| Some((at, line.trim().split_once(" => ")?.0)))
        .filter(|(_, bug)| !is_planted(bug))
        .map(|(at, bug)| {
            Finding::new(path, at + 1, format!("no test plants `{bug}`: show the invariant that catches it in {TESTS}"))
        })
        .collect()
}

/// Looks for the quoted name of each invariant in the scenario files of `tree`.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let is_scenario =
        |path: &str| path.starts_with("scenarios/") && path.ends_with(".toml") && path != "scenarios/Cargo.toml";
    let scenarios: Vec<&str> = tree.texts().filter(|(path, _)| is_scenario(path)).map(|(_, text)| text).collect();
    let is_used = |name: &str| {
        let quoted = [format!("\"{name}\""), format!("'{name}'")];
        let without_comment = |line: &str| line.split('#').next().unwrap_or_default().to_string();
        let asks = |line: &str| quoted.iter().any(|name| without_comment(line).contains(name));
        scenarios.iter().any(|text| text.lines().any(asks))
    };
    tree.paths()
        .filter_map(|path| Some((path, path.strip_prefix(FOLDER)?.strip_suffix(".rs")?)))
        .filter(|(_, name)| !["mod", "state"].contains(name) && !name.contains('/') && !is_used(name))
        .map(|(path, name)| {
            Finding::new(
                path,
                0,
                format!("no scenario asks for `{name}`: add it to the [expect] of one that reaches it"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(scenario: &str) -> usize {
        check(&Tree::planted(&[
            ("sim/world/src/invariant/mod.rs", ""),
            ("sim/world/src/invariant/views_converge.rs", ""),
            ("scenarios/faults/cut.toml", scenario),
            ("scenarios/Cargo.toml", "\"views_converge\""),
        ]))
        .len()
    }

    #[test]
    fn a_planted_bug_must_be_planted() {
        let bugs = "planted! {\n    EndTwice => EndsOnce \"One.\";\n\n    NeverEnd => EndsOnce \"Two.\";\n}\n";
        let findings = |test: &str| check_bugs(&Tree::planted(&[(BUGS, bugs), ("sim/world/tests/sabotage.rs", test)]));
        assert_eq!(findings("f(Sabotage::EndTwice); f(Sabotage::NeverEnd)").len(), 0);
        let found = findings("f(Sabotage::EndTwiceOver); f(Sabotage::NeverEnd)");
        assert_eq!(found.len(), 1);
        assert!(
            found[0].to_string().contains("sabotage.rs:2") && found[0].to_string().contains("EndTwice"),
            "{}",
            found[0]
        );
    }

    #[test]
    fn an_invariant_must_be_asked_for_by_its_whole_name() {
        assert_eq!(findings("[expect]\neventually = [\"views_converge\"]\n"), 0);
        assert_eq!(findings("[expect]\neventually = [\"views_converge_twice\"]\n"), 1);
        assert_eq!(findings("# \"views_converge\" would be too slow here\n"), 1);
        assert_eq!(findings(""), 1);
    }
}
