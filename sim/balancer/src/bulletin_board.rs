//! What the clients of one service know together: how many requests each instance has in flight, from all of them.
//!
//! Theory mostly speaks of one dispatcher that sees every queue. A production client sees its own requests and no
//! others', and that difference is worth measuring; so strategies that count requests can be told to go by a
//! [`BulletinBoard`] instead, which costs nothing and is never wrong. It is a yardstick: nobody has it.
//!
//! ```text
//!                ┌─────────── BulletinBoard, one per service ───────────┐
//!   client ────▶ │ in flight   i0:3  i1:0  i2:5                         │ ◀──── client
//!    Dispatcher  │ posted      i0:2  i1:2  i2:2   since 3 s             │  Dispatcher
//!                │ idle        dispatcher 0: i1      dispatcher 1: none │
//!                └──────────────────────────────────────────────────────┘
//! ```
//!
//! - *In flight* is what clients have begun and not ended. A client that gives up on a request, or is dropped, takes
//!   its requests off the board, though a server may still be at work on them.
//! - *Posted* is a copy from the last multiple of a period: the bulletin board of Mitzenmacher, "How Useful Is Old
//!   Information?" (PODC 1997, IEEE TPDS 2000), section 3. It is made when somebody next looks or the counts next
//!   change, whichever is first, which nobody can tell from a copy made in time. The clocks of clients are taken to
//!   agree; where they do not, the board goes by the furthest.
//! - *Idle* are the I-queues of Join-Idle-Queue: an instance whose count has come down to nothing is noted at one
//!   dispatcher.
//!
//! A run has a board of its own for each service and hands a [`Dispatcher`] to each client; nothing is global. A
//! balancer that is given none has a board to itself, where all knowledge is its own.

use base::{Draw, Duration, InstanceId, Instant, Rng};
use std::cell::{Ref, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// What all clients of one service know together. Clones are the same board.
#[derive(Clone, Debug)]
pub struct BulletinBoard {
    counts: Rc<RefCell<Counts>>,
}

/// One client's place at a [`BulletinBoard`]. Clones are the same place; when the last of them is dropped, what the
/// client has in flight is off the board.
#[derive(Clone, Debug)]
pub struct Dispatcher {
    state: Rc<DispatcherState>,
}

/// How instances report that they are idle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdleRule {
    /// Of how many dispatchers, drawn with replacement, the one with the shortest list is told.
    pub(crate) sample: u32,
    /// Whether an instance that is sent a request is struck off, wherever it is noted.
    pub(crate) withdraw: bool,
}

#[derive(Debug)]
struct DispatcherState {
    counts: Rc<RefCell<Counts>>,
    number: u32,
    /// What this client has in flight, by instance.
    own: RefCell<Vec<u32>>,
}

/// An instance that is noted at no dispatcher.
const NOWHERE: u32 = u32::MAX;
/// An instance that nobody has named yet.
const UNKNOWN: u32 = u32::MAX - 1;

/// The board itself; all by instance but the lists, which are by dispatcher.
#[derive(Debug)]
pub(crate) struct Counts {
    in_flight: Vec<u32>,
    posted: Vec<u32>,
    /// How often the board is posted anew, where somebody goes by that.
    period: Option<Duration>,
    /// Which multiple of the period it shows.
    posting: u64,
    idle: Option<IdleRule>,
    /// The dispatcher where each instance is noted as idle.
    noted: Vec<u32>,
    lists: Vec<VecDeque<InstanceId>>,
    /// Desks whose client has hosts, and numbers of those given up.
    taken: Vec<u32>,
    free: Vec<u32>,
    /// Instances that are to report before the next pick, if they are idle then: those just named, which wait until
    /// everybody who begins at the same moment has a dispatcher, and those whose dispatcher was given up.
    to_report: Vec<InstanceId>,
    rng: Rng,
}

