//! What must hold in a run: one file per sentence.
//!
//! Three kinds: `always` is checked in every run, as events happen; `eventually` must hold when calm ends; `sometimes`
//! must be reached at least once, or the scenario tests less than it claims. Each check counts how often it was really
//! tested, and for each there is a deliberate bug in [`crate::Sabotage`] that it catches.

pub(crate) mod backlog_drains;
pub(crate) mod every_request_ends_once;
pub(crate) mod in_flight_is_conserved;
pub(crate) mod littles_law;
pub(crate) mod no_route_to_the_dead;
pub(crate) mod no_traffic_to_the_rejected;
pub(crate) mod one_rollout_at_a_time;
pub(crate) mod only_wanted_instances;
pub(crate) mod rollback_restores;
pub(crate) mod rollout_settles;
pub(crate) mod rollout_within_budget;
pub(crate) mod views_converge;

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

const fn sometimes(name: &'static str, sentence: &'static str) -> Info {
    Info { kind: CheckKind::Sometimes, name, sentence }
}

/// All invariants, in the order in which reports show them.
pub const CATALOGUE: &[Info] = &[
    every_request_ends_once::INFO,
    no_route_to_the_dead::INFO,
    in_flight_is_conserved::INFO,
    littles_law::INFO,
    rollout_within_budget::INFO,
    one_rollout_at_a_time::INFO,
    no_traffic_to_the_rejected::INFO,
    views_converge::INFO,
    rollout_settles::INFO,
    rollback_restores::INFO,
    only_wanted_instances::INFO,
    backlog_drains::INFO,
    sometimes("rollout_completed", "a rollout completes"),
    sometimes("rollout_rolled_back", "a rollout is rolled back"),
    sometimes("rollout_overdue", "a rollout waits for instances for longer than its deadline"),
    sometimes("instance_died", "an instance goes down"),
    sometimes("lease_expired", "the registry takes out an instance that stopped renewing"),
    sometimes("stale_view_used", "a request is sent to an instance that is already dead"),
    sometimes("retry_sent", "a failed attempt is tried again"),
    sometimes("request_refused", "an instance refuses a request because its queue is full"),
    sometimes("request_timed_out", "a caller gives up waiting"),
    sometimes("expired_work_dropped", "a request's turn comes after its deadline, and nobody works on it"),
    sometimes("breaker_opened", "a circuit breaker opens"),
];

/// The invariant with this name.
pub fn find(name: &str) -> Option<&'static Info> {
    CATALOGUE.iter().find(|info| info.name == name)
}

/// Where an invariant stands in the catalogue.
const fn index_of(name: &str) -> usize {
    let mut i = 0;
    while i < CATALOGUE.len() {
        let (a, b) = (CATALOGUE[i].name.as_bytes(), name.as_bytes());
        let mut same = a.len() == b.len();
        let mut k = 0;
        while same && k < a.len() {
            same = a[k] == b[k];
            k += 1;
        }
        if same {
            return i;
        }
        i += 1;
    }
    panic!("not in the catalogue")
}
