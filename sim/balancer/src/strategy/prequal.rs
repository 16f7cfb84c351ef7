//! Prequal: probes ask hosts how busy they are before they are needed, and a request goes to the best answer at hand.
//!
//! Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance: Introducing Prequal" (NSDI 2024,
//! arXiv:2312.10172), section 4, in its asynchronous form. Every request sends some probes to hosts drawn at random,
//! and chooses among the answers that earlier ones brought. Answers are kept in a small pool, and are distrusted the
//! older and the more used they are:
//!
//! - **Hot or cold.** An answer is hot when its requests in flight (RIF) are above a quantile of those seen in recent
//!   answers. Any cold answer: the one of least latency. Only hot ones: the one of fewest requests in flight. Load
//!   balances where it must, latency where it may.
//! - **Reuse.** An answer may be used b = max(1, (1 + δ) / ((1 − m/n) · r_probe − r_remove)) times, rounded at random,
//!   where m is the size of the pool and n the number of hosts; with every use its RIF counts one more, because of the
//!   request just sent there.
//! - **Removal.** With every request r_remove answers go, in turn the oldest and the worst (the hot one with most
//!   requests in flight; if none is hot, the one of greatest latency), so that the pool does not silt up with bad ones.
//!   Answers older than the probe age go too, and the oldest makes room when the pool is full.
//! - With fewer than two answers at hand, a host is drawn at random.
//!
//! What the paper leaves open is decided so: a new answer replaces an earlier one of the same host; fractions of
//! r_probe and r_remove are carried over from request to request; the quantile is that of the last 128 answers. Probes
//! are sent with requests only, so a client that is idle for longer than the probe age begins anew.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::{Choose, Pick, State};
use crate::ProbeReply;
use crate::hosts::Hosts;
use base::{Draw, Duration, InstanceId, Instant, Rng};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "prequal",
    summary: "the best of a pool of probe answers: cold ones by latency, hot ones by requests in flight",
    explanation: "Sends `probe_rate` probes with every request and chooses among earlier answers: those with few requests in \
                  flight by latency, and only when all have many, by their number. Reacts to what hosts do now, whoever sent \
                  it, at the price of probes. A pool that is reused too much, or a quantile too high, makes clients herd.",
    source: "Prequal (NSDI 2024, arXiv:2312.10172), section 4",
    weighted: false,
    parameters: &[
        count("pool_size", 1, 1_024, 16, "how many answers are kept"),
        number("probe_rate", 0.0, 16.0, 3.0, "probes sent with every request"),
        number("remove_rate", 0.0, 16.0, 1.0, "answers removed with every request"),
        Parameter {
            name: "probe_age",
            kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
            default: Value::Span(Duration::secs(1)),
            summary: "how long an answer is kept",
        },
        Parameter {
            name: "hot_quantile",
            kind: Kind::Share,
            // 2 to the power of −1/4.
            default: Value::Share(base::Ratio::from_billionths(840_896_415)),
            summary: "an answer with more requests in flight than this share of recent ones is hot",
        },
        number("reuse_slack", 0.0, 100.0, 1.0, "δ: how much more often than it is replaced an answer may be used"),
        count("pool_least", 1, 1_024, 2, "with fewer answers a host is drawn at random"),
    ],
    needs: Needs { probes: true, ..Needs::NOTHING },
    make: |values, _| {
        State::Prequal(Prequal {
            size: values.count("pool_size") as usize,
            probe_rate: values.number("probe_rate"),
            remove_rate: values.number("remove_rate"),
            age: values.span("probe_age"),
            quantile: values.share("hot_quantile"),
            slack: values.number("reuse_slack"),
            least: values.count("pool_least") as usize,
            pool: Vec::with_capacity(values.count("pool_size") as usize),
            recent: Recent::new(),
            to_probe: 0.0,
            to_remove: 0.0,
            oldest_next: true,
            batch: Vec::with_capacity(16),
        })
    },
};

const fn count(name: &'static str, min: u64, max: u64, default: u64, summary: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Count { min, max }, default: Value::Count(default), summary }
}

const fn number(name: &'static str, min: f64, max: f64, default: f64, summary: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Number { min, max }, default: Value::Number(default), summary }
}

#[derive(Debug)]
pub(crate) struct Prequal {
    size: usize,
    probe_rate: f64,
    remove_rate: f64,
    age: Duration,
    quantile: f64,
    slack: f64,
    least: usize,
    /// The oldest first.
    pool: Vec<Answer>,
    recent: Recent,
    /// Probes and removals that are due, with the fraction that is left over.
    to_probe: f64,
    to_remove: f64,
    /// Whether the oldest is removed next, or the worst.
    oldest_next: bool,
    /// Hosts that were sent a probe with the present request.
    batch: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Answer {
    instance: InstanceId,
    in_flight: u32,
    latency: Duration,
    at: Instant,
    uses: u32,
}

/// The requests in flight of the latest answers, and how often each number occurs.
#[derive(Debug)]
struct Recent {
    ring: [u16; Recent::SIZE],
    len: usize,
    next: usize,
    counts: Vec<u16>,
}

impl Recent {
    const SIZE: usize = 128;

