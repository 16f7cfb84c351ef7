//! The registry's process: a server core between an endpoint and a disk.
//!
//! What it wants kept is kept before the next effect leaves, and a restarted process recovers from it. Answers are
//! datagrams, because whoever asks asks again; pushes go on a stream to each watcher, as on the connection a watch
//! stands on.

use crate::net::{Heard, Msg, Net, now};
use crate::orchestrator::{Disk, Shared, append, records};
use crate::setup::Plant;
use base::{Core, NodeId, Outbox};
use registry::{Effect, Input, Record, Registry};
use std::collections::BTreeSet;

/// Runs one life of the registry.
pub(crate) async fn run(shared: Shared, node: NodeId, disk: Disk, life: u64) {
    let mut net = Net::open(node).await;
    let config = shared.setup.registry.clone();
    let rng = shared.seed.nth("registry", life);
    let mut core = if life == 0 {
        Registry::new(config, now(), rng)
    } else {
        let kept = records(&disk);
        let log = kept.iter().filter_map(|bytes| Record::decode(bytes).ok()).map(|(record, _)| record);
        Registry::recover(config, now(), rng, life, log)
    };
    let mut out = Outbox::new();
    let mut pushed = BTreeSet::new();
    let mut input = Input::Wake;
    loop {
        core.handle(now(), input, &mut out);
        for effect in out.drain() {
            let to = match &effect {
                Effect::Persist(record) => {
                    let mut bytes = Vec::new();
                    record.encode(&mut bytes);
                    append(&disk, bytes);
                    continue;
                }
                Effect::Note(event) => {
                    shared.board().note(node, "registry", event.to_string());
                    continue;
                }
                Effect::Push { to, .. } => {
                    let first = pushed.insert(*to);
                    if first || !shared.has(Plant::DropPushes) {
                        net.stream(*to, Msg::FromRegistry(effect.clone()));
                    }
                    continue;
                }
                Effect::Granted { to, .. }
                | Effect::Renewed { to, .. }
                | Effect::LeaseUnknown { to, .. }
                | Effect::Deregistered { to, .. }
                | Effect::DrainingSet { to, .. }
                | Effect::Watching { to, .. }
                | Effect::Fetched { to, .. } => *to,
            };
            net.datagram(to, Msg::FromRegistry(effect));
        }
        shared.board().listed = Some(core.view(shared.setup.service));
        input = match net.next(core.deadline()).await {
            Some(Heard::Message(_, Msg::ToRegistry(input))) => input,
            Some(Heard::Terminate) => return,
            _ => Input::Wake,
        };
    }
}
