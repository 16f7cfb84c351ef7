//! What a run leaves behind: a verdict, the numbers behind it, and enough of the run's shape to draw it.
//!
//! An outcome is plain data. It knows nothing of files or pictures; `reports` turns it into tables, JSON and plots. Two
//! runs of one scenario and seed give equal outcomes, and the fingerprint covers every event that led to them.

use base::{Duration, Fingerprint, Instant, Ratio, Seed};
use telemetry::Profile;

/// How a run ended, from best to worst. The names and numbers are those of the command line's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All that was asked for held.
    Passed,
    /// Everything held, but a `sometimes` was never seen: the scenario tests less than it claims.
    Coverage,
    /// An objective was missed.
    Objective,
    /// Calm ended without an `eventually`.
    Liveness,
    /// An `always` was broken.
    Safety,
}

impl Verdict {
    /// The word on the console and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Coverage => "coverage",
            Verdict::Objective => "objective",
            Verdict::Liveness => "liveness",
            Verdict::Safety => "safety",
        }
    }

    /// The process exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Safety => 10,
            Verdict::Liveness => 11,
            Verdict::Coverage => 12,
            Verdict::Objective => 14,
        }
    }
}

/// Everything a run has to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scenario's short name: its file name without the extension.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// The one input of chance.
    pub seed: Seed,
    /// The run, folded into 64 bits.
    pub fingerprint: Fingerprint,
    /// How it ended.
    pub verdict: Verdict,
    /// The worst thing that happened, when the verdict is not [`Verdict::Passed`].
    pub failure: Option<Failure>,
    /// How long each phase lasted.
    pub phases: Phases,
    /// Simulated time from the first event to the last.
    pub simulated: Duration,
    /// Events handled.
    pub events: u64,
    /// What was drawn from the seed where the scenario gave a range: name and value, as a person would write them.
    pub drawn: Vec<(String, String)>,
    /// Requests that arrived in the measured part of the run (after warm-up), by how they ended.
    pub requests: Requests,
    /// Latency of those requests, as their senders saw it: successes and failures alike.
    pub latency: Distribution,
    /// The same, service by service, as the services' callers saw it.
    pub services: Vec<ServiceOutcome>,
    /// The invariants, and how often each was really tested.
    pub checks: Vec<Check>,
    /// The objectives, and what was reached.
    pub objectives: Vec<Objective>,
    /// The rollouts.
    pub rollouts: Vec<RolloutOutcome>,
    /// The faults, as windows on the time axis.
    pub faults: Vec<FaultWindow>,
    /// The run over time.
    pub timeline: Timeline,
    /// How long dead instances went on being sent requests.
    pub exposure: Vec<Exposure>,
}

/// Why a run did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind of failure.
    pub verdict: Verdict,
    /// The invariant or objective.
    pub name: String,
    /// When it was first seen.
    pub at: Instant,
    /// The number of the event at which it was first seen.
    pub event: u64,
    /// What was seen, in a sentence.
    pub message: String,
}

/// The three phases of a run. Load runs through all of them; only what arrives after warm-up is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// Not measured: queues fill, views spread, balancers learn.
    pub warmup: Duration,
    /// Faults happen.
    pub storm: Duration,
    /// Faults have stopped; everything must converge.
    pub calm: Duration,
}

impl Phases {
    /// All three together.
    pub fn total(&self) -> Duration {
        self.warmup + self.storm + self.calm
    }
}

/// How many requests ended in which way. `sent = succeeded + failed + unfinished`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Arrived.
    pub sent: u64,
    /// Answered as they should be.
    pub succeeded: u64,
    /// Ended otherwise, or lost: nobody worked on them any more when the run ended.
    pub failed: u64,
    /// Queued, at work, on their way, or waiting for such a call when the run ended.
    pub unfinished: u64,
    /// The failures by name, such as `timeout`; names that never occurred are left out.
    pub errors: Vec<(&'static str, u64)>,
    /// Attempts beyond the first, at any hop.
    pub retries: u64,
}

impl Requests {
    /// The share that succeeded; all of them when there were none.
    pub fn success(&self) -> Ratio {
        if self.sent == 0 { Ratio::ONE } else { Ratio::of(self.succeeded, self.sent) }
    }
}

/// A distribution of spans, summarised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// How many spans.
    pub count: u64,
    /// Their exact mean.
    pub mean: Duration,
    /// The median.
    pub p50: Duration,
    /// 90 % are at most this.
    pub p90: Duration,
    /// 99 % are at most this.
    pub p99: Duration,
    /// 99.9 % are at most this.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
    /// Where not every span had ended: the least age of those that had not. They are counted with their ages, so
    /// figures up to here are exact, and greater ones and the mean are lower bounds.
    pub exact_below: Option<Duration>,
    /// The distribution function: (share, span), both rising, at about a hundred points chosen so that the tail is as
    /// well described as the middle.
    pub curve: Vec<(f64, Duration)>,
    /// Everything recorded, in bins of 1/256 and with repeated values exact: what several runs are pooled from.
    pub profile: Profile,
    /// The exact sum of all spans, in nanoseconds.
    pub sum_ns: u128,
}

/// What balancing one service has cost its callers, over the whole run, in their last lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balancing {
    /// Probes sent.
    pub probes: u64,
    /// How often tables, rings and the like were built or changed.
    pub rebuilds: u64,
    /// How many entries were written in doing so.
    pub entries: u64,
    /// The memory of the balancers of whichever caller has the largest, in bytes, at the end.
    pub bytes: u64,
}

