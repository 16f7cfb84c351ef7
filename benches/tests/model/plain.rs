//! The second opinion: one slow server of five before finite queues, with timeouts and retries under a budget, as one
//! loop over a binary heap. It shares no line and no type with the simulator, its random numbers included.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// How a server is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Random,
    RoundRobin,
    /// The one with fewer attempts under way of two different ones.
    TwoDifferent,
    /// The one with fewer attempts under way of two draws, which may be the same.
    TwoDraws,
}

/// What is modelled. Spans are in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) choice: Choice,
    /// Requests per second.
    pub(crate) rate: f64,
    /// How many times longer work takes at each server.
    pub(crate) slowdowns: [f64; 5],
    /// Requests at work at once, and waiting, per server.
    pub(crate) places: usize,
    pub(crate) queue: usize,
    /// Mean of the exponential service time.
    pub(crate) service: f64,
    /// One way.
    pub(crate) hop: f64,
    pub(crate) timeout: f64,
    pub(crate) per_try: f64,
    pub(crate) retries: u32,
    /// Envoy's backoff: evenly from nought to `base`, twice that, and so on up to `max`.
    pub(crate) backoff: (f64, f64),
    /// Envoy's budget: this share of the attempts under way, and at least so many.
    pub(crate) budget: (f64, usize),
    /// How often a retry picks anew to avoid the servers tried before.
    pub(crate) previous_hosts: u32,
    pub(crate) warmup: f64,
    pub(crate) measured: f64,
}

/// What the senders of the measured requests saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) errors: f64,
    /// Successes per second.
    pub(crate) goodput: f64,
    /// 99th percentile of all ends, in seconds.
    pub(crate) p99: f64,
    /// Retries per request.
    pub(crate) retries: f64,
}

/// Marsaglia's xorshift with Vigna's multiplier.
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Arrival,
    /// An attempt of a request reaches a server.
    Reaches {
        request: usize,
        attempt: u32,
        server: usize,
    },
    /// A server has finished the work on it.
    Done {
        request: usize,
        attempt: u32,
        server: usize,
    },
    /// The answer is back: a success, or a refusal.
    Answer {
        request: usize,
        attempt: u32,
        success: bool,
    },
    /// The attempt's time is over.
    Late {
        request: usize,
        attempt: u32,
    },
    /// The pause before the next attempt is over, or the request's time in it.
    Again {
        request: usize,
    },
    GivesUp {
        request: usize,
    },
}

struct Request {
    began: f64,
    attempt: u32,
    server: usize,
    tried: Vec<usize>,
    is_under_way: bool,
    is_retry: bool,
    is_over: bool,
}

struct Loop {
    model: Model,
    random: Random,
    /// Time in picoseconds, so that events of one time come in the order in which they were made.
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: Vec<Event>,
    now: f64,
    requests: Vec<Request>,
    working: [usize; 5],
    waiting: [VecDeque<(usize, u32)>; 5],
    /// Attempts under way, as the client counts them.
    under_way: [usize; 5],
    retrying: usize,
    turn: usize,
    latencies: Vec<f64>,
    failed: usize,
    retried: usize,
}

/// Runs `model` once.
pub(crate) fn run(model: Model, seed: u64) -> Seen {
    let mut world = Loop {
        model,
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        heap: BinaryHeap::new(),
        events: Vec::new(),
        now: 0.0,
        requests: Vec::new(),
        working: [0; 5],
        waiting: Default::default(),
        under_way: [0; 5],
        retrying: 0,
        turn: 0,
        latencies: Vec::new(),
        failed: 0,
        retried: 0,
    };
    (0..100).for_each(|_| {
        world.random.unit();
    });
    let end = model.warmup + model.measured;
    let first = world.random.exponential(1.0 / model.rate);
    world.at(first, Event::Arrival);
    while let Some(Reverse((at, _, event))) = world.heap.pop() {
        world.now = at as f64 / 1e12;
        match world.events[event] {
            Event::Arrival if world.now >= end => {}
            Event::Arrival => world.arrival(),
            Event::Reaches { request, attempt, server } => world.reaches(request, attempt, server),
            Event::Done { request, attempt, server } => world.done(request, attempt, server),
            Event::Answer { request, attempt, success } => world.attempt_over(request, attempt, success),
            Event::Late { request, attempt } => world.attempt_over(request, attempt, false),
            Event::Again { request } => world.attempt(request),
            Event::GivesUp { request } => {
                world.retrying -= 1;
                world.over(request, false);
            }
        }
    }
    let n = world.latencies.len();
    world.latencies.sort_unstable_by(f64::total_cmp);
    Seen {
        errors: world.failed as f64 / n as f64,
        goodput: (n - world.failed) as f64 / model.measured,
        p99: world.latencies[(n as f64 * 0.99) as usize],
        retries: world.retried as f64 / n as f64,
    }
}

