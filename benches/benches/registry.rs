//! The registry at size: instances per second that register and renew before a hundred watchers, at 1,000 and at a
//! hundred times as many. A cost that grows with instances plus watchers keeps the ratio of the two near one.

#[path = "../worlds/registry.rs"]
mod registry;
#[path = "../worlds/study.rs"]
mod study;

use base::Seed;
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use world::Options;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("registry");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for instances in [1_000, 10_000, 100_000] {
        let spec = registry::world(instances);
        group.throughput(Throughput::Elements(u64::from(instances)));
        group.bench_with_input(BenchmarkId::new("watched", instances), &spec, |b, spec| {
            b.iter(|| world::run(black_box(spec), Seed(1), &Options::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
