//! Slow start: a host that has just come gets less than its weight, and more as it warms up.
//!
//! As Envoy does it (`applySlowStartFactor` and `noHostsAreInSlowStart` in `source/extensions/load_balancing_policies/
//! common/load_balancer_impl.cc`; docs `slow_start.rst`): the weight times
//! max(min_weight, (age / window)^(1 / aggression)), age in whole milliseconds and at least one of them. (The docs
//! speak of seconds there; the code counts milliseconds.) The factor is taken anew each time a host enters the
//! schedule, so it grows from turn to turn, and a host that is seldom due is seldom looked at.
//!
//! Only a weighted schedule can follow it, Envoy's round robin and its weighted least request; to all other strategies
//! it means nothing, there as here. See [`SlowStart::is_followed_by`].

use crate::strategy::Strategy;
use base::{Duration, Ratio, math};

/// How a host warms up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    /// For so long a host that has come is scaled down. Above zero.
    pub window: Duration,
    /// How fast it rises: 1 is a straight line, above 1 it rises early, below 1 late. Above zero.
    pub aggression: f64,
    /// It gets at least this share of its weight.
    pub min_weight: Ratio,
}

impl SlowStart {
    /// Envoy's defaults: aggression 1.0, at least 10 %.
    pub const fn over(window: Duration) -> Self {
        SlowStart { window, aggression: 1.0, min_weight: Ratio::percent(10) }
    }

    /// What the weight of a host of this age is multiplied by: from `min_weight` to 1.
    pub fn factor(&self, age: Duration) -> f64 {
        let (age, window) = (millis(age), millis(self.window));
        if age >= window {
            return 1.0;
        }
        let time = age.max(1) as f64 / window as f64;
        let risen = if self.aggression == 1.0 || time == 1.0 { time } else { math::pow(time, 1.0 / self.aggression) };
        risen.max(self.min_weight.as_f64())
    }

    /// Whether a host of this age keeps a schedule in use; one last millisecond longer than its weight is scaled.
    pub(crate) fn lasts(&self, age: Duration) -> bool {
        millis(age) <= millis(self.window)
    }

    /// Whether `strategy` goes by a schedule of weights.
    pub fn is_followed_by(strategy: Strategy) -> bool {
        [Strategy::EARLIEST_DEADLINE.name(), "weighted_least_request"].contains(&strategy.name())
    }
}

fn millis(span: Duration) -> u64 {
    span.as_nanos() / 1_000_000
}
