//! What a study measures: names as study files write them, with unit, direction and a heading.
//!
//! Every measure is one number per run; over several runs latencies are pooled, the rest is averaged. Latencies are in
//! milliseconds, shares between 0 and 1, and nothing here knows how a number came about; that is in
//! [`Sample::of`](crate::Sample::of) and [`Sample::of_filling`](crate::Sample::of_filling).

use std::fmt;

/// One number of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Mean latency of the calls to the service, as callers saw them, failures included.
    Mean,
    /// Median latency.
    P50,
    /// 90 % of calls took at most this.
    P90,
    /// 99 %.
    P99,
    /// 99.9 %.
    P999,
    /// The longest.
    Max,
    /// Mean latency of the calls that succeeded.
    MeanSuccess,
    /// Median latency of the calls that succeeded.
    P50Success,
    /// 90 % of the calls that succeeded took at most this.
    P90Success,
    /// 99 %.
    P99Success,
    /// 99.9 %.
    P999Success,
    /// Calls that succeeded, per second of the measured part.
    Goodput,
    /// Share of calls that failed.
    Errors,
    /// Share of the instances' capacity that was busy, mean over instances.
    Utilisation,
    /// Time average of requests waiting or being served, mean over instances.
    Queue,
    /// Requests taken in by the busiest instance in a step of the timeline over the mean of all, averaged over steps.
    Imbalance,
    /// As [`Measure::Imbalance`], of requests waiting or being served at the end of each step.
    QueueImbalance,
    /// Jain's index of what instances took in during a step, averaged over steps: 1 when all took the same, 1/n when
    /// one took everything.
    Jain,
    /// Most requests waiting or being served at once at any instance.
    WorstInFlight,
    /// Share of the attempts at the service that were sent to an instance that was dead.
    DeadShare,
    /// Share of the requests taken in by instances that the named instance took in.
    ShareOf(String),
    /// Probes sent for each attempt at the service, over the whole run.
    Probes,
    /// How often callers built or changed a table, a ring or the like, over the whole run.
    Rebuilds,
    /// Entries that callers wrote when they built or changed those.
    Rebuilt,
    /// Memory in bytes of the balancers of the caller whose balancers are the largest, at the end.
    BalancerBytes,
    /// Attempts beyond the first, per call.
    Retries,
    /// Keys of the fullest backend over the mean.
    Balance,
    /// Keys of the emptiest backend over the mean.
    Lightest,
    /// Standard deviation of keys per backend over the mean.
    RelStd,
    /// Share of keys that moved when one backend was removed.
    Moved,
    /// What had to move at the least: the removed backend's own share.
    MovedIdeal,
    /// Share of keys that moved when one backend was added.
    Added,
    /// What had to move at the least: one part in n + 1.
    AddedIdeal,
    /// Entries of the table or points of the ring.
    Entries,
    /// Bytes of the structure.
    Bytes,
    /// Wall time of one pick, in nanoseconds. Differs between machines and between runs.
    PickNs,
}

/// The unit of a measure's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Millis,
    /// Nanoseconds.
    Nanos,
    /// Between 0 and 1, written in percent.
    Share,
    /// A pure number.
    Plain,
    /// A whole number of things.
    Count,
    /// A number per second.
    Rate,
}

