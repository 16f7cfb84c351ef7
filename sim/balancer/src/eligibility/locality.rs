//! Localities: which zone of a level gets a request, by weights or by nearness.
//!
//! **Weighted** (Envoy's `locality_weighted_lb_config`, `LocalityWrr` in
//! `source/extensions/load_balancing_policies/common/ locality_wrr.cc`): each zone has a weight, scaled down by min(1,
//! 1.4 × the share of its hosts that are available), and zones take turns in an earliest-deadline schedule.
//!
//! **Zone aware** (`zone_aware_lb_config`, `regenerateLocalityRoutingStructures` and `tryChooseLocalLocalityHosts` in
//! `load_balancer_impl.cc`; docs `zone_aware.rst`): clients keep to their own zone as far as hosts everywhere get
//! equally much. Each knows how its peers are spread over the zones. Where the own zone has at least as large a share
//! of the hosts as of the peers, everything stays; otherwise that fraction stays, and the rest goes to zones in
//! proportion to what they have beyond their own peers. Shares are whole ten-thousandths, rounded down. Only the first
//! priority is routed like this.
//!
//! What Envoy looks up at each request, whether too many of its own peers are ill, is not looked up here: peers are
//! counted, not watched.

use crate::strategy::Schedule;
use base::{Draw, ZoneId};

/// The weight of a zone that has `eligible` of `hosts` hosts, excluded ones not counted; `overprovisioning` in percent.
pub fn effective_weight(weight: u32, eligible: u32, hosts: u32, overprovisioning: u32) -> f64 {
    if hosts == 0 {
        return 0.0;
    }
    let available = f64::from(eligible) / f64::from(hosts);
    f64::from(weight) * (f64::from(overprovisioning) / 100.0 * available).min(1.0)
}

/// Zones in turn, by weight.
#[derive(Debug, Default)]
pub struct Turns {
    schedule: Schedule,
    /// The zones that take part, and their effective weights.
    zones: Vec<(u32, f64)>,
}

impl Turns {
    /// Zones with these effective weights, from the state after `picks` picks; those of weight zero are left out.
    pub fn new(weights: &[f64], picks: u32) -> Self {
        let zones: Vec<(u32, f64)> = weights
            .iter()
            .zip(0..)
            .filter(|(weight, _)| **weight > 0.0)
            .map(|(weight, zone)| (zone, *weight))
            .collect();
        let mut schedule = Schedule::default();
        schedule.begin_after(picks, zones.len(), |index| zones[index].1);
        Turns { schedule, zones }
    }

    /// The index of the zone whose turn it is; none when no zone has weight. O(log zones).
    pub fn take(&mut self) -> Option<usize> {
        let Turns { schedule, zones } = self;
        schedule.pick(|index| zones[index].1).map(|index| zones[index].0 as usize)
    }
}

/// When and how far clients keep to their zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneAware {
    /// For so many of a hundred requests zones matter at all.
    pub routing_enabled: u32,
    /// With fewer healthy hosts zones do not matter.
    pub min_cluster_size: u32,
    /// Whether nobody is picked when the level is in panic, in place of anybody.
    pub fail_traffic_on_panic: bool,
}

impl Default for ZoneAware {
    /// Envoy's defaults.
    fn default() -> Self {
        ZoneAware { routing_enabled: 100, min_cluster_size: 6, fail_traffic_on_panic: false }
    }
}

/// How requests of one client are spread over zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The zones that have hosts, healthy or not: the client's own first when it is among them, then the others in
    /// order.
    pub zones: Vec<ZoneId>,
    /// What is done.
    pub rule: Rule,
}

/// What is done with zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// They do not matter: too few zones or hosts, or no peer in the own zone.
    Disregard,
    /// Everything stays in the own zone.
    Direct,
    /// A part stays.
    Residual {
        /// The chance that a request stays, in ten-thousandths.
        local: u64,
        /// What zones have to spare in ten-thousandths of all hosts, summed up over `zones`.
        capacity: Vec<u64>,
    },
}

impl Plan {
    /// The plan of a client in zone `own`. By zone: `peers` counts the clients, itself included, `hosts` the hosts of
    /// any health and `healthy` the healthy ones; all equally long. O(zones).
    pub fn new(config: &ZoneAware, own: ZoneId, peers: &[u32], hosts: &[u32], healthy: &[u32]) -> Plan {
        let has_hosts = |zone: &ZoneId| hosts.get(zone.index()).is_some_and(|&n| n > 0);
        let others = (0..hosts.len() as u32).map(ZoneId).filter(|zone| *zone != own);
        let zones: Vec<ZoneId> = std::iter::once(own).chain(others).filter(has_hosts).collect();
        let peers_in = |zone: ZoneId| u64::from(peers.get(zone.index()).copied().unwrap_or(0));
        let healthy_in = |zone: ZoneId| u64::from(healthy[zone.index()]);
        let total_peers: u64 = peers.iter().map(|&n| u64::from(n)).sum();
        let total_healthy: u64 = zones.iter().map(|&zone| healthy_in(zone)).sum();
        let zones_of_peers = peers.iter().filter(|&&n| n > 0).count();
        if zones.len() < 2
            || zones_of_peers < 2
            || peers_in(own) == 0
            || total_healthy < u64::from(config.min_cluster_size)
        {
            return Plan { zones, rule: Rule::Disregard };
        }

        let share = |part: u64, whole: u64| 10_000 * part / whole.max(1);
        // A zone without a healthy host counts as one without peers too: its name is read off its first host.
        let shares: Vec<(u64, u64)> = zones
            .iter()
            .map(|&zone| match healthy_in(zone) {
                0 => (0, 0),
                n => (share(peers_in(zone), total_peers), share(n, total_healthy)),
            })
            .collect();
        let is_local = zones[0] == own;
        if is_local && shares[0].1 > 0 && shares[0].1 >= shares[0].0 {
            return Plan { zones, rule: Rule::Direct };
        }
        let local = if is_local && shares[0].0 > 0 { shares[0].1 * 10_000 / shares[0].0 } else { 0 };
        let mut sum = 0;
        let capacity = shares
            .iter()
            .enumerate()
            .map(|(i, &(peers, hosts))| {
                if !(i == 0 && is_local) {
                    sum += hosts.saturating_sub(peers);
                }
                sum
            })
            .collect();
        Plan { zones, rule: Rule::Residual { local, capacity } }
    }

    /// The place among [`Plan::zones`] of the zone that gets a request; none when zones do not matter. O(zones).
    pub fn route(&self, draw: &mut impl Draw) -> Option<usize> {
        match &self.rule {
            Rule::Disregard => None,
            Rule::Direct => Some(0),
            Rule::Residual { local, capacity } => {
                if draw.next_u64() % 10_000 < *local {
                    return Some(0);
                }
                let whole = capacity[capacity.len() - 1];
                if whole == 0 {
                    // Rounding may leave nothing to anybody.
                    return Some((draw.next_u64() % capacity.len() as u64) as usize);
                }
                let place = draw.next_u64() % whole;
                capacity.iter().position(|&reached| place < reached)
            }
        }
    }
}
