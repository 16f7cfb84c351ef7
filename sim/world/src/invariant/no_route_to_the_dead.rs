//! No request is sent to an instance that the view it was routed by does not list, or lists as draining.
//!
//! The view may be stale; that a caller believes in a dead instance is the registry's delay and is measured as
//! exposure. What must never happen is that a balancer chooses whom its own view has given up: a choice by an old
//! index, a group that was not refilled. So the balancer's choice is compared with a list made from the view by other
//! code.

use crate::catalogue::Invariant;
use crate::check::Checks;
use crate::wire::Msg;
use base::NodeId;
use kernel::Kernel;

/// A caller has chosen.
#[inline]
pub(crate) fn routed(checks: &mut Checks, kernel: &Kernel<Msg>, listed: bool, instance: NodeId, caller: NodeId) {
    checks.test(Invariant::NoRouteToTheDead, kernel, listed, || {
        let name = |node| kernel.nodes().name(node);
        format!("{} chose {}, which its view does not list as open", name(caller), name(instance))
    });
}
