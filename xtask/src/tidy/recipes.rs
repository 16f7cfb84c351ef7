//! What ARCHITECTURE.md promises of kinds: a new one is its files and a line in a list, and nothing else names it.
//!
//! A file that its list does not have is not compiled, and nobody would notice. A kind that some other source names is
//! one that the next kind has to be written beside: an arm, a special case, a second list.

use super::{Finding, Tree};

/// A sort of kinds that are declared once.
struct Recipe {
    what: &'static str,
    /// The file with the list, one module per line.
    list: &'static str,
    /// Folders that have a file for each kind.
    homes: &'static [&'static str],
    /// What a file says that declares a kind; one per home.
    markers: &'static [&'static str],
    /// How another source would name a kind; `M` is its module and `T` the same in camel case.
    named: &'static str,
}

const RECIPES: [Recipe; 3] = [
    Recipe {
        what: "engine",
        list: "scenarios/src/decide/mod.rs",
        homes: &["scenarios/src/decide/"],
        markers: &["static ENGINE:"],
        named: "M::ENGINE",
    },
    Recipe {
        what: "process",
        list: "sim/world/src/process/list.rs",
        homes: &["sim/world/src/process/"],
        markers: &["static KIND:"],
        named: "M::KIND",
    },
    Recipe {
        what: "fault",
        list: "sim/kernel/src/fault/list.rs",
        homes: &["sim/kernel/src/fault/", "scenarios/src/section/fault/kind/"],
        markers: &["impl Inject for ", "impl Declare for "],
        named: "FaultKind::T",
    },
];

/// Compares lists with folders, and looks for sources that name a kind.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    RECIPES.iter().flat_map(|recipe| recipe.check(tree)).collect()
}

impl Recipe {
    fn check(&self, tree: &Tree) -> Vec<Finding> {
        let Some(list) = tree.text(self.list) else { return Vec::new() };
        let listed = |module: &str| list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == module);
        let mut findings = Vec::new();
        let mut modules: Vec<&str> = Vec::new();
        for (home, marker) in self.homes.iter().zip(self.markers) {
            for (path, text) in tree.texts() {
                let Some(module) = path.strip_prefix(home).and_then(|rest| rest.strip_suffix(".rs")) else { continue };
                if module.contains('/') || !text.lines().any(|line| line.contains(marker)) || module == "mod" {
                    continue;
                }
                if !listed(module) {
                    let what = format!("declares a kind of {} that is not in the list of {}", self.what, self.list);
                    findings.push(Finding::new(path, 0, what));
                }
                modules.push(module);
            }
        }
        for (path, text) in tree.texts() {
            let is_source = path.contains("/src/")
                && path.ends_with(".rs")
                && !["xtask/", "sim/parity/"].iter().any(|other| path.starts_with(other));
            if !is_source || path == self.list || self.homes.iter().any(|home| path.starts_with(home)) {
                continue;
            }
            for module in &modules {
                let name = self.named.replace('M', module).replace('T', &camel(module));
                for (at, _) in text.lines().enumerate().filter(|(_, line)| names(line, &name)) {
                    let what = format!("names the {} `{module}`: let its own file say what is different", self.what);
                    findings.push(Finding::new(path, at + 1, what));
                }
            }
        }
        findings
    }
}

/// Whether a line has a path as it is, and not as a part of a longer one.
fn names(line: &str, path: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(path)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + path.len()..].starts_with(is_word))
}

fn camel(module: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    module.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: (&str, &str) = ("sim/kernel/src/fault/list.rs", "disk_slow DiskSlow;\n");
    const SLOW: (&str, &str) = ("sim/kernel/src/fault/disk_slow.rs", "impl Inject for DiskSlow {\n");

    fn findings(texts: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::planted(texts)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_kind_is_its_files_and_its_line() {
        assert_eq!(findings(&[LIST, SLOW, ("sim/world/src/run.rs", "fault.kind.sets_clocks()")]), [""; 0]);
        let orphan = ("sim/kernel/src/fault/disk_stall.rs", "impl Inject for DiskStall {\n");
        let found = findings(&[LIST, SLOW, orphan]);
        assert!(found.len() == 1 && found[0].contains("disk_stall.rs"), "{found:?}");
        let arm = ("scenarios/src/lower/fault.rs", "match kind {\n    FaultKind::DiskSlow => 1,\n");
        let found = findings(&[LIST, SLOW, arm, ("scenarios/src/a.rs", "FaultKind::DiskSlower")]);
        assert!(found.len() == 1 && found[0].contains("lower/fault.rs:2"), "{found:?}");
    }
}
