//! Whole rollouts as stories, and the arithmetic of one decision as tables.

mod fake;

use base::{Duration, Instant, Ratio, VersionId};
use fake::{SERVICE, World};
use rollout::rolling::{self, Limits, Move};
use rollout::{Analysis, Input, Instances, IntOrPercent, Measurement, Plan, Step, Strategy, TooFew, canary};

#[test]
fn stories() {
    for file in ["rolling", "canary", "lock", "recovery"] {
        base::golden::check(env!("CARGO_MANIFEST_DIR"), &format!("testdata/{file}.txt"), story);
    }
}

#[test]
fn arithmetic() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/arithmetic.txt", |command| {
        command.lines().map(sum).collect::<Vec<_>>().join("\n")
    });
}

fn percent(text: &str) -> Ratio {
    Ratio::from_f64(text.trim_end_matches('%').parse::<f64>().expect("a percentage") / 100.0)
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.trim_end_matches('s').parse().expect("seconds"))
}

fn amount(text: &str) -> IntOrPercent {
    if text.ends_with('%') { IntOrPercent::Percent(percent(text)) } else { IntOrPercent::Int(number(text)) }
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

/// `key=value`, or the word itself with nothing.
fn pairs(words: &str) -> impl Iterator<Item = (&str, &str)> {
    words.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")))
}

fn steps(text: &str) -> Vec<Step> {
    let step = |word: &str| match word {
        "pause" => Step::Pause,
        _ if word.ends_with('%') => Step::SetWeight(percent(word)),
        _ => Step::Hold(seconds(word)),
    };
    text.split(',').map(step).collect()
}

fn story(script: &str) -> String {
    let mut lines = script.lines();
    let mut plan = None;
    let (mut max_surge, mut max_unavailable) =
        (IntOrPercent::Percent(Ratio::percent(25)), IntOrPercent::Percent(Ratio::percent(25)));
    for (key, value) in pairs(lines.next().expect("a plan")) {
        let rolling = Strategy::Rolling { max_surge, max_unavailable };
        let plan = plan.get_or_insert(Plan::new(SERVICE, VersionId(0), VersionId(1), 10, rolling));
        match key {
            "rolling" => {}
            "canary" => plan.strategy = Strategy::Canary { steps: steps(value) },
            "replicas" => plan.replicas = number(value),
            "surge" => max_surge = amount(value),
            "unavailable" => max_unavailable = amount(value),
            "min-ready" => plan.min_ready = seconds(value),
            "progress" => plan.progress_deadline = seconds(value),
            "keep-trying" => plan.auto_rollback = false,
            "analysis" => {
                plan.analysis = Some(Analysis {
                    success_rate_min: Some(percent(value)),
                    latency_p99_max: None,
                    interval: Duration::secs(10),
                    failures: 3,
                    min_samples: 20,
                    too_few: TooFew::Inconclusive,
                });
            }
            "p99" => plan.analysis.as_mut().expect("after analysis").latency_p99_max = Some(seconds(value)),
            "failures" => plan.analysis.as_mut().expect("after analysis").failures = number(value),
            "no-data-fails" => plan.analysis.as_mut().expect("after analysis").too_few = TooFew::Fails,
            _ => panic!("unknown word {key} in {script}"),
        }
        if let Strategy::Rolling { .. } = plan.strategy {
            plan.strategy = Strategy::Rolling { max_surge, max_unavailable };
        }
    }
    let mut world = World::new(plan.expect("a plan"));
    let mut started = false;
    for line in lines {
        let (at, what) = line.split_once(' ').expect("SECONDS WHAT");
        let at = Instant::ZERO + seconds(at);
        if at > Instant::ZERO && !started {
            started = true;
            world.tell(Input::Start);
        }
        world.run_until(at);
        for (key, value) in pairs(what) {
            match key {
                "start" => {
                    started = true;
                    world.tell(Input::Start);
                }
                "locked-until" => world.locked_until = Instant::ZERO + seconds(value),
                "lose-lock-until" => world.lose_lock(Instant::ZERO + seconds(value)),
                "success" => world.measurement.success = Some(percent(value)),
                "p99" => world.measurement.p99 = Some(seconds(value)),
                "samples" if value == "0" => world.measurement = Measurement::default(),
                "samples" => world.measurement.samples = u64::from(number(value)),
                "no-metrics" => world.metrics = false,
                "startup" => world.set_startup(seconds(value)),
                "kill-old" => world.kill(0),
                "kill-new" => world.kill(1),
                "promote" => world.tell(Input::Promote),
                "rival-takes-new" => world.meddle(1, world.desired_new() - number(value)),
                "abort" => world.tell(Input::Abort),
                "crash" => world.crash(seconds(value)),
                "restart" => world.restart(0),
                "restart-forgetting" => world.restart(number(value) as usize),
                "run" => {}
                _ => panic!("unknown word {key} in {line}"),
            }
        }
    }
    let phase = world.rollout.as_ref().expect("somebody there at the end").phase();
    let end = if world.is_over() { phase.to_string() } else { format!("still {phase}") };
    world.say(&format!("= {end}"));
    world.log
}

fn sum(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["limits", replicas, "surge", surge, "unavailable", unavailable] => {
            let limits = Limits::resolve(amount(surge), amount(unavailable), number(replicas));
            format!("surge {}, unavailable {}", limits.surge, limits.unavailable)
        }
        ["next", replicas, "surge", surge, "unavailable", unavailable, "new", new, "old", old] => {
            let limits = Limits { surge: number(surge), unavailable: number(unavailable) };
            let side = |text: &str| {
                let (available, desired) = text.split_once('/').expect("AVAILABLE/DESIRED");
                Instances { desired: number(desired), total: number(desired), available: number(available) }
            };
            match rolling::next(number(replicas), limits, side(new), side(old)) {
                Move::Incoming(n) => format!("new to {n}"),
                Move::Outgoing(n) => format!("old to {n}"),
                Move::Wait => "wait".to_string(),
                Move::Done => "done".to_string(),
            }
        }
        ["instances", "for", weight, "of", replicas] => {
            canary::replicas_for(percent(weight), number(replicas)).to_string()
        }
        ["weight", "at", index, "of", text] => canary::weight_at(&steps(text), number(index) as usize).to_string(),
        _ => panic!("unknown sum {line}"),
    }
}
