//! An invariant nobody asks for is not tested: each file of `sim/world/src/invariant/` must be named by a scenario.
//!
//! The name of an invariant is the name of its file. `mod.rs` is the only file there that is none.

use super::{Finding, Tree};

const FOLDER: &str = "sim/world/src/invariant/";

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
        .filter(|(_, name)| *name != "mod" && !name.contains('/') && !is_used(name))
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
    fn an_invariant_must_be_asked_for_by_its_whole_name() {
        assert_eq!(findings("[expect]\neventually = [\"views_converge\"]\n"), 0);
        assert_eq!(findings("[expect]\neventually = [\"views_converge_twice\"]\n"), 1);
        assert_eq!(findings("# \"views_converge\" would be too slow here\n"), 1);
        assert_eq!(findings(""), 1);
    }
}
