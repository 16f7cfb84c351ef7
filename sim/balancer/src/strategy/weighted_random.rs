//! Weighted random: each host as likely as its weight, every time, whatever happened before.
//!
//! As Dubbo (`dubbo-cluster/src/main/java/org/apache/dubbo/rpc/cluster/loadbalance/RandomLoadBalance.java`): one draw
//! below the sum of weights, and the first host whose running sum is above it; where weights are equal, one draw of an
//! index. Dubbo adds the running sums up for every pick; here they are kept from update to update.

use super::catalogue::{Needs, StrategyInfo};
use super::{Choose, Pick, State};
use crate::hosts::Hosts;
use base::{Draw, Instant};

pub(super) static INFO: StrategyInfo = StrategyInfo {
    name: "weighted_random",
    summary: "each host as likely as its weight, every time",
    explanation: "Random, with chances in proportion to weights. Nothing is remembered, so clients cannot fall into \
                  step, but nothing evens out either: a host of weight w gets its share only on average, and the \
                  queues it builds are those of random arrivals.",
    source: "Dubbo random (RandomLoadBalance.java); nginx random (ngx_http_upstream_random_module.c)",
    weighted: true,
    parameters: &[],
    needs: Needs::NOTHING,
    make: |_, _| State::WeightedRandom(WeightedRandom::default()),
};

#[derive(Debug, Default)]
pub(crate) struct WeightedRandom {
    /// The sum of weights up to and including each host; empty where weights are equal.
    sums: Vec<u64>,
}

impl Choose for WeightedRandom {
    const FOLLOWS: bool = false;

    fn refresh(&mut self, _: Instant, hosts: &Hosts) {
        self.sums.clear();
        if hosts.weights_are_equal() {
            return;
        }
        let mut sum = 0;
        self.sums.extend((0..hosts.len()).map(|index| {
            sum += u64::from(hosts.weight(index));
            sum
        }));
    }

    #[inline]
    fn pick(&mut self, Pick { hosts, rng, .. }: Pick<'_>) -> Option<usize> {
        Some(match self.sums.last() {
            Some(&total) => {
                let drawn = rng.below_u64(total);
                self.sums.partition_point(|&sum| sum <= drawn)
            }
            None => rng.below(hosts.len() as u32) as usize,
        })
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.sums[..])
    }
}
