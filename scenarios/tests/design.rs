//! The example of the design page, with a registry kind that exists: what it becomes, and what its seed decides.

use base::{Dist, Duration, Instant, Ratio, Seed, ServiceId, VersionId};
use world::Spec;
use world::kernel::Fault;
use world::kernel::fault::{Partition, Path};
use world::kernel::select::Selector;
use world::outcome::{CheckKind, Phases};
use world::spec::{Arrivals, ObjectiveSpec, Target};

const EXAMPLE: &str = r#"
title  = "A canary with a 2 % bug meets a registry partition"
phases = { warmup = "10s", storm = "3m", calm = "60s" }

[topology]
zones   = ["a", "b", "c"]
network = "cross-zone"                       # a preset with listed numbers; each may be overridden

[registry]
kind = "consul"
servers = 3

[service.checkout]
instances    = 12
concurrency  = 8
service_time = { distribution = "lognormal", p50 = "8ms", p99 = "40ms" }
version."1.5.0" = { error_rate = "2%" }

[gateway]
route = [{ prefix = "/", to = "checkout" }]

[balancer]
strategy = "p2c"

[load.shoppers]
target = "checkout"
rate   = "400/s .. 800/s"

[[rollout]]
service  = "checkout"
to       = "1.5.0"
at       = "30s"
strategy = { kind = "canary", steps = [{ weight = "5%", hold = "30s" }, { weight = "25%", hold = "30s" }] }
analysis = { success_rate = ">= 99%", interval = "10s", failures = 3 }

[[fault]]
kind  = "partition"
what  = "registry | gateway"
at    = "40s .. 60s"
lasts = "15s"

[expect]
always     = ["every_request_ends_once", "rollout_within_budget"]
eventually = ["views_converge", "rollout_settles"]
sometimes  = ["rollout_rolled_back"]
slo        = [{ service = "checkout", success = ">= 99.5%", p99 = "<= 120ms" }]
"#;

fn lowered(text: &str, seed: u64) -> Spec {
    let checked = scenarios::check(text, "design");
    let shown = scenarios::render(&checked.problems, "design.toml", text, false);
    checked.scenario.unwrap_or_else(|| panic!("{shown}")).lower(Seed(seed)).expect("what parses lowers")
}

#[test]
fn the_example_of_the_design_page_becomes_what_it_says() {
    let spec = lowered(EXAMPLE, 42);
    assert_eq!(spec.name, "design");
    assert_eq!(spec.phases, Phases { warmup: Duration::secs(10), storm: Duration::mins(3), calm: Duration::secs(60) });
    assert_eq!(spec.zones, ["a", "b", "c"]);
    assert_eq!(spec.within_zone.latency, Dist::lognormal(Duration::us(100), Duration::us(300)));
    assert_eq!(spec.between_zones.latency, Dist::lognormal(Duration::us(500), Duration::us(1500)));
    let registry = spec.registry.as_ref().expect("it has a registry");
    assert_eq!((registry.servers, registry.server.ttl), (3, Duration::secs(30)));

    let [checkout] = spec.services.as_slice() else { panic!("one service") };
    assert_eq!((checkout.instances, checkout.concurrency, checkout.queue_limit), (12, 8, None));
    assert_eq!(checkout.service_time, Dist::lognormal(Duration::ms(8), Duration::ms(40)));
    assert_eq!(checkout.balancer, world::balancer::Strategy::P2C);
    assert_eq!(checkout.policy.timeout, Some(Duration::secs(15)), "Envoy's, where nothing is said");
    let versions: Vec<(String, Ratio)> =
        checkout.versions.iter().map(|v| (v.version.to_string(), v.error_rate)).collect();
    assert_eq!(versions, [("1.0.0".to_string(), Ratio::ZERO), ("1.5.0".to_string(), Ratio::percent(2))]);

    let [shoppers] = spec.loads.as_slice() else { panic!("one load") };
    assert_eq!(shoppers.target, Target::Service(ServiceId(0)));
    let Arrivals::Poisson { rate } = shoppers.arrivals else { panic!("Poisson") };
    assert!((400.0..=800.0).contains(&rate));

    let [rollout] = spec.rollouts.as_slice() else { panic!("one rollout") };
    assert_eq!((rollout.service, rollout.to, rollout.at), (ServiceId(0), VersionId(1), Instant::from_secs(30)));
    let world::rollout::Strategy::Canary { steps } = &rollout.strategy else { panic!("a canary") };
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps, ["weight 5%", "hold 30s", "weight 25%", "hold 30s"]);
    let analysis = rollout.analysis.expect("it is judged");
    assert_eq!((analysis.success_rate_min, analysis.failures), (Some(Ratio::percent(99)), 3));

    let [Fault { name, at, lasts, kind }] = spec.faults.as_slice() else { panic!("one fault") };
    assert_eq!((name.as_str(), *lasts), ("partition registry | gateway", Some(Duration::secs(15))));
    assert!((Instant::from_secs(40)..=Instant::from_secs(60)).contains(at));
    let (from, to) = (Selector::Tag("registry".into()), Selector::Tag("gateway".into()));
    assert_eq!(*kind, Partition { path: Path { from, to, one_way: false } }.into());

    assert_eq!(spec.expect.checks.len(), 5);
    assert_eq!(spec.expect.checks[4], (CheckKind::Sometimes, "rollout_rolled_back".to_string()));
    let objective = ObjectiveSpec {
        service: ServiceId(0),
        success: Some(Ratio::from_f64(0.995)),
        p50: None,
        p99: Some(Duration::ms(120)),
        mean: None,
    };
    assert_eq!(spec.expect.objectives, [objective]);
}

