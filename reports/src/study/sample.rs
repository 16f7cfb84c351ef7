//! What is kept of one run: its measures, and as much of its shape as the pictures need.
//!
//! A sample is a hundredth the size of the run and reads back from JSON as equal bits, so that a study can stop and go
//! on, and shards made on several machines merge into the report that one machine would have written.

use super::Measure;
use super::stats::jain;
use base::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use world::outcome::{Distribution, InstanceOutcome, Outcome, ServiceOutcome, Timeline};
use world::telemetry::Profile;

/// One run of one cell under one seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The run's fingerprint, 16 hex digits; empty where no world was run.
    #[serde(default)]
    pub fingerprint: String,
    /// How the run ended, by the name of its exit code; empty where no world was run.
    #[serde(default)]
    pub verdict: String,
    /// What the run did not keep; none when it passed, or where no world was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How many calls stand behind the latencies, or how many keys behind the balance.
    pub count: u64,
    /// How many of them had not ended when the run had: their latencies are their ages, lower bounds.
    #[serde(default)]
    pub unfinished: u64,
    /// The numbers, by the names of [`Measure`]. All are finite.
    pub measures: BTreeMap<String, f64>,
    /// The latencies of the measured part.
    pub latency: Latencies,
    /// What each instance took in during the measured part, by name, in order of creation.
    #[serde(default)]
    pub taken: Vec<(String, u64)>,
    /// What was at each instance over time: the heat map. The first seed's is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
    /// Instances that were busy nearly all the time and had more before them in the end than in the beginning.
    #[serde(default)]
    pub swamped: Vec<Swamped>,
    /// The run over time.
    #[serde(default)]
    pub series: Series,
    /// The faults, as windows on the time axis.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Keys per backend, from the fullest to the emptiest, over the mean, thinned to at most [`Sample::BACKENDS`].
    #[serde(default)]
    pub backends: Vec<f64>,
}

/// The latencies of a run, compact and such that those of several runs add up: see [`Profile`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// For each bin of a [`Profile`] that is in use, how far it stands behind the last such bin, and how many fell into
    /// it.
    pub bins: Vec<(u32, u64)>,
    /// Values in nanoseconds that occur again and again, and how often; not in the bins.
    pub atoms: Vec<(u64, u64)>,
    /// The shortest, in nanoseconds.
    pub min_ns: u64,
    /// The longest.
    pub max_ns: u64,
    /// The exact sum of all, in nanoseconds, up to 584 years.
    pub sum_ns: u64,
    /// How many ended in each step of the measured part, and the sum of their latencies in nanoseconds.
    pub per_step: Vec<(u64, u64)>,
}

/// What a run did not keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The invariant or objective.
    pub name: String,
    /// When it was first seen, in nanoseconds.
    pub at_ns: u64,
    /// What was seen then.
    pub message: String,
}

/// Requests waiting or being served at each instance, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// The length of a column, in nanoseconds.
    pub step_ns: u64,
    /// Names of the instances, the rows.
    pub names: Vec<String>,
    /// For each row, what was there at the end of each column.
    pub rows: Vec<Vec<u32>>,
}

/// The run over time, in equal steps from the beginning of warm-up. Every vector has as many entries as there are
/// steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The length of a step, in nanoseconds.
    pub step_ns: u64,
    /// Requests that arrived.
    pub arrived: Vec<u32>,
    /// Requests that ended well.
    pub succeeded: Vec<u32>,
    /// Requests that ended badly.
    pub failed: Vec<u32>,
    /// Mean latency of the requests that ended in the step, in nanoseconds; zero when none did.
    pub mean_ns: Vec<u64>,
    /// Median.
    pub p50_ns: Vec<u64>,
    /// 99th percentile.
    pub p99_ns: Vec<u64>,
    /// Requests at the service's instances at the end of the step, all together.
    pub queued: Vec<u32>,
    /// The most at any one of them.
    pub longest: Vec<u32>,
}

/// An instance whose queue may grow without end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swamped {
    /// The instance.
    pub instance: String,
    /// Requests it took in during the measured part.
    pub taken: u64,
    /// Requests waiting or being served there, mean over the first half of the measured part.
    pub first: f64,
    /// The same over the second half.
    pub second: f64,
}

/// A fault, as a window on the time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// When it began, in nanoseconds.
    pub from_ns: u64,
    /// When its cause was gone.
    pub until_ns: u64,
}

