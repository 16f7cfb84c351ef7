//! C3: the host with the lowest score of latency, service time and a queue that counts cubed, as Elasticsearch ranks
//! its copies.
//!
//! Suresh, Canini, Schmid and Feldmann, "C3: Cutting Tail Latency in Cloud Data Stores via Adaptive Replica Selection"
//! (NSDI 2015), in the form of Elasticsearch's adaptive replica selection (elastic/elasticsearch
//! `server/src/main/java/org/elasticsearch/node/ResponseCollectorService.java`, and `rankShardsAndUpdateStats` in
//! `cluster/routing/IndexShardRoutingTable.java`):
//!
//! ```text
//! score = R − S + q̂³ · S        q̂ = 1 + outstanding · clients + q
//! ```
//!
//! R is the response time and q the queue's length, both moving averages with α = 0.3; S is the service time; times are
//! in milliseconds, and q counts in whole requests. `outstanding · clients` guesses what the other clients are doing:
//! the same.
//!
//! After a choice all others are told of values half-way between theirs and the chosen's, as if these had been
//! observed, so that who was bad once is tried again some day. A host without statistics comes before all others, and
//! when the choice has none, nobody is told anything. Copies are looked at from a start that goes round, and begins
//! anywhere, which is how ties are broken. Only good answers are observed
//! (`action/search/SearchExecutionStatsCollector.java`): a host that only fails keeps its score but for what it is
//! told, and one that never did anything else stays unknown and first. C3's rate control is not part of it, there as
//! here, and neither is the cap on requests to unknown nodes, which release builds leave off (`OperationRouting.java`,
//! `probe_enabled`).
//!
//! Elasticsearch's nodes report a moving average of their service times; here it is that of the answers this client
//! saw. C3 itself leaves the exponent open and chooses three.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::Response;
use crate::hosts::Hosts;
use base::{Draw, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "c3",
    summary: "the lowest score of latency, service time and cubed queue, among all hosts",
    explanation: "Hosts report queue length and service time with every answer. The score punishes long queues with their third \
                  power and assumes that all clients do what this one does. Unchosen hosts' statistics drift towards the \
                  chosen's, so nobody is forgotten. A host of which nothing is known comes first: a cold one is flooded until it \
                  has answered, and one that never answered well for ever. Costs time in proportion to the number of hosts, of which stores have a few copies.",
    source: "Elasticsearch adaptive replica selection (ResponseCollectorService.java); C3, NSDI 2015",
    weighted: false,
    parameters: &[
        Parameter {
            name: "clients",
            kind: Kind::Count { min: 0, max: 100_000 },
            default: Value::Count(0),
            summary: "how many clients there are; 0 takes the number of hosts known, as Elasticsearch, whose nodes are both",
        },
        Parameter {
            name: "alpha",
            kind: Kind::Number { min: 0.001, max: 1.0 },
            default: Value::Number(0.3),
            summary: "the share of the newest value in a moving average",
        },
        Parameter {
            name: "exponent",
            kind: Kind::Count { min: 1, max: 10 },
            default: Value::Count(3),
            summary: "the power of the queue in the score",
        },
    ],
    needs: Needs { reports: true, ..Needs::NOTHING },
    make: |values, rng| {
        State::C3(C3 {
            clients: values.count("clients"),
            alpha: values.number("alpha"),
            exponent: values.count("exponent") as u32,
            start: rng.below(u32::MAX) as usize,
            stats: PerHost::default(),
        })
    },
};

#[derive(Debug)]
pub(crate) struct C3 {
    clients: u64,
    alpha: f64,
    exponent: u32,
    /// Where the next look at all hosts begins.
    start: usize,
    stats: PerHost<Option<Stats>>,
}

/// Moving averages; times in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Stats {
    queue: f64,
    response_ms: f64,
    service_ms: f64,
}

impl Stats {
    fn score(&self, outstanding: u32, clients: u64, exponent: u32) -> f64 {
        let queue = 1.0 + f64::from(outstanding) * clients as f64 + self.queue.trunc();
        let power = (0..exponent).fold(1.0, |product, _| product * queue);
        self.response_ms - self.service_ms + power * self.service_ms
    }

    fn add(&mut self, alpha: f64, other: Stats) {
        let towards = |old: f64, new: f64| alpha * new + (1.0 - alpha) * old;
        self.queue = towards(self.queue, other.queue);
        self.response_ms = towards(self.response_ms, other.response_ms);
        self.service_ms = towards(self.service_ms, other.service_ms);
    }
}

impl Choose for C3 {
    const FOLLOWS: bool = true;

