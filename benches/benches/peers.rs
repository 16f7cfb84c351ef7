//! Ours beside the crates a user would take instead: a lookup or a pick, building it, and a host that leaves and
//! returns.
//!
//! `cargo bench -p benches --bench peers [FILTER]` measures what contains FILTER, as plain text, of names such as
//! `lookup/ring/hashring/1000`. Groups are the operations:
//!
//! - `lookup`: the host for a key, hashing it included, over a million keys in turn, so that a large structure is not
//!   in the cache. For strategies without keys, a pick.
//! - `lookup_in_cache`: the same over a thousand keys, for the two largest fleets: the difference is what cache misses
//!   cost.
//! - `build`: from the list of hosts.
//! - `update`: one host leaves and comes back.
//!
//! Contenders of a family come one after the other, so that a machine that slows down slows all of them. What takes
//! longer than a twentieth of a second is timed by hand, three times at most.
#![expect(clippy::print_stdout, reason = "a bench speaks to whoever runs it")]

#[path = "../peers/mod.rs"]
mod peers;

use benches::by_hand;
use criterion::{BenchmarkId, Criterion};
use peers::{Contender, Fleet, Key, SIZES, Visitor, visit_all};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Keys that together are larger than the first two caches, as are the parts of a structure that they reach.
const KEYS: usize = 1 << 20;
/// Keys of which all that they reach stays in the second cache.
const KEYS_IN_CACHE: usize = 1 << 10;
/// From how many hosts on the difference is worth a look.
const LARGE: usize = 10_000;
/// What takes longer is timed by hand.
const SLOW: Duration = Duration::from_millis(50);
/// How long that may take, in all.
const PATIENCE: Duration = Duration::from_millis(1_500);

struct Timing<'a> {
    criterion: &'a mut Criterion,
    filter: Option<String>,
    fleet: &'static Fleet,
    keys: &'static [Key],
}

impl Timing<'_> {
    fn is_wanted(&self, group: &str, name: &str) -> bool {
        let id = format!("{group}/{name}/{}", self.fleet.len());
        self.filter.as_ref().is_none_or(|filter| id.contains(filter.as_str()))
    }

    /// Measures `work`, which takes about as long as it took `once`.
    fn measure(&mut self, group: &str, name: &str, once: Duration, mut work: impl FnMut()) {
        let size = self.fleet.len();
        if once <= SLOW {
            let mut group = self.criterion.benchmark_group(group);
            group.bench_function(BenchmarkId::new(name, size), |b| b.iter(&mut work));
            group.finish();
            return;
        }
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.is_empty() || (times.len() < 3 && begun.elapsed() + once < PATIENCE) {
            times.push(timed(&mut work).1.as_nanos() as f64);
        }
        println!("{group}/{name}/{size:<20} by hand: {times:?} ns");
        by_hand::leave(group, name, size, &times).expect("the folder for figures can be written");
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = work();
    (result, begun.elapsed())
}

impl Visitor for Timing<'_> {
    fn visit<C: Contender>(&mut self) {
        let (fleet, keys) = (self.fleet, self.keys);
        let name = format!("{}/{}", C::FAMILY, C::NAME);
        let groups = ["lookup", "lookup_in_cache", "build", "update"].map(|group| self.is_wanted(group, &name));
        let [lookup, in_cache, build, update] = groups;
        if fleet.len() > C::LARGEST.0 || !groups.contains(&true) {
            return;
        }
        let (mut contender, building) = timed(|| C::build(fleet));
        // Once for each before anything is measured: it must work, and says how long it takes.
        let (host, looking_up) = timed(|| contender.lookup(&keys[0]));
        assert!(host < fleet.len(), "{name} gives host {host} of {}", fleet.len());

        for (group, is_wanted, keys) in
            [("lookup", lookup, keys), ("lookup_in_cache", in_cache && fleet.len() >= LARGE, &keys[..KEYS_IN_CACHE])]
        {
            if is_wanted {
                let mut turn = 0_usize;
                self.measure(group, &name, looking_up, || {
                    turn = turn.wrapping_add(1);
                    // A thousand keys come in an order that does not, so that branches are not learnt by heart.
                    let jumping = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
                    let at = if keys.len() == KEYS { turn } else { jumping ^ (jumping >> 13) };
                    black_box(contender.lookup(black_box(&keys[at & (keys.len() - 1)])));
                });
            }
        }
        if build && C::BUILT {
            self.measure("build", &name, building, || drop(black_box(C::build(black_box(fleet)))));
        }
        if update && C::BUILT {
            let middle = fleet.len() / 2;
            let ((), updating) = timed(|| contender.leave_and_return(fleet, middle));
            assert!(contender.lookup(&keys[1]) < fleet.len(), "{name} is not what it was");
            self.measure("update", &name, updating, || contender.leave_and_return(fleet, black_box(middle)));
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return; // cargo test builds this as well, and has nothing to measure
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .nresamples(1_000)
        .warm_up_time(Duration::from_millis(30))
        .measurement_time(Duration::from_millis(100))
        .without_plots();
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let keys = Key::many(KEYS);
    for size in SIZES {
        let fleet = Fleet::of(size);
        visit_all(&mut Timing { criterion: &mut criterion, filter: filter.clone(), fleet, keys });
    }
}
