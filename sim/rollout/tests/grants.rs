//! What a grant of the lock says of the service: from where a rollout starts, whether there is anything to do, and
//! whether another has taken its place.

use base::{Core, Duration, FencingToken, Instant, Outbox, Ratio, ServiceId, VersionId};
use rollout::{
    AbortReason, Analysis, Effect, Event, Input, Instances, IntOrPercent, Observation, Phase, Plan, Rollout, Step,
    Strategy, TooFew,
};

const NOW: Instant = Instant::ZERO;

fn plan() -> Plan {
    let all = IntOrPercent::Percent(Ratio::ONE);
    let strategy = Strategy::Rolling { max_surge: all, max_unavailable: all };
    Plan::new(ServiceId(0), VersionId(0), VersionId(2), 3, strategy)
}

fn tell(rollout: &mut Rollout, input: Input) -> Vec<Effect> {
    let mut out = Outbox::new();
    rollout.handle(NOW, input, &mut out);
    out.drain().collect()
}

fn granted(token: u64, running: u32, superseded: bool) -> Input {
    Input::LockGranted { token: FencingToken(token), running: Some(VersionId(running)), returns: false, superseded }
}

fn started() -> Rollout {
    let mut rollout = Rollout::new(plan()).expect("a plan");
    tell(&mut rollout, Input::Start);
    rollout
}

fn notes(effects: &[Effect]) -> Vec<Event> {
    let note = |effect: &Effect| if let Effect::Note(event) = effect { Some(*event) } else { None };
    effects.iter().filter_map(note).collect()
}

fn all_of(n: u32) -> Instances {
    Instances { desired: n, total: n, available: n }
}

#[test]
fn it_starts_from_what_the_service_was_left_at() {
    let mut rollout = started();
    let effects = tell(&mut rollout, granted(1, 1, false));
    assert_eq!(notes(&effects)[0], Event::Started { from: VersionId(1), to: VersionId(2) });
    assert_eq!(rollout.plan().from, VersionId(1));
    // And a later life knows it too, whatever its own plan says.
    let recovered = Rollout::recover(plan(), rollout.snapshot()).expect("it was written by one of these");
    assert_eq!(recovered.plan().from, VersionId(1));
}

#[test]
fn there_is_nothing_to_do_for_a_version_that_runs_already() {
    let mut rollout = started();
    let effects = tell(&mut rollout, granted(1, 2, false));
    assert_eq!(notes(&effects), [Event::AlreadyRuns { version: VersionId(2) }]);
    assert!(effects.contains(&Effect::ReleaseLock { token: FencingToken(1) }));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Scale { .. } | Effect::ClearWeights { .. })));
    assert_eq!(rollout.phase(), Phase::Completed);
}

#[test]
fn it_ends_when_another_took_its_place() {
    let mut rollout = started();
    tell(&mut rollout, granted(1, 0, false));
    tell(&mut rollout, Input::LockLost);
    let effects = tell(&mut rollout, granted(3, 1, true));
    assert!(notes(&effects).contains(&Event::Failed { reason: AbortReason::Superseded }));
    assert!(effects.contains(&Effect::ReleaseLock { token: FencingToken(3) }));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Scale { .. })), "it leaves all to the other");
    assert_eq!((rollout.phase(), rollout.reason()), (Phase::Failed, Some(AbortReason::Superseded)));
    assert_eq!(Rollout::recover(plan(), rollout.snapshot()).expect("a state").phase(), Phase::Failed);
}

#[test]
fn it_ends_only_when_nothing_else_is_left() {
    let mut rollout = started();
    tell(&mut rollout, granted(1, 0, false));
    let seen =
        |old, new, others| Input::Observed(Observation { old: all_of(old), new: all_of(new), others, weight: None });
    tell(&mut rollout, seen(3, 0, 2));
    tell(&mut rollout, seen(3, 3, 2));
    let effects = tell(&mut rollout, seen(0, 3, 2));
    let remove = Effect::RemoveOthers { token: FencingToken(1), keep: [VersionId(0), VersionId(2)] };
    assert!(effects.contains(&remove), "{effects:?}");
    assert_eq!(rollout.phase(), Phase::Progressing);
    tell(&mut rollout, seen(0, 3, 0));
    assert_eq!(rollout.phase(), Phase::Completed);
}

/// A canary towards version 2 of a service that was left at version 2, beside which version 1 is still there.
fn returning(strategy: Strategy) -> (Rollout, Vec<Effect>) {
    let analysis = Analysis {
        success_rate_min: Some(Ratio::ONE),
        latency_p99_max: None,
        interval: Duration::secs(1),
        failures: 1,
        min_samples: 0,
        too_few: TooFew::Fails,
    };
    let plan = Plan { analysis: Some(analysis), auto_rollback: true, strategy, ..plan() };
    let mut rollout = Rollout::new(plan).expect("a plan");
    tell(&mut rollout, Input::Start);
    let running = Some(VersionId(1));
    let granted = Input::LockGranted { token: FencingToken(1), running, returns: true, superseded: false };
    let effects = tell(&mut rollout, granted);
    (rollout, effects)
}

fn canary() -> Strategy {
    Strategy::Canary { steps: vec![Step::SetWeight(Ratio::percent(10)), Step::Hold(Duration::secs(60))] }
}

#[test]
fn what_was_left_beside_the_wanted_version_gets_no_more_than_it_has() {
    // Version 1 was on its way back with 5 % when its controller went down.
    let (mut rollout, mut effects) = returning(canary());
    assert_eq!(notes(&effects)[0], Event::Started { from: VersionId(1), to: VersionId(2) });
    let seen = |old, new, weight| {
        let weight = Some(Ratio::percent(weight));
        Input::Observed(Observation { old: all_of(old), new: all_of(new), others: 0, weight })
    };
    effects.extend(tell(&mut rollout, seen(1, 2, 95)));
    effects.extend(tell(&mut rollout, seen(1, 2, 95)));
    let scaled = Effect::Scale { token: FencingToken(1), version: VersionId(2), replicas: 3 };
    assert!(effects.contains(&scaled), "{effects:?}");
    assert!(
        !effects.iter().any(|e| matches!(e, Effect::SetWeights { .. } | Effect::ClearWeights { .. })),
        "{effects:?}"
    );
    assert!(!effects.iter().any(|e| matches!(e, Effect::Measure { .. })), "what is returned to is not on trial");
    let effects = tell(&mut rollout, seen(1, 3, 95));
    let all = [(VersionId(1), Ratio::ZERO), (VersionId(2), Ratio::ONE)];
    let given = Effect::SetWeights { token: FencingToken(1), weights: all, limit: Ratio::ONE };
    assert!(effects.contains(&given), "{effects:?}");
    assert_eq!(rollout.phase(), Phase::Draining);
}

#[test]
fn a_return_has_no_way_back() {
    for strategy in [canary(), plan().strategy] {
        let (mut rollout, _) = returning(strategy);
        let deadline = NOW + rollout.plan().progress_deadline;
        let mut out = Outbox::new();
        rollout.handle(deadline, Input::Wake, &mut out);
        let effects: Vec<Effect> = out.drain().collect();
        assert!(notes(&effects).iter().any(|note| matches!(note, Event::Overdue { .. })), "{effects:?}");
        assert!(rollout.is_overdue());
        let effects = tell(&mut rollout, Input::Abort);
        assert!(notes(&effects).contains(&Event::Failed { reason: AbortReason::Operator }), "{effects:?}");
        assert!(!effects.iter().any(|e| matches!(e, Effect::Scale { version: VersionId(1), .. })), "{effects:?}");
    }
}