    fn new() -> Self {
        Recent { ring: [0; Recent::SIZE], len: 0, next: 0, counts: vec![0; 64] }
    }

    fn add(&mut self, in_flight: u32) {
        let value = in_flight.min(u32::from(u16::MAX)) as u16;
        if self.len == Recent::SIZE {
            self.counts[usize::from(self.ring[self.next])] -= 1;
        } else {
            self.len += 1;
        }
        if self.counts.len() <= usize::from(value) {
            self.counts.resize(usize::from(value) + 1, 0);
        }
        self.counts[usize::from(value)] += 1;
        self.ring[self.next] = value;
        self.next = (self.next + 1) % Recent::SIZE;
    }

    /// The number that a share `quantile` of the answers does not pass.
    fn quantile(&self, quantile: f64) -> u32 {
        let rank = (quantile * self.len as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (value, &count) in self.counts.iter().enumerate() {
            below += u64::from(count);
            if below >= rank {
                return value as u32;
            }
        }
        0
    }
}

impl Prequal {
    /// b, the mean number of uses of an answer.
    fn reuse(&self, hosts: usize) -> f64 {
        let replaced = (1.0 - self.size as f64 / hosts as f64) * self.probe_rate - self.remove_rate;
        if replaced <= 0.0 { f64::from(u32::MAX) } else { ((1.0 + self.slack) / replaced).max(1.0) }
    }

    /// The place of the answer to use: the hot-cold-lexicographic rule.
    fn best(&self, hot_above: u32) -> Option<usize> {
        let cold = self.pool.iter().enumerate().filter(|(_, answer)| answer.in_flight <= hot_above);
        if let Some((place, _)) = cold.min_by_key(|(_, answer)| answer.latency) {
            return Some(place);
        }
        self.pool.iter().enumerate().min_by_key(|(_, answer)| answer.in_flight).map(|(place, _)| place)
    }

    fn worst(&self, hot_above: u32) -> Option<usize> {
        let hot = self.pool.iter().enumerate().filter(|(_, answer)| answer.in_flight > hot_above);
        if let Some((place, _)) = hot.max_by_key(|(_, answer)| answer.in_flight) {
            return Some(place);
        }
        self.pool.iter().enumerate().max_by_key(|(_, answer)| answer.latency).map(|(place, _)| place)
    }

    fn remove_some(&mut self, hot_above: u32) {
        self.to_remove += self.remove_rate;
        while self.to_remove >= 1.0 {
            self.to_remove -= 1.0;
            let place =
                if self.oldest_next { Some(0).filter(|_| !self.pool.is_empty()) } else { self.worst(hot_above) };
            self.oldest_next = !self.oldest_next;
            if let Some(place) = place {
                self.pool.remove(place);
            }
        }
    }
}

impl Choose for Prequal {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.pool.retain(|answer| hosts.index_of(answer.instance).is_some());
    }

    fn pick(&mut self, Pick { now, hosts, attempt, rng, .. }: Pick<'_>) -> Option<usize> {
        if attempt == 0 {
            self.to_probe = self.to_probe.fract() + self.probe_rate;
            self.batch.clear();
        }
        let age = self.age;
        self.pool.retain(|answer| now.saturating_since(answer.at) <= age);
        let hot_above = self.recent.quantile(self.quantile);
        let chosen = if self.pool.len() >= self.least { self.best(hot_above) } else { None };
        let index = match chosen.map(|place| (place, hosts.index_of(self.pool[place].instance))) {
            Some((place, Some(index))) => {
                let answer = &mut self.pool[place];
                answer.in_flight += 1;
                answer.uses -= 1;
                if answer.uses == 0 {
                    self.pool.remove(place);
                }
                index
            }
            _ => rng.below(hosts.len() as u32) as usize,
        };
        if attempt == 0 {
            self.remove_some(hot_above);
        }
        Some(index)
    }

    /// Hosts are drawn without one coming twice for one request, as long as there are others.
    fn probe(&mut self, _: Instant, hosts: &Hosts, rng: &mut Rng) -> Option<usize> {
        if self.to_probe < 1.0 || self.batch.len() >= hosts.len() {
            return None;
        }
        self.to_probe -= 1.0;
        let mut drawn = rng.below((hosts.len() - self.batch.len()) as u32) as usize;
        // The batch is ascending: step over those that were drawn.
        let mut place = 0;
        while place < self.batch.len() && drawn >= self.batch[place] {
            drawn += 1;
            place += 1;
        }
        self.batch.insert(place, drawn);
        Some(drawn)
    }