/// What was found about one hashing structure with one set of keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hashing<'a> {
    /// How many of the keys each backend was given.
    pub keys_per_backend: &'a [u64],
    /// The share of keys that went elsewhere when one backend was removed, and the least that had to: its own share.
    /// None where the structure cannot take one out.
    pub moved: Option<(f64, f64)>,
    /// The share of keys that went elsewhere when one backend was added. None where the structure cannot take one in.
    pub added: Option<f64>,
    /// Entries of the table or points of the ring.
    pub entries: u64,
    /// Bytes it takes.
    pub bytes: u64,
}

impl Latencies {
    /// What a distribution holds; `per_step` as in [`Latencies::per_step`].
    pub fn of(distribution: &Distribution, per_step: &[(u64, u64)]) -> Latencies {
        let (profile, mut last) = (&distribution.profile, 0);
        let gap = |&(bin, count): &(u32, u64)| (bin - std::mem::replace(&mut last, bin), count);
        Latencies {
            bins: profile.bins.iter().map(gap).collect(),
            atoms: profile.atoms.iter().map(|(span, count)| (span.as_nanos(), *count)).collect(),
            min_ns: distribution.curve.first().map_or(0, |(_, span)| span.as_nanos()),
            max_ns: distribution.max.as_nanos(),
            sum_ns: u64::try_from(distribution.sum_ns).unwrap_or(u64::MAX),
            per_step: per_step.to_vec(),
        }
    }

    /// How many latencies there are.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|(_, n)| n).chain(self.atoms.iter().map(|(_, n)| n)).sum()
    }

    /// The bins in use: shortest and longest latency in nanoseconds, and how many.
    pub(crate) fn bins(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        let mut bin = 0;
        self.bins.iter().map(move |(gap, count)| {
            bin += gap;
            let (from, up_to) = Profile::bounds(bin);
            (from, up_to, *count)
        })
    }

    /// What is wrong with what was read, if anything.
    fn check(&self) -> Result<(), String> {
        let last = self.bins.iter().try_fold(0u32, |bin, (gap, _)| bin.checked_add(*gap));
        let counts = self.bins.iter().map(|(_, n)| *n).chain(self.atoms.iter().map(|(_, n)| *n));
        let total = counts.clone().try_fold(0u64, |sum, n| sum.checked_add(n));
        match (last, total) {
            (Some(last), Some(_)) if last < Profile::BINS && counts.min() != Some(0) => Ok(()),
            _ => Err("latencies that no run has".into()),
        }
    }
}

impl Sample {
    /// More backends than this are thinned in [`Sample::backends`].
    pub const BACKENDS: usize = 256;
    /// More instances than this are not kept in a heat map; the first ones are.
    pub const ROWS: usize = 200;
    /// More columns than this are thinned in a heat map.
    pub const COLUMNS: usize = 250;

    /// What is kept of a run, about the calls to `service`. A service the run does not have gives a sample of nothing.
    ///
    /// Latencies, goodput and errors are those of the calls as callers saw them; queues, imbalance and shares those of
    /// the instances. All but [`Sample::heat`] and [`Sample::series`] are of the measured part alone.
    pub fn of(outcome: &Outcome, service: &str) -> Sample {
        let mut sample = Sample {
            fingerprint: outcome.fingerprint.to_string(),
            verdict: outcome.verdict.name().into(),
            ..Sample::default()
        };
        sample.failure = outcome.failure.as_ref().map(|failure| Failure {
            name: failure.name.to_string(),
            at_ns: failure.at.as_nanos(),
            message: failure.message.clone(),
        });
        sample.faults = outcome
            .faults
            .iter()
            .map(|f| Fault { name: f.name.clone(), from_ns: f.from.as_nanos(), until_ns: f.until.as_nanos() })
            .collect();
        let Some(seen) = outcome.services.iter().find(|s| s.name == service) else {
            return sample;
        };
        sample.count = seen.latency.count;
        sample.unfinished = seen.requests.unfinished;
        let from = measured_from(outcome).min(seen.latency_per_step.len());
        sample.latency = Latencies::of(&seen.latency, &seen.latency_per_step[from..]);
        sample.taken = seen.instances.iter().map(|i| (i.name.clone(), i.requests)).collect();
        sample.heat = Some(heat(seen, &outcome.timeline));
        sample.series = series(seen, &outcome.timeline);
        sample.latencies(&seen.latency, &seen.success_latency);
        sample.calls(outcome, seen);
        sample.instances(seen, measured_from(outcome));
        sample
    }

