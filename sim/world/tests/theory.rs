//! Queues against the closed forms of queueing theory.
//!
//! Each case is run under several seeds; the mean response time over the runs must lie within the confidence interval
//! around the exact value, and the interval must be so narrow that an error of 2 % would fall outside it. Service
//! takes a millisecond on average and the network takes no time, so response times read in units of the mean service.
//!
//! The formulas are in [`world::theory`], which is itself held against published tables here.

use crate::common::{ideal, poisson, service};
use balancer::Strategy;
use base::{Dist, Duration, Ratio, Seed};
use world::spec::{Arrivals, LoadSpec, ServiceSpec};
use world::theory::{self, shorter_of_two};
use world::{Options, Verdict, run};

/// Student's t for a two-sided interval that holds 999 times in a thousand, with 7 degrees of freedom.
const T_7: f64 = 5.408;
const RUNS: u64 = 8;

/// Runs a service at load `rho` per server and compares the mean response time, in milliseconds, with `exact`.
/// `slack` is what the theory itself may be off, as a share: zero for an exact result.
fn holds(api: ServiceSpec, rho: f64, exact: f64, requests: f64, slack: f64) {
    // A single queue relaxes in about (1 − √ρ)⁻² services; a thousand with two choices in a few dozen.
    let relaxation = if api.instances > 100 { 10.0 } else { 1.0 / ((1.0 - rho.sqrt()) * (1.0 - rho.sqrt())) };
    let servers = f64::from(api.instances) * api.room();
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

/// The five loads of the tables.
const LOADS: [f64; 5] = [0.5, 0.7, 0.9, 0.95, 0.99];

/// Compares with a printed row: half a unit of the last digit is all it may be off.
fn row(name: &str, computed: impl Fn(f64) -> f64, printed: [&str; 5]) {
    for (rho, printed) in LOADS.into_iter().zip(printed).filter(|(_, p)| !p.is_empty()) {
        let digits = printed.split_once('.').map_or(0, |(_, d)| d.len() as u32);
        let half = 0.501 * base::math::pow(10.0, -f64::from(digits));
        let (x, y) = (computed(rho), printed.parse::<f64>().unwrap());
        assert!((x - y).abs() <= half, "{name} at {rho}: {x} is not {printed}");
    }
}

#[test]
fn mean_responses_are_the_published_ones() {
    row("M/M/1", |r| theory::mm1(r).mean, ["2", "3.3333", "10", "20", "100"]);
    row("M/D/1", |r| theory::md1(r).mean, ["1.5", "2.1667", "5.5", "10.5", "50.5"]);
    row("M/G/1 C² = 4", |r| theory::mg1(4.0, r).mean, ["3.5", "6.8333", "23.5", "48.5", "248.5"]);
    row("M/G/1 C² = 10", |r| theory::mg1(10.0, r).mean, ["6.5", "13.8333", "50.5", "105.5", "545.5"]);
    row("M/G/1 C² = 25", |r| theory::mg1(25.0, r).mean, ["14", "31.3333", "118", "248", "1288"]);
    row("M/G/1-PS", |r| theory::processor_sharing(r).mean, ["2", "3.3333", "10", "20", "100"]);
    row("M/M/2", |r| theory::mmc(2, r).mean, ["1.333333", "1.960784", "5.263158", "10.25641", "50.251256"]);
    row("M/M/4", |r| theory::mmc(4, r).mean, ["1.086957", "1.357212", "2.969383", "5.457095", "25.447629"]);
    row("M/M/10", |r| theory::mmc(10, r).mean, ["1.007221", "1.07391", "1.668732", "2.651171", "10.637384"]);
    row("M/M/100", |r| theory::mmc(100, r).mean, ["", "", "1.021694", "1.101291", "1.882768"]);
    row("RR 2", |r| theory::round_robin(2, r).mean, ["1.618034", "2.600623", "7.588284", "15.085725", "75.083799"]);
    row("RR 4", |r| theory::round_robin(4, r).mean, ["1.432523", "2.236694", "6.38305", "12.628882", "62.625755"]);
    row("RR 10", |r| theory::round_robin(10, r).mean, ["1.324642", "2.019804", "5.660276", "11.154948", "55.150961"]);
    row("RR 100", |r| theory::round_robin(100, r).mean, ["1.26186", "1.890481", "5.226811", "10.270681", "50.666103"]);
    row("D/M/1", |r| theory::dm1(r).mean, ["1.255001", "1.87616", "5.178659", "10.172434", "50.167786"]);
    row("d = 2", |r| theory::supermarket(2, r).mean, ["1.265686", "1.614454", "2.614057", "3.383046", "5.431997"]);
    row("d = 3", |r| theory::supermarket(3, r).mean, ["1.125244", "1.356842", "2.027856", "2.535133", "3.857847"]);
    row("d = 5", |r| theory::supermarket(5, r).mean, ["1.03125", "1.168093", "1.632881", "1.988772", "2.901683"]);
    row("d = 10", |r| theory::supermarket(10, r).mean, ["1.000977", "1.028248", "1.348688", "1.602282", "2.235429"]);
    // The chain has to reach far at high load: cut off at 130 in the shorter queue it would say 10.486429 at 0.95.
    row("JSQ 2", |r| shorter_of_two(1.0, r).mean, ["1.426321", "2.108197", "5.474913", "10.486639", ""]);
    row("P2C 2", |r| shorter_of_two(0.75, r).mean, ["1.596561", "2.362314", "5.864685", "10.926230", ""]);
    row("JIQ 10", |r| theory::join_idle_queue(10.0, r).mean, ["1.0909", "1.2121", "1.8182", "2.7273", "10.0"]);
    let struck_off = |r| theory::join_idle_queue_struck_off(10.0, r).mean;
    row("JIQ 10, struck off", struck_off, ["1.0710", "1.1793", "1.7654", "2.6673", "9.9331"]);
    // Not published: our own chain, to which the simulator is held in `yardsticks`.
    let kept = |r| theory::join_idle_queue_kept(10.0, r).mean;
    row("JIQ 10, kept", kept, ["1.1289", "1.2589", "1.8366", "2.6803", "9.3976"]);
}

#[test]
fn percentiles_are_the_published_ones() {
    let p = |p: f64, of: fn(f64) -> theory::Response| move |r: f64| of(r).quantile(p).unwrap();
    let round_robin_10 = p(0.99, |r| theory::round_robin(10, r));
    row("M/M/1 p99", p(0.99, theory::mm1), ["9.2103", "15.3506", "46.0517", "92.1034", "460.517"]);
    row("M/M/10 p99", p(0.99, |r| theory::mmc(10, r)), ["4.6142", "4.7103", "6.2499", "10.2085", "46.736"]);
    row("M/M/100 p99", p(0.99, |r| theory::mmc(100, r)), ["4.6052", "4.6052", "4.629", "4.7244", "6.5149"]);
    row("RR 10 p99", round_robin_10, ["6.1002", "9.3015", "26.0665", "51.3704", "253.98"]);
    row("d = 2 p50", p(0.5, |r| theory::supermarket(2, r)), [".9016", "1.2141", "2.2019", "2.9937", "5.1022"]);
    row("d = 2 p99", p(0.99, |r| theory::supermarket(2, r)), ["5.5754", "6.5607", "8.791", "10.2177", "13.4968"]);
    row("d = 2 p99.9", p(0.999, |r| theory::supermarket(2, r)), ["8.18", "9.37", "11.93", "13.53", "17.15"]);
}

#[test]
fn the_chain_agrees_with_what_is_known_at_its_ends() {
    // Light traffic: nobody meets anybody. With one queue for both, M/M/2 is a bound from below.
    assert!((shorter_of_two(1.0, 1e-4).mean - 1.0).abs() < 1e-6);
    for rho in [0.3, 0.8, 0.97] {
        assert!(shorter_of_two(1.0, rho).mean > theory::mmc(2, rho).mean);
        assert!(shorter_of_two(0.75, rho).mean > shorter_of_two(1.0, rho).mean);
        assert!(shorter_of_two(0.75, rho).mean < theory::mm1(rho).mean);
    }
}

/// Erlang's formula, as a mean.
fn mmc(servers: u32, rho: f64) -> f64 {
    theory::mmc(servers, rho).mean
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

/// So many instances with one processor each, that whoever is there shares.
fn sharing(strategy: Strategy, instances: u32, service_time: Dist) -> ServiceSpec {
    ServiceSpec { processors: Some(1.0), concurrency: 10_000, service_time, ..with(strategy, instances) }
}

/// Half a millisecond, and 10.5 with a chance of a twentieth: a mean of one, C² = 4.75.
fn mostly_fast() -> Dist {
    Dist::Bimodal { fast: Duration::us(500), slow: Duration::us(10_500), slow_share: Ratio::percent(5) }
}

#[test]
fn m_g_1_processor_sharing_does_not_ask_how_service_is_distributed() {
    let exact = theory::processor_sharing(0.7).mean;
    for (dist, requests) in [
        (Dist::Constant(Duration::ms(1)), 3e6),
        (Dist::Exponential { mean: Duration::ms(1) }, 4e6),
        (mostly_fast(), 6e6),
    ] {
        holds(sharing(Strategy::RANDOM, 1, dist), 0.7, exact, requests, 0.0);
    }
}

#[test]
fn m_m_c_with_shared_processors_has_as_many_in_it_as_with_a_queue() {
    let pool = |processors: f64| ServiceSpec { processors: Some(processors), concurrency: 10_000, ..service("api", 1) };
    holds(pool(4.0), 0.7, mmc(4, 0.7), 2e6, 0.0);
    // Half a processor is one that is half as fast.
    holds(pool(0.5), 0.7, 2.0 * mmc(1, 0.7), 4e6, 0.0);
}

#[test]
fn the_shorter_of_two_shared_processors_hardly_asks_how_service_is_distributed() {
    // Gupta, Harchol-Balter, Sigman and Whitt, "Analysis of join-the-shortest-queue routing for web server farms",
    // Performance Evaluation 64 (2007): exponential service is that of queues, and the others are within 2 % of it or
    // so.
    let exact = shorter_of_two(1.0, 0.7).mean;
    holds(sharing(Strategy::FULL_SCAN, 2, Dist::Exponential { mean: Duration::ms(1) }), 0.7, exact, 4e6, 0.0);
    holds(sharing(Strategy::FULL_SCAN, 2, mostly_fast()), 0.7, exact, 14e6, 0.009);
}

#[test]
fn m_d_1() {
    holds(taking(Dist::Constant(Duration::ms(1))), 0.7, theory::md1(0.7).mean, 2e6, 0.0);
}

#[test]
fn m_g_1_by_pollaczek_and_khinchine() {
    // 5 % take 8.714 ms, the others 0.594 ms: mean 1 ms, and a variance of 0.05 · 0.95 · 8.12² = 3.132.
    let (fast, slow) = (Duration::us(594), Duration::us(8_714));
    let dist = Dist::Bimodal { fast, slow, slow_share: Ratio::percent(5) };
    holds(taking(dist), 0.5, theory::mg1(0.05 * 0.95 * 8.12 * 8.12, 0.5).mean, 4e6, 0.0);
    // A lognormal with σ² = ln 2 has C² = 1: its mean response time is that of M/M/1, though the shape differs.
    let sigma = base::math::ln(2.0).sqrt();
    let mu = base::math::ln(1e6) - sigma * sigma / 2.0;
    holds(taking(Dist::LogNormal { mu, sigma }), 0.5, theory::mg1(1.0, 0.5).mean, 2e6, 0.0);
}

#[test]
fn round_robin_is_an_erlang_queue() {
    holds(with(Strategy::ROUND_ROBIN, 2), 0.7, theory::round_robin(2, 0.7).mean, 3e6, 0.0);
    holds(with(Strategy::ROUND_ROBIN, 10), 0.7, theory::round_robin(10, 0.7).mean, 3e6, 0.0);
}

#[test]
fn random_split_is_m_m_1() {
    holds(with(Strategy::RANDOM, 10), 0.5, mmc(1, 0.5), 2e6, 0.0);
}

#[test]
fn two_choices_are_the_supermarket_model() {
    // With a thousand servers the model for infinitely many is 0.1 % off.
    holds(with(Strategy::P2C, 1_000), 0.9, theory::supermarket(2, 0.9).mean, 8e6, 0.003);
    holds(with(Strategy::P2C, 1_000), 0.5, theory::supermarket(2, 0.5).mean, 3e6, 0.002);
}

#[test]
fn two_servers_are_the_exact_chain() {
    // Distinct choices among two are the shorter queue; with replacement the longer one gets a quarter.
    holds(with(Strategy::P2C, 2), 0.7, shorter_of_two(1.0, 0.7).mean, 3e6, 0.0);
    holds(with(Strategy::FULL_SCAN, 2), 0.5, shorter_of_two(1.0, 0.5).mean, 2e6, 0.0);
    holds(with(Strategy::LEAST_REQUEST, 2), 0.7, shorter_of_two(0.75, 0.7).mean, 3e6, 0.0);
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
