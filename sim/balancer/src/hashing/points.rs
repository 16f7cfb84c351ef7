//! Points on a circle of 64-bit positions, and the search for the next one clockwise.
//!
//! Positions are hashes, so they lie evenly, and the circle is cut into equal arcs of two or three points each. An arc
//! is one cache line: its points in order, and then the owner of the point that follows, wherever that is. So the next
//! point after a position is found in one line, whatever their number; a binary search over 1,600,000 points would miss
//! the cache a dozen times. An arc that gets more points than fit keeps the first of them, and the others wait in a
//! tree beside, which a lookup in fifty asks.
//!
//! Nothing has to be sorted for that, and a point comes or goes by changing its own line and those before it that look
//! ahead to it.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::RangeInclusive;

/// Points of one arc that fit its line.
const ROOM: usize = 5;
/// Points of an arc on average when all are placed at once.
const FILL: f64 = 2.5;
/// Points of an arc on average that are too many.
const FILL_MAX: f64 = 4.0;
/// Regions by so many bits of a position are filled one after the other.
const REGION_BITS: u32 = 8;
/// The bits of an owner; what is above them in the last owner of a line is how many points the line holds.
const OWNER: u32 = (1 << OWNER_BITS) - 1;
const OWNER_BITS: u32 = 28;
/// That number when there are more points than that.
const SPILLED: u32 = ROOM as u32 + 1;

/// The points of one arc, 64 bytes.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line {
    /// Ascending; those that are not used are as large as can be, so that no position lies after them.
    positions: [u64; ROOM],
    /// The owner of each, and then the owner of the next point around the circle.
    owners: [u32; ROOM + 1],
}

impl Line {
    const EMPTY: Line = Line { positions: [u64::MAX; ROOM], owners: [0; ROOM + 1] };

    #[inline]
    fn count(&self) -> usize {
        ((self.owners[ROOM] >> OWNER_BITS) as usize).min(ROOM)
    }

    #[inline]
    fn is_spilled(&self) -> bool {
        self.owners[ROOM] >> OWNER_BITS == SPILLED
    }

    fn set_count(&mut self, count: u32) {
        self.owners[ROOM] = self.owners[ROOM] & OWNER | count << OWNER_BITS;
    }

    #[inline]
    fn owner(&self, slot: usize) -> u32 {
        self.owners[slot] & OWNER
    }

    /// Who follows after the last point of the line.
    fn set_next(&mut self, owner: u32) {
        let slot = self.count();
        self.owners[slot] = if slot == ROOM { self.owners[slot] & !OWNER | owner } else { owner };
    }

    /// How many points lie before `position`. No branch depends on it.
    #[inline]
    fn before(&self, position: u64) -> usize {
        self.positions.iter().map(|&point| usize::from(point < position)).sum()
    }

    fn point(&self, slot: usize) -> (u64, u32) {
        (self.positions[slot], self.owner(slot))
    }

    /// Puts a point where it belongs; the last one, when there was no room, comes out.
    #[inline]
    fn insert(&mut self, point: (u64, u32)) -> Option<(u64, u32)> {
        let count = self.count();
        let mut slot = self.before(point.0);
        while slot < count && self.point(slot) < point {
            slot += 1; // at the same position
        }
        if slot == ROOM {
            return Some(point);
        }
        let out = self.point(ROOM - 1);
        for to in (1..ROOM).rev() {
            let from = if to > slot { to - 1 } else { to };
            self.positions[to] = self.positions[from];
            self.owners[to] = self.owners[from];
        }
        self.positions[slot] = point.0;
        self.owners[slot] = point.1;
        if count == ROOM {
            return Some(out);
        }
        self.set_count(count as u32 + 1);
        None
    }

    /// Takes the point at `slot` out, which leaves room.
    fn remove(&mut self, slot: usize) {
        let count = self.count();
        for to in slot..count - 1 {
            self.positions[to] = self.positions[to + 1];
            self.owners[to] = self.owners[to + 1];
        }
        self.positions[count - 1] = u64::MAX;
        self.set_count(count as u32 - 1);
    }
}

/// Points to be placed, by region: the lines of a region stay in the cache while they are filled.
#[derive(Debug)]
pub(super) struct Unplaced {
    /// One, or as many as [`REGION_BITS`] tell apart. Within each the order is that in which points were pushed.
    regions: Vec<Vec<(u64, u32)>>,
    shift: u32,
}