    /// What is kept of one hashing structure.
    pub fn of_hashing(facts: &Hashing<'_>) -> Sample {
        let keys = facts.keys_per_backend;
        let total: u64 = keys.iter().sum();
        let mut sample = Sample { count: total, ..Sample::default() };
        sample.set(Measure::Entries, facts.entries as f64);
        sample.set(Measure::Bytes, facts.bytes as f64);
        if let Some((moved, ideal)) = facts.moved {
            sample.set(Measure::Moved, moved);
            sample.set(Measure::MovedIdeal, ideal);
        }
        if let Some(added) = facts.added {
            sample.set(Measure::Added, added);
            sample.set(Measure::AddedIdeal, 1.0 / (keys.len() as f64 + 1.0));
        }
        if total == 0 {
            return sample;
        }
        let mean = total as f64 / keys.len() as f64;
        let mut shares: Vec<f64> = keys.iter().map(|&n| n as f64 / mean).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let variance = shares.iter().map(|s| (s - 1.0) * (s - 1.0)).sum::<f64>() / shares.len() as f64;
        sample.set(Measure::Balance, shares[0]);
        sample.set(Measure::Lightest, shares[shares.len() - 1]);
        sample.set(Measure::RelStd, variance.sqrt());
        sample.set(Measure::Jain, jain(&shares));
        sample.backends = thin(&shares, Sample::BACKENDS);
        sample
    }

    /// The same without its heat map: what to keep of all seeds but the first.
    pub fn without_heat(self) -> Sample {
        Sample { heat: None, ..self }
    }

    /// One of its numbers; none where the run does not have it.
    pub fn measure(&self, measure: &Measure) -> Option<f64> {
        match measure {
            Measure::ShareOf(name) => {
                let total: u64 = self.taken.iter().map(|(_, n)| n).sum();
                let own = self.taken.iter().find(|(instance, _)| instance == name)?.1;
                (total > 0).then(|| own as f64 / total as f64)
            }
            fixed => self.measures.get(&fixed.name()).copied(),
        }
    }

    /// Notes a number. One that is not finite is left out.
    pub fn set(&mut self, measure: Measure, value: f64) {
        if value.is_finite() {
            self.measures.insert(measure.name(), value);
        }
    }

    /// One line of JSON, without a line break. Equal samples give equal text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, finite numbers and maps with string keys only")
    }

    /// What [`Sample::to_json`] wrote, with equal bits. The error is a sentence about the text; nothing else happened.
    pub fn from_json(text: &str) -> Result<Sample, String> {
        let sample: Sample = serde_json::from_str(text).map_err(|e| format!("this is no sample of a study: {e}"))?;
        sample.latency.check().map_err(|why| format!("this is no sample of a study: {why}"))?;
        Ok(sample)
    }

    fn latencies(&mut self, all: &Distribution, successes: &Distribution) {
        use Measure::*;
        if all.count > 0 {
            let of =
                [(Mean, all.mean), (P50, all.p50), (P90, all.p90), (P99, all.p99), (P999, all.p999), (Max, all.max)];
            of.into_iter().for_each(|(measure, span)| self.set(measure, span.as_millis_f64()));
        }
        if successes.count > 0 {
            let d = successes;
            let of = [
                (MeanSuccess, d.mean),
                (P50Success, d.p50),
                (P90Success, d.p90),
                (P99Success, d.p99),
                (P999Success, d.p999),
            ];
            of.into_iter().for_each(|(measure, span)| self.set(measure, span.as_millis_f64()));
        }
    }

    fn calls(&mut self, outcome: &Outcome, seen: &ServiceOutcome) {
        let measured = (outcome.phases.storm + outcome.phases.calm).as_secs_f64();
        let r = &seen.requests;
        self.set(Measure::Goodput, r.succeeded as f64 / measured);
        // What has not ended has not succeeded.
        self.set(Measure::Errors, (r.sent - r.succeeded) as f64 / r.sent as f64);
        self.set(Measure::Retries, r.retries as f64 / r.sent as f64);
        let of_it = |name: &str| seen.instances.iter().any(|i| i.name == name);
        let to_the_dead: u64 = outcome.exposure.iter().filter(|e| of_it(&e.instance)).map(|e| e.attempts).sum();
        let attempts: u64 = seen.versions.iter().flat_map(|v| &v.attempts_per_step).map(|&n| u64::from(n)).sum();
        self.set(Measure::DeadShare, to_the_dead as f64 / attempts as f64);
        self.set(Measure::Probes, seen.balancing.probes as f64 / attempts as f64);
        self.set(Measure::Rebuilds, seen.balancing.rebuilds as f64);
        self.set(Measure::Rebuilt, seen.balancing.entries as f64);
        self.set(Measure::BalancerBytes, seen.balancing.bytes as f64);
    }

    fn instances(&mut self, seen: &ServiceOutcome, from: usize) {
        let all = &seen.instances;
        self.swamped = all.iter().filter_map(|i| swamped(i, from)).collect();
        let mean = |of: fn(&InstanceOutcome) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
        self.set(Measure::Utilisation, mean(|i| i.utilisation));
        self.set(Measure::Queue, mean(|i| i.in_system));
        let worst = all.iter().map(|i| i.in_system_max_measured).max();
        self.set(Measure::WorstInFlight, worst.map_or(f64::NAN, f64::from));
        let taken = unevenness(all, from, |i| &i.requests_per_step);
        self.set(Measure::Imbalance, taken.0);
        self.set(Measure::Jain, taken.1);
        self.set(Measure::QueueImbalance, unevenness(all, from, |i| &i.in_system_per_step).0);
    }
}

