//! Ids in the text of a trace, replaced by names: `i7` is `backend-7`, `svc1` is `frontend`, `z2` is `zone c`'s `c`.
//!
//! Cores know each other by numbers only, and so do the notes they take. Whoever reads a story or a trace knows names;
//! both are told here, so that what stands in one can be found in the other.

use world::kernel::trace::{Entry, Telling};
use world::{Run, Spec};

/// The names of everything in a run.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    nodes: &'a [String],
    /// In order of creation.
    instances: Vec<&'a str>,
    services: Vec<&'a str>,
    zones: &'a [String],
}

impl<'a> Names<'a> {
    /// The names in this run of this world.
    pub(crate) fn of(run: &'a Run, spec: &'a Spec) -> Self {
        // Instances, the gateway's among them, are nodes that were made in the order of their ids.
        let of_services = run.outcome.services.iter().flat_map(|s| &s.instances).map(|i| i.name.as_str());
        let known: std::collections::BTreeSet<&str> = of_services.collect();
        let is_gateway = |name: &str| {
            let number = name.strip_prefix("gateway-").and_then(|n| n.parse::<u32>().ok());
            number.is_some_and(|n| spec.gateway.as_ref().is_some_and(|g| n >= 1 && n <= g.instances))
        };
        let nodes = run.nodes.iter().map(String::as_str);
        let instances = nodes.filter(|name| known.contains(name) || is_gateway(name)).collect();
        let services = spec.services.iter().map(|s| s.name.as_str()).chain(["gateway"]).collect();
        Names { nodes: &run.nodes, instances, services, zones: &spec.zones }
    }

    /// What an entry says.
    pub(crate) fn text(&self, entry: &Entry) -> String {
        match (entry.kind, entry.text.as_str()) {
            ("down", "Machine") => "its machine is gone: silence".into(),
            ("down", "Process") => "its process is gone: connections are reset".into(),
            ("up", "") => "up again, without its memory".into(),
            // Faults are noted with names, of which some might look like ids.
            ("fault", text) => text.to_string(),
            (_, text) => self.put_into(text),
        }
    }

    /// How the trace of a run of this world is written.
    pub(crate) fn telling<'t>(&'t self, run: &Run, text: &'t dyn Fn(&Entry) -> String) -> Telling<'t> {
        Telling { fingerprint: run.outcome.run.fingerprint, names: self.nodes, text }
    }

    /// The name of a node.
    pub(crate) fn node(&self, index: usize) -> String {
        self.nodes.get(index).cloned().unwrap_or_else(|| format!("n{index}"))
    }

    /// `text` with names for ids.
    pub(crate) fn put_into(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_alphanumeric() || c == '-' || c == '_' {
                word.push(c);
                continue;
            }
            match self.name_of(&word) {
                Some(name) => out.push_str(name),
                None => out.push_str(&word),
            }
            word.clear();
            out.push(c);
        }
        out.pop();
        out
    }

    fn name_of(&self, word: &str) -> Option<&str> {
        let digits = word.find(|c: char| c.is_ascii_digit())?;
        let (letters, digits) = word.split_at(digits);
        let index: usize = digits.parse().ok()?;
        match letters {
            "z" => self.zones.get(index).map(String::as_str),
            "i" => self.instances.get(index).copied(),
            "svc" => self.services.get(index).copied(),
            "n" => self.nodes.get(index).map(String::as_str),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names_and_other_words_stay() {
        let nodes = ["registry-1", "shop-1", "shop-2", "gateway-1"].map(String::from);
        let zones = ["a".to_string(), "b".to_string()];
        let names = Names {
            nodes: &nodes,
            instances: vec!["shop-1", "shop-2", "gateway-1"],
            services: vec!["shop", "gateway"],
            zones: &zones,
        };
        let put = |text| names.put_into(text);
        assert_eq!(put("i1 expired from svc0 with lease7 at r12"), "shop-2 expired from shop with lease7 at r12");
        assert_eq!(put("rollout/svc0 acquired by session1"), "rollout/shop acquired by session1");
        assert_eq!(put("follows svc1 at n0"), "follows gateway at registry-1");
        assert_eq!(put("req-i1 attempt 1 to i99"), "req-i1 attempt 1 to i99");
        assert_eq!(put(""), "");
    }
}
