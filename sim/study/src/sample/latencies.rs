//! The latencies of a run, in a form that adds up over runs.

use serde::{Deserialize, Serialize};
use world::outcome::Distribution;
use world::telemetry::Profile;

/// The latencies of a run, compact and such that those of several runs add up: see [`Profile`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Per used bin of a [`Profile`], in rising order: its distance from the used bin before, and its count.
    pub bins: Vec<(u32, u64)>,
    /// Values in nanoseconds that occur again and again, and their counts; they are not in the bins.
    pub atoms: Vec<(u64, u64)>,
    /// The shortest, in nanoseconds.
    pub min_ns: u64,
    /// The longest, in nanoseconds.
    pub max_ns: u64,
    /// The exact sum of all, in nanoseconds, up to 584 years.
    pub sum_ns: u64,
    /// Per step of the measured part: the number of calls that ended in it, and the sum of their latencies in
    /// nanoseconds.
    pub per_step: Vec<(u64, u64)>,
}

impl Latencies {
    /// The latencies of a distribution; `per_step` as in [`Latencies::per_step`].
    pub fn of(distribution: &Distribution, per_step: &[(u64, u64)]) -> Latencies {
        let (profile, mut last) = (&distribution.profile, 0);
        let gap = |&(bin, count): &(u32, u64)| (bin - std::mem::replace(&mut last, bin), count);
        Latencies {
            bins: profile.bins.iter().map(gap).collect(),
            atoms: profile.atoms.iter().map(|(span, count)| (span.as_nanos(), *count)).collect(),
            min_ns: distribution.curve.first().map_or(0, |(_, span)| span.as_nanos()),
            max_ns: distribution.max.as_nanos(),
            sum_ns: u64::try_from(distribution.sum_ns).unwrap_or(u64::MAX),
            per_step: per_step.to_vec(),
        }
    }

    /// Number of latencies.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|(_, n)| n).chain(self.atoms.iter().map(|(_, n)| n)).sum()
    }

    /// The used bins: shortest and longest latency in nanoseconds, and the count.
    pub(crate) fn bins(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        let mut bin = 0;
        self.bins.iter().map(move |(gap, count)| {
            bin += gap;
            let (from, up_to) = Profile::bounds(bin);
            (from, up_to, *count)
        })
    }

    /// What is wrong with latencies that were read, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let last = self.bins.iter().try_fold(0u32, |bin, (gap, _)| bin.checked_add(*gap));
        let counts = self.bins.iter().map(|(_, n)| *n).chain(self.atoms.iter().map(|(_, n)| *n));
        let total = counts.clone().try_fold(0u64, |sum, n| sum.checked_add(n));
        match (last, total) {
            (Some(last), Some(_)) if last < Profile::BINS && counts.min() != Some(0) => Ok(()),
            _ => Err("latencies that no run has".into()),
        }
    }
}
