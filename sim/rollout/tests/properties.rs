//! Rollouts in a world that kills instances, takes locks away, crashes controllers, turns clocks back and stops
//! measuring.

mod fake;

use base::{Core, Duration, FencingToken, Instant, Outbox, Ratio, VersionId};
use fake::{SERVICE, World};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use rollout::{AbortReason, Analysis, Effect, Input, Instances, IntOrPercent, Measurement, Observation, Phase, Plan};
use rollout::{Rollout, State, Step, Strategy as Way, TooFew};

#[derive(Clone, Debug)]
enum Fault {
    LoseLock(u64),
    Rival { seconds: u64, takes: u32 },
    Crash { down: u64, session: u64, forgotten: usize },
    Kill(usize),
    Startup(u64),
    Success(u32),
    Metrics(bool),
    Abort,
    Promote,
}

fn amount() -> impl Strategy<Value = IntOrPercent> {
    prop_oneof![
        (0u32..6).prop_map(IntOrPercent::Int),
        (0u32..=100).prop_map(|p| IntOrPercent::Percent(Ratio::percent(p))),
    ]
}

fn rolling() -> impl Strategy<Value = Way> {
    (amount(), amount()).prop_map(|(max_surge, max_unavailable)| Way::Rolling { max_surge, max_unavailable })
}

fn canary() -> impl Strategy<Value = Way> {
    let step = prop_oneof![
        4 => (0u32..=100).prop_map(|p| Step::SetWeight(Ratio::percent(p))),
        4 => (0u64..60).prop_map(|s| Step::Hold(Duration::secs(s))),
        1 => Just(Step::Pause),
    ];
    prop::collection::vec(step, 1..7).prop_map(|steps| Way::Canary { steps })
}

fn analysis() -> impl Strategy<Value = Analysis> {
    (90u32..=100, 5u64..20, 1u32..4, any::<bool>()).prop_map(|(min, interval, failures, fails)| Analysis {
        success_rate_min: Some(Ratio::percent(min)),
        latency_p99_max: None,
        interval: Duration::secs(interval),
        failures,
        min_samples: 20,
        too_few: if fails { TooFew::Fails } else { TooFew::Inconclusive },
    })
}

fn plan(way: impl Strategy<Value = Way>) -> impl Strategy<Value = Plan> {
    let times = (10u64..60, 0u64..10, 0u64..40, 0u64..40);
    (1u32..20, way, prop::option::of(analysis()), times, any::<bool>()).prop_map(
        |(replicas, way, analysis, (progress, min_ready, delay, abort_delay), auto_rollback)| Plan {
            analysis,
            progress_deadline: Duration::secs(progress),
            auto_rollback,
            min_ready: Duration::secs(min_ready),
            scale_down_delay: Duration::secs(delay),
            abort_scale_down_delay: Duration::secs(abort_delay),
            ..Plan::new(SERVICE, VersionId(0), VersionId(1), replicas, way)
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0u64..40).prop_map(Fault::LoseLock),
        (1u64..40, 1u32..4).prop_map(|(seconds, takes)| Fault::Rival { seconds, takes }),
        (0u64..40, 0u64..20, 0usize..3).prop_map(|(down, session, forgotten)| Fault::Crash {
            down,
            session,
            forgotten
        }),
        (0usize..2).prop_map(Fault::Kill),
        prop_oneof![0u64..30, 500u64..1000, 500u64..1000].prop_map(Fault::Startup),
        (80u32..=100).prop_map(Fault::Success),
        any::<bool>().prop_map(Fault::Metrics),
        Just(Fault::Abort),
        Just(Fault::Promote),
    ]
}

fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    prop::collection::vec((0u64..30, fault()), 0..12)
}

