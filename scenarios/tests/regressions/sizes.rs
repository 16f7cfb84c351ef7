//! What no machine can hold, and what would take all day, is refused before it is built.

use crate::common::{problems, text};
use std::time::{Duration, Instant};

#[test]
fn a_ring_without_weights_is_counted_too() {
    let problems = problems("hashing-without-weights");
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(
        problem.message,
        "100000 hosts of 65536 points each are 6553600000 points; karger takes up to 16000000 here"
    );
    assert!(problem.span.is_some(), "it says where");
    for (from, to) in
        [("karger", "dubbo_consistent_hash"), ("\"karger\", points = 65536", "\"ketama\", failover = \"same\"")]
    {
        let text = text("hashing-without-weights").replace(from, to).replace("100000", "99999");
        let said = scenarios::check(&text, to).problems;
        let fits = to.contains("ketama");
        assert_eq!(said.iter().any(|problem| problem.message.contains("99999 hosts would make")), !fits, "{said:?}");
    }
}

#[test]
fn the_balancers_of_all_callers_are_counted_together() {
    let problems = problems("rings-of-many-callers");
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.message.starts_with("10000 callers of `s` with a ring of up to "), "{problem:?}");
    assert!(problem.span.is_some(), "it says where");
    // A hundred of them fit.
    let fewer = text("rings-of-many-callers").replace("instances = 10000", "instances = 100");
    assert!(scenarios::check(&fewer, "fewer").problems.is_empty());
}

#[test]
fn twenty_thousand_equal_faults_are_named_in_one_go() {
    let mut text =
        String::from("service.s = { instances = 2 }\nload.l = { target = \"s\", rate = \"10/s\" }\nfault = [\n");
    for _ in 0..20_000 {
        text.push_str("{kind=\"pause\",what=\"s\",at=\"20s\",lasts=\"1s\"},\n");
    }
    text.push_str("]\n");
    let began = Instant::now();
    let scenario = scenarios::parse(&text, "many").expect("it is in order");
    let spec = scenario.lower(base::Seed(1)).expect("what parses lowers");
    assert_eq!(spec.faults[0].name, "pause s");
    assert_eq!(spec.faults[19_999].name, "pause s#20000");
    // It took 38 s when each looked for its number from the first on.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn a_name_of_seventy_thousand_bytes_is_refused_in_a_few_words() {
    let long = "x".repeat(70_000);
    let name = format!("service.{long} = {{ instances = 2 }}\nload.l = {{ target = \"{long}\", rate = \"10/s\" }}\n");
    let host = format!(
        "service.s = {{ instances = 2 }}\ngateway = {{ route = [{{ host = \"{long}\", to = \"s\" }}] }}\n\
         load.l = {{ host = \"{long}\", path = \"/\", rate = \"10/s\" }}\n"
    );
    for text in [name, host] {
        let problems = scenarios::check(&text, "long").problems;
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|problem| problem.message.len() < 300), "{} problems", problems.len());
    }
}
