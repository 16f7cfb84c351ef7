//! Dubbo's shortest response: the host with the least average latency times requests outstanding, among all.
//!
//! As `ShortestResponseLoadBalance` (apache/dubbo
//! `dubbo-cluster/src/main/java/org/apache/dubbo/rpc/cluster/loadbalance/`): the estimate of a host is the mean time of
//! its answers since the window began, in whole milliseconds, times the requests outstanding and one. Equals are drawn
//! by weight. When a pick finds the window older than its period, it makes its choice, and then all hosts' windows
//! begin anew; a host without an answer in the window is estimated at nothing, so at every turn of the window, for one
//! answer's time, all choices are random. Whole milliseconds make hosts equal that differ by less, and a mean below one
//! makes an estimate of nothing, whatever is under way.
//!
//! Time is the date, read before and after (`ActiveLimitFilter`, `System.currentTimeMillis`), and so is the age of the
//! window. Nothing on the way minds a difference below zero (`RpcStatus.endCount` adds it up). Where a clock is set
//! back, the requests under way seem to have been answered before they were sent, and their hosts' estimates fall below
//! zero. There the rule is upside down: of two such hosts the one with more requests outstanding has the lower
//! estimate, so one host gets everything, until its real answers have made up for the step; and no window ends before
//! the date is again what it was. It is the mistake by which Cloudflare's resolvers failed in the leap second of 2017
//! ("How and why the leap second affected Cloudflare DNS", 2017-01-01), where a weighted choice met a negative latency.
//! With `clock = "monotonic"`, which Dubbo does not have, time is measured as by `System.nanoTime`.
//!
//! An error that the service itself answers is an answer like any other there (`ActiveLimitFilter.onResponse`: an
//! exception of the implementation travels inside a result). What the framework gives up is none: no connection, no
//! answer in time, no thread free at the server. Dubbo counts at all only where the filter `activelimit` is configured;
//! here it always is.

use super::catalogue::{Needs, StrategyInfo};
use super::parameter::{Kind, Parameter, Value};
use super::per_host::PerHost;
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use crate::{Class, Response};
use base::{Draw, Duration, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "dubbo_shortest_response",
    summary: "the least average latency times requests outstanding, among all hosts",
    explanation: "Looks at every host: the mean latency of its answers in the present window, in whole milliseconds, times this \
                  client's requests there and one. Equals are drawn by weight. An error counts as an answer; no answer and a refusal \
                  do not. Hosts without an answer in the window come first, so new hosts, and hosts that refuse everything, are \
                  flooded; and every window begins with random choices. Latency is the difference of two dates, so a \
                  wall clock that is set back makes it negative, and then one host gets everything; `clock = \
                  \"monotonic\"` mends that. Costs time in proportion to the number of hosts.",
    source: "Dubbo shortestresponse (ShortestResponseLoadBalance.java)",
    weighted: true,
    parameters: &[
        Parameter {
            name: "window",
            kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
            default: Value::Span(Duration::secs(30)),
            summary: "for how long answers count",
        },
        Parameter {
            name: "clock",
            kind: Kind::Word(&["wall", "monotonic"]),
            default: Value::Word("wall"),
            summary: "what time is measured by: dates, as Dubbo does, or a clock that never steps",
        },
    ],
    needs: Needs::NOTHING,
    make: |values, _| {
        State::ShortestResponse(ShortestResponse::new(values.span("window"), values.word("clock") == "wall"))
    },
};

#[derive(Debug)]
pub(crate) struct ShortestResponse {
    window: Duration,
    /// Whether it goes by dates.
    by_date: bool,
    /// The window is over after this moment.
    ends: Option<Instant>,
    answers: PerHost<Answers>,
}

/// Answers in the window.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    count: u64,
    sum_ms: i64,
}

impl Answers {
    /// Below zero where dates went back; too long a time goes round to there, as in Java.
    #[inline]
    fn estimate(self, outstanding: u32) -> i64 {
        let mean = self.sum_ms.checked_div(self.count as i64).unwrap_or(0);
        mean.wrapping_mul(i64::from(outstanding) + 1)
    }
}

impl ShortestResponse {
    fn new(window: Duration, by_date: bool) -> Self {
        ShortestResponse { window, by_date, ends: None, answers: PerHost::default() }
    }
}

impl Choose for ShortestResponse {
    const FOLLOWS: bool = true;

    fn running_for(&mut self, now: Instant, age: Duration) {
        self.ends = Some(now.saturating_add(age.to_next(self.window)));
    }

    fn stepped(&mut self, by_ns: i64) {
        if let Some(ends) = self.ends.as_mut().filter(|_| self.by_date) {
            // The date at which the window is over comes sooner when dates are ahead.
            *ends = Instant::from_nanos(ends.as_nanos().saturating_add_signed(by_ns.saturating_neg()));
        }
    }