/// Runs through the faults, then through a calm in which nothing goes wrong, and sees the rollout end.
fn fly(plan: Plan, faults: Vec<(u64, Fault)>) -> World {
    let mut world = World::new(plan);
    world.tell(Input::Start);
    let pass = |world: &mut World, s: u64| world.run_until(world.now + Duration::secs(s));
    for (after, fault) in faults {
        pass(&mut world, after);
        if world.is_over() {
            break;
        }
        match fault {
            Fault::LoseLock(s) => {
                let until = world.now + Duration::secs(s);
                world.lose_lock(until);
            }
            Fault::Rival { seconds, takes } => {
                let until = world.now + Duration::secs(seconds);
                world.lose_lock(until);
                // A canary's promises bind those who split its traffic; only a rolling update expects such a thing.
                if world.rollout.as_ref().is_some_and(|rollout| rollout.limits().is_some()) {
                    world.meddle(1, world.desired_new().saturating_sub(takes));
                }
            }
            Fault::Crash { down, session, forgotten } => {
                world.crash(Duration::secs(session));
                pass(&mut world, down);
                world.restart(forgotten);
            }
            Fault::Kill(side) => world.kill(side),
            Fault::Startup(s) => world.set_startup(Duration::secs(s)),
            Fault::Success(percent) => world.measurement.success = Some(Ratio::percent(percent)),
            Fault::Metrics(answer) => world.metrics = answer,
            Fault::Abort => world.tell(Input::Abort),
            Fault::Promote => world.tell(Input::Promote),
        }
    }
    world.set_startup(Duration::secs(3));
    // Seven steps, twenty times through by crashes at most, each with its hold and its instances.
    for _ in 0..200 {
        if world.is_over() {
            break;
        }
        if world.rollout.as_ref().is_some_and(Rollout::awaits_promotion) {
            world.tell(Input::Promote);
        }
        pass(&mut world, 30);
    }
    let rollout = world.rollout.as_ref().expect("the controller is up");
    assert!(world.is_over(), "not settled in {}:\n{}", rollout.phase(), world.log);
    assert!(rollout.phase() != Phase::Failed, "only a rollout whose place another took fails");
    assert_eq!(rollout.token(), None, "the lock is given back");
    world
}

