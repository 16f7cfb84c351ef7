//! A caller's process: it follows the service through its resolver and calls its instances at an even rate.
//!
//! Each call goes to a version by the split in force and to that version's open instances in turn; it ends with the
//! answer or with the caller's patience. That is the weather's traffic without the gateway: balancers and retries have
//! no part in what parity compares.

use crate::board::CallerState;
use crate::net::{Heard, Msg, Net, Split, now};
use crate::orchestrator::Shared;
use crate::setup::Whom;
use base::{Core, Duration, Instant, Key, NodeId, Outbox, Ratio, Rng, VersionId};
use registry::resolver::{Effect, Input, Resolver};
use registry::{Endpoint, View};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Label of a call's draw for its version.
const SPLIT: u64 = 3;

struct Caller {
    shared: Shared,
    net: Net,
    resolver: Resolver,
    rng: Rng,
    shown: CallerState,
    shares: Option<[(VersionId, Ratio); 2]>,
    /// Whose turn it is, by version.
    turns: BTreeMap<Option<VersionId>, usize>,
    next_call: Instant,
    numbered: u64,
    /// Calls under way: to which version, since when. In order of beginning, which is that of their patience.
    under_way: BTreeMap<u64, (VersionId, Instant)>,
}

/// Runs one life of caller `n`.
pub(crate) async fn run(shared: Shared, node: NodeId, n: u32, life: u64) {
    let net = Net::open(node).await;
    let resolver = Resolver::new(shared.setup.resolver, shared.seed.nth(&format!("resolver/{n}"), life));
    let rng = shared.seed.nth(&format!("calls/{n}"), life);
    let next_call = now() + shared.setup.call_every;
    let mut caller = Caller {
        shared,
        net,
        resolver,
        rng,
        shown: CallerState::default(),
        shares: None,
        turns: BTreeMap::new(),
        next_call,
        numbered: 0,
        under_way: BTreeMap::new(),
    };
    if let Some(split) = caller.shared.split() {
        caller.follow(split);
    }
    let mut input = Some(Input::Subscribe { service: caller.shared.setup.service, age: Duration::ZERO });
    loop {
        if let Some(input) = input.take() {
            caller.resolve(input);
        }
        caller.advance_to();
        caller.shared.board().callers.insert(n, caller.shown.clone());
        let heard = caller.net.next(Some(caller.deadline())).await;
        input = match heard {
            None => Some(Input::Wake),
            Some(Heard::Message(from, Msg::FromRegistry(effect))) => answer(from, effect),
            Some(Heard::Message(_, Msg::Split(split))) => {
                caller.follow(split);
                None
            }
            Some(Heard::Message(_, Msg::Answer { number, ok })) => {
                caller.ended(number, ok);
                None
            }
            Some(Heard::Broken(from)) => Some(Input::Disconnected(from)),
            Some(Heard::Terminate) => return,
            Some(Heard::Message(..)) => None,
        };
    }
}

/// What the registry's answer means to a resolver.
fn answer(from: NodeId, effect: registry::Effect) -> Option<Input> {
    match effect {
        registry::Effect::Push { view, .. } => Some(Input::Push { from, view }),
        registry::Effect::Watching { service, .. } => Some(Input::Watching { from, service }),
        registry::Effect::Fetched { service, view, .. } => Some(Input::Fetched { from, service, view }),
        _ => None,
    }
}

impl Caller {
    fn deadline(&self) -> Instant {
        let patience = self.under_way.first_key_value().map(|(_, (_, began))| *began + self.shared.setup.call_timeout);
        [self.resolver.deadline(), patience].into_iter().flatten().fold(self.next_call, Instant::min)
    }

    fn resolve(&mut self, input: Input) {
        let mut out = Outbox::new();
        self.resolver.handle(now(), input, &mut out);
        let (node, registry) = (self.net.node, self.shared.node(Whom::Registry));
        for effect in out.drain() {
            let (to, msg) = match effect {
                Effect::SendWatch { service, after, .. } => {
                    (registry, registry::Input::Watch { watcher: node, service, after })
                }
                Effect::SendFetch { service, after, .. } => {
                    (registry, registry::Input::Fetch { from: node, service, after })
                }
                Effect::SendUnwatch { to, service } => (to, registry::Input::Unwatch { watcher: node, service }),
                Effect::Updated { service, view } => {
                    let text = format!("{service} at {}: {} open", view.revision, view.open().count());
                    self.shared.board().note(node, "view", text);
                    self.shown.view = Some(view);
                    continue;
                }
                Effect::Note(event) => {
                    self.shared.board().note(node, "resolver", event.to_string());
                    continue;
                }
            };
            self.net.datagram(to, Msg::ToRegistry(msg));
        }
    }

    fn follow(&mut self, split: Split) {
        if split.number > self.shown.split {
            self.shown.split = split.number;
            self.shares = split.shares;
        }
    }

    fn ended(&mut self, number: u64, ok: bool) {
        // An answer to a call that was given up ends nothing.
        if let Some((version, began)) = self.under_way.remove(&number) {
            self.shared.board().call_ended(version, ok, now().saturating_since(began));
        }
    }

    fn advance_to(&mut self) {
        let now = now();
        let timeout = self.shared.setup.call_timeout;
        while let Some((&number, (_, began))) = self.under_way.first_key_value()
            && *began + timeout <= now
        {
            self.ended(number, false);
        }
        while self.next_call <= now {
            self.next_call += self.shared.setup.call_every;
            self.call(now);
        }
    }

    fn call(&mut self, now: Instant) {
        let key = self.rng.key();
        let Some(view) = self.shown.view.clone() else { return };
        let Some(endpoint) = self.choose(&view, key) else { return };
        self.numbered += 1;
        let number = self.numbered;
        self.under_way.insert(number, (endpoint.version, now));
        self.net.datagram(endpoint.node, Msg::Call { number, key });
    }

    /// A version by weight, then its open instances in turn. A version without instances leaves its calls to the other
    /// only when that has the larger share, as in the world.
    fn choose(&mut self, view: &Arc<View>, key: Key) -> Option<Endpoint> {
        let open = |version: Option<VersionId>| view.open().filter(move |e| version.is_none_or(|v| v == e.version));
        let version = self.shares.map(|[(old, _), (new, share)]| {
            let new_chosen = share.happens(&mut key.derive(SPLIT).draws());
            let weight = if new_chosen { share } else { share.complement() };
            let (chosen, other) = if new_chosen { (new, old) } else { (old, new) };
            if open(Some(chosen)).next().is_none() && weight < weight.complement() { other } else { chosen }
        });
        let count = open(version).count();
        let turn = self.turns.entry(version).or_default();
        *turn += 1;
        if count == 0 { None } else { open(version).nth(*turn % count).copied() }
    }
}
