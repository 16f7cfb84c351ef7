//! The ring: hosts at many hashed points of a circle, keys to the next point clockwise.
//!
//! Karger et al., "Consistent Hashing and Random Trees" (STOC 1997). A host that leaves gives each of its arcs to the
//! next point, and nothing else moves; how even the arcs are depends on the number of points a host. That promise
//! stands only while nobody's points change. Envoy sets the size of the ring instead: each host's number of points is
//! that size divided by the hosts, so it grows or shrinks for all when one leaves, and more keys move than must.

use super::points::{Points, Unplaced};
use super::{HashFunction, check, total_weight};
use std::ops::RangeInclusive;

/// Points of hosts on a circle of 64-bit hashes; point i of a host is at the hash of `HOST_i`.
///
/// Disruption: minimal with [`Ring::fixed`]; with [`Ring::envoy`] about twice what must move at ten hosts and the
/// default size.
#[derive(Clone, Debug)]
pub struct Ring {
    points: Points,
    function: HashFunction,
    /// Zero when the points of a host depend on who else is there.
    per_weight: u32,
}

impl Ring {
    /// The least and the greatest number of points by default in Envoy (`ring_hash_lb.h`, `DefaultMinRingSize`,
    /// `DefaultMaxRingSize`).
    pub const ENVOY_SIZE: RangeInclusive<u64> = 1024..=8 * 1024 * 1024;

    /// The least and the greatest number of points by default in gRPC (proposal A42), whose rings grow as Envoy's do.
    pub const GRPC_SIZE: RangeInclusive<u64> = 1024..=4096;

    /// The ring of Envoy (`source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc`) for `hosts` in the
    /// order given, with the configured minimum and maximum `size`.
    ///
    /// With weights as shares of their sum, the size aimed at is `⌈least share · minimum⌉ / least share`, so that the
    /// lightest host gets a whole number of points, or the maximum if that is less. Going through the hosts, the points
    /// so far are raised to the sum of the targets so far, so a host may get one more or less than its share, none even
    /// when the maximum is below the number of hosts. O(p) expected for p points. Panics on a minimum above the
    /// maximum, which Envoy refuses, and on a minimum of zero.
    pub fn envoy(hosts: &[(&str, u32)], size: RangeInclusive<u64>, function: HashFunction) -> Self {
        check(hosts);
        let (minimum, maximum) = size.into_inner();
        assert!(0 < minimum && minimum <= maximum, "a ring of {minimum} to {maximum} points cannot be");
        let total = total_weight(hosts) as f64;
        let share = |weight: u32| f64::from(weight) / total;
        let least = hosts.iter().map(|(_, weight)| share(*weight)).fold(1.0, f64::min);
        let scale = ((least * minimum as f64).ceil() / least).min(maximum as f64);

        let mut target = 0.0;
        let mut current = 0_u64;
        Ring::with_counts(hosts, function, 0, scale as usize, |weight| {
            target += scale * share(weight);
            let before = current;
            while (current as f64) < target {
                current += 1;
            }
            current - before
        })
    }

    /// A ring where a host has `per_weight` points for every unit of weight, whoever else is there: Karger's.
    ///
    /// The points hash as Envoy's do. O(p) expected for p points. Panics when `per_weight` is zero.
    pub fn fixed(hosts: &[(&str, u32)], per_weight: u32, function: HashFunction) -> Self {
        check(hosts);
        assert!(per_weight > 0, "a ring without points cannot be");
        let room = total_weight(hosts) as usize * per_weight as usize;
        Ring::with_counts(hosts, function, per_weight, room, |weight| u64::from(weight) * u64::from(per_weight))
    }

    fn with_counts(
        hosts: &[(&str, u32)],
        function: HashFunction,
        per_weight: u32,
        room: usize,
        mut count: impl FnMut(u32) -> u64,
    ) -> Self {
        let mut points = Unplaced::new(room);
        let mut key = Vec::new();
        for (index, (host, weight)) in hosts.iter().enumerate() {
            let count = count(*weight);
            each_point(host, count, function, &mut key, |position| points.push(position, index as u32));
        }
        Ring { points: Points::new(points), function, per_weight }
    }

    /// Whether a host's points depend on nobody else, so that it can come and go.
    pub fn is_fixed(&self) -> bool {
        self.per_weight > 0
    }

    /// `host` comes, to be known by `index`: afterwards the ring is what [`Ring::fixed`] gives for all that are there.
    ///
    /// O(points of the host) expected. Panics on a ring as Envoy's, where everybody's points change, and on weight
    /// zero.
    pub fn insert(&mut self, index: usize, host: &str, weight: u32) {
        let (function, points) = (self.function, &mut self.points);
        let count = count_of(weight, self.per_weight);
        each_point(host, count, function, &mut Vec::new(), |position| points.insert(position, index as u32));
    }

