//! A group: the hosts among which a strategy chooses once priority, health and locality are settled.
//!
//! Envoy's `HostsSource`. A host is in several at a time (all hosts of its level, for panic; the healthy ones; those of
//! its zone), each with its own turn or schedule, while the count of outstanding requests is the cluster's and the same
//! in all.

use super::aperture::Opening;
use super::priority::Availability;
use crate::hosts::{Host, Hosts};
use crate::request::{Request, Response};
use crate::{Balancer, Rebuilds};
use base::{InstanceId, Instant, Rng, ZoneId};

/// Which hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// Of a level, whatever their health.
    All { level: usize },
    /// Of a level, by health.
    Available { level: usize, availability: Availability },
    /// Of a level and zone, by health.
    InZone { level: usize, availability: Availability, zone: ZoneId },
}

/// Who is where: no host.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Group {
    pub(super) source: Source,
    inner: Inner,
    /// The places of its hosts among all, ascending.
    members: Vec<u32>,
    /// For each of all hosts, its place here.
    places: Vec<u32>,
    hosts: Vec<Host>,
    outstanding: Vec<u32>,
}

/// How a group chooses.
#[derive(Debug)]
pub(super) enum Inner {
    Strategy(Box<Balancer>),
    Aperture { opening: Opening, rng: Rng },
}

impl Group {
    pub(super) fn new(source: Source, inner: Inner) -> Self {
        Group { source, inner, members: Vec::new(), places: Vec::new(), hosts: Vec::new(), outstanding: Vec::new() }
    }

    /// Takes the hosts for which `belongs` holds, with their counts. O(n).
    pub(super) fn refresh(
        &mut self,
        now: Instant,
        all: &Hosts,
        since: impl Fn(usize) -> Option<Instant>,
        belongs: impl Fn(usize) -> bool,
    ) {
        self.members.clear();
        self.members.extend((0..all.len()).filter(|&index| belongs(index)).map(|index| index as u32));
        self.places.clear();
        self.places.resize(all.len(), NOWHERE);
        for (&member, place) in self.members.iter().zip(0..) {
            self.places[member as usize] = place;
        }
        self.hosts.clear();
        self.hosts.extend(self.members.iter().map(|&member| all.all()[member as usize]));
        self.outstanding.clear();
        self.outstanding.extend(self.members.iter().map(|&member| all.outstanding()[member as usize]));
        match &mut self.inner {
            Inner::Strategy(balancer) => {
                let since = self.members.iter().map(|&member| since(member as usize));
                balancer.update_as_part(now, &self.hosts, &self.outstanding, since);
            }
            Inner::Aperture { opening, .. } => opening.refresh(&self.hosts, &self.outstanding),
        }
    }

    /// The date on the client's wall clock was set ahead.
    pub(super) fn stepped(&mut self, by_ns: i64) {
        if let Inner::Strategy(balancer) = &mut self.inner {
            balancer.stepped(by_ns);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Has the strategy choose; an index among all hosts. There is one here.
    pub(super) fn pick(
        &mut self,
        now: Instant,
        request: Request,
        (attempt, tried): (u32, &[InstanceId]),
        all: &Hosts,
    ) -> Option<usize> {
        let place = match &mut self.inner {
            Inner::Strategy(balancer) => balancer.pick_again(now, request, attempt, tried)?,
            Inner::Aperture { opening, rng } => {
                let members = &self.members;
                opening.pick(|place| all.outstanding()[members[place] as usize], rng)?
            }
        };
        Some(self.members[place] as usize)
    }

    fn place(&self, index: usize) -> Option<usize> {
        match self.places[index] {
            NOWHERE => None,
            place => Some(place as usize),
        }
    }

    /// A request has begun at the host at `index` of all.
    pub(super) fn started(&mut self, now: Instant, index: usize) {
        let Some(place) = self.place(index) else { return };
        match &mut self.inner {
            Inner::Strategy(balancer) => balancer.started(place),
            Inner::Aperture { opening, .. } => opening.load_changed(now, true),
        }
    }

    /// A request is over at the host at `index` of all.
    pub(super) fn finished(&mut self, now: Instant, index: usize, response: &Response) {
        let Some(place) = self.place(index) else { return };
        match &mut self.inner {
            Inner::Strategy(balancer) => balancer.finished(now, place, self.hosts[place].instance, response),
            Inner::Aperture { opening, .. } => opening.load_changed(now, false),
        }
    }

    /// The strategy inside and the place of the host at `index` of all in it.
    pub(super) fn strategy_at(&mut self, index: usize) -> Option<(&mut Balancer, usize)> {
        let place = self.place(index)?;
        match &mut self.inner {
            Inner::Strategy(balancer) => Some((balancer, place)),
            Inner::Aperture { .. } => None,
        }
    }

    /// The strategy's next probe, as an index among all hosts.
    pub(super) fn probe(&mut self, now: Instant) -> Option<usize> {
        match &mut self.inner {
            Inner::Strategy(balancer) => balancer.probe(now).map(|place| self.members[place] as usize),
            Inner::Aperture { .. } => None,
        }
    }

    /// What following the hosts has cost the strategy.
    pub(super) fn rebuilds(&self) -> Rebuilds {
        match &self.inner {
            Inner::Strategy(balancer) => balancer.rebuilds(),
            Inner::Aperture { .. } => Rebuilds::default(),
        }
    }

    /// The memory of its strategy and its members, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let members = size_of_val(&self.members[..]) + size_of_val(&self.hosts[..]);
        match &self.inner {
            Inner::Strategy(balancer) => members + balancer.bytes(),
            Inner::Aperture { .. } => members,
        }
    }

    /// The hosts in use, as indexes among all.
    pub(super) fn in_use(&self) -> Vec<usize> {
        match &self.inner {
            Inner::Strategy(_) => self.members.iter().map(|&member| member as usize).collect(),
            Inner::Aperture { opening, .. } => {
                opening.in_use().into_iter().map(|place| self.members[place as usize] as usize).collect()
            }
        }
    }
}
