//! Bounded loads: when the host a key belongs to has more than its part of the requests, another gets this one.
//!
//! Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads" (arXiv:1608.01350), with the random jump
//! of Chen, Coleman and Shrivastava (arXiv:1908.08762) in place of the next host on the ring, so that one host's
//! overflow does not fall on one neighbour. It goes around any of the structures here, as Envoy's
//! `hash_balance_factor` goes around its ring and its Maglev table.

use super::{check, total_weight};

/// Shares of hosts, and how far above its share a host may be.
#[derive(Clone, Debug)]
pub struct BoundedLoad {
    shares: Vec<f64>,
    factor: u32,
    /// The shuffled indexes of hosts; kept so that a choice allocates nothing.
    order: Vec<u32>,
}

impl BoundedLoad {
    /// Bounds the load of `hosts`, given as for the structure that is bounded, to `factor` percent of their share.
    ///
    /// Envoy's documentation has 120 to 200 as typical, and at least 100. O(n). Panics when `factor` is zero.
    pub fn new(hosts: &[(&str, u32)], factor: u32) -> Self {
        check(hosts);
        assert!(factor > 0, "a bound of 0 percent leaves no host");
        let total = total_weight(hosts) as f64;
        BoundedLoad {
            shares: hosts.iter().map(|(_, weight)| f64::from(*weight) / total).collect(),
            factor,
            order: Vec::with_capacity(hosts.len()),
        }
    }

    /// Who gets the request with `hash`, which belongs to `host`, when `active` requests are under way at each host.
    ///
    /// The rule of Envoy (`source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc`,
    /// `BoundedLoadHashingLoadBalancer::chooseHost`): a host has `⌈share · ⌈(Σ active + 1) · factor / 100⌉⌉` slots, at
    /// least one. It is passed over when more than that are under way, so a host exactly at its slots still gets one.
    /// Candidates come in an order shuffled by a Mersenne Twister seeded with the lower half of `hash`; if all are
    /// above their slots, it is the one that is least so. O(n). Panics when `active` and the hosts differ in number.
    pub fn choose(&mut self, hash: u64, host: usize, active: &[u32]) -> usize {
        assert_eq!(active.len(), self.shares.len(), "one count a host");
        let total: u64 = active.iter().map(|count| u64::from(*count)).sum();
        let slots = ((total + 1) * u64::from(self.factor)).div_ceil(100) as f64;
        let (shares, order) = (&self.shares, &mut self.order);
        choose_by(hash, host, order, shares.len(), |host| {
            f64::from(active[host]) / (slots * shares[host]).ceil().max(1.0)
        })
    }
}

/// [`BoundedLoad::choose`] among `hosts` by how much of its slots each uses.
fn choose_by(hash: u64, host: usize, order: &mut Vec<u32>, hosts: usize, used: impl Fn(usize) -> f64) -> usize {
    let mut least = (host, used(host));
    if least.1 <= 1.0 {
        return host;
    }
    let mut shuffle = Shuffle::new(hash, order, hosts);
    while let Some(candidate) = shuffle.next() {
        if candidate == host {
            continue;
        }
        let used = used(candidate);
        if used <= 1.0 {
            return candidate;
        }
        if used < least.1 {
            least = (candidate, used);
        }
    }
    least.0
}

/// The hosts in the random order that belongs to a hash, drawn as far as it is asked for.
struct Shuffle<'a> {
    twister: Twister,
    order: &'a mut Vec<u32>,
    drawn: usize,
}

impl<'a> Shuffle<'a> {
    fn new(hash: u64, order: &'a mut Vec<u32>, hosts: usize) -> Self {
        order.clear();
        order.extend(0..hosts as u32);
        Shuffle { twister: Twister::new(hash as u32), order, drawn: 0 }
    }

    fn next(&mut self) -> Option<usize> {
        let left = self.order.len() - self.drawn;
        if left == 0 {
            return None;
        }
        // Envoy's own way from 32 random bits to a number below `left`, for it to be the same on every platform.
        let width = (1_u64 << 32) / left as u64;
        let jump = loop {
            let number = u64::from(self.twister.next()) / width;
            if number < left as u64 {
                break number as usize;
            }
        };
        self.order.swap(self.drawn, self.drawn + jump);
        self.drawn += 1;
        Some(self.order[self.drawn - 1] as usize)
    }
}

