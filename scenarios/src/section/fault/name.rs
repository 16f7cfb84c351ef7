//! What faults are called.
//!
//! A fault's chances, and the ranges of its own section, are drawn from streams keyed by its name. The name is given,
//! or made of what the fault says (`crash one of backend`), and only a fault that says exactly the same as an earlier
//! one gets a number; so taking one out of a file changes no other.
//!
//! When a file is read every fault gets its name for good: taking the first of two equal ones out of a scenario that
//! was read leaves the second with its number, and so with its chances.

use super::Fault;
use crate::At;
use crate::scalar::Count;
use crate::section::Scenario;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name of a fault in bytes, for it to fit a table.
pub(super) const NAME_MAX: usize = 200;

/// The name of each fault, in their order: its own, or the one that it is called by.
pub(super) fn names(faults: &[At<Fault>]) -> Vec<String> {
    let given = faults.iter().filter_map(|fault| fault.name.as_ref());
    let mut taken: BTreeSet<String> = given.map(|name| name.value.clone()).collect();
    let mut alike = BTreeMap::new();
    let name = |fault: &At<Fault>| match &fault.name {
        Some(name) => name.value.clone(),
        None => own_name(fault, &mut taken, &mut alike),
    };
    faults.iter().map(name).collect()
}

/// The kind and whom it concerns, with a number where that is taken. `alike` has the last number given to each such
/// name, so that of thousands of equal faults none looks for its number from one on.
fn own_name(fault: &Fault, taken: &mut BTreeSet<String>, alike: &mut BTreeMap<String, u32>) -> String {
    let kind = fault.kind.as_ref().map_or("fault", |kind| kind.value.name());
    let whom: Vec<&str> = fault.what.as_ref().map_or("", |what| what.as_str()).split_whitespace().collect();
    let name = format!("{kind} {}", whom.join(" "));
    let number = alike.entry(name.clone()).or_insert(0);
    loop {
        *number += 1;
        let unique = if *number == 1 { name.clone() } else { format!("{name}#{}", Count(*number)) };
        if taken.insert(unique.clone()) {
            return unique;
        }
    }
}

impl Scenario {
    /// Gives every fault the name that it is called by, as [`check`](crate::check) does with what it has read.
    ///
    /// One without a kind or without anybody whom it means stays without a name, and so does one whose name would be
    /// longer than what may be written as one, 200 bytes.
    pub fn name_faults(&mut self) {
        let names = names(&self.fault);
        for (At { value: fault, .. }, name) in self.fault.iter_mut().zip(names) {
            if fault.name.is_none() && fault.kind.is_some() && fault.what.is_some() && name.len() <= NAME_MAX {
                fault.name = Some(At::new(name));
            }
        }
    }
}
