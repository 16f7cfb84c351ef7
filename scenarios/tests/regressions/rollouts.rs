//! Rollouts: from where they start, what they leave, how long they wait, and how instances come and go.

use crate::common::{check, outcome, outcome_of, text};
use world::Verdict;
use world::outcome::{Outcome, RolloutOutcome};

/// The instances of a service that still take requests in the last step of the run, by version.
fn at_work_at_the_end(outcome: &Outcome, version: &str) -> usize {
    let last = |requests: &[u32]| requests.iter().rev().take(10).any(|&n| n > 0);
    let instances = outcome.services[0].instances.iter();
    instances.filter(|i| i.version == version && last(&i.requests_per_step)).count()
}

fn said(rollout: &RolloutOutcome, words: &str) -> bool {
    rollout.history.iter().any(|(_, text)| text.contains(words))
}

#[test]
fn a_hotfix_starts_from_what_the_service_runs() {
    for seed in 1..=3 {
        let outcome = outcome("hotfix-after-rollback", seed);
        assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
        let [buggy, hotfix] = &outcome.rollouts[..] else { panic!("two rollouts") };
        assert_eq!((buggy.phase, hotfix.phase), ("rolled_back", "completed"));
        assert_eq!((hotfix.from.as_str(), hotfix.to.as_str()), ("1.0.0", "1.1.1"));
        let at_work = ["1.0.0", "1.1.0", "1.1.1"].map(|version| at_work_at_the_end(&outcome, version));
        assert_eq!(at_work, [0, 0, 6], "seed {seed}");
        assert!(check(&outcome, "only_wanted_instances").tested > 0);
        assert!(check(&outcome, "no_traffic_to_the_rejected").tested > 0);
    }
}

#[test]
fn the_second_of_two_rollouts_starts_from_what_the_first_left() {
    for seed in 1..=3 {
        let outcome = outcome("two-rollouts-at-once", seed);
        assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
        let froms: Vec<&str> = outcome.rollouts.iter().map(|r| r.from.as_str()).collect();
        let tos: Vec<&str> = outcome.rollouts.iter().map(|r| r.to.as_str()).collect();
        assert!(outcome.rollouts.iter().all(|r| r.phase == "completed"), "{:#?}", outcome.rollouts);
        // Whichever gets the lock first: the other begins where it ended, and nothing else is left.
        let last = if froms[0] == "1.0.0" { 1 } else { 0 };
        assert_eq!((froms[1 - last], froms[last]), ("1.0.0", tos[1 - last]));
        assert_eq!(at_work_at_the_end(&outcome, tos[last]), 6);
        assert_eq!(outcome.requests.failed, 0, "{:?}", outcome.requests);
    }
}

#[test]
fn a_version_that_runs_already_needs_no_rollout() {
    let outcome = outcome("same-version-twice", 1);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    let nothing_to_do = outcome.rollouts.iter().filter(|r| said(r, "2.0.0 runs already")).count();
    assert_eq!(nothing_to_do, 1, "{:#?}", outcome.rollouts);
    assert!(outcome.rollouts.iter().all(|r| r.phase == "completed"));
}

#[test]
fn grace_is_a_bound() {
    let outcome = outcome("grace-is-no-bound", 1);
    assert_eq!(outcome.rollouts[0].phase, "completed", "{:#?}", outcome.rollouts);
    // Each old instance ends with its grace, though it has work for an hour.
    let (end, _) = outcome.rollouts[0].history.last().expect("it has a history");
    assert!(end.as_secs_f64() < 40.0, "{:#?}", outcome.rollouts);
    // A caller that waits longer than the grace sees its connection reset.
    let patient = text("grace-is-no-bound").replace("timeout = \"1s\"", "timeout = \"1m\"");
    let outcome = outcome_of("patient", &patient, 1);
    let reset = outcome.requests.errors.iter().find(|(name, _)| *name == "reset");
    assert!(reset.is_some_and(|(_, n)| *n > 0), "{:?}", outcome.requests);
}

#[test]
fn a_draining_instance_serves_or_refuses() {
    // Callers learn late, because they poll. Those that are refused meanwhile say so.
    let run = |draining: &str| {
        let text = format!(
            "phases = {{ warmup = \"1s\", storm = \"120s\", calm = \"60s\" }}\n\
             registry = {{ kind = \"eureka\" }}\n\
             policy = {{ timeout = \"1s\" }}\n\
             load.l = {{ target = \"s\", rate = \"200/s\" }}\n\
             rollout = [{{ service = \"s\", to = \"1.1.0\", at = \"75s\" }}]\n\
             service.s = {{ instances = 4, grace = \"70s\", draining = \"{draining}\", version.\"1.1.0\" = {{}} }}\n"
        );
        let outcome = outcome_of("draining", &text, 1);
        outcome
            .requests
            .errors
            .iter()
            .find(|(name, _)| *name == "connect_failure" || *name == "reset")
            .map_or(0, |e| e.1)
    };
    assert_eq!(run("serves"), 0);
    assert!(run("refuses") > 20, "{}", run("refuses"));
}

