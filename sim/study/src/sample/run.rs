//! What is kept of a run of a world, about the calls to one service.

use super::kept::{Failure, Fault, Heat, Sample, Series};
use super::latencies::Latencies;
use super::unevenness::{swamped, unevenness};
use crate::measure::Measure;
use base::Duration;
use world::outcome::{Distribution, InstanceOutcome, Outcome, ServiceOutcome, Timeline};

impl Sample {
    /// What is kept of a run, about the calls to `service`. A service the run does not have gives a sample of nothing.
    ///
    /// Latencies, goodput and errors are those of the calls as callers saw them; queues, imbalance and shares those of
    /// the instances. All but [`Sample::heat`] and [`Sample::series`] are of the measured part alone.
    pub fn of(outcome: &Outcome, service: &str) -> Sample {
        let mut sample = Sample {
            fingerprint: outcome.run.fingerprint.to_string(),
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
        let measured = (outcome.run.phases.storm + outcome.run.phases.calm).as_secs_f64();
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
    usize::try_from(outcome.run.phases.warmup.as_nanos().div_ceil(step)).unwrap_or(usize::MAX)
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
