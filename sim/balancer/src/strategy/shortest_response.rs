//! Dubbo's shortest response: the host with the least average latency times requests outstanding, among all.
//!
//! As `ShortestResponseLoadBalance` (apache/dubbo
//! `dubbo-cluster/src/main/java/org/apache/dubbo/rpc/cluster/loadbalance/`): the estimate of a host is the mean time of
//! its answers since the window began, in whole milliseconds, times the requests outstanding and one. Equals are drawn
//! by weight. When a pick finds the window older than its period, it makes its choice, and then all hosts' windows
//! begin anew; a host without an answer in the window is estimated at nothing, so at every turn of the window, for one
//! answer's time, all choices are random. Whole milliseconds make hosts equal that differ by less.
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
                  flooded; and every window begins with random choices. Costs time in proportion to the number of hosts.",
    source: "Dubbo shortestresponse (ShortestResponseLoadBalance.java)",
    weighted: true,
    parameters: &[Parameter {
        name: "window",
        kind: Kind::Span { min: Duration::ms(1), max: Duration::secs(3_600) },
        default: Value::Span(Duration::secs(30)),
        summary: "for how long answers count",
    }],
    needs: Needs::NOTHING,
    make: |values, _| State::ShortestResponse(ShortestResponse::new(values.span("window"))),
};

#[derive(Debug)]
pub(crate) struct ShortestResponse {
    window: Duration,
    /// The window is over after this moment.
    ends: Option<Instant>,
    answers: PerHost<Answers>,
}

/// Answers in the window.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    count: u64,
    sum_ms: u64,
}

impl Answers {
    #[inline]
    fn estimate(self, outstanding: u32) -> u64 {
        self.sum_ms.checked_div(self.count).unwrap_or(0) * (u64::from(outstanding) + 1)
    }
}

impl ShortestResponse {
    fn new(window: Duration) -> Self {
        ShortestResponse { window, ends: None, answers: PerHost::default() }
    }
}

impl Choose for ShortestResponse {
    const FOLLOWS: bool = true;

    fn running_for(&mut self, now: Instant, age: Duration) {
        self.ends = Some(now.saturating_add(age.to_next(self.window)));
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
    fn finished(&mut self, _: Instant, index: usize, _: u32, response: &Response, _: &Hosts) {
        if matches!(response.class, Class::Success | Class::Failure) {
            let answers = &mut self.answers[index];
            answers.count += 1;
            answers.sum_ms += response.rtt.as_nanos() / 1_000_000;
        }
    }

    fn bytes(&self) -> usize {
        self.answers.bytes()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Balancer, Class, Host, Request, Response, Strategy};
    use base::{Duration, InstanceId, Instant, Seed};

    fn balancer(weights: &[u32]) -> Balancer {
        let strategy = Strategy::from_name("dubbo_shortest_response").unwrap();
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
            answer(&mut balancer, index, at(1), Response::success(Duration::us(us)));
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
}
