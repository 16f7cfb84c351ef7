//! Spans of time, summarised, and still whole enough to be pooled.

use base::Duration;
use telemetry::Profile;

/// A distribution of spans, summarised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// How many spans.
    pub count: u64,
    /// Their exact mean.
    pub mean: Duration,
    /// The median.
    pub p50: Duration,
    /// 90 % are at most this.
    pub p90: Duration,
    /// 99 % are at most this.
    pub p99: Duration,
    /// 99.9 % are at most this.
    pub p999: Duration,
    /// The longest.
    pub max: Duration,
    /// Where not every span had ended: the least age of those that had not. They are counted with their ages, so
    /// figures up to here are exact, and greater ones and the mean are lower bounds.
    pub exact_below: Option<Duration>,
    /// The distribution function: (share, span), both rising, at about a hundred points chosen so that the tail is as
    /// well described as the middle.
    pub curve: Vec<(f64, Duration)>,
    /// Everything recorded, in bins of 1/256 and with repeated values exact: what several runs are pooled from.
    pub profile: Profile,
    /// The exact sum of all spans, in nanoseconds.
    pub sum_ns: u128,
}

impl Distribution {
    /// Whether a quantile of this distribution is a lower bound of the true one.
    pub fn is_lower_bound(&self, quantile: Duration) -> bool {
        self.exact_below.is_some_and(|least| quantile >= least)
    }
}
