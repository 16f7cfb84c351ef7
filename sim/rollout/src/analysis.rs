//! Is the new version good enough? One measurement, one verdict.
//!
//! The rules are Flagger's (`pkg/controller/scheduler_metrics.go`): a value fails when it is strictly worse than its
//! limit, checks are made once an interval, and failed checks add up over the whole rollout: a good one does not take a
//! bad one back. A canary gets no more traffic while its last check is a failed one; a rolling update, whose traffic
//! nobody splits, goes on until the limit. The rollout goes back on the check that reaches the limit; Flagger itself
//! one interval later, because its loop looks at the count before it looks at the metrics.
//!
//! Flagger calls a check without data failed, and its users fall over that in quiet hours. Here such a check is
//! inconclusive and counts for nothing, unless [`TooFew::Fails`] asks for Flagger's way.

use crate::Measurement;
use base::{Duration, Ratio};
use std::fmt;

/// By what, how often and how patiently the new version is judged. Checks begin one interval after it first has traffic
/// (in a rolling update: after its first instance is asked for) and end when it has all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Analysis {
    /// The lowest share of successes that passes; equal passes.
    pub success_rate_min: Option<Ratio>,
    /// The highest 99th percentile of latency that passes; equal passes.
    pub latency_p99_max: Option<Duration>,
    /// How often to check, and how far back each check looks.
    pub interval: Duration,
    /// How many failed checks, in all, end the rollout. At least one.
    pub failures: u32,
    /// How many requests a check needs to judge.
    pub min_samples: u64,
    /// What a check with fewer is.
    pub too_few: TooFew,
}

/// What a check without enough data is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TooFew {
    /// Neither passed nor failed; the rollout goes on.
    #[default]
    Inconclusive,
    /// Failed, as in Flagger.
    Fails,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong.
    Passed,
    /// Something wrong.
    Failed(Breach),
    /// Too little to tell.
    Inconclusive,
}

/// What was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Too few requests succeeded.
    SuccessRate {
        /// The share that did.
        measured: Ratio,
        /// The share that had to.
        min: Ratio,
    },
    /// Requests took too long.
    Latency {
        /// What 99 % of them did not pass.
        measured: Duration,
        /// What they may not pass.
        max: Duration,
    },
    /// Too few requests to judge, where that counts as a failure.
    Samples {
        /// How many there were.
        measured: u64,
        /// How many there had to be, at least one.
        min: u64,
    },
}

impl Analysis {
    /// Judges one measurement. A breach of either limit fails, even when the other has no value.
    pub fn judge(&self, measurement: &Measurement) -> Verdict {
        let too_few = match self.too_few {
            TooFew::Inconclusive => Verdict::Inconclusive,
            TooFew::Fails => {
                Verdict::Failed(Breach::Samples { measured: measurement.samples, min: self.min_samples.max(1) })
            }
        };
        if measurement.samples < self.min_samples {
            return too_few;
        }
        let mut missing = false;
        if let Some(min) = self.success_rate_min {
            match measurement.success {
                Some(measured) if measured < min => return Verdict::Failed(Breach::SuccessRate { measured, min }),
                Some(_) => {}
                None => missing = true,
            }
        }
        if let Some(max) = self.latency_p99_max {
            match measurement.p99 {
                Some(measured) if measured > max => return Verdict::Failed(Breach::Latency { measured, max }),
                Some(_) => {}
                None => missing = true,
            }
        }
        if missing { too_few } else { Verdict::Passed }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::SuccessRate { measured, min } => write!(f, "success {measured:.2} < {min}"),
            Breach::Latency { measured, max } => write!(f, "p99 {measured} > {max}"),
            Breach::Samples { measured, min } => write!(f, "samples {measured} < {min}"),
        }
    }
}

/// A measurement in words.
pub(crate) fn reading(measurement: &Measurement) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        write!(f, "{} samples", measurement.samples)?;
        if let Some(success) = measurement.success {
            write!(f, ", success {success:.2}")?;
        }
        if let Some(p99) = measurement.p99 {
            write!(f, ", p99 {p99}")?;
        }
        Ok(())
    })
}
