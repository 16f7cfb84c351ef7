//! Studies: what a person sees who got one wrong (golden text in `tests/bad_studies`), and what a right one becomes.

use ::study::{Cell, Measure, Theory};
use base::Seed;
use scenarios::Scenario;
use scenarios::study::{self, Checked, Content, Study};
use std::path::{Path, PathBuf};

fn check(text: &str, name: &str) -> Checked {
    study::check(text, name, |name| match name {
        "broken" => Ok("[service.shop]\ninstanses = 3\n[load.users]\ntarget = \"shop\"\nrate = \"1/s\"\n".to_string()),
        name => {
            scenarios::find(name).map(|entry| entry.text.to_string()).ok_or(format!("there is no scenario `{name}`"))
        }
    })
}

fn read(text: &str) -> Study {
    let Checked { study, problems } = check(text, "test");
    assert!(problems.is_empty(), "{}", scenarios::render(&problems, "test.toml", text, false));
    study.expect("a study without a problem can run")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_studies");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the cases are there").flatten().map(|e| e.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "bad"));
    files.sort();
    files
}

#[test]
fn every_problem_of_a_study_is_told_where_it_is() {
    let mut wrong = Vec::new();
    for path in cases() {
        let text = std::fs::read_to_string(&path).expect("a case is text");
        let name = path.file_name().expect("a case has a name").to_string_lossy().into_owned();
        let checked = check(&text, "bad");
        assert!(!checked.problems.is_empty() && checked.study.is_none(), "{name}: nothing is wrong with it");
        let shown = scenarios::render(&checked.problems, &name, &text, false);
        let shown = format!("{}\n", shown.trim_end());
        let answer = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&answer, &shown).expect("the answer can be written");
        }
        if std::fs::read_to_string(&answer).unwrap_or_default() != shown {
            wrong.push(format!("── {name}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 rewrites these after you have read them:\n{}", wrong.join("\n"));
}

/// The scenario of a cell of worlds.
fn scenario(content: &Content) -> &Scenario {
    match content {
        Content::World(scenario) => scenario,
        Content::Hashing(_) => panic!("a world"),
    }
}

const SMALL: &str = r#"
title = "Small"
question = """
Who asked?
"""
seeds = "3..6"
confidence = "90%"
[base]
phases = { warmup = "1s", storm = "2s", calm = "1s" }
policy = "none"
[base.service.shop]
concurrency = 1
service_time = "10ms"
[base.load.users]
target = "shop"
utilization = "1%"
[[axis]]
name = "load"
set = "load.users.utilization"
values = ["50%", "100%", { label = "too much", value = "120%" }]
[[axis]]
set = "balancer"
values = ["random", { strategy = "p2c", choices = 3 }]
[[axis]]
name = "fleet"
points = [
    { label = "small", x = 1 },
    { label = "large", x = 10, set = { "load.users.sources" = 7, service.shop.instances = 10 }, unset = ["phases.calm"] },
]
[compare]
axis = "balancer"
against = "random"
[[plot]]
kind = "by_axis"
x = "load"
theory = "mm1"
"#;

#[test]
fn a_study_becomes_cells_in_the_order_of_its_axes() {
    let Study { plan, contents } = read(SMALL);
    assert_eq!((plan.title.as_str(), plan.question.as_str(), plan.confidence), ("Small", "Who asked?", 0.9));
    assert_eq!(plan.seeds, [3, 4, 5].map(Seed));
    let keys: Vec<&str> = plan.cells.iter().map(|cell| cell.key.as_str()).collect();
    assert_eq!(
        keys[..5],
        [
            "50pct_random_small",
            "50pct_random_large",
            "50pct_p2c-choices-3_small",
            "50pct_p2c-choices-3_large",
            "100pct_random_small"
        ]
    );
    assert_eq!(keys.len(), 12);
    assert_eq!(plan.axes[0].numbers.as_deref(), Some(&[0.5, 1.0, 1.2][..]));
    assert_eq!((plan.axes[1].name.as_str(), plan.axes[1].numbers.as_ref()), ("balancer", None));
    assert_eq!(plan.axes[2].numbers.as_deref(), Some(&[1.0, 10.0][..]));
    let comparison = plan.comparison.expect("it compares");
    assert_eq!((comparison.axis, comparison.against), (1, Some(0)));
    assert_eq!(comparison.measures, [Measure::P99, Measure::Mean]);
    assert_eq!((plan.plots[0].x, plan.plots[0].theory.as_slice()), (Some(0), &[Theory::Mm1][..]));
    let spec = scenario(&contents[1]).lower(Seed(1)).expect("every cell lowers");
    assert_eq!((plan.service.as_str(), spec.loads[0].sources, spec.services[0].instances), ("shop", 7, 10));
    assert_eq!(plan.cells[1].servers, 10);
    assert!((plan.cells[1].service_ms.expect("it is known") - 10.0).abs() < 1e-9);
    let small = &plan.cells[0];
    let spec = scenario(&contents[0]).lower(Seed(1)).expect("every cell lowers");
    assert_eq!((spec.loads[0].sources, spec.services[0].instances, small.servers), (1, 1, 1));
}

#[test]
fn unstable_cells_are_known_before_anything_runs() {
    let cells = read(SMALL).plan.cells;
    let rho: Vec<f64> = cells.iter().map(|cell| cell.utilization.expect("it is known")).collect();
    assert_eq!(rho[..2], [0.5, 0.5]);
    let unstable: Vec<bool> = cells.iter().map(Cell::is_unstable).collect();
    assert_eq!(unstable[..4], [false; 4]);
    assert_eq!(unstable[4..], [true; 8]);
    // Of a range, the worst that any seed draws; with speeds, slowdowns and a rate that is given.
    let ranged = "[base.service.shop]\nconcurrency = 2\nservice_time = \"10ms\"\nspeeds = [1, 0.5]\ninstances = 2\n\
                  [base.load.users]\ntarget = \"shop\"\nrate = \"200/s .. 400/s\"\n\
                  [[axis]]\nset = \"balancer\"\nvalues = [\"random\"]\n";
    let of =
        |seeds: &str| read(&format!("seeds = \"{seeds}\"\n{ranged}")).plan.cells[0].utilization.expect("it is known");
    let each: Vec<f64> = ["1..2", "2..3", "3..4"].map(of).to_vec();
    assert!(each.iter().all(|rho| (200.0 / 300.0..=400.0 / 300.0).contains(rho)), "{each:?}");
    assert_eq!(of("1..4"), each.iter().copied().fold(0.0, f64::max));
}

#[test]
fn overload_is_run_where_something_bounds_it() {
    let cell = |service: &str, load: &str| {
        let text = format!(
            "[base]\npolicy = \"none\"\n[base.service.shop]\nconcurrency = 1\nservice_time = \"10ms\"\n{service}\n\
             [base.load.users]\ntarget = \"shop\"\n{load}\n\
             [[axis]]\nset = \"balancer\"\nvalues = [\"random\"]\n"
        );
        read(&text).plan.cells.remove(0)
    };
    let too_much = "rate = \"150/s\"";
    assert!(cell("", too_much).is_unstable(), "an open load, no limit, no timeout");
    let bounds = [
        "queue_limit = 8",
        "policy = { timeout = \"1s\" }",
        "policy = \"envoy\"",
        "policy = { limits = { max_requests = 64 } }",
    ];
    for bound in bounds {
        let cell = cell(bound, too_much);
        assert!(cell.is_overloaded() && !cell.is_unstable(), "{bound}");
    }
    let closed = cell("", "shape = \"closed\"\nusers = 500");
    assert!(!closed.is_overloaded() && !closed.is_unstable(), "who waits for an answer brings no more than is done");
}

#[test]
fn a_scenario_of_the_library_can_be_varied() {
    let study = read("base = \"steady\"\n[[axis]]\nset = \"load.users.rate\"\nvalues = [\"100/s\", \"200/s\"]\n");
    assert_eq!(study.plan.cells.len(), 2);
    let scenario = scenario(&study.contents[1]);
    let base = scenarios::parse(scenarios::find("steady").expect("it is there").text, "steady").expect("it parses");
    let (of_cell, of_base) = (scenario.lower(Seed(1)).expect("it lowers"), base.lower(Seed(1)).expect("it lowers"));
    assert_eq!(of_cell.loads, of_base.loads, "set to what it was");
    assert_eq!(scenario.service, base.service);
}

#[test]
fn hashing_studies_have_structures_for_cells() {
    let study = read(
        "hashing = { structure = \"ring\", keys = 1000 }\n[[axis]]\nset = \"structure\"\nvalues = [\"ring\", \"maglev\"]\n\
         [[axis]]\nset = \"backends\"\nvalues = [3, 10]\n",
    );
    let of = |index: usize| match &study.contents[index] {
        Content::Hashing(hashing) => (hashing.structure.as_str(), hashing.backends, hashing.keys),
        Content::World(_) => panic!("no world"),
    };
    assert_eq!([of(0), of(1), of(2)], [("ring", 3, 1000), ("ring", 10, 1000), ("maglev", 3, 1000)]);
    assert_eq!(study.plan.axes[1].numbers.as_deref(), Some(&[3.0, 10.0][..]));
}

#[test]
fn every_study_file_is_in_the_library_and_says_what_it_shows() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies");
    let files = std::fs::read_dir(folder).expect("the studies are there").flatten();
    let mut files: Vec<String> = files.map(|file| scenarios::name_of(&file.path())).collect();
    let mut listed: Vec<String> = study::library().iter().map(|entry| entry.name.to_string()).collect();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
    let validator = jsonschema::validator_for(&study::schema()).expect("the schema is one");
    for entry in study::library() {
        let about = entry.about();
        for word in ["Shows:", "Question:", "Expected:"] {
            assert!(about.contains(word), "{}: the comment at the top lacks `{word}`", entry.name);
        }
        assert!(!study::title(entry).is_empty() && study::is_study(entry.text), "{}", entry.name);
        let table: toml::Table = entry.text.parse().expect("it is TOML");
        let value = serde_json::to_value(table).expect("TOML without dates is JSON");
        let objections: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert_eq!(objections, Vec::<String>::new(), "{}", entry.name);
    }
}

