//! The registration of an instance at one registry server: it begins when the instance serves, and ends in good order
//! when that is told to stop.

use super::host::{Carrier, Host};
use super::kind::{Beside, Kind};
use super::registry::{self as server, MESSAGE_BYTES};
use super::{Cx, Process};
use crate::data::Occupant;
use crate::fleet::Notice;
use crate::wire::{Letter, ProcessId};
use base::streams;
use kernel::{Crash, Transport};
use registry::registrant::{Effect, Input};
use registry::{Effect as Answer, Input as Request};

pub(crate) static KIND: Kind = Kind { beside, ..Kind::NOWHERE };

/// One at each server, beside instances of services that the registry lists.
fn beside(at: &Beside<'_>) -> Vec<Box<dyn Process>> {
    let Occupant::Instance(id) = at.data.occupants[at.node.index()] else { return Vec::new() };
    let service = at.data.instances[id.index()].service();
    if !at.data.services[service.index()].is_registered {
        return Vec::new();
    }
    let servers = 0..at.sim.directory.of(&server::ROLE).len() as u32;
    servers.map(|number| -> Box<dyn Process> { Box::new(Registrant { number, host: None }) }).collect()
}

/// An instance's registration at one server.
#[derive(Debug)]
pub(crate) struct Registrant {
    /// The number of its server, zero-based.
    number: u32,
    host: Option<Host<registry::Registrant>>,
}

impl Registrant {
    /// The instance serves, and wants to be listed.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        let (node, age) = (cx.node(), cx.age());
        let rng = cx.stream(&streams::REGISTRATION.of(&[&cx.name(), &self.number]));
        let site = cx.site();
        let (Occupant::Instance(id), Some(spec)) = (site.data.occupants[node.index()], &site.sim.spec.registry) else {
            return;
        };
        let config = spec.registrant;
        let endpoint = site.data.endpoint(site.sim, id);
        let service = site.data.instances[id.index()].service();
        self.host = Some(Host::new(registry::Registrant::new(config, service, endpoint, rng)));
        self.handle(cx, Input::Start { age });
    }
}

impl Process for Registrant {
    fn name(&self) -> &'static str {
        "registration"
    }

    fn notice(&mut self, cx: &mut Cx<'_>, notice: Notice) {
        match notice {
            Notice::Serving(_) => self.begin(cx),
            Notice::Stopping(_) => self.handle(cx, Input::Stop),
            _ => {}
        }
    }

    fn letter(&mut self, cx: &mut Cx<'_>, _: ProcessId, letter: Letter) {
        let Letter::RegistryAnswer(answer) = letter else { return };
        let input = match answer {
            Answer::Granted { lease, ttl, .. } => Input::Granted { lease, ttl },
            Answer::Renewed { lease, .. } => Input::Renewed { lease },
            Answer::LeaseUnknown { lease, .. } => Input::LeaseUnknown { lease },
            Answer::Deregistered { lease, .. } => Input::Deregistered { lease },
            Answer::DrainingSet { lease, .. } => Input::DrainingSet { lease },
            _ => return,
        };
        self.handle(cx, input);
    }

    fn wake(&mut self, cx: &mut Cx<'_>, _: u16) {
        self.woken(cx);
    }

    fn down(&mut self, _: &mut Cx<'_>, _: Crash) {
        self.host = None;
    }
}

impl Carrier<registry::Registrant> for Registrant {
    fn host(&mut self) -> Option<&mut Host<registry::Registrant>> {
        self.host.as_mut()
    }

    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: Effect) -> Option<Input> {
        let from = cx.node();
        let request = match effect {
            Effect::SendRegister { service, endpoint, ttl, .. } => Request::Register { from, service, endpoint, ttl },
            Effect::SendRenew { instance, lease, .. } => Request::Renew { from, instance, lease },
            Effect::SendDraining { instance, lease, .. } => {
                Request::SetDraining { from, instance, lease, draining: true }
            }
            Effect::SendDeregister { instance, lease, .. } => Request::Deregister { from, instance, lease },
            Effect::Note(event) => {
                cx.note("registration", || event.to_string());
                return None;
            }
        };
        let server = cx.site().sim.directory.of(&server::ROLE)[self.number as usize];
        cx.send(server, MESSAGE_BYTES, Transport::Exchange, Letter::Registry(request));
        None
    }
}
