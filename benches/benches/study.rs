//! The balancing study: requests per second through the world, beside the hand-written loop.
//!
//! An iteration is a whole run from an empty system, its set-up included, and long enough for the steady state to be
//! nearly all of it.

#[path = "../worlds/study.rs"]
mod study;

use base::Seed;
use benches::{Model, heap_loop};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use world::Options;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("study");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (servers, requests) in [(100, 1_000_000), (1_000, 1_000_000), (10_000, 2_000_000)] {
        let model = Model::bench(servers, requests);
        let spec = study::world(&model);
        group.throughput(Throughput::Elements(u64::from(requests)));
        group.bench_with_input(BenchmarkId::new("heap_loop", servers), &model, |b, model| {
            b.iter(|| heap_loop::run(black_box(model), 1));
        });
        group.bench_with_input(BenchmarkId::new("world", servers), &spec, |b, spec| {
            b.iter(|| world::run(black_box(spec), Seed(1), &Options::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
