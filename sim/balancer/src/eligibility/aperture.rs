//! Aperture: talk to as few hosts as the load needs, and choose the less busy of two among them.
//!
//! Finagle's default balancer, in both of its forms
//! (`finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/`):
//!
//! - **By load** (`RandomAperture.scala`, `LoadBand.scala`): hosts stand in an order that is the client's own and does
//!   not change; the first few are in use. Their number grows by one whenever the requests in flight, smoothed over 15
//!   s and divided by that number, reach 1.125, and shrinks by one at 0.875; it is looked at with every request that
//!   begins or ends.
//! - **Deterministic** (`DeterministicAperture.scala`): each client takes its stretch of a ring, at least 12 hosts
//!   wide, whatever the load. Together the clients load all hosts evenly. See [`super::ring`].
//!
//! Within, it is always the less loaded of two distinct hosts by requests outstanding; in a deterministic aperture the
//! load of a host that belongs to it in part is taken as that much more.

use super::ring::{Ring, Stretch};
use crate::hashing::xxh64;
use crate::hosts::Host;
use base::{Draw, Duration, Instant, Rng, math};

/// Which aperture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aperture {
    /// As wide as the load wants it.
    ByLoad(LoadBand),
    /// As wide as the ring makes it, for at least so many hosts; 12 in Finagle.
    Deterministic {
        /// The least number of hosts.
        min: u32,
    },
}

/// How an aperture follows the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadBand {
    /// Over how long load is averaged.
    pub smooth_window: Duration,
    /// At so many requests in flight per host in use, or fewer, one host less is used.
    pub low: f64,
    /// At so many, or more, one host more.
    pub high: f64,
    /// The least number of hosts; at least one.
    pub min: u32,
}

impl Default for LoadBand {
    /// Finagle's defaults (`Params.scala`): 15 s, 0.875, 1.125, 1.
    fn default() -> Self {
        LoadBand { smooth_window: Duration::secs(15), low: 0.875, high: 1.125, min: 1 }
    }
}

/// An aperture over the hosts of one balancer.
#[derive(Debug)]
pub(crate) enum Opening {
    ByLoad(ByLoad),
    Deterministic { stretch: Stretch, ring: Option<Ring>, client: u32, clients: u32, min: u32 },
}

/// The state of an aperture that follows the load.
#[derive(Debug)]
pub(crate) struct ByLoad {
    band: LoadBand,
    /// Fixes the order of hosts.
    seed: u64,
    order: Vec<u32>,
    width: usize,
    in_flight: u64,
    average: Average,
}

/// An average that forgets with time: Finagle's `Ema`, the mean lifetime of what it has seen being the window.
#[derive(Debug, Default)]
struct Average {
    since: Option<Instant>,
    value: f64,
}

impl Average {
    fn update(&mut self, now: Instant, x: f64, window: Duration) -> f64 {
        let Some(since) = self.since else {
            (self.since, self.value) = (Some(now), x);
            return x;
        };
        let age = now.saturating_since(since);
        self.since = Some(since.max(now));
        let weight = if window.is_zero() { 0.0 } else { math::exp(-(age.as_secs_f64() / window.as_secs_f64())) };
        self.value = x * (1.0 - weight) + self.value * weight;
        self.value
    }
}

impl Opening {
    /// An aperture of client `client` of `clients`; `seed` is the client's own.
    pub(crate) fn new(aperture: Aperture, client: u32, clients: u32, seed: u64) -> Self {
        match aperture {
            Aperture::ByLoad(band) => Opening::ByLoad(ByLoad {
                band,
                seed,
                order: Vec::new(),
                width: 1,
                in_flight: 0,
                average: Average::default(),
            }),
            Aperture::Deterministic { min } => Opening::Deterministic {
                stretch: Stretch { offset: 0.0, width: 1.0 },
                ring: None,
                client: client % clients.max(1),
                clients: clients.max(1),
                min,
            },
        }
    }

    /// Takes these hosts and the requests outstanding at each.
    pub(crate) fn refresh(&mut self, hosts: &[Host], outstanding: &[u32]) {
        match self {
            Opening::ByLoad(state) => {
                // What was sent to hosts that have left is theirs alone.
                state.in_flight = outstanding.iter().map(|&n| u64::from(n)).sum();
                state.refresh(hosts);
            }
            Opening::Deterministic { stretch, ring, client, clients, min } => {
                let n = hosts.len() as u32;
                *ring = (n > 0).then(|| Ring::new(n));
                if n > 0 {
                    *stretch = Stretch::new(*client, *clients, (*min).min(n), n);
                }
            }
        }
    }

    /// The less loaded of two hosts within, given the requests outstanding at each; none without hosts. O(1).
    pub(crate) fn pick(&self, outstanding: impl Fn(usize) -> u32, rng: &mut Rng) -> Option<usize> {
        match self {
            Opening::ByLoad(state) => state.pick(outstanding, rng),
            Opening::Deterministic { stretch, ring, .. } => {
                let ring = (*ring)?;
                let a = ring.pick(*stretch, rng);
                let b = ring.pick_second(a, *stretch, rng);
                let [aw, bw] = [a, b].map(|index| match ring.weight(index, *stretch) {
                    0.0 => 1.0,
                    weight => weight,
                });
                let [al, bl] = [a, b].map(|index| f64::from(outstanding(index as usize)));
                // Weights that differ only by rounding must not decide a tie.
                let first = if (aw - bw).abs() < 0.0001 { al <= bl } else { al / aw <= bl / bw };
                Some(if first { a } else { b } as usize)
            }
        }
    }

    /// One request more or less is in flight.
    pub(crate) fn load_changed(&mut self, now: Instant, began: bool) {
        if let Opening::ByLoad(state) = self {
            state.load_changed(now, began);
        }
    }

    /// The places of the hosts in use, in no particular order.
    pub(crate) fn in_use(&self) -> Vec<u32> {
        match self {
            Opening::ByLoad(state) => state.order[..state.width.min(state.order.len())].to_vec(),
            Opening::Deterministic { stretch, ring, .. } => {
                ring.map_or_else(Vec::new, |ring| ring.indices(*stretch).collect())
            }
        }
    }
}

impl ByLoad {
    fn refresh(&mut self, hosts: &[Host]) {
        let token = |index: u32| xxh64(&hosts[index as usize].instance.0.to_le_bytes(), self.seed);
        self.order.clear();
        self.order.extend(0..hosts.len() as u32);
        self.order.sort_by_cached_key(|&index| (token(index), index));
        self.width = self.width.clamp(self.least(), self.order.len().max(1));
    }

    fn least(&self) -> usize {
        (self.band.min as usize).min(self.order.len()).max(1)
    }

    fn pick(&self, outstanding: impl Fn(usize) -> u32, rng: &mut Rng) -> Option<usize> {
        let n = self.width.min(self.order.len()) as u32;
        if n == 0 {
            return None;
        }
        let a = rng.below(n);
        let mut b = a;
        if n > 1 {
            b = rng.below(n - 1);
            b += u32::from(b >= a);
        }
        let [a, b] = [a, b].map(|place| self.order[place as usize] as usize);
        Some(if outstanding(a) <= outstanding(b) { a } else { b })
    }

    fn load_changed(&mut self, now: Instant, began: bool) {
        self.in_flight = if began { self.in_flight + 1 } else { self.in_flight.saturating_sub(1) };
        let load = self.average.update(now, self.in_flight as f64, self.band.smooth_window) / self.width as f64;
        if load >= self.band.high && self.width < self.order.len() {
            self.width += 1;
        } else if load <= self.band.low && self.width > self.least() {
            self.width -= 1;
        }
    }
}
