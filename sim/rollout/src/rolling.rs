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
    let room = (replicas + limits.surge).saturating_sub(incoming + outgoing);
    incoming + room.min(replicas - incoming)
}

/// `reconcileOldReplicaSets`: first those that do not serve anyway, then what availability can spare.
fn outgoing_target(replicas: u32, limits: Limits, incoming: Instances, outgoing: Instances) -> u32 {
    let min_available = replicas - limits.unavailable;
    // An incoming instance that is not available yet must not be counted on.
    let incoming_unavailable = incoming.desired.saturating_sub(incoming.available);
    let spare = (incoming.desired + outgoing.desired).saturating_sub(min_available + incoming_unavailable);
    if spare == 0 {
        return outgoing.desired;
    }
    let unhealthy = outgoing.desired.saturating_sub(outgoing.available).min(spare);
    let left = outgoing.desired - unhealthy;
    let available = incoming.available + outgoing.available;
    left - available.saturating_sub(min_available).min(left)
}
