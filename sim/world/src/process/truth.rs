//! Where there is no registry: every caller knows at once who serves, as the theory of queues assumes.
//!
//! The process runs on no node, has no timer, and sends nothing. With a registry it still speaks of the gateway, which
//! is in none: what stands before it is the scenario's own clients.

use super::kind::Kind;
use super::{Cx, Process};
use crate::data::instance::Life;
use crate::fleet::Notice;
use base::{Revision, ServiceId};
use registry::View;
use std::sync::Arc;

pub(crate) static KIND: Kind =
    Kind { place: |placing| placing.on_no_node(Box::new(Truth::default())), ..Kind::NOWHERE };

/// Tells every caller who serves.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// How often it has told.
    told: u64,
}

impl Process for Truth {
    fn name(&self) -> &'static str {
        "truth"
    }

    fn notice(&mut self, cx: &mut Cx<'_>, notice: Notice) {
        let Notice::Changed(service) = notice else { return };
        let site = cx.site();
        if site.sim.spec.registry.is_none() || !site.data.services[service.index()].is_registered {
            self.tell(cx, service);
        }
    }
}

impl Truth {
    /// Every caller of a service sees its instances as they are.
    fn tell(&mut self, cx: &mut Cx<'_>, service: ServiceId) {
        self.told += 1;
        let site = cx.site();
        let (sim, data) = (&mut *site.sim, &mut *site.data);
        let nodes = sim.kernel.nodes();
        let open = data.instances_of(service).filter(|id| {
            let instance = &data.instances[id.index()];
            instance.life == Life::Serving && !nodes.is_dead(instance.node)
        });
        let endpoints = open.map(|id| data.endpoint(sim, id)).collect();
        let view = Arc::new(View::new(service, Revision(self.told), endpoints));
        for caller in &mut data.callers {
            let local = sim.kernel.local(caller.node);
            if let Some(upstream) = caller.upstream(service) {
                caller.upstreams[upstream].set_view(local, view.clone());
            }
        }
        (0..data.callers.len() as u32).for_each(|caller| data.serve_pending(sim, caller));
    }
}
