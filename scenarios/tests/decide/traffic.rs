//! `retry-budget`, `backoff`, `breaker` and `priority-load` against published tests, articles and documentation.

use crate::{decide, decide_each, error};
use serde_json::{Value, json};

/// grpc/grpc `test/core/client_channel/retry_throttle_test.cc`, `ServerRetryThrottleData.Basic`: four tokens, 1.6 for a
/// success. `f` and `s` are failures and successes; a failure's figure says whether a retry follows it.
#[test]
fn grpcs_throttle_stops_at_half_of_its_tokens() {
    let rows = [
        ("f", 3.0, true),
        ("s", 4.0, true),
        ("f", 3.0, true),
        ("f", 2.0, false),
        ("f", 1.0, false),
        ("f", 0.0, false),
        ("f", 0.0, false),
        ("s", 1.6, false),
        ("s", 3.2, true),
        ("f", 2.2, true),
        ("f", 1.2, false),
        ("s", 2.8, true),
        ("f", 1.8, false),
        ("s", 3.4, true),
        ("f", 2.4, true),
    ];
    let event = |name: &str| json!({"event": if name == "f" { "failure" } else { "success" }});
    let inputs: Vec<Value> = rows.iter().map(|(name, ..)| event(name)).collect();
    let budget = json!({"kind": "grpc", "max_tokens": 4, "token_ratio": 1.6});
    let decisions = decide_each("retry-budget", json!({"budget": budget, "inputs": inputs}));
    let decided: Vec<(f64, bool)> = decisions
        .iter()
        .map(|d| (d["tokens"].as_f64().expect("tokens"), d["allowed"].as_bool().expect("a decision")))
        .collect();
    assert_eq!(decided, rows.map(|(_, tokens, allowed)| (tokens, allowed)));
}

/// envoyproxy/envoy `api/envoy/config/cluster/v3/circuit_breaker.proto`: 20 % of what is active or pending, at least
/// three; the budget takes the place of the static limit, which is three by default.
#[test]
fn envoys_budget_follows_what_is_under_way() {
    let rows = [
        (0, 0, 2, 3, true),
        (0, 0, 3, 3, false),
        (10, 9, 3, 3, false),
        (15, 5, 3, 4, true),
        (80, 20, 19, 20, true),
        (80, 20, 20, 20, false),
    ];
    let input = |&(active, pending, retries, ..): &(u32, u32, u32, u32, bool)| json!({"event": "retry", "active": active, "pending": pending, "retries": retries});
    let inputs: Vec<Value> = rows.iter().map(input).collect();
    let decisions = decide_each("retry-budget", json!({"budget": "envoy", "max_retries": 1, "inputs": inputs}));
    let expected: Vec<Value> =
        rows.iter().map(|(.., limit, allowed)| json!({"limit": limit, "allowed": allowed})).collect();
    assert_eq!(decisions, expected);
    let alone =
        json!({"max_retries": 3, "inputs": [{"event": "retry", "retries": 2}, {"event": "retry", "retries": 3}]});
    let decisions = decide_each("retry-budget", alone);
    assert_eq!(decisions, [json!({"limit": 3, "allowed": true}), json!({"limit": 3, "allowed": false})]);
}

/// twitter/finagle `RetryBudget.scala`: five requests pay for a retry; without a reserve nothing else does, and what
/// was paid in is forgotten after its time.
#[test]
fn finagles_budget_is_paid_in_and_forgotten() {
    let budget = json!({"kind": "finagle", "min_per_second": 0});
    let request = json!({"event": "request"});
    let mut inputs = vec![request; 10];
    inputs.extend([json!({"event": "retry"}), json!({"event": "retry"}), json!({"event": "retry"})]);
    inputs.extend([json!({"at": "1s", "event": "request"}), json!({"at": "1m", "event": "success"})]);
    let decisions = decide_each("retry-budget", json!({"budget": budget, "inputs": inputs}));
    let balances: Vec<u64> = decisions.iter().filter_map(|d| d["balance"].as_u64()).collect();
    assert_eq!(balances, [0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 1, 0, 0, 0, 0]);
    let granted: Vec<bool> = decisions[10..13].iter().filter_map(|d| d["allowed"].as_bool()).collect();
    assert_eq!(granted, [true, true, false]);
    let back = json!({"inputs": [{"at": "2s", "event": "retry"}, {"at": "1s", "event": "retry"}]});
    assert_eq!(
        error("retry-budget", back),
        "1s comes after 2s at `inputs[1].at`: inputs stand in the order of their moments"
    );
}

