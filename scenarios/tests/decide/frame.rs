//! What holds for every engine: its declaration is whole, its example decides, and no case makes it panic.

use proptest::prelude::*;
use scenarios::decide::{Engine, engines, find};
use serde_json::{Value, json};

#[test]
fn every_declaration_is_whole_and_its_name_is_its_own() {
    let mut names: Vec<&str> = engines().iter().map(|engine| engine.name).collect();
    for engine in engines() {
        assert!(engine.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", engine.name);
        assert!(!engine.summary.ends_with('.') && engine.explanation.ends_with('.'), "{}", engine.name);
        assert!(engine.explanation.contains("Not modelled: ") || engine.name == "backoff", "{}", engine.name);
        assert!(!engine.source.is_empty() && engine.answer.starts_with(['`', 'F']), "{}", engine.name);
        assert!(std::ptr::eq(find(engine.name).expect("it is listed"), *engine));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), engines().len());
    assert!(find("kubernetes_deployment").is_none());
}

/// An engine's example as JSON.
fn example(engine: &Engine) -> Value {
    serde_json::to_value(engine.example.parse::<toml::Table>().expect("it is TOML")).expect("without dates")
}

#[test]
fn an_example_decides_and_means_the_same_in_both_languages() {
    for engine in engines() {
        let (toml, json) = (engine.toml(engine.example), engine.json(&example(engine).to_string()));
        assert!(toml.problems.is_empty(), "{}: {}", engine.name, toml.line);
        assert_eq!(toml.line, json.line, "{}", engine.name);
        let first = toml.line.get(0).unwrap_or(&toml.line);
        let keys: Vec<&String> = first.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["decision", "why"], "{}", engine.name);
    }
}

#[test]
fn an_example_fits_the_schema_and_a_typo_does_not() {
    for engine in engines() {
        let schema = engine.schema();
        let validator = jsonschema::validator_for(&schema).expect("the schema is one");
        let mut case = example(engine);
        let errors: Vec<String> = validator.iter_errors(&case).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", engine.name);
        case["replicsa"] = json!(1);
        assert!(!validator.is_valid(&case), "{}", engine.name);
        let said = engine.json(&case.to_string()).line["error"].to_string();
        assert!(said.contains("unknown key `replicsa`") && said.contains("known: "), "{}: {said}", engine.name);
    }
}

#[test]
fn every_key_of_a_case_is_described() {
    fn bare(schema: &Value, path: &str, out: &mut Vec<String>) {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            if value["description"].as_str().is_none_or(str::is_empty) {
                out.push(format!("{path}.{key}"));
            }
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            bare(definition, name, out);
        }
    }
    for engine in engines() {
        let mut out = Vec::new();
        bare(&engine.schema(), engine.name, &mut out);
        assert_eq!(out, Vec::<String>::new());
    }
}

#[test]
fn everything_wrong_with_a_case_is_said_with_its_key() {
    let engine = find("kubernetes-deployment").expect("it is listed");
    let text = "replicas = -1\nmax_surge = \"25\"\n[new]\ndesired = 3\navailible = 2\n[[old]]\ntotal = 1\n";
    let answered = engine.toml(text);
    let said = answered.line["error"].as_str().expect("it is wrong").to_string();
    for part in [
        "`-1` is not a whole number from 0 to 4294967295 at `replicas`",
        "`25` has no unit at `max_surge`: write 25%",
        "unknown key `availible` at `new.availible`: did you mean `available`? known: available, desired, total",
        "`desired` is missing at `old[0]`",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let shown = scenarios::render(&answered.problems, "case.toml", text, false);
    assert!(shown.contains("case.toml:5:1") && shown.contains("case.toml:1:12"), "{shown}");
    let broken = engine.toml("replicas = = 3\nold = [{}]\n");
    let said = broken.line["error"].to_string();
    assert!(broken.problems[0].span.is_some() && said.contains("`desired` is missing at `old[0]`"), "{said}");
    let canary = find("argo-canary").expect("it is listed").toml("weight = = 3\n").line["error"].to_string();
    assert!(!canary.contains("missing"), "a line that cannot be read explains what is missing: {canary}");
    let typed = engine.json(r#"{"replicas": "ten"}"#);
    assert_eq!(typed.line, json!({"error": "`ten` is not a whole number at `replicas`: such as 3"}));
    assert!(typed.problems.iter().all(|problem| problem.span.is_none()));
}

/// Every place of a value, by the keys that lead there.
fn places(value: &Value, path: &str, out: &mut Vec<String>) {
    out.push(path.to_string());
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| places(inner, &format!("{path}/{key}"), out)),
        Value::Array(all) => all.iter().enumerate().for_each(|(i, inner)| places(inner, &format!("{path}/{i}"), out)),
        _ => {}
    }
}

/// Values that stand at the edges of what a key may be, and beyond.
const VALUES: [&str; 22] = [
    "0",
    "1",
    "2",
    "100",
    "101",
    "4294967295",
    "4294967296",
    "-1",
    "0.5",
    "1e300",
    "\"0%\"",
    "\"25%\"",
    "\"100%\"",
    "\"0s\"",
    "\"90s\"",
    "\"876000h\"",
    "\"none\"",
    "\"envoy\"",
    "\"1.2.3\"",
    "[]",
    "{}",
    "true",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Up to four values of an example are replaced by others; an answer comes, and one of the two kinds there are.
    #[test]
    fn no_case_makes_an_engine_panic(
        which in 0..engines().len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..VALUES.len()), 1..5),
    ) {
        let engine = engines()[which];
        let mut case = example(engine);
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&case, "", &mut all);
            let path = &all[place.index(all.len())];
            *case.pointer_mut(path).expect("a place") = serde_json::from_str(VALUES[value]).expect("a value");
        }
        let answered = engine.json(&case.to_string());
        let is_error = answered.line.get("error").is_some();
        prop_assert_eq!(is_error, !answered.problems.is_empty());
        let whole = |one: &Value| one["why"].as_str().is_some_and(|why| !why.is_empty()) && one.get("decision").is_some();
        let decided = answered.line.as_array().map_or(whole(&answered.line), |all| all.iter().all(whole));
        prop_assert!(is_error || decided, "{}", answered.line);
    }

    /// A text that is anything at all is answered too.
    #[test]
    fn no_text_makes_an_engine_panic(which in 0..engines().len(), text in "[ -~\\n]{0,80}") {
        let engine = engines()[which];
        prop_assert_eq!(engine.json(&text).line.get("error").is_some(), !engine.json(&text).problems.is_empty());
        prop_assert_eq!(engine.toml(&text).line.get("error").is_some(), !engine.toml(&text).problems.is_empty());
    }
}
