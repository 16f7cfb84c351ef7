//! How many retries all requests of one client together may cause.
//!
//! A limit per request bounds nothing: three retries a request are four times the load at the moment when the service
//! can bear it least. A budget ties retries to the traffic there is. Three ways of doing so are in wide use, and they
//! differ in what they count: Envoy what is under way now, Finagle what was asked in the last seconds, gRPC how things
//! went lately.

use crate::Limiter;
use base::{Duration, Instant, Ratio};

/// A rule for the retries of one client towards one service; [`Budget`] is its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RetryBudget {
    /// No bound beyond [`Limits::max_retries`](crate::Limits::max_retries).
    Unlimited,
    /// No retry at all.
    None,
    /// At any time, retries under way or waiting are at most a share of the requests under way.
    ///
    /// envoyproxy/envoy `api/envoy/config/cluster/v3/circuit_breaker.proto`, `RetryBudget`, and
    /// `source/common/upstream/resource_manager_impl.h`: a retry may start while
    /// `retries < max(share · (active + pending), min_concurrency)`, in whole numbers. It replaces `max_retries`.
    Active {
        /// The share of active and pending requests, 20 % by default.
        share: Ratio,
        /// This many are always allowed, 3 by default.
        min_concurrency: u32,
    },
    /// Each request pays in, each retry takes out, and what was paid in is forgotten after a while.
    ///
    /// twitter/finagle `finagle-core/src/main/scala/com/twitter/finagle/service/RetryBudget.scala` over
    /// twitter/util `TokenBucket.newLeakyBucket`: a request deposits 1000, a retry withdraws `1000 / share`, and a
    /// reserve of `min_per_second · ttl` retries is always there. Deposits and withdrawals are kept in ten slices of
    /// `ttl / 10` and leave with their slice.
    LeakyBucket {
        /// How long a deposit counts, 10 s by default, 1 s to 60 s in the original.
        ttl: Duration,
        /// The reserve, in retries a second, 10 by default.
        min_per_second: u32,
        /// Retries per request, 20 % by default.
        share: Ratio,
    },
    /// Tokens fall with failures and rise with successes; retries stop at half.
    ///
    /// grpc/proposal A6, "Throttling Retry Attempts and Hedged RPCs": `max_tokens` at the start, one less for each
    /// retriable failure, `token_ratio` more for each success, and a retry only while there are more than
    /// `max_tokens / 2`.
    Throttle {
        /// The most tokens; at most 1000 in the original.
        max_tokens: u32,
        /// Thousandths of a token that a success brings back; 100 is the proposal's example of 0.1.
        token_ratio_milli: u32,
    },
}

impl RetryBudget {
    /// Envoy's with its defaults: 20 % of what is under way, at least 3.
    pub const ENVOY: RetryBudget = RetryBudget::Active { share: Ratio::percent(20), min_concurrency: 3 };
    /// Finagle's with its defaults: 20 % of the last 10 s, and 10 a second in reserve.
    pub const FINAGLE: RetryBudget =
        RetryBudget::LeakyBucket { ttl: Duration::secs(10), min_per_second: 10, share: Ratio::percent(20) };
    /// gRPC's with the numbers of the proposal's example: 10 tokens, 0.1 for a success.
    pub const GRPC: RetryBudget = RetryBudget::Throttle { max_tokens: 10, token_ratio_milli: 100 };

    /// Whether it takes the place of [`Limits::max_retries`](crate::Limits::max_retries).
    pub const fn replaces_max_retries(self) -> bool {
        matches!(self, RetryBudget::Active { .. })
    }
}

/// What a budget remembers.
#[derive(Clone, Debug)]
pub struct Budget(State);

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each upstream, asked at each request: better here than behind a pointer"
)]
enum State {
    Always,
    Never,
    Active { share: Ratio, min_concurrency: u32 },
    LeakyBucket(LeakyBucket),
    Throttle { milli: u32, max_milli: u32, ratio_milli: u32 },
}

impl Budget {
    /// The state of `rule` at the beginning. A rule whose numbers allow nothing (Finagle with neither share nor
    /// reserve) is [`RetryBudget::None`], as in the original.
    pub fn new(rule: RetryBudget) -> Self {
        Budget(match rule {
            RetryBudget::Unlimited => State::Always,
            RetryBudget::None => State::Never,
            RetryBudget::Active { share, min_concurrency } => State::Active { share, min_concurrency },
            RetryBudget::LeakyBucket { min_per_second: 0, share: Ratio::ZERO, .. } => State::Never,
            RetryBudget::LeakyBucket { ttl, min_per_second, share } => {
                State::LeakyBucket(LeakyBucket::new(ttl, min_per_second, share))
            }
            RetryBudget::Throttle { max_tokens, token_ratio_milli } => {
                let milli = max_tokens.saturating_mul(1000);
                State::Throttle { milli, max_milli: milli, ratio_milli: token_ratio_milli }
            }
        })
    }

    /// A request begins: its first attempt, never a retry.
    #[inline]
    pub fn on_request(&mut self, now: Instant) {
        if let State::LeakyBucket(bucket) = &mut self.0 {
            bucket.deposit(now);
        }
    }

    /// An attempt succeeded.
    #[inline]
    pub fn on_success(&mut self) {
        if let State::Throttle { milli, max_milli, ratio_milli } = &mut self.0 {
            *milli = milli.saturating_add(*ratio_milli).min(*max_milli);
        }
    }

    /// An attempt failed in a way that the retry policy would try again, whether or not it will be.
    #[inline]
    pub fn on_failure(&mut self) {
        if let State::Throttle { milli, .. } = &mut self.0 {
            *milli = milli.saturating_sub(1000);
        }
    }

