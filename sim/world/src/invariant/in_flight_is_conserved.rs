//! What an instance took in is what it finished or lost in a crash, plus what it still holds.
//!
//! Checked for every instance at every step of the timeline and at the end; callers' counts of what they have under way
//! are checked against their calls at the end.

use super::state::State;
use crate::catalogue::{After, Invariant};

/// A step of the timeline, or the run, is over.
pub(crate) fn judge(world: &mut State<'_>, after: After) {
    instances(world);
    if after == After::Run {
        callers(world);
    }
}

fn instances(world: &mut State<'_>) {
    for (i, instance) in world.data.instances.iter().enumerate() {
        let (taken, finished, lost) = (world.data.taken[i], world.data.finished[i], world.data.records[i].lost);
        let held = u64::from(instance.in_system());
        world.sim.checks.test(
            Invariant::InFlightIsConserved,
            &world.sim.kernel,
            taken == finished + lost + held,
            || {
                let name = &world.data.records[i].name;
                format!("{name} took {taken}, finished {finished}, lost {lost}, and holds {held}")
            },
        );
    }
}

/// What callers count as under way are the calls that are.
fn callers(world: &mut State<'_>) {
    for (i, caller) in world.data.callers.iter().enumerate() {
        let counted: u64 = caller.upstreams.iter().map(crate::data::caller::Upstream::in_flight).sum();
        let there =
            world.data.calls.iter().filter(|(_, call)| call.caller as usize == i && call.is_under_way()).count();
        world.sim.checks.test(Invariant::InFlightIsConserved, &world.sim.kernel, counted == there as u64, || {
            format!("{} counts {counted} attempts under way, and has {there}", caller.name)
        });
    }
}
