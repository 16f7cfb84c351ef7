//! An instance's process: it starts up, keeps itself listed, answers calls, and leaves in good order when it is told
//! to.

use crate::net::{Heard, Msg, Net, now, sleep_until};
use crate::orchestrator::{Life, Shared};
use crate::setup::{Plant, Whom};
use base::{Core, Duration, NodeId, Outbox};
use registry::Endpoint;
use registry::registrant::{Effect, Input, Registrant};

/// Labels of a call's draws.
const FAILS: u64 = 1;
const WORK: u64 = 2;

/// Runs one life of an instance.
pub(crate) async fn run(shared: Shared, endpoint: Endpoint, start_up: Duration, life: u64) {
    let id = endpoint.instance;
    if !start_up.is_zero() {
        sleep_until(now() + start_up).await;
    }
    let mut net = Net::open(endpoint.node).await;
    if shared.is_stopping(id) {
        return;
    }
    shared.set_life(id, Life::Serving);
    let setup = shared.setup.clone();
    let error_rate = setup.error_rates[endpoint.version.index()];
    let registry = shared.node(Whom::Registry);
    let rng = shared.seed.nth(&format!("registrant/{id}"), life);
    let mut core = Registrant::new(setup.registrant, setup.service, endpoint, rng);
    let mut out = Outbox::new();
    let mut ends = None;
    let mut input = Some(Input::Start { age: Duration::ZERO });
    loop {
        if let Some(input) = input.take() {
            core.handle(now(), input, &mut out);
        }
        for effect in out.drain() {
            send(&shared, &mut net, registry, effect);
        }
        let deadline = [core.deadline(), ends].into_iter().flatten().min();
        let heard = net.next(deadline).await;
        if ends.is_some_and(|at| at <= now()) {
            shared.set_life(id, Life::Gone);
            return;
        }
        input = match heard {
            None => Some(Input::Wake),
            Some(Heard::Message(from, Msg::Call { number, key })) => {
                let ok = !error_rate.happens(&mut key.derive(FAILS).draws());
                let work = setup.service_time.sample(&mut key.derive(WORK).draws());
                net.answer_after(work, from, Msg::Answer { number, ok });
                None
            }
            Some(Heard::Message(_, Msg::FromRegistry(effect))) => answer(effect),
            Some(Heard::Terminate) => {
                ends = Some(now() + setup.grace);
                (!shared.has(Plant::LeaveSilently)).then_some(Input::Stop)
            }
            Some(Heard::Message(..) | Heard::Broken(_)) => None,
        };
    }
}

fn send(shared: &Shared, net: &mut Net, registry: NodeId, effect: Effect) {
    let from = net.node;
    let msg = match effect {
        Effect::SendRegister { service, endpoint, ttl, .. } => {
            registry::Input::Register { from, service, endpoint, ttl }
        }
        Effect::SendRenew { .. } if shared.has(Plant::DropRenewals) => return,
        Effect::SendRenew { instance, lease, .. } => registry::Input::Renew { from, instance, lease },
        Effect::SendDraining { instance, lease, .. } => {
            registry::Input::SetDraining { from, instance, lease, draining: true }
        }
        Effect::SendDeregister { instance, lease, .. } => registry::Input::Deregister { from, instance, lease },
        Effect::Note(event) => {
            shared.board().note(from, "registration", event.to_string());
            return;
        }
    };
    net.datagram(registry, Msg::ToRegistry(msg));
}

/// What the registry's answer means to a registrant.
fn answer(effect: registry::Effect) -> Option<Input> {
    match effect {
        registry::Effect::Granted { lease, ttl, .. } => Some(Input::Granted { lease, ttl }),
        registry::Effect::Renewed { lease, .. } => Some(Input::Renewed { lease }),
        registry::Effect::LeaseUnknown { lease, .. } => Some(Input::LeaseUnknown { lease }),
        registry::Effect::DrainingSet { lease, .. } => Some(Input::DrainingSet { lease }),
        registry::Effect::Deregistered { lease, .. } => Some(Input::Deregistered { lease }),
        _ => None,
    }
}
