//! The caller's side: keeps the latest view of each service it was asked to follow.
//!
//! In [`Mode::Watch`] it asks once and is told of changes, and asks again after a long silence, as a blocking query
//! does when its wait ends. In [`Mode::Poll`] it asks at intervals. Whatever is not answered in time is asked again
//! after a backoff, with the next `attempt`; the last good view stays in use meanwhile.
//!
//! It follows one server at a time. Views of that server only ever move forward, so a message that was late or repeated
//! changes nothing. Another server's revisions mean nothing beside them; its view is taken when a question is open, and
//! then the first server is told to stop.

use crate::backoff::{Backoff, Call, Turn};
use crate::view::View;
use base::{Core, Draw, Duration, Instant, NodeId, Outbox, Revision, Rng, ServiceId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How a resolver learns of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is told. After silence of `wait`, and up to a sixteenth more (drawn, so that callers do not return together),
    /// it asks whether the watch still stands.
    Watch {
        /// The longest silence it accepts.
        wait: Duration,
    },
    /// It asks every `interval`, counted from the answer.
    Poll {
        /// From an answer to the next question.
        interval: Duration,
    },
}

/// Times of one resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How it learns of changes.
    pub mode: Mode,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// Waits after timeouts.
    pub backoff: Backoff,
}

impl Config {
    /// Blocking queries as in Consul: wait 5 min and up to a sixteenth (`api-docs/features/blocking`). A blocking query
    /// there ends with its answer and is sent anew; here the watch stands. Timeout and backoff are ours.
    pub const fn consul() -> Self {
        Config {
            mode: Mode::Watch { wait: Duration::mins(5) },
            request_timeout: Duration::secs(1),
            backoff: Backoff { first: Duration::ms(200), limit: Duration::secs(5) },
        }
    }

    /// Polling as in Eureka: every 30 s (`DefaultEurekaClientConfig.java`, `getRegistryFetchIntervalSeconds`).
    pub const fn eureka() -> Self {
        Config { mode: Mode::Poll { interval: Duration::secs(30) }, ..Config::consul() }
    }
}

/// What a resolver hears.
#[derive(Clone, Debug)]
pub enum Input {
    /// Follow this service from now on.
    Subscribe {
        /// This one.
        service: ServiceId,
        /// For how long the caller's process has been asking, from which its polls and waits follow each other; zero
        /// for one that starts now. It asks at once in any case.
        age: Duration,
    },
    /// Forget this service and its view.
    Unsubscribe(ServiceId),
    /// A server told of a change, or answered a watch.
    Push {
        /// The server.
        from: NodeId,
        /// The view.
        view: Arc<View>,
    },
    /// A server answered that the watch stands and nothing differs.
    Watching {
        /// The server.
        from: NodeId,
        /// What is watched.
        service: ServiceId,
    },
    /// A server answered a fetch.
    Fetched {
        /// The server.
        from: NodeId,
        /// What was asked for.
        service: ServiceId,
        /// The view, or `None` when nothing differs.
        view: Option<Arc<View>>,
    },
    /// The connection to this server is known to be gone (a timeout finds out without being told, later).
    Disconnected(NodeId),
    /// Time has passed.
    Wake,
}

/// What a resolver wants done. The driver adds the sender and picks the server by `attempt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send [`crate::Input::Watch`].
    SendWatch {
        /// What to watch.
        service: ServiceId,
        /// The revision it holds of the server it follows; zero for none.
        after: Revision,
        /// Timeouts so far for this service.
        attempt: u32,
    },
    /// Send [`crate::Input::Fetch`].
    SendFetch {
        /// What to fetch.
        service: ServiceId,
        /// The revision it holds of the server it follows; zero for none.
        after: Revision,
        /// Timeouts so far for this service.
        attempt: u32,
    },
    /// Send [`crate::Input::Unwatch`] to this server, once.
    SendUnwatch {
        /// The server.
        to: NodeId,
        /// What it need not tell any more.
        service: ServiceId,
    },
    /// There is another view than before.
    Updated {
        /// Of this service.
        service: ServiceId,
        /// It.
        view: Arc<View>,
    },
    /// Something happened.
    Note(Event),
}

/// What happened to a subscription; prints as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// No answer came in time; what is held stays in use.
    Unanswered {
        /// Asked for.
        service: ServiceId,
        /// The attempt that failed.
        attempt: u32,
    },
    /// It follows this server now; revisions before and after are not comparable.
    Following {
        /// For this service.
        service: ServiceId,
        /// The server.
        server: NodeId,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Unanswered { service, attempt } => write!(f, "no answer about {service} to attempt {attempt}"),
            Event::Following { service, server } => write!(f, "follows {service} at {server}"),
        }
    }
}

/// Keeps one caller's views. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Resolver {
    config: Config,
    rng: Rng,
    subscriptions: BTreeMap<ServiceId, Subscription>,
}

#[derive(Debug)]
struct Subscription {
    /// The server it follows.
    source: Option<NodeId>,
    view: Option<Arc<View>>,
    attempt: u32,
    /// The attempt whose answer `view` was; a later one may reach another server and must ask for everything.
    attempt_answered: Option<u32>,
    /// How long the process has been asking that has no answer yet; zero after the first.
    age: Duration,
    call: Call,
}

