//! The ring of deterministic aperture: clients and hosts side by side on one circle, so that together the clients cover
//! every host equally, each talking to few.
//!
//! Finagle's (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/Ring.scala`,
//! `ProcessCoordinate.scala` and `DeterministicAperture.scala`), to the order of its floating point: n hosts divide the
//! circle evenly, p clients do too, and a client reaches from its place over so many of its own widths as hold at least
//! the wanted number of hosts. A host of which only a part lies within gets that part of a host's load.

use base::Draw;

/// Differences of this size are none.
const EPSILON: f64 = 1e-6;

/// A client's stretch of the circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Where it begins, from 0 to less than 1.
    pub offset: f64,
    /// How far it goes, at most once around.
    pub width: f64,
}

impl Stretch {
    /// That of client `index` of `clients`, wide enough for `aperture` of `hosts` hosts. Panics without clients or
    /// hosts.
    pub fn new(index: u32, clients: u32, aperture: u32, hosts: u32) -> Self {
        assert!(clients > 0 && hosts > 0, "a ring has clients and hosts");
        let unit = 1.0 / f64::from(clients);
        let wanted = f64::from(aperture) * (1.0 / f64::from(hosts));
        let units = (wanted / unit).ceil();
        Stretch { offset: (f64::from(index) * unit) % 1.0, width: (units * unit).min(1.0) }
    }
}

/// So many hosts, evenly around the circle.
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    size: u32,
}

impl Ring {
    /// A ring of `size` hosts. Panics when there is none.
    pub fn new(size: u32) -> Self {
        assert!(size > 0, "a ring has hosts");
        Ring { size }
    }

    fn unit(self) -> f64 {
        1.0 / f64::from(self.size)
    }

    /// The host at `position` of the circle.
    pub fn index(self, position: f64) -> u32 {
        (position * f64::from(self.size)).floor() as u32 % self.size
    }

    /// How many hosts a stretch touches.
    pub fn range(self, stretch: Stretch) -> u32 {
        if 1.0 - stretch.width <= EPSILON {
            return self.size;
        }
        let first = self.index(stretch.offset);
        let last = self.index(((stretch.offset + stretch.width) * (1.0 - EPSILON)) % 1.0);
        let range = i64::from(last) - i64::from(first) + 1;
        // As Finagle has it: exactly no range, a stretch that ends just before it began, stays none.
        (if range < 0 { range + i64::from(self.size) } else { range }) as u32
    }

    /// The hosts that a stretch touches, in order from where it begins.
    pub fn indices(self, stretch: Stretch) -> impl Iterator<Item = u32> {
        let first = self.index(stretch.offset);
        (0..self.range(stretch)).map(move |i| (first + i) % self.size)
    }

    /// The share of the host at `index` that lies within a stretch.
    pub fn weight(self, index: u32, stretch: Stretch) -> f64 {
        let (begin, end) = self.place(index, stretch);
        overlap(begin, end, stretch) / self.unit()
    }

    /// Where the host at `index` is, a turn further when the stretch reaches it only beyond the end of the circle.
    fn place(self, index: u32, stretch: Stretch) -> (f64, f64) {
        let begin = f64::from(index) * self.unit();
        let begin = if begin + 1.0 < stretch.offset + stretch.width { begin + 1.0 } else { begin };
        (begin, begin + self.unit())
    }

    /// A host of the stretch, each by the share that lies within.
    pub fn pick(self, stretch: Stretch, draw: &mut impl Draw) -> u32 {
        self.index((stretch.offset + draw.unit() * stretch.width) % 1.0)
    }

    /// Another host than `first`, when the stretch has one.
    pub fn pick_second(self, first: u32, stretch: Stretch, draw: &mut impl Draw) -> u32 {
        let (begin, end) = self.place(first, stretch);
        let taken = overlap(begin, end, stretch);
        let left = stretch.width - taken;
        if left <= EPSILON {
            return first;
        }
        // What lies beyond the first host is drawn as if that were cut out.
        let mut position = stretch.offset + draw.unit() * left;
        if position >= end - taken {
            position += taken;
        }
        self.index(position % 1.0)
    }
}

fn overlap(begin: f64, end: f64, stretch: Stretch) -> f64 {
    (end.min(stretch.offset + stretch.width) - begin.max(stretch.offset)).max(0.0)
}
