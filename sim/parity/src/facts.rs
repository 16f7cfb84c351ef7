//! What a run came to, in words that two drivers share, and how two of them differ.
//!
//! Moments are kept for those who ask and never compared. Nothing here knows who drove the run: both sides hand over
//! the same plain things, and both sides' sentences pass through the same functions.

use base::{InstanceId, Instant, Ratio};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The facts of one run.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The rollout's phase, or none without one.
    pub phase: Option<String>,
    /// What happened to the rollout, in order, without what was measured; see [`story`].
    pub history: Vec<String>,
    /// The new version's share, at each change.
    pub weights: Vec<Ratio>,
    /// Who is listed in the end, with the version.
    pub listed: BTreeMap<InstanceId, String>,
    /// True when exactly the living are listed, and every caller that is up sees exactly the listed.
    pub converged: bool,
    /// True when nobody holds the rollout's lock.
    pub lock_free: bool,
    /// What the registry saw of each instance, in order: `registered`, `drains`, `expired`, `deregistered`.
    pub lifelines: BTreeMap<InstanceId, Vec<(Instant, String)>>,
}

impl Facts {
    /// One line for each way in which these facts differ from `other`; none when they agree. Moments are not compared.
    pub fn differences(&self, other: &Facts) -> Vec<String> {
        let (mine, theirs) = (self.lines(), other.lines());
        let names: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
        let value = |lines: &BTreeMap<String, String>, name: &String| lines.get(name).cloned().unwrap_or("-".into());
        names
            .into_iter()
            .map(|name| (name, value(&mine, name), value(&theirs, name)))
            .filter(|(_, mine, theirs)| mine != theirs)
            .map(|(name, mine, theirs)| format!("{name}: {mine} | {theirs}"))
            .collect()
    }

    /// What does not depend on chance where a rollout's way does: how it ended, who is listed, and their lives.
    pub fn ending(&self) -> Facts {
        let mut end = self.clone();
        end.history = self.history.last().cloned().into_iter().collect();
        end.weights = self.weights.last().copied().into_iter().collect();
        end.lifelines.retain(|id, _| self.listed.contains_key(id));
        end
    }

    /// How many are listed of each version.
    pub fn per_version(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        self.listed.values().for_each(|version| *counts.entry(version.as_str()).or_default() += 1);
        counts
    }

    /// When the registry first saw `what` happen to an instance.
    pub fn moment(&self, instance: InstanceId, what: &str) -> Option<Instant> {
        self.lifelines.get(&instance)?.iter().find(|(_, word)| word == what).map(|(at, _)| *at)
    }

    fn lines(&self) -> BTreeMap<String, String> {
        let mut lines = BTreeMap::new();
        let mut say = |name: String, value: String| lines.insert(name, value);
        say("phase".into(), self.phase.clone().unwrap_or_default());
        for (index, text) in self.history.iter().enumerate() {
            say(format!("history {index:02}"), text.clone());
        }
        say("weights".into(), join(self.weights.iter()));
        say("listed".into(), join(self.listed.iter().map(|(id, version)| format!("{id}:{version}"))));
        say("converged".into(), self.converged.to_string());
        say("lock free".into(), self.lock_free.to_string());
        for (id, line) in &self.lifelines {
            say(format!("life of {:>3}", id.to_string()), join(line.iter().map(|(_, word)| word)));
        }
        lines
    }
}

impl fmt::Display for Facts {
    /// One fact a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))
    }
}

fn join<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// Folds the registry's notes (`i3 registered in svc0 with …`) into what it saw of each instance.
pub fn lifelines<'a>(notes: impl Iterator<Item = (Instant, &'a str)>) -> BTreeMap<InstanceId, Vec<(Instant, String)>> {
    let mut lives: BTreeMap<InstanceId, Vec<(Instant, String)>> = BTreeMap::new();
    for (at, text) in notes {
        let mut words = text.split(' ');
        let id = words.next().and_then(|word| word.strip_prefix('i')).and_then(|n| n.parse().ok());
        // What is not about one instance, such as self-preservation, has no part in a lifeline.
        if let (Some(id), Some(what)) = (id, words.next()) {
            lives.entry(InstanceId(id)).or_default().push((at, what.into()));
        }
    }
    lives
}