#[test]
fn the_example_of_the_readme_can_run() {
    let readme = include_str!("../README.md");
    let text = readme.split("## Studies").nth(1).and_then(|rest| rest.split("```toml\n").nth(1));
    let text = text.and_then(|rest| rest.split("```").next()).expect("it has an example");
    let Checked { study, problems } = check(text, "readme");
    assert!(problems.is_empty(), "{}", scenarios::render(&problems, "README.md", text, false));
    assert_eq!(study.expect("it can run").plan.cells.len(), 36);
}

#[test]
fn a_study_is_told_from_a_scenario() {
    assert!(study::is_study(SMALL) && study::is_study("base = 3") && study::is_study("[hashing]\n[[axis"));
    assert!(!study::is_study(scenarios::template("x").as_str()) && !study::is_study(""));
    assert!(scenarios::library().iter().all(|entry| !study::is_study(entry.text)));
}

#[test]
fn every_key_of_a_study_is_described() {
    let schema = study::schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let table: toml::Table = SMALL.parse().expect("it is TOML");
    let value = serde_json::to_value(table).expect("TOML without dates is JSON");
    let objections: Vec<String> =
        validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(objections, Vec::<String>::new());
    let properties = schema["properties"].as_object().expect("a table");
    let bare: Vec<&String> =
        properties.iter().filter(|(_, s)| s.get("description").is_none()).map(|(k, _)| k).collect();
    assert!(bare.is_empty(), "{bare:?}");
    let mut bad = value.clone();
    bad["axis"][0]["valeus"] = serde_json::json!([1]);
    assert!(!validator.is_valid(&bad));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    /// Whatever is cut out of or put into a study, it is answered.
    #[test]
    fn any_mutation_of_a_study_is_answered(
        from in 0usize..SMALL.len(),
        length in 0usize..40,
        token in "[a-z\"\\[\\]{}=.0-9\n]{0,6}",
    ) {
        let boundary = |n: usize| (0..=n.min(SMALL.len())).rev().find(|n| SMALL.is_char_boundary(*n)).unwrap_or(0);
        let (from, to) = (boundary(from), boundary(from + length).max(boundary(from)));
        let text = format!("{}{token}{}", &SMALL[..from], &SMALL[to..]);
        let Checked { study, problems } = check(&text, "mutant");
        let _ = scenarios::render(&problems, "mutant.toml", &text, false);
        if let Some(study) = study {
            for content in &study.contents {
                if let Content::World(scenario) = content {
                    proptest::prop_assert!(scenario.lower(Seed(9)).is_ok());
                    let written = scenarios::to_toml(scenario);
                    proptest::prop_assert!(scenarios::parse(&written, "cell").is_ok(), "{}", written);
                }
            }
        }
    }
}

