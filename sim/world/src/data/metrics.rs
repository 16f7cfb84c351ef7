//! What is counted while a run goes on: how requests end, how long they take, and the shape of both over time.
//!
//! Hot: every request passes here twice. Totals count what arrived after warm-up; the timeline covers the whole run.
//! Steps of the timeline are closed one after the other as time passes, so that recording touches only the present
//! step.

use crate::outcome::{Distribution, Requests, Timeline, VersionOutcome};
use base::{Duration, Instant, VersionId};
use telemetry::{Latency, Sketch, SuccessWindow};
use traffic::Class;

/// How a request or a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Success,
    ServerError,
    ConnectFailure,
    Reset,
    Refused,
    Timeout,
    /// A circuit breaker did not let it out.
    BreakerOpen,
    /// A limit on concurrent requests did not let it out.
    Overflow,
    /// The caller knew of no instance.
    Unavailable,
    /// No route of the gateway matched.
    NoRoute,
    /// The caller went down while it waited.
    Abandoned,
    /// It had not ended when the run did, and nobody worked on it any more.
    Lost,
    /// It had not ended when the run did: it was queued, at work, or on its way.
    Unfinished,
}

impl End {
    pub(crate) const ALL: [End; 13] = [
        End::Success,
        End::ServerError,
        End::ConnectFailure,
        End::Reset,
        End::Refused,
        End::Timeout,
        End::BreakerOpen,
        End::Overflow,
        End::Unavailable,
        End::NoRoute,
        End::Abandoned,
        End::Lost,
        End::Unfinished,
    ];

    /// The name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            End::Success => "success",
            End::ServerError => "server_error",
            End::ConnectFailure => "connect_failure",
            End::Reset => "reset",
            End::Refused => "refused",
            End::Timeout => "timeout",
            End::BreakerOpen => "breaker_open",
            End::Overflow => "overflow",
            End::Unavailable => "unavailable",
            End::NoRoute => "no_route",
            End::Abandoned => "abandoned",
            End::Lost => "lost",
            End::Unfinished => "unfinished",
        }
    }

    /// What a caller further up sees of it.
    pub(crate) const fn class(self) -> Class {
        match self {
            End::Success => Class::Success,
            End::Refused | End::BreakerOpen | End::Overflow | End::Unavailable => Class::Refused,
            End::Timeout => Class::Timeout,
            End::ServerError
            | End::ConnectFailure
            | End::Reset
            | End::NoRoute
            | End::Abandoned
            | End::Lost
            | End::Unfinished => Class::ServerError,
        }
    }
}

impl From<Class> for End {
    fn from(class: Class) -> Self {
        match class {
            Class::Success => End::Success,
            Class::ServerError => End::ServerError,
            Class::ConnectFailure => End::ConnectFailure,
            Class::Reset => End::Reset,
            Class::Refused => End::Refused,
            Class::Timeout => End::Timeout,
        }
    }
}

/// Ends by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends([u64; End::ALL.len()]);

impl Ends {
    #[inline]
    pub(crate) fn count(&mut self, end: End) {
        self.0[end as usize] += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn of(&self, end: End) -> u64 {
        self.0[end as usize]
    }

    pub(crate) fn requests(&self, retries: u64) -> Requests {
        let sent = self.total();
        let (succeeded, unfinished) = (self.of(End::Success), self.of(End::Unfinished));
        let failures = End::ALL.iter().filter(|&&e| !matches!(e, End::Success | End::Unfinished) && self.of(e) > 0);
        let errors = failures.map(|&e| (e.name(), self.of(e))).collect();
        Requests { sent, succeeded, failed: sent - succeeded - unfinished, unfinished, errors, retries }
    }
}

/// The requests of the whole world.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) measured_from: Instant,
    pub(crate) ends: Ends,
    pub(crate) retries: u64,
    pub(crate) latency: Latency,
    /// The least age of a request that has not ended.
    pub(crate) youngest_open: Option<Duration>,
    /// Those of them that did not succeed: successes are what is left, so that a success is recorded once.
    pub(crate) failed_latency: Latency,
    pub(crate) ended: u64,
    pub(crate) arrived: u64,
    in_flight: u64,
    /// ∫ requests in flight dt, in request-nanoseconds, and the sum of all latencies: what Little's law compares.
    area: u128,
    area_at: Instant,
    pub(crate) sojourn: u128,
    /// The same sum, and the number of requests that had ended, when the present step began.
    before_step: (u128, u64),
    pub(crate) timeline: Timeline,
    step: Step,
}

/// What the present step of the timeline has seen.
#[derive(Debug, Default)]
struct Step {
    arrived: u32,
    ends: [u32; End::ALL.len()],
    latency: Sketch,
}

