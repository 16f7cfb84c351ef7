//! What instances say of themselves with their answers, for balancers that listen.
//!
//! A report goes by the side of a response, in a table by the call's slot, so that a message need not be larger for
//! everybody. With it stand the call's generation and the attempt: a response finds its own report or none, and a late
//! answer to an attempt that was given up never takes the place of a newer one's. Services whose callers do not listen
//! pay nothing.
//!
//! Queue and service time are those of the moment; service time runs from the beginning of the work to the answer,
//! downstream calls included, as a thread per request measures it. Utilization and rates are of the last full second,
//! as load reports are that a server samples; before the first second is over, of what there is.

use super::Data;
use crate::age::age;
use crate::sim::Sim;
use crate::wire::CallId;
use balancer::Report;
use base::{Duration, InstanceId, Instant};
use traffic::Class;

/// How often an instance looks back.
const PERIOD: Duration = Duration::secs(1);

/// Reports on their way, and what they are made of.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// By call slot: the newest that was said there.
    sent: Vec<Sent>,
    /// By instance.
    windows: Vec<Option<LoadWindow>>,
}

/// What was said with the answer to one attempt of one call.
#[derive(Clone, Copy, Debug)]
struct Sent {
    generation: u32,
    attempt: u16,
    report: Option<Report>,
}

/// What an instance did in the present second, and its rates in the one before.
#[derive(Clone, Copy, Debug)]
struct LoadWindow {
    since: Instant,
    /// When the period is over.
    until: Instant,
    /// What it had worked until then.
    area: u128,
    answered: u64,
    failed: u64,
    /// Of the period before.
    last: Option<Rates>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    utilization: f64,
    qps: f64,
    eps: f64,
}

impl LoadWindow {
    fn rates(&self, now: Instant, area: u128, room: f64) -> Rates {
        let span = now.saturating_since(self.since).as_nanos() as f64;
        if span == 0.0 {
            return Rates::default();
        }
        let busy = (area - self.area) as f64 / (span * room);
        Rates { utilization: busy, qps: self.answered as f64 * 1e9 / span, eps: self.failed as f64 * 1e9 / span }
    }
}

impl Reports {
    /// What came with the response to this attempt, when something did.
    #[inline]
    pub(crate) fn of(&self, call: CallId, attempt: u16) -> Option<Report> {
        // Where nobody listens the table is empty, and this is one comparison.
        let sent = self.sent.get(call.slot())?;
        let (_, generation) = call.parts();
        if (sent.generation, sent.attempt) == (generation, attempt) { sent.report } else { None }
    }

    fn put(&mut self, call: CallId, attempt: u16, report: Report) {
        let (slot, generation) = call.parts();
        let nothing = Sent { generation: 0, attempt: 0, report: None };
        if self.sent.len() <= slot as usize {
            self.sent.resize(slot as usize + 1, nothing);
        }
        let sent = &mut self.sent[slot as usize];
        // Who asked listens to its newest attempt only. Generations may wrap around, as they do in the slab.
        let newer = generation.wrapping_sub(sent.generation) as i32;
        if sent.report.is_none() || newer > 0 || newer == 0 && attempt >= sent.attempt {
            *sent = Sent { generation, attempt, report: Some(report) };
        }
    }
}

impl Data {
    /// Answers a call after `service_time` and attaches a load report.
    pub(crate) fn report(
        &mut self,
        sim: &mut Sim,
        id: InstanceId,
        call: CallId,
        attempt: u16,
        class: Class,
        service_time: Duration,
    ) {
        let now = sim.kernel.now();
        let (area, room) = (self.work_area(sim, id), self.room(id));
        let instance = &self.instances[id.index()];
        let reports = &mut self.reports;
        if reports.windows.len() <= id.index() {
            reports.windows.resize(id.index() + 1, None);
        }
        let since = self.records[id.index()].serving_since;
        let (seed, name) = (sim.seed, &self.records[id.index()].name);
        let begun = || {
            // One that the run found in place is somewhere in its first period.
            let age = if since == Instant::ZERO { age(seed, name) } else { Duration::ZERO };
            let until = since.saturating_add(age.to_next(PERIOD));
            LoadWindow { since, until, area: 0, answered: 0, failed: 0, last: None }
        };
        let window = reports.windows[id.index()].get_or_insert_with(begun);
        window.answered += 1;
        window.failed += u64::from(!class.is_success());
        let rates = window.rates(now, area, room);
        if now >= window.until {
            *window = LoadWindow {
                since: now,
                until: now.saturating_add(PERIOD),
                area,
                answered: 0,
                failed: 0,
                last: Some(rates),
            };
        }
        let Rates { utilization, qps, eps } = window.last.unwrap_or(rates);
        let report = Report {
            in_flight: instance.in_system(),
            waiting: instance.waiting(),
            service_time,
            utilization,
            qps,
            eps,
        };
        reports.put(call, attempt, report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(n: u32) -> Report {
        Report { waiting: n, ..Report::default() }
    }

    #[test]
    fn a_response_finds_its_own_report_or_none() {
        let mut reports = Reports::default();
        let [old, new] = [4, 5].map(|generation| CallId::from_parts(2, generation));
        assert_eq!(reports.of(old, 0), None);
        reports.put(old, 1, waiting(1));
        assert_eq!(reports.of(old, 1), Some(waiting(1)));
        assert_eq!(
            (reports.of(old, 0), reports.of(new, 1), reports.of(CallId::from_parts(1, 4), 1)),
            (None, None, None)
        );
    }

    #[test]
    fn a_late_answer_does_not_displace_the_newer() {
        let mut reports = Reports::default();
        let [old, new] = [u32::MAX, 0].map(|generation| CallId::from_parts(2, generation));
        reports.put(old, 1, waiting(1));
        reports.put(old, 0, waiting(2));
        assert_eq!(reports.of(old, 1), Some(waiting(1)), "an earlier attempt");
        reports.put(new, 0, waiting(3));
        reports.put(old, 1, waiting(4));
        assert_eq!(reports.of(new, 0), Some(waiting(3)), "an earlier call in the same slot");
    }
}
