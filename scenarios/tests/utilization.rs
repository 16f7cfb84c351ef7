//! `utilization` is a rate in other words, and `speeds` count.

use base::Seed;
use world::spec::Arrivals;

/// The rate of the only load of a scenario about a service with `service`, asked with `load`.
fn rate(service: &str, load: &str) -> f64 {
    let text = format!("[service.shop]\n{service}\n[load.users]\n{load}\n[gateway]\nroute = [{{ to = \"shop\" }}]");
    let scenario = scenarios::parse(&text, "test")
        .unwrap_or_else(|problems| panic!("{}", scenarios::render(&problems, "test.toml", &text, false)));
    match scenario.lower(Seed(1)).expect("what parses lowers").loads[0].arrivals {
        Arrivals::Poisson { rate } | Arrivals::Constant { rate } => rate,
        Arrivals::Bursts { base, .. } => base,
        Arrivals::Diurnal { mean, .. } => mean,
        Arrivals::Closed { .. } => panic!("a closed load has no rate"),
    }
}

#[test]
fn a_utilization_is_the_rate_that_keeps_the_servers_so_busy() {
    let of = |service: &str, utilization: &str| {
        rate(service, &format!("target = \"shop\"\nutilization = \"{utilization}\""))
    };
    let ms = "service_time = \"10ms\"";
    assert_eq!(of(&format!("{ms}\nconcurrency = 1"), "50%"), 50.0);
    assert_eq!(of(&format!("{ms}\nconcurrency = 4\ninstances = 3"), "50%"), 600.0);
    assert_eq!(of(&format!("{ms}\nconcurrency = 1"), "120%"), 120.0);
    // A bimodal mean: 0.9 · 5 ms + 0.1 · 55 ms is 10 ms.
    let bimodal =
        "service_time = { distribution = \"bimodal\", fast = \"5ms\", slow = \"55ms\", slow_share = \"10%\" }";
    assert!((of(&format!("{bimodal}\nconcurrency = 1"), "90%") - 90.0).abs() < 1e-9);
    // The version that instances start with decides.
    let versions = "version.\"1.0.0\" = { slowdown = 2 }\nversion.\"2.0.0\" = { slowdown = 5 }";
    assert_eq!(of(&format!("{ms}\nconcurrency = 1\n{versions}"), "50%"), 25.0);
    let own = "version.\"1.0.0\" = { service_time = \"20ms\" }";
    assert_eq!(of(&format!("{ms}\nconcurrency = 1\n{own}"), "50%"), 25.0);
}

#[test]
fn slow_instances_count_at_their_speed() {
    let of = |speeds| {
        let service = format!("service_time = \"10ms\"\nconcurrency = 1\ninstances = 4\nspeeds = {speeds}");
        rate(&service, "target = \"shop\"\nutilization = \"100%\"")
    };
    assert_eq!(of("[1]"), 400.0);
    assert_eq!(of("[1, 0.5]"), 300.0);
    assert_eq!(of("[2, 1, 1, 1, 9]"), 500.0, "the fifth is for an instance that does not exist yet");
}

#[test]
fn processors_count_and_not_places_where_they_are_fewer() {
    let of =
        |service| rate(&format!("service_time = \"10ms\"\n{service}"), "target = \"shop\"\nutilization = \"100%\"");
    assert_eq!(of("concurrency = 64\nprocessors = 2"), 200.0);
    assert_eq!(of("concurrency = 1\nprocessors = 2"), 100.0);
    assert_eq!(of("concurrency = 64\nprocessors = 0.5\nspeeds = [2]"), 100.0);
}

#[test]
fn every_open_shape_and_the_way_through_a_gateway_take_it() {
    let service = "service_time = \"10ms\"\nconcurrency = 1";
    for load in [
        "target = \"shop\"\nshape = \"constant\"",
        "target = \"shop\"\nshape = \"bursts\"\npeak = \"200/s\"\nevery = \"10s\"\nlasts = \"1s\"",
        "target = \"shop\"\nshape = \"diurnal\"\nperiod = \"60s\"",
        "path = \"/anything\"",
    ] {
        assert_eq!(rate(service, &format!("{load}\nutilization = \"50%\"")), 50.0, "{load}");
    }
}
