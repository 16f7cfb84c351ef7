//! How many instances there shall be, how many there are, and who may change that: the one door of orders, which
//! compares fencing tokens.

use super::Site;
use super::service::Shares;
use crate::data::Data;
use crate::data::instance::Life;
use crate::invariant::one_rollout_at_a_time;
use crate::sabotage::Sabotage;
use crate::sim::Sim;
use base::{Duration, FencingToken, InstanceId, ServiceId, VersionId};

impl Data {
    /// The instances of one version that are there to stay: starting or serving.
    pub(crate) fn present(&self, service: ServiceId, version: VersionId) -> Vec<InstanceId> {
        let stays = |id: &InstanceId| {
            let instance = &self.instances[id.index()];
            instance.version() == version && matches!(instance.life, Life::Starting | Life::Serving)
        };
        self.instances_of(service).filter(stays).collect()
    }

    /// How many instances of one version have served for at least `min_ready`, without a break until now.
    pub(crate) fn available(&self, sim: &Sim, service: ServiceId, version: VersionId, min_ready: Duration) -> usize {
        self.present(service, version).into_iter().filter(|&id| self.is_available(sim, id, min_ready)).count()
    }

    fn is_available(&self, sim: &Sim, id: InstanceId, min_ready: Duration) -> bool {
        let instance = &self.instances[id.index()];
        instance.life == Life::Serving
            && sim.kernel.nodes().is_running(instance.node)
            && sim.kernel.now().saturating_since(self.records[id.index()].serving_since) >= min_ready
    }
}

impl Site<'_> {
    /// Whether an order under `token` is carried out.
    pub(crate) fn admits(&mut self, service: ServiceId, token: FencingToken) -> bool {
        let state = &mut self.fleet.services[service.index()];
        let newest = state.newest_token;
        let forgetful = self.sim.sabotage == Some(Sabotage::IgnoreTokens);
        let token = if forgetful && newest > FencingToken(0) { FencingToken(newest.0 - 1) } else { token };
        if token < newest && !forgetful {
            return false;
        }
        state.newest_token = newest.max(token);
        let name = &self.data.services[service.index()].name;
        one_rollout_at_a_time::changed(&mut self.sim.checks, &self.sim.kernel, name, token, newest);
        true
    }

    /// Brings the number of instances of a version to `replicas`; answers how many available ones were stopped.
    pub(crate) fn set_desired(&mut self, service: ServiceId, version: VersionId, replicas: u32) -> u32 {
        let state = &mut self.fleet.services[service.index()];
        if state.desired.len() <= version.index() {
            state.desired.resize(version.index() + 1, 0);
        }
        state.desired[version.index()] = replicas;
        let start_up = state.template.start_up;
        let mut present = self.data.present(service, version);
        for _ in present.len() as u32..replicas {
            self.create(service, version, Some(start_up));
        }
        // Those that do not serve go first, then the youngest.
        let is_available = |id| self.data.is_available(self.sim, id, Duration::ZERO);
        present.sort_by_key(|&id| (is_available(id), std::cmp::Reverse(id)));
        let surplus = present.len().saturating_sub(replicas as usize);
        let mut stopped_available = 0;
        for &id in &present[..surplus] {
            stopped_available += u32::from(self.data.is_available(self.sim, id, Duration::ZERO));
            self.stop(id);
        }
        stopped_available
    }

    /// How a service's traffic is split from now on; answers the number of the order.
    pub(crate) fn set_split(&mut self, service: ServiceId, shares: Shares) -> u64 {
        let state = &mut self.fleet.services[service.index()];
        state.split = shares;
        state.split_number += 1;
        state.split_number
    }
}
