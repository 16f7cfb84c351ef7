//! Scenarios at random that can run: names refer to what exists, times lie where they must.

use base::{Duration, Ratio};
use proptest::prelude::*;
use scenarios::At;
use scenarios::scalar::{
    AtLeast, AtMost, Bandwidth, Count, Factor, Instances, OrForever, OrNone, Percent, Ranged, Rate, Span, Unit,
};
use scenarios::schema::balancer::{BalancerTable, Written};
use scenarios::schema::distribution::{DistributionKind, DistributionTable};
use scenarios::schema::eligibility::{
    Fallback, Locality, LocalityMode, LocalityTable, Outliers, Priority, PriorityRule, Subset,
};
use scenarios::schema::fault::{By, How};
use scenarios::schema::gateway::{Destination, DestinationTable, To};
use scenarios::schema::load::{Keys, Popularity, Spread};
use scenarios::schema::policy::{
    Backoff, BackoffKind, BackoffTable, Breaker, BreakerTable, Budget, BudgetKind, BudgetTable, Deadlines, Failure,
    Limits, LimitsTable, PolicyPreset, PolicyTable,
};
use scenarios::schema::registry::{Mode, RegistryKind};
use scenarios::schema::rollout::{Analysis, Step, Strategy as Rolling, StrategyKind, StrategyTable, TooFew};
use scenarios::schema::service::{Call, CallTable, Draining, Stage};
use scenarios::schema::topology::{LinkTable, Network, NetworkPreset, NetworkTable};
use scenarios::schema::{
    Balancer, Distribution, Eligibility, Expect, Fault, FaultKind, Gateway, Load, Phases, Policy, Registry, Rollout,
    Route, Scenario, Service, Shape, Slo, Topology, Version,
};

fn at<T>(value: T) -> At<T> {
    At::new(value)
}

fn maybe<T: Clone + std::fmt::Debug + 'static>(of: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<At<T>>> {
    prop::option::of(of.prop_map(At::new)).boxed()
}

fn text(text: &str) -> At<String> {
    at(text.to_string())
}

fn span(ns: std::ops::Range<u64>) -> impl Strategy<Value = Span> + Clone {
    // Round and odd numbers alike.
    (ns, 0u32..10).prop_map(|(n, digits)| Span(Duration::ns((n / 10u64.pow(digits)).max(1) * 10u64.pow(digits))))
}

fn ms(range: std::ops::Range<u64>) -> impl Strategy<Value = Span> + Clone {
    range.prop_map(|n| Span(Duration::ms(n)))
}

fn percent() -> impl Strategy<Value = Percent> + Clone {
    prop_oneof![(0u32..=100).prop_map(Ratio::percent), (0u32..=1_000_000_000).prop_map(Ratio::from_billionths)]
        .prop_map(Percent)
}

fn count(range: std::ops::Range<u32>) -> impl Strategy<Value = Count> + Clone {
    range.prop_map(Count)
}

fn factor() -> impl Strategy<Value = Factor> + Clone {
    prop_oneof![(1u32..100).prop_map(f64::from), 0.001f64..1000.0].prop_map(Factor)
}

fn rate() -> impl Strategy<Value = Rate> + Clone {
    prop_oneof![(1u32..10_000).prop_map(f64::from), 0.001f64..10_000.0].prop_map(Rate)
}

fn ranged<T: Unit + std::fmt::Debug + 'static>(
    of: impl Strategy<Value = T> + Clone + 'static,
) -> BoxedStrategy<Ranged<T>> {
    (of.clone(), of, any::<bool>())
        .prop_map(|(a, b, exactly)| match (exactly, a < b, a > b) {
            (false, true, _) => Ranged::Between(a, b),
            (false, _, true) => Ranged::Between(b, a),
            _ => Ranged::Exactly(a),
        })
        .boxed()
}

