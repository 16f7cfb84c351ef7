//! The arithmetic of a rolling update: one decision of a Kubernetes Deployment.
//!
//! Rules and rounding are those of kubernetes, `pkg/controller/deployment/rolling.go` (`rolloutRolling`,
//! `reconcileOldReplicaSets`, `cleanupUnhealthyReplicas`) and `util/deployment_util.go` (`ResolveFenceposts`,
//! `NewRSNewReplicas`). One decision scales one side, the incoming one if it can grow, as one sync of the controller
//! does; the next is made when the world shows the last.
//!
//! Two facts hold after every decision, whatever instances do by themselves: desired instances never pass
//! `replicas + surge`, and the outgoing side is never told to give up an available instance that
//! `replicas - unavailable` needs.

use crate::{Instances, IntOrPercent};

/// How far a rolling update may stray from `replicas`, in instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many more than `replicas` may be desired.
    pub surge: u32,
    /// How many of `replicas` may be unavailable; at most `replicas`, unless these are [`Limits::fenceposts`].
    pub unavailable: u32,
}

impl Limits {
    /// The limits for `replicas` instances: [`Limits::fenceposts`], where no more can be unavailable than there are
    /// (`MaxUnavailable`).
    pub fn resolve(max_surge: IntOrPercent, max_unavailable: IntOrPercent, replicas: u32) -> Self {
        let limits = Limits::fenceposts(max_surge, max_unavailable, replicas);
        Limits { unavailable: limits.unavailable.min(replicas), ..limits }
    }

    /// `ResolveFenceposts`: surge rounds up, unavailable rounds down, and when both come to nothing one may be
    /// unavailable, because otherwise nothing could ever move. `unavailable` may exceed `replicas` here.
    pub fn fenceposts(max_surge: IntOrPercent, max_unavailable: IntOrPercent, replicas: u32) -> Self {
        let surge = max_surge.round_up(replicas);
        let unavailable = max_unavailable.round_down(replicas);
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Limits { surge, unavailable }
    }

    /// How many of `replicas` must stay available.
    const fn min_available(self, replicas: u32) -> u32 {
        replicas.saturating_sub(self.unavailable)
    }
}

/// What to do next, from one outgoing set of instances to the incoming one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Ask for so many incoming instances.
    Incoming(u32),
    /// Ask for so many outgoing instances.
    Outgoing(u32),
    /// Wait for instances to become available or to go.
    Wait,
    /// Everything incoming is available and nothing outgoing is left.
    Done,
}

/// What one sync of the controller does, with any number of old sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Scale the new set to this many.
    New(u32),
    /// Scale the old sets to what their `desired` is now.
    Old,
    /// Wait for instances to become available or to go.
    Wait,
    /// The new set is whole and available, and nothing old is left.
    Done,
}

/// One decision, from `outgoing` to `incoming`: [`sync`] with a single old set.
pub fn next(replicas: u32, limits: Limits, incoming: Instances, outgoing: Instances) -> Move {
    let mut old = [outgoing];
    match sync(replicas, limits, incoming, &mut old) {
        Sync::New(n) => Move::Incoming(n),
        Sync::Old => Move::Outgoing(old[0].desired),
        Sync::Wait => Move::Wait,
        Sync::Done => Move::Done,
    }
}

/// One sync of the controller (`rolloutRolling`): the new set is scaled if it can be, otherwise the old sets, which
/// stand oldest first and whose `desired` become what they are scaled to. O(old).
pub fn sync(replicas: u32, limits: Limits, new: Instances, old: &mut [Instances]) -> Sync {
    let target = new_target(replicas, limits, new.desired, old);
    if target != new.desired {
        return Sync::New(target);
    }
    let before = desired(old);
    if before > 0 {
        let spare = spare(replicas, limits, new, old);
        if spare > 0 {
            clean_up(old, spare);
            scale_down(replicas, limits, new, old);
        }
        if desired(old) < before {
            return Sync::Old;
        }
    }
    let settled = new.desired == replicas && new.total == replicas && new.available == replicas;
    if settled && old.iter().all(|set| set.desired == 0 && set.total == 0) { Sync::Done } else { Sync::Wait }
}

/// `reconcileNewReplicaSet`: how many instances the new set of `new` is scaled to.
pub fn new_target(replicas: u32, limits: Limits, new: u32, old: &[Instances]) -> u32 {
    if new > replicas { replicas } else { new_replicas(replicas, limits, new, u64::from(new) + desired(old)) }
}

