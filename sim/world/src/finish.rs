//! From a world in its last moment to what it leaves behind.

use crate::data::caller::Upstream;
use crate::data::metrics::{End, distribution};
use crate::options::Run;
use crate::outcome::{
    Balancing, Check, CheckKind, Failure, FaultWindow, InstanceOutcome, Objective, Outcome, RunFacts, ServiceOutcome,
    Verdict,
};
use crate::process::rollout::Controller;
use crate::spec::ObjectiveSpec;
use crate::world::World;
use base::{Duration, Fingerprint, InstanceId, Instant, Ratio, ServiceId, VersionId};
use kernel::select::Named;

/// What a world leaves behind.
pub(crate) fn finish(world: World) -> Run {
    world.finish()
}

impl World {
    fn finish(mut self) -> Run {
        let now = self.sim.kernel.now();
        let before = self.data.timeline_steps_closed();
        self.data.metrics.close_step();
        let closed = self.data.timeline_steps_closed();
        // No step is open any more when the run outlasted the timeline.
        self.data.close_instances(now, (closed > before).then_some(before));
        for metrics in &mut self.data.metrics_of {
            metrics.close_step(closed, &self.data.metrics.latency);
        }
        let open = std::mem::take(&mut self.data.open).unwrap_or_else(|| self.data.scan_open_calls(&self.sim));
        self.data.count_open_calls(&mut self.sim, &open);
        let services: Vec<ServiceOutcome> =
            (0..self.sim.spec.services.len()).map(|i| self.service_outcome(ServiceId(i as u32))).collect();
        let objectives = self.objectives(&services);
        let rollouts = self
            .processes
            .all::<Controller>()
            .map(|c| {
                let service = c.service();
                c.outcome(&self.sim.spec.services[service.index()].name, |v| self.sim.spec.version_name(service, v))
            })
            .collect();
        let faults = self.fault_windows(now);
        let requests = self.data.metrics.ends.requests(self.data.metrics.retries + self.data.retries_inside);
        let latency = distribution(&self.data.metrics.latency, self.data.metrics.youngest_open);
        let timeline = self.data.metrics.timeline();
        let fingerprint = self.fingerprint();
        let checks = std::mem::replace(&mut self.sim.checks, crate::check::Checks::new()).finish();
        let mut outcome = Outcome {
            run: RunFacts {
                scenario: self.sim.spec.name.clone(),
                title: self.sim.spec.title.clone(),
                seed: self.sim.seed,
                fingerprint,
                phases: self.sim.spec.phases,
                simulated: now - Instant::ZERO,
                events: self.sim.kernel.trace().events(),
                drawn: self.sim.spec.drawn.clone(),
            },
            verdict: Verdict::Passed,
            failure: None,
            requests,
            latency,
            services,
            checks: self.wanted_checks(checks),
            objectives,
            rollouts,
            sections: self.processes.report(&self.sim),
            faults,
            timeline,
            exposure: std::mem::take(&mut self.data.exposures),
        };
        outcome.failure = judge(&outcome);
        outcome.verdict = outcome.failure.as_ref().map_or(Verdict::Passed, |f| f.verdict);
        let nodes = self.sim.kernel.nodes().names();
        Run { outcome, trace: std::mem::take(self.sim.kernel.trace_mut()), nodes, arrivals: self.data.arrivals }
    }

    /// Every event, and then what was counted: two runs that differ only in a total differ here.
    fn fingerprint(&self) -> Fingerprint {
        let mut fingerprint = self.sim.kernel.trace().fingerprint();
        for end in End::ALL {
            fingerprint.fold(self.data.metrics.ends.of(end));
        }
        self.data.metrics.latency.fold(&mut fingerprint);
        for metrics in &self.data.metrics_of {
            metrics.latency.fold(&mut fingerprint);
            fingerprint.fold(metrics.ends.total());
        }
        fingerprint
    }

    fn service_outcome(&mut self, service: ServiceId) -> ServiceOutcome {
        let ids: Vec<InstanceId> = self.data.instances_of(service).collect();
        let instances = ids.into_iter().map(|id| self.instance_outcome(id)).collect();
        let metrics = &self.data.metrics_of[service.index()];
        let versions = metrics.versions.iter().enumerate();
        let upstreams =
            || self.data.callers.iter().flat_map(|caller| &caller.upstreams).filter(|u| u.service == service);
        let balancing = Balancing {
            probes: upstreams().map(|u| u.probes).sum(),
            rebuilds: upstreams().map(|u| u.rebuilds().times).sum(),
            entries: upstreams().map(|u| u.rebuilds().entries).sum(),
            bytes: upstreams().map(Upstream::balancer_bytes).max().unwrap_or(0),
        };
        let (all, failed) = match metrics.is_all {
            true => (&self.data.metrics.latency, &self.data.metrics.failed_latency),
            false => (&metrics.latency, &metrics.failed_latency),
        };
        ServiceOutcome {
            balancing,
            name: self.sim.spec.services[service.index()].name.clone(),
            requests: metrics.ends.requests(metrics.retries),
            latency: distribution(all, metrics.youngest_open),
            success_latency: distribution(&all.without(failed), None),
            latency_per_step: metrics.latency_per_step.clone(),
            versions: versions
                .map(|(v, m)| m.outcome(self.sim.spec.version_name(service, VersionId(v as u32))))
                .collect(),
            instances,
        }
    }