    /// Asks for one more retry while `under_way` requests are active or pending and `retries` of all retries are not
    /// over yet (waiting for their pause, or sent). True pays for it; false leaves everything as it is.
    pub fn try_retry(&mut self, now: Instant, under_way: u32, retries: u32) -> bool {
        let allowed = self.allows(now, under_way, retries);
        if allowed && let State::LeakyBucket(bucket) = &mut self.0 {
            bucket.withdraw();
        }
        allowed
    }

    /// Asks budget and limit together for one more retry, beside what `limiter` counts. True pays for it.
    pub fn grant(&mut self, now: Instant, limiter: &Limiter) -> bool {
        self.limit_allows(limiter) && self.try_retry(now, limiter.under_way(), limiter.retries())
    }

    /// What [`Budget::grant`] would answer; nothing is paid.
    pub fn would_grant(&mut self, now: Instant, limiter: &Limiter) -> bool {
        self.limit_allows(limiter) && self.allows(now, limiter.under_way(), limiter.retries())
    }

    /// The static limit, unless this budget takes its place.
    fn limit_allows(&self, limiter: &Limiter) -> bool {
        matches!(self.0, State::Active { .. }) || limiter.may_retry()
    }

    fn allows(&mut self, now: Instant, under_way: u32, retries: u32) -> bool {
        match &mut self.0 {
            State::Always => true,
            State::Never => false,
            State::Active { share, min_concurrency } => {
                u64::from(retries) < active_limit(*share, *min_concurrency, under_way)
            }
            State::LeakyBucket(bucket) => bucket.can_withdraw(now),
            State::Throttle { milli, max_milli, .. } => *milli > *max_milli / 2,
        }
    }

    /// How many retries may be under way at once beside `under_way` requests; `None` where a budget counts otherwise.
    pub fn concurrency(&self, under_way: u32) -> Option<u64> {
        match self.0 {
            State::Active { share, min_concurrency } => Some(active_limit(share, min_concurrency, under_way)),
            State::Always | State::Never | State::LeakyBucket(_) | State::Throttle { .. } => None,
        }
    }

    /// The tokens there are, in thousandths; `None` where a budget has none.
    pub fn tokens_milli(&self) -> Option<u32> {
        match self.0 {
            State::Throttle { milli, .. } => Some(milli),
            State::Always | State::Never | State::Active { .. } | State::LeakyBucket(_) => None,
        }
    }

    /// How many retries it would grant right now if nothing else happened; `None` where that has no number.
    pub fn balance(&mut self, now: Instant) -> Option<u64> {
        match &mut self.0 {
            State::Never => Some(0),
            State::LeakyBucket(bucket) => Some(bucket.balance(now)),
            State::Always | State::Active { .. } | State::Throttle { .. } => None,
        }
    }
}

/// Envoy's `max(share · (active + pending), min_concurrency)`.
fn active_limit(share: Ratio, min_concurrency: u32, under_way: u32) -> u64 {
    share.floor_of(u64::from(under_way)).max(u64::from(min_concurrency))
}

/// twitter/util's `WindowedAdder` of ten slices under Finagle's `TokenRetryBudget`.
#[derive(Clone, Debug)]
struct LeakyBucket {
    slice: Duration,
    /// The nine slices before the current one.
    past: [i128; 9],
    current: i128,
    /// Which of the past slices is the oldest.
    oldest: usize,
    /// When the current slice began: not on a grid, but when the one before was found to be over.
    since: Option<Instant>,
    deposit: i128,
    withdrawal: i128,
    /// Up to four thousand million retries a second, for hundreds of years, at 10¹² each: 64 bits would not do.
    reserve: i128,
}

impl LeakyBucket {
    fn new(ttl: Duration, min_per_second: u32, share: Ratio) -> Self {
        // Without a share everything costs one, requests earn nothing, and only the reserve remains.
        let (deposit, withdrawal) = match share.billionths() {
            0 => (0, 1),
            billionths => (1000, 1_000_000_000_000 / i128::from(billionths)),
        };
        let ttl_seconds = i128::from(ttl.as_nanos() / 1_000_000_000);
        LeakyBucket {
            slice: Duration::ns((ttl.as_nanos() / 10).max(1)),
            past: [0; 9],
            current: 0,
            oldest: 0,
            since: None,
            deposit,
            withdrawal,
            reserve: i128::from(min_per_second) * ttl_seconds * withdrawal,
        }
    }

    /// Moves on to the slice of `now`, and drops what is older than all of them.
    #[inline]
    fn turn(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_since(since);
        if passed >= self.slice {
            self.turn_slices(now, passed);
        }
    }

    #[cold]
    fn turn_slices(&mut self, now: Instant, passed: Duration) {
        let n = self.past.len();
        self.past[self.oldest] = self.current;
        self.current = 0;
        self.oldest = (self.oldest + 1) % n;
        let skipped = (passed.as_nanos() / self.slice.as_nanos() - 1).min(n as u64);
        for _ in 0..skipped {
            self.past[self.oldest] = 0;
            self.oldest = (self.oldest + 1) % n;
        }
        self.since = Some(now);
    }

    fn count(&mut self, now: Instant) -> i128 {
        self.turn(now);
        self.past.iter().sum::<i128>() + self.current + self.reserve
    }

    #[inline]
    fn deposit(&mut self, now: Instant) {
        self.turn(now);
        self.current += self.deposit;
    }

    fn can_withdraw(&mut self, now: Instant) -> bool {
        self.count(now) >= self.withdrawal
    }

    /// Takes out what [`LeakyBucket::can_withdraw`] found there.
    fn withdraw(&mut self) {
        self.current -= self.withdrawal;
    }

    fn balance(&mut self, now: Instant) -> u64 {
        u64::try_from((self.count(now) / self.withdrawal).max(0)).unwrap_or(u64::MAX)
    }
}
