//! Queues against the closed forms of queueing theory.
//!
//! Each case is run under several seeds; the mean response time over the runs must lie within the confidence interval
//! around the exact value, and the interval must be so narrow that an error of 2 % would fall outside it. Service
//! takes a millisecond on average and the network takes no time, so response times read in units of the mean service.
//!
//! The formulas, with μ = 1 and load ρ per server: M/M/1 1/(1−ρ); M/M/c by Erlang's C; M/G/1 by Pollaczek and Khinchine;
//! round robin to n servers is E_n/M/1 at each of them; two choices by the supermarket model (Mitzenmacher, "The
//! Power of Two Choices in Randomized Load Balancing", 2001; Vvedenskaya, Dobrushin and Karpelevich, 1996); two servers by
//! the exact Markov chain.

use crate::common::{ideal, poisson, service};
use balancer::Strategy;
use base::{Dist, Duration, Ratio, Seed};
use world::spec::{Arrivals, LoadSpec, ServiceSpec};
use world::{Options, Verdict, run};

/// Student's t for a two-sided interval that holds 999 times in a thousand, with 7 degrees of freedom.
const T_7: f64 = 5.408;
const RUNS: u64 = 8;

/// Runs a service at load `rho` per server and compares the mean response time, in milliseconds, with `exact`.
/// `slack` is what the theory itself may be off, as a share: zero for an exact result.
fn holds(api: ServiceSpec, rho: f64, exact: f64, requests: f64, slack: f64) {
    // A single queue relaxes in about (1 − √ρ)⁻² services; a thousand with two choices in a few dozen.
    let relaxation = if api.instances > 100 { 10.0 } else { 1.0 / ((1.0 - rho.sqrt()) * (1.0 - rho.sqrt())) };
    let servers = f64::from(api.instances * api.concurrency);
    let rate = rho * servers * 1_000.0;
    let measured = Duration::from_secs_f64(requests / RUNS as f64 / rate);
    let warmup = Duration::from_secs_f64(0.020 * relaxation);
    let spec = ideal(vec![api], poisson(rate), warmup, measured);
    let means: Vec<f64> = (1..=RUNS)
        .map(|seed| {
            let outcome = run(&spec, Seed(seed), &Options::default()).outcome;
            assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
            outcome.latency.mean.as_millis_f64()
        })
        .collect();
    let mean = means.iter().sum::<f64>() / RUNS as f64;
    let variance = means.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / (RUNS - 1) as f64;
    let half_width = T_7 * (variance / RUNS as f64).sqrt();
    let said = format!("{mean:.4} ± {half_width:.4} ms, theory {exact:.4} ms");
    assert!((mean - exact).abs() <= half_width + slack * exact, "{said}");
    assert!(half_width + slack * exact < 0.02 * exact, "too short to see an error of 2 %: {said}");
}

fn with(strategy: Strategy, instances: u32) -> ServiceSpec {
    ServiceSpec { balancer: strategy, ..service("api", instances) }
}

fn taking(dist: Dist) -> ServiceSpec {
    ServiceSpec { service_time: dist, ..service("api", 1) }
}

/// Erlang's C formula and the mean response time of M/M/c: 1 + C / (c (1 − ρ)).
fn mmc(c: u32, rho: f64) -> f64 {
    let offered = f64::from(c) * rho;
    let mut blocking = 1.0;
    for k in 1..=c {
        blocking = offered * blocking / (f64::from(k) + offered * blocking);
    }
    let waits = blocking / (1.0 - rho * (1.0 - blocking));
    1.0 + waits / (f64::from(c) * (1.0 - rho))
}

/// Pollaczek and Khinchine: 1 + ρ (1 + C²) / (2 (1 − ρ)).
fn pollaczek_khinchine(variation: f64, rho: f64) -> f64 {
    1.0 + rho * (1.0 + variation) / (2.0 * (1.0 - rho))
}

/// Round robin to n servers: 1 / (1 − σ) with σ = (nρ / (nρ + 1 − σ))ⁿ.
fn round_robin(n: u32, rho: f64) -> f64 {
    let load = f64::from(n) * rho;
    let mut sigma = rho;
    for _ in 0..10_000 {
        let ratio = load / (load + 1.0 - sigma);
        sigma = (0..n).fold(1.0, |product, _| product * ratio);
    }
    1.0 / (1.0 - sigma)
}

/// The supermarket model: Σ ρ^((dⁱ − d) / (d − 1)) over i ≥ 1.
fn supermarket(d: u32, rho: f64) -> f64 {
    let mut sum = 0.0;
    let mut exponent = 0u32;
    loop {
        let term = (0..exponent).fold(1.0, |product, _| product * rho);
        sum += term;
        if term < 1e-15 {
            return sum;
        }
        exponent = exponent * d + d;
    }
}