    /// Takes an instance's series with it: each is there once, in the run or in the outcome.
    fn instance_outcome(&mut self, id: InstanceId) -> InstanceOutcome {
        let index = id.index();
        let averages = self.data.averages(&self.sim, id);
        let steps = self.data.timeline_steps_closed();
        let record = &mut self.data.records[index];
        let before = record.steps_before.min(steps);
        let requests_per_step = over_time(std::mem::take(&mut record.per_step), before, steps);
        let in_system_per_step = over_time(std::mem::take(&mut record.in_system_per_step), before, steps);
        let (instance, record) = (&self.data.instances[index], &self.data.records[index]);
        let baseline = record.baseline;
        let zone = self.sim.kernel.nodes().zone(instance.node);
        InstanceOutcome {
            name: record.name.clone(),
            version: self.sim.spec.version_name(instance.service(), instance.version()),
            zone: self.sim.spec.zones[zone.index()].clone(),
            requests: self.data.taken[index] - baseline.taken,
            expired: record.expired,
            utilisation: averages.utilisation,
            in_system: averages.in_system,
            in_system_max: instance.in_system_max.max(baseline.in_system_max),
            in_system_max_measured: instance.in_system_max,
            created_in_step: record.steps_before,
            requests_per_step,
            in_system_per_step,
        }
    }

    fn fault_windows(&self, now: Instant) -> Vec<FaultWindow> {
        let window = |(index, fault): (usize, &kernel::Fault)| FaultWindow {
            name: fault.name.clone(),
            kind: fault.kind.name(),
            text: Named(&fault.kind, &self.sim.spec.zones).to_string(),
            hit: self.sim.hit(index),
            from: fault.at,
            until: match fault.lasts {
                _ if fault.kind.is_momentary() => fault.at,
                Some(lasts) => fault.at.saturating_add(lasts).min(now),
                None => now,
            },
        };
        self.sim.kernel.plan().iter().enumerate().filter(|(_, fault)| fault.at <= now).map(window).collect()
    }

    /// All that was promised always, and of the rest what the scenario named; of what it did not name, a `sometimes`
    /// that was reached is shown too, since it says what the run was like.
    fn wanted_checks(&self, checks: Vec<Check>) -> Vec<Check> {
        let named = |check: &Check| self.sim.spec.expect.checks.iter().any(|(_, name)| name == check.name);
        checks
            .into_iter()
            .filter(|check| match check.kind {
                CheckKind::Always => true,
                CheckKind::Eventually => named(check) || check.tested > 0,
                CheckKind::Sometimes => named(check),
            })
            .collect()
    }

    fn objectives(&self, services: &[ServiceOutcome]) -> Vec<Objective> {
        self.sim.spec.expect.objectives.iter().flat_map(|wanted| objective(wanted, services)).collect()
    }
}

/// A series over all `steps`, zeros where it says nothing, and with room for no more.
fn over_time(since: Vec<u32>, before: usize, steps: usize) -> Vec<u32> {
    let mut all = Vec::with_capacity(steps);
    all.resize(before, 0);
    all.extend(since);
    all.resize(steps, 0);
    all
}

fn objective(wanted: &ObjectiveSpec, services: &[ServiceOutcome]) -> Vec<Objective> {
    let seen = &services[wanted.service.index()];
    let mut objectives = Vec::new();
    let mut add = |asked: String, reached: String, met: bool| {
        objectives.push(Objective { service: seen.name.clone(), asked, reached, met });
    };
    if let Some(least) = wanted.success {
        let reached: Ratio = seen.requests.success();
        add(format!("success >= {least}"), format!("{reached:.3}"), reached >= least);
    }
    let latencies = [("p50", wanted.p50, seen.latency.p50), ("p99", wanted.p99, seen.latency.p99)];
    let mean = [("mean", wanted.mean, seen.latency.mean)];
    for (name, most, reached) in latencies.into_iter().chain(mean) {
        if let Some(most) = most {
            let to_microseconds = Duration::us(reached.as_nanos() / 1_000);
            let is_bound =
                if name == "mean" { seen.latency.exact_below.is_some() } else { seen.latency.is_lower_bound(reached) };
            let at_least = if is_bound { ">= " } else { "" };
            add(format!("{name} <= {most}"), format!("{at_least}{to_microseconds}"), reached <= most);
        }
    }
    objectives
}

/// The worst thing that happened: what was promised always, then what had to come, then objectives, then coverage.
fn judge(outcome: &Outcome) -> Option<Failure> {
    let at_end = Instant::ZERO + outcome.run.simulated;
    let broken = |kind: CheckKind| {
        let broken = outcome.checks.iter().filter(move |c| c.kind == kind && c.violations > 0);
        broken.min_by_key(|c| c.first.as_ref().map_or(u64::MAX, |v| v.event))
    };
    let of_check = |verdict: Verdict, check: &Check| Failure {
        verdict,
        name: check.name.to_string(),
        at: check.first.as_ref().map_or(at_end, |v| v.at),
        event: check.first.as_ref().map_or(outcome.run.events, |v| v.event),
        message: check.first.as_ref().map_or_else(|| "never reached".to_string(), |v| v.message.clone()),
    };
    if let Some(check) = broken(CheckKind::Always) {
        return Some(of_check(Verdict::Safety, check));
    }
    if let Some(check) = broken(CheckKind::Eventually) {
        return Some(of_check(Verdict::Liveness, check));
    }
    if let Some(missed) = outcome.objectives.iter().find(|o| !o.met) {
        return Some(Failure {
            verdict: Verdict::Objective,
            name: format!("{} {}", missed.service, missed.asked),
            at: at_end,
            event: outcome.run.events,
            message: format!("{} reached {}", missed.service, missed.reached),
        });
    }
    broken(CheckKind::Sometimes).map(|check| of_check(Verdict::Coverage, check))
}