impl BulletinBoard {
    /// A board without a count, whose chance (which dispatcher an idle instance turns to) is `rng`.
    pub fn new(rng: Rng) -> Self {
        let counts = Counts {
            in_flight: Vec::new(),
            posted: Vec::new(),
            period: None,
            posting: 0,
            idle: None,
            noted: Vec::new(),
            lists: Vec::new(),
            taken: Vec::new(),
            free: Vec::new(),
            to_report: Vec::new(),
            rng,
        };
        BulletinBoard { counts: Rc::new(RefCell::new(counts)) }
    }

    /// A place for one more client. It has its own list of idle instances, which none are told before the client has
    /// hosts.
    pub fn dispatcher(&self) -> Dispatcher {
        let mut counts = self.counts.borrow_mut();
        let number = counts.free.pop().unwrap_or_else(|| {
            counts.lists.push(VecDeque::new());
            counts.lists.len() as u32 - 1
        });
        Dispatcher { state: Rc::new(DispatcherState { counts: self.counts.clone(), number, own: RefCell::default() }) }
    }

    /// How many requests `instance` has in flight from all clients.
    pub fn in_flight(&self, instance: InstanceId) -> u32 {
        self.counts.borrow().in_flight.get(instance.index()).copied().unwrap_or(0)
    }

    /// Whether `instance` is on some client's list of idle ones. O(n).
    pub fn is_noted(&self, instance: InstanceId) -> bool {
        let counts = self.counts.borrow();
        counts.lists.iter().any(|list| list.contains(&instance))
    }
}

impl Dispatcher {
    /// What the board says at present.
    #[inline]
    pub(crate) fn counts(&self) -> Ref<'_, Counts> {
        self.state.counts.borrow()
    }

    /// From now on a copy is posted at every multiple of `period`.
    pub(crate) fn post_every(&self, period: Duration) {
        self.state.counts.borrow_mut().period = Some(period);
    }

    /// From now on idle instances report.
    pub(crate) fn ask_the_idle(&self, rule: IdleRule) {
        self.state.counts.borrow_mut().idle = Some(rule);
    }

    /// The client has these hosts. O(n).
    pub(crate) fn list(&self, hosts: impl Iterator<Item = InstanceId>) {
        let mut counts = self.state.counts.borrow_mut();
        let mut any = false;
        for instance in hosts {
            any = true;
            counts.know(instance);
        }
        if any && !counts.taken.contains(&self.state.number) {
            counts.taken.push(self.state.number);
        }
    }

    /// Posts a copy if one is due, and says which it is.
    #[inline]
    pub(crate) fn post(&self, now: Instant) -> u64 {
        self.state.counts.borrow_mut().post(now)
    }

    /// The client has sent one more request to `instance`.
    #[inline]
    pub(crate) fn started(&self, instance: InstanceId) {
        let mut own = self.state.own.borrow_mut();
        if own.len() <= instance.index() {
            own.resize(instance.index() + 1, 0);
        }
        own[instance.index()] += 1;
        self.state.counts.borrow_mut().started(instance);
    }

    /// One of the client's requests to `instance` is over.
    #[inline]
    pub(crate) fn finished(&self, now: Instant, instance: InstanceId) {
        self.state.own.borrow_mut()[instance.index()] -= 1;
        let mut counts = self.state.counts.borrow_mut();
        counts.post(now);
        counts.finished(instance, 1);
    }

    /// Takes the instance off this dispatcher's list that has been noted there the longest of those for which
    /// `index_of` has an index. Constant time where every one has.
    #[inline]
    pub(crate) fn take_idle(&self, index_of: impl Fn(InstanceId) -> Option<usize>) -> Option<(usize, InstanceId)> {
        let mut counts = self.state.counts.borrow_mut();
        counts.hear_reports();
        let list = &mut counts.lists[self.state.number as usize];
        let (place, index) = (0..).zip(&*list).find_map(|(place, &i)| Some((place, index_of(i)?)))?;
        let instance = list.remove(place)?;
        counts.noted[instance.index()] = NOWHERE;
        Some((index, instance))
    }

    /// `instance` was taken off the list and sent nothing.
    pub(crate) fn put_back(&self, instance: InstanceId) {
        let mut counts = self.state.counts.borrow_mut();
        let withdrawn = counts.idle.is_some_and(|rule| rule.withdraw) && counts.in_flight[instance.index()] > 0;
        if counts.noted[instance.index()] == NOWHERE && !withdrawn {
            counts.note(instance, self.state.number);
        }
    }
}

