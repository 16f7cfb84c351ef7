//! Choices without a key: two choices, and the ways to go by weight.

use super::{Contender, Fleet, Key, Visitor};
use balancer::{Balancer, Host, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future as _, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tower::Service;
use tower::balance::p2c::Balance;
use tower::discover::Change;
use tower::load::{CompleteOnResponse, PendingRequests};
use weighted_rs::Weight;

pub(super) fn visit(visitor: &mut impl Visitor) {
    visitor.visit::<P2c>();
    visitor.visit::<Tower>();
    visitor.visit::<Weighing<0>>();
    visitor.visit::<WeightedRs<0, weighted_rs::SmoothWeight<u32>>>();
    visitor.visit::<Weighing<1>>();
    visitor.visit::<Weighing<2>>();
    visitor.visit::<WeightedRs<1, weighted_rs::RoundrobinWeight<u32>>>();
    visitor.visit::<Weighing<3>>();
    visitor.visit::<WeightedRs<3, weighted_rs::RandWeight<u32>>>();
}

const NOW: Instant = Instant::ZERO;

/// The one place where our balancers are asked. None of these strategies goes by a key.
#[inline]
fn pick(balancer: &mut Balancer) -> usize {
    balancer.pick(NOW, Request::default()).expect("there are hosts")
}

fn hosts(fleet: &Fleet, weighted: bool) -> Vec<Host> {
    let weight = |i: usize| if weighted { fleet.weights[i] } else { 1 };
    (0..fleet.len()).map(|i| Host { instance: InstanceId(fleet.numbers[i]), weight: weight(i) }).collect()
}

fn balancer(strategy: Strategy, hosts: &[Host]) -> Balancer {
    let mut balancer = Balancer::new(strategy, Seed(1).stream("peers"));
    balancer.update(NOW, hosts);
    balancer
}

/// Requests under way while two choices are measured: a choice starts one and ends the oldest.
const UNDER_WAY: usize = 64;

/// Our two distinct choices. A pick is whole: chosen, started, and another one finished.
struct P2c {
    balancer: Balancer,
    hosts: Vec<Host>,
    under_way: VecDeque<usize>,
}

impl Contender for P2c {
    const FAMILY: &'static str = "p2c";
    const NAME: &'static str = "ours";

    fn build(fleet: &'static Fleet) -> Self {
        let hosts = hosts(fleet, false);
        let mut balancer = balancer(Strategy::P2C, &hosts);
        let start = |_| {
            let index = pick(&mut balancer);
            balancer.started(index);
            index
        };
        let under_way = (0..UNDER_WAY).map(start).collect();
        P2c { balancer, hosts, under_way }
    }

    fn lookup(&mut self, _: &'static Key) -> usize {
        let index = pick(&mut self.balancer);
        self.balancer.started(index);
        self.under_way.push_back(index);
        let oldest = self.under_way.pop_front().expect("there is at least this one");
        let instance = InstanceId(oldest as u32);
        self.balancer.finished(NOW, oldest, instance, &Response::success(Duration::ms(1)));
        oldest
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        let left = self.hosts.remove(host);
        self.balancer.update(NOW, &self.hosts);
        self.hosts.insert(host, left);
        self.balancer.update(NOW, &self.hosts);
    }
}

/// A service that answers at once with its number.
struct Numbered(u32);

impl Service<()> for Numbered {
    type Response = u32;
    type Error = Infallible;
    type Future = Ready<Result<u32, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(self.0))
    }
}

type Counted = PendingRequests<Numbered, CompleteOnResponse>;

/// What tower hears of changes by: what is put here is seen at the next request.
#[derive(Clone, Default)]
struct Feed(Rc<RefCell<VecDeque<Change<u32, Counted>>>>);

impl Feed {
    fn insert(&self, host: u32) {
        let service = PendingRequests::new(Numbered(host), CompleteOnResponse::default());
        self.0.borrow_mut().push_back(Change::Insert(host, service));
    }

    fn remove(&self, host: u32) {
        self.0.borrow_mut().push_back(Change::Remove(host));
    }
}

