//! A circuit breaker: stop calling what keeps failing, look again after a while.
//!
//! ```text
//!             rate reached                  wait is over, at the next call
//!   closed ───────────────▶ open ──────────────────────────────────────▶ half-open
//!     ▲                       ▲                                          │      │
//!     │                       └───────────── rate reached ───────────────┘      │
//!     └───────────────────────────────────── rate not reached ─────────────────┘
//! ```
//!
//! The rules are resilience4j's with a count-based window (resilience4j/resilience4j
//! `resilience4j-circuitbreaker/src/main/java/io/github/resilience4j/circuitbreaker/`: `CircuitBreakerConfig.java`,
//! `internal/CircuitBreakerStateMachine.java`, `internal/CircuitBreakerMetrics.java`), also where they surprise:
//!
//! - A rate is judged only once the window holds the minimum of calls, and then after every call, by `>=`.
//! - The wait is over strictly after its end, and only a call notices.
//! - Half-open admits a fixed number of calls and then nobody. If their ends are never recorded it stays so for ever.
//! - An end is recorded in the state it arrives in. A call from before the failure that ends while half-open is judged
//!   with the probes; one that ends while open is forgotten.

use crate::{Class, ClassSet};
use base::{Duration, Instant, Ratio};
use std::fmt;

/// When a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// How many of the latest calls are judged, 100 by default, at least 1.
    pub window: u32,
    /// No judgement before this many, 100 by default; a larger number than the window counts as the window.
    pub min_calls: u32,
    /// The share of failures that opens, 50 % by default.
    pub failure_rate: Ratio,
    /// The share of slow calls that opens, 100 % by default.
    pub slow_rate: Ratio,
    /// A call that takes longer is slow, 60 s by default.
    pub slow_after: Duration,
    /// How long it stays open, 60 s by default.
    pub open_for: Duration,
    /// How many calls are let through to find out, 10 by default, at least 1.
    pub half_open_calls: u32,
    /// What counts as a failure; everything but success by default.
    pub failures: ClassSet,
}

impl BreakerConfig {
    /// resilience4j's defaults.
    pub const RESILIENCE4J: BreakerConfig = BreakerConfig {
        window: 100,
        min_calls: 100,
        failure_rate: Ratio::percent(50),
        slow_rate: Ratio::ONE,
        slow_after: Duration::secs(60),
        open_for: Duration::secs(60),
        half_open_calls: 10,
        failures: ClassSet::FAILURES,
    };
}

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Every call goes.
    Closed,
    /// No call goes.
    Open,
    /// A few calls go, to find out.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        })
    }
}

/// One breaker: of a client for a service, or for one instance of it.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: BreakerState,
    window: Window,
    /// Open until this has passed.
    open_until: Instant,
    /// How many more calls half-open admits.
    permits: u32,
    opened: u64,
}

impl Breaker {
    /// A closed breaker. Allocates its window once. Panics when `window` or `half_open_calls` is zero.
    pub fn new(config: BreakerConfig) -> Self {
        assert!(config.window > 0, "a breaker judges at least one call");
        assert!(config.half_open_calls > 0, "a breaker that admits no probe stays open for ever");
        let mut window = Window::with_room(config.window.max(config.half_open_calls));
        window.clear(config.window);
        Breaker { config, state: BreakerState::Closed, window, open_until: Instant::ZERO, permits: 0, opened: 0 }
    }

    /// Whether a call may go at `now`. A call that goes must be followed by [`Breaker::record`] or
    /// [`Breaker::release`]. O(1).
    #[inline]
    pub fn admit(&mut self, now: Instant) -> bool {
        self.state == BreakerState::Closed || self.admit_probe(now)
    }

    fn admit_probe(&mut self, now: Instant) -> bool {
        if self.state == BreakerState::Open {
            if now <= self.open_until {
                return false;
            }
            self.state = BreakerState::HalfOpen;
            self.permits = self.config.half_open_calls;
            self.window.clear(self.config.half_open_calls);
        }
        let permitted = self.permits > 0;
        self.permits -= u32::from(permitted);
        permitted
    }