    fn probed(&mut self, now: Instant, index: usize, reply: ProbeReply, hosts: &Hosts, rng: &mut Rng) {
        self.recent.add(reply.in_flight);
        let reuse = self.reuse(hosts.len());
        let uses = reuse as u32 + u32::from(rng.unit() < reuse - reuse.floor());
        let instance = hosts.instance(index);
        if let Some(place) = self.pool.iter().position(|answer| answer.instance == instance) {
            self.pool.remove(place);
        } else if self.pool.len() == self.size {
            self.pool.remove(0);
        }
        let ProbeReply { in_flight, latency } = reply;
        self.pool.push(Answer { instance, in_flight, latency, at: now, uses });
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.pool[..]) + size_of_val(&self.recent.counts[..])
    }
}

#[cfg(test)]
mod tests {
    use crate::{Balancer, Host, ProbeReply, Request, Strategy};
    use base::{Duration, InstanceId, Instant, Seed};

    use super::*;

    fn prequal(hosts: u32) -> Balancer {
        let mut balancer = Balancer::new(Strategy::from_name("prequal").unwrap(), Seed(1).stream("prequal"));
        let hosts: Vec<Host> = (0..hosts).map(|i| Host::new(InstanceId(i))).collect();
        balancer.update(Instant::ZERO, &hosts);
        balancer
    }

    fn state(pool: &[(u32, u64)]) -> Prequal {
        let info = &INFO;
        let values = crate::strategy::parameter::Values::defaults(info.parameters);
        let State::Prequal(mut prequal) = (info.make)(&values, &mut Seed(1).stream("unused")) else { unreachable!() };
        prequal.pool = pool
            .iter()
            .zip(0..)
            .map(|(&(in_flight, ms), i)| Answer {
                instance: InstanceId(i),
                in_flight,
                latency: Duration::ms(ms),
                at: Instant::ZERO,
                uses: 1,
            })
            .collect();
        prequal
    }

    /// The paper's defaults at 100 hosts: (1 + 1) / ((1 − 16/100) · 3 − 1).
    #[test]
    fn an_answer_is_reused_1_32_times() {
        let prequal = state(&[]);
        assert!((prequal.reuse(100) - 1.315_789).abs() < 1e-6, "{}", prequal.reuse(100));
        assert_eq!(prequal.reuse(20), f64::from(u32::MAX), "fewer come in than go out: nothing is spent");
    }

    #[test]
    fn cold_by_latency_else_hot_by_requests_in_flight() {
        // (requests in flight, ms), hot above 4, and who is best and worst.
        type Pool = &'static [(u32, u64)];
        let table: [(Pool, usize, usize); 4] = [
            (&[(1, 30), (4, 10), (9, 1)], 1, 2),
            (&[(5, 1), (7, 1), (6, 1)], 0, 1),
            (&[(0, 3), (1, 2), (2, 1)], 2, 0),
            (&[(9, 1), (4, 500), (20, 1)], 1, 2),
        ];
        for (pool, best, worst) in table {
            let prequal = state(pool);
            assert_eq!((prequal.best(4), prequal.worst(4)), (Some(best), Some(worst)), "{pool:?}");
        }
    }

    #[test]
    fn the_quantile_is_that_of_the_latest_answers() {
        let mut recent = Recent::new();
        (1..=100).for_each(|n| recent.add(n));
        assert_eq!(recent.quantile(0.84), 84);
        (0..128).for_each(|_| recent.add(3));
        assert_eq!(recent.quantile(0.84), 3, "the old ones are forgotten");
    }

    #[test]
    fn probes_go_with_requests_to_different_hosts() {
        let mut balancer = prequal(50);
        for _ in 0..100 {
            balancer.pick(Instant::ZERO, Request::default()).unwrap();
            let mut probed: Vec<usize> = std::iter::from_fn(|| balancer.probe(Instant::ZERO)).collect();
            assert_eq!(probed.len(), 3);
            probed.sort_unstable();
            probed.dedup();
            assert_eq!(probed.len(), 3);
        }
    }

    #[test]
    fn the_pool_chooses_and_empties() {
        let mut balancer = prequal(50);
        let reply = |ms| ProbeReply { in_flight: 1, latency: Duration::ms(ms) };
        for (i, ms) in [(7, 30), (8, 10), (9, 20), (10, 40)] {
            balancer.probed(Instant::ZERO, InstanceId(i), reply(ms));
        }
        assert_eq!(balancer.pick(Instant::ZERO, Request::default()), Some(8));
        // A second later no answer is left, and choices are random.
        let later = Instant::ZERO + Duration::ms(1_001);
        let picks: std::collections::BTreeSet<usize> =
            (0..200).map(|_| balancer.pick(later, Request::default()).unwrap()).collect();
        assert!(picks.len() > 30, "{picks:?}");
    }
}
