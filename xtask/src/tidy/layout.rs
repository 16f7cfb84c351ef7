//! The top level of the repository is part of the design: exactly the entries below, and files whose names begin with a
//! dot. Below it, every crate inherits the lints of the workspace.

use super::{Finding, Tree, relative};
use serde_json::Value;
use std::collections::BTreeSet;

const TOP: [&str; 15] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "deny.toml",
    "reports",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "scenarios",
    "sim",
    "xtask",
];

/// Compares the top level of `tree`, and the manifests that `metadata` (of `cargo metadata --no-deps`) names.
pub(super) fn check(tree: &Tree, metadata: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let present: BTreeSet<&str> = tree.paths().filter_map(|path| path.split('/').next()).collect();
    let permitted: BTreeSet<&str> = TOP.into_iter().collect();
    for name in present.difference(&permitted).filter(|name| !name.starts_with('.')) {
        findings.push(Finding::new(name, 0, "does not belong to the top level: move it where its subject lives"));
    }
    for name in permitted.difference(&present) {
        findings.push(Finding::new(name, 0, "is missing at the top level"));
    }
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = relative(metadata, package["manifest_path"].as_str().unwrap_or_default());
        if !inherits_lints(tree.text(&manifest).unwrap_or_default()) {
            let what = "does not inherit the lints: add a section [lints] with `workspace = true`";
            findings.push(Finding::new(&manifest, 0, what));
        }
    }
    findings
}

/// True when `manifest` has `[lints]` followed, before any other section, by `workspace = true`.
fn inherits_lints(manifest: &str) -> bool {
    let bare = |line: &str| line.split('#').next().unwrap_or_default().replace(' ', "");
    manifest
        .lines()
        .skip_while(|line| bare(line) != "[lints]")
        .skip(1)
        .take_while(|line| !line.trim_start().starts_with('['))
        .any(|line| bare(line) == "workspace=true")
        || manifest.lines().any(|line| bare(line) == "lints.workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn planted(extra: &[(&str, &str)], without: &str) -> Vec<String> {
        let mut files: Vec<(&str, &str)> =
            TOP.into_iter().filter(|name| *name != without).map(|name| (name, "")).collect();
        files.extend_from_slice(extra);
        let metadata = json!({"workspace_root": "/w", "packages": [{"manifest_path": "/w/sim/a/Cargo.toml"}]});
        check(&Tree::planted(&files), &metadata).iter().map(Finding::to_string).collect()
    }

    const LINTS: (&str, &str) = ("sim/a/Cargo.toml", "[package]\n\n[lints]\nworkspace = true\n\n[dependencies]\n");

    #[test]
    fn the_top_level_is_exactly_what_it_is() {
        assert_eq!(planted(&[LINTS, (".gitignore", ""), (".ci/run", "")], ""), [""; 0]);
        assert_eq!(
            planted(&[LINTS, ("notes.md", ""), ("scripts/x.sh", "")], ""),
            [
                "notes.md: does not belong to the top level: move it where its subject lives",
                "scripts: does not belong to the top level: move it where its subject lives"
            ]
        );
        assert_eq!(planted(&[LINTS], "README.md"), ["README.md: is missing at the top level"]);
    }

    #[test]
    fn a_crate_that_leaves_the_lints_is_found() {
        let with = |manifest: &'static str| planted(&[("sim/a/Cargo.toml", manifest)], "").len();
        assert_eq!(with("[lints]\nworkspace = true\n"), 0);
        assert_eq!(with("[lints]\n\n[dependencies]\nworkspace = true\n"), 1);
        assert_eq!(with("[package]\nversion.workspace = true\n"), 1);
    }
}
