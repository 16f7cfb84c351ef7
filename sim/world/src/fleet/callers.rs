//! Callers are made with their nodes, and made anew, without memory, when those go down.

use super::Site;
use crate::data::caller::{Balance, Caller, Upstream};
use balancer::eligibility::Peers;
use base::{Instant, NodeId, ServiceId, streams};

impl Site<'_> {
    /// The `nth` caller of its kind among `count` that were there at the start, spread over the zones in turn. Later
    /// ones take the places of those.
    pub(crate) fn peers(&self, node: NodeId, nth: u32, count: u32) -> Peers {
        // In turn, so the first zones have one more where it does not come out even.
        let zones = self.sim.spec.zones.len() as u32;
        let by_zone: Vec<u32> = (0..zones).map(|zone| count / zones + u32::from(zone < count % zones)).collect();
        Peers { index: nth % count.max(1), by_zone: by_zone.into(), zone: self.sim.kernel.nodes().zone(node) }
    }

    /// Makes a node a caller of `services`.
    pub(crate) fn add_caller(&mut self, node: NodeId, services: &[ServiceId], peers: Peers) -> u32 {
        let index = self.data.callers.len() as u32;
        let at = &mut self.data.callers_at;
        at.resize(at.len().max(node.index() + 1), None);
        at[node.index()] = Some(index);
        let name = self.sim.kernel.nodes().name(node).to_string();
        let upstreams = self.fresh_upstreams(node, services, &peers);
        self.data.callers.push(Caller { node, name, upstreams, steps: Default::default(), peers });
        self.read_splits(index);
        index
    }

    /// The upstreams of a caller in its present life.
    fn fresh_upstreams(&mut self, node: NodeId, services: &[ServiceId], peers: &Peers) -> Vec<Upstream> {
        let (sim, data) = (&mut *self.sim, &mut *self.data);
        let life = sim.kernel.nodes().life(node);
        let name = sim.kernel.nodes().name(node).to_string();
        let (now, age) = (sim.kernel.now(), sim.age(&name));
        let mut upstreams = Vec::new();
        for &service in services {
            let state = &data.services[service.index()];
            let key = streams::BALANCER.of(&[&name, &life, &state.name]);
            let balance = Balance {
                strategy: state.balancer,
                rules: state.eligibility.clone(),
                peers: peers.clone(),
                dispatcher: state.board.dispatcher(),
            };
            let mut upstream = Upstream::new(service, state.policy, balance, sim.seed, key);
            upstream.lane = state.lane;
            let caller = data.caller_at(node).and_then(|caller| data.callers.get(caller as usize));
            upstream.stepped(caller.map_or(0, |caller| caller.steps.total()));
            if now == Instant::ZERO {
                upstream.running_for(sim.kernel.local(node), age);
            }
            data.routes_by_key |= upstream.is_keyed;
            upstreams.push(upstream);
        }
        upstreams
    }

    /// A caller boots: it reads its configuration from the orchestrator, and so starts with the present order.
    pub(super) fn read_splits(&mut self, caller: u32) {
        let caller = &mut self.data.callers[caller as usize];
        let local = self.sim.kernel.local(caller.node);
        for upstream in &mut caller.upstreams {
            let state = &self.fleet.services[upstream.service.index()];
            upstream.set_shares(local, state.split, state.split_number);
        }
    }

    /// A caller's memory is gone: what it waited for, and what it knew.
    pub(super) fn forget_calls(&mut self, node: NodeId) {
        self.data.abandon_calls(self.sim, node);
        let Some(caller) = self.data.caller_at(node) else { return };
        let state = &self.data.callers[caller as usize];
        let services: Vec<ServiceId> = state.upstreams.iter().map(|u| u.service).collect();
        let peers = state.peers.clone();
        self.data.callers[caller as usize].upstreams = self.fresh_upstreams(node, &services, &peers);
    }
}
