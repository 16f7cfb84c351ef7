//! The instance's side: registers, renews, and leaves in good order.
//!
//! ```text
//!                 Start               Granted              Stop                drained
//!  Unregistered ────────▶ Registering ───────▶ Registered ─────▶ (draining) ──────────▶ Leaving ──▶ Unregistered
//!                              ▲                   │                                       Deregistered
//!                              └───────────────────┘
//!                        LeaseUnknown, or silence for a ttl
//! ```
//!
//! It asks until it is answered: a request that times out is asked again after a backoff, with the next `attempt`. The
//! attempt only moves on a timeout, so a driver with several servers may send to `servers[attempt % n]` and a
//! registrant stays with the server that answers it.

use crate::backoff::{Backoff, Call, Turn};
use crate::view::Endpoint;
use base::{Core, Duration, InstanceId, Instant, LeaseId, Outbox, Rng, ServiceId};
use std::fmt;

/// Times of one registrant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The ttl to ask for; `None` takes the store's.
    pub ttl: Option<Duration>,
    /// From one renewal to the next, measured from sending to sending. Above zero.
    pub heartbeat: Duration,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// Waits after timeouts.
    pub backoff: Backoff,
    /// How long it stays listed as draining before it leaves; zero leaves at once.
    pub drain: Duration,
}

impl Config {
    /// A client of [`crate::Config::consul_ttl`]: ttl 30 s, renewed at half of it as Consul's Go client does
    /// (`api/session.go`, `RenewPeriodic`). Timeout, backoff and drain are ours.
    pub const fn consul_ttl() -> Self {
        Config {
            ttl: None,
            heartbeat: Duration::secs(15),
            request_timeout: Duration::secs(1),
            backoff: Backoff { first: Duration::ms(200), limit: Duration::secs(5) },
            drain: Duration::ZERO,
        }
    }

    /// A client of [`crate::Config::etcd`]: ttl 60 s, kept alive every third of it (`clientv3/lease.go`).
    pub const fn etcd() -> Self {
        Config { heartbeat: Duration::secs(20), ..Config::consul_ttl() }
    }

    /// A client of [`crate::Config::eureka`]: renews every 30 s (`LeaseInfo.java`).
    pub const fn eureka() -> Self {
        Config { heartbeat: Duration::secs(30), ..Config::consul_ttl() }
    }
}

/// What a registrant hears.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// The instance is ready to serve.
    Start {
        /// For how long its process has been renewing, from which its heartbeats follow each other; zero for one that
        /// starts now, whose first renewal comes a whole heartbeat after it was listed.
        age: Duration,
    },
    /// The instance shall go, in good order.
    Stop,
    /// A server listed it.
    Granted {
        /// What to renew with.
        lease: LeaseId,
        /// How long it may stay silent.
        ttl: Duration,
    },
    /// A server heard a renewal.
    Renewed {
        /// Of this lease.
        lease: LeaseId,
    },
    /// A server does not know the lease.
    LeaseUnknown {
        /// This one.
        lease: LeaseId,
    },
    /// Callers see it drain.
    DrainingSet {
        /// Whose lease that is.
        lease: LeaseId,
    },
    /// A server took it out.
    Deregistered {
        /// With this lease.
        lease: LeaseId,
    },
    /// Time has passed.
    Wake,
}

/// What a registrant wants done. The driver adds the sender and picks the server by `attempt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send [`crate::Input::Register`].
    SendRegister {
        /// The service to join.
        service: ServiceId,
        /// How to be listed.
        endpoint: Endpoint,
        /// The ttl to ask for.
        ttl: Option<Duration>,
        /// Timeouts so far.
        attempt: u32,
    },
    /// Send [`crate::Input::Renew`].
    SendRenew {
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// Timeouts so far.
        attempt: u32,
    },
    /// Send [`crate::Input::SetDraining`] with `draining: true`.
    SendDraining {
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// Timeouts so far.
        attempt: u32,
    },
    /// Send [`crate::Input::Deregister`].
    SendDeregister {
        /// The instance.
        instance: InstanceId,
        /// Its lease.
        lease: LeaseId,
        /// Timeouts so far.
        attempt: u32,
    },
    /// Something happened.
    Note(Event),
}

