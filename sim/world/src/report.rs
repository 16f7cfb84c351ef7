//! What instances say of themselves with their answers, for balancers that listen.
//!
//! A report goes by the side of a response, in a table by the call's slot, so that a message need not be larger for everybody;
//! the number of the attempt tells it from one that a late answer left there. Services whose callers do not listen pay nothing.
//!
//! Queue and service time are those of the moment. Utilization and rates are of the last full second, as load reports are that a
//! server samples; before the first second is over, of what there is.

use crate::call::Call;
use crate::slab::Id;
use crate::world::World;
use balancer::Report;
use base::{Duration, InstanceId, Instant};
use traffic::Class;

/// How often an instance looks back.
const PERIOD: Duration = Duration::secs(1);

/// Reports on their way, and what they are made of.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// By call slot: the attempt that is answered, and what was said.
    sent: Vec<(u16, Report)>,
    /// By instance.
    pulses: Vec<Pulse>,
    /// Of the response that is being handled.
    arrived: Option<Report>,
}

/// An instance's recent past.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    since: Instant,
    /// ∫ requests at work dt until then, in request-nanoseconds.
    area: u64,
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

impl Pulse {
    fn rates(&self, now: Instant, area: u64, concurrency: u32) -> Rates {
        let span = now.saturating_since(self.since).as_nanos() as f64;
        if span == 0.0 {
            return Rates::default();
        }
        let busy = (area - self.area) as f64 / (span * f64::from(concurrency));
        Rates { utilization: busy, qps: self.answered as f64 * 1e9 / span, eps: self.failed as f64 * 1e9 / span }
    }
}

impl Reports {
    /// The report of the response that is being handled, once.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Report> {
        self.arrived.take()
    }

    /// A response to this attempt arrives.
    #[inline]
    pub(crate) fn arrives(&mut self, call: Id<Call>, attempt: u16, class: Class) {
        self.arrived = match self.sent.get(call.slot()) {
            // Who refuses has done no work, and says nothing.
            Some((of, report)) if *of == attempt && class != Class::Refused => Some(*report),
            _ => None,
        };
    }
}

impl World {
    /// An instance answers a call on which it worked so long, and says how it is.
    pub(crate) fn report(
        &mut self,
        id: InstanceId,
        call: Id<Call>,
        attempt: u16,
        class: Class,
        service_time: Duration,
    ) {
        let now = self.kernel.now();
        let instance = &self.instances[id.index()];
        let reports = &mut self.reports;
        if reports.pulses.len() <= id.index() {
            let since = self.records[id.index()].serving_since;
            reports.pulses.resize(id.index() + 1, Pulse { since, ..Pulse::default() });
        }
        let pulse = &mut reports.pulses[id.index()];
        pulse.answered += 1;
        pulse.failed += u64::from(!class.is_success());
        let area = instance.working_area;
        let rates = pulse.rates(now, area, instance.concurrency());
        if now.saturating_since(pulse.since) >= PERIOD {
            *pulse = Pulse { since: now, area, answered: 0, failed: 0, last: Some(rates) };
        }
        let Rates { utilization, qps, eps } = pulse.last.unwrap_or(rates);
        let report = Report {
            in_flight: instance.in_system(),
            waiting: instance.waiting(),
            service_time,
            utilization,
            qps,
            eps,
        };
        if reports.sent.len() <= call.slot() {
            reports.sent.resize(call.slot() + 1, (u16::MAX, Report::default()));
        }
        reports.sent[call.slot()] = (attempt, report);
    }
}
