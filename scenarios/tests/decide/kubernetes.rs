//! `kubernetes-deployment` against the tables of Kubernetes' own tests: `pkg/controller/deployment/rolling_test.go` and
//! `pkg/controller/deployment/util/deployment_util_test.go`. Left out are rows about strategy Recreate.

use crate::{decide, error};
use serde_json::{Value, json};

fn of(case: Value) -> Value {
    decide("kubernetes-deployment", case)
}

/// `TestDeploymentController_reconcileNewReplicaSet`; nothing may be unavailable.
#[test]
fn the_new_set_grows_as_far_as_the_surge_leaves_room() {
    for (replicas, surge, old, new, expected) in [
        (10, 0, 10, 0, None),
        (10, 2, 10, 0, Some(2)),
        (10, 2, 5, 0, Some(7)),
        (10, 2, 10, 2, None),
        (10, 2, 2, 11, Some(10)),
    ] {
        let case = json!({"replicas": replicas, "max_surge": surge, "max_unavailable": 0,
            "new": {"desired": new, "total": 0}, "old": [{"desired": old, "total": 0}]});
        let decision = of(case);
        assert_eq!(decision["parts"]["new"], expected.unwrap_or(new), "{decision}");
        match expected {
            Some(n) => assert_eq!(decision["next"], json!({"new": n}), "{decision}"),
            None => assert!(decision["next"].get("new").is_none(), "{decision}"),
        }
    }
}

/// `TestDeploymentController_reconcileOldReplicaSets`; there is no surge. The test there checks only whether something
/// was scaled, the figures are those its rows state.
#[test]
fn old_sets_give_up_the_unhealthy_and_then_what_availability_spares() {
    for (replicas, unavailable, old, new, ready_old, ready_new, expected) in [
        (10, 0, 10, 0, 10, 0, Some(9)),
        (10, 2, 10, 0, 10, 0, Some(8)),
        (10, 2, 10, 0, 8, 0, Some(8)),
        (10, 2, 10, 0, 9, 0, Some(8)),
        (10, 2, 8, 2, 8, 0, None),
    ] {
        let decision = of(json!({"replicas": replicas, "max_surge": 0, "max_unavailable": unavailable,
            "new": {"desired": new, "available": ready_new}, "old": [{"desired": old, "available": ready_old}]}));
        let next = expected.map_or(json!("nothing"), |n| json!({"old": [n]}));
        assert_eq!(decision["next"], next, "{decision}");
    }
}

/// `TestDeploymentController_cleanupUnhealthyReplicas`: ten replicas and a surge of two. What may be cleaned up is an
/// argument there; here it is what may be unavailable.
#[test]
fn no_more_unhealthy_go_than_may_be_cleaned_up() {
    for (old, ready, most, cleaned) in [(10, 8, 1, 1), (10, 8, 3, 2), (10, 8, 0, 0), (10, 10, 3, 0)] {
        let decision = of(json!({"replicas": 10, "max_surge": 2, "max_unavailable": most,
            "old": [{"desired": old, "available": ready}]}));
        assert_eq!(decision["parts"]["unhealthy"], json!([old - cleaned]), "{decision}");
    }
}

/// `TestDeploymentController_scaleDownOldReplicaSetsForRollingUpdate`; there is no surge.
#[test]
fn old_sets_are_scaled_down_only_by_what_is_available_beyond_the_minimum() {
    for (unavailable, ready, old, expected) in
        [(0, 10, 10, Some(9)), (2, 10, 10, Some(8)), (2, 8, 10, None), (2, 10, 0, None), (2, 1, 10, None)]
    {
        let decision = of(json!({"replicas": 10, "max_surge": 0, "max_unavailable": unavailable,
            "old": [{"desired": old, "available": ready}]}));
        assert_eq!(decision["parts"]["old"], json!([expected.unwrap_or(old)]), "{decision}");
    }
}