/// Who is listed after everything in these lifelines.
pub fn listed(lives: &BTreeMap<InstanceId, Vec<(Instant, String)>>) -> impl Iterator<Item = InstanceId> + '_ {
    let stands = |line: &Vec<(Instant, String)>| {
        line.last().is_some_and(|(_, word)| word != "expired" && word != "deregistered")
    };
    lives.iter().filter(move |(_, line)| stands(line)).map(|(&id, _)| id)
}

/// A line of a rollout's history with versions by name and without measured values: how bad a failed check was depends
/// on the requests it happened to see, that it failed does not.
pub fn story(text: &str, versions: &[String]) -> String {
    let text = match text.split_once(": ") {
        Some((what, _)) if what.starts_with("check failed") => what,
        _ => text,
    };
    let named = |word: &str| {
        let id = word.strip_prefix('v').and_then(|n| n.parse::<usize>().ok());
        id.and_then(|id| versions.get(id)).map_or(word.to_string(), Clone::clone)
    };
    text.split(' ').map(named).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Instant {
        Instant::from_secs(s)
    }

    fn facts() -> Facts {
        let notes =
            [(at(1), "i0 registered in svc0"), (at(2), "i1 registered in svc0"), (at(9), "i1 expired from svc0")];
        let lifelines = lifelines(notes.into_iter());
        Facts {
            phase: Some("completed".into()),
            history: vec!["promoted".into(), "completed".into()],
            weights: vec![Ratio::ZERO, Ratio::ONE],
            listed: listed(&lifelines).map(|id| (id, "1.0.0".to_string())).collect(),
            converged: true,
            lock_free: true,
            lifelines,
        }
    }

    #[test]
    fn every_fact_is_compared_and_no_moment_is() {
        let same = facts();
        assert_eq!(facts().differences(&same), [""; 0]);
        assert_eq!(same.listed.keys().collect::<Vec<_>>(), [&InstanceId(0)]);
        type Change = fn(&mut Facts);
        let changes: [(&str, Change); 8] = [
            ("phase: completed | rolled_back", |f| f.phase = Some("rolled_back".into())),
            ("history 01: completed | -", |f| f.history.truncate(1)),
            ("weights: 0% 100% | 0%", |f| f.weights.truncate(1)),
            ("listed: i0:1.0.0 | i0:1.1.0", |f| f.listed.values_mut().for_each(|v| *v = "1.1.0".into())),
            ("converged: true | false", |f| f.converged = false),
            ("lock free: true | false", |f| f.lock_free = false),
            ("life of  i0: registered | -", |f| drop(f.lifelines.remove(&InstanceId(0)))),
            ("life of  i1: registered expired | registered", |f| {
                f.lifelines.values_mut().for_each(|line| line.truncate(1));
            }),
        ];
        for (difference, change) in changes {
            let mut other = facts();
            change(&mut other);
            assert_eq!(facts().differences(&other), [difference]);
        }
        assert_eq!(
            facts().ending().differences(&facts()),
            [
                "history 00: completed | promoted",
                "history 01: - | completed",
                "life of  i1: - | registered expired",
                "weights: 100% | 0% 100%",
            ]
        );
        let mut later = facts();
        later.lifelines.values_mut().flatten().for_each(|(at, _)| *at += base::Duration::secs(1));
        assert_eq!(facts().differences(&later), [""; 0]);
        assert_eq!(later.moment(InstanceId(1), "expired"), Some(at(10)));
    }

    #[test]
    fn what_was_measured_is_cut_off_and_why_it_ended_is_not() {
        let versions = ["1.0.0".to_string(), "1.1.0".to_string()];
        let told = |text: &str| story(text, &versions);
        assert_eq!(told("check failed, 1 of 3: success 97.8% < 99%"), "check failed, 1 of 3");
        assert_eq!(told("aborted: too many checks failed"), "aborted: too many checks failed");
        assert_eq!(told("started from v0 to v1"), "started from 1.0.0 to 1.1.0");
        assert_eq!(told("v2 scaled to 3"), "v2 scaled to 3", "a version nobody declared keeps its number");
    }

    #[test]
    fn what_is_not_about_one_instance_is_in_no_lifeline() {
        let notes = [(at(1), "kept 3 ended leases: 1 renewals do not exceed 5"), (at(2), "i4 drains in svc0")];
        let lives = lifelines(notes.into_iter());
        assert_eq!(lives.into_iter().collect::<Vec<_>>(), [(InstanceId(4), vec![(at(2), "drains".to_string())])]);
    }
}