impl Loop {
    fn at(&mut self, at: f64, event: Event) {
        self.heap.push(Reverse(((at * 1e12) as u64, self.events.len() as u64, self.events.len())));
        self.events.push(event);
    }

    fn arrival(&mut self) {
        let next = self.now + self.random.exponential(1.0 / self.model.rate);
        self.at(next, Event::Arrival);
        self.requests.push(Request {
            began: self.now,
            attempt: 0,
            server: 0,
            tried: Vec::new(),
            is_under_way: false,
            is_retry: false,
            is_over: false,
        });
        self.attempt(self.requests.len() - 1);
    }

    fn pick(&mut self) -> usize {
        let of_two = |a: usize, b: usize| if self.under_way[b] < self.under_way[a] { b } else { a };
        match self.model.choice {
            Choice::Random => self.random.below(5),
            Choice::RoundRobin => {
                self.turn = (self.turn + 1) % 5;
                self.turn
            }
            Choice::TwoDraws => {
                let (a, b) = (self.random.below(5), self.random.below(5));
                of_two(a, b)
            }
            Choice::TwoDifferent => {
                let a = self.random.below(5);
                let b = (a + 1 + self.random.below(4)) % 5;
                of_two(a, b)
            }
        }
    }

    fn attempt(&mut self, request: usize) {
        let mut server = self.pick();
        if self.requests[request].attempt > 0 {
            for _ in 0..self.model.previous_hosts {
                if !self.requests[request].tried.contains(&server) {
                    break;
                }
                server = self.pick();
            }
            self.retried += usize::from(self.requests[request].began >= self.model.warmup);
        }
        self.under_way[server] += 1;
        let state = &mut self.requests[request];
        (state.server, state.is_under_way) = (server, true);
        state.tried.push(server);
        let attempt = state.attempt;
        let late = (self.now + self.model.per_try).min(state.began + self.model.timeout);
        self.at(self.now + self.model.hop, Event::Reaches { request, attempt, server });
        self.at(late, Event::Late { request, attempt });
    }

    fn reaches(&mut self, request: usize, attempt: u32, server: usize) {
        if self.working[server] < self.model.places {
            self.working[server] += 1;
            self.work(request, attempt, server);
        } else if self.waiting[server].len() < self.model.queue {
            self.waiting[server].push_back((request, attempt));
        } else {
            self.at(self.now + self.model.hop, Event::Answer { request, attempt, success: false });
        }
    }

    fn work(&mut self, request: usize, attempt: u32, server: usize) {
        let takes = self.random.exponential(self.model.service) * self.model.slowdowns[server];
        self.at(self.now + takes, Event::Done { request, attempt, server });
    }

    /// Whether anybody still waits for it or not: the server does not know.
    fn done(&mut self, request: usize, attempt: u32, server: usize) {
        self.at(self.now + self.model.hop, Event::Answer { request, attempt, success: true });
        match self.waiting[server].pop_front() {
            Some((next, attempt)) => self.work(next, attempt, server),
            None => self.working[server] -= 1,
        }
    }

    fn attempt_over(&mut self, request: usize, attempt: u32, success: bool) {
        let state = &mut self.requests[request];
        if state.is_over || state.attempt != attempt || !state.is_under_way {
            return;
        }
        state.is_under_way = false;
        self.under_way[state.server] -= 1;
        self.retrying -= usize::from(std::mem::take(&mut state.is_retry));
        let deadline = state.began + self.model.timeout;
        if success || state.attempt == self.model.retries || self.now >= deadline {
            return self.over(request, success);
        }
        let all: usize = self.under_way.iter().sum();
        let (share, least) = self.model.budget;
        if self.retrying >= ((all as f64 * share) as usize).max(least) {
            return self.over(request, false);
        }
        self.retrying += 1;
        let state = &mut self.requests[request];
        state.attempt += 1;
        state.is_retry = true;
        let (base, max) = self.model.backoff;
        let longest = (base * f64::from(1 << (state.attempt - 1))).min(max);
        let again = self.now + self.random.unit() * longest;
        if again >= deadline {
            self.at(deadline, Event::GivesUp { request });
        } else {
            self.at(again, Event::Again { request });
        }
    }

    fn over(&mut self, request: usize, success: bool) {
        let state = &mut self.requests[request];
        state.is_over = true;
        if state.began >= self.model.warmup {
            self.latencies.push(self.now - state.began);
            self.failed += usize::from(!success);
        }
    }
}