/// What happened to a registration, as its owner knows it; prints as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Listed.
    Registered {
        /// With this lease.
        lease: LeaseId,
    },
    /// A server said that it does not know the lease; registering again.
    Lost {
        /// The lease it had.
        lease: LeaseId,
    },
    /// No renewal was answered for a ttl; registering again.
    Lapsed {
        /// The lease it had.
        lease: LeaseId,
    },
    /// Not listed any more, as it wished; or given up on telling so, because the lease has ended by itself.
    Left,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Registered { lease } => write!(f, "registered with {lease}"),
            Event::Lost { lease } => write!(f, "{lease} is unknown to the registry, registering again"),
            Event::Lapsed { lease } => write!(f, "{lease} went unanswered for its ttl, registering again"),
            Event::Left => f.write_str("left the registry"),
        }
    }
}

/// Where a registration stands, as its owner knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not listed and not trying to be.
    Unregistered,
    /// Asking to be listed.
    Registering,
    /// Listed, renewing.
    Registered,
    /// Listed as draining, renewing.
    Draining,
    /// Asking to be taken out.
    Leaving,
}

/// Keeps one instance listed. See the crate's documentation for the contract.
#[derive(Debug)]
pub struct Registrant {
    config: Config,
    rng: Rng,
    service: ServiceId,
    endpoint: Endpoint,
    attempt: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    Unregistered,
    Registering { call: Call, age: Duration },
    Registered { held: Held, renew: Call },
    Draining { held: Held, renew: Call, tell: Option<Call>, until: Instant },
    Leaving { lease: LeaseId, call: Call, give_up: Instant },
}

/// A lease as its owner knows it.
#[derive(Clone, Copy, Debug)]
struct Held {
    lease: LeaseId,
    ttl: Duration,
    /// The request that was answered last was sent then, so the lease has run since then or later.
    confirmed: Instant,
}

impl Held {
    fn lapses(&self) -> Instant {
        self.confirmed.saturating_add(self.ttl)
    }
}

impl Registrant {
    /// A registrant for `endpoint` in `service` that does nothing before [`Input::Start`]. `rng` jitters its backoff.
    pub const fn new(config: Config, service: ServiceId, endpoint: Endpoint, rng: Rng) -> Self {
        Registrant { config, rng, service, endpoint, attempt: 0, state: State::Unregistered }
    }

    /// Where the registration stands.
    pub const fn phase(&self) -> Phase {
        match self.state {
            State::Unregistered => Phase::Unregistered,
            State::Registering { .. } => Phase::Registering,
            State::Registered { .. } => Phase::Registered,
            State::Draining { .. } => Phase::Draining,
            State::Leaving { .. } => Phase::Leaving,
        }
    }

    /// The lease it holds, as far as it knows.
    pub const fn lease(&self) -> Option<LeaseId> {
        match self.state {
            State::Registered { held, .. } | State::Draining { held, .. } => Some(held.lease),
            State::Leaving { lease, .. } => Some(lease),
            State::Unregistered | State::Registering { .. } => None,
        }
    }

