//! Least request by what all clients together have in flight, now or at the last posting of the
//! [`BulletinBoard`](crate::BulletinBoard).
//!
//! The rules are those of `least_request`, `p2c` and `full_scan`; only the counts are others. With shared knowledge and
//! exponential services many clients are one dispatcher, and `full_scan` is the shortest queue of theory (JSQ). With
//! stale knowledge every client sees the same old board and adds nothing of its own, as in Mitzenmacher, "How Useful Is
//! Old Information?" (section 3): the shortest queue then draws everybody to the same host until the board is posted
//! again.

use super::parameter::{Kind, Parameter, Value, Values};
use super::{Choose, Pick, State, d_choices};
use crate::Response;
use crate::bulletin_board::{BulletinBoard, Dispatcher};
use crate::hosts::Hosts;
use base::{Draw, Duration, InstanceId, Instant, Rng, Seed};

/// By what counts a strategy goes.
pub(super) const KNOWLEDGE: Parameter = Parameter {
    name: "knowledge",
    kind: Kind::Word(&["local", "shared", "stale"]),
    default: Value::Word("local"),
    summary: "whose requests count: this client's own, all clients', or all clients' as last posted",
};

/// How old stale counts get.
pub(super) const REFRESH: Parameter = Parameter {
    name: "refresh",
    kind: Kind::Span { min: Duration::us(1), max: Duration::MAX },
    default: Value::Span(Duration::secs(1)),
    summary: "how often all clients' counts are posted, where knowledge is stale",
};

/// `local` where knowledge is a client's own, and the same rule over the board otherwise.
pub(super) fn or_local(values: &Values, rng: &mut Rng, rule: Rule, local: State) -> State {
    match values.word(KNOWLEDGE.name) {
        "local" => local,
        knowledge => {
            let period = (knowledge == "stale").then(|| values.span(REFRESH.name));
            State::Shared(Shared::new(rule, period, rng))
        }
    }
}

/// A strategy's place at the board, and who its hosts are there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dispatcher: Dispatcher,
    instances: Vec<InstanceId>,
    /// Whether it is for this strategy to say what is started and finished; in a cluster it is not, which has several
    /// strategies that are told of the same request.
    counts: bool,
}

impl Place {
    /// At a board of its own.
    pub(super) fn alone(rng: &mut Rng) -> Self {
        let board = BulletinBoard::new(Seed(rng.next_u64()).stream("board"));
        Place { dispatcher: board.dispatcher(), instances: Vec::new(), counts: true }
    }

    pub(super) fn join(&mut self, dispatcher: &Dispatcher, counts: bool) {
        (self.dispatcher, self.counts) = (dispatcher.clone(), counts);
        self.dispatcher.list(self.instances.iter().copied());
    }

    pub(super) fn refresh(&mut self, hosts: &Hosts) {
        self.instances.clear();
        self.instances.extend(hosts.all().iter().map(|host| host.instance));
        self.dispatcher.list(self.instances.iter().copied());
    }

    /// The memory of it, in bytes; what is on the board belongs to all clients and is counted with none.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.instances[..])
    }

    #[inline]
    pub(super) fn started(&mut self, index: usize) -> InstanceId {
        let instance = self.instances[index];
        if self.counts {
            self.dispatcher.started(instance);
        }
        instance
    }

    #[inline]
    pub(super) fn finished(&mut self, now: Instant, instance: InstanceId) {
        if self.counts {
            self.dispatcher.finished(now, instance);
        }
    }
}

/// What is done with the counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    WithReplacement { choices: u32 },
    Distinct { choices: u32 },
    FullScan,
}

/// A rule over the board.
#[derive(Debug)]
pub(crate) struct Shared {
    rule: Rule,
    place: Place,
    /// The period of the postings it goes by; none when it sees everything at once.
    period: Option<Duration>,
    /// The least busy hosts, for a full scan, and the posting of which they are; a posting is scanned once.
    least: Vec<u32>,
    scanned: Option<u64>,
}

impl Shared {
    fn new(rule: Rule, period: Option<Duration>, rng: &mut Rng) -> Self {
        let shared = Shared { rule, place: Place::alone(rng), period, least: Vec::new(), scanned: None };
        shared.order_postings();
        shared
    }

    fn order_postings(&self) {
        if let Some(period) = self.period {
            self.place.dispatcher.post_every(period);
        }
    }
}

impl Choose for Shared {
    const FOLLOWS: bool = true;

    fn join(&mut self, dispatcher: &Dispatcher, counts: bool) -> bool {
        self.place.join(dispatcher, counts);
        self.scanned = None;
        self.order_postings();
        true
    }

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.place.refresh(hosts);
        self.scanned = None;
    }

    #[inline]
    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let Shared { rule, place, period, least, scanned } = self;
        let posting = period.map(|_| place.dispatcher.post(now));
        let counts = place.dispatcher.counts();
        let counts = if posting.is_some() { counts.posted() } else { counts.in_flight() };
        let count = |index: usize| counts[place.instances[index].index()];
        let n = hosts.len();
        Some(match *rule {
            Rule::WithReplacement { choices } => d_choices::with_replacement(n, choices, rng, count),
            Rule::Distinct { choices } => d_choices::least_of_distinct(n, choices, rng, count),
            Rule::FullScan => {
                if posting.is_none() || *scanned != posting {
                    *scanned = posting;
                    let fewest = (0..n).map(count).min()?;
                    least.clear();
                    least.extend((0..n as u32).filter(|&index| count(index as usize) == fewest));
                }
                least[rng.below(least.len() as u32) as usize] as usize
            }
        })
    }

    #[inline]
    fn started(&mut self, index: usize, _: u32) {
        self.place.started(index);
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, _: &Response, _: &Hosts) {
        let instance = self.place.instances[index];
        self.place.finished(now, instance);
    }

    fn finished_elsewhere(&mut self, now: Instant, instance: InstanceId) {
        self.place.finished(now, instance);
    }

    fn bytes(&self) -> usize {
        self.place.bytes() + size_of_val(&self.least[..])
    }
}