impl futures_core::Stream for Feed {
    type Item = Result<Change<u32, Counted>, Infallible>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.0.borrow_mut().pop_front() {
            Some(change) => Poll::Ready(Some(Ok(change))),
            None => Poll::Pending,
        }
    }
}

struct Tower {
    balance: Balance<Feed, ()>,
    feed: Feed,
    under_way: VecDeque<<Balance<Feed, ()> as Service<()>>::Future>,
}

impl Tower {
    /// Takes in what the feed has.
    fn settle(&mut self) {
        let ready = self.balance.poll_ready(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(ready, Poll::Ready(Ok(()))), "services are always ready");
    }

    fn start(&mut self) {
        self.settle();
        let response = self.balance.call(());
        self.under_way.push_back(response);
    }
}

impl Contender for Tower {
    const FAMILY: &'static str = "p2c";
    const NAME: &'static str = "tower";

    fn build(fleet: &'static Fleet) -> Self {
        let feed = Feed::default();
        fleet.numbers.iter().for_each(|host| feed.insert(*host));
        let mut tower = Tower { balance: Balance::new(feed.clone()), feed, under_way: VecDeque::new() };
        (0..UNDER_WAY).for_each(|_| tower.start());
        tower
    }

    fn lookup(&mut self, _: &'static Key) -> usize {
        self.start();
        let mut oldest = self.under_way.pop_front().expect("there is at least this one");
        match Pin::new(&mut oldest).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(host)) => host as usize,
            _ => unreachable!("services answer at once"),
        }
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        self.feed.remove(host as u32);
        self.settle();
        self.feed.insert(host as u32);
        self.settle();
    }
}

/// Our strategies that go by weight.
struct Weighing<const WHICH: usize> {
    balancer: Balancer,
    hosts: Vec<Host>,
}

/// Family, name and strategy of each; the peers are in families by the same numbers.
const WEIGHING: [(&str, &str, Strategy); 4] = [
    ("smooth_weighted", "ours", Strategy::SMOOTH_WEIGHTED),
    ("weighted_round_robin", "ours", Strategy::STATIC_STRIDE),
    ("weighted_round_robin", "ours.edf", Strategy::EARLIEST_DEADLINE),
    ("weighted_random", "ours", Strategy::WEIGHTED_RANDOM),
];

impl<const WHICH: usize> Contender for Weighing<WHICH> {
    const FAMILY: &'static str = WEIGHING[WHICH].0;
    const NAME: &'static str = WEIGHING[WHICH].1;

    fn build(fleet: &'static Fleet) -> Self {
        let hosts = hosts(fleet, true);
        Weighing { balancer: balancer(WEIGHING[WHICH].2, &hosts), hosts }
    }

    fn lookup(&mut self, _: &'static Key) -> usize {
        pick(&mut self.balancer)
    }

    fn leave_and_return(&mut self, _: &'static Fleet, host: usize) {
        let left = self.hosts.remove(host);
        self.balancer.update(NOW, &self.hosts);
        self.hosts.insert(host, left);
        self.balancer.update(NOW, &self.hosts);
    }
}

/// A strategy of weighted-rs; it knows no departure but that of all.
struct WeightedRs<const WHICH: usize, W>(W);

impl<const WHICH: usize, W: Weight<Item = u32> + Default + 'static> Contender for WeightedRs<WHICH, W> {
    const FAMILY: &'static str = WEIGHING[WHICH].0;
    const NAME: &'static str = "weighted-rs";

    fn build(fleet: &'static Fleet) -> Self {
        let mut weight = W::default();
        for (host, w) in fleet.numbers.iter().zip(&fleet.weights) {
            weight.add(*host, *w as isize);
        }
        WeightedRs(weight)
    }

    fn lookup(&mut self, _: &'static Key) -> usize {
        self.0.next().expect("there are hosts") as usize
    }

    fn leave_and_return(&mut self, fleet: &'static Fleet, host: usize) {
        for without in [Some(host), None] {
            self.0.remove_all();
            for (number, w) in fleet.numbers.iter().zip(&fleet.weights).filter(|(n, _)| Some(**n as usize) != without) {
                self.0.add(*number, *w as isize);
            }
        }
    }
}
