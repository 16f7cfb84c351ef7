//! Which plans can be carried out, and what is said about the others.

use base::{Duration, Ratio, ServiceId, VersionId};
use rollout::{Analysis, Phase, Plan, Rollout, State, StateError, Step, Strategy, TooFew};

fn plan() -> Plan {
    let strategy = Strategy::Canary { steps: vec![Step::SetWeight(Ratio::percent(5)), Step::Pause] };
    let analysis = Analysis {
        success_rate_min: Some(Ratio::percent(99)),
        latency_p99_max: None,
        interval: Duration::ns(1),
        failures: 1,
        min_samples: 0,
        too_few: TooFew::Inconclusive,
    };
    Plan { analysis: Some(analysis), ..Plan::new(ServiceId(2), VersionId(0), VersionId(1), 1, strategy) }
}

fn complaint(change: impl Fn(&mut Plan)) -> String {
    let mut plan = plan();
    change(&mut plan);
    Rollout::new(plan).expect_err("a plan that cannot be carried out").to_string()
}

#[test]
fn the_smallest_plan_can_be_carried_out_and_anything_less_cannot() {
    Rollout::new(plan()).expect("one replica, one nanosecond, one failure");
    let analysis = |plan: &mut Plan, change: fn(&mut Analysis)| change(plan.analysis.as_mut().expect("an analysis"));
    assert_eq!(complaint(|p| p.replicas = 0), "a rollout needs at least one replica");
    assert_eq!(complaint(|p| p.strategy = Strategy::Canary { steps: vec![] }), "a canary needs at least one step");
    assert_eq!(complaint(|p| p.lock_retry = Duration::ZERO), "lock_retry must be longer than zero");
    assert_eq!(complaint(|p| p.observe_every = Duration::ZERO), "observe_every must be longer than zero");
    assert_eq!(complaint(|p| p.progress_deadline = Duration::ZERO), "progress_deadline must be longer than zero");
    assert_eq!(
        complaint(|p| analysis(p, |a| a.interval = Duration::ZERO)),
        "analysis interval must be longer than zero"
    );
    assert_eq!(
        complaint(|p| analysis(p, |a| a.failures = 0)),
        "an analysis must allow at least one check to be the failing one"
    );
    assert_eq!(
        complaint(|p| analysis(p, |a| a.success_rate_min = None)),
        "an analysis needs a success rate or a latency to judge by"
    );
}

#[test]
fn a_state_is_recovered_only_into_its_own_plan() {
    let state = Rollout::new(plan()).expect("a plan").snapshot();
    let recover =
        |state: State| Rollout::recover(plan(), state).map(|rollout| rollout.phase()).map_err(|e| e.to_string());
    assert_eq!(recover(state), Ok(Phase::Pending));
    assert_eq!(recover(State { step: 2, ..state }), Ok(Phase::Pending), "all steps done");
    assert_eq!(recover(State { step: 3, ..state }), Err("the state is in step 3, but the plan has only 2".to_string()));
    assert_eq!(
        recover(State { to: VersionId(7), ..state }),
        Err("the state belongs to the rollout of svc2 from v0 to v7".to_string())
    );
}

#[test]
fn a_state_says_what_is_wrong_with_its_bytes() {
    let bytes = Rollout::new(plan()).expect("a plan").snapshot().encode();
    assert_eq!(State::decode(&[]), Err(StateError::Length { found: 0 }));
    assert_eq!(State::decode(&bytes[..35]), Err(StateError::Length { found: 35 }));
    assert_eq!(State::decode(&[&bytes[..], &[0]].concat()), Err(StateError::Length { found: 37 }));
    let mut other = bytes.clone();
    other[0] = 2;
    assert_eq!(State::decode(&other), Err(StateError::Layout { found: 2 }));
    let mut flipped = bytes;
    flipped[20] ^= 1;
    assert_eq!(State::decode(&flipped), Err(StateError::Checksum));
    assert_eq!(StateError::Length { found: 35 }.to_string(), "a rollout's state takes 36 bytes, found 35");
}
