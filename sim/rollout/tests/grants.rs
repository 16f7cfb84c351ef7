//! What a grant of the lock says of the service: from where a rollout starts, whether there is anything to do, and
//! whether another has taken its place.

use base::{FencingToken, Instant, Outbox, Ratio, ServiceId, VersionId};
use rollout::{
    AbortReason, Effect, Event, Input, Instances, IntOrPercent, Observation, Phase, Plan, Rollout, Strategy,
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
    Input::LockGranted { token: FencingToken(token), running: Some(VersionId(running)), superseded }
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
