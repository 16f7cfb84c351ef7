//! Every request ends exactly once, in exactly one outcome, and by the end of the run.
//!
//! Counted where requests end, and settled when the run is over: what arrived has ended, and nothing ended twice. A request
//! that waits for ever (a caller without a timeout, and a machine that died without a word) is a violation too, because
//! a user would say so.

use super::{CheckKind, Info, index_of};
use crate::call::name_of;
use crate::check::Checks;
use crate::wire::Msg;
use crate::world::World;
use kernel::Kernel;

pub(crate) const INFO: Info = Info {
    kind: CheckKind::Always,
    name: "every_request_ends_once",
    sentence: "every request ends exactly once, in exactly one outcome, and by the end of the run",
};
const INDEX: usize = index_of(INFO.name);

/// A request has ended, this many times.
#[inline]
pub(crate) fn ended(checks: &mut Checks, kernel: &Kernel<Msg>, times: u32) {
    checks.test(INDEX, kernel, times == 1, || format!("a request ended {times} times"));
}

/// The run is over.
pub(crate) fn settle(world: &mut World) {
    let oldest = world.oldest_request();
    let open = world.metrics.in_flight();
    world.checks.test(INDEX, &world.kernel, open == 0, || match oldest {
        Some((key, started)) => {
            format!("{open} requests never ended; the oldest, {}, began at {started}", name_of(key))
        }
        None => format!("{open} requests are counted as under way, and there are none"),
    });
    let (arrived, ended) = (world.metrics.arrived, world.metrics.ended);
    world.checks.test(INDEX, &world.kernel, arrived == ended + open, || {
        format!("{arrived} requests arrived, {ended} ended and {open} are under way")
    });
}
