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
    /// How many of `replicas` may be unavailable; at most `replicas`.
    pub unavailable: u32,
}

impl Limits {
    /// The limits for `replicas` instances: surge rounds up, unavailable rounds down, and when both come to nothing one
    /// may be unavailable, because otherwise nothing could ever move.
    pub fn resolve(max_surge: IntOrPercent, max_unavailable: IntOrPercent, replicas: u32) -> Self {
        let surge = max_surge.round_up(replicas);
        let unavailable = max_unavailable.round_down(replicas);
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Limits { surge, unavailable: unavailable.min(replicas) }
    }
}

/// What to do next.
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

/// One decision, from `outgoing` to `incoming`.
pub fn next(replicas: u32, limits: Limits, incoming: Instances, outgoing: Instances) -> Move {
    if incoming.desired != replicas {
        let target = incoming_target(replicas, limits, incoming.desired, outgoing.desired);
        if target != incoming.desired {
            return Move::Incoming(target);
        }
    }
    if outgoing.desired > 0 {
        let target = outgoing_target(replicas, limits, incoming, outgoing);
        if target < outgoing.desired {
            return Move::Outgoing(target);
        }
    }
    let settled = incoming.desired == replicas && incoming.total == replicas && incoming.available == replicas;
    if settled && outgoing.desired == 0 && outgoing.total == 0 { Move::Done } else { Move::Wait }
}

/// `NewRSNewReplicas`: as many as fit under `replicas + surge`, never more than `replicas`.
fn incoming_target(replicas: u32, limits: Limits, incoming: u32, outgoing: u32) -> u32 {
    if incoming > replicas {
        return replicas;
    }
    let room = sum(replicas, limits.surge).saturating_sub(sum(incoming, outgoing));
    incoming + at_most(replicas - incoming, room)
}

/// `reconcileOldReplicaSets`: first those that do not serve anyway, then what availability can spare.
fn outgoing_target(replicas: u32, limits: Limits, incoming: Instances, outgoing: Instances) -> u32 {
    let min_available = replicas - limits.unavailable;
    // An incoming instance that is not available yet must not be counted on.
    let incoming_unavailable = incoming.desired.saturating_sub(incoming.available);
    let spare = sum(incoming.desired, outgoing.desired).saturating_sub(sum(min_available, incoming_unavailable));
    if spare == 0 {
        return outgoing.desired;
    }
    let unhealthy = at_most(outgoing.desired.saturating_sub(outgoing.available), spare);
    let left = outgoing.desired - unhealthy;
    let available = sum(incoming.available, outgoing.available);
    left - at_most(left, available.saturating_sub(u64::from(min_available)))
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
}
