//! HAProxy: the ring of `hash-type consistent`, where the nearest point wins on either side, and the map of
//! `map-based`.
//!
//! A server is known by its number in the configuration and by nothing else, so its points stay where they are when its
//! address changes. They are 16 for each unit of weight. A key goes to the nearest point, before it or after it:
//! between two points the border lies half way, and that is how they are kept here, as the ends of what is theirs, so
//! that the lookup is the one of every other ring.

use super::haproxy_function::avalanche;
use super::points::{Points, Unplaced};
use super::{check, common_divisor, total_weight};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

/// Numbered places of servers on a circle of 32-bit hashes, as `hash-type consistent` of HAProxy.
///
/// Disruption: minimal, on any change of hosts or weights.
#[derive(Clone, Debug)]
pub struct Haproxy {
    /// The last hash of each point's part, and whose point it is.
    ends: Points,
    /// Whose point is where.
    points: BTreeMap<u32, u32>,
    /// The weight at each place, zero where nobody is.
    weights: Vec<u32>,
    /// The points of all places before each, as units of slots; the last is the sum.
    before: Vec<u64>,
}

impl Haproxy {
    /// Points of a server for each unit of weight (`include/haproxy/backend-t.h`, `BE_WEIGHT_SCALE`).
    pub const POINTS_PER_WEIGHT: u32 = 16;
    /// The greatest weight of a server (`include/haproxy/server-t.h`, `SRV_UWGHT_MAX`); what is above counts as that.
    pub const WEIGHT_MAX: u32 = 256;
    /// Numbers between the first points of one server and the next (`SRV_EWGHT_RANGE`).
    const RANGE: u32 = Self::WEIGHT_MAX * Self::POINTS_PER_WEIGHT;

