//! What an instance took in is what it finished or lost in a crash, plus what it still holds.
//!
//! Checked for every instance at every step of the timeline and at the end; callers' counts of what they have under way
//! are checked against their calls at the end.

use super::list::{After, Invariant};
use crate::world::World;

/// A step of the timeline, or the run, is over.
pub(crate) fn judge(world: &mut World, after: After) {
    instances(world);
    if after == After::Run {
        callers(world);
    }
}

fn instances(world: &mut World) {
    for (i, instance) in world.instances.iter().enumerate() {
        let (taken, finished, lost) = (world.taken[i], world.finished[i], world.records[i].lost);
        let held = u64::from(instance.in_system());
        world.checks.test(Invariant::InFlightIsConserved, &world.kernel, taken == finished + lost + held, || {
            let name = &world.records[i].name;
            format!("{name} took {taken}, finished {finished}, lost {lost}, and holds {held}")
        });
    }
}

/// What callers count as under way are the calls that are.
fn callers(world: &mut World) {
    for (i, caller) in world.callers.iter().enumerate() {
        let counted: u64 = caller.upstreams.iter().map(crate::caller::Upstream::in_flight).sum();
        let there = world.calls.iter().filter(|(_, call)| call.caller as usize == i && call.is_under_way()).count();
        world.checks.test(Invariant::InFlightIsConserved, &world.kernel, counted == there as u64, || {
            format!("{} counts {counted} attempts under way, and has {there}", caller.name)
        });
    }
}