impl Drop for DispatcherState {
    fn drop(&mut self) {
        let mut counts = self.counts.borrow_mut();
        let Counts { lists, noted, to_report, taken, free, .. } = &mut *counts;
        taken.retain(|&number| number != self.number);
        free.push(self.number);
        for instance in lists[self.number as usize].drain(..) {
            noted[instance.index()] = NOWHERE;
            to_report.push(instance);
        }
        for (index, &n) in self.own.borrow().iter().enumerate().filter(|(_, n)| **n > 0) {
            counts.finished(InstanceId(index as u32), n);
        }
    }
}

impl Counts {
    /// In flight now, by instance.
    #[inline]
    pub(crate) fn in_flight(&self) -> &[u32] {
        &self.in_flight
    }

    /// In flight at the last multiple of the period, by instance.
    #[inline]
    pub(crate) fn posted(&self) -> &[u32] {
        &self.posted
    }

    fn know(&mut self, instance: InstanceId) {
        let index = instance.index();
        if self.in_flight.len() <= index {
            self.in_flight.resize(index + 1, 0);
            self.posted.resize(index + 1, 0);
            self.noted.resize(index + 1, UNKNOWN);
        }
        if self.noted[index] == UNKNOWN {
            self.noted[index] = NOWHERE;
            self.to_report.push(instance);
        }
    }

    #[inline]
    fn post(&mut self, now: Instant) -> u64 {
        if let Some(period) = self.period {
            let posting = now.as_nanos() / period.as_nanos();
            if posting > self.posting {
                self.posting = posting;
                self.posted.copy_from_slice(&self.in_flight);
            }
        }
        self.posting
    }

    #[inline]
    fn started(&mut self, instance: InstanceId) {
        self.in_flight[instance.index()] += 1;
        if self.idle.is_some_and(|rule| rule.withdraw) {
            self.strike_off(instance);
        }
    }

    #[inline]
    fn finished(&mut self, instance: InstanceId, n: u32) {
        let count = &mut self.in_flight[instance.index()];
        *count -= n;
        if *count == 0 {
            self.report_idle(instance);
        }
    }

    /// O(length of the list where it is).
    fn strike_off(&mut self, instance: InstanceId) {
        let dispatcher = std::mem::replace(&mut self.noted[instance.index()], NOWHERE);
        if dispatcher != NOWHERE {
            let list = &mut self.lists[dispatcher as usize];
            let place = list.iter().position(|&i| i == instance).expect("a noted instance is on the list");
            list.remove(place);
        }
    }

    #[inline]
    fn report_idle(&mut self, instance: InstanceId) {
        let Some(rule) = self.idle else { return };
        if self.noted[instance.index()] != NOWHERE || self.taken.is_empty() {
            return;
        }
        let dispatchers = self.taken.len() as u32;
        let mut dispatcher = self.taken[self.rng.below(dispatchers) as usize];
        for _ in 1..rule.sample {
            let other = self.taken[self.rng.below(dispatchers) as usize];
            if self.lists[other as usize].len() < self.lists[dispatcher as usize].len() {
                dispatcher = other;
            }
        }
        self.note(instance, dispatcher);
    }

    fn note(&mut self, instance: InstanceId, dispatcher: u32) {
        self.noted[instance.index()] = dispatcher;
        self.lists[dispatcher as usize].push_back(instance);
    }

    #[inline]
    fn hear_reports(&mut self) {
        if self.to_report.is_empty() {
            return;
        }
        let mut reports = std::mem::take(&mut self.to_report);
        for instance in reports.drain(..) {
            if self.in_flight[instance.index()] == 0 {
                self.report_idle(instance);
            }
        }
        self.to_report = reports;
    }
}