fn range(backoff: Value, retry: u32, previous: &str) -> (String, String) {
    let decision = decide("backoff", json!({"backoff": backoff, "retry": retry, "previous": previous}));
    let text = |key: &str| decision[key].as_str().unwrap_or_else(|| panic!("{decision}")).to_string();
    (text("from"), text("to"))
}

/// Envoy: 25 ms doubling to 250 ms, from zero. gRPC's proposal: 0.8 to 1.2 times 1 s · 1.6ⁿ⁻¹, as its example of a
/// connection's backoff has it. The article's three of AWS.
#[test]
fn backoffs_have_their_published_ranges() {
    for (retry, to) in [(1, "25ms"), (2, "50ms"), (3, "100ms"), (4, "200ms"), (5, "250ms"), (1000, "250ms")] {
        assert_eq!(range(json!({"kind": "envoy"}), retry, "0s"), ("0s".into(), to.into()));
    }
    let grpc = json!({"kind": "grpc", "base": "1s", "max": "120s", "multiplier": 1.6});
    for (retry, from, to) in [(1, "800ms", "1.2s"), (2, "1.28s", "1.92s"), (3, "2.048s", "3.072s"), (50, "96s", "144s")]
    {
        assert_eq!(range(grpc.clone(), retry, "0s"), (from.into(), to.into()));
    }
    let aws = |kind: &str| json!({"kind": kind, "base": "100ms", "max": "10s"});
    for (kind, retry, previous, from, to) in [
        ("aws_full", 1, "0s", "0s", "100ms"),
        ("aws_full", 4, "0s", "0s", "800ms"),
        ("aws_full", 8, "0s", "0s", "10s"),
        ("aws_equal", 1, "0s", "50ms", "100ms"),
        ("aws_equal", 4, "0s", "400ms", "800ms"),
        ("aws_equal", 8, "0s", "5s", "10s"),
        ("aws_decorrelated", 1, "0s", "100ms", "300ms"),
        ("aws_decorrelated", 2, "250ms", "100ms", "750ms"),
        ("aws_decorrelated", 9, "9s", "100ms", "10s"),
    ] {
        assert_eq!(range(aws(kind), retry, previous), (from.into(), to.into()), "{kind}, retry {retry}");
    }
    assert_eq!(range(json!("40ms"), 7, "0s"), ("40ms".into(), "40ms".into()));
    assert_eq!(
        error("backoff", json!({"retry": 0})),
        "there is no retry number 0 here at `retry`: from 1, the first, to 1000"
    );
    let said = error("backoff", json!({"backoff": {"kind": "envoi"}}));
    assert!(said.starts_with("unknown name `envoi` at `backoff.kind`: did you mean `envoy`?"), "{said}");
}

/// resilience4j/resilience4j `CircuitBreakerStateMachineTest.java`: `shouldOpenAfterFailureRateThresholdExceeded`,
/// `shouldOpenAfterSlowCallRateThresholdExceeded`, `shouldTransitionToHalfOpenAfterWaitDuration` and
/// `shouldOnlyPermitFourCallsInHalfOpenState`, whose window of five seconds is one of five calls here.
#[test]
fn resilience4js_breaker_opens_and_looks_again() {
    let breaker = json!({"window": 5, "min_calls": 5, "failure_rate": "50%", "slow_rate": "50%", "slow_after": "4s",
        "open_for": "5s", "half_open_calls": 4});
    let hear = |inputs: Value| decide_each("breaker", json!({"breaker": breaker, "inputs": inputs}));
    let state =
        |all: &[Value]| -> Vec<String> { all.iter().map(|d| d["state"].as_str().unwrap_or("").into()).collect() };

    let (failed, good) = (json!({"event": "server_error"}), json!({"event": "success"}));
    let all = hear(json!([failed, failed, failed, good, good, {"event": "call"}]));
    assert_eq!(state(&all), ["closed", "closed", "closed", "closed", "open", "open"]);
    assert_eq!((&all[3]["failure_rate"], &all[4]["failure_rate"]), (&Value::Null, &json!("60%")));
    assert_eq!(all[5]["admitted"], false);

    let slow = |event: &str| json!({"event": event, "latency": "5s"});
    let fast = |event: &str| json!({"event": event, "latency": "100ms"});
    let all =
        hear(json!([slow("server_error"), slow("success"), fast("server_error"), fast("success"), slow("success")]));
    assert_eq!(state(&all), ["closed", "closed", "closed", "closed", "open"]);
    assert_eq!((&all[4]["slow_rate"], &all[4]["failure_rate"]), (&json!("60%"), &json!("40%")));

    let call = |at: &str| json!({"at": at, "event": "call"});
    let mut inputs = vec![failed; 5];
    inputs.extend([call("0s"), call("3s"), call("5s"), call("6s"), call("6s"), call("6s"), call("6s"), call("6s")]);
    inputs.extend([json!({"event": "cancelled"}), call("6s")]);
    let all = hear(inputs.into());
    let admitted: Vec<bool> = all.iter().filter_map(|d| d["admitted"].as_bool()).collect();
    assert_eq!(admitted, [false, false, false, true, true, true, true, false, true]);
    assert_eq!(all[8]["state"], "half-open");
    assert!(error("breaker", json!({"breaker": "none", "inputs": []})).contains("nothing to decide at `breaker`"));
}

