//! What holds whatever the traffic: against naive twins that keep everything and recompute it, and against the bounds
//! that budgets promise.

use base::{Draw, Duration, Instant, Ratio, Seed};
use proptest::prelude::*;
use std::collections::VecDeque;
use traffic::*;

/// resilience4j's breaker, from its manual: lists of calls, and every rate counted anew.
struct NaiveBreaker {
    config: BreakerConfig,
    state: BreakerState,
    calls: VecDeque<(bool, bool)>,
    open_until: Instant,
    permits: u32,
}

impl NaiveBreaker {
    fn admit(&mut self, now: Instant) -> bool {
        if self.state == BreakerState::Open && now > self.open_until {
            self.state = BreakerState::HalfOpen;
            self.permits = self.config.half_open_calls;
            self.calls.clear();
        }
        match self.state {
            BreakerState::Closed => true,
            BreakerState::HalfOpen if self.permits > 0 => {
                self.permits -= 1;
                true
            }
            _ => false,
        }
    }

    fn record(&mut self, now: Instant, class: Class, latency: Duration) {
        let size = match self.state {
            BreakerState::Closed => self.config.window,
            BreakerState::HalfOpen => self.config.half_open_calls,
            BreakerState::Open => return,
        };
        self.calls.push_back((self.config.failures.contains(class), latency > self.config.slow_after));
        if self.calls.len() > size as usize {
            self.calls.pop_front();
        }
        if self.calls.len() < size.min(self.config.min_calls) as usize {
            return;
        }
        let percent = |n: usize| n as f64 * 100.0 / self.calls.len() as f64;
        let failed = percent(self.calls.iter().filter(|c| c.0).count());
        let slow = percent(self.calls.iter().filter(|c| c.1).count());
        if failed >= self.config.failure_rate.as_f64() * 100.0 || slow >= self.config.slow_rate.as_f64() * 100.0 {
            self.state = BreakerState::Open;
            self.open_until = now + self.config.open_for;
        } else if self.state == BreakerState::HalfOpen {
            self.state = BreakerState::Closed;
            self.calls.clear();
        }
    }
}

/// Quarters and halves are exact in floats, so the naive twin may use them.
fn any_breaker_config() -> impl Strategy<Value = BreakerConfig> {
    let quarters = || (1..=4u32).prop_map(|n| Ratio::percent(25 * n));
    (1..12u32, 1..15u32, quarters(), quarters(), 1..6u32).prop_map(|(window, min_calls, failure, slow, probes)| {
        BreakerConfig {
            window,
            min_calls,
            failure_rate: failure,
            slow_rate: slow,
            slow_after: Duration::ms(100),
            open_for: Duration::secs(10),
            half_open_calls: probes,
            failures: ClassSet::FAILURES,
        }
    })
}

fn any_class() -> impl Strategy<Value = Class> {
    prop_oneof![2 => Just(Class::Success), 1 => proptest::sample::select(Class::ALL.to_vec())]
}

fn any_backoff() -> impl Strategy<Value = Backoff> {
    let spans = || (1..500u64, 1..5_000u64).prop_map(|(base, more)| (Duration::ms(base), Duration::ms(base + more)));
    prop_oneof![
        (0..1000u64).prop_map(|ms| Backoff::Constant(Duration::ms(ms))),
        spans().prop_map(|(base, max)| Backoff::Envoy { base, max }),
        (spans(), 1.0..4.0f64).prop_map(|((initial, max), multiplier)| Backoff::Grpc { initial, multiplier, max }),
        spans().prop_map(|(base, cap)| Backoff::AwsFull { base, cap }),
        spans().prop_map(|(base, cap)| Backoff::AwsEqual { base, cap }),
        spans().prop_map(|(base, cap)| Backoff::AwsDecorrelated { base, cap }),
    ]
}

