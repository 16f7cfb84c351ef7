//! What ours and the peers hold in memory, in bytes a host: all that was allocated and not freed again when it has been
//! built, and a host has left and come back.
//!
//! `cargo bench -p benches --bench memory [FILTER]`, as for the bench `peers`; it takes one count of each, by an
//! allocator that counts. What hosts are borrowed from is not counted, and what a contender copies of it is.
#![expect(clippy::print_stdout, reason = "a bench speaks to whoever runs it")]

#[path = "../peers/mod.rs"]
mod peers;

use benches::by_hand;
use benches::counting::{self, Counting};
use peers::{Contender, Fleet, Key, SIZES, Visitor, visit_all};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Weight {
    filter: Option<String>,
    fleet: &'static Fleet,
    keys: &'static [Key],
}

impl Visitor for Weight {
    fn visit<C: Contender>(&mut self) {
        let (size, name) = (self.fleet.len(), format!("{}/{}", C::FAMILY, C::NAME));
        let id = format!("memory/{name}/{size}");
        if size > C::LARGEST.0 || !C::BUILT || self.filter.as_ref().is_some_and(|filter| !id.contains(filter.as_str()))
        {
            return;
        }
        let (mut contender, usage) = counting::usage_of(|| {
            let mut contender = C::build(self.fleet);
            contender.leave_and_return(self.fleet, size / 2);
            contender
        });
        assert!(contender.lookup(&self.keys[0]) < size, "{name} does not work");
        let bytes = usage.live as f64 / size as f64;
        println!("{id:<50} {bytes:>12.1} bytes a host");
        by_hand::leave("memory", &name, size, &[bytes]).expect("the folder for figures can be written");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return; // cargo test builds this as well, and has nothing to measure
    }
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let keys = Key::many(1);
    for size in SIZES {
        visit_all(&mut Weight { filter: filter.clone(), fleet: Fleet::of(size), keys });
    }
}
