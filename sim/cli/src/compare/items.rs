//! The runs of a study: every cell that can run, under every seed.

use crate::job::{self, NoOutcome};
use base::Seed;
use scenarios::Scenario;
use scenarios::study::{Content, Study};
use study::{Cell, Identity, Plan, Sample};
use world::{Options, Spec};

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A hash of the sources that a run is made of; `build.rs` says which.
pub(crate) const SOURCES: &str = env!("WINDTUNNEL_SOURCES");

/// A cell under a seed.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The place of the cell in the plan.
    pub(crate) cell: usize,
    /// The place of the seed in the plan.
    pub(crate) seed_index: usize,
    /// What its sample is a sample of.
    pub(crate) identity: Identity,
    /// Whether the heat map of the run is kept: one per cell is enough.
    is_first: bool,
}

/// All of them. Seed after seed, so that what takes long in one cell is spread over jobs and shards.
pub(crate) fn all(study: &Study) -> Vec<Item> {
    let seeds = study.plan.seeds.iter().enumerate();
    let items = seeds.flat_map(|(seed_index, seed)| {
        study.stable().map(move |(cell, of, content)| {
            let is_first = seed_index == 0;
            let identity = identity(&study.plan, of, content, *seed, is_first);
            Item { cell, seed_index, identity, is_first }
        })
    });
    items.collect()
}

fn identity(plan: &Plan, cell: &Cell, content: &Content, seed: Seed, is_first: bool) -> Identity {
    match content {
        Content::World(scenario) => {
            let spec = lowered(scenario, seed);
            Identity::of_run(&cell.key, seed, VERSION, is_first, &plan.service, &spec)
        }
        Content::Hashing(hashing) => Identity::of_filling(&cell.key, seed, VERSION, hashing),
    }
}

/// The world of a cell under a seed.
pub(super) fn lowered(scenario: &Scenario, seed: Seed) -> Spec {
    let found_right = "a cell that was found right does not lower";
    scenario.lower(seed).unwrap_or_else(|problems| panic!("{found_right} with seed {seed}: {}", problems[0].message))
}

impl Item {
    /// The place of its sample in the results.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.cell, self.seed_index)
    }

    /// The name of its sample.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.jsonl", self.identity.cell, self.identity.seed)
    }

    /// Runs it. A panic is a result, and so is a standstill; see [`job`].
    pub(crate) fn run(&self, study: &Study) -> Result<Sample, NoOutcome> {
        let seed = self.identity.seed;
        let run = || match &study.contents[self.cell] {
            Content::World(scenario) => {
                let spec = lowered(scenario, seed);
                let outcome = job::attempt(scenario, &spec, seed.0, &Options::default())?.outcome;
                let sample = Sample::of(&outcome, &study.plan.service);
                Ok(if self.is_first { sample } else { sample.without_heat() })
            }
            Content::Hashing(hashing) => Ok(Sample::of_hashing(hashing, seed)),
        };
        job::caught(run).map_err(NoOutcome::Panic).flatten()
    }
}
