//! A pick and a lookup never ask for memory, whichever the strategy or the structure.

use balancer::hashing::{
    Anchor, BoundedLoad, Dx, HashFunction, Jump, Ketama, Maglev, Memento, Modulo, MultiProbe, Nginx, Rendezvous, Ring,
    xxh64,
};
use balancer::strategy::catalogue;
use balancer::{Balancer, Host, ProbeReply, Report, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed};
use benches::counting::{self, Counting};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const HOSTS: u32 = 100;
const CALLS: u64 = 10_000;

/// Asserts that `call`, made for many numbers, asks for nothing. It is made `before` that so often that buffers have
/// the room that they will need.
fn assert_silent(name: &str, before: u64, mut call: impl FnMut(u64)) {
    (0..before).for_each(&mut call);
    let ((), usage) = counting::usage_of(|| (before..before + CALLS).for_each(&mut call));
    assert_eq!(usage.asked, 0, "{name} asks for memory");
}

/// What every balancer takes beside its hosts: the stream of chance, and a board of its own where one goes by that.
const APART: usize = 4_096;

#[test]
fn a_balancer_says_how_much_memory_it_takes() {
    for info in catalogue::all() {
        for hosts in [1_000, 4_000] {
            let hosts: Vec<_> = (0..hosts).map(|i| Host { instance: InstanceId(i), weight: i % 5 + 1 }).collect();
            let (balancer, usage) = counting::usage_of(|| {
                let mut balancer = Balancer::new(Strategy::of(info), Seed(1).stream("picks"));
                balancer.update(Instant::ZERO, &hosts);
                // Some remember what they pick, and all remember the hosts from before.
                (0..20_000).for_each(|hash| {
                    black_box(balancer.pick(Instant::ZERO, Request { hash }));
                });
                balancer.update(Instant::ZERO, &hosts);
                balancer
            });
            let (said, live) = (balancer.bytes() - size_of::<Balancer>(), usage.live as usize);
            // A structure counts itself as well, which is a part of the balancer here.
            assert!(said <= live + 256, "{}: {said} bytes said, {live} taken", info.name);
            assert!(live <= 2 * said + APART, "{}: {said} bytes said, {live} taken", info.name);
        }
    }
}

#[test]
fn a_pick_allocates_nothing() {
    for info in catalogue::all() {
        for weighted in [false, true] {
            let mut balancer = Balancer::new(Strategy::of(info), Seed(1).stream("picks"));
            let weight = |i| if weighted { i % 5 + 1 } else { 1 };
            let hosts: Vec<_> = (0..HOSTS).map(|i| Host { instance: InstanceId(i), weight: weight(i) }).collect();
            balancer.update(Instant::ZERO, &hosts);
            let mut under_way = [None; 64];
            // A stream of chance takes its room at the first draw, and counts their columns as they first rise.
            assert_silent(info.name, 10_000, |i| {
                let now = Instant::from_nanos(i * 1_000);
                let request = Request { hash: xxh64(&i.to_le_bytes(), 0) };
                let slot = &mut under_way[i as usize % 64];
                if let Some(index) = slot.take() {
                    let report = Report { qps: 10.0, utilization: 0.5, in_flight: 3, ..Report::default() };
                    let response = Response { report: Some(report), ..Response::success(Duration::ms(i % 7 + 1)) };
                    balancer.finished(now, index, InstanceId(index as u32), &response);
                }
                if let Some(index) = black_box(balancer.pick(now, request)) {
                    balancer.started(index);
                    *slot = Some(index);
                }
                while let Some(index) = balancer.probe(now) {
                    let reply = ProbeReply { in_flight: i as u32 % 5, latency: Duration::ms(2) };
                    balancer.probed(now, InstanceId(index as u32), reply);
                }
                black_box(balancer.pick_except(now, request, &[InstanceId(i as u32 % HOSTS)], 5));
            });
        }
    }
}

#[test]
fn a_lookup_allocates_nothing() {
    let names: Vec<_> = (0..HOSTS).map(|i| (format!("10.0.0.{i}:8080"), i % 5 + 1)).collect();
    let weighted: Vec<_> = names.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
    let hosts: Vec<_> = names.iter().map(|(name, _)| (name.as_str(), 1)).collect();

    fn assert_lookup(name: &str, lookup: impl Fn(u64) -> usize) {
        assert_silent(name, 0, |i| {
            black_box(lookup(xxh64(&i.to_le_bytes(), 0)));
        });
    }
    let modulo = Modulo::new(&weighted);
    assert_lookup("modulo", |hash| modulo.lookup(hash));
    let envoy = Ring::envoy(&weighted, Ring::ENVOY_SIZE, HashFunction::Murmur2);
    assert_lookup("ring as Envoy", |hash| envoy.lookup(hash) + envoy.lookup_attempt(hash, 2));
    let ring = Ring::fixed(&hosts, 160, HashFunction::Xxh64);
    assert_lookup("ring", |hash| ring.lookup(hash));
    let ketama = Ketama::new(&weighted);
    assert_lookup("ketama", |hash| ketama.lookup(hash));
    let nginx = Nginx::new(&weighted);
    assert_lookup("nginx", |hash| nginx.lookup(hash) + nginx.lookup_attempt(hash, 1));
    let maglev = Maglev::new(&weighted, Maglev::TABLE_SIZE);
    assert_lookup("maglev", |hash| maglev.lookup(hash) + maglev.lookup_attempt(hash, 1));
    let jump = Jump::new(&hosts);
    assert_lookup("jump", |hash| jump.lookup(hash));
    let even = Rendezvous::new(&hosts);
    assert_lookup("rendezvous", |hash| even.lookup(hash));
    let uneven = Rendezvous::new(&weighted);
    assert_lookup("weighted rendezvous", |hash| uneven.lookup(hash));
    let probes = MultiProbe::new(&hosts, MultiProbe::PROBES);
    assert_lookup("multi-probe", |hash| probes.lookup(hash));

    // With some gone, so that a lookup goes the long way.
    let (mut anchor, mut dx) = (Anchor::new(&hosts, 2 * HOSTS), Dx::new(&hosts, 2 * HOSTS));
    let mut memento = Memento::new(&hosts);
    for place in (0..HOSTS as usize).step_by(3) {
        anchor.remove(place);
        dx.remove(place);
        memento.remove(place);
    }
    assert_lookup("anchor", |hash| anchor.lookup(hash));
    assert_lookup("dx", |hash| dx.lookup(hash));
    assert_lookup("memento", |hash| memento.lookup(hash));

    let mut bounded = BoundedLoad::new(&hosts, 120);
    let active: Vec<u32> = (0..HOSTS).map(|i| i % 7).collect();
    assert_silent("bounded load", 0, |i| {
        let hash = xxh64(&i.to_le_bytes(), 0);
        black_box(bounded.choose(hash, ring.lookup(hash), &active));
    });
}
