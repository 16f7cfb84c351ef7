//! A scenario in one line, for `windtunnel validate` and `windtunnel list scenarios`.

use crate::problem::count;
use crate::schema::Scenario;
use std::fmt;

/// How much of what a scenario has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Services.
    pub services: usize,
    /// Instances at the start, at least.
    pub instances_min: u64,
    /// Instances at the start, at most; equal to the least unless a range is drawn.
    pub instances_max: u64,
    /// Load sources.
    pub loads: usize,
    /// Rollouts.
    pub rollouts: usize,
    /// Faults.
    pub faults: usize,
    /// Invariants that are named.
    pub checks: usize,
    /// Objectives.
    pub objectives: usize,
}

impl Scenario {
    /// How much of what there is.
    pub fn summary(&self) -> Summary {
        let bounds = self.service.values().map(|service| {
            service.instances.as_ref().map_or((1, 1), |n| (u64::from(n.low().0), u64::from(n.high().0)))
        });
        let (instances_min, instances_max) = bounds.fold((0, 0), |(a, b), (low, high)| (a + low, b + high));
        let expect = self.expect.as_ref();
        Summary {
            services: self.service.len(),
            instances_min,
            instances_max,
            loads: self.load.len(),
            rollouts: self.rollout.len(),
            faults: self.fault.len(),
            checks: expect.map_or(0, |e| e.always.len() + e.eventually.len() + e.sometimes.len()),
            objectives: expect.map_or(0, |e| e.slo.len()),
        }
    }
}

impl fmt::Display for Summary {
    /// `2 services, 12 instances, 1 load, 1 rollout, 2 faults, 5 checks, 1 objective`; what there is none of is left
    /// out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", count(self.services, "service"))?;
        if self.instances_min == self.instances_max {
            write!(f, ", {}", count(self.instances_min as usize, "instance"))?;
        } else {
            write!(f, ", {} to {} instances", self.instances_min, self.instances_max)?;
        }
        let rest = [
            (self.loads, "load"),
            (self.rollouts, "rollout"),
            (self.faults, "fault"),
            (self.checks, "check"),
            (self.objectives, "objective"),
        ];
        for (n, noun) in rest.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, ", {}", count(n, noun))?;
        }
        Ok(())
    }
}