    /// Gives `hosts` the places 0 to n − 1; to HAProxy they are the servers 1 to n. Names play no part. O(p log p) for
    /// p points.
    ///
    /// Point i of server s is at the [`avalanche`](super::HashFunction::SdbmAvalanche) of `4096 · s + i`
    /// (`src/lb_chash.c`, `chash_init_server_tree`), with `hash-key id`, the default. Such points never coincide.
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let weights: Vec<u32> = hosts.iter().map(|(_, weight)| (*weight).min(Self::WEIGHT_MAX)).collect();
        let mut points: Vec<(u32, u32)> = Vec::new();
        for (place, weight) in (0..).zip(&weights) {
            points.extend(Self::points_of(place, 0, *weight).map(|point| (point, place)));
        }
        points.sort_unstable();
        let mut ends = Unplaced::new(points.len());
        for (i, (point, place)) in points.iter().enumerate() {
            let next = points[(i + 1) % points.len()].0;
            ends.push(position(end(*point, next)), *place);
        }
        let mut all =
            Haproxy { ends: Points::new(ends), points: points.into_iter().collect(), weights, before: Vec::new() };
        all.sum_up();
        all
    }

    /// Weights have changed. O(n).
    fn sum_up(&mut self) {
        let mut sum = 0;
        self.before.clear();
        self.before.push(0);
        self.before.extend(self.weights.iter().map(|weight| {
            sum += u64::from(weight * Self::POINTS_PER_WEIGHT);
            sum
        }));
    }

    /// The points that a server at `place` has more with weight `to` than with `from`.
    fn points_of(place: u32, from: u32, to: u32) -> impl Iterator<Item = u32> {
        let first = (place + 1).wrapping_mul(Self::RANGE);
        let numbers = from * Self::POINTS_PER_WEIGHT..to * Self::POINTS_PER_WEIGHT;
        numbers.map(move |number| avalanche(first.wrapping_add(number)))
    }

    /// Points on the circle.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes; of the tree of points, what it holds.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.ends.bytes()
            + self.points.len() * 2 * size_of::<u32>()
            + size_of_val(self.weights.as_slice())
            + size_of_val(self.before.as_slice())
    }

    /// The place nearest to the lower 32 bits of `hash`, the one before it when both are as near. O(1) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.ends.owner_at_or_after(hash << 32)
    }

    /// The place for the `attempt`-th retry: with each, the walk along the circle goes on to the next point of somebody
    /// else (`chash_get_server_hash`, `avoid`).
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        let mut point = self.ends.at_or_after(hash << 32);
        for _ in 0..attempt {
            let avoided = self.ends.owner(point);
            for _ in 0..self.points.len() {
                point = self.ends.further(point, 1);
                if self.ends.owner(point) != avoided {
                    break;
                }
            }
        }
        self.ends.owner(point)
    }

    /// The place for `hash` when no server may have more than `factor` percent of its share of the requests, of which
    /// `served` are under way at a place: the nearest, or along the circle the next one with a slot free.
    ///
    /// `hash-balance-factor` (`src/lb_chash.c`, `chash_server_is_eligible`). Of `⌈(Σ served + 1) · factor / 100⌉` slots
    /// each server gets a whole number for every unit of its weight, and of the rest what falls to it when the units of
    /// all are laid side by side in the order of places; at least one. Unlike in Envoy, a server at its slots gets no
    /// more, and its overflow falls on its neighbour on the circle. O(n), and O(1) expected for each point passed over.
    pub fn lookup_bounded(&self, hash: u64, factor: u32, served: impl Fn(usize) -> u32) -> usize {
        let total: u64 = (0..self.weights.len()).filter(|p| self.weights[*p] > 0).map(|p| u64::from(served(p))).sum();
        let slots = ((total + 1) * u64::from(factor)).div_ceil(100);
        let first = self.ends.at_or_after(hash << 32);
        let mut point = first;
        for _ in 0..self.points.len() {
            let place = self.ends.owner(point);
            if u64::from(served(place)) < self.slots_of(place, slots) {
                return place;
            }
            point = self.ends.further(point, 1);
        }
        self.ends.owner(first)
    }

    /// How many of `slots` belong to the server at `place`.
    fn slots_of(&self, place: usize, slots: u64) -> u64 {
        let total = self.before[self.weights.len()];
        let (before, after) = (self.before[place], self.before[place + 1]);
        let (each, rest) = (slots / total, slots % total);
        ((after - before) * each + after * rest / total - before * rest / total).max(1)
    }

    /// The server at `place` leaves. O(log p) for each of its points. Panics when nobody has the place, and when its
    /// server is the only one.
    pub fn remove(&mut self, place: usize) {
        let weight = self.weights.get(place).copied().filter(|weight| *weight > 0);
        let weight = weight.expect("nobody has that place");
        assert!(self.taken() > 1, "the last host cannot leave");
        Self::points_of(place as u32, 0, weight).for_each(|point| self.take_away(point));
        self.weights[place] = 0;
        self.sum_up();
    }

    /// A server of `weight` takes the first place that is free; returns which. O(log p) for each of its points. Panics
    /// on weight zero.
    pub fn add(&mut self, weight: u32) -> usize {
        assert!(weight > 0, "a host of weight zero is to be left out");
        let place = self.weights.iter().position(|weight| *weight == 0).unwrap_or(self.weights.len());
        self.weights.resize(self.weights.len().max(place + 1), 0);
        self.weigh(place, weight);
        place
    }

    /// The server at `place` weighs `weight` from now on: points are added behind its last, or taken away from there.
    /// Returns how many. O(log p) for each. Panics on weight zero.
    pub fn weigh(&mut self, place: usize, weight: u32) -> usize {
        assert!(weight > 0, "a host of weight zero is to be left out");
        let (before, weight) = (self.weights[place], weight.min(Self::WEIGHT_MAX));
        self.weights[place] = weight;
        Self::points_of(place as u32, before, weight).for_each(|point| self.put(point, place as u32));
        Self::points_of(place as u32, weight, before).for_each(|point| self.take_away(point));
        self.sum_up();
        (before.abs_diff(weight) * Self::POINTS_PER_WEIGHT) as usize
    }

    /// How many places are taken.
    pub fn taken(&self) -> usize {
        self.weights.iter().filter(|weight| **weight > 0).count()
    }

    /// The points in ascending order: hash, and place.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u32, usize)> {
        self.points.iter().map(|(point, place)| (*point, *place as usize))
    }

    /// The points around `point`, which may be on the circle itself.
    fn neighbours(&self, point: u32) -> ((u32, u32), (u32, u32)) {
        let pair = |(point, place): (&u32, &u32)| (*point, *place);
        let before = self.points.range(..point).next_back().or_else(|| self.points.last_key_value());
        let after = self.points.range((Excluded(point), Unbounded)).next().or_else(|| self.points.first_key_value());
        (before.map(pair).expect("somebody is there"), after.map(pair).expect("somebody is there"))
    }

    fn put(&mut self, point: u32, place: u32) {
        let (before, after) = self.neighbours(point);
        self.ends.insert(position(end(point, after.0)), place);
        self.ends.insert(position(end(before.0, point)), before.1);
        assert!(self.ends.remove(position(end(before.0, after.0)), before.1), "it had a part");
        self.points.insert(point, place);
    }

    fn take_away(&mut self, point: u32) {
        let (before, after) = self.neighbours(point);
        let place = self.points.remove(&point).expect("it has been put there");
        self.ends.insert(position(end(before.0, after.0)), before.1);
        assert!(self.ends.remove(position(end(before.0, point)), before.1), "it had a part");
        assert!(self.ends.remove(position(end(point, after.0)), place), "it had a part");
    }
}

