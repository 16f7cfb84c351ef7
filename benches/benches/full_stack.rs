//! The complete stack: requests per second through gateway, registry, retries, breaker and limits, beside the
//! hand-written loop, which has none of them.

#[path = "../worlds/full_stack.rs"]
mod full_stack;
#[path = "../worlds/study.rs"]
mod study;

use base::Seed;
use benches::{Model, heap_loop};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use world::Options;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("full_stack");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for servers in [100, 1_000] {
        let requests = 1_000_000;
        let model = Model::bench(servers, requests);
        let spec = full_stack::world(&model);
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
