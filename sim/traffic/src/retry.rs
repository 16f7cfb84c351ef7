//! Trying again: which ends are worth it, how often, and after what pause.
//!
//! A pause spreads what would otherwise come back together. The published schemes differ in how much of the pause is
//! drawn at random, and that is what decides whether a thousand clients that failed at one moment return at one moment.

use crate::{Class, ClassSet};
use base::{Draw, Duration, Instant};

/// When one request is tried again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How many further attempts after the first.
    pub max_retries: u32,
    /// The ends that are tried again.
    pub retry_on: ClassSet,
    /// How long to wait before each further attempt.
    pub backoff: Backoff,
    /// The most time for one attempt, first or further; an attempt that takes longer ends as [`Class::Timeout`].
    pub per_try_timeout: Option<Duration>,
    /// How often a further attempt picks another host while the pick is one this request was sent to before; after that
    /// it goes where it was told. Zero picks as for a first attempt.
    ///
    /// Envoy's retry host predicate `previous_hosts` (`source/extensions/retry/host/previous_hosts/previous_hosts.h`,
    /// all hosts attempted so far) and `host_selection_retry_max_attempts`. Envoy has no predicate unless a route names
    /// one, gRPC has nothing like it, and Istio compiles both into every route, with five.
    pub previous_hosts: u32,
}

impl RetryPolicy {
    /// Whether a request that was retried `retries` times already and just ended as `class` deserves another attempt.
    #[inline]
    pub fn wants(&self, retries: u32, class: Class) -> bool {
        retries < self.max_retries && self.retry_on.contains(class)
    }

    /// When an attempt that begins at `now` must be over, within a request that must be over at `deadline`.
    #[inline]
    pub fn attempt_deadline(&self, now: Instant, deadline: Instant) -> Instant {
        self.per_try_timeout.map_or(deadline, |timeout| now.saturating_add(timeout).min(deadline))
    }
}

/// The pause before a further attempt. Pauses are drawn to the nanosecond where the originals count milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backoff {
    /// Always the same; zero retries at once.
    Constant(Duration),
    /// Evenly from zero to an interval that begins at `base`, doubles, and stops at `max`: with the defaults below
    /// 25, 50, 100, 200, 250, 250 … ms.
    ///
    /// envoyproxy/envoy `source/common/common/backoff_strategy.cc`, `JitteredExponentialBackOffStrategy`. Envoy's
    /// manual still gives the older rule, `[0, (2ⁿ − 1) · base)`.
    Envoy {
        /// The first interval, 25 ms by default.
        base: Duration,
        /// The last interval, ten times the base by default.
        max: Duration,
    },
    /// `min(initial · multiplierⁿ⁻¹, max)`, times a factor drawn evenly from 0.8 to 1.2 (grpc/proposal A6).
    Grpc {
        /// The first pause, before the factor.
        initial: Duration,
        /// How much longer each pause is than the one before.
        multiplier: f64,
        /// The longest pause, before the factor.
        max: Duration,
    },
    /// Evenly from zero to `min(cap, base · 2ⁿ⁻¹)`: the least work for the server of the three that Marc Brooker
    /// compares in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    AwsFull {
        /// The first interval.
        base: Duration,
        /// The longest interval.
        cap: Duration,
    },
    /// Half of `min(cap, base · 2ⁿ⁻¹)`, and up to the same again: never a pause near zero (same article).
    AwsEqual {
        /// The first interval.
        base: Duration,
        /// The longest interval.
        cap: Duration,
    },
    /// `min(cap, evenly from base to three times the pause before)`, which begins at `base` (same article).
    AwsDecorrelated {
        /// The shortest pause.
        base: Duration,
        /// The longest pause.
        cap: Duration,
    },
}

impl Backoff {
    /// Envoy with its defaults, 25 ms to 250 ms.
    pub const ENVOY: Backoff = Backoff::Envoy { base: Duration::ms(25), max: Duration::ms(250) };

    /// The pause before retry number `retry`, counted from 1, after a pause of `previous` before the retry that failed
    /// (zero if there was none). O(1) but for gRPC's, which multiplies `retry` times.
    pub fn delay(&self, retry: u32, previous: Duration, draw: &mut impl Draw) -> Duration {
        self.spread(retry, previous).draw(draw)
    }

    /// What [`Backoff::delay`] draws from, with the same arguments and cost.
    pub fn spread(&self, retry: u32, previous: Duration) -> Spread {
        debug_assert!(retry >= 1, "retries are counted from one");
        match *self {
            Backoff::Constant(pause) => Spread::Always(pause),
            Backoff::Envoy { base, max } => Spread::Below(doubled(base, retry, max)),
            Backoff::Grpc { initial, multiplier, max } => {
                let max = max.as_nanos() as f64;
                let mut pause = initial.as_nanos() as f64;
                for _ in 1..retry {
                    pause *= multiplier;
                    if pause >= max {
                        break;
                    }
                }
                Spread::Scaled(pause.min(max))
            }
            Backoff::AwsFull { base, cap } => {
                Spread::Even { from: Duration::ZERO, to: doubled(base, retry, cap), cap: Duration::MAX }
            }
            Backoff::AwsEqual { base, cap } => {
                let half = doubled(base, retry, cap) / 2;
                Spread::Even { from: half, to: half.saturating_mul(2), cap: Duration::MAX }
            }
            Backoff::AwsDecorrelated { base, cap } => {
                Spread::Even { from: base, to: previous.max(base).saturating_mul(3), cap }
            }
        }
    }
}

/// The pauses that may come before one retry, and how likely they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// This one.
    Always(Duration),
    /// Evenly from zero to this, which is excluded; zero where this is zero.
    Below(Duration),
    /// Evenly between two, both included, and then `cap` where it is more than that.
    Even {
        /// The shortest, where `cap` is not shorter still.
        from: Duration,
        /// The longest, where `cap` allows it.
        to: Duration,
        /// No pause is longer.
        cap: Duration,
    },
    /// This many nanoseconds, times a factor drawn evenly from 0.8 to 1.2, which is excluded.
    Scaled(f64),
}

impl Spread {
    /// One of the pauses. Draws once, or not at all where there is only one.
    pub fn draw(self, draw: &mut impl Draw) -> Duration {
        match self {
            Spread::Always(pause) => pause,
            Spread::Below(span) => Duration::ns(draw.below_u64(span.as_nanos().max(1))),
            Spread::Even { from, to, cap } => {
                let more = draw.below_u64((to - from).as_nanos().saturating_add(1));
                (from + Duration::ns(more)).min(cap)
            }
            Spread::Scaled(pause) => Duration::ns((pause * (0.8 + 0.4 * draw.unit())) as u64),
        }
    }

    /// The shortest pause, and the longest or the end that none reaches.
    pub fn bounds(self) -> (Duration, Duration) {
        match self {
            Spread::Always(pause) => (pause, pause),
            Spread::Below(span) => (Duration::ZERO, span),
            Spread::Even { from, to, cap } => (from.min(cap), to.min(cap)),
            Spread::Scaled(pause) => (Duration::ns((pause * 0.8) as u64), Duration::ns((pause * 1.2) as u64)),
        }
    }
}

/// `base · 2^(retry − 1)`, at most `max`.
fn doubled(base: Duration, retry: u32, max: Duration) -> Duration {
    let factor = 1u64.checked_shl(retry - 1).unwrap_or(u64::MAX);
    base.saturating_mul(factor).min(max)
}
