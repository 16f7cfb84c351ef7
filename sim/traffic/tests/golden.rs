//! Conversations with each mechanism, in the words of its field; the answers are the published figures.

use base::{Dist, Draw, Duration, Instant, Ratio, Seed, ServiceId, VersionId};
use traffic::*;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// `250ms`, `10s`.
fn span(text: &str) -> Duration {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(ms), _) => Duration::ms(ms.parse().expect("milliseconds")),
        (None, Some(s)) => Duration::secs(s.parse().expect("seconds")),
        _ => panic!("not a span of time: {text}"),
    }
}

fn moment(text: &str) -> Instant {
    Instant::ZERO + span(text)
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

/// `50%`.
fn ratio(text: &str) -> Ratio {
    Ratio::percent(number(text.strip_suffix('%').expect("a percentage")))
}

/// The value of `key=value` among `words`.
fn option<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// Answers each line of a block by itself.
fn lines(block: &str, mut answer: impl FnMut(&[&str]) -> String) -> String {
    let words = |line: &str| answer(&line.split_whitespace().collect::<Vec<_>>());
    block.lines().map(words).filter(|a| !a.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn routes() {
    let mut routes: Vec<Route> = Vec::new();
    base::golden::check(ROOT, "testdata/routes.txt", |block| {
        lines(block, |words| match words {
            ["clear"] => {
                routes.clear();
                String::new()
            }
            ["route", name, rest @ ..] => {
                let mut action = Action::to(ServiceId(routes.len() as u32));
                action.prefix_rewrite = option(rest, "rewrite").map(str::to_string);
                let path = rest.iter().find_map(|word| match word.split_once('=')? {
                    ("exact", path) => Some(PathMatch::Exact(path.into())),
                    ("prefix", path) => Some(PathMatch::Prefix(path.into())),
                    ("segments", path) => Some(PathMatch::SeparatedPrefix(path.into())),
                    _ => None,
                });
                let hosts = option(rest, "hosts").map_or(Vec::new(), |h| h.split(',').map(HostMatch::parse).collect());
                let headers = rest.iter().filter_map(|word| word.strip_prefix("header=")).map(|header| {
                    let (name, value) = match (header.split_once(':'), header.split_once('~')) {
                        (Some((name, value)), _) => (name, ValueMatch::Exact(value.into())),
                        (None, Some((name, value))) => (name, ValueMatch::Prefix(value.into())),
                        (None, None) => (header, ValueMatch::Present),
                    };
                    HeaderMatch { name: name.into(), value }
                });
                let path = path.unwrap_or(PathMatch::Any);
                let matches = vec![Match { hosts, path, headers: headers.collect() }];
                routes.push(Route { name: name.to_string(), matches, action });
                String::new()
            }
            ["get", url, headers @ ..] => {
                let (host, path) = url.split_at(url.find('/').expect("a path"));
                let headers: Vec<(&str, &str)> = headers.iter().filter_map(|h| h.split_once(':')).collect();
                let request = RequestHead { host, path, headers: &headers };
                let table = RouteTable::new(routes.clone());
                let Some(index) = table.find(&request) else { return "no route".into() };
                let mut rewritten = String::from("left over from the last request");
                table.routes()[index].rewrite(&request, &mut rewritten);
                format!("{} {rewritten}", table.routes()[index].name)
            }
            ["unreachable"] => {
                let table = RouteTable::new(routes.clone());
                let name = |i: usize| table.routes()[i].name.as_str();
                let pairs: Vec<_> = table
                    .unreachable()
                    .map(|(first, later)| format!("{} behind {}", name(later), name(first)))
                    .collect();
                if pairs.is_empty() { "all can be reached".into() } else { pairs.join(", ") }
            }
            _ => panic!("no such command: {words:?}"),
        })
    });
}

/// A draw that always takes the lowest or the highest.
struct Extreme(u64);

impl Draw for Extreme {
    fn next_u64(&mut self) -> u64 {
        self.0
    }
}

/// Small enough to come out as zero below any bound used here, large enough not to be rejected as biased.
const LOWEST: Extreme = Extreme(1 << 20);
const HIGHEST: Extreme = Extreme(u64::MAX);

#[test]
fn backoff() {
    base::golden::check(ROOT, "testdata/backoff.txt", |block| {
        lines(block, |words| {
            let (base, cap) = (option(words, "base").map(span), option(words, "cap").map(span));
            let backoff = match words[0] {
                "constant" => Backoff::Constant(base.unwrap()),
                "envoy" => Backoff::ENVOY,
                "grpc" => Backoff::Grpc {
                    initial: base.unwrap(),
                    multiplier: f64::from(number(option(words, "times").unwrap())),
                    max: cap.unwrap(),
                },
                "aws-full" => Backoff::AwsFull { base: base.unwrap(), cap: cap.unwrap() },
                "aws-equal" => Backoff::AwsEqual { base: base.unwrap(), cap: cap.unwrap() },
                "aws-decorrelated" => Backoff::AwsDecorrelated { base: base.unwrap(), cap: cap.unwrap() },
                other => panic!("no such backoff: {other}"),
            };
            let (mut low, mut high) = (Duration::ZERO, Duration::ZERO);
            let table: Vec<String> = (1..=6)
                .map(|retry| {
                    low = backoff.delay(retry, low, &mut Extreme(LOWEST.0));
                    high = backoff.delay(retry, high, &mut Extreme(HIGHEST.0));
                    format!("{retry}: {:.1} to {:.1} ms", low.as_millis_f64(), high.as_millis_f64())
                })
                .collect();
            table.join("\n")
        })
    });
}

#[test]
fn budgets() {
    let mut budget = Budget::new(RetryBudget::None);
    let mut now = Instant::ZERO;
    base::golden::check(ROOT, "testdata/budgets.txt", |block| {
        lines(block, |words| match words {
            ["new", "finagle", rest @ ..] => {
                let RetryBudget::LeakyBucket { ttl, min_per_second, share } = RetryBudget::FINAGLE else {
                    unreachable!()
                };
                let ttl = option(rest, "ttl").map_or(ttl, span);
                let min_per_second = option(rest, "reserve").map_or(min_per_second, number);
                let share = option(rest, "share").map_or(share, ratio);
                budget = Budget::new(RetryBudget::LeakyBucket { ttl, min_per_second, share });
                now = Instant::ZERO;
                String::new()
            }
            ["new", name] => {
                budget = Budget::new(match *name {
                    "envoy" => RetryBudget::ENVOY,
                    "grpc" => RetryBudget::GRPC,
                    "unlimited" => RetryBudget::Unlimited,
                    _ => RetryBudget::None,
                });
                String::new()
            }
            ["at", time] => {
                now = moment(time);
                String::new()
            }
            ["requests", n] => {
                (0..number(n)).for_each(|_| budget.on_request(now));
                budget.balance(now).map_or(String::new(), |n| format!("{n} retries in the bank"))
            }
            ["failures", n] => {
                (0..number(n)).for_each(|_| budget.on_failure());
                String::new()
            }
            ["successes", n] => {
                (0..number(n)).for_each(|_| budget.on_success());
                String::new()
            }
            ["retries", n] => {
                let granted = (0..number(n)).filter(|_| budget.try_retry(now, 0, 0)).count();
                format!("{granted} of {n} granted")
            }
            ["under-way", under_way, "retries", retries] => {
                let granted = budget.try_retry(now, number(under_way), number(retries));
                if granted { "granted".into() } else { "denied".into() }
            }
            ["balance"] => format!("{} retries in the bank", budget.balance(now).expect("a number")),
            _ => panic!("no such command: {words:?}"),
        })
    });
}

#[test]
fn breaker() {
    let mut breaker = Breaker::new(BreakerConfig::RESILIENCE4J);
    let mut now = Instant::ZERO;
    base::golden::check(ROOT, "testdata/breaker.txt", |block| {
        lines(block, |words| {
            let times = words.last().and_then(|w| w.strip_prefix('x')).map_or(1, number);
            let mut admitted = 0;
            let mut ends = |class, latency| {
                for _ in 0..times {
                    breaker.record(now, class, latency);
                }
            };
            match words[0] {
                "new" => {
                    let standard = BreakerConfig::RESILIENCE4J;
                    breaker = Breaker::new(BreakerConfig {
                        window: option(words, "window").map_or(standard.window, number),
                        min_calls: option(words, "min").map_or(standard.min_calls, number),
                        failure_rate: option(words, "failures").map_or(standard.failure_rate, ratio),
                        slow_rate: option(words, "slow").map_or(standard.slow_rate, ratio),
                        slow_after: option(words, "slow-after").map_or(standard.slow_after, span),
                        half_open_calls: option(words, "probes").map_or(standard.half_open_calls, number),
                        ..standard
                    });
                }
                "at" => {
                    now = moment(words[1]);
                    return String::new();
                }
                "ok" => ends(Class::Success, Duration::ms(5)),
                "fail" => ends(Class::ServerError, Duration::ms(5)),
                "slow" => ends(Class::Success, span(words[1])),
                "release" => breaker.release(),
                "ask" => {
                    (0..times).for_each(|_| admitted += u32::from(breaker.admit(now)));
                    return format!("{}: {admitted} of {times} admitted", breaker.state());
                }
                other => panic!("no such command: {other}"),
            }
            let rate = breaker.failure_rate().map_or("too few calls".into(), |rate| format!("{rate} failures"));
            format!("{}, {rate}", breaker.state())
        })
    });
}

#[test]
fn upstream() {
    let mut upstream = Upstream::new(Policy::none());
    let mut now = Instant::from_secs(1);
    let mut draw = Seed(42).stream("golden");
    base::golden::check(ROOT, "testdata/upstream.txt", |block| {
        lines(block, |words| {
            let times = words.last().and_then(|w| w.strip_prefix('x')).map_or(1, number);
            let class = |name: &str| Class::from_name(name).expect("a class");
            let mut said = Vec::new();
            match words[0] {
                "new" => {
                    let mut policy = Policy::from_name(words[1]).expect("a policy");
                    if let Some(n) = option(words, "max-requests") {
                        policy.limits.max_requests = number(n);
                    }
                    if let Some(n) = option(words, "retries") {
                        policy.retry.as_mut().expect("a retry policy").max_retries = number(n);
                    }
                    if option(words, "budget") == Some("envoy") {
                        policy.budget = RetryBudget::ENVOY;
                    }
                    if let Some(n) = option(words, "max-pending") {
                        policy.limits.max_pending = number(n);
                    }
                    if option(words, "breaker") == Some("4") {
                        policy.breaker = Some(BreakerConfig { window: 4, min_calls: 4, ..BreakerConfig::RESILIENCE4J });
                    }
                    upstream = Upstream::new(policy);
                }
                "begin" => (0..times).for_each(|_| said.extend(upstream.begin(now).err().map(|r| r.to_string()))),
                "done" => (0..times)
                    .for_each(|_| upstream.attempt_done(now, number(words[1]), class(words[2]), Duration::ms(3))),
                "cancel" => upstream.attempt_cancelled(number(words[1])),
                "retry" => {
                    for _ in 0..times {
                        let pause = upstream.retry(now, number(words[1]), Duration::ZERO, class(words[2]), &mut draw);
                        said.push(if pause.is_some() { "retry".into() } else { "give up".into() });
                    }
                }
                "start-retry" => {
                    (0..times).for_each(|_| said.extend(upstream.retry_started(now).err().map(|r| r.to_string())))
                }
                "cancel-retry" => upstream.retry_cancelled(),
                "wait" => (0..times).for_each(|_| said.extend(upstream.wait().err().map(|r| r.to_string()))),
                "wait-over" => upstream.wait_over(),
                "at" => {
                    now = moment(words[1]);
                    return String::new();
                }
                "denied" => return format!("{} retries denied", upstream.retries_denied()),
                other => panic!("no such command: {other}"),
            }
            let limiter = upstream.limiter();
            said.push(format!("{} under way, {} retries", limiter.requests(), limiter.retries()));
            if limiter.pending() > 0 {
                said.push(format!("{} waiting", limiter.pending()));
            }
            said.join(", ")
        })
    });
}

#[test]
fn weights_send_the_shares_they_say() {
    let mut route = Route { name: "canary".into(), matches: Vec::new(), action: Action::to(ServiceId(0)) };
    let version = |v, weight| Destination { service: ServiceId(0), version: Some(VersionId(v)), weight };
    let mut draw = Seed(7).stream("weights");

    route.action.destinations = vec![version(0, 95), version(1, 5), version(2, 0)];
    let n = 100_000;
    let mut counts = [0u32; 3];
    for _ in 0..n {
        counts[route.choose(&mut draw).unwrap().version.unwrap().index()] += 1;
    }
    let sigma = (f64::from(n) * 0.05 * 0.95).sqrt();
    assert!((f64::from(counts[1]) - f64::from(n) * 0.05).abs() < 4.0 * sigma, "{counts:?}");
    assert_eq!(counts[2], 0);

    route.action.destinations = vec![version(0, 0), version(1, 7)];
    assert!((0..1000).all(|_| route.choose(&mut draw).unwrap().version == Some(VersionId(1))));
    for nobody in [vec![version(0, 0), version(1, 0)], vec![version(0, 0)], vec![]] {
        route.action.destinations = nobody;
        assert_eq!(route.choose(&mut draw), None);
    }
}

#[test]
fn a_change_of_weights_moves_no_later_draw() {
    let mut route = Route { name: "canary".into(), matches: Vec::new(), action: Action::to(ServiceId(0)) };
    let version = |v, weight| Destination { service: ServiceId(0), version: Some(VersionId(v)), weight };
    let after = |route: &Route| {
        let mut draw = Seed(8).stream("weights");
        route.choose(&mut draw);
        draw.next_u64()
    };
    route.action.destinations = vec![version(0, 100), version(1, 0)];
    let before = after(&route);
    for (stable, canary) in [(95, 5), (0, 100), (0, 0)] {
        route.action.destinations = vec![version(0, stable), version(1, canary)];
        assert_eq!(after(&route), before, "at {stable} to {canary}");
    }
}

#[test]
fn the_second_retry_waits_longer_than_the_first() {
    let mut upstream = Upstream::new(Policy::grpc());
    let mut draw = Seed(8).stream("grpc");
    let mut pause = |n| upstream.retry(Instant::ZERO, n, Duration::ZERO, Class::Refused, &mut draw).expect("a pause");
    assert!((80.0..=120.0).contains(&pause(0).as_millis_f64()));
    assert!((160.0..=240.0).contains(&pause(1).as_millis_f64()));
}

#[test]
fn deadlines_are_the_earliest_of_all_that_apply() {
    let mut policy = Policy::envoy();
    let now = Instant::from_secs(100);
    assert_eq!(policy.deadline(now, None), Instant::from_secs(115));
    assert_eq!(policy.deadline(now, Some(Instant::from_secs(110))), Instant::from_secs(110));
    assert_eq!(policy.deadline(now, Some(Instant::from_secs(120))), Instant::from_secs(115));
    assert_eq!(Policy::none().deadline(now, None), Instant::MAX);

    let deadline = Instant::from_secs(115);
    assert_eq!(policy.attempt_deadline(now, deadline), deadline);
    policy.retry.as_mut().unwrap().per_try_timeout = Some(Duration::secs(2));
    assert_eq!(policy.attempt_deadline(now, deadline), Instant::from_secs(102));
    assert_eq!(policy.attempt_deadline(Instant::from_secs(114), deadline), deadline);
}

#[test]
fn full_jitter_is_even() {
    let mut draw = Seed(3).stream("jitter");
    let n = 100_000;
    let sum: f64 = (0..n).map(|_| Backoff::ENVOY.delay(2, Duration::ZERO, &mut draw).as_millis_f64()).sum();
    let even = Dist::Uniform { low: Duration::ZERO, high: Duration::ms(50) }.mean().as_millis_f64();
    // A standard deviation of 50 / √12 ms over the root of n draws.
    assert!((sum / f64::from(n) - even).abs() < 4.0 * 14.434 / f64::from(n).sqrt(), "{}", sum / f64::from(n));
}
