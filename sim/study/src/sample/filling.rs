//! What is kept of a hashing structure that was filled with keys.

use super::kept::Sample;
use super::unevenness::jain;
use crate::hashing::Hashing;
use crate::measure::Measure;
use base::{Draw, Seed, streams};
use world::balancer::hashing::{Asked, Change, ListedStructure, TooLarge};

/// What one hashing structure did with one set of keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filling<'a> {
    /// Number of keys per backend.
    pub keys_per_backend: &'a [u64],
    /// The share of keys that went elsewhere when one backend was removed, and the least that had to: its own share.
    /// None where the structure cannot take one out.
    pub moved: Option<(f64, f64)>,
    /// The share of keys that went elsewhere when one backend was added. None where the structure cannot take one in.
    pub added: Option<f64>,
    /// Entries of the table or points of the ring.
    pub entries: u64,
    /// Bytes of the structure.
    pub bytes: u64,
}

impl Sample {
    /// Builds the structure, looks every key up, takes one backend out of it, and adds one to another like it.
    ///
    /// Names of backends, keys, and which backend leaves follow from the seed and nothing else, so that all structures
    /// of a study are given the same ones. Panics where [`Hashing::check`] finds something wrong.
    pub fn of_hashing(hashing: &Hashing, seed: Seed) -> Sample {
        let backends = hashing.listed(seed);
        let mut rng = seed.stream(&streams::HASHING_KEYS.of(&[]));
        let keys: Vec<u64> = (0..hashing.keys).map(|_| rng.next_u64()).collect();
        let leaves = seed.stream(&streams::HASHING_LEAVES.of(&[])).below_u64(u64::from(hashing.backends)) as usize;
        let refused = |(said, help): TooLarge| -> ! { panic!("{said}; {help}") };
        let kind = hashing.kind();
        let build = || ListedStructure::build(kind, &backends, None).unwrap_or_else(|why| refused(why));
        let mut built = build();
        let keys: Vec<Asked<'_>> = keys.into_iter().map(Asked::Hash).collect();
        let before: Vec<usize> = keys.iter().map(|key| built.lookup(*key, 0)).collect();
        let mut per_backend = vec![0u64; backends.len()];
        before.iter().for_each(|place| per_backend[*place] += 1);
        let (entries, bytes) = (built.structure().entries(), built.structure().bytes());
        let share = |n: usize| n as f64 / keys.len() as f64;
        let moved = |built: ListedStructure, change: &Change| {
            let after = built.after(change, kind, &backends, &keys).unwrap_or_else(|why| refused(why));
            share(before.iter().zip(&after).filter(|(a, b)| a != b).count())
        };
        let removed = moved(built, &Change::Without(leaves));
        let added = moved(build(), &Change::With(hashing.backend(seed, hashing.backends)));
        Sample::of_filling(&Filling {
            keys_per_backend: &per_backend,
            moved: Some((removed, share(per_backend[leaves] as usize))),
            added: Some(added),
            entries: entries as u64,
            bytes: bytes as u64,
        })
    }

    /// What is kept of a filling. Without a key there is no balance.
    pub fn of_filling(facts: &Filling<'_>) -> Sample {
        let keys = facts.keys_per_backend;
        let total: u64 = keys.iter().sum();
        let mut sample = Sample { count: total, ..Sample::default() };
        sample.set(Measure::Entries, facts.entries as f64);
        sample.set(Measure::Bytes, facts.bytes as f64);
        if let Some((moved, ideal)) = facts.moved {
            sample.set(Measure::Moved, moved);
            sample.set(Measure::MovedIdeal, ideal);
        }
        if let Some(added) = facts.added {
            sample.set(Measure::Added, added);
            sample.set(Measure::AddedIdeal, 1.0 / (keys.len() as f64 + 1.0));
        }
        if total == 0 {
            return sample;
        }
        let mean = total as f64 / keys.len() as f64;
        let mut shares: Vec<f64> = keys.iter().map(|&n| n as f64 / mean).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let variance = shares.iter().map(|s| (s - 1.0) * (s - 1.0)).sum::<f64>() / shares.len() as f64;
        sample.set(Measure::Balance, shares[0]);
        sample.set(Measure::Lightest, shares[shares.len() - 1]);
        sample.set(Measure::RelStd, variance.sqrt());
        sample.set(Measure::Jain, jain(&shares));
        sample.backends = thin(&shares, Sample::BACKENDS);
        sample
    }
}

/// At most `most` of the values at even distances, the first and the last among them.
fn thin(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.to_vec();
    }
    (0..most).map(|i| values[i * (values.len() - 1) / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::balancer::strategy::catalogue::by_key;

    fn sample(structure: &str, seed: u64) -> Sample {
        let hashing = Hashing::plain(structure, 20);
        assert_eq!(hashing.check(), Ok(()));
        Sample::of_hashing(&hashing, Seed(seed))
    }

    fn measure(sample: &Sample, measure: Measure) -> f64 {
        sample.measure(&measure).unwrap_or_else(|| panic!("no {measure}"))
    }

    #[test]
    fn every_structure_gives_every_measure() {
        for name in by_key() {
            let sample = sample(name, 1);
            assert_eq!(sample.count, 20_000, "{name}");
            assert!(measure(&sample, Measure::Balance) >= 1.0, "{name}");
            assert!(measure(&sample, Measure::Bytes) > 0.0, "{name}");
            let (moved, ideal) = (measure(&sample, Measure::Moved), measure(&sample, Measure::MovedIdeal));
            assert!(moved >= ideal && ideal > 0.0, "{name}: a backend that left keeps no keys: {moved} {ideal}");
            assert!(measure(&sample, Measure::Added) > 0.0, "{name}");
        }
    }

    #[test]
    fn what_is_known_of_the_structures_is_found() {
        let rendezvous = sample("rendezvous", 1);
        assert_eq!(
            measure(&rendezvous, Measure::Moved),
            measure(&rendezvous, Measure::MovedIdeal),
            "no other key moves"
        );
        assert_eq!(measure(&sample("maglev", 1), Measure::Entries), 65_537.0);
        assert_eq!(measure(&sample("nginx", 1), Measure::Entries), 3_200.0);
        assert!(measure(&sample("modulo", 1), Measure::Moved) > 0.8, "nearly every key moves");
    }

    #[test]
    fn all_structures_are_given_the_same_keys_and_another_seed_gives_others() {
        assert_eq!(sample("rendezvous", 1), sample("rendezvous", 1));
        assert_ne!(sample("rendezvous", 1), sample("rendezvous", 2));
        let anchor = sample("anchor", 1);
        assert_eq!(measure(&anchor, Measure::MovedIdeal), measure(&anchor, Measure::Moved));
    }
}