#[test]
fn eligibility_is_what_is_written_and_envoys_where_nothing_is() {
    use base::ZoneId;
    use world::balancer::eligibility::subset::{Criteria, Fallback, InZone};
    use world::balancer::eligibility::{
        Aperture, Eligibility, Locality, Outliers, Priorities, SlowStart, Subset, ZoneAware,
    };
    let of = |balancer: &str, rules: &str| {
        let text = format!(
            "topology = {{ zones = [\"a\", \"b\", \"c\"] }}\n[service.a]\nbalancer = \"{balancer}\"\nversion.\"1.1.0\" = {{}}\n\
             {rules}\n[load.l]\ntarget = \"a\"\nrate = \"1/s\"\nkeys = {{ count = 9 }}\n"
        );
        lowered(&text, 1).services[0].eligibility.clone()
    };
    assert_eq!(of("edf", ""), None);
    assert_eq!(of("edf", "[service.a.eligibility]"), Some(Eligibility::default()));
    let written = of(
        "edf",
        "[service.a.eligibility]\npanic_threshold = \"0%\"\noverprovisioning = 1.2\npriority = { b = 1, c = 2 }\n\
         locality = { mode = \"weighted\", weights = { b = 3 } }\nsticky = true\nsubset_size = 7\n\
         slow_start = { window = \"30s\", aggression = 2, min_weight = \"5%\" }\noutliers = {}\n\
         subset = { version = \"1.1.0\", fallback = \"default_subset\", default_zone = \"own\" }",
    );
    let rules = Eligibility {
        panic_threshold: 0,
        overprovisioning: 120,
        priorities: Priorities::ByZone(vec![0, 1, 2]),
        locality: Locality::Weighted(vec![1, 3, 1]),
        sticky: true,
        subset_size: Some(7),
        slow_start: Some(SlowStart {
            aggression: 2.0,
            min_weight: Ratio::percent(5),
            ..SlowStart::over(Duration::secs(30))
        }),
        outliers: Some(Outliers::default()),
        subset: Some(Subset {
            criteria: Criteria { version: Some(VersionId(1)), zone: None },
            fallback: Fallback::DefaultSubset(Criteria { version: None, zone: Some(InZone::Own) }),
        }),
        ..Eligibility::default()
    };
    assert_eq!(written, Some(rules));
    let near = of(
        "p2c",
        "[service.a.eligibility]\npriority = \"own_zone_first\"\nlocality = \"zone_aware\"\naperture = \"deterministic\"\n\
         subset = { zone = \"c\" }",
    );
    let rules = Eligibility {
        priorities: Priorities::OwnZoneFirst,
        locality: Locality::ZoneAware(ZoneAware::default()),
        aperture: Some(Aperture::Deterministic { min: 12 }),
        subset: Some(Subset {
            criteria: Criteria { version: None, zone: Some(InZone::Zone(ZoneId(2))) },
            fallback: Fallback::NoFallback,
        }),
        ..Eligibility::default()
    };
    assert_eq!(near, Some(rules));
}

#[test]
fn weights_are_what_is_written_or_none() {
    let text = "[service.a]\nbalancer = \"edf\"\nweights = [3, 1, 65535]\n[service.b]\n[load.l]\ntarget = \"a\"\nrate = \"1/s\"\n";
    let spec = lowered(text, 1);
    assert_eq!(spec.services[0].balancer, world::balancer::Strategy::EARLIEST_DEADLINE);
    assert_eq!(spec.services[0].template.weights, [3, 1, 65_535]);
    assert!(spec.services[1].template.weights.is_empty());
}

