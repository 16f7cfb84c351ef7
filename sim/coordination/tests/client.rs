//! Clients and a store over a network that loses, repeats and delays what they say: two of them never hold one lock at
//! the same time, and one that wants it gets it in the end.

use base::{Core, Draw, Duration, Instant, NodeId, Outbox, Rng, Seed, SessionId};
use coordination::client::{Client, Effect, Input};
use coordination::{Config, Effect as Answer, Input as Request, LockKey, Locks};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

#[derive(Clone, Debug)]
enum Message {
    ToStore(Request),
    ToClient(NodeId, Answer),
}

/// Clients on nodes 1 and 2, a store, and what is on its way between them.
struct World {
    now: Instant,
    store: Locks,
    clients: [Client; 2],
    /// Whether each was told that it holds the lock, and not that it lost it since.
    holds: [bool; 2],
    under_way: Vec<(Instant, Message)>,
    chance: Rng,
    /// How many of a thousand messages are lost, and as many arrive twice.
    faulty: u32,
    grants: u32,
}

fn client(node: usize, life: u64) -> Client {
    Client::new(NodeId(node as u32 + 1), LockKey::new("rollout/shop"), life << 32)
}

impl World {
    fn new(seed: u64, faulty: u32, config: Config) -> Self {
        World {
            now: Instant::ZERO,
            store: Locks::new(config),
            clients: [client(0, 0), client(1, 0)],
            holds: [false; 2],
            under_way: Vec::new(),
            chance: Seed(seed).stream("network"),
            faulty,
            grants: 0,
        }
    }

    fn send(&mut self, message: Message) {
        let copies = match self.chance.below(1_000) {
            n if n < self.faulty => 0,
            n if n < 2 * self.faulty => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let longest = if self.faulty > 0 { 8_000 } else { 10 };
            let at = self.now + Duration::ms(self.chance.below_u64(longest));
            self.under_way.push((at, message.clone()));
        }
    }

    fn client_hears(&mut self, n: usize, input: Input) {
        let mut out = Outbox::new();
        self.clients[n].handle(self.now, input, &mut out);
        for effect in out.drain().collect::<Vec<_>>() {
            match effect {
                Effect::Send(request) => self.send(Message::ToStore(request)),
                Effect::Granted(_) => {
                    self.holds[n] = true;
                    self.grants += 1;
                }
                Effect::Lost => self.holds[n] = false,
                Effect::Refused { .. } => {}
            }
        }
        assert_eq!(self.holds[n], self.clients[n].holds());
    }

    fn store_hears(&mut self, request: Request) {
        let mut out = Outbox::new();
        self.store.handle(self.now, request, &mut out);
        for answer in out.drain().collect::<Vec<_>>() {
            let Some(to) = answer.to() else { continue };
            self.send(Message::ToClient(to, answer));
        }
    }

    /// Lets everything happen that happens until `end`, in order.
    fn until(&mut self, end: Instant) {
        loop {
            let message = self.under_way.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, (at, _))| (*at, i));
            let deadlines = self.clients.iter().map(Core::deadline).chain([self.store.deadline()]);
            let wake = deadlines.enumerate().filter_map(|(who, at)| Some((at?, who))).min();
            match (message, wake) {
                (Some((at, i)), wake) if at <= end && wake.is_none_or(|(wake, _)| at <= wake) => {
                    self.now = self.now.max(at);
                    match self.under_way.swap_remove(i).1 {
                        Message::ToStore(request) => self.store_hears(request),
                        Message::ToClient(to, answer) => self.client_hears(to.index() - 1, Input::Answer(answer)),
                    }
                }
                (_, Some((at, who))) if at <= end => {
                    self.now = self.now.max(at);
                    if who < 2 { self.client_hears(who, Input::Wake) } else { self.store_hears(Request::Wake) }
                }
                _ => break,
            }
            assert!(!(self.holds[0] && self.holds[1]), "two hold the lock at {}", self.now);
        }
        self.now = end;
    }
}

/// Leases of six seconds that end when they say: messages may be under way for longer.
fn short() -> Config {
    Config { ttl: Duration::secs(6), ..Config::etcd() }
}

#[derive(Clone, Copy, Debug)]
enum Turn {
    Acquire(usize),
    Release(usize),
    /// The client's process dies and comes back without memory.
    Restart(usize),
}