/// Every measure that has a fixed name, in the order of reports.
const FIXED: [(Measure, &str, &str, Unit); 35] = {
    use Measure::*;
    [
        (Mean, "mean", "mean latency", Unit::Millis),
        (P50, "p50", "median latency", Unit::Millis),
        (P90, "p90", "90th percentile of latency", Unit::Millis),
        (P99, "p99", "99th percentile of latency", Unit::Millis),
        (P999, "p999", "99.9th percentile of latency", Unit::Millis),
        (Max, "max", "longest latency", Unit::Millis),
        (MeanSuccess, "mean_success", "mean latency of successes", Unit::Millis),
        (P50Success, "p50_success", "median latency of successes", Unit::Millis),
        (P90Success, "p90_success", "90th percentile of latency of successes", Unit::Millis),
        (P99Success, "p99_success", "99th percentile of latency of successes", Unit::Millis),
        (P999Success, "p999_success", "99.9th percentile of latency of successes", Unit::Millis),
        (Goodput, "goodput", "requests that succeeded", Unit::Rate),
        (Errors, "errors", "share of requests that failed", Unit::Share),
        (Utilisation, "utilisation", "utilisation of instances", Unit::Share),
        (Queue, "queue", "requests at an instance, time average", Unit::Plain),
        (Imbalance, "imbalance", "work of the busiest instance over the mean", Unit::Plain),
        (QueueImbalance, "queue_imbalance", "longest queue over the mean", Unit::Plain),
        (Jain, "jain", "Jain’s index of work per instance", Unit::Plain),
        (WorstInFlight, "worst_in_flight", "most requests at one instance", Unit::Count),
        (DeadShare, "dead_share", "share of attempts sent to the dead", Unit::Share),
        (Probes, "probes", "probes per request", Unit::Plain),
        (Rebuilds, "rebuilds", "rebuilds of balancers’ tables", Unit::Count),
        (Rebuilt, "rebuilt", "entries written by rebuilds", Unit::Count),
        (BalancerBytes, "balancer_bytes", "memory of a caller’s balancer, bytes", Unit::Count),
        (Retries, "retries", "retries per request", Unit::Plain),
        (Balance, "balance", "keys of the fullest backend over the mean", Unit::Plain),
        (Lightest, "lightest", "keys of the emptiest backend over the mean", Unit::Plain),
        (RelStd, "rel_std", "relative standard deviation of keys", Unit::Plain),
        (Moved, "moved", "share of keys moved by a removal", Unit::Share),
        (MovedIdeal, "moved_ideal", "share that a removal must move", Unit::Share),
        (Added, "added", "share of keys moved by an addition", Unit::Share),
        (AddedIdeal, "added_ideal", "share that an addition must move", Unit::Share),
        (Entries, "entries", "entries of the table", Unit::Count),
        (Bytes, "bytes", "memory of the structure, bytes", Unit::Count),
        (PickNs, "pick_ns", "wall time of a choice", Unit::Nanos),
    ]
};

const SHARE_OF: &str = "share_of_";

impl Measure {
    /// The measure of this name; none when there is no such measure. `share_of_checkout-3` is the share of that
    /// instance.
    pub fn parse(name: &str) -> Option<Measure> {
        if let Some(instance) = name.strip_prefix(SHARE_OF).filter(|rest| !rest.is_empty()) {
            return Some(Measure::ShareOf(instance.into()));
        }
        FIXED.iter().find(|(_, n, ..)| *n == name).map(|(m, ..)| m.clone())
    }