/// One service's part.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceOutcome {
    /// Its name.
    pub name: String,
    /// Calls to it in the measured part, by how they ended for the caller.
    pub requests: Requests,
    /// Latency of those calls as the callers saw it, successes and failures alike.
    pub latency: Distribution,
    /// How many of those calls ended in each step of the timeline, and the sum of their latencies in nanoseconds. What
    /// ends behind the last step counts in it.
    pub latency_per_step: Vec<(u64, u64)>,
    /// Latency of those that succeeded. Its longest is known as a quantile is: at most 1/1024 too long.
    pub success_latency: Distribution,
    /// What balancing it has cost.
    pub balancing: Balancing,
    /// Per version, in order of declaration.
    pub versions: Vec<VersionOutcome>,
    /// Per instance, in order of creation, those made by rollouts included.
    pub instances: Vec<InstanceOutcome>,
}

/// What one version of a service did in the measured part.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionOutcome {
    /// Such as `1.1.0`.
    pub version: String,
    /// Attempts that ended at one of its instances.
    pub attempts: u64,
    /// Those that failed.
    pub failed: u64,
    /// Attempts begun in each step of the timeline.
    pub attempts_per_step: Vec<u32>,
}

/// What one instance did.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceOutcome {
    /// Such as `checkout-3`.
    pub name: String,
    /// The version it ran.
    pub version: String,
    /// Its zone's name.
    pub zone: String,
    /// Requests it took in during the measured part.
    pub requests: u64,
    /// Requests that nobody worked on because their deadline had passed when their turn came, since the run began; only
    /// where deadlines travel.
    pub expired: u64,
    /// Share of its capacity that was busy in the measured part while it existed.
    pub utilisation: f64,
    /// Time average of requests waiting or being served, in the measured part while it existed.
    pub in_system: f64,
    /// Most requests waiting or being served at once, since the run began.
    pub in_system_max: u32,
    /// The same in the measured part alone.
    pub in_system_max_measured: u32,
    /// The step of the timeline in which it was made; zero for what was there from the first moment.
    pub created_in_step: usize,
    /// Requests taken in during each step of the timeline.
    pub requests_per_step: Vec<u32>,
    /// Requests waiting or being served at the end of each step of the timeline; zero before it was made.
    pub in_system_per_step: Vec<u32>,
}

/// Which kind of promise a check makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckKind {
    /// Holds at every moment.
    Always,
    /// Holds by the end of calm.
    Eventually,
    /// Is reached at least once.
    Sometimes,
}

impl CheckKind {
    /// The word in scenario files, on the console and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            CheckKind::Always => "always",
            CheckKind::Eventually => "eventually",
            CheckKind::Sometimes => "sometimes",
        }
    }
}

/// One invariant in one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What kind of promise.
    pub kind: CheckKind,
    /// Its name.
    pub name: &'static str,
    /// How often it was really tested; for a `sometimes`, how often it was reached.
    pub tested: u64,
    /// How often it was broken; for a `sometimes`, 1 when it was never reached.
    pub violations: u64,
    /// Where it was first broken.
    pub first: Option<Violation>,
}

/// The first time an invariant was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Instant,
    /// At which event.
    pub event: u64,
    /// What was seen, in a sentence.
    pub message: String,
}

/// An objective such as `p99 <= 120ms` and what was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objective {
    /// The service it is about.
    pub service: String,
    /// As written: `success >= 99.5%`.
    pub asked: String,
    /// As measured: `99.71%`.
    pub reached: String,
    /// Whether that is enough.
    pub met: bool,
}

/// A rollout and its story.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutOutcome {
    /// The service.
    pub service: String,
    /// The version it ran before.
    pub from: String,
    /// The version rolled out.
    pub to: String,
    /// The phase it was in at the end, such as `completed` or `rolled-back`.
    pub phase: &'static str,
    /// What happened, in order.
    pub history: Vec<(Instant, String)>,
    /// The new version's share as the controller set it, at each change.
    pub weights: Vec<(Instant, Ratio)>,
}

/// A fault, as a window on the time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultWindow {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Which kind, such as `crash`.
    pub kind: &'static str,
    /// What it did to whom, in a few words.
    pub text: String,
    /// Whom it met, where the scenario does not say so by itself: the nodes that chance chose, or `nobody`.
    pub hit: Option<String>,
    /// When it began.
    pub from: Instant,
    /// When its cause was gone: at once for a step of a clock, the end of the run for what never ended.
    pub until: Instant,
}

/// How long an instance that had died went on being chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The instance.
    pub instance: String,
    /// When it died.
    pub died: Instant,
    /// The last time a caller sent a request to it while it was dead.
    pub last_sent: Option<Instant>,
    /// How many attempts were sent to it while it was dead.
    pub attempts: u64,
}

/// The run over time, in equal steps. Every vector has [`Timeline::steps`] entries. Warm-up is included, so that a plot
/// can show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The length of a step.
    pub step: Duration,
    /// How many.
    pub steps: usize,
    /// Requests that arrived.
    pub arrived: Vec<u32>,
    /// Requests that ended well, by the step in which they ended.
    pub succeeded: Vec<u32>,
    /// Requests that ended badly, by name and by the step in which they ended.
    pub failed: Vec<(&'static str, Vec<u32>)>,
    /// Mean latency of the requests that ended in the step, rounded down; zero when none did.
    pub mean: Vec<Duration>,
    /// Median latency of the requests that ended in the step; zero when none did.
    pub p50: Vec<Duration>,
    /// 99th percentile.
    pub p99: Vec<Duration>,
    /// The longest.
    pub max: Vec<Duration>,
    /// Requests in flight at the end of the step.
    pub in_flight: Vec<u32>,
}

impl Distribution {
    /// Whether a quantile of this distribution is a lower bound of the true one.
    pub fn is_lower_bound(&self, quantile: Duration) -> bool {
        self.exact_below.is_some_and(|least| quantile >= least)
    }
}