#[test]
fn an_overdue_rolling_update_goes_on_waiting() {
    let text = text("progress-deadline").replace("rollout_rolled_back", "rollout_overdue");
    let waits = outcome_of("overdue", &text, 1);
    assert_eq!(waits.verdict, Verdict::Passed, "{:?}", waits.failure);
    assert_eq!(waits.rollouts[0].phase, "progressing");
    assert!(said(&waits.rollouts[0], "no progress for 60s"), "{:#?}", waits.rollouts);
    let asked = text.replace("progress_deadline", "auto_rollback = true\nprogress_deadline");
    let rolls_back = outcome_of("asked", &asked.replace("rollout_overdue", "rollout_rolled_back"), 1);
    assert!(said(&rolls_back.rollouts[0], "aborted: no progress"), "{:#?}", rolls_back.rollouts);
    // Argo's and Kubernetes' way for a canary too.
    let canary = text
        .replace("\"rolling\"", "\"canary\"")
        .replace("progress_deadline", "auto_rollback = false\nprogress_deadline");
    assert_eq!(outcome_of("canary", &canary, 1).rollouts[0].phase, "progressing");
}

#[test]
fn an_instance_counts_once_it_has_been_ready_for_min_ready() {
    let took = |min_ready: &str| {
        let text = format!(
            "phases = {{ warmup = \"1s\", storm = \"5m\", calm = \"10s\" }}\n\
             load.l = {{ target = \"s\", rate = \"20/s\" }}\n\
             rollout = [{{ service = \"s\", to = \"1.1.0\", at = \"5s\", min_ready = \"{min_ready}\", \
             strategy = {{ kind = \"rolling\", max_surge = 1, max_unavailable = 0 }} }}]\n\
             service.s = {{ instances = 4, version.\"1.1.0\" = {{}} }}\n"
        );
        let outcome = outcome_of("min-ready", &text, 1);
        let (end, last) = outcome.rollouts[0].history.last().expect("it has a history").clone();
        assert!(last.contains("completed"), "{last}");
        end.as_secs_f64()
    };
    let (at_once, later) = (took("0s"), took("20s"));
    // Four instances, one after the other.
    assert!((later - at_once - 80.0).abs() < 8.0, "{at_once} {later}");
}

#[test]
fn argo_s_limit_is_one_failure_more_than_ours() {
    let failures = |key: &str| {
        let text = text("hotfix-after-rollback").replace("failures = 1", key);
        let outcome = outcome_of("limits", &text, 1);
        outcome.rollouts[0].history.iter().filter(|(_, text)| text.contains("check failed")).count()
    };
    assert_eq!((failures("failures = 2"), failures("failure_limit = 2")), (2, 3));
}

#[test]
fn an_instance_that_dies_while_it_starts_has_died() {
    for seed in 1..=3 {
        let outcome = outcome("died-while-starting", seed);
        assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
        assert_eq!(check(&outcome, "instance_died").tested, 1);
    }
}

/// An order is judged by the step that gives it, also where that step is over before the order is carried out.
#[test]
fn a_canary_whose_share_falls_at_once_stays_within_its_steps() {
    let outcome = outcome("canary-step-without-a-hold", 1);
    assert_eq!(outcome.verdict, Verdict::Passed, "{:?}", outcome.failure);
    let given: Vec<String> = outcome.rollouts[0].weights.iter().map(|(_, share)| share.to_string()).collect();
    assert_eq!(given, ["0%", "50%", "25%", "100%"]);
    assert!(check(&outcome, "rollout_within_budget").tested >= 4);
}

/// Surge is what a rollout adds: one that finds too many, left by another whose controller died, and takes some away
/// has none.
#[test]
fn what_another_rollout_left_behind_is_no_surge() {
    // Under this seed the lock that was lost goes to the second rollout first.
    let outcome = outcome("left-by-another-rollout", 6);
    let second = &outcome.rollouts[1];
    assert!(said(second, "1.0.0 scaled to 11"), "{:?}", second.history);
    assert_eq!(check(&outcome, "rollout_within_budget").violations, 0, "{:?}", outcome.failure);
}