/// The Mersenne Twister of C++, `std::mt19937` (Matsumoto and Nishimura 1998).
struct Twister {
    state: [u32; Twister::LENGTH],
    next: usize,
}

impl Twister {
    const LENGTH: usize = 624;

    fn new(seed: u32) -> Self {
        let mut state = [seed; Self::LENGTH];
        for i in 1..Self::LENGTH {
            let before = state[i - 1];
            state[i] = (before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Twister { state, next: Self::LENGTH }
    }

    fn next(&mut self) -> u32 {
        if self.next == Self::LENGTH {
            for i in 0..Self::LENGTH {
                let joined = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % Self::LENGTH] & 0x7fff_ffff);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % Self::LENGTH] ^ (joined >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut number = self.state[self.next];
        self.next += 1;
        number ^= number >> 11;
        number ^= (number << 7) & 0x9d2c_5680;
        number ^= (number << 15) & 0xefc6_0000;
        number ^ (number >> 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twister_is_the_one_of_the_standard() {
        // C++ standard, [rand.predef]: the 10,000th number of a default-constructed mt19937, whose seed is 5489.
        let mut twister = Twister::new(5489);
        assert_eq!((0..10_000).map(|_| twister.next()).last(), Some(4_123_659_995));
    }

    #[test]
    fn hosts_are_shuffled_as_in_envoys_tests() {
        // envoyproxy/envoy test/extensions/load_balancing_policies/common/bounded_load_hlb_test.cc, which names them.
        for (seed, expected) in [(2, [2, 1, 0, 4, 3]), (6, [4, 0, 2, 3, 1]), (7, [0, 1, 4, 3, 2])] {
            let mut order = Vec::new();
            let mut shuffle = Shuffle::new(seed, &mut order, 5);
            let hosts: Vec<_> = std::iter::from_fn(|| shuffle.next()).collect();
            assert_eq!(hosts, expected, "seed {seed}");
        }
    }

    #[test]
    fn overloaded_hosts_are_passed_over_as_in_envoys_tests() {
        // There too: OneHostOverloaded, MultipleHostOverloaded, MultipleHashSameHostOverloaded, AllHostsOverloaded.
        // Those listed use 1.02, 1.03, … of their slots, all others half.
        for (hash, host, hosts, overloaded, expected) in [
            (2, 2, 5, &[][..], 2),
            (2, 2, 5, &[2], 1),
            (2, 2, 5, &[0, 1, 2], 4),
            (6, 3, 5, &[3], 4),
            (7, 3, 5, &[3], 0),
            (0, 0, 3, &[1, 0, 2], 1),
        ] {
            let used = |host| overloaded.iter().position(|o| *o == host).map_or(0.5, |i| 1.02 + i as f64 / 100.0);
            let chosen = choose_by(hash, host, &mut Vec::new(), hosts, used);
            assert_eq!(chosen, expected, "hash {hash} of host {host}, {overloaded:?} overloaded");
        }
    }

    #[test]
    fn a_host_with_more_than_its_slots_is_passed_over() {
        let mut bounded = BoundedLoad::new(&[("a", 1), ("b", 1), ("c", 2)], 125);
        // (7 + 1) · 1.25 = 10 slots, of which a and b have ⌈2.5⌉ and c has 5.
        assert_eq!(bounded.choose(9, 0, &[3, 2, 2]), 0, "at its slots");
        assert_ne!(bounded.choose(9, 0, &[4, 1, 2]), 0, "above them");
        assert_eq!(bounded.choose(9, 2, &[1, 1, 5]), 2, "at its slots");
        assert_ne!(bounded.choose(9, 2, &[1, 0, 6]), 2, "above them");
    }

    #[test]
    fn no_host_ever_holds_more_than_one_above_its_slots() {
        // All requests for one key, none of them ends: the hottest a key can be.
        let mut bounded = BoundedLoad::new(&[("host", 1); 8], 150);
        let mut active = [0; 8];
        for total in 0..400_u64 {
            active[bounded.choose(77, 3, &active)] += 1;
            let slots = ((total + 1) * 150).div_ceil(100).div_ceil(8) as u32;
            assert!(active.iter().all(|count| *count <= slots + 1), "{active:?} of {slots}");
        }
        assert!(active[3] > 70 && active.iter().filter(|count| **count > 0).count() < 8, "{active:?}");
    }
}