    /// The host known by `index` leaves, which has been placed as `host` with `weight`.
    ///
    /// O(points of the host) expected. Panics as [`Ring::insert`] does, and when it is not there or is the last one.
    pub fn remove(&mut self, index: usize, host: &str, weight: u32) {
        let (function, points) = (self.function, &mut self.points);
        let count = count_of(weight, self.per_weight);
        each_point(host, count, function, &mut Vec::new(), |position| {
            assert!(points.remove(position, index as u32), "{host} is not there, or the last one");
        });
    }

    /// Points on the ring.
    pub fn entries(&self) -> usize {
        self.points.len()
    }

    /// The memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.points.bytes()
    }

    /// The host of the first point at `hash` or after it. O(1) expected.
    #[inline]
    pub fn lookup(&self, hash: u64) -> usize {
        self.points.owner_at_or_after(hash)
    }

    /// The host for the `attempt`-th retry: that of the point `attempt` places further on, which may be the same host.
    ///
    /// Envoy's `chooseHost(hash, attempt)`; attempt zero is [`Ring::lookup`]. O(1) expected.
    #[inline]
    pub fn lookup_attempt(&self, hash: u64, attempt: u32) -> usize {
        let place = self.points.at_or_after(hash);
        self.points.owner(self.points.further(place, attempt as usize))
    }

    /// The points in ascending order: hash, and index of the host.
    pub fn points(&self) -> impl ExactSizeIterator<Item = (u64, usize)> {
        self.points.iter()
    }
}

/// How many points a host of `weight` has on a ring that can be changed.
fn count_of(weight: u32, per_weight: u32) -> u64 {
    assert!(per_weight > 0, "everybody's points change with the hosts of such a ring; build it anew");
    assert!(weight > 0, "a host of weight zero is to be left out");
    u64::from(weight) * u64::from(per_weight)
}

