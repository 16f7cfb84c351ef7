//! Several clients at one board: what it counts, who is told of idle hosts, and how old a posting is.

use balancer::strategy::parameter::Value;
use balancer::{Balancer, BulletinBoard, Host, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed};
use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy as Generator};

const NOW: Instant = Instant::ZERO;
const ANY: Request = Request { hash: 0 };
const FINE: Response = Response::success(Duration::ZERO);

fn hosts(n: u32) -> Vec<Host> {
    (0..n).map(|i| Host::new(InstanceId(i))).collect()
}

fn board() -> BulletinBoard {
    BulletinBoard::new(Seed(1).stream("board"))
}

/// A client of `board` with `n` hosts.
fn client(board: &BulletinBoard, strategy: Strategy, n: u32, name: &str) -> Balancer {
    let mut balancer = Balancer::new(strategy, Seed(1).stream(name));
    balancer.join(&board.dispatcher());
    balancer.update(NOW, &hosts(n));
    balancer
}

fn knowing(strategy: Strategy, knowledge: &'static str) -> Strategy {
    strategy.with("knowledge", Value::Word(knowledge)).expect("it counts requests")
}

fn send(client: &mut Balancer, now: Instant) -> InstanceId {
    let index = client.pick(now, ANY).expect("there are hosts");
    client.started(index);
    client.hosts()[index].instance
}

#[test]
fn clients_that_share_see_each_others_requests() {
    let board = board();
    let [mut a, mut b] = ["a", "b"].map(|name| client(&board, knowing(Strategy::FULL_SCAN, "shared"), 4, name));
    let mut sent: Vec<InstanceId> = (0..4).map(|i| send(if i % 2 == 0 { &mut a } else { &mut b }, NOW)).collect();
    sent.sort_unstable();
    assert_eq!(sent, hosts(4).iter().map(|h| h.instance).collect::<Vec<_>>(), "one each");
}

#[test]
fn a_client_that_is_gone_has_nothing_in_flight() {
    let board = board();
    let mut client = client(&board, knowing(Strategy::P2C, "shared"), 1, "a");
    (0..3).for_each(|_| assert_eq!(send(&mut client, NOW), InstanceId(0)));
    assert_eq!(board.in_flight(InstanceId(0)), 3);
    drop(client);
    assert_eq!(board.in_flight(InstanceId(0)), 0);
}

#[test]
fn a_posting_is_as_old_as_the_last_multiple_of_the_period() {
    let board = board();
    let strategy = knowing(Strategy::FULL_SCAN, "stale").with("refresh", Value::Span(Duration::secs(10))).unwrap();
    let [mut a, mut b] = ["a", "b"].map(|name| client(&board, strategy, 2, name));
    // Nothing is known of what happens in the first ten seconds, so both hosts get some.
    let early: Vec<InstanceId> = (0..20).map(|s| send(&mut a, Instant::from_millis(s * 499))).collect();
    let first = early.iter().filter(|&&i| i == InstanceId(0)).count();
    assert!((1..20).contains(&first), "{early:?}");
    // Host 0 gets what makes it the busier one; from 10 s on until 20 s everybody takes the other, whatever happens.
    while board.in_flight(InstanceId(0)) <= board.in_flight(InstanceId(1)) {
        b.started(0);
    }
    for ms in (10_000..20_000).step_by(100) {
        assert_eq!(send(&mut b, Instant::from_millis(ms)), InstanceId(1));
    }
    assert!(board.in_flight(InstanceId(1)) > 100);
    assert_eq!(send(&mut a, Instant::from_secs(20)), InstanceId(0));
}

#[test]
fn an_idle_host_is_told_to_one_client_and_gets_its_next_request() {
    let board = board();
    let [mut a, mut b] = ["a", "b"].map(|name| client(&board, Strategy::JOIN_IDLE_QUEUE, 10, name));
    // Both know some of the ten; while a client knows of any it sends no two requests to one host.
    let mut sent: Vec<InstanceId> = (0..10).map(|_| send(&mut a, NOW)).collect();
    let idle = (0..10).filter(|&i| board.in_flight(InstanceId(i)) == 0).count();
    let noted = (0..10).filter(|&i| board.is_noted(InstanceId(i))).count();
    assert_eq!(idle, noted, "a hit at random strikes a host off the other's list");
    assert!(noted > 0);
    for _ in 0..noted {
        let instance = send(&mut b, NOW);
        assert_eq!(board.in_flight(instance), 1, "{instance} was idle");
    }
    // A host that comes down to nothing is noted anew.
    let instance = sent.pop().unwrap();
    sent.retain(|&other| other == instance);
    for _ in 0..=sent.len() {
        assert!(!board.is_noted(instance));
        a.finished(NOW, 0, instance, &FINE);
    }
    assert!(board.is_noted(instance));
}

