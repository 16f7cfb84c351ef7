//! The phases of a run, and the run over time.

use base::Duration;

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
