//! What a hashing structure does with keys: how evenly they lie, and what the going and coming of one backend moves.

use crate::args::{self, KeyHash, RouteArgs};
use crate::route::structure;
use base::{Draw, Seed};
use clap::ValueEnum as _;
use reports::study::{Hashing as Facts, Sample};
use scenarios::study::{Hashing, Parameter, Wrong};
use world::balancer::hashing::{Asked, Backend, Change, ListedStructure, TooLarge};
use world::spec::in_turn;

/// What is wrong with a structure, as far as that can be known without building it.
pub(crate) fn check(hashing: &Hashing) -> Result<(), Wrong> {
    if let Some(size) = hashing.table_size {
        args::parse_table_size(&size.to_string()).map_err(|why| (Parameter::TableSize, why))?;
    }
    let ring = args::RING_MAX as u32;
    for (size, parameter) in [(hashing.min_ring, Parameter::MinRing), (hashing.max_ring, Parameter::MaxRing)] {
        if size.is_some_and(|size| !(1..=ring).contains(&size)) {
            return Err((parameter, format!("a ring has 1 to {ring} points")));
        }
    }
    if let (Some(least), Some(most)) = (hashing.min_ring, hashing.max_ring)
        && least > most
    {
        return Err((Parameter::MinRing, format!("`min_ring` ({least}) is above `max_ring` ({most})")));
    }
    if hashing.probes.is_some_and(|probes| !(1..=10_000).contains(&probes)) {
        return Err((Parameter::Probes, "1 to 10000 probes".into()));
    }
    if hashing.points.is_some_and(|points| !(4..=65_536).contains(&points)) {
        return Err((Parameter::Points, "4 to 65536 points".into()));
    }
    let spare = u64::from(hashing.spare.unwrap_or(2));
    if spare < 2 || spare * u64::from(hashing.backends) > 10_000_000 {
        return Err((Parameter::Spare, "at least 2 places a backend, and at most 10000000 in all".into()));
    }
    // With the backend that comes.
    let (flags, mut backends) = setting(hashing, 0);
    backends.push(backend(hashing, 0, hashing.backends));
    let kind =
        structure::kind(&flags, backends.len()).map_err(|stop| (Parameter::Structure, stop.text().to_string()))?;
    let hosts: Vec<(&str, u32)> = backends.iter().map(|one| (one.host.as_str(), one.weight)).collect();
    let blamed = if hashing.weights.is_empty() { Parameter::Backends } else { Parameter::Weights };
    kind.check(&hosts).map_err(|(said, help)| (blamed, format!("{said}: {help}")))
}

/// The flags of `windtunnel route` that build the structure, and its backends under `seed`.
pub(super) fn setting(hashing: &Hashing, seed: u64) -> (RouteArgs, Vec<Backend>) {
    (flags(hashing), (0..hashing.backends).map(|n| backend(hashing, seed, n)).collect())
}

fn backend(hashing: &Hashing, seed: u64, n: u32) -> Backend {
    let weight = in_turn(&hashing.weights, n).unwrap_or(1);
    Backend { host: format!("backend-{seed}-{n}:8080"), weight, active: 0 }
}