#[test]
fn no_weight_at_all_is_refused() {
    let checked = scenarios::check("[service.a]\nweights = []\n[load.l]\ntarget = \"a\"\nrate = \"1/s\"\n", "design");
    assert_eq!(checked.problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), ["no weight at all"]);
}

#[test]
fn what_was_drawn_is_told_and_depends_on_the_seed_alone() {
    let drawn = lowered(EXAMPLE, 42).drawn;
    let keys: Vec<&str> = drawn.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["load/shoppers/rate", "fault/partition registry | gateway/at"]);
    assert_eq!(drawn, lowered(EXAMPLE, 42).drawn);
    assert_ne!(drawn, lowered(EXAMPLE, 43).drawn);
}

#[test]
fn taking_one_fault_away_or_adding_one_changes_no_other_draw() {
    let another =
        "\n[[fault]]\nkind = \"crash\"\nwhat = \"one of checkout\"\nat = \"20s .. 90s\"\nlasts = \"5s .. 20s\"\n";
    let twice =
        "\n[[fault]]\nkind = \"partition\"\nwhat = \"registry  |  gateway\"\nat = \"40s .. 60s\"\nlasts = \"15s\"\n";
    let (head, tail) = EXAMPLE.split_at(EXAMPLE.find("[[fault]]").expect("it has a fault"));
    let alone = lowered(EXAMPLE, 7);
    let before = lowered(&format!("{head}{another}{tail}"), 7);
    let after = lowered(&format!("{EXAMPLE}{twice}"), 7);
    assert_eq!(before.faults[1], alone.faults[0]);
    assert_eq!(after.faults[0], alone.faults[0]);
    assert_eq!(after.faults[1].name, "partition registry | gateway#2");
    assert_ne!(after.faults[1].at, alone.faults[0].at, "a second fault of the same words has its own chances");
    assert_eq!((before.loads, after.loads), (alone.loads.clone(), alone.loads));
}

#[test]
fn taking_one_of_two_equal_faults_out_of_what_was_read_changes_neither_name_nor_draws_of_the_other() {
    let (_, fault) = EXAMPLE.split_at(EXAMPLE.find("[[fault]]").expect("it has a fault"));
    let (fault, _) = fault.split_at(fault.find("[expect]").expect("expectations come after it"));
    let mut scenario = scenarios::parse(&format!("{EXAMPLE}{fault}"), "design").expect("it parses");
    let both = scenario.lower(Seed(7)).expect("what parses lowers").faults;
    scenario.fault.remove(0);
    let left = scenario.lower(Seed(7)).expect("it still does").faults;
    assert_eq!(left, both[1..]);
    assert_eq!(left[0].name, "partition registry | gateway#2");
    // What is written says the name too, so a file made of the rest means the same.
    let text = scenarios::to_toml(&scenario);
    assert!(text.contains("name = \"partition registry | gateway#2\""), "{text}");
    let again = scenarios::parse(&text, "design").expect("it reads back");
    assert_eq!(again.lower(Seed(7)).expect("what parses lowers").faults, left);
    assert_eq!(again, scenario);
}

#[test]
fn a_fault_gets_the_name_it_is_called_by_where_that_may_be_written() {
    let named = |fault: &str| {
        let (head, _) = EXAMPLE.split_at(EXAMPLE.find("[[fault]]").expect("it has a fault"));
        let text = format!("{head}[[fault]]\nat = \"40s\"\nlasts = \"forever\"\n{fault}\n");
        let scenario = scenarios::parse(&text, "design").expect("it parses");
        assert_eq!(scenarios::parse(&scenarios::to_toml(&scenario), "design").as_ref(), Ok(&scenario));
        let called = scenario.lower(Seed(1)).expect("what parses lowers").faults[0].name.clone();
        (scenario.fault[0].name.as_ref().map(|name| name.value.clone()), called)
    };
    let (name, called) = named("kind = \"pause\"\nwhat = \"one  of checkout\"");
    assert_eq!((name.as_deref(), called.as_str()), (Some("pause one of checkout"), "pause one of checkout"));
    let (name, _) = named("name = \"nap\"\nkind = \"pause\"\nwhat = \"checkout\"");
    assert_eq!(name.as_deref(), Some("nap"));
    // A name has at most 200 bytes, and what faults concern may be longer.
    let long = vec!["checkout"; 40].join(", ");
    let (name, called) = named(&format!("kind = \"pause\"\nwhat = \"{long}\""));
    assert_eq!((name, called), (None, format!("pause {long}")));
}

#[test]
fn a_summary_counts() {
    let scenario = scenarios::parse(EXAMPLE, "design").expect("it parses");
    let expected = "1 service, 12 instances, 1 load, 1 rollout, 1 fault, 5 checks, 1 objective";
    assert_eq!(scenario.summary().to_string(), expected);
}