/// `NewRSNewReplicas`: `new` and as many more as fit under `replicas + surge` beside the `all` that are desired, up to
/// `replicas`; never fewer than `new`.
pub fn new_replicas(replicas: u32, limits: Limits, new: u32, all: u64) -> u32 {
    let room = sum(replicas, limits.surge).saturating_sub(all);
    new + at_most(replicas.saturating_sub(new), room)
}

/// How many old instances may be given up at most, by `reconcileOldReplicaSets`: those desired in all, without those
/// that must be available and without new ones that are not available yet and must not be counted on.
pub fn spare(replicas: u32, limits: Limits, new: Instances, old: &[Instances]) -> u64 {
    let new_unavailable = new.desired.saturating_sub(new.available);
    let all = u64::from(new.desired) + desired(old);
    all.saturating_sub(sum(limits.min_available(replicas), new_unavailable))
}

/// `cleanupUnhealthyReplicas`: old sets give up what does not serve anyway, the oldest first, `most` in all. A set with
/// more available than desired has nothing to give up.
pub fn clean_up(old: &mut [Instances], most: u64) {
    let mut left = most;
    for set in old {
        let unhealthy = at_most(set.desired.saturating_sub(set.available), left);
        set.desired -= unhealthy;
        left -= u64::from(unhealthy);
    }
}

/// `scaleDownOldReplicaSetsForRollingUpdate`: old sets give up what availability can spare, the oldest first. Sets of
/// which nothing is desired do not count.
pub fn scale_down(replicas: u32, limits: Limits, new: Instances, old: &mut [Instances]) {
    let active = old.iter().filter(|set| set.desired > 0).map(|set| u64::from(set.available)).sum::<u64>();
    let available = u64::from(new.available) + active;
    let mut left = available.saturating_sub(u64::from(limits.min_available(replicas)));
    for set in old {
        let fewer = at_most(set.desired, left);
        set.desired -= fewer;
        left -= u64::from(fewer);
    }
}

/// How many instances are desired of all `sets` together.
fn desired(sets: &[Instances]) -> u64 {
    sets.iter().map(|set| u64::from(set.desired)).sum()
}

/// Two numbers of instances; a surge may be as large as a number can be.
const fn sum(a: u32, b: u32) -> u64 {
    a as u64 + b as u64
}

/// `n`, or `most` where that is less.
fn at_most(n: u32, most: u64) -> u32 {
    n.min(u32::try_from(most).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surge_as_large_as_a_number_can_be_is_no_overflow() {
        let all = |n| Instances { desired: n, total: n, available: n };
        let limits = Limits::resolve(IntOrPercent::Int(u32::MAX), IntOrPercent::Int(0), 3);
        assert_eq!(next(3, limits, all(0), all(3)), Move::Incoming(3));
        assert_eq!(next(3, limits, all(3), all(u32::MAX)), Move::Outgoing(0));
        assert_eq!(next(u32::MAX, limits, all(0), all(u32::MAX)), Move::Incoming(u32::MAX));
    }

    #[test]
    fn old_sets_go_oldest_first_the_unhealthy_before_the_others() {
        let set = |desired, available| Instances { desired, total: desired, available };
        let limits = Limits { surge: 0, unavailable: 2 };
        // Two of four spare instances are unhealthy; availability spares two of the oldest set.
        let mut old = [set(3, 3), set(4, 2), set(3, 3)];
        assert_eq!(spare(8, limits, set(0, 0), &old), 4);
        assert_eq!((sync(8, limits, set(0, 0), &mut old), old.map(|s| s.desired)), (Sync::Old, [1, 2, 3]));
        // What is scaled to nothing and still there does not count as available, and keeps the rollout from its end.
        let mut old = [Instances { desired: 0, total: 2, available: 2 }, set(2, 1)];
        assert_eq!((sync(4, limits, set(4, 1), &mut old), old.map(|s| s.desired)), (Sync::Old, [0, 1]));
        let mut gone = [Instances { desired: 0, total: 1, available: 0 }, set(0, 0)];
        assert_eq!(sync(4, limits, set(4, 4), &mut gone), Sync::Wait);
        gone[0].total = 0;
        assert_eq!(sync(4, limits, set(4, 4), &mut gone), Sync::Done);
    }

    /// kubernetes `pkg/controller/deployment/util/deployment_util_test.go`, `TestNewRSNewReplicas`, the rows of a
    /// rolling update; their only other set has five.
    #[test]
    fn a_new_set_is_never_scaled_down_to_make_room() {
        for (replicas, new, surge, expected) in [(1, 5, 1, 5), (6, 2, 10, 6)] {
            assert_eq!(new_replicas(replicas, Limits { surge, unavailable: 1 }, new, 5), expected);
        }
    }
}
