//! Which crate may use which: the block of ARCHITECTURE.md that begins with ```` ```edges ````, compared with what
//! `cargo metadata` says of the workspace.
//!
//! ```text
//! world -> base kernel registry     # in the crate itself (and its build script)
//! reports tests -> scenarios        # in its tests, examples and benches only
//! benches tests -> *                # anything
//! kernel ->                         # nothing of ours
//! ```
//!
//! The drawing is exact in both directions: an edge that is used and not drawn is an error, and so is one that is drawn
//! and not used. Two edges need no drawing: tests may use `base` (for its golden runner), and whatever the crate uses
//! anyway. An edge that exists only on some target or under some `--cfg` counts like any other.

use super::{Finding, Tree, relative};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const DRAWING: &str = "ARCHITECTURE.md";

/// Edges from one crate, as drawn or as found, with the line of the drawing.
#[derive(Default)]
struct Edges {
    line: usize,
    normal: BTreeSet<String>,
    tests: BTreeSet<String>,
    tests_line: usize,
}

/// Compares the drawing in `tree` with `metadata` (of `cargo metadata --no-deps`).
pub(super) fn check(tree: &Tree, metadata: &Value) -> Vec<Finding> {
    let Some(text) = tree.text(DRAWING) else {
        return vec![Finding::new(DRAWING, 0, "is missing: it holds the permitted edges in a block ```edges")];
    };
    let (drawn, mut findings) = parse(text);
    if drawn.is_empty() {
        findings.push(Finding::new(DRAWING, 0, "has no block ```edges with lines such as `world -> base kernel`"));
        return findings;
    }
    let used = used(metadata);
    for (name, edges) in &used {
        let manifest = relative(metadata, &edges.manifest);
        let at = |dependency: &str| {
            let in_manifest = tree.text(&manifest).unwrap_or_default();
            let names = |line: &str| line.split(['.', ' ', '=']).next() == Some(dependency);
            in_manifest.lines().position(names).map_or(0, |index| index + 1)
        };
        let Some(picture) = drawn.get(name).filter(|picture| picture.line > 0) else {
            findings.push(Finding::new(
                &manifest,
                0,
                format!("`{name}` is not drawn in the edges of {DRAWING}: draw it"),
            ));
            continue;
        };
        for to in edges.normal.difference(&picture.normal) {
            findings.push(Finding::new(
                &manifest,
                at(to),
                format!(
                    "`{name} -> {to}` is not a permitted edge: remove it, or draw it at {DRAWING}:{}",
                    picture.line
                ),
            ));
        }
        for to in picture.normal.difference(&edges.normal) {
            let what = format!("`{name} -> {to}` is drawn but not used: erase it, or use it");
            findings.push(Finding::new(DRAWING, picture.line, what));
        }
        if picture.tests.contains("*") {
            continue;
        }
        for to in edges.tests.difference(&picture.tests) {
            if to != "base" && !edges.normal.contains(to) {
                let what =
                    format!("`{name} tests -> {to}` is not a permitted edge: remove it, or draw it in {DRAWING}");
                findings.push(Finding::new(&manifest, at(to), what));
            }
        }
        for to in picture.tests.difference(&edges.tests) {
            let what = format!("`{name} tests -> {to}` is drawn but not used: erase it, or use it");
            findings.push(Finding::new(DRAWING, picture.tests_line, what));
        }
    }
    for (name, picture) in &drawn {
        if !used.contains_key(name) {
            let line = picture.line.max(picture.tests_line);
            findings.push(Finding::new(DRAWING, line, format!("`{name}` is drawn, but no crate has that name")));
        }
    }
    findings
}

/// The drawing by crate, and what cannot be read in it.
fn parse(text: &str) -> (BTreeMap<String, Edges>, Vec<Finding>) {
    let mut drawn: BTreeMap<String, Edges> = BTreeMap::new();
    let mut findings = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.starts_with("```") {
            inside = line == "```edges";
            continue;
        }
        let line = line.split('#').next().unwrap_or_default().trim();
        if !inside || line.is_empty() {
            continue;
        }
        let Some((from, to)) = line.split_once("->") else {
            findings.push(Finding::new(DRAWING, number, "is not an edge: write `crate -> crate crate`"));
            continue;
        };
        let to = to.split_whitespace().map(String::from);
        match from.split_whitespace().collect::<Vec<_>>().as_slice() {
            [name] => {
                let edges = drawn.entry((*name).to_string()).or_default();
                edges.line = number;
                edges.normal.extend(to);
            }
            [name, "tests"] => {
                let edges = drawn.entry((*name).to_string()).or_default();
                edges.tests_line = number;
                edges.tests.extend(to);
            }
            _ => {
                findings.push(Finding::new(DRAWING, number, "is not an edge: write `crate -> …` or `crate tests -> …`"))
            }
        }
    }
    (drawn, findings)
}

/// What a crate really uses of ours.
struct Used {
    manifest: String,
    normal: BTreeSet<String>,
    tests: BTreeSet<String>,
}