proptest! {
    #[test]
    fn the_breaker_agrees_with_a_naive_one(
        config in any_breaker_config(),
        steps in proptest::collection::vec((0..3000u64, any_class(), 0..200u64, 0..4u8), 1..300),
    ) {
        let mut breaker = Breaker::new(config);
        let mut naive = NaiveBreaker {
            config,
            state: BreakerState::Closed,
            calls: VecDeque::new(),
            open_until: Instant::ZERO,
            permits: 0,
        };
        let mut now = Instant::ZERO;
        let mut under_way = 0u32;
        let mut opened = 0;
        for (pause_ms, class, latency_ms, kind) in steps {
            now += Duration::ms(pause_ms);
            let before = naive.state;
            if kind == 0 || under_way == 0 {
                let admitted = breaker.admit(now);
                prop_assert_eq!(admitted, naive.admit(now));
                under_way += u32::from(admitted);
            } else {
                under_way -= 1;
                breaker.record(now, class, Duration::ms(latency_ms));
                naive.record(now, class, Duration::ms(latency_ms));
            }
            prop_assert_eq!(breaker.state(), naive.state);
            opened += u64::from(before != BreakerState::Open && naive.state == BreakerState::Open);
            prop_assert_eq!(breaker.opened(), opened);
        }
    }

    #[test]
    fn pauses_stay_within_the_bounds_of_their_scheme(backoff in any_backoff(), seed: u64) {
        let mut draw = Seed(seed).stream("pauses");
        let mut previous = Duration::ZERO;
        for retry in (1..20).chain([64, 65, u32::MAX]) {
            let pause = backoff.delay(retry, previous, &mut draw);
            let interval = |base: Duration, cap: Duration| {
                let doubled = u128::from(base.as_nanos()) << (retry - 1).min(40);
                Duration::ns(doubled.min(u128::from(cap.as_nanos())) as u64)
            };
            let (low, high) = match backoff {
                Backoff::Constant(pause) => (pause, pause),
                Backoff::Envoy { base, max } => (Duration::ZERO, interval(base, max)),
                Backoff::AwsFull { base, cap } => (Duration::ZERO, interval(base, cap)),
                Backoff::AwsEqual { base, cap } => (interval(base, cap) / 2, interval(base, cap)),
                Backoff::AwsDecorrelated { base, cap } => (base, cap.min(previous.max(base) * 3)),
                Backoff::Grpc { initial, max, .. } => (initial.mul_f64(0.8), max.mul_f64(1.2)),
            };
            prop_assert!(low <= pause && pause <= high, "retry {}: {} not in {} ..= {}", retry, pause, low, high);
            previous = pause;
        }
    }

    /// Over any history: all retries together are at most the share of all requests, and the reserve once a period.
    #[test]
    fn the_leaky_bucket_never_lends(
        share in 0..=100u32,
        min_per_second in 0..5u32,
        steps in proptest::collection::vec((0..4000u64, 0..20u32, 0..20u32), 1..200),
    ) {
        let ttl = Duration::secs(10);
        let mut budget = Budget::new(RetryBudget::LeakyBucket { ttl, min_per_second, share: Ratio::percent(share) });
        let mut now = Instant::ZERO;
        let (mut requests, mut granted) = (0u64, 0u64);
        for (pause_ms, asked, retries) in steps {
            now += Duration::ms(pause_ms);
            (0..asked).for_each(|_| budget.on_request(now));
            requests += u64::from(asked);
            let balance = budget.balance(now).expect("a bucket knows its balance");
            let now_granted = (0..retries).filter(|_| budget.try_retry(now, 0, 0)).count() as u64;
            prop_assert_eq!(now_granted, balance.min(u64::from(retries)), "the balance is what is granted");
            granted += now_granted;

            let periods = now.as_nanos() / ttl.as_nanos() + 1;
            let bound = Ratio::percent(share).ceil_of(requests) + u64::from(min_per_second) * 10 * periods;
            prop_assert!(granted <= bound, "{} retries of {} requests, at most {}", granted, requests, bound);
        }
    }

    /// Failures and successes in any order: tokens never leave their range, and half is the border.
    #[test]
    fn the_throttle_counts_tokens(
        max_tokens in 1..50u32,
        token_ratio_milli in 1..2000u32,
        ends in proptest::collection::vec(any::<bool>(), 1..300),
    ) {
        let mut budget = Budget::new(RetryBudget::Throttle { max_tokens, token_ratio_milli });
        let mut tokens = i64::from(max_tokens) * 1000;
        for success in ends {
            if success {
                budget.on_success();
                tokens = (tokens + i64::from(token_ratio_milli)).min(i64::from(max_tokens) * 1000);
            } else {
                budget.on_failure();
                tokens = (tokens - 1000).max(0);
            }
            prop_assert_eq!(budget.try_retry(Instant::ZERO, 0, 0), tokens * 2 > i64::from(max_tokens) * 1000);
        }
    }
}

/// Where a request is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Sent,
    Pausing(Duration),
}