/// Builds the structure, looks every key up, takes a backend out, puts another in.
///
/// Names of backends, keys and who leaves follow from the seed and nothing else, so that all structures of a study meet
/// the same ones. Panics where the structure refuses to be built, which is then told as what it is.
pub(crate) fn sample(hashing: &Hashing, seed: u64) -> Sample {
    let (flags, backends) = setting(hashing, seed);
    let mut rng = Seed(seed).stream("study/hashing/keys");
    let keys: Vec<u64> = (0..hashing.keys).map(|_| rng.next_u64()).collect();
    let leaves = Seed(seed).stream("study/hashing/leaves").below_u64(u64::from(hashing.backends)) as usize;
    let kind = structure::kind(&flags, backends.len()).unwrap_or_else(|stop| panic!("{}", stop.text()));
    let told = |(said, help): TooLarge| -> ! { panic!("error: {said}\n  help: {help}\n") };
    let build = || ListedStructure::build(kind, &backends, None).unwrap_or_else(|why| told(why));
    let mut built = build();
    let keys: Vec<Asked<'_>> = keys.into_iter().map(Asked::Hash).collect();
    let before: Vec<usize> = keys.iter().map(|key| built.lookup(*key, 0)).collect();
    let mut per_backend = vec![0u64; backends.len()];
    before.iter().for_each(|index| per_backend[*index] += 1);
    let (entries, bytes) = (built.structure().entries(), built.structure().bytes());
    let share = |n: usize| n as f64 / keys.len() as f64;
    let moved = |built: ListedStructure, change: &Change| {
        let after = built.after(change, kind, &backends, &keys).unwrap_or_else(|why| told(why));
        share(before.iter().zip(&after).filter(|(a, b)| a != b).count())
    };
    let removed = moved(built, &Change::Without(leaves));
    let added = moved(build(), &Change::With(backend(hashing, seed, hashing.backends)));
    Sample::of_hashing(&Facts {
        keys_per_backend: &per_backend,
        moved: Some((removed, share(per_backend[leaves] as usize))),
        added: Some(added),
        entries: entries as u64,
        bytes: bytes as u64,
    })
}

/// The parameters as flags of `windtunnel route`.
fn flags(hashing: &Hashing) -> RouteArgs {
    RouteArgs {
        strategy: hashing.structure.clone(),
        hash: hashing.hash.as_deref().and_then(|name| KeyHash::from_str(name, false).ok()),
        min_ring: hashing.min_ring.map(u64::from),
        max_ring: hashing.max_ring.map(u64::from),
        table_size: hashing.table_size,
        probes: hashing.probes,
        points: hashing.points,
        capacity: Some(hashing.spare.unwrap_or(2) * hashing.backends),
        ..RouteArgs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reports::study::Measure;

    fn of(structure: &str, backends: u32) -> Sample {
        let hashing = Hashing {
            structure: structure.into(),
            backends,
            weights: Vec::new(),
            keys: 20_000,
            hash: None,
            min_ring: None,
            max_ring: None,
            table_size: None,
            probes: None,
            points: None,
            spare: None,
        };
        assert_eq!(check(&hashing), Ok(()));
        sample(&hashing, 1)
    }

    fn measure(sample: &Sample, measure: Measure) -> f64 {
        sample.measure(&measure).unwrap_or_else(|| panic!("no {measure}"))
    }

    #[test]
    fn every_structure_gives_every_measure() {
        for name in structure::names() {
            let sample = of(name, 20);
            assert_eq!(sample.count, 20_000, "{name}");
            assert!(measure(&sample, Measure::Balance) >= 1.0, "{name}");
            assert!(measure(&sample, Measure::Bytes) > 0.0, "{name}");
            let (moved, ideal) = (measure(&sample, Measure::Moved), measure(&sample, Measure::MovedIdeal));
            assert!(moved >= ideal && ideal > 0.0, "{name}: nobody keeps the keys of one who left: {moved} {ideal}");
            assert!(measure(&sample, Measure::Added) > 0.0, "{name}");
        }
    }

    #[test]
    fn what_is_known_of_the_structures_is_found() {
        let sample = of("rendezvous", 20);
        assert_eq!(measure(&sample, Measure::Moved), measure(&sample, Measure::MovedIdeal), "nobody else moves");
        assert_eq!(measure(&of("maglev", 20), Measure::Entries), 65_537.0);
        assert_eq!(measure(&of("nginx", 20), Measure::Entries), 3_200.0);
        assert!(measure(&of("modulo", 20), Measure::Moved) > 0.8, "nearly everybody moves");
    }

    #[test]
    fn all_structures_meet_the_same_keys_and_another_seed_is_another_set() {
        let (a, b) = (of("rendezvous", 20), of("rendezvous", 20));
        assert_eq!(a, b);
        assert_eq!(measure(&of("anchor", 20), Measure::MovedIdeal), measure(&of("anchor", 20), Measure::Moved));
    }
}
