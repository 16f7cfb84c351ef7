//! The time-average number of requests in the system is the arrival rate times their mean time in it.
//!
//! Little, "A Proof for the Queuing Formula: L = λW" (1961). Over a run that begins and ends empty it is an identity,
//! so it is checked to the nanosecond: the integral of requests in flight, kept as arrivals and ends happen, equals the
//! sum of all latencies, kept as they are recorded.

use super::state::State;
use crate::catalogue::{After, Invariant};

/// The run is over.
pub(crate) fn judge(world: &mut State<'_>, _: After) {
    let now = world.sim.kernel.now();
    let area = world.data.metrics.area(now);
    let open: u128 = world.data.open_requests().map(|(_, call)| u128::from((now - call.started()).as_nanos())).sum();
    let sojourn = world.data.metrics.sojourn + open;
    world.sim.checks.test(Invariant::LittlesLaw, &world.sim.kernel, area == sojourn, || {
        let seconds = |ns: u128| ns as f64 / 1e9;
        format!("∫ L dt is {} s, the sum of W is {} s", seconds(area), seconds(sojourn))
    });
}
