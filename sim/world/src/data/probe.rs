//! Probes: callers ask instances how busy they are, in messages of their own, for balancers that want to know before
//! they choose.
//!
//! A probe travels like anything else: it takes its time, it is lost, it finds a process that is gone, and then nothing
//! comes of it. It is no request: it takes no place in the queue, and nobody waits for it. An instance answers with its
//! requests in flight and with the latency to expect at that number: the median of the last sixteen that arrived when
//! as many were in flight, or at the nearest number of which it knows some (Prequal, NSDI 2024, section 4.1). Instances
//! that nobody probes keep no such record.

use super::Data;
use crate::sim::Sim;
use crate::wire::{CallId, JobId, Msg, ProbeAnswer};
use balancer::ProbeReply;
use base::{Duration, InstanceId, Instant, NodeId};
use kernel::Transport;

/// Bytes of a probe or its answer on the wire, headers included.
const PROBE_BYTES: u32 = 200;

/// What is known of latencies at instances that are probed.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// By job slot: when it arrived, and how many were in flight then.
    arrived: Vec<(Instant, u32)>,
    /// By instance.
    latencies: Vec<Option<Box<Latencies>>>,
}

/// Latencies by the number of requests in flight at arrival; the last class takes all larger numbers.
#[derive(Clone, Debug)]
struct Latencies {
    rings: [Ring; Latencies::CLASSES],
}

#[derive(Clone, Copy, Debug, Default)]
struct Ring {
    ns: [u64; Ring::SIZE],
    len: u8,
    next: u8,
}

impl Ring {
    const SIZE: usize = 16;

    fn add(&mut self, latency: Duration) {
        self.ns[usize::from(self.next)] = latency.as_nanos();
        self.next = (self.next + 1) % Ring::SIZE as u8;
        self.len = (self.len + 1).min(Ring::SIZE as u8);
    }

    fn median(&self) -> Duration {
        let mut sorted = self.ns;
        let sorted = &mut sorted[..usize::from(self.len)];
        sorted.sort_unstable();
        Duration::ns(sorted[sorted.len() / 2])
    }
}

impl Latencies {
    const CLASSES: usize = 64;

    fn class(in_flight: u32) -> usize {
        (in_flight as usize).min(Latencies::CLASSES - 1)
    }

    /// The median at the nearest number of which something is known, the smaller first; no time at all when nothing is.
    fn expected(&self, in_flight: u32) -> Duration {
        let class = Latencies::class(in_flight);
        let below = self.rings[..=class].iter().rev().enumerate().find(|(_, ring)| ring.len > 0);
        let above = self.rings[class..].iter().enumerate().find(|(_, ring)| ring.len > 0);
        match (below, above) {
            (Some((down, ring)), Some((up, _))) if down <= up => ring.median(),
            (_, Some((_, ring))) | (Some((_, ring)), None) => ring.median(),
            (None, None) => Duration::ZERO,
        }
    }
}

impl Data {
    /// A caller has chosen, and its balancer may want to send probes.
    #[cold]
    pub(crate) fn send_probes(&mut self, sim: &mut Sim, after: CallId) {
        let Some(call) = self.calls.get(after) else { return };
        let (caller, upstream, group) = (call.caller, call.upstream, call.group);
        let state = &mut self.callers[caller as usize];
        let node = state.node;
        let now = sim.kernel.local(node);
        let upstream_state = &mut state.upstreams[usize::from(upstream)];
        while let Some(instance) = upstream_state.probe(now, group) {
            upstream_state.probes += 1;
            let to = self.places[instance.index()].node;
            let key = sim.keys.next(node);
            sim.kernel.send(node, to, PROBE_BYTES, Transport::Exchange, key, Msg::Probe { caller, upstream, group });
        }
    }

    /// An instance is probed.
    pub(crate) fn probe_arrives(
        &mut self,
        sim: &mut Sim,
        id: InstanceId,
        from: NodeId,
        caller: u32,
        upstream: u16,
        group: u8,
    ) {
        let instance = &self.instances[id.index()];
        if !instance.answers() {
            return;
        }
        let in_flight = instance.in_system();
        let known = self.probes.latencies.get(id.index()).and_then(Option::as_deref);
        let latency = known.map_or(Duration::ZERO, |latencies| latencies.expected(in_flight));
        let node = instance.node;
        let reply = ProbeReply { in_flight, latency };
        let answer = ProbeAnswer { caller, upstream, group, instance: id, reply };
        let key = sim.keys.next(node);
        sim.kernel.send(node, from, PROBE_BYTES, Transport::Exchange, key, Msg::Probed(Box::new(answer)));
    }

    /// A caller has its answer. One that restarted meanwhile has another balancer, to which the answer is as good as
    /// any.
    pub(crate) fn probe_answered(&mut self, sim: &mut Sim, answer: &ProbeAnswer) {
        let caller = &mut self.callers[answer.caller as usize];
        let now = sim.kernel.local(caller.node);
        if let Some(upstream) = caller.upstreams.get_mut(usize::from(answer.upstream)) {
            upstream.probed(now, answer.group, answer.instance, answer.reply);
        }
    }

    /// A request arrives at an instance that is probed, where `in_flight` are.
    pub(crate) fn probed_arrival(&mut self, sim: &mut Sim, job: JobId, in_flight: u32) {
        let arrived = &mut self.probes.arrived;
        if arrived.len() <= job.slot() {
            arrived.resize(job.slot() + 1, (Instant::ZERO, 0));
        }
        arrived[job.slot()] = (sim.kernel.now(), in_flight);
    }

    /// It leaves.
    pub(crate) fn probed_departure(&mut self, sim: &mut Sim, id: InstanceId, job: JobId) {
        let (at, in_flight) = self.probes.arrived[job.slot()];
        let latency = sim.kernel.now() - at;
        if self.probes.latencies.len() <= id.index() {
            self.probes.latencies.resize(id.index() + 1, None);
        }
        let known = self.probes.latencies[id.index()]
            .get_or_insert_with(|| Box::new(Latencies { rings: [Ring::default(); Latencies::CLASSES] }));
        known.rings[Latencies::class(in_flight)].add(latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latency_to_expect_is_the_median_at_the_nearest_number() {
        let mut known = Latencies { rings: [Ring::default(); Latencies::CLASSES] };
        assert_eq!(known.expected(3), Duration::ZERO);
        (1..=40).for_each(|ms| known.rings[2].add(Duration::ms(ms)));
        known.rings[6].add(Duration::ms(100));
        // The last sixteen are 25 to 40.
        for (in_flight, ms) in [(0, 33), (2, 33), (4, 33), (5, 100), (6, 100), (1_000, 100)] {
            assert_eq!(known.expected(in_flight), Duration::ms(ms), "{in_flight} in flight");
        }
    }
}