impl Subscription {
    fn after(&self) -> Revision {
        match &self.view {
            Some(view) if self.attempt_answered == Some(self.attempt) => view.revision,
            _ => Revision(0),
        }
    }
}

impl Resolver {
    /// A resolver that follows nothing yet. `rng` jitters its waits.
    pub const fn new(config: Config, rng: Rng) -> Self {
        Resolver { config, rng, subscriptions: BTreeMap::new() }
    }

    /// What it knows of `service`; `None` before the first answer. O(log n), without allocation.
    pub fn view(&self, service: ServiceId) -> Option<&Arc<View>> {
        self.subscriptions.get(&service)?.view.as_ref()
    }

    /// Whether it holds a view of any service that came from `server`. O(n) in the services followed.
    pub fn follows(&self, server: NodeId) -> bool {
        self.subscriptions.values().any(|subscription| subscription.source == Some(server))
    }

    /// The server whose view of `service` it holds.
    pub fn source(&self, service: ServiceId) -> Option<NodeId> {
        self.subscriptions.get(&service)?.source
    }

    fn release(&self, to: NodeId, service: ServiceId, out: &mut Outbox<Effect>) {
        if let Mode::Watch { .. } = self.config.mode {
            out.push(Effect::SendUnwatch { to, service });
        }
    }

    fn heard(
        &mut self,
        now: Instant,
        from: NodeId,
        service: ServiceId,
        view: Option<Arc<View>>,
        out: &mut Outbox<Effect>,
    ) {
        let (period, jitter) = match self.config.mode {
            Mode::Watch { wait } => (wait, Duration::ns(self.rng.below_u64(wait.as_nanos() / 16 + 1))),
            Mode::Poll { interval } => (interval, Duration::ZERO),
        };
        let Some(subscription) = self.subscriptions.get_mut(&service) else { return };
        let asking = subscription.call.sent || subscription.call.failures > 0;
        let same_server = subscription.source == Some(from);
        if !same_server && !asking {
            return;
        }
        let next = std::mem::take(&mut subscription.age).to_next(period).saturating_add(jitter);
        let Some(view) = view else {
            // Nothing differs from what it holds; which says something only if it holds this server's.
            let next = if same_server { now.saturating_add(next) } else { now };
            subscription.attempt_answered = same_server.then_some(subscription.attempt);
            subscription.call = Call::at(next);
            return;
        };
        subscription.attempt_answered = Some(subscription.attempt);
        subscription.call = Call::at(now.saturating_add(next));
        if same_server && subscription.view.as_ref().is_some_and(|held| held.revision >= view.revision) {
            return;
        }
        let left = if same_server { None } else { subscription.source.replace(from) };
        subscription.view = Some(Arc::clone(&view));
        if let Some(left) = left {
            self.release(left, service, out);
        }
        if !same_server {
            out.push(Effect::Note(Event::Following { service, server: from }));
        }
        out.push(Effect::Updated { service, view });
    }

    fn advance_to(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        let Config { mode, request_timeout, backoff } = self.config;
        for (&service, subscription) in &mut self.subscriptions {
            match subscription.call.turn(now, request_timeout, &backoff, &mut self.rng) {
                Turn::Wait => {}
                Turn::Send => {
                    let (after, attempt) = (subscription.after(), subscription.attempt);
                    out.push(match mode {
                        Mode::Watch { .. } => Effect::SendWatch { service, after, attempt },
                        Mode::Poll { .. } => Effect::SendFetch { service, after, attempt },
                    });
                }
                Turn::TimedOut => {
                    let attempt = subscription.attempt;
                    subscription.attempt = attempt.wrapping_add(1);
                    out.push(Effect::Note(Event::Unanswered { service, attempt }));
                }
            }
        }
    }
}

impl Core for Resolver {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Hears one input at `now`. O(log n) in the services followed for a message, O(n) for a wake.
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        match input {
            Input::Subscribe { service, age } => {
                self.subscriptions.entry(service).or_insert_with(|| Subscription {
                    source: None,
                    view: None,
                    attempt: 0,
                    attempt_answered: None,
                    age,
                    call: Call::at(now),
                });
            }
            Input::Unsubscribe(service) => {
                if let Some(Subscription { source: Some(to), .. }) = self.subscriptions.remove(&service) {
                    self.release(to, service, out);
                }
            }
            Input::Push { from, view } => self.heard(now, from, view.service, Some(view), out),
            Input::Watching { from, service } => self.heard(now, from, service, None, out),
            Input::Fetched { from, service, view } => self.heard(now, from, service, view, out),
            Input::Disconnected(server) => {
                for subscription in self.subscriptions.values_mut() {
                    if subscription.source == Some(server) && !subscription.call.sent && subscription.call.failures == 0
                    {
                        subscription.attempt_answered = None;
                        subscription.call = Call::at(now);
                    }
                }
            }
            Input::Wake => {}
        }
        self.advance_to(now, out);
    }

    /// When it next wants [`Input::Wake`]. O(n) in the services followed.
    fn deadline(&self) -> Option<Instant> {
        self.subscriptions.values().map(|s| s.call.at).min()
    }
}