#[test]
fn reports_go_to_the_shortest_of_many_lists() {
    let shortest = Strategy::JOIN_IDLE_QUEUE.count("desks", 100);
    for (strategy, is_even) in [(shortest, true), (Strategy::JOIN_IDLE_QUEUE, false)] {
        let board = board();
        let mut clients: Vec<Balancer> = (0..5).map(|n| client(&board, strategy, 100, &n.to_string())).collect();
        // Each takes what it knows of; what comes after is a host that is busy already, sooner or later.
        let known = clients.iter_mut().map(|client| {
            let mut taken: Vec<InstanceId> = Vec::new();
            while let Some(index) = client.pick(NOW, ANY)
                && board.in_flight(client.hosts()[index].instance) == 0
                && !taken.contains(&client.hosts()[index].instance)
            {
                taken.push(client.hosts()[index].instance);
            }
            taken.len()
        });
        let known: Vec<usize> = known.collect();
        assert_eq!(known.iter().all(|&n| n == 20), is_even, "{strategy}: {known:?}");
    }
}

#[test]
fn hosts_noted_at_a_client_that_leaves_report_to_others() {
    let board = board();
    let [mut a, b] = ["a", "b"].map(|name| client(&board, Strategy::JOIN_IDLE_QUEUE, 10, name));
    a.pick(NOW, ANY);
    drop(b);
    let mut sent: Vec<InstanceId> = (0..10).map(|_| send(&mut a, NOW)).collect();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 10, "all ten were known to it");
}

/// Something that happens to one of some clients.
#[derive(Clone, Debug)]
enum Step {
    Update(usize, Vec<u32>),
    Send(usize),
    Retry(usize, u32),
    Finish(usize),
    Restart(usize),
    Wait(u64),
}

fn any_steps() -> impl Generator<Value = Vec<Step>> {
    let instances = proptest::collection::btree_set(0..8u32, 0..8).prop_map(|all| all.into_iter().collect());
    let step = prop_oneof![
        2 => (0..3usize, instances).prop_map(|(who, instances)| Step::Update(who, instances)),
        8 => (0..3usize).prop_map(Step::Send),
        1 => (0..3usize, 0..8u32).prop_map(|(who, not)| Step::Retry(who, not)),
        7 => any::<usize>().prop_map(Step::Finish),
        1 => (0..3usize).prop_map(Step::Restart),
        2 => (0..3_000u64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..150)
}

fn any_strategy() -> impl Generator<Value = Strategy> {
    prop_oneof![
        Just(knowing(Strategy::FULL_SCAN, "shared")),
        Just(knowing(Strategy::P2C, "stale")),
        Just(knowing(Strategy::FULL_SCAN, "stale")),
        (1..=3u64, any::<bool>()).prop_map(|(dispatchers, withdraw)| {
            let strategy = Strategy::JOIN_IDLE_QUEUE.count("desks", dispatchers);
            strategy.with("withdraw", Value::Switch(withdraw)).expect("a switch")
        }),
    ]
}

proptest! {
    /// The board counts what clients have in flight, over every coming and going of hosts and of clients; shared
    /// knowledge finds the least of it; who is noted as idle is, unless hosts are not struck off.
    #[test]
    fn the_board_counts_what_clients_have_in_flight(strategy in any_strategy(), steps in any_steps()) {
        let board = board();
        let mut clients: Vec<Balancer> = (0..3).map(|n| client(&board, strategy, 5, &n.to_string())).collect();
        let mut flying: Vec<(usize, usize, InstanceId)> = Vec::new();
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Update(who, instances) => {
                    let hosts: Vec<Host> = instances.iter().map(|&i| Host::new(InstanceId(i))).collect();
                    clients[who].update(now, &hosts);
                }
                Step::Send(who) | Step::Retry(who, _) => {
                    let tried = if let Step::Retry(_, not) = step { vec![InstanceId(not)] } else { vec![] };
                    let client = &mut clients[who];
                    let Some(index) = client.pick_except(now, ANY, &tried, 5) else { continue };
                    let instance = client.hosts()[index].instance;
                    if strategy == knowing(Strategy::FULL_SCAN, "shared") {
                        let least = client.hosts().iter().map(|h| board.in_flight(h.instance)).min();
                        prop_assert_eq!(Some(board.in_flight(instance)), least);
                    }
                    client.started(index);
                    flying.push((who, index, instance));
                }
                Step::Finish(which) if !flying.is_empty() => {
                    let (who, hint, instance) = flying.swap_remove(which % flying.len());
                    clients[who].finished(now, hint, instance, &FINE);
                }
                Step::Finish(_) => {}
                Step::Restart(who) => {
                    clients[who] = client(&board, strategy, 5, "again");
                    flying.retain(|&(whose, _, _)| whose != who);
                }
                Step::Wait(ms) => now = now.saturating_add(Duration::ms(ms)),
            }
            for instance in (0..8).map(InstanceId) {
                let expected = flying.iter().filter(|&&(_, _, i)| i == instance).count() as u32;
                prop_assert_eq!(board.in_flight(instance), expected, "{} with {:?}", instance, flying);
                let withdraws = strategy.name() == "jiq" && !strategy.to_string().contains("withdraw=false");
                if withdraws && board.is_noted(instance) {
                    prop_assert_eq!(expected, 0, "{} is noted as idle", instance);
                }
            }
        }
        drop(clients);
        prop_assert!((0..8).all(|i| board.in_flight(InstanceId(i)) == 0));
    }
}
