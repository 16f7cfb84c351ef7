//! What a balancer is told of a request: before the choice, after it, and by the instance that served it.
//!
//! None of it is needed by all strategies. Hashing goes by [`Request::hash`], peak EWMA by [`Response::rtt`], weights
//! from load reports by [`Report`]; a round robin looks at nothing. [`StrategyInfo`](crate::StrategyInfo) says who
//! needs what, so that a driver can spare itself the trouble.

use base::{Duration, Instant};

/// A request to be placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The hash of what the request is routed by: a header, a cookie, the caller's address. Equal keys have equal
    /// hashes.
    pub hash: u64,
}

/// How an attempt ended, as the client that chose saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// From sending the request to the end, whatever kind of end it was.
    pub rtt: Duration,
    /// By how many nanoseconds the date on the client's wall clock was set ahead meanwhile; back when negative. Only
    /// what takes the difference of two dates goes by that: see [`Response::elapsed_ms`].
    pub stepped_ns: i64,
    /// What kind.
    pub class: Class,
    /// What the instance said of its load, where it said something.
    pub report: Option<Report>,
}

impl Response {
    /// A good answer after `rtt`, without a report.
    pub const fn success(rtt: Duration) -> Self {
        Response { rtt, stepped_ns: 0, class: Class::Success, report: None }
    }

    /// How long an attempt that ends at `now` took for a client that takes the difference of two dates, each in whole
    /// milliseconds, as two readings of Java's `System.currentTimeMillis`: less than nothing where the date was set
    /// back meanwhile.
    #[inline]
    pub fn elapsed_ms(&self, now: Instant) -> i64 {
        const MILLISECOND: u64 = 1_000_000;
        let (end, rtt) = (now.as_nanos(), self.rtt.as_nanos());
        if self.stepped_ns == 0 && rtt <= end {
            return (end / MILLISECOND - (end - rtt) / MILLISECOND) as i64;
        }
        let (end, unit) = (i128::from(end), i128::from(MILLISECOND));
        let start = end - i128::from(rtt) - i128::from(self.stepped_ns);
        (end.div_euclid(unit) - start.div_euclid(unit)) as i64
    }
}

/// The ends of an attempt that balancers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Answered as it should be.
    Success,
    /// Answered with an error, in the manner of a 500.
    Failure,
    /// Refused because the instance has too much to do, in the manner of a 503 or 429. The instance may say for how
    /// long it wants to be left alone.
    Overload {
        /// In the manner of the header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// No answer: the connection failed or broke, or the client's patience was over.
    NoAnswer,
}

impl Class {
    /// Whether it is the good end.
    pub const fn is_success(self) -> bool {
        matches!(self, Class::Success)
    }
}

/// What an instance says of itself with a response, in the manner of an ORCA load report (cncf/xds
/// `xds/data/orca/v3/orca_load_report.proto`) and of the queue sizes that C3 and Prequal ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Requests waiting or being served as this one left, this one not included.
    pub in_flight: u32,
    /// Of those, the ones that wait.
    pub waiting: u32,
    /// From the beginning of the work on this request to its answer; waiting for its turn is not included, waiting for
    /// what the instance itself had to ask of others is.
    pub service_time: Duration,
    /// The share of the instance's capacity that was busy lately; 1 is all of it.
    pub utilization: f64,
    /// Requests answered per second, lately.
    pub qps: f64,
    /// Of those, the ones answered with an error, per second.
    pub eps: f64,
}

/// What an instance answers to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeReply {
    /// Requests in flight at the instance: waiting or being served.
    pub in_flight: u32,
    /// What a request that arrives now may expect to take: the median of those that arrived lately at about as many
    /// requests in flight.
    pub latency: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_is_the_difference_of_two_dates_in_whole_milliseconds() {
        let elapsed = |end_us, us, stepped_ns| {
            let now = Instant::ZERO + Duration::us(end_us);
            Response { stepped_ns, ..Response::success(Duration::us(us)) }.elapsed_ms(now)
        };
        assert_eq!((elapsed(5_100, 200, 0), elapsed(5_900, 200, 0)), (1, 0), "the first met the end of a millisecond");
        assert_eq!(elapsed(7_000, 6_001, 0), 7);
        assert_eq!(elapsed(7_000, 6_000, -1_000_000_000), 6 - 1_000);
        assert_eq!(elapsed(7_000, 6_000, 1_000_000_000), 6 + 1_000);
        assert_eq!(elapsed(1_000, 5_100, 0), 6, "begun before the clock's zero");
        assert_eq!(elapsed(7_000, 6_000, -1_500_000), 5, "each date is rounded down");
    }
}
