//! What balancing costs: the time of a pick on this machine, taken after the runs, when nothing else is at work.
//!
//! It is no part of a run, whose figures are those of every machine, and it is taken only when asked for: a report with
//! times in it is not, byte for byte, the one of another day.

use super::items;
use base::{Draw, Duration, InstanceId, Instant, Seed};
use scenarios::study::{Content, Study};
use std::hint::black_box;
use std::sync::Arc;
use std::time;
use study::PickTime;
use world::balancer::eligibility::{Candidate, Cluster, Peers};
use world::balancer::hashing::ListedStructure;
use world::balancer::{Host, ProbeReply, Report, Request, Response};
use world::spec::ServiceSpec;

/// Requests under way while picks are timed.
const UNDER_WAY: usize = 64;
/// How long a batch lasts at least, and how many there are; the median of them counts.
const BATCH: time::Duration = time::Duration::from_millis(10);
const BATCHES: usize = 9;

/// The time of a pick for everything that a study's cells balance by, each once, in their order. Each takes a tenth of
/// a second, or as long as some thousand picks take.
pub(super) fn times(study: &Study) -> Vec<PickTime> {
    let mut all: Vec<PickTime> = Vec::new();
    for (_, _, content) in study.stable() {
        let Some(Task { what, hosts, take }) = task(&study.plan.service, content) else { continue };
        if !all.iter().any(|one| one.what == what && one.hosts == hosts) {
            all.push(PickTime { what, hosts, nanoseconds: take() });
        }
    }
    all
}

/// What a cell balances by, over how many hosts, and what measures it.
struct Task {
    what: String,
    hosts: u32,
    take: Box<dyn FnOnce() -> f64>,
}

fn task(service: &str, content: &Content) -> Option<Task> {
    match content {
        Content::World(scenario) => {
            let spec = items::lowered(scenario, Seed(0));
            let service = spec.services.iter().find(|one| one.name == service)?.clone();
            let around = if service.eligibility.is_some() { ", rules around it" } else { "" };
            let what = format!("{}{around}", service.balancer);
            let candidate = |n| {
                let host = Host { instance: InstanceId(n), weight: service.template.weight(n) };
                Candidate { zone: spec.zone_in_turn(n), ..Candidate::new(host) }
            };
            let hosts = service.instances;
            let candidates: Vec<Candidate> = (0..hosts).map(candidate).collect();
            Some(Task { what, hosts, take: Box::new(move || passage(&service, candidates)) })
        }
        Content::Hashing(hashing) => {
            let (kind, backends) = (hashing.kind(), hashing.listed(Seed(0)));
            let what = hashing.to_string();
            let take = move || {
                let Ok(built) = ListedStructure::build(kind, &backends, None) else { return 0.0 };
                let hashes = hashes();
                median(|i| {
                    black_box(built.structure().lookup(hashes[i as usize % hashes.len()]));
                })
            };
            Some(Task { what, hosts: hashing.backends, take: Box::new(take) })
        }
    }
}

/// The time of a pick with what goes with it: counting the request in, and out again with its answer.
fn passage(service: &ServiceSpec, candidates: Vec<Candidate>) -> f64 {
    let rules = service.eligibility.clone().map(Arc::new);
    let mut cluster = Cluster::new(service.balancer, rules, Peers::alone(), Seed(0).stream("study/picks"));
    cluster.update(Instant::ZERO, candidates);
    let mut under_way: [Option<(usize, InstanceId)>; UNDER_WAY] = [None; UNDER_WAY];
    let hashes = hashes();
    median(|i| {
        let now = Instant::from_nanos(i * 10_000);
        let slot = &mut under_way[i as usize % UNDER_WAY];
        if let Some((index, instance)) = slot.take() {
            let report = Report { qps: 10.0, utilization: 0.5, in_flight: 3, ..Report::default() };
            let answer = Response { report: Some(report), ..Response::success(Duration::us(640)) };
            cluster.finished(now, index, instance, &answer);
        }
        if let Some(index) = black_box(cluster.pick(now, Request { hash: hashes[i as usize % hashes.len()] })) {
            cluster.started(index);
            *slot = Some((index, cluster.hosts()[index].instance));
        }
        while let Some(index) = cluster.probe(now) {
            let instance = cluster.hosts()[index].instance;
            cluster.probed(now, instance, ProbeReply { in_flight: i as u32 % 5, latency: Duration::ms(1) });
        }
    })
}

/// What requests are routed by, as many as stay in the cache.
fn hashes() -> Vec<u64> {
    let mut rng = Seed(0).stream("study/picks/keys");
    (0..1 << 12).map(|_| rng.next_u64()).collect()
}

/// The median time of one call, in nanoseconds. Calls are numbered on through all batches.
fn median(mut call: impl FnMut(u64)) -> f64 {
    let mut next = 0..;
    let mut batch = |calls: u64| {
        let start = time::Instant::now();
        next.by_ref().take(calls as usize).for_each(&mut call);
        start.elapsed()
    };
    // The first calls fill caches and buffers; and then one finds out how many make a batch.
    let mut calls = 256;
    while batch(calls) < BATCH {
        calls *= 2;
    }
    let mut taken: Vec<time::Duration> = (0..BATCHES).map(|_| batch(calls)).collect();
    taken.sort_unstable();
    taken[BATCHES / 2].as_nanos() as f64 / calls as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_is_seen_to_take_longer() {
        let spin = |turns: u64| median(move |i| (0..turns).for_each(|turn| _ = black_box(i ^ turn)));
        let (short, long) = (spin(100), spin(3_000));
        assert!(short > 0.0 && long > 5.0 * short, "{short} ns, {long} ns");
    }
}