    /// What it registers.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn stop(&mut self, now: Instant) {
        match self.state {
            // A grant that is still on its way will find nobody who wants it, and is given back then.
            State::Registering { .. } => self.state = State::Unregistered,
            State::Registered { held, .. } if self.config.drain.is_zero() => self.leave(now, held.lease, held.ttl),
            State::Registered { held, renew } => {
                let until = now.saturating_add(self.config.drain);
                self.state = State::Draining { held, renew, tell: Some(Call::at(now)), until };
            }
            State::Unregistered | State::Draining { .. } | State::Leaving { .. } => {}
        }
    }

    fn leave(&mut self, now: Instant, lease: LeaseId, ttl: Duration) {
        // Once it stops renewing, a ttl is the longest a server need be told; a doubled or late one ends by itself too.
        self.state = State::Leaving { lease, call: Call::at(now), give_up: now.saturating_add(ttl) };
    }

    fn left(&mut self, out: &mut Outbox<Effect>) {
        self.state = State::Unregistered;
        out.push(Effect::Note(Event::Left));
    }

    fn granted(&mut self, now: Instant, lease: LeaseId, ttl: Duration, out: &mut Outbox<Effect>) {
        match &mut self.state {
            State::Registering { call, age } => {
                let held = Held { lease, ttl, confirmed: call.first_sent };
                let renew = Call::at(now.saturating_add(age.to_next(self.config.heartbeat)));
                self.state = State::Registered { held, renew };
                out.push(Effect::Note(Event::Registered { lease }));
            }
            State::Unregistered => self.leave(now, lease, ttl),
            // An answer to an earlier attempt: if that server is the one that matters, the next renewal says so.
            State::Registered { .. } | State::Draining { .. } | State::Leaving { .. } => {}
        }
    }

    fn renewed(&mut self, now: Instant, lease: LeaseId) {
        if let State::Registered { held, renew } | State::Draining { held, renew, .. } = &mut self.state
            && held.lease == lease
            && (renew.sent || renew.failures > 0)
        {
            held.confirmed = renew.first_sent;
            *renew = Call::at(renew.first_sent.saturating_add(self.config.heartbeat).max(now));
        }
    }

    fn advance_to(&mut self, now: Instant, out: &mut Outbox<Effect>) {
        match self.state {
            State::Registered { held, .. } if held.lapses() <= now => {
                self.state = State::Registering { call: Call::at(now), age: Duration::ZERO };
                out.push(Effect::Note(Event::Lapsed { lease: held.lease }));
            }
            State::Draining { held, until, .. } if until <= now => self.leave(now, held.lease, held.ttl),
            State::Leaving { give_up, .. } if give_up <= now => self.left(out),
            _ => {}
        }
        let Config { request_timeout, backoff, ttl, .. } = self.config;
        let instance = self.endpoint.instance;
        let (rng, attempt) = (&mut self.rng, &mut self.attempt);
        // One question at a time: true when it is to be sent now.
        let mut asks = |call: &mut Call| {
            let turn = call.turn(now, request_timeout, &backoff, rng);
            if turn == Turn::TimedOut {
                *attempt = attempt.wrapping_add(1);
            }
            (turn == Turn::Send).then_some(*attempt)
        };
        match &mut self.state {
            State::Unregistered => {}
            State::Registering { call, .. } => {
                if let Some(attempt) = asks(call) {
                    let (service, endpoint) = (self.service, self.endpoint);
                    out.push(Effect::SendRegister { service, endpoint, ttl, attempt });
                }
            }
            State::Registered { held, renew } => {
                if let Some(attempt) = asks(renew) {
                    out.push(Effect::SendRenew { instance, lease: held.lease, attempt });
                }
            }
            State::Draining { held, renew, tell, .. } => {
                if let Some(attempt) = tell.as_mut().and_then(&mut asks) {
                    out.push(Effect::SendDraining { instance, lease: held.lease, attempt });
                }
                if let Some(attempt) = asks(renew) {
                    out.push(Effect::SendRenew { instance, lease: held.lease, attempt });
                }
            }
            State::Leaving { lease, call, .. } => {
                if let Some(attempt) = asks(call) {
                    out.push(Effect::SendDeregister { instance, lease: *lease, attempt });
                }
            }
        }
    }
}

impl Core for Registrant {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Hears one input at `now`. O(1).
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        match input {
            Input::Start { age } => {
                if let State::Unregistered | State::Leaving { .. } = self.state {
                    self.state = State::Registering { call: Call::at(now), age };
                }
            }
            Input::Stop => self.stop(now),
            Input::Granted { lease, ttl } => self.granted(now, lease, ttl, out),
            Input::Renewed { lease } => self.renewed(now, lease),
            Input::LeaseUnknown { lease } => match self.state {
                State::Registered { held, .. } if held.lease == lease => {
                    self.state = State::Registering { call: Call::at(now), age: Duration::ZERO };
                    out.push(Effect::Note(Event::Lost { lease }));
                }
                State::Draining { held, .. } if held.lease == lease => self.left(out),
                State::Leaving { lease: mine, .. } if mine == lease => self.left(out),
                _ => {}
            },
            Input::DrainingSet { lease } => {
                if let State::Draining { held, tell, .. } = &mut self.state
                    && held.lease == lease
                {
                    *tell = None;
                }
            }
            Input::Deregistered { lease } => match self.state {
                State::Leaving { lease: mine, .. } if mine == lease => self.left(out),
                _ => {}
            },
            Input::Wake => {}
        }
        self.advance_to(now, out);
    }

    /// When it next wants [`Input::Wake`].
    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Unregistered => None,
            State::Registering { call, .. } => Some(call.at),
            State::Registered { held, renew } => Some(renew.at.min(held.lapses())),
            State::Draining { renew, tell, until, .. } => {
                Some(tell.map_or(Instant::MAX, |call| call.at).min(renew.at).min(*until))
            }
            State::Leaving { call, give_up, .. } => Some(call.at.min(*give_up)),
        }
    }
}