fn used(metadata: &Value) -> BTreeMap<String, Used> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name_of = |value: &Value| value["name"].as_str().unwrap_or_default().to_string();
    let members: BTreeSet<String> = packages.iter().map(name_of).collect();
    let edges = |package: &Value| {
        let mut used = Used {
            manifest: package["manifest_path"].as_str().unwrap_or_default().to_string(),
            normal: BTreeSet::new(),
            tests: BTreeSet::new(),
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = name_of(dependency);
            // A crate of the registry may share its name with one of ours; only ours has a path.
            if members.contains(&to) && dependency["path"].is_string() {
                let is_test = dependency["kind"].as_str() == Some("dev");
                if is_test { &mut used.tests } else { &mut used.normal }.insert(to);
            }
        }
        used
    };
    packages.iter().map(|package| (name_of(package), edges(package))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A workspace of base, kernel, world and benches, where `extra` dependencies were added to world.
    fn workspace(extra: &[(&str, Option<&str>)]) -> Value {
        let dependency = |(name, kind): &(&str, Option<&str>)| json!({"name": name, "kind": kind, "path": "/w/sim/x"});
        let package = |name: &str, dependencies: &[(&str, Option<&str>)]| {
            let list: Vec<Value> = dependencies.iter().map(dependency).collect();
            json!({"name": name, "manifest_path": format!("/w/sim/{name}/Cargo.toml"), "dependencies": list})
        };
        let mut world = vec![("base", None), ("kernel", None), ("base", Some("dev"))];
        world.extend_from_slice(extra);
        json!({"workspace_root": "/w", "packages": [
            package("base", &[]),
            package("kernel", &[("base", None)]),
            package("world", &world),
            package("benches", &[("kernel", Some("dev")), ("world", Some("dev"))]),
        ]})
    }

    const DRAWN: &str =
        "text\n```edges\nbase ->\nkernel -> base\nworld -> base kernel\nbenches ->\nbenches tests -> *\n```\n";

    fn findings(drawing: &str, metadata: &Value) -> Vec<String> {
        let manifest = "[dependencies]\nbase.workspace = true\nkernel.workspace = true\nbenches = { path = \"..\" }\n";
        let tree = Tree::planted(&[(DRAWING, drawing), ("sim/world/Cargo.toml", manifest)]);
        check(&tree, metadata).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_drawing_that_agrees_is_accepted() {
        assert_eq!(findings(DRAWN, &workspace(&[])), [""; 0]);
        // What a crate uses anyway, its tests may use undrawn.
        assert_eq!(findings(DRAWN, &workspace(&[("kernel", Some("dev"))])), [""; 0]);
    }

    #[test]
    fn an_edge_that_is_not_drawn_is_found_where_it_is_declared() {
        assert_eq!(
            findings(DRAWN, &workspace(&[("benches", None)])),
            ["sim/world/Cargo.toml:4: `world -> benches` is not a permitted edge: remove it, or draw it at \
              ARCHITECTURE.md:5"]
        );
        assert_eq!(findings(DRAWN, &workspace(&[("benches", Some("build"))])).len(), 1, "build scripts count");
        let of_tests = findings(DRAWN, &workspace(&[("benches", Some("dev"))]));
        assert_eq!(
            of_tests,
            ["sim/world/Cargo.toml:4: `world tests -> benches` is not a permitted edge: remove it, or draw it in \
              ARCHITECTURE.md"]
        );
    }

    #[test]
    fn an_edge_that_is_drawn_but_not_used_is_found_in_the_drawing() {
        let drawn = DRAWN.replace("kernel -> base", "kernel -> base world");
        assert_eq!(
            findings(&drawn, &workspace(&[])),
            ["ARCHITECTURE.md:4: `kernel -> world` is drawn but not used: erase it, or use it"]
        );
        let drawn = DRAWN.replace("kernel -> base", "kernel -> base\nkernel tests -> world");
        assert_eq!(
            findings(&drawn, &workspace(&[])),
            ["ARCHITECTURE.md:5: `kernel tests -> world` is drawn but not used: erase it, or use it"]
        );
    }

    #[test]
    fn crates_and_drawing_name_each_other() {
        let forgotten = findings(&DRAWN.replace("kernel -> base\n", ""), &workspace(&[]));
        assert_eq!(
            forgotten,
            ["sim/kernel/Cargo.toml: `kernel` is not drawn in the edges of ARCHITECTURE.md: draw it"]
        );
        let imagined = findings(&DRAWN.replace("base ->\n", "base ->\nmoon -> base\n"), &workspace(&[]));
        assert_eq!(imagined, ["ARCHITECTURE.md:4: `moon` is drawn, but no crate has that name"]);
        let unread = findings(&DRAWN.replace("base ->\n", "base ->\nkernel base\n"), &workspace(&[]));
        assert_eq!(unread, ["ARCHITECTURE.md:4: is not an edge: write `crate -> crate crate`"]);
        assert_eq!(findings("no drawing", &workspace(&[])).len(), 1);
    }

    #[test]
    fn a_foreign_crate_with_one_of_our_names_is_not_an_edge() {
        let mut metadata = workspace(&[]);
        let foreign = json!({"name": "world", "kind": null, "path": null});
        metadata["packages"][1]["dependencies"].as_array_mut().unwrap().push(foreign);
        assert_eq!(findings(DRAWN, &metadata), [""; 0]);
    }
}