impl Unplaced {
    /// None yet, and room for about `count`.
    pub(super) fn new(count: usize) -> Self {
        // Few fit the cache as they are.
        let bits = if count < 1 << 14 { 0 } else { REGION_BITS };
        let share = count >> bits;
        let room = share + if bits == 0 { 0 } else { share / 8 };
        Unplaced { regions: (0..1 << bits).map(|_| Vec::with_capacity(room)).collect(), shift: 63 - bits }
    }

    /// One more, at `position`, of the host with index `owner`.
    #[inline]
    pub(super) fn push(&mut self, position: u64, owner: u32) {
        self.regions[(position >> 1 >> self.shift) as usize].push((position, owner));
    }
}

/// Positions and who owns them.
#[derive(Clone, Debug)]
pub(super) struct Points {
    /// At least one; arc i is the positions of which the product with their number, divided by 2⁶⁴, is i.
    lines: Vec<Line>,
    /// What did not fit its line: position, owner, and a number that tells points apart that are equal in both.
    spilled: BTreeSet<(u64, u32, u32)>,
    /// Never zero.
    len: usize,
}

/// Where a point is: its arc, its slot there, or from [`ROOM`] on its number in the tree beside; and the point itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    arc: u32,
    slot: u32,
    point: (u64, u32),
}

impl Points {
    /// Places `points`, each a position and its owner's index; of equal positions the lesser index is in front. O(p)
    /// expected for positions that are hashes.
    pub(super) fn new(points: Unplaced) -> Self {
        Points::placed::<false>(points).0
    }

    /// Of points at the same position only the one with the least owner is placed; those of other owners are given
    /// back.
    pub(super) fn deduplicated(points: Unplaced) -> (Self, Vec<(u64, u32)>) {
        Points::placed::<true>(points)
    }

    fn placed<const DISTINCT: bool>(points: Unplaced) -> (Self, Vec<(u64, u32)>) {
        let len = points.regions.iter().map(Vec::len).sum();
        assert!(len > 0, "a circle without points has no next one");
        assert!(u32::try_from(len).is_ok(), "{len} points do not fit an index");
        let arcs = ((len as f64 / FILL) as usize).max(1);
        let mut circle = Points { lines: Vec::with_capacity(arcs), spilled: BTreeSet::new(), len };
        let mut spilled = Vec::new();
        let mut hidden = Vec::new();
        for region in points.regions {
            // Lines are made when their region is reached, so that they are still in the cache when points come.
            let last = region.iter().map(|(position, _)| *position).max().unwrap_or(0);
            circle.lines.resize(circle.lines.len().max(arc_of(last, arcs) + 1), Line::EMPTY);
            for point in region {
                assert!(point.1 < OWNER, "host {} is one too many", point.1);
                let line = &mut circle.lines[arc_of(point.0, arcs)];
                let slot = line.before(point.0);
                if DISTINCT && slot < line.count() && line.positions[slot] == point.0 {
                    let other = line.owner(slot);
                    line.owners[slot] = point.1.min(other);
                    if point.1 != other {
                        hidden.push((point.0, point.1.max(other)));
                    }
                    circle.len -= 1;
                } else if let Some(point) = line.insert(point) {
                    spilled.push(point);
                }
            }
        }
        circle.lines.resize(arcs, Line::EMPTY);
        spilled.sort_unstable();
        if DISTINCT {
            let before = spilled.len();
            spilled.dedup_by(|point, kept| {
                let is_same = point.0 == kept.0;
                if is_same && point.1 != kept.1 {
                    hidden.push(*point);
                }
                is_same
            });
            circle.len -= before - spilled.len();
        }
        for &(position, _) in &spilled {
            circle.lines[arc_of(position, arcs)].set_count(SPILLED);
        }
        // Backwards, so that an arc without points finds in the one after it who follows there.
        let mut next = circle.first(0).point.1;
        let mut waiting = spilled.iter().rev().peekable();
        for (arc, line) in circle.lines.iter_mut().enumerate().rev() {
            while let Some(point) = waiting.next_if(|(position, _)| arc_of(*position, arcs) == arc) {
                next = point.1;
            }
            line.set_next(next);
            next = line.owner(0);
        }
        let mut before = None;
        let numbered = spilled.into_iter().map(|point| {
            let number = before.filter(|(other, _)| *other == point).map_or(0, |(_, number)| number + 1);
            before = Some((point, number));
            (point.0, point.1, number)
        });
        circle.spilled = numbered.collect();
        (circle, hidden)
    }

    #[inline]
    fn arc(&self, position: u64) -> usize {
        arc_of(position, self.lines.len())
    }