/// The calls to one service.
#[derive(Debug)]
pub(crate) struct ServiceMetrics {
    pub(crate) ends: Ends,
    pub(crate) retries: u64,
    pub(crate) latency: Latency,
    /// The least age of a call that has not ended.
    pub(crate) youngest_open: Option<Duration>,
    /// Those of them that did not succeed.
    pub(crate) failed_latency: Latency,
    /// Every call to it is a request, and every request a call to it: its latencies are the world's, and are not
    /// recorded twice.
    pub(crate) is_all: bool,
    pub(crate) versions: Vec<VersionMetrics>,
    /// Count and sum of the latencies that were recorded in each step of the timeline, and of all before the present
    /// one.
    pub(crate) latency_per_step: Vec<(u64, u64)>,
    before_step: (u64, u128),
}

/// The attempts at one version.
#[derive(Debug, Default)]
pub(crate) struct VersionMetrics {
    attempts: u64,
    failed: u64,
    in_step: u32,
    per_step: Vec<u32>,
    /// Kept only where a rollout judges by it.
    pub(crate) window: Option<Box<SuccessWindow>>,
}

impl Metrics {
    pub(crate) fn new(measured_from: Instant, step: Duration, steps: usize) -> Self {
        let failed = End::ALL[1..].iter().map(|e| (e.name(), Vec::with_capacity(steps))).collect();
        let timeline = Timeline {
            step,
            steps,
            arrived: Vec::with_capacity(steps),
            succeeded: Vec::with_capacity(steps),
            failed,
            mean: Vec::with_capacity(steps),
            p50: Vec::with_capacity(steps),
            p99: Vec::with_capacity(steps),
            max: Vec::with_capacity(steps),
            in_flight: Vec::with_capacity(steps),
        };
        Metrics {
            measured_from,
            ends: Ends::default(),
            retries: 0,
            latency: Latency::new(),
            youngest_open: None,
            failed_latency: Latency::new(),
            ended: 0,
            arrived: 0,
            in_flight: 0,
            area: 0,
            area_at: Instant::ZERO,
            sojourn: 0,
            before_step: (0, 0),
            timeline,
            step: Step::default(),
        }
    }

    #[inline]
    pub(crate) fn arrive(&mut self, now: Instant) {
        self.sum_area(now);
        self.in_flight += 1;
        self.arrived += 1;
        self.step.arrived += 1;
    }

    #[inline]
    pub(crate) fn end(&mut self, now: Instant, started: Instant, end: End, retries: u32) {
        self.sum_area(now);
        self.in_flight -= 1;
        self.ended += 1;
        let latency = now - started;
        self.sojourn += u128::from(latency.as_nanos());
        self.step.ends[end as usize] += 1;
        self.step.latency.record(latency);
        if started >= self.measured_from {
            self.ends.count(end);
            self.retries += u64::from(retries);
            self.latency.record(latency);
            if end != End::Success {
                record_failed(&mut self.failed_latency, latency);
            }
        }
    }

    #[inline]
    fn sum_area(&mut self, now: Instant) {
        self.area += u128::from(self.in_flight) * u128::from((now - self.area_at).as_nanos());
        self.area_at = now;
    }

    /// A request of the measured part has not ended when the run has.
    pub(crate) fn request_open(&mut self, end: End, age: Duration, retries: u32) {
        self.ends.count(end);
        self.retries += u64::from(retries);
        self.latency.record(age);
        self.failed_latency.record(age);
        self.youngest_open = Some(self.youngest_open.map_or(age, |least| least.min(age)));
    }

    /// Requests that arrived and have not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// ∫ requests in flight dt up to now, in request-nanoseconds.
    pub(crate) fn area(&mut self, now: Instant) -> u128 {
        self.sum_area(now);
        self.area
    }

    /// Closes the present step of the timeline.
    pub(crate) fn close_step(&mut self) {
        if self.timeline.arrived.len() == self.timeline.steps {
            return;
        }
        let step = &mut self.step;
        let t = &mut self.timeline;
        t.arrived.push(step.arrived);
        t.succeeded.push(step.ends[End::Success as usize]);
        for (end, (_, counts)) in End::ALL[1..].iter().zip(&mut t.failed) {
            counts.push(step.ends[*end as usize]);
        }
        let at = |p| step.latency.quantile(p).unwrap_or(Duration::ZERO);
        let (sojourn, ended) = std::mem::replace(&mut self.before_step, (self.sojourn, self.ended));
        let ended = u128::from((self.ended - ended).max(1));
        t.mean.push(Duration::ns(u64::try_from((self.sojourn - sojourn) / ended).unwrap_or(u64::MAX)));
        t.p50.push(at(0.5));
        t.p99.push(at(0.99));
        t.max.push(step.latency.max().unwrap_or(Duration::ZERO));
        t.in_flight.push(self.in_flight.min(u64::from(u32::MAX)) as u32);
        step.arrived = 0;
        step.ends = [0; End::ALL.len()];
        step.latency.clear();
    }

