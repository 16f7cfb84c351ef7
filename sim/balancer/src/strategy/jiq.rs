//! Join the idle queue: servers that run out of work report to a client, and the client sends the next request there.
//!
//! Lu, Xie, Kliot, Geller, Larus and Greenberg, "Join-Idle-Queue: A novel load balancing algorithm for dynamically
//! scalable web services" (Performance Evaluation 68, 2011). Each client has a list of idle servers, the I-queue. A
//! request takes the server that has been on its client's list the longest, and a random one where the list is empty. A
//! server that becomes idle goes on the list of one client: a random one (JIQ-Random), or the one with the shortest
//! list of d drawn (JIQ-SQ(d)).
//!
//! Balancing is off the way of a request: nobody is asked anything while it waits. With r servers for each client a
//! fraction 1 / (1 + r (1 − ρ)) of the requests finds an empty list.
//!
//! A server on somebody's list may be hit by a random request of another client. With `withdraw` it is then struck off
//! at once; without, it stays noted until it is taken, though it is idle no longer. Either way a server is on one list
//! at most.
//!
//! Reports arrive at once and cost nothing, and a server is idle when no client has a request there: that of the
//! [`BulletinBoard`](crate::BulletinBoard), which makes this a yardstick.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::shared::Place;
use super::{Choose, Pick, State};
use crate::Response;
use crate::bulletin_board::{Dispatcher, IdleRule};
use crate::hosts::Hosts;
use base::{Draw, InstanceId, Instant, Rng};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "jiq",
    summary: "a host that reported itself idle, a random one when none has",
    explanation: "Join the idle queue. A host that runs out of work reports to one client, a random one or the one \
                  with the shortest list of `dispatchers` drawn, and that client sends its next request there. Nothing is \
                  asked while a request waits. Good while many hosts are idle; at high load lists are empty and \
                  requests go anywhere. A yardstick: reports cost nothing here and arrive at once.",
    source: "Lu et al., Join-Idle-Queue (2011): JIQ-Random, and JIQ-SQ(d) with desks = d",
    weighted: false,
    parameters: &[
        Parameter {
            name: "desks",
            kind: Kind::Count { min: 1, max: 1_000 },
            default: Value::Count(1),
            summary: "of how many clients, drawn with replacement, the one with the shortest list gets the report",
        },
        Parameter {
            name: "withdraw",
            kind: Kind::Switch,
            default: Value::Switch(true),
            summary: "whether a host that gets a request is struck off the list it is on",
        },
    ],
    needs: Needs::NOTHING,
    make: |values, rng| {
        let rule = IdleRule { sample: values.count("desks") as u32, withdraw: values.switch("withdraw") };
        State::Jiq(Jiq::new(rule, rng))
    },
};

#[derive(Debug)]
pub(crate) struct Jiq {
    rule: IdleRule,
    place: Place,
    /// Taken off the list by the latest pick, until a request is sent there.
    held: Option<InstanceId>,
}

impl Jiq {
    fn new(rule: IdleRule, rng: &mut Rng) -> Self {
        let place = Place::alone(rng);
        place.dispatcher.ask_the_idle(rule);
        Jiq { rule, place, held: None }
    }

    fn put_back(&mut self) {
        if let Some(instance) = self.held.take() {
            self.place.dispatcher.put_back(instance);
        }
    }
}

impl Choose for Jiq {
    const FOLLOWS: bool = true;

    fn join(&mut self, dispatcher: &Dispatcher, counts: bool) -> bool {
        self.place.join(dispatcher, counts);
        self.place.dispatcher.ask_the_idle(self.rule);
        true
    }

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.put_back();
        self.place.refresh(hosts);
    }

    #[inline]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let former = self.held.take();
        let taken = self.place.dispatcher.take_idle(|instance| hosts.index_of(instance));
        // Behind the one just taken: a pick that is made again finds another.
        if let Some(instance) = former {
            self.place.dispatcher.put_back(instance);
        }
        let Some((index, instance)) = taken else { return Some(rng.below(hosts.len() as u32) as usize) };
        self.held = Some(instance);
        Some(index)
    }

    #[inline]
    fn started(&mut self, index: usize, _: u32) {
        let instance = self.place.started(index);
        if self.held == Some(instance) {
            self.held = None;
        }
        self.put_back();
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, _: &Response, hosts: &Hosts) {
        self.place.finished(now, hosts.instance(index));
    }

    fn finished_elsewhere(&mut self, now: Instant, instance: InstanceId) {
        self.place.finished(now, instance);
    }

    fn bytes(&self) -> usize {
        self.place.bytes()
    }
}
