//! A structure over a list of backends, some of which may have weight zero, and what it chooses after the list changes.
//!
//! Answers are zero-based places in the list. A structure itself numbers only the hosts it was built over, which is the
//! same while no weight is zero. `windtunnel route` and studies of hashing look keys up through here.

use super::{BoundedLoad, Dump, HashFunction, Kind, Structure};

/// A line of a list of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The name that is hashed, byte for byte.
    pub host: String,
    /// Relative weight; zero for a backend that gets nothing, or whose weight is not known.
    pub weight: u32,
    /// Requests under way.
    pub active: u32,
}

/// One change of the list.
#[derive(Clone, Debug)]
pub enum Change {
    /// The backend at this place leaves.
    Without(usize),
    /// This backend comes, behind all others.
    With(Backend),
}

/// What is looked up.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// The bytes of a key, and the function that hashes them.
    Key(&'a [u8], HashFunction),
    /// The hash of a key.
    Hash(u64),
}

impl Asked<'_> {
    /// The hash that the lookup goes by.
    pub fn hash(self) -> u64 {
        match self {
            Asked::Key(key, function) => function.hash(key),
            Asked::Hash(hash) => hash,
        }
    }
}

/// A structure over the backends of a list.
pub struct ListedStructure {
    structure: Structure,
    /// The place in the list by the structure's answer; none while they are equal.
    listed: Option<Vec<usize>>,
    /// Bounded loads: the factor in percent, the rule, and requests under way by the structure's answer.
    bound: Option<(u32, BoundedLoad, Vec<u32>)>,
}

/// Why a structure is not built, and what to do about it: see [`Kind::check`].
pub type TooLarge = (String, &'static str);

impl Backend {
    /// The name and the weight, as structures take them.
    fn named(&self) -> (&str, u32) {
        (&self.host, self.weight)
    }
}

impl ListedStructure {
    /// Builds a structure of this kind over `backends`, of which at least one has a weight. `factor` bounds loads, in
    /// percent of a backend's share of the requests under way.
    ///
    /// Fails where building would take minutes or more memory than there is; nothing was built then.
    pub fn build(kind: Kind, backends: &[Backend], factor: Option<u32>) -> Result<ListedStructure, TooLarge> {
        let counted: Vec<usize> = (0..backends.len()).filter(|place| backends[*place].weight > 0).collect();
        let all = counted.len() == backends.len();
        // HAProxy numbers the servers of its configuration, also those of weight zero: they leave their numbers free.
        let keeps_numbers = kind == Kind::Haproxy && !all;
        let hosts: Vec<(&str, u32)> = match keeps_numbers {
            true => backends.iter().map(|one| (one.host.as_str(), one.weight.max(1))).collect(),
            false => counted.iter().map(|place| backends[*place].named()).collect(),
        };
        kind.check(&hosts)?;
        let mut structure = Structure::build(kind, &hosts);
        if keeps_numbers {
            for (place, one) in backends.iter().enumerate().filter(|(_, one)| one.weight == 0) {
                structure.leave(place, (&one.host, 1));
            }
        }
        let listed = (!all && !keeps_numbers).then_some(counted);
        let bound = factor.map(|factor| {
            let active = match &listed {
                Some(listed) => listed.iter().map(|place| backends[*place].active).collect(),
                None => backends.iter().map(|one| one.active).collect(),
            };
            (factor, BoundedLoad::new(&hosts, factor), active)
        });
        Ok(ListedStructure { structure, listed, bound })
    }

    /// The place of the backend for the `attempt`-th retry of what is asked; 0 is the first attempt.
    pub fn lookup(&mut self, asked: Asked<'_>, attempt: u32) -> usize {
        let structure = &self.structure;
        let plain = match asked {
            Asked::Key(key, function) => structure.lookup_key(key, function, attempt),
            Asked::Hash(hash) => structure.lookup_retry(hash, attempt),
        };
        let answer = match &mut self.bound {
            // A retry is not bounded, as in a run.
            Some((factor, bound, active)) if attempt == 0 => structure
                .lookup_bounded(asked.hash(), *factor, |place| active[place])
                .unwrap_or_else(|| bound.choose(asked.hash(), plain, active)),
            _ => plain,
        };
        self.place(answer)
    }

    /// The structure itself, whose answers are places of the list while no weight is zero.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    fn place(&self, answer: usize) -> usize {
        self.listed.as_ref().map_or(answer, |listed| listed[answer])
    }

    /// Its table or ring with places of the list; none where it has neither.
    pub fn dump(&self) -> Option<Dump> {
        Some(match self.structure.dump()? {
            Dump::Table(table) => Dump::Table(table.into_iter().map(|answer| self.place(answer)).collect()),
            Dump::Ring(ring) => Dump::Ring(ring.into_iter().map(|(hash, answer)| (hash, self.place(answer))).collect()),
        })
    }

    /// What is chosen for each that is asked once the list has changed, by places of the list before; a backend that
    /// came has the next one. `kind` and `backends` are those that the structure was built from.
    ///
    /// Fails as [`ListedStructure::build`] does, of the structure after the change.
    pub fn after(
        mut self,
        change: &Change,
        kind: Kind,
        backends: &[Backend],
        asked: &[Asked<'_>],
    ) -> Result<Vec<usize>, TooLarge> {
        let mut changed = backends.to_vec();
        let place = match change {
            // A backend that leaves keeps its line, so that the others keep theirs.
            Change::Without(place) => {
                changed[*place].weight = 0;
                *place
            }
            Change::With(one) => {
                changed.push(one.clone());
                backends.len()
            }
        };
        let counted: Vec<(&str, u32)> = changed.iter().filter(|one| one.weight > 0).map(Backend::named).collect();
        kind.check(&counted)?;
        // Some structures are changed in place, and all other backends keep their places; the rest are built anew. With
        // bounded loads every share changes, so they are built anew too.
        let in_place = self.listed.is_none()
            && self.bound.is_none()
            && match change {
                Change::Without(place) => self.structure.leave(*place, backends[*place].named()),
                Change::With(one) => self.structure.come(one.named()) == Some(place),
            };
        let mut next = match in_place {
            true => self,
            false => {
                let factor = self.bound.as_ref().map(|(factor, ..)| *factor);
                // Freed before the next is built.
                drop(self);
                ListedStructure::build(kind, &changed, factor)?
            }
        };
        Ok(asked.iter().map(|asked| next.lookup(*asked, 0)).collect())
    }
}