/// `TestResolveFenceposts`; what is not set there is zero, and not the default that the API fills in.
#[test]
fn fenceposts_round_surge_up_and_unavailable_down() {
    for (surge, unavailable, replicas, expected) in [
        (json!("0%"), json!("0%"), 0, Some((0, 1))),
        (json!("39%"), json!("39%"), 10, Some((4, 3))),
        (json!("oops"), json!("39%"), 10, None),
        (json!("55%"), json!("urg"), 10, None),
        (json!(0), json!("39%"), 10, Some((0, 3))),
        (json!("39%"), json!(0), 10, Some((4, 0))),
        (json!(0), json!(0), 10, Some((0, 1))),
    ] {
        let case = json!({"replicas": replicas, "max_surge": surge, "max_unavailable": unavailable});
        match expected {
            Some((surge, unavailable)) => {
                assert_eq!(of(case)["limits"], json!({"surge": surge, "unavailable": unavailable}));
            }
            None => {
                let said = error("kubernetes-deployment", case);
                assert!(said.contains("is not a percentage") && said.contains(" at `max_"), "{said}");
            }
        }
    }
}

/// `TestMaxUnavailable` and `TestMinAvailable`: with a surge of one, old pods go until the minimum is left.
#[test]
fn no_more_may_be_unavailable_than_there_are() {
    for (replicas, unavailable, min_available) in [
        (10, json!(5), 5),
        (10, json!(10), 0),
        (5, json!(10), 0),
        (0, json!(10), 0),
        (10, json!("50%"), 5),
        (10, json!("60%"), 4),
        (10, json!("100%"), 0),
        (5, json!("100%"), 0),
    ] {
        let decision = of(json!({"replicas": replicas, "max_surge": 1, "max_unavailable": unavailable,
            "old": [{"desired": replicas}]}));
        assert_eq!(decision["parts"]["old"], json!([min_available]), "{decision}");
    }
}

/// `TestNewRSNewReplicas`: the other set has five. The row in which the new set has more than is wanted is one of the
/// rolling core's own tests: here the new set is reconciled, which scales it down first.
#[test]
fn the_new_set_gets_all_that_is_wanted_where_there_is_room() {
    let decision = of(
        json!({"replicas": 6, "max_surge": 10, "max_unavailable": 1, "new": {"desired": 2}, "old": [{"desired": 5}]}),
    );
    assert_eq!(decision["parts"]["new"], 6);
}

/// `TestDeploymentComplete`: wanted, there, updated and available in all.
#[test]
fn a_rollout_is_complete_when_all_are_new_and_available() {
    for (wanted, there, updated, available, unavailable, surge, complete) in [
        (5, 5, 5, 4, 1, 0, false),
        (5, 5, 5, 3, 1, 0, false),
        (5, 5, 5, 5, 0, 0, true),
        (5, 5, 4, 5, 0, 0, false),
        (1, 2, 1, 1, 0, 1, false),
        (1, 1, 1, 0, 1, 1, false),
    ] {
        // Of those that are available, the old ones are.
        let old = there - updated;
        let decision = of(json!({"replicas": wanted, "max_surge": surge, "max_unavailable": unavailable,
            "new": {"desired": wanted, "total": updated, "available": available - old},
            "old": [{"desired": 0, "total": old}]}));
        assert_eq!(decision["next"] == "complete", complete, "{decision}");
    }
}

/// What an unset key is, as the API's defaulting has it (`pkg/apis/apps/v1/defaults.go`): one replica, 25 % of each.
#[test]
fn unset_keys_are_the_apis_defaults() {
    assert_eq!(of(json!({}))["limits"], json!({"surge": 1, "unavailable": 0}));
    assert_eq!(of(json!({}))["next"], json!({"new": 1}));
    assert_eq!(of(json!({"replicas": 10}))["limits"], json!({"surge": 3, "unavailable": 2}));
}

#[test]
fn several_old_sets_go_oldest_first() {
    let decision = of(json!({"replicas": 8, "max_surge": 0, "max_unavailable": 2,
        "old": [{"desired": 3}, {"desired": 4, "available": 2}, {"desired": 3}]}));
    assert_eq!(decision["next"], json!({"old": [1, 2, 3]}));
    assert_eq!(decision["parts"], json!({"new": 0, "old": [1, 4, 3], "unhealthy": [3, 2, 3]}));
    let why =
        crate::answer("kubernetes-deployment", &json!({"replicas": 1, "new": {"desired": 1}, "old": [{"desired": 0}]}));
    assert_eq!(why["why"], "DeploymentComplete: 1 are new and available, none is old");
}