    /// An admitted call ended at `now` as `class` after `latency`. O(1).
    #[inline]
    pub fn record(&mut self, now: Instant, class: Class, latency: Duration) {
        if self.state == BreakerState::Open {
            return;
        }
        self.window.push(self.config.failures.contains(class), latency > self.config.slow_after);
        let (calls, minimum) = self.judged();
        if calls < minimum {
            return;
        }
        let reached = reaches(self.window.failed, self.window.len, self.config.failure_rate)
            || reaches(self.window.slow, self.window.len, self.config.slow_rate);
        if reached {
            self.state = BreakerState::Open;
            self.open_until = now.saturating_add(self.config.open_for);
            self.opened += 1;
        } else if self.state == BreakerState::HalfOpen {
            self.state = BreakerState::Closed;
            self.window.clear(self.config.window);
        }
    }

    /// An admitted call ended without saying anything about the service (the caller gave up, a limit refused it): its
    /// permit is given back.
    pub fn release(&mut self) {
        if self.state == BreakerState::HalfOpen {
            self.permits += 1;
        }
    }

    /// What it does with calls; an open breaker whose wait is over is open until a call asks.
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// The moment after which an open breaker lets calls through again; `None` while it is not open.
    pub fn open_until(&self) -> Option<Instant> {
        (self.state == BreakerState::Open).then_some(self.open_until)
    }

    /// How many calls the window holds, of how many that it judges by at least.
    pub fn judged(&self) -> (u32, u32) {
        (self.window.len, self.config.min_calls.min(self.window.size))
    }

    /// How often it has opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// The share of failures among the calls in the window; `None` below the minimum of calls.
    pub fn failure_rate(&self) -> Option<Ratio> {
        self.rate(self.window.failed)
    }

    /// The share of slow calls among the calls in the window; `None` below the minimum of calls.
    pub fn slow_rate(&self) -> Option<Ratio> {
        self.rate(self.window.slow)
    }

    fn rate(&self, part: u32) -> Option<Ratio> {
        let (calls, minimum) = self.judged();
        (calls >= minimum).then(|| Ratio::of(u64::from(part), u64::from(calls)))
    }
}

/// Whether `part` of `whole` is at least `share`, without rounding.
#[inline]
fn reaches(part: u32, whole: u32, share: Ratio) -> bool {
    u64::from(part) * 1_000_000_000 >= u64::from(share.billionths()) * u64::from(whole)
}

const FAILED: u8 = 1;
const SLOW: u8 = 2;

/// The latest calls, one byte each, and how many of them were what.
#[derive(Clone, Debug)]
struct Window {
    /// Room for the larger of the closed and the half-open window.
    calls: Box<[u8]>,
    /// How much of the room is used in this state.
    size: u32,
    len: u32,
    next: u32,
    failed: u32,
    slow: u32,
}

impl Window {
    fn with_room(room: u32) -> Self {
        Window { calls: vec![0; room as usize].into(), size: room, len: 0, next: 0, failed: 0, slow: 0 }
    }

    fn clear(&mut self, size: u32) {
        debug_assert!(size as usize <= self.calls.len(), "a window of {size} in room for {}", self.calls.len());
        (self.size, self.len, self.next, self.failed, self.slow) = (size, 0, 0, 0, 0);
    }

    #[inline]
    fn push(&mut self, failed: bool, slow: bool) {
        let place = &mut self.calls[self.next as usize];
        if self.len == self.size {
            self.failed -= u32::from(*place & FAILED != 0);
            self.slow -= u32::from(*place & SLOW != 0);
        } else {
            self.len += 1;
        }
        *place = if failed { FAILED } else { 0 } | if slow { SLOW } else { 0 };
        self.failed += u32::from(failed);
        self.slow += u32::from(slow);
        self.next = if self.next + 1 == self.size { 0 } else { self.next + 1 };
    }
}