    /// The first point of arc `from` or of one after it, around the circle.
    fn first(&self, from: usize) -> Place {
        let mut arc = from;
        while self.lines[arc].count() == 0 {
            arc = self.following(arc);
        }
        Place { arc: arc as u32, slot: 0, point: self.lines[arc].point(0) }
    }

    #[inline]
    fn following(&self, arc: usize) -> usize {
        if arc + 1 == self.lines.len() { 0 } else { arc + 1 }
    }

    /// The first point of `arc` in the tree that is not before `least`, or else the first of the arcs after it.
    fn first_beside(&self, arc: usize, least: (u64, u32)) -> Place {
        if self.lines[arc].is_spilled()
            && let Some(&(position, owner, number)) = self.spilled.range((least.0, least.1, 0)..).next()
            && self.arc(position) == arc
        {
            return Place { arc: arc as u32, slot: ROOM as u32 + number, point: (position, owner) };
        }
        self.first(self.following(arc))
    }

    /// The owner of the first point at `position` or after it, around the circle. O(1) expected for hashes, and one
    /// cache line in all but two of a hundred cases.
    #[inline]
    pub(super) fn owner_at_or_after(&self, position: u64) -> usize {
        let arc = self.arc(position);
        let line = &self.lines[arc];
        let slot = line.before(position);
        if slot == ROOM && line.is_spilled() {
            return self.owner(self.first_beside(arc, (position, 0)));
        }
        line.owner(slot) as usize
    }

    /// The place of the first point at `position` or after it, around the circle.
    #[inline]
    pub(super) fn at_or_after(&self, position: u64) -> Place {
        let arc = self.arc(position);
        let line = &self.lines[arc];
        let slot = line.before(position);
        if slot < line.count() {
            return Place { arc: arc as u32, slot: slot as u32, point: line.point(slot) };
        }
        self.first_beside(arc, (position, 0))
    }

    /// The place of the first point strictly after `position`, around the circle.
    #[inline]
    pub(super) fn after(&self, position: u64) -> Place {
        match position.checked_add(1) {
            Some(next) => self.at_or_after(next),
            None => self.first(0),
        }
    }

    /// The first point strictly after `probe`, as its distance from there and its owner, if it is nearer than `nearest`
    /// is to its own probe; otherwise that. O(1) expected for hashes.
    #[inline]
    pub(super) fn nearer(&self, probe: u64, nearest: (u64, u32)) -> (u64, u32) {
        // The distance to anything behind this arc is more than what is left of the arc, in units of 1/arcs.
        let product = u128::from(probe) * self.lines.len() as u128;
        let (arc, left) = ((product >> 64) as usize, (product as u64).wrapping_neg());
        let line = &self.lines[arc];
        let slot: usize = line.positions.iter().map(|&point| usize::from(point <= probe)).sum();
        if slot < line.count() {
            let distance = line.positions[slot] - probe;
            return if distance < nearest.0 { (distance, line.owner(slot)) } else { nearest };
        }
        if !line.is_spilled() && u128::from(left) > u128::from(nearest.0) * self.lines.len() as u128 {
            return nearest;
        }
        let place = self.after(probe);
        let distance = place.point.0.wrapping_sub(probe);
        if distance < nearest.0 { (distance, place.point.1) } else { nearest }
    }

    /// The place `steps` points further on. O(steps), of which whole rounds are left out.
    pub(super) fn further(&self, place: Place, steps: usize) -> Place {
        (0..steps % self.len).fold(place, |place, _| self.next(place))
    }

    fn next(&self, Place { arc, slot, point }: Place) -> Place {
        let (line, next) = (&self.lines[arc as usize], slot as usize + 1);
        if next < line.count() {
            return Place { arc, slot: slot + 1, point: line.point(next) };
        }
        if next <= ROOM {
            return self.first_beside(arc as usize, point);
        }
        let here = (point.0, point.1, slot - ROOM as u32);
        match self.spilled.range((Excluded(here), Unbounded)).next() {
            Some(&(position, owner, number)) if self.arc(position) == arc as usize => {
                Place { arc, slot: ROOM as u32 + number, point: (position, owner) }
            }
            _ => self.first(self.following(arc as usize)),
        }
    }

    /// The owner of the first point that is at `position` itself, if there is one.
    pub(super) fn owner_at(&self, position: u64) -> Option<u32> {
        let place = self.at_or_after(position);
        (place.point.0 == position).then_some(place.point.1)
    }