#[test]
fn the_formulas_give_the_published_values() {
    let table = [
        (mmc(1, 0.9), 10.0),
        (mmc(4, 0.7), 1.357_212),
        (mmc(10, 0.9), 1.668_732),
        (pollaczek_khinchine(0.0, 0.7), 2.166_667),
        (pollaczek_khinchine(4.0, 0.5), 3.5),
        (round_robin(2, 0.7), 2.600_623),
        (round_robin(10, 0.9), 5.660_276),
        (supermarket(2, 0.9), 2.614_057),
        (supermarket(2, 0.5), 1.265_686),
        (supermarket(5, 0.95), 1.988_772),
    ];
    for (computed, published) in table {
        assert!((computed - published).abs() < 2e-6, "{computed} is not {published}");
    }
}

#[test]
fn m_m_1() {
    holds(service("api", 1), 0.5, mmc(1, 0.5), 1e6, 0.0);
    holds(service("api", 1), 0.7, mmc(1, 0.7), 4e6, 0.0);
}

#[test]
fn m_m_c() {
    let pool = |c| ServiceSpec { concurrency: c, ..service("api", 1) };
    holds(pool(4), 0.7, mmc(4, 0.7), 2e6, 0.0);
    holds(pool(10), 0.8, mmc(10, 0.8), 2e6, 0.0);
}

#[test]
fn m_d_1() {
    holds(taking(Dist::Constant(Duration::ms(1))), 0.7, pollaczek_khinchine(0.0, 0.7), 2e6, 0.0);
}

#[test]
fn m_g_1_by_pollaczek_and_khinchine() {
    // 5 % take 8.714 ms, the others 0.594 ms: mean 1 ms, and a variance of 0.05 · 0.95 · 8.12² = 3.132.
    let (fast, slow) = (Duration::us(594), Duration::us(8_714));
    let dist = Dist::Bimodal { fast, slow, slow_share: Ratio::percent(5) };
    holds(taking(dist), 0.5, pollaczek_khinchine(0.05 * 0.95 * 8.12 * 8.12, 0.5), 4e6, 0.0);
    // A lognormal with σ² = ln 2 has C² = 1: its mean response time is that of M/M/1, though the shape differs.
    let sigma = base::math::ln(2.0).sqrt();
    let mu = base::math::ln(1e6) - sigma * sigma / 2.0;
    holds(taking(Dist::LogNormal { mu, sigma }), 0.5, pollaczek_khinchine(1.0, 0.5), 2e6, 0.0);
}

#[test]
fn round_robin_is_an_erlang_queue() {
    holds(with(Strategy::ROUND_ROBIN, 2), 0.7, round_robin(2, 0.7), 3e6, 0.0);
    holds(with(Strategy::ROUND_ROBIN, 10), 0.7, round_robin(10, 0.7), 3e6, 0.0);
}

#[test]
fn random_split_is_m_m_1() {
    holds(with(Strategy::RANDOM, 10), 0.5, mmc(1, 0.5), 2e6, 0.0);
}

#[test]
fn two_choices_are_the_supermarket_model() {
    // With a thousand servers the model for infinitely many is 0.1 % off.
    holds(with(Strategy::P2C, 1_000), 0.9, supermarket(2, 0.9), 8e6, 0.003);
    holds(with(Strategy::P2C, 1_000), 0.5, supermarket(2, 0.5), 3e6, 0.002);
}

#[test]
fn two_servers_are_the_exact_chain() {
    // Distinct choices among two are the shorter queue; with replacement the longer one gets a quarter.
    holds(with(Strategy::P2C, 2), 0.7, 2.108_197, 3e6, 0.0);
    holds(with(Strategy::FULL_SCAN, 2), 0.5, 1.426_321, 2e6, 0.0);
    holds(with(Strategy::LEAST_REQUEST, 2), 0.7, 2.362_314, 3e6, 0.0);
}

#[test]
fn closed_users_follow_the_interactive_response_time_law() {
    // N = X (R + Z): users are throughput times the time of a cycle (Denning and Buzen, 1978).
    let users = LoadSpec {
        arrivals: Arrivals::Closed { users: 20, think: Dist::Exponential { mean: Duration::ms(10) } },
        ..poisson(1.0)
    };
    let spec = ideal(vec![with(Strategy::P2C, 2)], users, Duration::secs(10), Duration::secs(400));
    let outcome = run(&spec, Seed(1), &Options::default()).outcome;
    let throughput = outcome.requests.sent as f64 / 400.0 / 1_000.0;
    let cycle = outcome.latency.mean.as_millis_f64() + 10.0;
    assert!((throughput * cycle / 20.0 - 1.0).abs() < 0.005, "{throughput} per ms in cycles of {cycle} ms");
}