/// Two axes that take faults and rollouts out of a base and put others in.
const ITEMS: &str = r#"
seeds = 1
[base]
phases = { warmup = "5s", storm = "30s", calm = "5s" }
[base.service.shop]
instances = 3
version."1.1.0" = {}
[base.load.users]
target = "shop"
rate = "50/s"
[[base.fault]]
kind = "crash"
what = "shop-1"
at = "10s"
lasts = "10s"
[[base.fault]]
name = "freeze"
kind = "pause"
what = "shop-2"
at = "10s"
lasts = "10s"
[[axis]]
name = "faults"
[[axis.points]]
label = "both"
[[axis.points]]
label = "the first alone"
remove = ["fault.freeze"]
[[axis.points]]
label = "the second alone"
remove = ["fault.0"]
[[axis.points]]
label = "another"
remove = ["fault.0", "fault.'crash shop-1'", "fault.1"]
[[axis.points.add.fault]]
name = "later"
kind = "crash"
what = "shop-3"
at = "20s"
lasts = "5s"
[[axis]]
name = "more"
points = [
    { label = "nothing", set = { fault.freeze.lasts = "3s" } },
    { label = "a rollout", remove = ["fault.1"], add = { rollout = { service = "shop", to = "1.1.0", at = "8s" } } },
]
"#;