    fn refresh(&mut self, now: Instant, hosts: &Hosts) {
        self.ends.get_or_insert(now.saturating_add(self.window));
        self.answers.refresh(hosts, |_| Answers::default());
    }

    fn pick(&mut self, Pick { now, hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        let outstanding = hosts.outstanding();
        let estimate = |index: usize| self.answers[index].estimate(outstanding[index]);
        let shortest = (0..hosts.len()).map(estimate).min()?;
        let equals = || (0..hosts.len()).filter(|&index| estimate(index) == shortest);
        let total: u64 = equals().map(|index| u64::from(hosts.weight(index))).sum();
        let first = equals().next()?;
        let choice = if u64::from(hosts.weight(first)) == total {
            first
        } else {
            let mut drawn = rng.below_u64(total);
            let by_weight = |index: &usize| {
                let weight = u64::from(hosts.weight(*index));
                let here = drawn < weight;
                drawn = drawn.saturating_sub(weight);
                here
            };
            let mut by_weight = by_weight;
            equals().find(|index| by_weight(index)).unwrap_or(first)
        };
        if self.ends.is_none_or(|ends| now > ends) {
            self.ends = Some(now.saturating_add(self.window));
            self.answers.fill(Answers::default());
        }
        Some(choice)
    }

    #[inline]
    fn finished(&mut self, now: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        if matches!(response.class, Class::Success | Class::Failure) {
            let elapsed_ms =
                if self.by_date { response.elapsed_ms(now) } else { (response.rtt.as_nanos() / 1_000_000) as i64 };
            let answers = &mut self.answers[index];
            answers.count += 1;
            answers.sum_ms = answers.sum_ms.wrapping_add(elapsed_ms);
        }
    }

    fn bytes(&self) -> usize {
        self.answers.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use crate::{Balancer, Class, Host, Request, Response, Strategy};
    use base::{Duration, InstanceId, Instant, Seed};

    fn balancer(weights: &[u32]) -> Balancer {
        balancer_by("wall", weights)
    }

    fn balancer_by(clock: &'static str, weights: &[u32]) -> Balancer {
        let strategy = Strategy::from_name("dubbo_shortest_response").unwrap();
        let strategy = strategy.with("clock", Value::Word(clock)).unwrap();
        let mut balancer = Balancer::new(strategy, Seed(1).stream("shortest"));
        let hosts: Vec<Host> =
            weights.iter().zip(0..).map(|(&w, i)| Host { weight: w, ..Host::new(InstanceId(i)) }).collect();
        balancer.update(Instant::ZERO, &hosts);
        balancer
    }

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::ms(ms)
    }

    fn answer(balancer: &mut Balancer, index: usize, now: Instant, response: Response) {
        balancer.started(index);
        balancer.finished(now, index, InstanceId(index as u32), &response);
    }

    fn picks(balancer: &mut Balancer, now: Instant) -> [u32; 3] {
        let mut counts = [0; 3];
        (0..3_000).for_each(|_| counts[balancer.pick(now, Request::default()).unwrap()] += 1);
        counts
    }

    #[test]
    fn the_shortest_mean_times_outstanding_wins() {
        let mut balancer = balancer(&[1, 1, 1]);
        for (index, ms) in [(0, 10), (0, 30), (1, 15), (2, 40)] {
            answer(&mut balancer, index, at(1), Response::success(Duration::ms(ms)));
        }
        // 20, 15 and 40 ms.
        assert_eq!(picks(&mut balancer, at(2)), [0, 3_000, 0]);
        balancer.started(1);
        assert_eq!(picks(&mut balancer, at(2)), [3_000, 0, 0], "15 ms twice is more than 20");
    }

    #[test]
    fn less_than_a_millisecond_is_no_difference_and_equals_go_by_weight() {
        let mut balancer = balancer(&[1, 4, 1]);
        for (index, us) in [(0, 5_100), (1, 5_900), (2, 6_000)] {
            answer(&mut balancer, index, Instant::ZERO + Duration::us(us), Response::success(Duration::us(us)));
        }
        let [light, heavy, slow] = picks(&mut balancer, at(2));
        assert_eq!(slow, 0);
        assert!((2_300..2_500).contains(&heavy) && light + heavy == 3_000, "{light} and {heavy}");
    }

    #[test]
    fn an_error_is_an_answer_and_a_refusal_is_none() {
        let after = |class| {
            let mut balancer = balancer(&[1, 1, 1]);
            answer(&mut balancer, 0, at(1), Response::success(Duration::ms(10)));
            answer(&mut balancer, 1, at(1), Response::success(Duration::ms(10)));
            answer(&mut balancer, 2, at(1), Response { class, ..Response::success(Duration::ms(20)) });
            picks(&mut balancer, at(2))[2]
        };
        assert_eq!((after(Class::Success), after(Class::Failure)), (0, 0));
        assert_eq!((after(Class::NoAnswer), after(Class::Overload { retry_after: None })), (3_000, 3_000));
    }

    /// `ShortestResponseLoadBalanceTest`, `testSelectByWeight` and `testSelectByResponse`: weights 1, 9 and 15, of
    /// which the last has answered in five seconds and has a request outstanding; then, with that over, the window
    /// turns.
    #[test]
    fn dubbo_by_weight_and_by_response() {
        let mut balancer = balancer(&[1, 9, 15]);
        answer(&mut balancer, 2, at(1), Response::success(Duration::ms(5_000)));
        balancer.started(2);
        let [one, nine, slow] = picks(&mut balancer, at(2));
        assert_eq!(slow, 0);
        assert!((200..400).contains(&one) && one + nine == 3_000, "{one} and {nine}");

        balancer.finished(at(3), 2, InstanceId(2), &Response::success(Duration::ms(5_000)));
        balancer.pick(at(31_000), Request::default());
        let [one, nine, fifteen] = picks(&mut balancer, at(31_001));
        assert!(one.abs_diff(120) < 45 && nine.abs_diff(1_080) < 110, "{one}, {nine} and {fifteen}");
    }

    #[test]
    fn a_window_that_is_over_is_forgotten_after_the_pick_that_finds_it() {
        let mut balancer = balancer(&[1, 1, 1]);
        for (index, ms) in [(0, 10), (1, 15), (2, 40)] {
            answer(&mut balancer, index, at(1), Response::success(Duration::ms(ms)));
        }
        assert_eq!(balancer.pick(at(30_001), Request::default()), Some(0));
        assert!(picks(&mut balancer, at(30_002)).iter().all(|&count| count > 900));
    }

    /// Each host has answered ten times in 10, 15 and 40 ms, and the last two have one more answer under way while the
    /// date is set back by a minute.
    fn set_back(clock: &'static str) -> Balancer {
        let mut balancer = balancer_by(clock, &[1, 1, 1]);
        for (index, ms) in [(0, 10), (1, 15), (2, 40)] {
            (0..10).for_each(|_| answer(&mut balancer, index, at(100), Response::success(Duration::ms(ms))));
        }
        balancer.stepped(-60_000_000_000);
        for (index, ms) in [(1, 15), (2, 40)] {
            let met = Response { stepped_ns: -60_000_000_000, ..Response::success(Duration::ms(ms)) };
            answer(&mut balancer, index, at(140), met);
        }
        balancer
    }

    #[test]
    fn a_date_set_back_turns_the_rule_upside_down() {
        let mut balancer = set_back("wall");
        // (10 · 15 − 60,000 + 15) / 11 ms.
        assert_eq!(picks(&mut balancer, at(141)), [0, 3_000, 0], "the one that met it, and of those the faster");
        for requests in 1..100 {
            balancer.started(1);
            assert_eq!(balancer.pick(at(142), Request::default()), Some(1), "with {requests} outstanding");
        }
        // Its own answers make up for the step, after a minute's worth of them; then the other one is next.
        let mut answers = 0;
        while balancer.pick(at(200), Request::default()) == Some(1) {
            balancer.finished(at(200), 1, InstanceId(1), &Response::success(Duration::ms(30_000)));
            balancer.started(1);
            answers += 1;
        }
        assert_eq!((answers, balancer.pick(at(200), Request::default())), (2, Some(2)));
    }

    #[test]
    fn a_window_waits_for_the_date_to_be_what_it_was_and_ends_at_once_when_it_is_ahead() {
        let mut balancer = set_back("wall");
        for (ms, is_over) in [(30_001, false), (90_000, false), (90_001, true)] {
            balancer.pick(at(ms), Request::default());
            assert_eq!(picks(&mut balancer, at(ms)) != [0, 3_000, 0], is_over, "at {ms} ms");
        }
        let mut balancer = set_back("wall");
        balancer.stepped(60_000_000_000);
        balancer.stepped(30_000_000_000);
        balancer.pick(at(141), Request::default());
        assert!(picks(&mut balancer, at(142)).iter().all(|&count| count > 900), "nothing is known any more");
    }

    #[test]
    fn a_clock_that_never_steps_notices_nothing() {
        let mut balancer = set_back("monotonic");
        assert_eq!(picks(&mut balancer, at(141)), [3_000, 0, 0]);
        balancer.pick(at(30_001), Request::default());
        assert!(picks(&mut balancer, at(30_002)).iter().all(|&count| count > 900));
    }
}