    /// The host at `place`.
    #[inline]
    pub(super) fn owner(&self, place: Place) -> usize {
        place.point.1 as usize
    }

    /// The position of the point at `place`.
    #[cfg(test)]
    pub(super) fn position(&self, place: Place) -> u64 {
        place.point.0
    }

    /// How many points there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The memory behind it, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.lines.as_slice()) + self.spilled.len() * size_of::<(u64, u32, u32)>()
    }

    /// All points, in ascending order of position.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (u64, usize)> {
        let mut points = Vec::with_capacity(self.len);
        let mut spilled = self.spilled.iter().map(|&(position, owner, _)| (position, owner)).peekable();
        for (arc, line) in self.lines.iter().enumerate() {
            points.extend((0..line.count()).map(|slot| line.point(slot)));
            if line.is_spilled() {
                points.extend(std::iter::from_fn(|| spilled.next_if(|(position, _)| self.arc(*position) == arc)));
            }
        }
        points.into_iter().map(|(position, owner)| (position, owner as usize))
    }

    /// Adds a point; `owner` may have it already. O(1) expected for hashes, over many.
    pub(super) fn insert(&mut self, position: u64, owner: u32) {
        assert!(owner < OWNER, "host {owner} is one too many");
        self.len += 1;
        if self.len as f64 > FILL_MAX * self.lines.len() as f64 {
            let mut points = Unplaced::new(self.len);
            self.iter().for_each(|(position, owner)| points.push(position, owner as u32));
            points.push(position, owner);
            *self = Points::new(points);
            return;
        }
        let arc = self.arc(position);
        if let Some(point) = self.lines[arc].insert((position, owner)) {
            let number = self.spilled.range(equal_to(point)).next_back().map_or(0, |(.., number)| number + 1);
            self.spilled.insert((point.0, point.1, number));
            self.lines[arc].set_count(SPILLED);
        }
        self.look_ahead(arc);
    }

    /// Takes away the point of `owner` at `position`; whether there was one. The last point stays. O(1) expected for
    /// hashes.
    pub(super) fn remove(&mut self, position: u64, owner: u32) -> bool {
        if self.len == 1 {
            return false;
        }
        let arc = self.arc(position);
        let line = &mut self.lines[arc];
        let was_spilled = line.is_spilled();
        match (0..line.count()).find(|&slot| line.point(slot) == (position, owner)) {
            Some(slot) => {
                let last = line.point(ROOM - 1);
                line.remove(slot);
                if was_spilled {
                    // The first of those that did not fit takes the room.
                    let first = *self.spilled.range((last.0, last.1, 0)..).next().expect("some did not fit");
                    self.spilled.remove(&first);
                    line.insert((first.0, first.1));
                }
            }
            None => match self.spilled.range(equal_to((position, owner))).next_back().copied() {
                Some(point) => drop(self.spilled.remove(&point)),
                None => return false,
            },
        }
        self.len -= 1;
        if was_spilled {
            let last = self.lines[arc].point(ROOM - 1);
            let mut others = self.spilled.range((last.0, last.1, 0)..);
            let are_there = others.next().is_some_and(|(position, ..)| self.arc(*position) == arc);
            self.lines[arc].set_count(if are_there { SPILLED } else { ROOM as u32 });
        }
        self.look_ahead(arc);
        true
    }

    /// Corrects who follows on `arc` and on those before it, as far back as they look to it.
    fn look_ahead(&mut self, arc: usize) {
        let last = self.lines[arc].point(ROOM - 1);
        let next = self.first_beside(arc, last).point.1;
        let line = &mut self.lines[arc];
        line.set_next(next);
        let next = line.owner(0);
        for line in self.lines[..arc].iter_mut().rev() {
            if !line.is_spilled() {
                line.set_next(next);
            }
            if line.count() > 0 {
                return;
            }
        }
        for line in self.lines[arc..].iter_mut().rev() {
            if !line.is_spilled() {
                line.set_next(next);
            }
            if line.count() > 0 {
                return;
            }
        }
    }
}

/// Where in the tree those equal to `point` are.
fn equal_to((position, owner): (u64, u32)) -> RangeInclusive<(u64, u32, u32)> {
    (position, owner, 0)..=(position, owner, u32::MAX)
}

