//! Weighted random: each host as likely as its weight, every time, whatever happened before.
//!
//! As Dubbo (`dubbo-cluster/src/main/java/org/apache/dubbo/rpc/cluster/loadbalance/RandomLoadBalance.java`): one draw below
//! the sum of weights, and the first host whose running sum is above it; where weights are equal, one draw of an index.
//! Dubbo adds the running sums up for every pick; here they are kept from update to update.

use crate::hosts::Hosts;
use base::{Draw, Rng};

#[derive(Debug, Default)]
pub(crate) struct WeightedRandom {
    /// The sum of weights up to and including each host; empty where weights are equal.
    sums: Vec<u64>,
}

impl WeightedRandom {
    pub(crate) fn refresh(&mut self, hosts: &Hosts) {
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
    pub(crate) fn pick(&self, hosts: &Hosts, rng: &mut Rng) -> usize {
        match self.sums.last() {
            Some(&total) => {
                let drawn = rng.below_u64(total);
                self.sums.partition_point(|&sum| sum <= drawn)
            }
            None => rng.below(hosts.len() as u32) as usize,
        }
    }
}
