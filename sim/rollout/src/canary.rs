//! The arithmetic of a canary with a traffic router: how many instances a share of the traffic takes.
//!
//! Argo Rollouts, `utils/replicaset/canary.go` (`CalculateReplicaCountsForTrafficRoutedCanary`): the stable version
//! keeps all its instances while the canary grows, so that going back needs traffic moved and nothing started.

use crate::Step;
use base::Ratio;

/// How many instances the new version gets for `weight` of the traffic: ⌈replicas · weight⌉, so that any traffic at all
/// meets at least one.
pub fn replicas_for(weight: Ratio, replicas: u32) -> u32 {
    weight.ceil_of(u64::from(replicas)) as u32
}

/// The share of the traffic the new version has at most during step `index`: that of the last
/// [`Step::SetWeight`] at or before it, none before the first, all after the last step.
pub fn weight_at(steps: &[Step], index: usize) -> Ratio {
    if index >= steps.len() {
        return Ratio::ONE;
    }
    let set = |step: &Step| match step {
        Step::SetWeight(weight) => Some(*weight),
        Step::Hold(_) | Step::Pause => None,
    };
    steps[..=index].iter().rev().find_map(set).unwrap_or(Ratio::ZERO)
}
