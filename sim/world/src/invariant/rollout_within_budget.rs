//! A rollout stays within its surge, its unavailability and its weight.
//!
//! A rolling update never has more instances than `replicas + surge`, and takes none away that would leave fewer
//! than `replicas − unavailable` available. A canary's share in any order to the callers is at most what its step
//! allows. What faults take away is not the rollout's doing: unavailability is judged when the rollout takes an
//! instance down, not when a machine dies.

use crate::catalogue::Invariant;
use crate::check::Checks;
use crate::wire::Msg;
use base::Ratio;
use kernel::Kernel;

/// A rollout created instances: how many there are now, and how many there may be.
pub(crate) fn surged(checks: &mut Checks, kernel: &Kernel<Msg>, service: &str, total: u32, allowed: u32) {
    checks.test(Invariant::RolloutWithinBudget, kernel, total <= allowed, || {
        format!("{service} has {total} instances during its rollout, allowed are {allowed}")
    });
}

/// A rollout stopped available instances: how many are left, and how many there must be.
pub(crate) fn took_away(checks: &mut Checks, kernel: &Kernel<Msg>, service: &str, left: u32, needed: u32) {
    checks.test(Invariant::RolloutWithinBudget, kernel, left >= needed, || {
        format!("a rollout left {service} {left} available instances, it must leave {needed}")
    });
}

/// A rollout ordered a share for its new version; the step allows at most `limit`.
pub(crate) fn weighted(checks: &mut Checks, kernel: &Kernel<Msg>, service: &str, share: Ratio, limit: Ratio) {
    checks.test(Invariant::RolloutWithinBudget, kernel, share <= limit, || {
        format!("the new version of {service} was given {share} of the traffic, its step allows {limit}")
    });
}
