//! How a caller learns of instances: a resolver on its node, which follows one registry server and turns to the next
//! when that is silent.

use super::host::{Carrier, Host};
use super::kind::{Beside, Kind};
use super::registry::{self as server, MESSAGE_BYTES};
use super::{Cx, Process};
use crate::fleet::Notice;
use crate::wire::{Letter, ProcessId};
use base::{NodeId, ServiceId, streams};
use kernel::{Bounce, Crash, Transport};
use registry::resolver::{Effect, Input};
use registry::{Effect as Answer, Input as Request};

pub(crate) static KIND: Kind = Kind { beside, ..Kind::NOWHERE };

/// Beside every caller, where there is a registry.
fn beside(at: &Beside<'_>) -> Vec<Box<dyn Process>> {
    let asks = at.sim.spec.registry.is_some() && at.data.caller_at(at.node).is_some();
    if asks { vec![Box::new(Resolver::default())] } else { Vec::new() }
}

/// The resolver of a caller.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    host: Option<Host<registry::Resolver>>,
}

impl Resolver {
    /// The services that its caller calls and that registries know, in the order in which they are called.
    fn services(cx: &mut Cx<'_>) -> Vec<ServiceId> {
        let node = cx.node();
        let data = &*cx.site().data;
        let upstreams = data.caller_at(node).map_or(&[][..], |caller| &data.callers[caller as usize].upstreams);
        let services = upstreams.iter().map(|upstream| upstream.service);
        services.filter(|service| data.services[service.index()].is_registered).collect()
    }
}

impl Process for Resolver {
    fn name(&self) -> &'static str {
        "resolver"
    }

    fn boot(&mut self, cx: &mut Cx<'_>) {
        let rng = cx.stream(&streams::RESOLVER.of(&[&cx.name()]));
        let config = cx.site().sim.spec.registry.as_ref().map(|spec| spec.resolver);
        self.host = config.map(|config| Host::new(registry::Resolver::new(config, rng)));
    }

    fn notice(&mut self, cx: &mut Cx<'_>, notice: Notice) {
        if matches!(notice, Notice::Calling(_)) {
            let age = cx.age();
            for service in Resolver::services(cx) {
                self.handle(cx, Input::Subscribe { service, age });
            }
        }
    }

    fn letter(&mut self, cx: &mut Cx<'_>, from: ProcessId, letter: Letter) {
        let Letter::RegistryAnswer(answer) = letter else { return };
        let servers = &cx.site().sim.directory.of(&server::ROLE);
        let Some(&(from, _)) = servers.iter().find(|(_, server)| *server == from) else { return };
        let input = match answer {
            Answer::Push { view, .. } => Input::Push { from, view },
            Answer::Watching { service, .. } => Input::Watching { from, service },
            Answer::Fetched { service, view, .. } => Input::Fetched { from, service, view },
            _ => return,
        };
        self.handle(cx, input);
    }

    fn wake(&mut self, cx: &mut Cx<'_>, _: u16) {
        self.woken(cx);
    }

    fn bounced(&mut self, cx: &mut Cx<'_>, to: NodeId, _: Bounce) {
        if cx.site().sim.directory.of(&server::ROLE).iter().any(|(server, _)| *server == to) {
            self.handle(cx, Input::Disconnected(to));
        }
    }

    fn down(&mut self, _: &mut Cx<'_>, _: Crash) {
        self.host = None;
    }

    fn is_connected_to(&self, node: NodeId) -> bool {
        self.host.as_ref().is_some_and(|host| host.core.follows(node))
    }
}

impl Carrier<registry::Resolver> for Resolver {
    fn host(&mut self) -> Option<&mut Host<registry::Resolver>> {
        self.host.as_mut()
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Option<Input> {
        let node = cx.node();
        let servers = &cx.site().sim.directory.of(&server::ROLE);
        let nth = |attempt: u32| servers[(attempt % servers.len() as u32) as usize];
        let (to, request) = match effect {
            Effect::SendWatch { service, after, attempt } => {
                (nth(attempt), Request::Watch { watcher: node, service, after })
            }
            Effect::SendFetch { service, after, attempt } => {
                (nth(attempt), Request::Fetch { from: node, service, after })
            }
            Effect::SendUnwatch { to, service } => {
                let server = servers.iter().find(|(server, _)| *server == to)?;
                (*server, Request::Unwatch { watcher: node, service })
            }
            Effect::Updated { service, view } => {
                cx.note("view", || format!("{service} at {}: {} open", view.revision, view.open().count()));
                let now = cx.local();
                let data = &mut *cx.site().data;
                let caller = &mut data.callers[data.callers_at[node.index()]? as usize];
                let upstream = caller.upstream(service)?;
                caller.upstreams[upstream].set_view(now, view);
                return None;
            }
            Effect::Note(event) => {
                cx.note("resolver", || event.to_string());
                return None;
            }
        };
        cx.send(to, MESSAGE_BYTES, Transport::Exchange, Letter::Registry(request));
        None
    }

    fn carried_out(&mut self, cx: &mut Cx<'_>) {
        let node = cx.node();
        let site = cx.site();
        if let Some(caller) = site.data.caller_at(node) {
            site.data.serve_pending(site.sim, caller);
        }
    }
}