/// Anything anybody might say, true or not.
fn nonsense() -> impl Strategy<Value = Input> {
    let instances = || {
        (0u32..8, 0u32..12, 0u32..12).prop_map(|(desired, total, available)| Instances { desired, total, available })
    };
    let weight = || (0u32..=100).prop_map(Ratio::percent);
    let (returns, superseded) = (prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    let grant = (0u64..20, prop::option::of(0u32..3), returns, superseded);
    let grant = grant.prop_map(|(token, running, returns, superseded)| {
        let (token, running) = (FencingToken(token), running.map(VersionId));
        Input::LockGranted { token, running, returns, superseded }
    });
    prop_oneof![
        1 => Just(Input::Start),
        1 => grant,
        1 => prop::option::of(0u64..9).prop_map(|s| Input::LockRefused { retry_after: s.map(Duration::secs) }),
        1 => Just(Input::LockLost),
        4 => (instances(), instances(), prop::option::of(weight()), prop::sample::select(vec![0u32, 0, 0, 2]))
            .prop_map(|(old, new, weight, others)| Input::Observed(Observation { old, new, others, weight })),
        1 => (prop::option::of(weight()), 0u64..50)
            .prop_map(|(success, samples)| Input::Measured(Measurement { success, p99: None, samples })),
        1 => Just(Input::Promote),
        1 => Just(Input::Abort),
        4 => Just(Input::Wake),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_rolling_update_stays_within_its_limits_and_settles(plan in plan(rolling()), faults in faults()) {
        fly(plan, faults);
    }

    #[test]
    fn a_canary_never_has_more_traffic_than_its_step_and_settles(plan in plan(canary()), faults in faults()) {
        fly(plan, faults);
    }

    #[test]
    fn the_same_inputs_tell_the_same_story(plan in plan(canary()), faults in faults()) {
        prop_assert_eq!(fly(plan.clone(), faults.clone()).log, fly(plan, faults).log);
    }

    #[test]
    fn without_faults_and_with_a_good_version_everything_completes(
        plan in plan(prop_oneof![rolling(), canary()]),
    ) {
        let plan = Plan { progress_deadline: Duration::secs(600), ..plan };
        let world = fly(plan, vec![]);
        prop_assert_eq!(world.rollout.expect("up").phase(), Phase::Completed, "{}", world.log);
    }

    #[test]
    fn a_clock_that_jumps_does_no_harm(
        plan in plan(prop_oneof![rolling(), canary()]), jumps in prop::collection::vec((0u64..100, 0u64..400), 1..20),
    ) {
        // The fake world tells time by the same clock, so only the rollout's view of it jumps: every input twice, once
        // with a moment from anywhere.
        let mut world = World::new(plan);
        world.tell(Input::Start);
        for (pass, jump) in jumps {
            world.run_until(world.now + Duration::secs(pass));
            let rollout = world.rollout.as_mut().expect("up");
            let mut nothing = Outbox::new();
            let mut elsewhere = rollout.clone();
            elsewhere.handle(Instant::from_secs(jump), Input::Wake, &mut nothing);
            let wait = |r: &Rollout, now: Instant| r.deadline().map(|at| at.saturating_since(now));
            if Instant::from_secs(jump) < world.now {
                let (was, is) = (wait(rollout, world.now), wait(&elsewhere, Instant::from_secs(jump)));
                prop_assert!(is <= was, "a clock that steps back makes nobody wait longer: {was:?}, {is:?}");
            }
        }
    }

    #[test]
    fn whatever_it_is_told_it_acts_only_under_the_lock_and_writes_down_what_it_is(
        plan in plan(prop_oneof![rolling(), canary()]),
        story in prop::collection::vec((0u64..200, nonsense()), 0..60),
    ) {
        let mut rollout = Rollout::new(plan.clone()).expect("a plan");
        let (mut out, mut held, mut lost) = (Outbox::new(), None, None);
        let mut written = rollout.snapshot();
        let mut told: Vec<rollout::Record> = vec![];
        for (at, input) in story {
            let now = Instant::from_secs(at);
            match input {
                // A grant counts when it is newer than what was lost, and only the newest of several.
                Input::LockGranted { token, .. } if lost.is_none_or(|lost| token > lost) => {
                    held = Some(held.map_or(token, |held: FencingToken| held.max(token)));
                }
                Input::LockLost if rollout.token().is_some() => (held, lost) = (None, held),
                _ => {}
            }
            rollout.handle(now, input, &mut out);
            let mut acted = false;
            for effect in out.drain() {
                match effect {
                    Effect::Scale { token, .. }
                    | Effect::RemoveOthers { token, .. }
                    | Effect::SetWeights { token, .. }
                    | Effect::ClearWeights { token } => {
                        acted = true;
                        prop_assert_eq!(Some(token), held, "acts under the newest lock");
                    }
                    Effect::ReleaseLock { .. } => held = None,
                    Effect::Persist(state) => written = state,
                    _ => {}
                }
            }
            prop_assert!(!acted || rollout.token().is_some() || rollout.phase().is_terminal());
            prop_assert_eq!(written, rollout.snapshot(), "what it is, is written down");
            prop_assert_eq!(&rollout.history()[..told.len()], &told[..], "what was told stays told");
            told = rollout.history().to_vec();
            prop_assert!(rollout.deadline().is_none_or(|at| at > now), "it does not wait for the past");
            prop_assert!(Rollout::recover(plan.clone(), rollout.snapshot()).is_ok());
        }
    }

    #[test]
    fn no_bytes_make_recovery_panic_and_no_flipped_bit_passes(
        bytes in prop::collection::vec(any::<u8>(), 0..60), at in 0usize..36, bit in 0u8..8, weight in 0u32..=100,
    ) {
        let _ = State::decode(&bytes);
        let plan = Plan::new(SERVICE, VersionId(0), VersionId(1), 3, Way::Canary { steps: vec![Step::Pause] });
        let state = State { weight: Ratio::percent(weight), ..Rollout::new(plan).expect("a plan").snapshot() };
        let mut written = state.encode();
        prop_assert_eq!(State::decode(&written), Ok(state));
        written[at] ^= 1 << bit;
        prop_assert!(State::decode(&written).is_err());
        written[at] ^= 1 << bit;
        written.pop();
        prop_assert!(State::decode(&written).is_err(), "a torn write");
    }
}

#[test]
fn the_storm_reaches_every_end_for_every_reason() {
    let mut runner = TestRunner::deterministic();
    let mut ends = std::collections::BTreeMap::new();
    for _ in 0..1000 {
        let story = (plan(prop_oneof![rolling(), canary()]), faults());
        let (plan, faults) = story.new_tree(&mut runner).expect("nothing is rejected").current();
        let world = fly(plan, faults);
        let rollout = world.rollout.expect("up");
        let end = (rollout.phase(), rollout.reason().map(|reason| reason as u8));
        *ends.entry(end).or_insert(0u32) += 1;
    }
    for end in [
        (Phase::Completed, None),
        (Phase::RolledBack, Some(AbortReason::Operator)),
        (Phase::RolledBack, Some(AbortReason::Analysis)),
        (Phase::RolledBack, Some(AbortReason::ProgressDeadline)),
    ] {
        let met = ends.get(&(end.0, end.1.map(|reason| reason as u8))).copied().unwrap_or(0);
        assert!(met >= 10, "{end:?} was reached {met} times: {ends:?}");
    }
}