/// Calls `place` with the positions of the first `count` points of `host`; `key` is where the keys are written.
fn each_point(host: &str, count: u64, function: HashFunction, key: &mut Vec<u8>, mut place: impl FnMut(u64)) {
    key.clear();
    key.extend_from_slice(host.as_bytes());
    key.push(b'_');
    let stem = key.len();
    key.push(b'0');
    for _ in 0..count {
        place(function.hash(key));
        // The next number, digit by digit: formatting each anew takes twice as long as hashing it.
        match key[stem..].iter().rposition(|digit| *digit < b'9') {
            Some(digit) => {
                key[stem + digit] += 1;
                key[stem + digit + 1..].fill(b'0');
            }
            None => {
                key[stem..].fill(b'0');
                key.insert(stem, b'1');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Names of tests after those of envoyproxy/envoy test/extensions/load_balancing_policies/ring_hash/
    //! ring_hash_lb_test.cc, whose numbers they hold.

    use super::*;

    const MAX: u64 = *Ring::ENVOY_SIZE.end();

    fn local(ports: impl IntoIterator<Item = (u32, u32)>) -> Vec<(String, u32)> {
        ports.into_iter().map(|(port, weight)| (format!("127.0.0.1:{port}"), weight)).collect()
    }

    fn envoy(hosts: &[(String, u32)], size: RangeInclusive<u64>, function: HashFunction) -> Ring {
        let hosts: Vec<_> = hosts.iter().map(|(host, weight)| (host.as_str(), *weight)).collect();
        Ring::envoy(&hosts, size, function)
    }

    /// Points of the lightest and of the heaviest host: Envoy's `min_hashes_per_host` and `max_hashes_per_host`.
    fn least_and_most(ring: &Ring, hosts: usize) -> (usize, usize) {
        let mut counts = vec![0; hosts];
        ring.points().for_each(|(_, host)| counts[host] += 1);
        (*counts.iter().min().unwrap(), *counts.iter().max().unwrap())
    }

    fn hits(ring: &Ring, hosts: usize, keys: u64) -> Vec<u32> {
        let mut counts = vec![0; hosts];
        (0..keys).for_each(|i| counts[ring.lookup(i * (u64::MAX / keys))] += 1);
        counts
    }

    #[test]
    fn basic() {
        let ring = envoy(&local((90..96).map(|p| (p, 1))), 12..=MAX, HashFunction::Xxh64);
        let expected = [
            (833_437_586_790_550_860, 4),
            (928_266_305_478_181_108, 2),
            (1_033_482_794_131_418_490, 0),
            (3_551_244_743_356_806_947, 5),
            (3_851_675_632_748_031_481, 3),
            (5_583_722_120_771_150_861, 1),
            (6_311_230_543_546_372_928, 1),
            (7_700_377_290_971_790_572, 3),
            (13_144_177_310_400_110_813, 5),
            (13_444_792_449_719_432_967, 2),
            (15_516_499_411_664_133_160, 4),
            (16_117_243_373_044_804_889, 0),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
        for (hash, host) in [
            (0, 4),
            (u64::MAX, 4),
            (3_551_244_743_356_806_947, 5),
            (3_551_244_743_356_806_948, 3),
            (16_117_243_373_044_804_880, 0),
        ] {
            assert_eq!(ring.lookup(hash), host, "{hash}");
        }
        // BasicWithRetryHostPredicate, on the same ring.
        for (attempt, host) in [(0, 4), (1, 2), (2, 0), (13, 2)] {
            assert_eq!(ring.lookup_attempt(0, attempt), host, "attempt {attempt}");
        }
    }

    #[test]
    fn basic_with_murmur2() {
        let ring = envoy(&local((80..86).map(|p| (p, 1))), 12..=MAX, HashFunction::Murmur2);
        let expected = [
            (1_358_027_074_129_602_068, 5),
            (4_361_834_613_929_391_114, 3),
            (7_224_494_972_555_149_682, 4),
            (7_701_421_856_454_313_576, 1),
            (8_649_315_368_077_433_379, 2),
            (8_739_448_859_063_030_639, 4),
            (9_887_544_217_113_020_895, 1),
            (10_150_910_876_324_007_731, 2),
            (15_168_472_011_420_622_455, 3),
            (15_427_156_902_705_414_897, 0),
            (16_375_050_414_328_759_093, 5),
            (17_613_279_263_364_193_813, 0),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn basic_with_hostname() {
        let hosts = ["90", "91", "92", "93", "94", "95"].map(|host| (host, 1));
        let ring = Ring::envoy(&hosts, 12..=MAX, HashFunction::Xxh64);
        let expected = [
            (1_975_508_444_536_362_413, 5),
            (2_376_063_919_839_173_711, 5),
            (2_386_806_903_309_390_596, 3),
            (6_749_904_478_991_551_885, 4),
            (6_803_900_775_736_438_537, 3),
            (7_225_015_537_174_310_577, 2),
            (8_787_465_352_164_086_522, 0),
            (11_282_020_843_382_717_940, 2),
            (13_723_418_369_486_627_818, 1),
            (13_776_502_110_861_797_421, 0),
            (14_338_313_586_354_474_791, 1),
            (15_364_271_037_087_512_980, 4),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn uneven_hosts() {
        let ring = envoy(&local([(80, 1), (81, 1)]), 3..=MAX, HashFunction::Xxh64);
        let expected = [
            (5_454_692_015_285_649_509, 0),
            (7_859_399_908_942_313_493, 1),
            (13_838_424_394_637_650_569, 0),
            (16_064_866_803_292_627_174, 1),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
        let ring = envoy(&local([(81, 1), (82, 1)]), 3..=MAX, HashFunction::Xxh64);
        let expected = [
            (7_859_399_908_942_313_493, 0),
            (8_241_336_090_459_785_962, 1),
            (12_882_406_409_176_325_258, 1),
            (16_064_866_803_292_627_174, 0),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn host_weighted_tiny_ring() {
        let ring = envoy(&local([(90, 1), (91, 2), (92, 3)]), 6..=6, HashFunction::Xxh64);
        let expected = [
            (928_266_305_478_181_108, 2),
            (4_443_673_547_860_492_590, 2),
            (5_583_722_120_771_150_861, 1),
            (6_311_230_543_546_372_928, 1),
            (13_444_792_449_719_432_967, 2),
            (16_117_243_373_044_804_889, 0),
        ];
        assert_eq!(ring.points().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn host_weighted_large_ring() {
        let ring = envoy(&local([(90, 1), (91, 2), (92, 3)]), 6144..=MAX, HashFunction::Xxh64);
        assert_eq!(ring.points().len(), 6144);
        assert_eq!(least_and_most(&ring, 3), (1024, 3072));
        assert_eq!(hits(&ring, 3, 6000), [987, 1932, 3081]);
    }

    #[test]
    fn host_and_locality_weighted_rings() {
        // Weights 1:2 within localities that are 1:2 themselves: shares of 1, 2, 2 and 4 ninths.
        let hosts = local([(90, 1), (91, 2), (92, 2), (93, 4)]);
        let tiny = envoy(&hosts, 9..=9, HashFunction::Xxh64);
        let expected = [
            (928_266_305_478_181_108, 2),
            (3_851_675_632_748_031_481, 3),
            (5_583_722_120_771_150_861, 1),
            (6_311_230_543_546_372_928, 1),
            (7_700_377_290_971_790_572, 3),
            (12_559_126_875_973_811_811, 3),
            (13_444_792_449_719_432_967, 2),
            (13_784_988_426_630_141_778, 3),
            (16_117_243_373_044_804_889, 0),
        ];
        assert_eq!(tiny.points().collect::<Vec<_>>(), expected);
        let large = envoy(&hosts, 9216..=MAX, HashFunction::Xxh64);
        assert_eq!(least_and_most(&large, 4), (1024, 4096));
        assert_eq!(hits(&large, 4, 9000), [924, 2009, 2053, 4014]);
    }

    #[test]
    fn small_and_large_fractional_scale() {
        let ring = envoy(&local((90..94).map(|p| (p, 1))), 2..=2, HashFunction::Xxh64);
        assert_eq!(least_and_most(&ring, 4), (0, 1));
        assert_eq!(hits(&ring, 4, 1024).iter().filter(|count| **count == 0).count(), 2);
        let ring = envoy(&local([(90, 1), (91, 1)]), 1023..=1023, HashFunction::Xxh64);
        assert_eq!(least_and_most(&ring, 2), (511, 512));
        assert_eq!(hits(&ring, 2, 1023), [526, 497]);
    }

    #[test]
    fn lopsided_weight_small_scale() {
        // Locality weights 127 and 1, one host in the first and 1023 in the second.
        let hosts = local((0..1024).map(|port| (port, if port == 0 { 127 * 1023 } else { 1 })));
        let ring = envoy(&hosts, 1024..=1024, HashFunction::Xxh64);
        assert_eq!(least_and_most(&ring, 1024), (0, 1016));
        for (hash, host) in [
            (11_664_790_346_325_243_808, 1),
            (15_894_554_872_961_148_518, 128),
            (13_958_138_884_277_627_155, 256),
            (15_803_774_069_438_192_949, 384),
            (3_829_253_010_855_396_576, 512),
            (17_918_147_347_826_565_154, 640),
            (6_442_769_608_292_299_103, 768),
            (5_881_074_926_069_334_434, 896),
        ] {
            assert_eq!(ring.lookup(hash), host, "{hash}");
        }
    }

    #[test]
    fn who_comes_and_goes_leaves_the_ring_that_building_it_gives() {
        let names: Vec<_> = (0..40).map(|i| (format!("10.0.0.{i}:80"), i % 3 + 1)).collect();
        let hosts: Vec<_> = names.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        let mut ring = Ring::fixed(&hosts[..1], 120, HashFunction::Xxh64);
        for (index, (host, weight)) in hosts.iter().enumerate().skip(1) {
            ring.insert(index, host, *weight);
        }
        assert!(ring.points().eq(Ring::fixed(&hosts, 120, HashFunction::Xxh64).points()), "all have come");
        for (index, (host, weight)) in hosts.iter().enumerate().skip(25).rev() {
            ring.remove(index, host, *weight);
        }
        assert!(ring.points().eq(Ring::fixed(&hosts[..25], 120, HashFunction::Xxh64).points()), "some have left");
    }

    #[test]
    fn keys_of_points_are_numbered_in_decimal() {
        let mut hashes = Vec::new();
        each_point("host", 1_111, HashFunction::Xxh64, &mut Vec::new(), |hash| hashes.push(hash));
        let expected = (0..1_111).map(|i| HashFunction::Xxh64.hash(format!("host_{i}").as_bytes()));
        assert!(hashes.into_iter().eq(expected));
    }

    #[test]
    #[should_panic(expected = "is not there, or the last one")]
    fn who_is_not_there_cannot_leave() {
        let mut ring = Ring::fixed(&[("a", 1), ("b", 1)], 10, HashFunction::Xxh64);
        ring.remove(2, "c", 1);
    }

    #[test]
    #[should_panic(expected = "build it anew")]
    fn a_ring_as_envoys_is_not_changed_in_place() {
        Ring::envoy(&[("a", 1)], Ring::ENVOY_SIZE, HashFunction::Xxh64).insert(1, "b", 1);
    }

    #[test]
    #[should_panic(expected = "a ring of 20 to 10 points cannot be")]
    fn bad_ring_size_bounds() {
        #[expect(clippy::reversed_empty_ranges, reason = "that is what is refused")]
        let size = 20..=10;
        Ring::envoy(&[("a", 1)], size, HashFunction::Xxh64);
    }
}