    /// The names of all measures but those of single instances, in the order of reports.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FIXED.iter().map(|(_, name, ..)| *name)
    }

    /// The name in study files, CSV and JSON.
    pub fn name(&self) -> String {
        match self {
            Measure::ShareOf(instance) => format!("{SHARE_OF}{instance}"),
            fixed => fixed.row().1.into(),
        }
    }

    /// What it is, in a few words.
    pub fn title(&self) -> String {
        match self {
            Measure::ShareOf(instance) => format!("share of requests taken by {instance}"),
            fixed => fixed.row().2.into(),
        }
    }

    /// What is counted, and how it comes to one number a run: whole sentences.
    pub fn counts(&self) -> &'static str {
        use Measure::*;
        match self {
            Mean | P50 | P90 | P99 | P999 | Max => {
                "Counts every call to the measured service that arrived after warm-up, from its arrival to its end as \
                 its caller saw it, retries and waiting included. A call that failed counts like one that succeeded, \
                 with the time it took to fail: where many fail at once the figure falls, and where many time out it \
                 gathers at the timeout. One that had not ended when the run did counts with its age, as the least \
                 that it took. mean_success, p50_success, p90_success, p99_success and p999_success count successes \
                 alone."
            }
            MeanSuccess | P50Success | P90Success | P99Success | P999Success => {
                "Counts the calls to the measured service that arrived after warm-up and succeeded, from their arrival \
                 to their end as their callers saw it, retries and waiting included. Calls that failed are left out; \
                 `errors` says how many they were, and a strategy that fails its slow calls looks fast here."
            }
            Goodput => {
                "Counts the calls to the measured service that arrived after warm-up and succeeded, over the length of \
                 the measured part: storm and calm."
            }
            Errors => {
                "Of the calls to the measured service that arrived after warm-up, the share that did not succeed for \
                 their caller: those that failed after their last retry, by a timeout, an error, a refusal, a breaker \
                 or a limit, and those that had not ended when the run did."
            }
            Retries => {
                "Attempts beyond the first of the calls that arrived after warm-up, over these calls. The attempts of \
                 callers further up or down are not counted."
            }
            Utilisation => {
                "The share of an instance’s places that were at work during the measured part, averaged over the \
                 instances, whatever the work came to."
            }
            Queue => {
                "Requests waiting or being served at an instance, averaged over the measured part and then over the \
                 instances. Attempts count, so a call that was retried counts at each instance it came to."
            }
            Imbalance | QueueImbalance | Jain => {
                "Taken in every step of the timeline behind warm-up in which any instance had something, and averaged \
                 over these steps. Attempts count, successes and failures alike."
            }
            WorstInFlight => "The greatest number that was at any one instance at any moment of the measured part.",
            DeadShare => {
                "Attempts that were sent to an instance after its death and before its return, over all attempts at \
                 the service, in the whole run."
            }
            ShareOf(_) => {
                "The requests that this instance took in during the measured part, over those that all instances of \
                 the service took in. Attempts count, successes and failures alike."
            }
            Probes => "Probes that callers sent, over attempts at the service, in the whole run, warm-up included.",
            Rebuilds | Rebuilt => "Summed over all callers, in their last lives, for the whole run.",
            BalancerBytes => "Of the caller whose balancers for the service are the largest, at the end of the run.",
            Balance | Lightest | RelStd => {
                "Counts the keys that each backend was given, over the backends of the structure."
            }
            Moved | Added => {
                "Counts the keys that have another backend afterwards, over all keys, whoever had them before."
            }
            MovedIdeal | AddedIdeal => "What the measure of the same name without `_ideal` cannot fall below.",
            Entries | Bytes => "Of the structure as it was built, before a backend left or came.",
            PickNs => "Taken on this machine after the runs, and only with --time-picks.",
        }
    }

    /// Whether more is better. Of most measures less is.
    pub fn higher_is_better(&self) -> bool {
        matches!(self, Measure::Goodput | Measure::Jain | Measure::Lightest)
    }

    /// The share of requests that a percentile of latency is not exceeded by, between 0 and 1; none of other measures.
    pub fn percentile(&self) -> Option<f64> {
        match self {
            Measure::P50 => Some(0.5),
            Measure::P90 => Some(0.9),
            Measure::P99 => Some(0.99),
            Measure::P999 => Some(0.999),
            _ => None,
        }
    }

    /// Whether it is a number per call, so that over several runs it is weighted by their calls. Other measures are per
    /// run or per second, and every run counts alike.
    pub(crate) fn is_per_call(&self) -> bool {
        matches!(self, Measure::Errors | Measure::Retries | Measure::DeadShare | Measure::Probes)
    }

    /// Its unit.
    pub fn unit(&self) -> Unit {
        match self {
            Measure::ShareOf(_) => Unit::Share,
            fixed => fixed.row().3,
        }
    }

    fn row(&self) -> &'static (Measure, &'static str, &'static str, Unit) {
        FIXED.iter().find(|(m, ..)| m == self).expect("every measure but the share of an instance is in the table")
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Unit {
    /// Its name behind a title and in the head of a table: `ms`, `%`; empty for pure numbers.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Millis => "ms",
            Unit::Nanos => "ns",
            Unit::Share => "%",
            Unit::Rate => "per second",
            Unit::Plain | Unit::Count => "",
        }
    }

    /// The number as tables and axes show it: shares in percent, all others as they are.
    pub fn shown(self, x: f64) -> f64 {
        if self == Unit::Share { x * 100.0 } else { x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in Measure::names() {
            assert_eq!(Measure::parse(name).map(|m| m.name()).as_deref(), Some(name));
        }
        assert_eq!(Measure::parse("share_of_api-3"), Some(Measure::ShareOf("api-3".into())));
        assert_eq!((Measure::parse("share_of_"), Measure::parse("p95")), (None, None));
    }
}