/// The arc of `position` when there are `arcs` of them: the same share of their number as the position of 2⁶⁴.
#[inline]
fn arc_of(position: u64, arcs: usize) -> usize {
    ((u128::from(position) * arcs as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unplaced(points: &[(u64, u32)], room: usize) -> Unplaced {
        let mut unplaced = Unplaced::new(room);
        points.iter().for_each(|(position, owner)| unplaced.push(*position, *owner));
        unplaced
    }

    /// Anywhere, and often close to where the circle closes.
    fn position() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), 0_u64..20, u64::MAX - 20..=u64::MAX]
    }

    /// Asserts that `points` answers as a walk around the circle of `expected` does.
    fn assert_is(points: &Points, expected: &[(u64, u32)], asked: impl IntoIterator<Item = u64>) {
        let sorted: Vec<_> = expected.iter().map(|(position, owner)| (*position, *owner as usize)).collect();
        assert!(sorted.is_sorted());
        assert_eq!(points.iter().collect::<Vec<_>>(), sorted);
        assert_eq!(points.len(), sorted.len());
        let at = |place| (points.position(place), points.owner(place));
        for position in asked.into_iter().chain(sorted.iter().map(|(position, _)| *position)) {
            let walk = sorted.iter().position(|(p, _)| *p >= position).unwrap_or(0);
            assert_eq!(at(points.at_or_after(position)), sorted[walk], "at {position} or after");
            assert_eq!(points.owner_at_or_after(position), sorted[walk].1, "at {position} or after");
            for steps in [1, 2, 7, sorted.len()] {
                let further = points.further(points.at_or_after(position), steps);
                assert_eq!(at(further), sorted[(walk + steps) % sorted.len()], "{steps} from {position} on");
            }
            let walk = sorted.iter().position(|(p, _)| *p > position).unwrap_or(0);
            assert_eq!(at(points.after(position)), sorted[walk], "after {position}");
            let (distance, owner) = (sorted[walk].0.wrapping_sub(position), sorted[walk].1 as u32);
            for nearest in [1, 5, distance, distance.saturating_add(1), u64::MAX] {
                if distance == 0 {
                    continue; // all are where it asks from, and after a whole round it does not matter which is nearest
                }
                let expected = if distance < nearest { (distance, owner) } else { (nearest, 77) };
                assert_eq!(points.nearer(position, (nearest, 77)), expected, "after {position}, nearer than {nearest}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_search_finds_what_a_walk_around_the_circle_finds(
            positions in proptest::collection::vec(position(), 1..200),
            asked in proptest::collection::vec(position(), 50),
        ) {
            let mut sorted: Vec<_> = positions.iter().zip(0..).map(|(p, i)| (*p, i)).collect();
            let points = Points::new(unplaced(&sorted, 0));
            let (distinct, hidden) = Points::deduplicated(unplaced(&sorted, 1 << 14));
            sorted.sort_unstable();
            assert_is(&points, &sorted, asked.iter().copied());
            let all = sorted.clone();
            sorted.dedup_by_key(|(position, _)| *position);
            assert_is(&distinct, &sorted, asked);
            sorted.extend(hidden);
            sorted.sort_unstable();
            prop_assert_eq!(sorted, all);
        }

        #[test]
        fn points_that_come_and_go_leave_what_placing_the_rest_gives(
            first in (position(), 0_u32..4),
            changes in proptest::collection::vec((any::<bool>(), position(), 0_u32..4), 1..300),
        ) {
            let mut expected = vec![first];
            let mut points = Points::new(unplaced(&expected, 1));
            for (is_coming, position, owner) in changes {
                let point = (position, owner);
                let found = expected.iter().position(|other| *other == point).filter(|_| expected.len() > 1);
                if is_coming {
                    points.insert(position, owner);
                    expected.insert(expected.partition_point(|other| *other < point), point);
                } else {
                    prop_assert_eq!(points.remove(position, owner), found.is_some());
                    found.map(|index| expected.remove(index));
                }
                assert_is(&points, &expected, [0, 10, position, u64::MAX / 2, u64::MAX]);
            }
        }
    }

    #[test]
    fn of_equal_positions_the_lesser_owner_is_in_front() {
        let given = [(7, 2), (7, 0), (3, 1), (7, 1), (7, 5), (7, 4), (7, 3), (7, 6)];
        let points = Points::new(unplaced(&given, 8));
        assert_eq!(points.iter().collect::<Vec<_>>(), [(3, 1), (7, 0), (7, 1), (7, 2), (7, 3), (7, 4), (7, 5), (7, 6)]);
        assert_eq!(Points::deduplicated(unplaced(&given, 8)).0.iter().collect::<Vec<_>>(), [(3, 1), (7, 0)]);
    }

    #[test]
    fn a_line_is_a_cache_line() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
    }
}
