//! A fault of the network ends when it ends, and what does not fit into a buffer is lost.

use crate::common::{outcome, outcome_of, text};
use base::Duration;

#[test]
fn what_waits_at_a_throttle_leaves_when_the_fault_ends() {
    let outcome = outcome("throttle-outlives-its-fault", 1);
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{:?}", outcome.requests);
    // From 2 s to 12 s a line of 10 kbit/s carries a dozen requests; all others wait until 12 s.
    let longest = outcome.latency.max;
    assert!((Duration::secs(9)..Duration::ms(10_500)).contains(&longest), "{longest}");
}

#[test]
fn what_does_not_fit_is_sent_again_after_the_timeouts_of_tcp() {
    let narrow = "topology = { network = { buffer = \"20kB\" } }\n".to_string() + &text("throttle-outlives-its-fault");
    let outcome = outcome_of("narrow", &narrow, 1);
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{:?}", outcome.requests);
    // Sent again 0.2, 0.6, 1.4, 3, 6.2 and 12.6 s after the first time: what found no room the first five times is
    // through the last time, when the fault is over.
    let longest = outcome.latency.max;
    assert!((Duration::ms(12_600)..Duration::secs(14)).contains(&longest), "{longest}");
}

/// Each node of the random half is let go by itself during the second half of the fault: the last of ten well before
/// the end of a fault that lasts "forever".
#[test]
fn what_a_swizzle_holds_goes_on_when_its_node_is_let_go() {
    let outcome = outcome_of(
        "swizzle",
        "phases = { warmup = \"1s\", storm = \"90s\", calm = \"60s\" }\npolicy = \"none\"\n\
         service.s = { instances = 4 }\nload.l = { target = \"s\", rate = \"50/s\" }\n\
         fault = [{ kind = \"swizzle\", what = \"s\", at = \"10s\", lasts = \"forever\" }]\n",
        1,
    );
    assert_eq!(outcome.requests.succeeded, outcome.requests.sent, "{:?}", outcome.requests);
    assert!(outcome.latency.max > Duration::secs(5), "somebody was held: {}", outcome.latency.max);
    assert!(outcome.latency.max < Duration::secs(60), "{}", outcome.latency.max);
}
