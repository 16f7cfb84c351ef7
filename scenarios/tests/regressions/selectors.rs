//! Whom faults mean: what is not there is refused, and whom they met is told.

use crate::common::{check, outcome, outcome_of, problems, text};

fn has(problems: &[scenarios::Problem], message: &str) -> bool {
    problems.iter().any(|problem| problem.message == message)
}

#[test]
fn a_role_that_nobody_plays_is_no_name_and_one_that_somebody_plays_is_no_service() {
    let problems = problems("nobody-is-called-operator");
    assert!(has(&problems, "unknown name `operator`"), "{problems:?}");
    assert!(has(&problems, "a service cannot be called `coordination`"), "{problems:?}");
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_role_is_named_by_what_brings_it() {
    let text = text("a-zone-in-a-name").replace("what = \"z1\"", "what = \"gateway\"");
    let problems = scenarios::check(&text, "without a gateway").problems;
    assert!(has(&problems, "there is no `gateway` here"), "{problems:?}");
}

#[test]
fn the_text_of_a_fault_keeps_its_names() {
    let run = outcome("a-zone-in-a-name", 1);
    assert_eq!(run.faults[0].text, "z1");
    assert_eq!(check(&run, "every_request_ends_once").violations, 0);
    let zone = text("a-zone-in-a-name").replace("what = \"z1\"", "what = \"z1 in zone b\"");
    assert_eq!(outcome_of("a zone", &zone, 1).faults[0].text, "z1 in zone b");
}

#[test]
fn a_run_says_whom_a_draw_hit() {
    for seed in 0..20 {
        let run = outcome("whom-it-hit", seed);
        let hit = |index: usize| run.faults[index].hit.clone().unwrap_or_default();
        let number = |name: &str| name.strip_prefix("shop-").and_then(|n| n.parse::<u32>().ok()).expect("an instance");
        // Every other instance is in the second zone.
        assert_eq!(number(&hit(0)) % 2, 0, "{}", hit(0));
        let (listed, others) = hit(1).split_once(" and ").map(|(a, b)| (a.to_string(), b.to_string())).expect("many");
        assert_eq!((listed.split(", ").count(), others.as_str()), (8, "4 more"));
        assert_eq!(hit(2).split(", ").filter(|name| number(name) % 2 == 1).count(), 5, "half of ten: {}", hit(2));
        assert!((1..=20).contains(&number(&hit(3))));
        assert_eq!(run.faults[4].hit, None, "the scenario says it itself");
    }
    // Not always the same one.
    let drawn: std::collections::BTreeSet<_> =
        (0..20).map(|seed| outcome("whom-it-hit", seed).faults[0].hit.clone()).collect();
    assert!(drawn.len() > 3, "{drawn:?}");
}