#[test]
fn an_axis_adds_and_removes_faults_and_rollouts() {
    let study = read(ITEMS);
    let cells = study.plan.cells.iter().zip(&study.contents);
    let cells: Vec<String> = cells
        .map(|(cell, content)| {
            let spec = scenario(content).lower(Seed(1)).expect("every cell lowers");
            let faults: Vec<String> = spec.faults.iter().map(|fault| fault.name.to_string()).collect();
            format!("{}: {}; {} rollouts", cell.key, faults.join(", "), spec.rollouts.len())
        })
        .collect();
    assert_eq!(
        cells,
        [
            "both_nothing: crash shop-1, freeze; 0 rollouts",
            "both_a-rollout: crash shop-1; 1 rollouts",
            "the-first-alone_nothing: crash shop-1; 0 rollouts",
            "the-first-alone_a-rollout: crash shop-1; 1 rollouts",
            "the-second-alone_nothing: freeze; 0 rollouts",
            "the-second-alone_a-rollout: ; 1 rollouts",
            "another_nothing: later; 0 rollouts",
            "another_a-rollout: later; 1 rollouts",
        ]
    );
    let validator = jsonschema::validator_for(&study::schema()).expect("the schema is one");
    let table: toml::Table = ITEMS.parse().expect("it is TOML");
    assert!(validator.is_valid(&serde_json::to_value(table).expect("TOML without dates is JSON")));
}

/// An item of an array was named to `unset`, which did nothing: both points were the same, and "cannot tell" was the
/// answer.
#[test]
fn unset_of_an_item_is_an_error_that_is_told_once() {
    let text = include_str!("regressions/files/study-unset-array-element.toml");
    let Checked { study, problems } = check(text, "unset");
    assert!(study.is_none());
    let shown = scenarios::render(&problems, "unset.toml", text, false);
    assert_eq!(problems.len(), 1, "{shown}");
    assert!(shown.contains("`fault` is an array in the base") && shown.contains("remove = [\"fault.0\"]"), "{shown}");
    let mended = text.replace("unset = [\"fault.0\"]", "remove = [\"fault.0\"]");
    let study = read(&mended);
    let faults = |content: &Content| scenario(content).lower(Seed(1)).expect("it lowers").faults.len();
    assert_eq!(study.contents.iter().map(faults).collect::<Vec<_>>(), [0, 1]);
}
