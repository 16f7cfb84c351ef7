//! What holds for every input: no panic, and what is written reads back as the same.

mod generate;

use base::{Instant, Seed};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use world::Spec;

/// Pieces of which scenarios are made, for soups that come nearer to one than random characters do.
const TOKENS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\"",
    "'",
    "\n",
    " ",
    "#",
    "title",
    "phases",
    "warmup",
    "storm",
    "calm",
    "service",
    "shop",
    "instances",
    "service_time",
    "distribution",
    "\"lognormal\"",
    "p50",
    "\"8ms\"",
    "load",
    "target",
    "rate",
    "\"400/s .. 800/s\"",
    "[[fault]]",
    "kind",
    "\"crash\"",
    "what",
    "\"one of shop\"",
    "at",
    "lasts",
    "\"15s\"",
    "[service.shop]",
    "[load.users]",
    "[expect]",
    "always",
    "rollout",
    "gateway",
    "route",
    "prefix",
    "-1",
    "3",
    "0.5",
    "true",
    "1979-05-27",
    "nan",
    "\"99%\"",
    "\"\"",
    "\\u0000",
    "é",
    "🦀",
    "policy",
    "retries",
    "calls",
    "[\"shop\", [\"shop\"]]",
];

/// Whatever was drawn: a fault begins in the storm, and one that ends does so before calm.
fn faults_lie_in_the_storm(spec: &Spec) {
    let begin = Instant::ZERO + spec.phases.warmup;
    let end = begin + spec.phases.storm;
    for fault in &spec.faults {
        assert!((begin..=end).contains(&fault.at), "{fault} begins outside {begin} to {end}");
        assert!(fault.lasts.is_none_or(|lasts| fault.at + lasts <= end), "{fault} ends after {end}");
    }
}

/// Everything a text can be put through.
fn put_through(text: &str) {
    let checked = scenarios::check(text, "any");
    for colour in [false, true] {
        let shown = scenarios::render(&checked.problems, "any.toml", text, colour);
        assert_eq!(shown.is_empty(), checked.problems.is_empty());
    }
    match checked.scenario {
        Some(scenario) => {
            for seed in [0, 1, u64::MAX] {
                faults_lie_in_the_storm(&scenario.lower(Seed(seed)).expect("what parses lowers with every seed"));
            }
            let written = scenarios::to_toml(&scenario);
            assert_eq!(scenarios::parse(&written, "any").as_ref(), Ok(&scenario), "{written}");
        }
        None => assert!(!checked.problems.is_empty(), "refused without a reason"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        put_through(&text);
    }

    #[test]
    fn any_soup_of_tokens_is_answered(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        put_through(&tokens.join(""));
        put_through(&tokens.join(" "));
    }

    #[test]
    fn any_mutation_of_a_library_file_is_answered(
        which in 0..scenarios::library().len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, prop::sample::select(TOKENS)), 1..4),
    ) {
        let mut text = scenarios::library()[which].text.to_string();
        for (index, length, token) in edits {
            let boundary = |mut at: usize, text: &str| {
                at = at.min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let from = boundary(index.index(text.len().max(1)), &text);
            let to = boundary(from + length, &text).max(from);
            text.replace_range(from..to, token);
        }
        put_through(&text);
    }

    /// A fault is accepted exactly when it lies in the storm whatever is drawn of its ranges.
    #[test]
    fn a_fault_is_accepted_exactly_when_no_seed_can_move_it_out_of_the_storm(
        at in (5u64..75, 0u64..3),
        lasts in (1u64..20, 0u64..3),
        seed in any::<u64>(),
    ) {
        let range = |(low, width): (u64, u64)| format!("{low}s .. {}s", low + width);
        let text = format!(
            "phases = {{ warmup = \"10s\", storm = \"60s\" }}\nservice.shop = {{}}\n\
             load.users = {{ target = \"shop\", rate = \"1/s\" }}\n\
             fault = [{{ kind = \"pause\", what = \"shop\", at = \"{}\", lasts = \"{}\" }}]",
            range(at), range(lasts),
        );
        let fits = at.0 >= 10 && at.0 + at.1 + lasts.0 + lasts.1 <= 70;
        match scenarios::parse(&text, "storm") {
            Ok(scenario) => {
                prop_assert!(fits, "accepted: {}", text);
                faults_lie_in_the_storm(&scenario.lower(Seed(seed)).expect("what parses lowers with every seed"));
            }
            Err(problems) => {
                prop_assert!(!fits, "refused: {:?} in {}", problems, text);
                prop_assert_eq!(problems.len(), 1);
                prop_assert!(problems[0].message.starts_with("this fault"), "{:?}", problems);
            }
        }
    }

    /// Spans that do not fit the text are shown as well as they can be.
    #[test]
    fn any_span_is_shown(text in "[aé🦀\t\r\n]{0,30}", from in 0usize..80, length in 0usize..80, label in "\\PC{0,10}") {
        let span = Some(from..from + length);
        let problem = scenarios::Problem::new("a message").label(label).span(span.clone());
        let backwards = problem.clone().span(span.map(|span| std::ops::Range { start: span.end, end: span.start }));
        let shown = scenarios::render(&[problem, backwards], "any.toml", &text, false);
        prop_assert_eq!(shown.matches("a message").count(), 2);
    }

    #[test]
    fn a_scenario_is_read_as_it_was_written(drawn in any::<u64>()) {
        let (mut scenario, text) = (generate::scenario(drawn), generate::file(drawn));
        scenario.name_faults();
        let checked = scenarios::check(&text, &scenario.name);
        let shown = scenarios::render(&checked.problems, "generated.toml", &text, false);
        prop_assert_eq!(checked.scenario.as_ref(), Some(&scenario), "{}\n{}", shown, text);
        let seeds = [0, 1, 2, u64::MAX];
        for seed in seeds {
            let spec = scenario.lower(Seed(seed)).expect("what parses lowers with every seed");
            faults_lie_in_the_storm(&spec);
            prop_assert_eq!(checked.scenario.as_ref().map(|s| s.lower(Seed(seed))), Some(Ok(spec)));
        }
    }
}

#[test]
fn deep_and_long_texts_are_answered() {
    put_through(&"[".repeat(100_000));
    put_through(&"a.".repeat(50_000));
    put_through(&format!("title = \"{}\"", "x".repeat(500_000)));
    put_through(&format!("a = {}1{}", "[".repeat(5_000), "]".repeat(5_000)));
    put_through(&"x = 1\n".repeat(5_000));
    put_through(&(0..20_000).map(|i| format!("key{i} = 1\n")).collect::<String>());
    put_through("\u{feff}title = \"with a byte order mark\"");
    put_through("title = \"\u{0}\"\r\nphases = 3\r\n\tservice = \u{202e}");
}
