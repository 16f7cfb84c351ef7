//! `argo-canary`, `eureka` and `semver` against published tests, formulas and the standard.

use crate::{decide, error};
use serde_json::{Value, json};

/// argoproj/argo-rollouts `utils/replicaset/canary_test.go`: `TestTrafficWeightToReplicas`,
/// `TestCalculateReplicaCountsForCanaryTrafficRouting` and the row of `TestCalculateReplicaCountsForCanary` that has a
/// router and goes by the weight.
#[test]
fn argo_rounds_the_canary_up_and_keeps_the_stable_side() {
    for (weight, canary) in [(0, 0), (20, 2), (25, 3), (33, 4), (99, 10), (100, 10), (10, 1)] {
        let decision = decide("argo-canary", json!({"replicas": 10, "weight": weight}));
        assert_eq!(decision, json!({"canary": canary, "stable": 10}));
    }
    // Products of floating point would make 8 of this, as Argo did before it multiplied first.
    assert_eq!(decide("argo-canary", json!({"replicas": 100, "weight": 7}))["canary"], 7);
    assert_eq!(
        error("argo-canary", json!({"replicas": 10, "weight": 101})),
        "a weight of 101 is more than all traffic at `weight`: from 0 to 100"
    );
    assert_eq!(error("argo-canary", json!({"replicas": 10})), "`weight` is missing");
}

fn eureka(case: Value) -> Value {
    decide("eureka", case)
}

/// Netflix/eureka `AbstractInstanceRegistry.updateRenewsPerMinThreshold`: clients · 60 s / 30 s · 0.85, cut to a whole
/// number; `isLeaseExpirationEnabled`: exceeded, and above zero. One of N clients is dead, and the others renew.
#[test]
fn eureka_believes_in_a_single_death_from_seven_clients_on() {
    for (clients, threshold) in [(0, 0), (1, 1), (2, 3), (3, 5), (4, 6), (5, 8), (6, 10), (7, 11), (10, 17), (100, 170)]
    {
        let survivors: i64 = 2 * (clients - 1);
        let ended = i64::from(clients > 0);
        let decision = eureka(json!({"clients": clients, "renewals": survivors.max(0), "ended": ended}));
        assert_eq!(decision["threshold"], threshold, "{clients} clients: {decision}");
        assert_eq!(decision["expiry"], clients >= 7, "{clients} clients: {decision}");
    }
    // Spring Cloud starts from one client too many: then it takes thirteen.
    for clients in [12, 13] {
        let case = json!({"clients": clients + 1, "renewals": 2 * (clients - 1), "listed": clients, "ended": 1});
        assert_eq!(eureka(case)["expiry"], clients == 13);
    }
    // A lone server of Spring Cloud: two renewals never exceed three.
    assert_eq!(eureka(json!({"clients": 2, "renewals": 2, "listed": 1}))["expiry"], false);
}

/// `AbstractInstanceRegistry.evict`: at most `size − (int) (size · 0.85)` at once.
#[test]
fn eureka_evicts_a_share_at_most() {
    for (listed, limit) in [(0, 0), (1, 1), (6, 1), (7, 2), (10, 2), (20, 3), (100, 15), (1000, 150)] {
        let decision = eureka(json!({"clients": listed, "renewals": 4_000, "ended": listed}));
        assert_eq!(decision["limit"], limit, "{listed} listed: {decision}");
        assert_eq!(decision["evictions"], if listed == 0 { 0 } else { limit }, "{listed} listed: {decision}");
    }
    assert_eq!(eureka(json!({"clients": 100, "renewals": 170, "ended": 20}))["evictions"], 0, "170 do not exceed 170");
    assert_eq!(eureka(json!({"clients": 100, "renewals": 171, "ended": 4}))["evictions"], 4);
}

/// The server's idea of the interval decides, and the share; `Lease.java`: a renewal buys twice the duration.
#[test]
fn eurekas_numbers_can_be_changed() {
    let decision = eureka(json!({"clients": 10, "renew_interval": "10s", "threshold": "50%", "ttl": "30s"}));
    assert_eq!(decision["threshold"], 30);
    assert_eq!((&decision["expiry"], &decision["limit"]), (&json!(true), &json!(5)));
    assert_eq!(decision["lease"], json!({"registered": "30s", "renewed": "1m"}));
    assert_eq!(eureka(json!({"clients": 10}))["lease"], json!({"registered": "90s", "renewed": "3m"}));
    // Exact, where doubles come to 62.999….
    assert_eq!(eureka(json!({"clients": 45, "threshold": "70%"}))["threshold"], 63);
    assert!(error("eureka", json!({"clients": 3, "ended": 4})).starts_with("4 leases have ended of 3 that are listed"));
    assert!(error("eureka", json!({"clients": 3, "renew_interval": "0s"})).contains("at `renew_interval`"));
}

/// The order of section 11.4 of Semantic Versioning 2.0.0.
#[test]
fn versions_stand_in_the_standards_order() {
    let order = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "2.0.0",
        "2.1.0",
        "2.1.1",
    ];
    let backwards: Vec<&str> = order.into_iter().rev().collect();
    assert_eq!(decide("semver", json!({"versions": backwards}))["order"], json!(order));
    let newest = |range: &str| decide("semver", json!({"versions": backwards, "range": range}))["newest"].clone();
    assert_eq!(
        (newest("^1"), newest("<1.0.0-beta"), newest("3")),
        (json!("1.0.0"), json!("1.0.0-alpha.beta"), Value::Null)
    );
}

/// The Cargo Book, "Version requirement syntax": what each notation allows, at its edges.
#[test]
fn ranges_admit_what_the_cargo_book_says() {
    for (range, inside, outside) in [
        ("1.2.3", "1.2.3", "2.0.0"),
        ("^1.2.3", "1.99.0", "1.2.2"),
        ("1.2", "1.2.0", "1.1.9"),
        ("^1", "1.0.0", "2.0.0"),
        ("0.2.3", "0.2.4", "0.3.0"),
        ("0.0.3", "0.0.3", "0.0.4"),
        ("0.0", "0.0.9", "0.1.0"),
        ("0", "0.9.0", "1.0.0"),
        ("~1.2.3", "1.2.9", "1.3.0"),
        ("~1.2", "1.2.0", "1.3.0"),
        ("~1", "1.9.0", "2.0.0"),
        ("*", "7.0.0", "7.0.0-rc.1"),
        ("1.*", "1.9.0", "2.0.0"),
        ("1.2.*", "1.2.9", "1.3.0"),
        (">= 1.2.0", "1.3.0", "1.1.0"),
        ("= 1.2.3", "1.2.3", "1.2.4"),
        (">= 1.2, < 1.5", "1.4.9", "1.5.0"),
        ("^1.2.3-rc.1", "1.2.3-rc.2", "1.3.0-rc.1"),
    ] {
        let matches = |version| decide("semver", json!({"version": version, "range": range}))["matches"].clone();
        assert_eq!((matches(inside), matches(outside)), (json!(true), json!(false)), "{range}");
    }
    assert!(error("semver", json!({"version": "1.2", "range": "^1"})).contains("at `version`"));
    assert!(error("semver", json!({"version": "1.2.0", "range": "hat 1"})).contains("at `range`"));
    assert_eq!(error("semver", json!({"version": "1.2.0"})), "a version needs a `range` to be in at `version`");
    assert_eq!(error("semver", json!({})), "nothing is asked: `version` and `range`, or `versions`");
    assert_eq!(error("semver", json!({"versions": ["1.0.0", "1.0.0"]})), "`1.0.0` stands here twice at `versions[1]`");
}