fn turn() -> impl Strategy<Value = (u64, Turn)> {
    let turn = prop_oneof![
        5 => (0usize..2).prop_map(Turn::Acquire),
        2 => (0usize..2).prop_map(Turn::Release),
        1 => (0usize..2).prop_map(Turn::Restart),
    ];
    (0u64..20_000, turn)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_never_hold_one_lock(
        seed: u64,
        config in prop::sample::select(vec![Config::consul(), Config::etcd(), short()]),
        faulty in 0u32..300,
        turns in prop::collection::vec(turn(), 1..60),
    ) {
        let mut world = World::new(seed, faulty, config);
        for (life, (pause, turn)) in turns.into_iter().enumerate() {
            world.until(world.now + Duration::ms(pause));
            match turn {
                Turn::Acquire(n) => world.client_hears(n, Input::Acquire),
                Turn::Release(n) => {
                    world.holds[n] = false;
                    world.client_hears(n, Input::Release);
                }
                Turn::Restart(n) => {
                    world.holds[n] = false;
                    world.clients[n] = client(n, life as u64 + 1);
                }
            }
        }
        // The network recovers, and the first one wants the lock until it has it.
        world.faulty = 0;
        world.holds[1] = false;
        world.client_hears(1, Input::Release);
        for _ in 0..40 {
            if !world.holds[0] {
                world.client_hears(0, Input::Acquire);
            }
            world.until(world.now + Duration::secs(5));
        }
        prop_assert!(world.holds[0], "granted {} times, and not in the end", world.grants);
    }
}

#[test]
fn an_answer_that_comes_twice_opens_one_session() {
    let mut client = client(0, 0);
    let mut hear = |ms: u64, input| {
        let mut out = Outbox::new();
        client.handle(Instant::from_millis(ms), input, &mut out);
        (out.drain().collect::<Vec<_>>(), client.deadline())
    };
    let (asked, _) = hear(0, Input::Acquire);
    let [Effect::Send(Request::CreateSession { nonce: 1, from: to, .. })] = asked[..] else { panic!("{asked:?}") };
    let created =
        |session| Answer::SessionCreated { to, nonce: 1, session: SessionId(session), ttl: Duration::secs(15) };
    let (acquires, deadline) = hear(40, Input::Answer(created(7)));
    assert!(matches!(acquires[..], [Effect::Send(Request::Acquire { session: SessionId(7), .. })]), "{acquires:?}");
    // A third of the ttl after the request that was sent last.
    assert_eq!(deadline, Some(Instant::from_millis(5_040)));
    // As from a store that was restarted between the two, and has forgotten the first.
    let (again, deadline) = hear(90, Input::Answer(created(8)));
    assert!(again.is_empty() && deadline == Some(Instant::from_millis(5_040)), "{again:?}");
    // Unanswered, it renews every third, and gives up a ttl after the last request that was confirmed.
    let (renewal, _) = hear(5_040, Input::Wake);
    assert!(matches!(renewal[..], [Effect::Send(Request::RenewSession { session: SessionId(7), .. })]), "{renewal:?}");
    let (_, deadline) = hear(10_040, Input::Wake);
    assert_eq!(deadline, Some(Instant::from_millis(15_000)));
    let (given_up, deadline) = hear(15_000, Input::Wake);
    assert!(given_up.is_empty() && deadline.is_none(), "it never held the lock: {given_up:?}");
}

#[test]
fn a_late_answer_confirms_the_renewal_that_it_answers() {
    let mut client = client(0, 0);
    let mut hear = |secs: u64, input| {
        let mut out = Outbox::new();
        client.handle(Instant::from_secs(secs), input, &mut out);
        client.deadline()
    };
    let (to, session) = (NodeId(1), SessionId(7));
    hear(0, Input::Acquire);
    hear(0, Input::Answer(Answer::SessionCreated { to, nonce: 1, session, ttl: Duration::secs(15) }));
    // Renewals after five and ten seconds, of which the first is answered behind the second, and that one never.
    hear(5, Input::Wake);
    hear(10, Input::Wake);
    hear(11, Input::Answer(Answer::SessionRenewed { to, session, number: 1 }));
    assert_eq!(hear(15, Input::Wake), Some(Instant::from_secs(20)));
    assert_eq!(hear(20, Input::Wake), None, "given up a ttl after the first renewal, and not after the second");
}
