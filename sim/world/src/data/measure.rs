//! What instances did over time and on average, as it is noted while they do it.

use super::Data;
use crate::data::instance::{Averages, Baseline};
use crate::sim::Sim;
use base::{InstanceId, Instant};

impl Data {
    /// A step of the timeline is over.
    pub(crate) fn close_step(&mut self, sim: &Sim) {
        self.metrics.close_step();
        let closed = self.timeline_steps_closed();
        self.close_instances(sim.kernel.now(), closed.checked_sub(1));
        for metrics in &mut self.metrics_of {
            metrics.close_step(closed, &self.metrics.latency);
        }
    }

    /// Notes what each instance took in during the step that ends, if one does, and what it holds at its end.
    pub(crate) fn close_instances(&mut self, now: Instant, step: Option<usize>) {
        for (index, (instance, &taken)) in self.instances.iter_mut().zip(&self.taken).enumerate() {
            instance.sum_areas(now, &mut self.records, InstanceId(index as u32));
            let record = &mut self.records[index];
            if let Some(at) = step.and_then(|step| step.checked_sub(record.steps_before)) {
                put(&mut record.per_step, at, (taken - record.taken_before_step) as u32);
                put(&mut record.in_system_per_step, at, instance.in_system());
                record.taken_before_step = taken;
            }
        }
    }

    /// What instances did until now is not measured.
    pub(crate) fn measure_from(&mut self, sim: &Sim, now: Instant) {
        for id in (0..self.instances.len() as u32).map(InstanceId) {
            self.instances[id.index()].sum_areas(now, &mut self.records, id);
            let work_area = self.work_area(sim, id);
            let instance = &mut self.instances[id.index()];
            let (in_system_area, _) = instance.areas(&self.records[id.index()]);
            let in_system_max = instance.in_system_max;
            instance.in_system_max = instance.in_system();
            let taken = self.taken[id.index()];
            let record = &mut self.records[id.index()];
            record.baseline = Baseline { at: now, taken, in_system_area, work_area, in_system_max };
            record.averages = record.averages.map(|_| Averages::default());
        }
    }

    /// Measuring of an instance is over, if it was not already.
    pub(crate) fn end_averages(&mut self, sim: &Sim, id: InstanceId) {
        self.instances[id.index()].sum_areas(sim.kernel.now(), &mut self.records, id);
        self.records[id.index()].averages = Some(self.averages(sim, id));
    }

    /// What an instance did on average while it was measured, until now if that goes on. Its areas must be summed up.
    pub(crate) fn averages(&self, sim: &Sim, id: InstanceId) -> Averages {
        let (record, now) = (&self.records[id.index()], sim.kernel.now());
        if let Some(averages) = record.averages {
            return averages;
        }
        let baseline = record.baseline;
        let span = (now - baseline.at.max(self.metrics.measured_from.min(now))).as_nanos().max(1) as f64;
        let in_system_area = self.instances[id.index()].areas(record).0 - baseline.in_system_area;
        Averages {
            utilisation: (self.work_area(sim, id) - baseline.work_area) as f64 / span / self.room(id),
            in_system: in_system_area as f64 / span,
        }
    }
}

/// Puts a number at its place in a series that leaves out the zeros at its end, so that who idles needs no room.
fn put(series: &mut Vec<u32>, at: usize, n: u32) {
    if n > 0 {
        series.resize(at, 0);
        series.push(n);
    }
}
