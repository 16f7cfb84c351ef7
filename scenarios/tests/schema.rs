//! The JSON Schema accepts what the program accepts, and objects to what an editor can notice.

mod generate;

use serde_json::{Value, json};

fn as_json(text: &str) -> Value {
    let table: toml::Table = text.parse().expect("it is TOML");
    serde_json::to_value(table).expect("TOML without dates is JSON")
}

fn objections(value: &Value) -> Vec<String> {
    let schema = scenarios::schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_scenario_of_the_library_and_the_template_fit_the_schema() {
    for entry in scenarios::library() {
        assert_eq!(objections(&as_json(entry.text)), Vec::<String>::new(), "{}", entry.name);
    }
    assert_eq!(objections(&as_json(&scenarios::template("x"))), Vec::<String>::new());
}

/// What is generated is read without a problem (`properties`), so an objection here is one of the schema against what
/// runs.
#[test]
fn whatever_can_be_generated_fits_the_schema() {
    let schema = scenarios::schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for seed in 0..300 {
        let text = generate::file(seed);
        let errors: Vec<String> =
            validator.iter_errors(&as_json(&text)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "seed {seed}\n{text}");
    }
}

#[test]
fn the_schema_objects_to_what_an_editor_can_notice() {
    let good = as_json(scenarios::find("weather").expect("it is in the library").text);
    for (pointer, key, value) in [
        ("", "titel", json!("a typo")),
        ("/phases", "storm", json!("3 minutes")),
        ("/phases", "storm", json!(180)),
        ("/topology", "network", json!("cross-zon")),
        ("/registry", "kind", json!("raft")),
        ("/service/backend", "instances", json!(-1)),
        ("/service/backend", "service_time", json!({"distribution": "lognorml"})),
        ("/balancer", "strategy", json!("p3c")),
        ("/load/visitors", "rate", json!("400")),
        ("/rollout/0", "to", Value::Null),
        ("/rollout/0/analysis", "success_rate", json!("99%")),
        ("/fault/0", "kind", json!("crush")),
        ("/expect", "always", json!(["views_converge"])),
    ] {
        let mut bad = good.clone();
        bad.pointer_mut(pointer).expect(pointer).as_object_mut().expect("a table").insert(key.to_string(), value);
        assert!(!objections(&bad).is_empty(), "{pointer}/{key} went unnoticed");
    }
    let mut without = good.clone();
    without.pointer_mut("/rollout/0").and_then(Value::as_object_mut).expect("a rollout").remove("to");
    assert!(!objections(&without).is_empty(), "a rollout to nothing");
}

#[test]
fn every_key_is_described() {
    fn walk(value: &Value, path: &str, bare: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (key, schema) in properties {
                if schema.get("description").is_none() {
                    bare.push(format!("{path}/{key}"));
                }
            }
        }
        if let Some(defs) = value.get("$defs").and_then(Value::as_object) {
            for (name, schema) in defs {
                walk(schema, name, bare);
            }
        }
    }
    let mut bare = Vec::new();
    walk(&scenarios::schema(), "", &mut bare);
    assert_eq!(bare, Vec::<String>::new());
}
