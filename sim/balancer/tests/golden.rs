//! Picks written down: `testdata/picks.txt` is a conversation with one balancer after another.

use balancer::{Balancer, Host, Request, Response, Strategy};
use base::{Duration, InstanceId, Instant, Seed};

const NOW: Instant = Instant::ZERO;
const ANY: Request = Request { hash: 0 };
const FINE: Response = Response::success(Duration::ZERO);

/// `i3` or `i3*5` as a host, of weight one or five.
fn host(word: &str) -> Host {
    let (name, weight) = word.split_once('*').unwrap_or((word, "1"));
    Host { instance: instance(name), weight: weight.parse().expect("a weight") }
}

/// `i3` as an instance.
fn instance(word: &str) -> InstanceId {
    InstanceId(word.strip_prefix('i').and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("not an instance: {word}")))
}

#[test]
fn picks_are_the_ones_written_down() {
    let mut balancer = Balancer::new(Strategy::RANDOM, Seed(0).stream("unused"));
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/picks.txt", |block| {
        let mut answer = String::new();
        for line in block.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[0] {
                "new" => {
                    let mut strategy = Strategy::from_name(words[1]).expect("a strategy's name");
                    if let Some(n) = words.get(2) {
                        strategy = strategy.count("choices", n.parse().expect("how many choices"));
                    }
                    balancer = Balancer::new(strategy, Seed(42).stream("golden"));
                    answer += &format!("{strategy}\n");
                }
                "update" => {
                    let hosts: Vec<Host> = words[1..].iter().map(|w| host(w)).collect();
                    balancer.update(NOW, &hosts);
                    answer += &loads(&balancer);
                }
                "pick" => {
                    let picks: Vec<String> = (0..words[1].parse().expect("how many"))
                        .map(|_| match balancer.pick(NOW, ANY) {
                            Some(index) => balancer.hosts()[index].instance.to_string(),
                            None => "nobody".into(),
                        })
                        .collect();
                    answer += &format!("{}\n", picks.join(" "));
                }
                "start" => {
                    for _ in 0..words[1].parse().expect("how many") {
                        let index = balancer.pick(NOW, ANY).expect("there are hosts");
                        balancer.started(index);
                    }
                    answer += &loads(&balancer);
                }
                "finish" => {
                    words[1..].iter().for_each(|w| balancer.finished(NOW, 0, instance(w), &FINE));
                    answer += &loads(&balancer);
                }
                "except" => {
                    let tried: Vec<InstanceId> = words[1..].iter().map(|w| instance(w)).collect();
                    let picks: Vec<String> = (0..8)
                        .map(|_| {
                            let index = balancer.pick_except(NOW, ANY, &tried, 5).expect("there are hosts");
                            balancer.hosts()[index].instance.to_string()
                        })
                        .collect();
                    answer += &format!("{}\n", picks.join(" "));
                }
                other => panic!("no such command: {other}"),
            }
        }
        answer
    });
}

/// `i1:0 i2:3, 3 in flight`.
fn loads(balancer: &Balancer) -> String {
    let hosts: Vec<String> = balancer
        .hosts()
        .iter()
        .enumerate()
        .map(|(i, h)| format!("{}:{}", h.instance, balancer.outstanding(i)))
        .collect();
    format!(
        "{}, {} in flight\n",
        if hosts.is_empty() { "no hosts".into() } else { hosts.join(" ") },
        balancer.in_flight()
    )
}