/// The last hash that is as near to `point` as to `next`, the point after it around the circle.
fn end(point: u32, next: u32) -> u32 {
    // A lone point is its own neighbour, all around the circle.
    let between = if next == point { u32::MAX } else { next.wrapping_sub(point) };
    point.wrapping_add(between / 2)
}

/// Where a hash of 32 bits lies on the circle of 64 bits.
fn position(hash: u32) -> u64 {
    u64::from(hash) << 32
}

/// The table of HAProxy's `hash-type map-based`, its default: hosts in the order of a weighted round robin, and the
/// hash modulo the length.
///
/// Disruption: nearly all keys on any change.
#[derive(Clone, Debug)]
pub struct HaproxyMap {
    map: Vec<u32>,
}

impl HaproxyMap {
    /// The map for `hosts` in the order given (`src/lb_map.c`, `recalc_server_map`). Weights are divided by what they
    /// have in common; HAProxy does so once, for those in its configuration. O(n · Σ weights).
    pub fn new(hosts: &[(&str, u32)]) -> Self {
        check(hosts);
        let divisor = common_divisor(hosts.iter().map(|(_, weight)| *weight));
        let weights: Vec<i64> = hosts.iter().map(|(_, weight)| i64::from(weight / divisor)).collect();
        let total: i64 = weights.iter().sum();
        let mut scores = vec![0; weights.len()];
        let map = (0..total).map(|_| {
            let (mut best, mut most) = (0, 0);
            for (host, (score, weight)) in scores.iter_mut().zip(&weights).enumerate() {
                *score += weight;
                // Whole turns that are due, and one: who is ahead by a part of a turn has no advantage over who came
                // first.
                let due = (*score + total) / total;
                if due > most {
                    (best, most) = (host, due);
                }
            }
            scores[best] -= total;
            best as u32
        });
        HaproxyMap { map: map.collect() }
    }

