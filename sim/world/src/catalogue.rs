//! What every run checks and what a run may reach, each declared once, in the order in which reports show them.
//!
//! An invariant is a row of `invariants` and a file of the same name; a probe is a row of `probes` and the places that
//! say [`Checks::reached`](crate::check::Checks::reached). The catalogue, the modules and the moments at which
//! invariants are judged follow from the rows.

use crate::outcome::CheckKind;

/// An invariant or a probe as scenario files and `windtunnel list` know it.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// What kind of promise.
    pub kind: CheckKind,
    /// Its name.
    pub name: &'static str,
    /// The promise in one sentence.
    pub sentence: &'static str,
}

/// What is over when an invariant is judged that looks at the whole world; others are told where the thing they speak
/// of happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// A step of the timeline.
    Step,
    /// Calm, when nothing is taken apart yet.
    Calm,
    /// The run, when everything has had its time.
    Run,
}

/// Gives `$then` all invariants: kind, variant, module in [`invariant`](crate::invariant), what is over when the
/// module's `judge` is called, sentence.
macro_rules! invariants {
    ($then:ident) => {
        $then! {
            always EveryRequestEndsOnce every_request_ends_once (Run)
                "every request ends exactly once, in exactly one outcome, and none is lost";
            always NoRouteToTheDead no_route_to_the_dead ()
                "no request is sent to an instance that the view it was routed by does not list, or lists as draining";
            always InFlightIsConserved in_flight_is_conserved (Step, Run)
                "what an instance took in is what it finished or lost in a crash, plus what it still holds";
            always LittlesLaw littles_law (Run)
                "the time-average number of requests in the system is the arrival rate times their mean time in it";
            always RolloutWithinBudget rollout_within_budget ()
                "a rollout stays within its surge, its unavailability and its weight";
            always OneRolloutAtATime one_rollout_at_a_time ()
                "only the controller that holds a service's lock, with the newest token, changes the service";
            always NoTrafficToTheRejected no_traffic_to_the_rejected ()
                "once the rollback of a version has begun, no order raises its share, unless it is asked for again";
            eventually ViewsConverge views_converge (Calm)
                "when calm ends, every caller's view is what the registry lists, and the registry lists exactly the \
living";
            eventually RolloutSettles rollout_settles (Calm)
                "when calm ends, every rollout has completed, was rolled back, or has said that it failed or is \
overdue";
            eventually RollbackRestores rollback_restores (Calm)
                "after a rollback the earlier version has all its instances and all the traffic, and the other has \
none";
            eventually OnlyWantedInstances only_wanted_instances (Calm)
                "when calm ends, a service has exactly the instances its last settled rollout wants, and all that are \
up serve";
            eventually BacklogDrains backlog_drains (Run)
                "when the run ends, no request is queued, at work or on its way; tested only where it is asked for";
        }
    };
}
pub(crate) use invariants;

macro_rules! catalogue {
    ($($kind:ident $variant:ident $module:ident ($($after:ident),*) $sentence:literal;)*) => {
        /// A promise that every run checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Invariant {
            $(#[doc = $sentence] $variant,)*
        }

        impl Invariant {
            /// All of them.
            pub const ALL: &[Invariant] = &[$(Invariant::$variant),*];

            /// Its name, kind and sentence.
            pub const fn info(self) -> Info {
                match self {
                    $(Invariant::$variant => Info {
                        kind: kind!($kind),
                        name: stringify!($module),
                        sentence: $sentence,
                    },)*
                }
            }

            /// The name in scenario files.
            pub const fn name(self) -> &'static str {
                self.info().name
            }
        }
    };
}

macro_rules! kind {
    (always) => {
        CheckKind::Always
    };
    (eventually) => {
        CheckKind::Eventually
    };
}

macro_rules! probes {
    ($($variant:ident $name:literal $sentence:literal;)*) => {
        /// Something that a run may reach: a scenario that asks for it with `sometimes` fails where it never happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Probe {
            $(#[doc = $sentence] $variant,)*
        }

        impl Probe {
            /// All of them.
            pub const ALL: &[Probe] = &[$(Probe::$variant),*];

            /// Its name, kind and sentence.
            pub const fn info(self) -> Info {
                match self {
                    $(Probe::$variant => Info { kind: CheckKind::Sometimes, name: $name, sentence: $sentence },)*
                }
            }
        }
    };
}

invariants!(catalogue);

probes! {
    RolloutCompleted "rollout_completed" "a rollout completes";
    RolloutRolledBack "rollout_rolled_back" "a rollout is rolled back";
    RolloutOverdue "rollout_overdue" "a rollout waits for instances for longer than its deadline";
    InstanceDied "instance_died" "an instance goes down";
    LeaseExpired "lease_expired" "the registry takes out an instance that stopped renewing";
    StaleViewUsed "stale_view_used" "a request is sent to an instance that is already dead";
    RetrySent "retry_sent" "a failed attempt is tried again";
    RequestRefused "request_refused" "an instance refuses a request because its queue is full";
    RequestTimedOut "request_timed_out" "a caller gives up waiting";
    ExpiredWorkDropped "expired_work_dropped" "a request's turn comes after its deadline, and nobody works on it";
    BreakerOpened "breaker_opened" "a circuit breaker opens";
}

/// All invariants, then all probes.
pub fn all() -> impl Iterator<Item = Info> {
    Invariant::ALL.iter().map(|invariant| invariant.info()).chain(Probe::ALL.iter().map(|probe| probe.info()))
}

/// The invariant or probe with this name.
pub fn find(name: &str) -> Option<Info> {
    all().find(|info| info.name == name)
}