    fn start_at(&mut self, start: u64) -> bool {
        self.start = start as usize;
        true
    }

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.stats.refresh(hosts, |_| None);
    }

    fn pick(&mut self, Pick { hosts, .. }: Pick<'_>) -> Option<usize> {
        let n = hosts.len();
        let clients = match self.clients {
            0 => self.stats.iter().flatten().count() as u64,
            given => given,
        };
        if n == 1 {
            return Some(0);
        }
        let start = self.start % n;
        self.start = start + 1;
        let mut best: Option<(usize, f64)> = None;
        for index in (start..n).chain(0..start) {
            let score = match &self.stats[index] {
                Some(stats) => stats.score(hosts.outstanding()[index], clients, self.exponent),
                None => f64::NEG_INFINITY,
            };
            if best.is_none_or(|(_, least)| score < least) {
                best = Some((index, score));
            }
        }
        let (chosen, _) = best?;
        if let Some(winner) = self.stats[chosen] {
            let alpha = self.alpha;
            for stats in
                self.stats.iter_mut().enumerate().filter(|(index, _)| *index != chosen).filter_map(|(_, s)| s.as_mut())
            {
                let middle = Stats {
                    queue: ((winner.queue.trunc() + stats.queue.trunc()) / 2.0).trunc(),
                    response_ms: (winner.response_ms + stats.response_ms) / 2.0,
                    service_ms: (winner.service_ms + stats.service_ms) / 2.0,
                };
                stats.add(alpha, middle);
            }
        }
        Some(chosen)
    }

    fn finished(&mut self, _: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        let Some(report) = &response.report else { return };
        if !response.class.is_success() || report.service_time.is_zero() {
            return;
        }
        let seen = Stats {
            queue: f64::from(report.waiting),
            response_ms: response.rtt.as_nanos() as f64 / 1e6,
            service_ms: report.service_time.as_nanos() as f64 / 1e6,
        };
        match &mut self.stats[index] {
            Some(stats) => stats.add(self.alpha, seen),
            none => *none = Some(seen),
        }
    }

    fn bytes(&self) -> usize {
        self.stats.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Balancer, Class, Host, Report, Request, Strategy};
    use base::{Duration, InstanceId, Seed};

    /// R = 100 ms, S = 10 ms, a queue of one, two outstanding, three clients: 100 − 10 + 8³ · 10.
    #[test]
    fn the_formula() {
        let stats = Stats { queue: 1.0, response_ms: 100.0, service_ms: 10.0 };
        assert_eq!(stats.score(2, 3, 3), 5_210.0);
        let almost_two = Stats { queue: 1.9, ..stats };
        assert_eq!(almost_two.score(2, 3, 3), 5_210.0, "a queue counts in whole requests");
        assert_eq!(stats.score(2, 3, 1), 170.0);
    }

    #[test]
    fn averages_take_three_tenths_of_what_is_new() {
        let mut stats = Stats { queue: 0.0, response_ms: 10.0, service_ms: 10.0 };
        stats.add(0.3, Stats { queue: 10.0, response_ms: 110.0, service_ms: 10.0 });
        assert_eq!((stats.queue, stats.response_ms, stats.service_ms), (3.0, 40.0, 10.0));
    }

    fn balancer(n: u32, seed: u64) -> Balancer {
        let strategy = Strategy::from_name("c3").unwrap();
        let mut balancer = Balancer::new(strategy, Seed(seed).stream("c3"));
        balancer.update(Instant::ZERO, &(0..n).map(|i| Host::new(InstanceId(i))).collect::<Vec<_>>());
        balancer
    }

    fn answer(balancer: &mut Balancer, index: usize, waiting: u32, rtt_ms: u64, class: Class) {
        let report = Report { waiting, service_time: Duration::ms(10), ..Report::default() };
        balancer.started(index);
        let response = Response { class, report: Some(report), ..Response::success(Duration::ms(rtt_ms)) };
        balancer.finished(Instant::ZERO, index, InstanceId(index as u32), &response);
    }

    fn pick(balancer: &mut Balancer) -> usize {
        balancer.pick(Instant::ZERO, Request::default()).unwrap()
    }

    fn c3(balancer: &Balancer) -> &C3 {
        match &balancer.state {
            State::C3(c3) => c3,
            other => panic!("{other:?}"),
        }
    }

    /// The example in `adjustStats`: a winner's queue of 10 and a loser's of 18 make the loser told of 14.
    #[test]
    fn the_others_are_told_of_values_half_way_to_the_chosens() {
        let mut balancer = balancer(2, 1);
        answer(&mut balancer, 0, 10, 100, Class::Success);
        answer(&mut balancer, 1, 18, 300, Class::Success);
        assert_eq!(pick(&mut balancer), 0);
        let [winner, loser] = [0, 1].map(|index| c3(&balancer).stats[index].unwrap());
        assert_eq!((winner.queue, winner.response_ms), (10.0, 100.0), "the chosen is as it was");
        assert!((loser.queue - (0.7 * 18.0 + 0.3 * 14.0)).abs() < 1e-9, "{loser:?}");
        assert!((loser.response_ms - (0.7 * 300.0 + 0.3 * 200.0)).abs() < 1e-9, "{loser:?}");
    }

    #[test]
    fn who_was_bad_once_is_tried_again() {
        let mut balancer = balancer(2, 1);
        answer(&mut balancer, 0, 0, 20, Class::Success);
        answer(&mut balancer, 1, 9, 2_000, Class::Success);
        // With a request under way the good one scores 280, the bad one 11,990 at first.
        balancer.started(0);
        let picks = (0..200).position(|_| pick(&mut balancer) == 1);
        assert!((3..200).contains(&picks.expect("some day")), "{picks:?}");
    }

    #[test]
    fn the_unknown_come_first_in_turn_and_tell_nobody_anything() {
        let mut balancer = balancer(3, 1);
        answer(&mut balancer, 0, 0, 20, Class::Success);
        let picks: Vec<usize> = (0..6).map(|_| pick(&mut balancer)).collect();
        assert!(picks.contains(&1) && picks.contains(&2) && !picks.contains(&0), "{picks:?}");
        assert_eq!(c3(&balancer).stats[0].unwrap().response_ms, 20.0);
    }

    #[test]
    fn failures_teach_nothing() {
        let mut balancer = balancer(2, 1);
        answer(&mut balancer, 0, 0, 20, Class::Success);
        (0..10).for_each(|_| answer(&mut balancer, 1, 0, 1, Class::Failure));
        assert_eq!(pick(&mut balancer), 1, "still unknown");
    }

    #[test]
    fn clients_begin_anywhere() {
        let mut seen = [false; 5];
        (0..100).for_each(|seed| seen[pick(&mut balancer(5, seed))] = true);
        assert_eq!(seen, [true; 5]);
    }
}
