//! What holds for every kind there is, and for one that is added.

use super::written::Written;
use super::{Fault, FaultKind};
use crate::At;
use crate::section::Scenario;
use std::collections::BTreeSet;
use world::kernel::fault::CATALOGUE;

/// A scenario in which every kind's example can run, with `faults` in it.
fn scenario(faults: &str) -> String {
    format!(
        "phases = {{ warmup = \"10s\", storm = \"2m\", calm = \"30s\" }}\n[registry]\nkind = \"consul\"\n\
         [service.shop]\ninstances = 3\n[load.users]\ntarget = \"shop\"\nrate = \"10/s\"\n{faults}\n"
    )
}

fn example(kind: FaultKind) -> Scenario {
    let text = scenario(&kind.example());
    let checked = crate::check(&text, "example");
    checked.scenario.unwrap_or_else(|| panic!("{}", crate::render(&checked.problems, "example", &text, false)))
}

#[test]
fn kinds_are_those_of_the_kernel_in_its_order() {
    assert_eq!(FaultKind::NAMES, CATALOGUE.iter().map(|info| info.name).collect::<Vec<_>>());
    for (kind, info) in FaultKind::ALL.iter().zip(CATALOGUE) {
        let [fault] = &example(*kind).lower(base::Seed(1)).expect("what parses lowers").faults[..] else { panic!() };
        assert_eq!(fault.kind.info(), *info);
        assert_eq!(fault.lasts.is_none(), info.is_momentary);
    }
}

#[test]
fn what_a_kind_declares_is_well_formed() {
    for kind in FaultKind::ALL {
        let parameters = kind.parameters();
        let names: BTreeSet<&str> = parameters.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names.len(), parameters.len(), "{}", kind.name());
        for parameter in parameters {
            let what = format!("{} of {}", parameter.name, kind.name());
            assert!(
                !["name", "kind", "what", "at", "lasts"].contains(&parameter.name),
                "{what} is a key of all faults"
            );
            assert!(parameter.about.starts_with(char::is_lowercase) && !parameter.about.ends_with('.'), "{what}");
            if let Some(default) = parameter.default {
                let written = At::new(Written::Text(default.to_string()));
                assert!((parameter.misread)(&written).is_empty(), "the default of {what} is none of its values");
            }
        }
        // What is quoted in a sentence can be written.
        let quoted = kind.summary().split('`').skip(1).step_by(2).map(|key| key.split(' ').next().unwrap_or(key));
        quoted.for_each(|key| assert!(names.contains(key), "{} has no `{key}`", kind.name()));
    }
}

#[test]
fn every_parameter_is_asked_for_and_refused_where_it_is_something_else() {
    let texts = |text: &str| crate::check(text, "x").problems.into_iter().map(|p| (p.message, p.span)).collect();
    for kind in FaultKind::ALL {
        for parameter in kind.parameters() {
            let mut faults = example(*kind);
            let own: &mut Fault = &mut faults.fault[0].value;
            own.parameters.retain(|key, _| key.value != parameter.name);
            let without = crate::to_toml(&faults);
            let told: Vec<(String, _)> = texts(&without);
            match parameter.default {
                Some(_) => assert_eq!(told, [], "{} by default", parameter.name),
                None => {
                    let needs = format!("a fault of kind `{}` needs `{}`", kind.name(), parameter.name);
                    assert_eq!(told.iter().map(|(message, _)| message.as_str()).collect::<Vec<_>>(), [needs]);
                }
            }
            let line = format!("{} = false\n", parameter.name);
            let header = without.find("[[fault]]\n").expect("it has a fault") + "[[fault]]\n".len();
            let wrong = format!("{}{line}{}", &without[..header], &without[header..]);
            let told: Vec<(String, _)> = texts(&wrong);
            let place = header + parameter.name.len() + 3;
            let [(_, span)] = &told[..] else { panic!("{told:?}") };
            assert_eq!(*span, Some(place..place + "false".len()), "{} of {}", parameter.name, kind.name());
        }
    }
}

#[test]
fn what_is_wrong_with_a_parameter_is_told_although_the_file_is_not_toml() {
    let faults = "[[fault]]\nkind = \"slow\"\nwhat = \"shop\"\nat = \"20s\"\nlasts = \"5s\"\nfactor = \"much\"\n";
    let text = scenario(&format!("{faults}[expect\n"));
    let told: Vec<String> = crate::check(&text, "x").problems.into_iter().map(|problem| problem.message).collect();
    assert!(told.len() > 1 && told.contains(&"`much` is not a number".to_string()), "{told:?}");
}

#[test]
fn a_value_is_written_as_it_was_read() {
    let values = "a = [true, -1, 2.5, 1e30, \"x\", { b = { c = 99999999999 } }, []]";
    let table: toml::Table = values.parse().expect("it is TOML");
    let written: std::collections::BTreeMap<String, Written> = toml::from_str(values).expect("any value is one");
    assert_eq!(toml::Table::try_from(&written).as_ref(), Ok(&table));
    assert_eq!(written["a"], Written::of(&table["a"]));
}