/// The first step of the timeline that lies behind warm-up.
fn measured_from(outcome: &Outcome) -> usize {
    let step = outcome.timeline.step.as_nanos().max(1);
    usize::try_from(outcome.phases.warmup.as_nanos().div_ceil(step)).unwrap_or(usize::MAX)
}

/// Max over mean and Jain's index of what instances have in a step, each averaged over the steps from `from` in which
/// any has something. Instances count from the step after they were made.
fn unevenness(all: &[InstanceOutcome], from: usize, of: fn(&InstanceOutcome) -> &Vec<u32>) -> (f64, f64) {
    let steps = all.iter().map(|i| of(i).len()).max().unwrap_or(0);
    let (mut ratios, mut indices, mut n) = (0.0, 0.0, 0u32);
    let mut there = Vec::with_capacity(all.len());
    for step in from..steps {
        there.clear();
        let made = all.iter().filter(|i| i.created_in_step == 0 || i.created_in_step < step);
        there.extend(made.map(|i| f64::from(of(i).get(step).copied().unwrap_or(0))));
        let (most, sum) = there.iter().fold((0.0_f64, 0.0), |(m, s), &x| (m.max(x), s + x));
        if sum > 0.0 {
            ratios += most / (sum / there.len() as f64);
            indices += jain(&there);
            n += 1;
        }
    }
    (ratios / f64::from(n), indices / f64::from(n))
}

/// Below this share of its time at work an instance keeps up with what it is given.
const KEEPS_UP: f64 = 0.98;

/// An instance that existed during all that was measured, had hardly a moment without work, and had the longer queue
/// later.
fn swamped(instance: &InstanceOutcome, from: usize) -> Option<Swamped> {
    let measured = instance.in_system_per_step.get(from.max(instance.created_in_step)..)?;
    if instance.utilisation < KEEPS_UP || instance.created_in_step > from || measured.len() < 4 {
        return None;
    }
    let mean = |part: &[u32]| part.iter().map(|n| f64::from(*n)).sum::<f64>() / part.len() as f64;
    let (first, second) = measured.split_at(measured.len() / 2);
    let (first, second) = (mean(first), mean(second));
    (second > first).then(|| Swamped { instance: instance.name.clone(), taken: instance.requests, first, second })
}

fn heat(seen: &ServiceOutcome, timeline: &Timeline) -> Heat {
    let per = timeline.steps.div_ceil(Sample::COLUMNS).max(1);
    let kept = seen.instances.iter().take(Sample::ROWS);
    let row = |i: &InstanceOutcome| i.in_system_per_step.iter().skip(per - 1).step_by(per).copied().collect();
    Heat {
        step_ns: timeline.step.as_nanos().saturating_mul(per as u64),
        names: kept.clone().map(|i| i.name.clone()).collect(),
        rows: kept.map(row).collect(),
    }
}

fn series(seen: &ServiceOutcome, t: &Timeline) -> Series {
    let ns = |spans: &[Duration]| spans.iter().map(|s| s.as_nanos()).collect();
    let over_instances = |fold: fn(u32, u32) -> u32| -> Vec<u32> {
        let at = |step: usize| seen.instances.iter().filter_map(move |i| i.in_system_per_step.get(step).copied());
        (0..t.steps).map(|step| at(step).fold(0, fold)).collect()
    };
    Series {
        step_ns: t.step.as_nanos(),
        arrived: t.arrived.clone(),
        succeeded: t.succeeded.clone(),
        failed: (0..t.steps)
            .map(|i| t.failed.iter().map(|(_, n)| n.get(i).copied().unwrap_or(0)).fold(0, u32::saturating_add))
            .collect(),
        mean_ns: ns(&t.mean),
        p50_ns: ns(&t.p50),
        p99_ns: ns(&t.p99),
        queued: over_instances(u32::saturating_add),
        longest: over_instances(u32::max),
    }
}

/// At most `most` of the values, the first and the last among them, at even distances.
fn thin(values: &[f64], most: usize) -> Vec<f64> {
    if values.len() <= most {
        return values.to_vec();
    }
    (0..most).map(|i| values[i * (values.len() - 1) / (most - 1)]).collect()
}