fn distribution() -> BoxedStrategy<Distribution> {
    let kind = |kind| DistributionTable { distribution: Some(at(kind)), ..DistributionTable::default() };
    let table = |table| Distribution::Table(Box::new(table));
    let short = || span(1..1_000_000_000);
    prop_oneof![
        short().prop_map(Distribution::Constant),
        short()
            .prop_map(move |m| table(DistributionTable { mean: Some(at(m)), ..kind(DistributionKind::Exponential) })),
        (short(), short()).prop_map(move |(a, b)| {
            table(DistributionTable {
                low: Some(at(a.min(b))),
                high: Some(at(a.max(b))),
                ..kind(DistributionKind::Uniform)
            })
        }),
        (short(), 1u64..1000).prop_map(move |(p50, times)| {
            let p99 = Span(p50.0 * times);
            table(DistributionTable { p50: Some(at(p50)), p99: Some(at(p99)), ..kind(DistributionKind::Lognormal) })
        }),
        (short(), short(), percent()).prop_map(move |(fast, slow, share)| {
            let slow_share = Some(at(share));
            table(DistributionTable {
                fast: Some(at(fast)),
                slow: Some(at(slow)),
                slow_share,
                ..kind(DistributionKind::Bimodal)
            })
        }),
        (short(), factor()).prop_map(move |(scale, shape)| {
            table(DistributionTable {
                scale: Some(at(scale)),
                shape: Some(at(shape)),
                ..kind(DistributionKind::Pareto)
            })
        }),
        (short(), 1u32..100).prop_map(move |(low, p)| {
            let point = |p, times| at((Percent(Ratio::percent(p)), Span(low.0 * times)));
            let quantiles = Some(at(vec![point(0, 1), point(p.min(99), 2), point(100, 5)]));
            table(DistributionTable { quantiles, ..kind(DistributionKind::Empirical) })
        }),
    ]
    .boxed()
}

fn topology() -> impl Strategy<Value = Topology> {
    let preset = prop::sample::select(vec![
        NetworkPreset::Ideal,
        NetworkPreset::Lan,
        NetworkPreset::CrossZone,
        NetworkPreset::Wan,
        NetworkPreset::Lossy,
    ]);
    let link = (maybe(distribution()), maybe(percent()), maybe((1u64..1_000_000).prop_map(|n| Bandwidth(n * 500))))
        .prop_map(|(latency, loss, bandwidth)| LinkTable { latency, loss, bandwidth, ..LinkTable::default() });
    let custom = (maybe(preset.clone()), maybe(distribution()), maybe(link.clone()), maybe(link)).prop_map(
        |(preset, latency, within, between)| {
            Network::Custom(Box::new(NetworkTable { preset, latency, within, between, ..NetworkTable::default() }))
        },
    );
    // Zones a and b are what faults may speak of.
    maybe(prop_oneof![preset.prop_map(Network::Preset), custom])
        .prop_map(|network| Topology { zones: Some(at(vec![text("a"), text("b")])), network })
}

fn registry() -> impl Strategy<Value = Registry> {
    let kind = prop::sample::select(vec![RegistryKind::Consul, RegistryKind::Eureka, RegistryKind::Etcd]);
    (maybe(kind), maybe(ranged(ms(10_000..60_000))), maybe(ranged(ms(1..9_000))), any::<Option<bool>>(), ms(1..10_000))
        .prop_map(|(kind, ttl, heartbeat, polls, time)| Registry {
            kind,
            servers: Some(at(Count(2))),
            ttl,
            heartbeat,
            mode: polls.map(|polls| at(if polls { Mode::Poll } else { Mode::Watch })),
            interval: (polls == Some(true)).then(|| at(Ranged::Exactly(time))),
            wait: (polls == Some(false)).then(|| at(time)),
            ..Registry::default()
        })
}

fn balancer() -> impl Strategy<Value = Balancer> {
    prop_oneof![
        prop::sample::select(vec![
            "p2c",
            "random",
            "round_robin",
            "least_request",
            "full_scan",
            "edf",
            "static_stride"
        ])
        .prop_map(|name| Balancer::Name(name.to_string())),
        (1u64..16).prop_map(|n| {
            let parameters = scenarios::schema::Named::from([(text("choices"), at(Written::Whole(n)))]);
            Balancer::Table(BalancerTable { strategy: Some(text("p2c")), parameters })
        }),
    ]
}

