//! What must hold in a run: one file per sentence.
//!
//! Three kinds: `always` is checked as events happen, in every run; `eventually` must hold when calm ends; `sometimes` must
//! be reached at least once, or the scenario tests less than it claims. Each check counts how often it was really
//! tested.

use crate::outcome::CheckKind;

/// An invariant as scenario files and `windtunnel list` know it.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// What kind of promise.
    pub kind: CheckKind,
    /// Its name.
    pub name: &'static str,
    /// The promise in one sentence.
    pub sentence: &'static str,
}

const fn info(kind: CheckKind, name: &'static str, sentence: &'static str) -> Info {
    Info { kind, name, sentence }
}

/// All invariants, in the order in which reports show them.
pub const CATALOGUE: &[Info] = &[
    info(
        CheckKind::Always,
        "every_request_ends_once",
        "every request ends exactly once, in exactly one outcome, and by the end of the run",
    ),
    info(
        CheckKind::Always,
        "no_route_to_the_dead",
        "no request is sent to an instance that the view it was routed by does not list, or lists as draining",
    ),
    info(
        CheckKind::Always,
        "in_flight_is_conserved",
        "what an instance took in is what it finished, refused or lost in a crash, plus what it still holds",
    ),
    info(
        CheckKind::Always,
        "littles_law",
        "the time-average number of requests in the system is the arrival rate times their mean time in it",
    ),
    info(
        CheckKind::Always,
        "rollout_within_budget",
        "a rollout stays within its surge, its unavailability and its weight",
    ),
    info(
        CheckKind::Always,
        "one_rollout_at_a_time",
        "only the controller that holds a service's lock, with the newest token, changes the service",
    ),
    info(
        CheckKind::Eventually,
        "views_converge",
        "when calm ends, every caller's view is what the registry lists, and the registry lists exactly the living",
    ),
    info(
        CheckKind::Eventually,
        "rollout_settles",
        "when calm ends, every rollout has completed, was rolled back, or has said that it failed",
    ),
    info(
        CheckKind::Eventually,
        "rollback_restores",
        "after a rollback the earlier version has all its instances and all the traffic, and the other has none",
    ),
    info(CheckKind::Sometimes, "rollout_completed", "a rollout completes"),
    info(CheckKind::Sometimes, "rollout_rolled_back", "a rollout is rolled back"),
    info(CheckKind::Sometimes, "instance_died", "an instance goes down while it serves requests"),
    info(CheckKind::Sometimes, "lease_expired", "the registry takes out an instance that stopped renewing"),
    info(CheckKind::Sometimes, "stale_view_used", "a request is sent to an instance that is already dead"),
    info(CheckKind::Sometimes, "retry_sent", "a failed attempt is tried again"),
    info(CheckKind::Sometimes, "request_refused", "an instance refuses a request because its queue is full"),
    info(CheckKind::Sometimes, "request_timed_out", "a caller gives up waiting"),
    info(CheckKind::Sometimes, "breaker_opened", "a circuit breaker opens"),
];

/// The invariant with this name.
pub fn find(name: &str) -> Option<&'static Info> {
    CATALOGUE.iter().find(|info| info.name == name)
}