/// envoyproxy/envoy `docs/root/intro/arch_overview/upstream/load_balancing/priority.rst`, its three tables, of a
/// hundred hosts per priority and without panic. Their last row, 25, 25 and 20 %, is 36, 36 and 28 there; the code,
/// which cuts and gives the rest to the first, makes 37, 35 and 28 (`load_balancer_impl.cc`).
#[test]
fn envoys_priorities_share_the_load() {
    let table: &[(&[u32], &[u32])] = &[
        (&[100, 100], &[100, 0]),
        (&[72, 100], &[100, 0]),
        (&[71, 100], &[99, 1]),
        (&[50, 100], &[70, 30]),
        (&[25, 100], &[35, 65]),
        (&[0, 100], &[0, 100]),
        (&[72, 72], &[100, 0]),
        (&[71, 71], &[99, 1]),
        (&[50, 50], &[70, 30]),
        (&[25, 25], &[50, 50]),
        (&[100, 100, 100], &[100, 0, 0]),
        (&[72, 72, 100], &[100, 0, 0]),
        (&[71, 71, 100], &[99, 1, 0]),
        (&[50, 50, 100], &[70, 30, 0]),
        (&[25, 100, 100], &[35, 65, 0]),
        (&[25, 25, 100], &[35, 35, 30]),
        (&[25, 25, 20], &[37, 35, 28]),
    ];
    for (healthy, load) in table {
        let levels: Vec<Value> = healthy.iter().map(|healthy| json!({"hosts": 100, "healthy": healthy})).collect();
        let decision = decide("priority-load", json!({"levels": levels, "panic_threshold": "0%"}));
        let expected: Vec<Value> =
            load.iter().map(|load| json!({"healthy": load, "degraded": 0, "panic": false})).collect();
        assert_eq!(decision["levels"], json!(expected), "{healthy:?}");
    }
}

/// The same, `panic_threshold.rst` and `degraded.rst`.
#[test]
fn envoys_priorities_panic_and_fall_back() {
    let levels = json!([{"hosts": 100, "healthy": 25}, {"hosts": 100, "healthy": 25}]);
    let decision = decide("priority-load", json!({"levels": levels}));
    let half = json!({"healthy": 50, "degraded": 0, "panic": true});
    assert_eq!(decision["levels"], json!([half, half]));
    let levels = json!([{"hosts": 100, "healthy": 5}, {"hosts": 100, "healthy": 65}]);
    let panics: Vec<Value> = decide("priority-load", json!({"levels": levels}))["levels"]
        .as_array()
        .expect("levels")
        .iter()
        .map(|level| json!([level["healthy"], level["panic"]]))
        .collect();
    assert_eq!(panics, [json!([8, true]), json!([92, false])]);
    let degraded = json!({"levels": [{"hosts": 100, "healthy": 25, "degraded": 75}]});
    assert_eq!(decide("priority-load", degraded)["levels"][0], json!({"healthy": 35, "degraded": 65, "panic": false}));
    assert_eq!(
        error("priority-load", json!({"levels": [{"hosts": 3}, {"hosts": 4, "healthy": 3, "excluded": 2}]})),
        "5 hosts are healthy, degraded or excluded, of 4 in all at `levels[1]`"
    );
    assert!(error("priority-load", json!({"levels": []})).starts_with("there is no priority at `levels`"));
    assert!(
        error("priority-load", json!({"levels": [{"hosts": 1}], "overprovisioning": 0.5})).contains("from 1 to 1000")
    );
}