    /// The timeline without the ends that never happened.
    pub(crate) fn timeline(&self) -> Timeline {
        let mut timeline = self.timeline.clone();
        timeline.steps = timeline.arrived.len();
        timeline.failed.retain(|(_, counts)| counts.iter().any(|&n| n > 0));
        timeline
    }
}

impl ServiceMetrics {
    pub(crate) fn new(versions: usize) -> Self {
        ServiceMetrics {
            ends: Ends::default(),
            retries: 0,
            latency: Latency::new(),
            youngest_open: None,
            failed_latency: Latency::new(),
            is_all: false,
            versions: (0..versions).map(|_| VersionMetrics::default()).collect(),
            latency_per_step: Vec::new(),
            before_step: (0, 0),
        }
    }

    #[inline]
    pub(crate) fn attempt_began(&mut self, version: VersionId) {
        self.versions[version.index()].in_step += 1;
    }

    #[inline]
    pub(crate) fn attempt_ended(&mut self, now: Instant, version: VersionId, ok: bool, took: Duration, measured: bool) {
        let metrics = &mut self.versions[version.index()];
        if measured {
            metrics.attempts += 1;
            metrics.failed += u64::from(!ok);
        }
        if let Some(window) = &mut metrics.window {
            window.record(now, ok, took);
        }
    }

    #[inline]
    pub(crate) fn call_ended(&mut self, end: End, took: Duration, retries: u32) {
        self.ends.count(end);
        self.retries += u64::from(retries);
        if !self.is_all {
            self.latency.record(took);
            if end != End::Success {
                record_failed(&mut self.failed_latency, took);
            }
        }
    }

    /// A call of the measured part has not ended when the run has.
    pub(crate) fn call_open(&mut self, end: End, age: Duration, retries: u32) {
        self.call_ended(end, age, retries);
        self.youngest_open = Some(self.youngest_open.map_or(age, |least| least.min(age)));
    }

    /// Closes the present step, of which `steps` are then closed. `all` is the world's histogram, for a service whose
    /// calls are all of them.
    pub(crate) fn close_step(&mut self, steps: usize, all: &Latency) {
        let latency = if self.is_all { all } else { &self.latency };
        let now = (latency.count(), latency.sum_nanos());
        let (count, sum) = std::mem::replace(&mut self.before_step, now);
        if self.latency_per_step.len() < steps || self.latency_per_step.is_empty() {
            self.latency_per_step.push((0, 0));
        }
        if let Some(last) = self.latency_per_step.last_mut() {
            last.0 += now.0 - count;
            last.1 = last.1.saturating_add(u64::try_from(now.1 - sum).unwrap_or(u64::MAX));
        }
        for version in &mut self.versions {
            if version.per_step.len() < steps {
                version.per_step.push(version.in_step);
            }
            version.in_step = 0;
        }
    }
}

impl VersionMetrics {
    pub(crate) fn outcome(&self, version: String) -> VersionOutcome {
        let attempts_per_step = self.per_step.clone();
        VersionOutcome { version, attempts: self.attempts, failed: self.failed, attempts_per_step }
    }
}

/// What failed, kept out of the way of what succeeds.
#[cold]
fn record_failed(latency: &mut Latency, took: Duration) {
    latency.record(took);
}

/// A histogram, summarised; `exact_below` is the least age among what had not ended.
pub(crate) fn distribution(latency: &Latency, exact_below: Option<Duration>) -> Distribution {
    if latency.count() == 0 {
        return Distribution::default();
    }
    // Those with names stand in front of those of the curve.
    const NAMED: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
    // Even steps in the middle, and nine points for every decade of the tail that has samples to show.
    let mut shares: Vec<f64> = NAMED.into_iter().chain((1..20).map(|i| f64::from(i) * 0.05)).collect();
    let mut decade = 0.01;
    while decade * latency.count() as f64 >= 1.0 {
        let beyond = (1..=9).rev().map(|k| decade * f64::from(k)).filter(|&tail| tail < 0.05);
        shares.extend(beyond.map(|tail| 1.0 - tail));
        decade /= 10.0;
    }
    let mut curve: Vec<(f64, Duration)> = vec![(0.0, latency.min().unwrap_or(Duration::ZERO))];
    let spans = latency.quantiles(&shares).unwrap_or_default();
    curve.extend(shares.iter().copied().zip(spans.iter().copied()).skip(NAMED.len()));
    curve.push((1.0, latency.max().unwrap_or(Duration::ZERO)));
    Distribution {
        count: latency.count(),
        mean: latency.mean().unwrap_or(Duration::ZERO),
        p50: spans[0],
        p90: spans[1],
        p99: spans[2],
        p999: spans[3],
        max: latency.max().unwrap_or(Duration::ZERO),
        exact_below,
        curve,
        profile: latency.profile(),
        sum_ns: latency.sum_nanos(),
    }
}