/// What may stand around any strategy that needs no keys.
fn eligibility() -> impl Strategy<Value = Eligibility> {
    let whole = || (0u32..=100).prop_map(|n| Percent(Ratio::percent(n)));
    let locality = prop_oneof![
        prop::sample::select(vec![LocalityMode::ZoneAware, LocalityMode::Weighted]).prop_map(Locality::Mode),
        (maybe(whole()), maybe(count(1..9)), maybe(any::<bool>())).prop_map(
            |(routing_enabled, min_cluster_size, fail_traffic_on_panic)| {
                let mode = Some(at(LocalityMode::ZoneAware));
                let weights = None;
                Locality::Table(LocalityTable {
                    mode,
                    weights,
                    routing_enabled,
                    min_cluster_size,
                    fail_traffic_on_panic,
                })
            }
        ),
    ];
    let subset = prop::sample::select(vec![Fallback::NoFallback, Fallback::AnyEndpoint, Fallback::DefaultSubset])
        .prop_map(|fallback| Subset {
            version: Some(text("1.1.0")),
            fallback: Some(at(fallback)),
            default_zone: (fallback == Fallback::DefaultSubset).then(|| text("own")),
            ..Subset::default()
        });
    let outliers = (maybe(count(0..9)), maybe(whole()), maybe(any::<bool>())).prop_map(
        |(consecutive_5xx, max_ejection, success_rate)| Outliers {
            consecutive_5xx,
            max_ejection,
            success_rate,
            ..Outliers::default()
        },
    );
    let priority = Just(Priority::Rule(PriorityRule::OwnZoneFirst));
    let first = (maybe(whole()), maybe((1.0f64..5.0).prop_map(Factor)), maybe(priority), maybe(locality));
    let rest = (maybe(subset), maybe(count(1..9)), maybe(any::<bool>()), maybe(outliers));
    (first, rest).prop_map(|((panic_threshold, overprovisioning, priority, locality), rest)| {
        let (subset, subset_size, sticky, outliers) = rest;
        Eligibility {
            panic_threshold,
            overprovisioning,
            priority,
            locality,
            subset,
            subset_size,
            sticky,
            outliers,
            ..Eligibility::default()
        }
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let presets =
        [PolicyPreset::Default, PolicyPreset::None, PolicyPreset::Envoy, PolicyPreset::Istio, PolicyPreset::Grpc];
    let preset = prop::sample::select(presets.to_vec());
    let timeout = || maybe(prop::option::of(ms(1..10_000)).prop_map(OrNone));
    let failures = || {
        let all =
            vec![Failure::ServerError, Failure::ConnectFailure, Failure::Reset, Failure::Refused, Failure::Timeout];
        maybe(prop::sample::subsequence(all, 0..5).prop_map(|some| some.into_iter().map(At::new).collect::<Vec<_>>()))
    };
    let kinds = [BackoffKind::Envoy, BackoffKind::Grpc, BackoffKind::AwsFull, BackoffKind::AwsDecorrelated];
    let backoff = prop_oneof![
        ms(0..100).prop_map(Backoff::Constant),
        (maybe(prop::sample::select(kinds.to_vec())), ms(1..100)).prop_map(|(kind, base)| {
            Backoff::Table(BackoffTable { kind, base: Some(at(base)), ..BackoffTable::default() })
        }),
    ];
    let budget = prop_oneof![
        Just(Budget::Preset(BudgetKind::Finagle)),
        percent().prop_map(|share| {
            let kind = Some(at(BudgetKind::Envoy));
            Budget::Table(Box::new(BudgetTable { kind, share: Some(at(share)), ..BudgetTable::default() }))
        }),
    ];
    let breaker = (maybe(count(1..1000)), maybe(percent()), failures()).prop_map(|(window, failure_rate, failures)| {
        Breaker::Table(Box::new(BreakerTable { window, failure_rate, failures, ..BreakerTable::default() }))
    });
    let limits = maybe(count(1..1000))
        .prop_map(|max_requests| Limits::Table(LimitsTable { max_requests, ..LimitsTable::default() }));
    let deadlines = maybe(prop::sample::select(vec![Deadlines::Stay, Deadlines::Travel]));
    let times = (timeout(), timeout(), deadlines);
    let again = (1u32..5, failures(), maybe(backoff), maybe(count(0..6)));
    let table = (times, again, maybe(budget), maybe(breaker), maybe(limits)).prop_map(
        |((timeout, per_try_timeout, deadlines), again, budget, breaker, limits)| {
            let (retries, retry_on, backoff, previous_hosts) = again;
            let table = PolicyTable {
                preset: None,
                timeout,
                per_try_timeout,
                retries: Some(at(Count(retries))),
                retry_on,
                backoff,
                previous_hosts,
                deadlines,
                budget,
                breaker,
                limits,
            };
            Policy::Table(Box::new(table))
        },
    );
    prop_oneof![preset.prop_map(Policy::Preset), table]
}

/// The `index`-th of `total` services, which calls only later ones.
fn service(index: usize, total: usize) -> BoxedStrategy<Service> {
    let call = move |n: usize, optional: bool| {
        let to = format!("s{}", index + 1 + n % (total - index - 1).max(1));
        if optional { Call::Table(CallTable { to: Some(at(to)), optional: Some(at(true)) }) } else { Call::Name(to) }
    };
    let stages = prop::collection::vec(prop::collection::vec((any::<usize>(), any::<bool>()), 1..3), 0..3);
    let calls = stages.prop_map(move |stages| {
        let stage = |calls: Vec<(usize, bool)>| match calls.as_slice() {
            [(n, optional)] => at(Stage::One(call(*n, *optional))),
            calls => at(Stage::Parallel(calls.iter().map(|(n, optional)| at(call(*n, *optional))).collect())),
        };
        (index + 1 < total).then(|| at(stages.into_iter().map(stage).collect::<Vec<_>>()))
    });
    let version = (maybe(ranged(percent())), maybe(ranged(factor())), maybe(distribution()))
        .prop_map(|(error_rate, slowdown, service_time)| Version { error_rate, slowdown, service_time });
    let numbers =
        (ranged(count(3..50)), maybe(ranged(count(1..20))), maybe(ranged(count(0..20))), maybe(distribution()));
    let weights = maybe(prop::collection::vec((1..=65_535u32).prop_map(|weight| at(Count(weight))), 1..5));
    let speeds = maybe(prop::collection::vec((1u32..5_000).prop_map(|n| at(Factor(f64::from(n) / 1e3))), 1..5));
    (
        numbers,
        (maybe(ms(0..5000)), maybe(prop::sample::select(vec![Draining::Serves, Draining::Refuses]))),
        calls,
        (maybe(balancer()), maybe(eligibility()), weights, speeds, maybe(ranged(factor()))),
        maybe(policy()),
        version,
    )
        .prop_map(
            |(
                numbers,
                (grace, draining),
                calls,
                (balancer, eligibility, weights, speeds, processors),
                policy,
                version,
            )| {
                let (instances, concurrency, queue_limit, service_time) = numbers;
                Service {
                    instances: Some(at(instances)),
                    concurrency,
                    queue_limit,
                    service_time,
                    grace,
                    draining,
                    calls,
                    balancer,
                    eligibility,
                    weights,
                    speeds,
                    processors,
                    policy,
                    version: [(text("1.1.0"), at(version))].into(),
                    ..Service::default()
                }
            },
        )
        .boxed()
}

fn gateway() -> impl Strategy<Value = Gateway> {
    let to = prop_oneof![
        Just(To::One(Destination::Name("s0".to_string()))),
        (1u32..100).prop_map(|weight| {
            let table = DestinationTable {
                service: Some(text("s0")),
                version: Some(text("1.1.0")),
                weight: Some(at(Count(weight))),
            };
            To::Weighted(vec![at(Destination::Table(table)), at(Destination::Name("s0".to_string()))])
        }),
    ];
    let path = prop::option::of("/[a-z]{0,5}");
    let route = (path, 0..3, maybe("[a-z]{1,5}[.]com"), maybe(to), maybe(ms(1..500)), any::<bool>()).prop_map(
        |(path, how, host, to, timeout, header)| {
            let path = path.map(At::new);
            Route {
                prefix: path.clone().filter(|_| how == 0),
                path_prefix: path.clone().filter(|_| how == 1),
                exact: path.filter(|_| how == 2),
                host,
                headers: if header { [(text("x-beta"), text("y*"))].into() } else { Default::default() },
                to: Some(to.unwrap_or_else(|| at(To::One(Destination::Name("s0".to_string()))))),
                timeout,
                ..Route::default()
            }
        },
    );
    let client_timeout = maybe(prop::option::of(ms(1..30_000)).prop_map(OrNone));
    let routes = prop::collection::vec(route.prop_map(At::new), 1..4);
    (maybe(ranged(count(1..5))), maybe(spread()), client_timeout, routes)
        .prop_map(|(instances, spread, client_timeout, route)| Gateway { instances, spread, client_timeout, route })
}

fn load(through_gateway: bool) -> impl Strategy<Value = Load> {
    let to = move |load: Load| {
        if through_gateway {
            Load { path: Some(text("/x")), host: Some(text("é.example")), ..load }
        } else {
            Load { target: Some(text("s0")), ..load }
        }
    };
    let rated = (ranged(rate()), prop::option::of(prop::sample::select(vec![Shape::Poisson, Shape::Constant])))
        .prop_map(|(rate, shape)| Load { rate: Some(at(rate)), shape: shape.map(At::new), ..Load::default() });
    let keyed = (rate(), 1u32..1_000_000, maybe((1u32..1_000).prop_map(|n| Factor(f64::from(n) / 100.0)))).prop_map(
        |(rate, count, exponent)| {
            let distribution = exponent.as_ref().map(|_| at(Popularity::Zipf));
            let keys = Keys { count: Some(at(Count(count))), distribution, exponent };
            Load { rate: Some(at(Ranged::Exactly(rate))), keys: Some(at(keys)), ..Load::default() }
        },
    );
    let bursts = (rate(), 2u64..100).prop_map(|(rate, seconds)| Load {
        shape: Some(at(Shape::Bursts)),
        rate: Some(at(Ranged::Exactly(rate))),
        peak: Some(at(Ranged::Exactly(Rate(rate.0 * 2.0)))),
        every: Some(at(Span(Duration::secs(seconds)))),
        lasts: Some(at(Span(Duration::secs(seconds / 2)))),
        ..Load::default()
    });
    let diurnal = (ranged(rate()), maybe(percent()), ms(1..1_000_000)).prop_map(|(rate, swing, period)| Load {
        shape: Some(at(Shape::Diurnal)),
        rate: Some(at(rate)),
        swing,
        period: Some(at(period)),
        ..Load::default()
    });
    let closed = (ranged(count(1..100)), maybe(distribution())).prop_map(|(users, think)| Load {
        shape: Some(at(Shape::Closed)),
        users: Some(at(users)),
        think,
        ..Load::default()
    });
    let shaped = prop_oneof![rated, keyed, bursts, diurnal, closed];
    (shaped, maybe((1u32..5).prop_map(Count)), maybe(spread()))
        .prop_map(move |(load, sources, spread)| to(Load { sources, spread, ..load }))
}

fn spread() -> impl Strategy<Value = Spread> {
    prop::sample::select(vec![Spread::Random, Spread::InTurn])
}

fn rollout() -> impl Strategy<Value = Rollout> {
    let steps = prop::collection::vec(
        (percent(), maybe(ms(0..30_000))).prop_map(|(weight, hold)| at(Step { weight: Some(at(weight)), hold })),
        1..4,
    );
    let surge = prop_oneof![(1u32..4).prop_map(Instances::Count), percent().prop_map(Instances::Share)];
    let strategy = prop_oneof![
        Just(Rolling::Kind(StrategyKind::Canary)),
        Just(Rolling::Kind(StrategyKind::Rolling)),
        maybe(surge).prop_map(|max_surge| {
            Rolling::Table(StrategyTable {
                kind: Some(at(StrategyKind::Rolling)),
                max_surge,
                ..StrategyTable::default()
            })
        }),
        maybe(steps).prop_map(|steps| {
            Rolling::Table(StrategyTable { kind: Some(at(StrategyKind::Canary)), steps, ..StrategyTable::default() })
        }),
    ];
    let analysis = (percent(), maybe(ms(1..100).prop_map(AtMost)), maybe(count(1..9)), any::<Option<bool>>()).prop_map(
        |(success, p99, failures, fails)| Analysis {
            success_rate: Some(at(AtLeast(success))),
            p99,
            failures,
            too_few: fails.map(|fails| at(if fails { TooFew::Fails } else { TooFew::Inconclusive })),
            ..Analysis::default()
        },
    );
    let waits = (maybe(ms(1..30_000)), maybe(any::<bool>()), maybe(ms(0..5_000)));
    (ranged(ms(0..60_000)), maybe(strategy), maybe(analysis), waits).prop_map(|(when, strategy, analysis, waits)| {
        let (progress_deadline, auto_rollback, min_ready) = waits;
        Rollout {
            service: Some(text("s0")),
            to: Some(text("1.1.0")),
            at: Some(at(when)),
            strategy,
            analysis,
            progress_deadline,
            auto_rollback,
            min_ready,
        }
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let whom =
        prop::sample::select(vec!["s0", "s0-2", "one of s0", "30% of s0 in zone a", "all but zone b", "everything"]);
    let between = prop::sample::select(vec!["s0 | zone b", "load -> s0", "zone a", "one of s0"]);
    let when = ranged(ms(10_000..50_001));
    let lasts = prop::option::of(ranged(ms(1..10_000))).prop_map(OrForever);
    let base = |kind, what: &str| Fault { kind: Some(at(kind)), what: Some(text(what)), ..Fault::default() };
    let plain = (whom.clone(), any::<Option<bool>>()).prop_map(move |(what, machine)| Fault {
        how: machine.map(|machine| at(if machine { How::Machine } else { How::Process })),
        ..base(FaultKind::Crash, what)
    });
    let slow = (whom.clone(), ranged(factor()))
        .prop_map(move |(what, factor)| Fault { factor: Some(at(factor)), ..base(FaultKind::Slow, what) });
    let error = (whom.clone(), maybe(ranged(percent())), maybe(ms(0..1_000))).prop_map(move |(what, share, by)| {
        Fault { share, by: by.map(|by| at(By::Text(by.to_string()))), ..base(FaultKind::Error, what) }
    });
    let drift = (whom, -500i32..500).prop_map(move |(what, ppm)| Fault {
        by: Some(at(By::Text(format!("{ppm}ppm")))),
        ..base(FaultKind::ClockDrift, what)
    });
    let loss = (between.clone(), ranged(percent()))
        .prop_map(move |(what, share)| Fault { share: Some(at(share)), ..base(FaultKind::Loss, what) });
    let delay = (between, distribution()).prop_map(move |(what, by)| {
        let by = match by {
            Distribution::Constant(span) => By::Text(span.to_string()),
            Distribution::Table(table) => By::Table(table),
        };
        Fault { by: Some(at(by)), ..base(FaultKind::Delay, what) }
    });
    (prop_oneof![plain, slow, error, drift, loss, delay], when, lasts).prop_map(|(fault, when, lasts)| Fault {
        at: Some(at(when)),
        lasts: Some(at(lasts)),
        ..fault
    })
}

fn expect() -> impl Strategy<Value = Expect> {
    let some = |names: &'static [&'static str]| {
        prop::sample::subsequence(names, 0..names.len())
            .prop_map(|names| names.into_iter().map(text).collect::<Vec<_>>())
    };
    let slo = (percent(), maybe(ms(1..500).prop_map(AtMost)), maybe(ms(1..500).prop_map(AtMost))).prop_map(
        |(success, p50, mean)| {
            at(Slo { service: Some(text("s0")), success: Some(at(AtLeast(success))), p50, mean, ..Slo::default() })
        },
    );
    (
        some(&["every_request_ends_once", "littles_law"]),
        some(&["views_converge", "rollout_settles"]),
        some(&["retry_sent", "breaker_opened", "instance_died"]),
        prop::collection::vec(slo, 0..3),
    )
        .prop_map(|(always, eventually, sometimes, slo)| Expect { always, eventually, sometimes, slo })
}

fn services() -> impl Strategy<Value = scenarios::schema::Named<At<Service>>> {
    (1usize..4).prop_flat_map(|total| {
        let all: Vec<_> = (0..total).map(|index| service(index, total)).collect();
        all.prop_map(|all| {
            let named = all.into_iter().enumerate();
            named.map(|(index, service)| (at(format!("s{index}")), at(service))).collect()
        })
    })
}

/// A scenario that can run.
pub(crate) fn scenario() -> impl Strategy<Value = Scenario> {
    let phases = maybe(ms(0..30_000)).prop_map(|calm| Phases {
        warmup: Some(at(Span(Duration::secs(10)))),
        storm: Some(at(Span(Duration::secs(50)))),
        calm,
    });
    let parts = (maybe("\\PC{0,20}"), topology(), maybe(registry()), services(), maybe(balancer()), maybe(policy()));
    let more = (phases, maybe(gateway()), load(false), load(true), prop::option::of(rollout()));
    let end = (prop::collection::vec(fault().prop_map(At::new), 0..5), maybe(expect()));
    (parts, more, end).prop_map(|(parts, more, end)| {
        let (title, topology, registry, service, balancer, policy) = parts;
        let (phases, gateway, direct, routed, rollout) = more;
        let mut load: scenarios::schema::Named<At<Load>> = [(text("direct"), at(direct))].into();
        if gateway.is_some() {
            load.insert(text("routed"), at(routed));
        }
        Scenario {
            name: "generated".to_string(),
            title,
            phases: Some(at(phases)),
            topology: Some(at(topology)),
            registry,
            service,
            balancer,
            policy,
            gateway,
            load,
            // A rollout at the very end of a run without calm would come too late.
            rollout: rollout
                .into_iter()
                .map(|r| at(Rollout { at: Some(at(Ranged::Exactly(Span(Duration::secs(15))))), ..r }))
                .collect(),
            fault: end.0,
            expect: end.1,
        }
    })
}