proptest! {
    /// Requests that begin, end, pause, retry and leave in any order: counts are what is there, budgets are kept, and
    /// when everybody is gone nothing is left.
    #[test]
    fn an_upstream_counts_what_is_there(
        which in 0..4usize,
        max_requests in prop_oneof![1..10u32, Just(u32::MAX)],
        steps in proptest::collection::vec((0..6u8, any::<usize>(), any_class(), 0..500u64), 1..400),
        seed: u64,
    ) {
        let budget = [RetryBudget::Unlimited, RetryBudget::ENVOY, RetryBudget::FINAGLE, RetryBudget::GRPC][which];
        let breaker =
            BreakerConfig { window: 10, min_calls: 10, open_for: Duration::secs(2), ..BreakerConfig::RESILIENCE4J };
        let mut policy = Policy { budget, breaker: Some(breaker), ..Policy::envoy() };
        policy.limits.max_requests = max_requests;
        policy.retry.as_mut().unwrap().max_retries = 3;
        let mut upstream = Upstream::new(policy);
        let mut draw = Seed(seed).stream("upstream");
        let mut now = Instant::ZERO;
        let mut there: Vec<(u32, Stage)> = Vec::new();

        for (kind, who, class, pause_ms) in steps {
            now += Duration::ms(pause_ms);
            let sent = there.iter().filter(|r| matches!(r.1, Stage::Sent)).count() as u32;
            let retries = there.iter().filter(|r| r.0 > 0).count() as u32;
            prop_assert_eq!(upstream.limiter().requests(), sent);
            prop_assert_eq!(upstream.limiter().retries(), retries);
            prop_assert!(sent <= max_requests);

            if kind < 2 || there.is_empty() {
                match upstream.begin(now) {
                    Ok(()) => there.push((0, Stage::Sent)),
                    Err(Rejection::Overflow) => prop_assert_eq!(sent, max_requests),
                    Err(Rejection::BreakerOpen) => prop_assert_ne!(upstream.breaker_state(), Some(BreakerState::Closed)),
                }
                continue;
            }
            let who = who % there.len();
            let (n, stage) = there.swap_remove(who);
            match stage {
                Stage::Sent if kind == 5 => upstream.attempt_cancelled(n),
                Stage::Sent => {
                    upstream.attempt_done(now, n, class, Duration::ms(pause_ms));
                    let before = upstream.limiter().retries();
                    if let Some(pause) = upstream.retry(now, n, Duration::ZERO, class, &mut draw) {
                        prop_assert!(n < 3 && !class.is_success());
                        let bound = match budget {
                            RetryBudget::Active { .. } => (upstream.limiter().requests() / 5).max(3),
                            _ => policy.limits.max_retries,
                        };
                        prop_assert!(before < bound, "{} retries under way when one more began, at most {}", before, bound);
                        there.push((n + 1, Stage::Pausing(pause)));
                    }
                }
                Stage::Pausing(_) if kind == 5 => upstream.retry_cancelled(),
                Stage::Pausing(pause) => {
                    now += pause;
                    if upstream.retry_started(now).is_ok() {
                        there.push((n, Stage::Sent));
                    }
                }
            }
        }
        for (n, stage) in there {
            match stage {
                Stage::Sent => upstream.attempt_done(now, n, Class::Success, Duration::ZERO),
                Stage::Pausing(_) => upstream.retry_cancelled(),
            }
        }
        prop_assert_eq!((upstream.limiter().requests(), upstream.limiter().retries()), (0, 0));
    }
}

/// What a service that fails everything receives, per request, over a minute of 1000 requests a second.
fn amplification(budget: RetryBudget) -> f64 {
    let policy = Policy { budget, limits: Limits::UNLIMITED, ..Policy::envoy() };
    let retry = RetryPolicy { max_retries: 3, backoff: Backoff::Constant(Duration::ZERO), ..policy.retry.unwrap() };
    let mut upstream = Upstream::new(Policy { retry: Some(retry), ..policy });
    let mut draw = Seed(1).stream("amplification");
    let requests = 60_000u64;
    let mut attempts = 0u64;
    for i in 0..requests {
        let now = Instant::from_millis(i);
        upstream.begin(now).expect("nothing forbids it");
        for n in 0.. {
            attempts += 1;
            upstream.attempt_done(now, n, Class::ServerError, Duration::ms(1));
            if upstream.retry(now, n, Duration::ZERO, Class::ServerError, &mut draw).is_none() {
                break;
            }
            upstream.retry_started(now).expect("nothing forbids it");
        }
    }
    attempts as f64 / requests as f64
}

#[test]
fn a_budget_bounds_what_a_failing_service_receives() {
    assert_eq!(amplification(RetryBudget::Unlimited), 4.0);
    assert_eq!(amplification(RetryBudget::None), 1.0);
    // 20 % of the requests, and ten a second: 100 of each 10,000.
    let finagle = amplification(RetryBudget::FINAGLE);
    assert!((1.2..=1.2 + 0.012).contains(&finagle), "{finagle}");
    // Nothing ever succeeds, so the tokens never come back: the first request has its three retries, and its four
    // failures and the first of the second request leave half.
    let grpc = amplification(RetryBudget::GRPC);
    assert_eq!((grpc * 60_000.0).round(), 60_003.0);
}

#[test]
fn jitter_draws_are_the_callers() {
    let mut one = Seed(9).stream("one");
    let mut two = Seed(9).stream("one");
    let pauses: Vec<Duration> = (1..5).map(|n| Backoff::ENVOY.delay(n, Duration::ZERO, &mut one)).collect();
    let again: Vec<Duration> = (1..5).map(|n| Backoff::ENVOY.delay(n, Duration::ZERO, &mut two)).collect();
    assert_eq!(pauses, again);
    assert_eq!(one.next_u64(), two.next_u64());
}
