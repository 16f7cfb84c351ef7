//! The runs of a study: every cell that can run, under every seed.

use super::hashing;
use crate::job::{self, NoOutcome};
use base::{Fingerprint, Seed};
use reports::study::{Plan, Sample};
use scenarios::study::{Cell, Content, Study};
use world::{Options, Spec};

/// A hash of the sources that a run is made of; `build.rs` says which.
pub(crate) const SOURCES: &str = env!("WINDTUNNEL_SOURCES");

/// A cell under a seed.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The place of the cell in the plan.
    pub(crate) cell: usize,
    /// The place of the seed in the plan.
    pub(crate) seed_index: usize,
    /// The seed.
    pub(crate) seed: u64,
    /// The cell's name.
    pub(crate) key: String,
    /// What the sample depends on beside [`SOURCES`], folded.
    pub(crate) identity: String,
    /// Whether the shape of the run at every instance is kept: of one run a cell, that is enough.
    is_first: bool,
}

/// All of them. Seed after seed, so that what takes long in one cell is spread over jobs and shards.
pub(crate) fn all(study: &Study, plan: &Plan) -> Vec<Item> {
    let mut items = Vec::new();
    for (seed_index, seed) in plan.seeds.iter().enumerate() {
        for (cell, made) in study.cells.iter().enumerate().filter(|(_, made)| !made.is_unstable()) {
            let is_first = seed_index == 0;
            let identity = identity(made, seed.0, is_first, &plan.version);
            items.push(Item { cell, seed_index, seed: seed.0, key: made.key.clone(), identity, is_first });
        }
    }
    items
}

fn identity(cell: &Cell, seed: u64, is_first: bool, version: &str) -> String {
    let mut print = Fingerprint::default();
    print.fold_text(version);
    print.fold(seed);
    print.fold(u64::from(is_first));
    match &cell.content {
        Content::World { service, .. } => {
            print.fold_text(&service.name);
            print.fold_text(&format!("{:?}", spec(cell, seed)));
        }
        Content::Hashing(hashing) => print.fold_text(&format!("{hashing:?}")),
    }
    print.to_string()
}

/// What a cell lowers to under a seed; none of a structure for keys.
pub(super) fn spec(cell: &Cell, seed: u64) -> Option<Spec> {
    match &cell.content {
        Content::World { scenario, .. } => match scenario.lower(Seed(seed)) {
            Ok(spec) => Some(spec),
            Err(problems) => {
                panic!("a cell that was found right does not lower with seed {seed}: {}", problems[0].message)
            }
        },
        Content::Hashing(_) => None,
    }
}

impl Item {
    /// An item that no study has.
    #[cfg(test)]
    pub(super) fn of_test(key: &str, seed: u64, identity: &str) -> Item {
        Item { cell: 0, seed_index: 0, seed, key: key.into(), identity: identity.into(), is_first: true }
    }

    /// The place of its sample in the results.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.cell, self.seed_index)
    }

    /// The name of its sample.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.jsonl", self.key, self.seed)
    }

    /// Runs it. A panic is a result, and so is a standstill; see [`job`].
    pub(crate) fn run(&self, study: &Study) -> Result<Sample, NoOutcome> {
        let cell = &study.cells[self.cell];
        let run = || match &cell.content {
            Content::World { scenario, service, .. } => {
                let spec = spec(cell, self.seed).expect("a world has a spec");
                let outcome = job::attempt(scenario, &spec, self.seed, &Options::default())?.outcome;
                let sample = Sample::of(&outcome, &service.name);
                Ok(if self.is_first { sample } else { sample.without_heat() })
            }
            Content::Hashing(hashing) => Ok(hashing::sample(hashing, self.seed)),
        };
        job::caught(run).map_err(NoOutcome::Panic).flatten()
    }
}
