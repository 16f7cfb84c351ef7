//! Priorities: how much of the load each level gets, as the levels before it lose hosts.
//!
//! As Envoy computes it, in whole percent and with its remainders (`recalculatePerPriorityState`, `distributeLoad`,
//! `recalculatePerPriorityPanic` and `recalculateLoadInTotalPanic` in
//! `source/extensions/load_balancing_policies/common/load_balancer_impl.cc`; docs `priority.rst`, `degraded.rst`,
//! `panic_threshold.rst`):
//!
//! - A level is as available as its healthy hosts are of all, times the overprovisioning factor, at most 100 %.
//!   Degraded hosts make an availability of their own.
//! - Load goes to healthy hosts level by level, then to degraded hosts level by level, until 100 % are placed. Where
//!   everything together is below 100 %, each gets its share of that sum; what rounding leaves goes to the first level
//!   that has healthy hosts, or else degraded ones.
//! - While the sum is below 100 %, a level with too few available hosts is in panic: its load goes to all its hosts,
//!   whatever their health. When every level is, the load is shared by the number of hosts.
//!
//! Two things differ, where Envoy has no answer of its own. With the panic threshold at zero and nobody available Envoy
//! keeps the panic flags of the moment before; here no level is in panic then, and nobody is picked. And where all
//! percentages round to nothing without panic, the first level with healthy hosts gets everything.

/// The hosts of one level, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// All of them.
    pub hosts: u32,
    /// Those that are well.
    pub healthy: u32,
    /// Those to fall back on.
    pub degraded: u32,
    /// Those that do not count yet, such as ones still warming up.
    pub excluded: u32,
}

impl Level {
    /// How available `part` of its hosts make it, in percent: their share of those that count, times `overprovisioning`
    /// in percent, at most 100.
    pub fn availability(&self, part: u32, overprovisioning: u32) -> u32 {
        match u64::from(self.hosts - self.excluded) {
            0 => 0,
            n => (u64::from(overprovisioning) * u64::from(part) / n).min(100) as u32,
        }
    }
}

/// What one level gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// For its healthy hosts, or for all of them when the level is in panic; in percent.
    pub healthy: u32,
    /// For its degraded hosts, in percent.
    pub degraded: u32,
    /// Whether health is disregarded.
    pub panic: bool,
}

/// Whether the healthy or the degraded hosts of a level are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Availability {
    /// The healthy ones.
    Healthy,
    /// The degraded ones.
    Degraded,
}

/// The shares of all levels, the highest priority first; they add up to 100.
///
/// `overprovisioning` is in percent, 140 in Envoy unless told otherwise; `panic_threshold` is in percent, 50 there, and
/// never panics when it is zero. There is at least one level. O(levels).
pub fn shares(levels: &[Level], overprovisioning: u32, panic_threshold: u32) -> Vec<Share> {
    assert!(!levels.is_empty(), "there is at least one level");
    let healthy: Vec<u32> = levels.iter().map(|level| level.availability(level.healthy, overprovisioning)).collect();
    let degraded: Vec<u32> = levels.iter().map(|level| level.availability(level.degraded, overprovisioning)).collect();
    let total = healthy.iter().chain(&degraded).sum::<u32>().min(100);
    let mut shares = vec![Share::default(); levels.len()];
    let of_total = |available: u32| (available * 100).checked_div(total).unwrap_or(0);
    if total > 0 {
        let mut left = 100;
        for (share, &available) in shares.iter_mut().zip(&healthy) {
            share.healthy = of_total(available).min(left);
            left -= share.healthy;
        }
        for (share, &available) in shares.iter_mut().zip(&degraded) {
            share.degraded = of_total(available).min(left);
            left -= share.degraded;
        }
        if let Some(first) = healthy.iter().position(|&available| available > 0) {
            shares[first].healthy += left;
        } else if let Some(first) = degraded.iter().position(|&available| available > 0) {
            shares[first].degraded += left;
        }
    }
    if panic_threshold == 0 {
        if total == 0 {
            shares[0].healthy = 100;
        }
        return shares;
    }
    if total < 100 {
        for (share, level) in shares.iter_mut().zip(levels) {
            share.panic = is_in_panic(level, panic_threshold);
        }
        if shares.iter().all(|share| share.panic) {
            share_by_hosts(&mut shares, levels);
        } else if total == 0 {
            // So few of so many that their percentages round to nothing, and still not below the threshold.
            let first = levels.iter().position(|level| level.healthy > 0).unwrap_or(0);
            shares[first].healthy = 100;
        }
    }
    shares
}

fn is_in_panic(level: &Level, panic_threshold: u32) -> bool {
    let counted = level.hosts - level.excluded;
    let percent = |part: u32| if counted == 0 { 0.0 } else { 100.0 * f64::from(part) / f64::from(counted) };
    percent(level.healthy) + percent(level.degraded) < f64::from(panic_threshold.min(100))
}

fn share_by_hosts(shares: &mut [Share], levels: &[Level]) {
    let hosts: u64 = levels.iter().map(|level| u64::from(level.hosts)).sum();
    let mut left = 100;
    for (share, level) in shares.iter_mut().zip(levels) {
        share.healthy = (100 * u64::from(level.hosts)).checked_div(hosts).unwrap_or(0) as u32;
        share.degraded = 0;
        left -= share.healthy;
    }
    // Without any host the load must be somewhere, and nobody is there to get it.
    let first = levels.iter().position(|level| level.hosts > 0).unwrap_or(0);
    shares[first].healthy += left;
}

/// The level that `hash` falls to, and which of its hosts are wanted; any 64 random bits, or the hash of a key.
///
/// Envoy's `choosePriority`: one of a hundred by the remainder, healthy shares before degraded ones. O(levels).
pub fn choose(shares: &[Share], hash: u64) -> (usize, Availability) {
    let place = (hash % 100 + 1) as u32;
    let mut reached = 0;
    for (level, share) in shares.iter().enumerate() {
        reached += share.healthy;
        if place <= reached {
            return (level, Availability::Healthy);
        }
    }
    for (level, share) in shares.iter().enumerate() {
        reached += share.degraded;
        if place <= reached {
            return (level, Availability::Degraded);
        }
    }
    unreachable!("shares add up to a hundred: {shares:?}")
}