    /// Entries of the map.
    pub fn entries(&self) -> usize {
        self.map.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.map.as_slice())
    }

    /// The host at the lower 32 bits of `hash` modulo the length of the map. O(1).
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.map[(hash as u32 as usize) % self.map.len()] as usize
    }

    /// The host of each entry.
    pub fn table(&self) -> impl ExactSizeIterator<Item = usize> {
        self.map.iter().map(|host| *host as usize)
    }

    /// How long the map over `hosts` would be.
    pub(super) fn length(hosts: &[(&str, u32)]) -> u64 {
        let divisor = common_divisor(hosts.iter().map(|(_, weight)| *weight));
        total_weight(hosts) / u64::from(divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::super::HashFunction;
    use super::*;

    fn even(n: usize) -> Vec<(&'static str, u32)> {
        vec![("server", 1); n]
    }

    /// `chash_get_server_hash` as it stands: both neighbours, both distances.
    fn nearest(haproxy: &Haproxy, hash: u32) -> usize {
        let points: Vec<(u32, usize)> = haproxy.points().collect();
        let next = points.iter().position(|(point, _)| *point >= hash).unwrap_or(0);
        let before = (next + points.len() - 1) % points.len();
        let (back, forth) = (hash.wrapping_sub(points[before].0), points[next].0.wrapping_sub(hash));
        points[if back <= forth { before } else { next }].1
    }

    #[test]
    fn uris_go_where_haproxys_own_test_expects_them() {
        // haproxy/haproxy reg-tests/balance/balance-uri.vtc: `balance uri` over four servers, map-based with sdbm.
        let map = HaproxyMap::new(&even(4));
        for (uri, server) in [("/url1", 2), ("/url2", 3), ("/url3", 4), ("/url4", 1)] {
            assert_eq!(map.lookup(HashFunction::Sdbm.hash(uri.as_bytes())) + 1, server, "{uri}");
        }
        // reg-tests/balance/balance-hash-maxconn.vtc: `hash-type consistent` over s0 and s1.
        let ring = Haproxy::new(&even(2));
        assert_eq!(ring.lookup(HashFunction::SdbmAvalanche.hash(b"/test-url")), 0);
    }

    #[test]
    fn the_nearest_point_wins_on_either_side() {
        let ring = Haproxy::new(&[("a", 1), ("b", 3), ("c", 2)]);
        assert_eq!(ring.entries(), 96);
        let interesting = ring.points().flat_map(|(point, _)| [point, point.wrapping_add(1), point.wrapping_sub(1)]);
        let spread = (0..20_000).map(avalanche);
        for hash in interesting.chain(spread).chain([0, u32::MAX]) {
            assert_eq!(ring.lookup(hash.into()), nearest(&ring, hash), "{hash}");
        }
        // Half way between two points it is the one before.
        let points: Vec<(u32, usize)> = ring.points().collect();
        for pair in points.windows(2).filter(|pair| (pair[1].0 - pair[0].0) % 2 == 0) {
            let middle = pair[0].0 + (pair[1].0 - pair[0].0) / 2;
            assert_eq!(ring.lookup(middle.into()), pair[0].1);
            assert_eq!(ring.lookup(u64::from(middle) + 1), pair[1].1);
        }
    }

    #[test]
    fn a_ring_changed_in_place_is_the_ring_built_anew() {
        let mut ring = Haproxy::new(&[("a", 1), ("b", 2), ("c", 1)]);
        ring.remove(0);
        assert_eq!(ring.taken(), 2);
        assert_eq!(ring.weigh(2, 4), 48);
        assert_eq!(ring.weigh(1, 1), 16);
        assert_eq!(ring.add(5), 0, "the first free number");
        assert_eq!(ring.add(300), 3);
        let anew = Haproxy::new(&[("a", 5), ("b", 1), ("c", 4), ("d", 256)]);
        assert_eq!(ring.points().collect::<Vec<_>>(), anew.points().collect::<Vec<_>>());
        for hash in (0..20_000).map(avalanche) {
            assert_eq!(ring.lookup(hash.into()), anew.lookup(hash.into()), "{hash}");
            assert_eq!(ring.lookup(hash.into()), nearest(&anew, hash), "{hash}");
        }
    }

    #[test]
    fn a_retry_goes_on_to_the_next_point_of_somebody_else() {
        let ring = Haproxy::new(&even(5));
        for hash in (0..500).map(|i| u64::from(avalanche(i))) {
            let tried: Vec<usize> = (0..4).map(|attempt| ring.lookup_attempt(hash, attempt)).collect();
            assert_eq!(tried[0], ring.lookup(hash));
            assert!(tried.windows(2).all(|pair| pair[0] != pair[1]), "{tried:?}");
        }
        assert_eq!(Haproxy::new(&even(1)).lookup_attempt(7, 3), 0);
    }

    #[test]
    fn slots_are_shared_out_by_weight_and_none_is_left_over() {
        let ring = Haproxy::new(&[("a", 1), ("b", 3), ("c", 2)]);
        for slots in [6_u64, 7, 12, 100, 1_000] {
            let of: Vec<u64> = (0..3).map(|place| ring.slots_of(place, slots)).collect();
            assert_eq!(of.iter().sum::<u64>(), slots, "{of:?}");
            assert!(of.iter().zip([1, 3, 2]).all(|(of, weight)| of.abs_diff(slots * weight / 6) <= 1), "{of:?}");
        }
        // Nobody is left with none.
        assert_eq!((0..3).map(|place| ring.slots_of(place, 1)).collect::<Vec<_>>(), [1, 1, 1]);
    }

    #[test]
    fn the_hottest_of_keys_is_spread_as_far_as_the_bound_asks() {
        let ring = Haproxy::new(&even(8));
        let mut served = [0_u32; 8];
        for total in 0..400_u64 {
            let place = ring.lookup_bounded(77, 150, |place| served[place]);
            let slots = ((total + 1) * 150).div_ceil(100);
            assert!(u64::from(served[place]) < ring.slots_of(place, slots), "{served:?}");
            served[place] += 1;
        }
        // An eighth of 150 % each, 400 requests need five and a third.
        assert_eq!(served.iter().filter(|count| **count > 0).count(), 6, "{served:?}");
    }

    #[test]
    fn the_map_takes_turns_by_weight() {
        // By hand: scores 2 1 1, all with one turn due, so a; then 0 2 2, still one each, a again; -2 3 3, b; 0 0 4, c.
        let map = HaproxyMap::new(&[("a", 20), ("b", 10), ("c", 10)]);
        assert_eq!(map.table().collect::<Vec<_>>(), [0, 0, 1, 2]);
        let map = HaproxyMap::new(&[("a", 1), ("b", 1), ("c", 1)]);
        assert_eq!(map.table().collect::<Vec<_>>(), [0, 1, 2]);
        let map = HaproxyMap::new(&[("a", 3), ("b", 1)]);
        let counts = [0, 1].map(|host| map.table().filter(|entry| *entry == host).count());
        assert_eq!(counts, [3, 1]);
        assert_eq!(HaproxyMap::new(&[("alone", 7)]).entries(), 1);
    }
}
