//! Random faults on a stack with a rollout, one plan a seed: no promise is broken while they happen, and calm restores
//! what must be restored.
//!
//! Every kind of fault is drawn, against every role, several at once, all over before calm begins. A seed that ever
//! failed is kept below with one sentence of why.

use crate::common::{canary, rolling, stack};
use base::{Dist, Draw, Duration, Instant, Ratio, Rng, Seed, ZoneId};
use kernel::node::Failing;
use kernel::{Crash, Fault, FaultKind, Path, Selector, fault};
use world::outcome::CheckKind;
use world::{Options, Outcome, Spec, run};

/// One of these, each as likely.
fn one<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.below(of.len() as u32) as usize].clone()
}

fn whom(rng: &mut Rng) -> Selector {
    let tags = ["backend", "frontend", "gateway", "registry", "controller", "coordination", "load"];
    let tag = Selector::Tag(one(rng, &tags).to_string());
    match rng.below(5) {
        0 => Selector::OneOf(Box::new(tag)),
        1 => Selector::Share(Ratio::percent(40), Box::new(tag)),
        2 => Selector::Zone(ZoneId(rng.below(3))),
        3 => Selector::OneOf(Box::new(Selector::All)),
        _ => tag,
    }
}

fn path(rng: &mut Rng) -> Path {
    let from = whom(rng);
    let to = if rng.below(2) == 0 { Selector::Not(Box::new(from.clone())) } else { whom(rng) };
    Path { from, to, one_way: rng.below(3) == 0 }
}

fn kind(rng: &mut Rng) -> FaultKind {
    let whom = whom(rng);
    let share = Ratio::percent(1 + rng.below(60));
    match rng.below(17) {
        0 | 1 => fault::Crash { whom, how: one(rng, &[Crash::Process, Crash::Machine]) }.into(),
        2 => fault::Pause { whom }.into(),
        3 => fault::Slow { whom, factor: f64::from(2 + rng.below(20)) }.into(),
        4 | 5 => fault::Partition { path: path(rng) }.into(),
        6 => fault::Clog { whom }.into(),
        7 => fault::Swizzle { whom }.into(),
        8 => fault::Delay {
            path: path(rng),
            by: Dist::Exponential { mean: Duration::ms(u64::from(1 + rng.below(300))) },
        }
        .into(),
        9 => fault::Loss { path: path(rng), share }.into(),
        10 => fault::Throttle { path: path(rng), bits_per_second: 1_000_000 }.into(),
        11 => fault::DiskSlow { whom, factor: 50.0 }.into(),
        12 => fault::DiskFull { whom }.into(),
        13 => fault::DiskCorrupt { whom }.into(),
        14 => fault::ClockStep { whom, by_ns: i64::from(rng.below(10_000)) * 1_000_000 - 5_000_000_000 }.into(),
        15 => fault::Errors { whom, failing: Failing { share, after: Duration::ms(1) } }.into(),
        _ => fault::ClockDrift { whom, ppb: rng.below(200_000) as i32 - 100_000 }.into(),
    }
}

fn faults(rng: &mut Rng) -> Vec<Fault> {
    let fault = |n: u32, rng: &mut Rng| {
        let (at, lasts) = (10 + rng.below(40), 1 + rng.below(15));
        Fault {
            name: format!("fault {n}"),
            at: Instant::from_secs(u64::from(at)),
            lasts: Some(Duration::secs(u64::from(lasts))),
            kind: kind(rng),
        }
    };
    let count = 1 + rng.below(8);
    (0..count).map(|n| fault(n, rng)).collect()
}

pub(crate) fn spec(seed: u64) -> Spec {
    let rng = &mut Seed(seed).stream("chaos");
    let mut spec = stack();
    spec.rollouts = vec![one(rng, &[canary(), rolling()])];
    if rng.below(2) == 0 {
        spec.services[1].versions[1].error_rate = Ratio::ZERO;
    }
    spec.faults = faults(rng);
    // Without it, a gateway's machine that dies without a word leaves its clients hanging, and the invariant says so.
    if let Some(gateway) = &mut spec.gateway {
        gateway.client_timeout = Some(Duration::secs(5));
    }
    // Time for a lock's delay, a rollout's drains and the longest retransmission to pass.
    spec.phases.storm = Duration::secs(65);
    spec.phases.calm = Duration::secs(300);
    for load in &mut spec.loads {
        load.arrivals = world::spec::Arrivals::Poisson { rate: 60.0 };
    }
    spec
}

fn survives(seed: u64) {
    keeps_its_promises(&spec(seed), seed);
}

/// Runs it, and expects that nothing was broken but what only sometimes happens.
pub(crate) fn keeps_its_promises(spec: &Spec, seed: u64) -> Outcome {
    let outcome = run(spec, Seed(seed), &Options::default()).outcome;
    let plan: Vec<String> = spec.faults.iter().map(ToString::to_string).collect();
    let broken: Vec<_> = outcome.checks.iter().filter(|c| c.violations > 0 && c.kind != CheckKind::Sometimes).collect();
    assert!(broken.is_empty(), "seed {seed}: {broken:#?}\n{}\n{:#?}", plan.join("\n"), outcome.rollouts);
    outcome
}

#[test]
fn whatever_happens_the_promises_hold() {
    (1..=60).for_each(survives);
}

#[test]
fn whatever_happens_where_requests_share_processors_the_promises_hold() {
    for seed in 1..=30 {
        let mut spec = spec(seed);
        let rng = &mut Seed(seed).stream("processors");
        for service in &mut spec.services {
            service.processors = Some(one(rng, &[0.3, 1.0, 2.0, 6.5]));
        }
        keeps_its_promises(&spec, seed);
    }
}

#[test]
fn a_lock_store_whose_disk_rotted_still_grants_newer_tokens() {
    // Bit rot took the record of the largest token, so after a restart the store granted older ones, and a rollout that
    // rightly refuses those waited for ever.
    survives(1795);
}
