//! A scenario in one line, for `windtunnel validate` and `windtunnel list scenarios`.

use crate::problem::count;
use crate::section::{self, Scenario};
use std::fmt;

/// How much of what a scenario has: what its sections count, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    parts: Vec<String>,
}

impl Scenario {
    /// How much of what there is.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        section::summarize(self, &mut summary);
        summary
    }
}

impl Summary {
    /// Adds a count, also of none.
    pub(crate) fn add(&mut self, n: usize, noun: &str) {
        self.parts.push(count(n, noun));
    }

    /// Adds a count; what there is none of is left out.
    pub(crate) fn add_some(&mut self, n: usize, noun: &str) {
        if n > 0 {
            self.add(n, noun);
        }
    }

    /// Adds a count that is drawn from a range.
    pub(crate) fn add_range(&mut self, (least, most): (u64, u64), noun: &str) {
        if least == most {
            self.add(least as usize, noun);
        } else {
            self.parts.push(format!("{least} to {most} {noun}s"));
        }
    }
}

impl fmt::Display for Summary {
    /// `2 services, 12 instances, 1 load, 1 rollout, 2 faults, 5 checks, 1 objective`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join(", "))
    }
}
