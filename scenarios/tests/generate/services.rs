//! Services: how many instances, what they do with a request, whom they call, and how callers choose among them.

use super::{Draft, MS, SECOND, at, eligibility, policy, text};
use base::Duration;
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::{Count, Ranged, Span};
use scenarios::section::balancer::{BalancerTable, Written};
use scenarios::section::service::{Call, CallTable, Draining, Stage, Version};
use scenarios::section::{Balancer, Named, Service};
use world::balancer::hashing::Kind as Structure;
use world::balancer::strategy::catalogue;
use world::balancer::strategy::parameter::{Kind, Value};
use world::balancer::{Host, Strategy};

/// A service as others know it before it is drawn.
pub(super) struct Sketch {
    pub(super) name: String,
    /// At most.
    pub(super) instances: u32,
    /// The initial one first.
    pub(super) versions: Vec<String>,
    /// Stages of calls to later services, by number.
    pub(super) calls: Vec<Vec<usize>>,
    /// Nanoseconds of work, usually.
    pub(super) work: u64,
}

const NAMES: [&str; 6] = ["shop", "stock", "geo-data", "a_b", "S3", "price"];
const VERSIONS: [&str; 5] = ["0.9.0", "1.1.0", "1.2.0-rc.1", "2.0.0", "10.0.0"];
const INITIAL: &str = "1.0.0";

/// The most bytes that the balancers of all callers together take.
const BYTES: u64 = 64 << 20;
/// The most places that a key tries.
const TRIES: u32 = 4_096;
/// The most bytes of structures that are written while all instances come, one after the other.
const WRITTEN: u64 = 1 << 30;

pub(super) fn sketch(draft: &mut Draft) {
    let mut dice = draft.dice("sketch");
    let count = dice.even(1..=5) as usize;
    for (index, name) in NAMES.into_iter().take(count).enumerate() {
        let most = draft.members as u64 / count as u64;
        let instances = match dice.extreme() {
            true => *dice.one(&[1, most.max(1)]),
            false => dice.magnitude(1..=most.clamp(1, 24)),
        };
        let mut versions: Vec<String> =
            VERSIONS.iter().filter(|_| dice.happens(2, 5)).map(ToString::to_string).collect();
        match versions.is_empty() || dice.happens(2, 3) {
            true => versions.insert(0, INITIAL.to_string()),
            false => {
                let initial = dice.even(0..=versions.len() as u64 - 1) as usize;
                versions.swap(0, initial);
            }
        }
        let mut calls = Vec::new();
        while index + 1 < count && calls.len() < 3 && dice.happens(2, 5) {
            let wide = if dice.happens(1, 3) { dice.even(2..=4) } else { 1 };
            calls.push((0..wide).map(|_| dice.even(index as u64 + 1..=count as u64 - 1) as usize).collect());
        }
        let work = dice.magnitude(1_000..=2 * SECOND);
        draft.services.push(Sketch { name: name.to_string(), instances: instances as u32, versions, calls, work });
    }
}

pub(super) fn services(draft: &Draft, common_balancer: bool) -> Named<At<Service>> {
    let one = |(index, sketch): (usize, &Sketch)| {
        let mut dice = draft.dice(&format!("service/{index}"));
        (text(&sketch.name), at(service(&mut dice, draft, sketch, common_balancer)))
    };
    draft.services.iter().enumerate().map(one).collect()
}

fn service(dice: &mut Dice, draft: &Draft, sketch: &Sketch, common_balancer: bool) -> Service {
    let most = if dice.extreme() { u32::MAX } else { 64 };
    let concurrency = dice.maybe(3, 4, |dice| dice.ranged(|dice| dice.count(1..=most)));
    let heaviest = if dice.extreme() { 65_535 } else { 20 };
    let weights: Option<At<Vec<At<Count>>>> =
        dice.maybe(1, 4, |dice| (0..dice.even(1..=5)).map(|_| at(dice.count(1..=heaviest))).collect());
    let weight = weights.iter().flat_map(|w| &w.value).map(|w| w.value.0).max().unwrap_or(1);
    let (own, strategy) = match dice.happens(4, 5) || common_balancer && weight > 1 {
        true => {
            let (balancer, strategy) = balancer(dice, draft, weight);
            (Some(at(balancer)), Some(strategy))
        }
        // The common one is not known here, and the default is.
        false => (None, (!common_balancer).then_some(Strategy::P2C)),
    };
    Service {
        instances: (sketch.instances > 1 || dice.happens(1, 2)).then(|| {
            let low = dice.even(1..=sketch.instances.into()) as u32;
            let high = Count(sketch.instances);
            at(if low < high.0 && dice.happens(1, 4) { Ranged::Between(Count(low), high) } else { high.into() })
        }),
        concurrency,
        processors: dice.maybe(1, 5, |dice| dice.ranged(|dice| dice.factor(0.001, 10_000.0))),
        queue_limit: dice.maybe(1, 2, |dice| {
            let most = if dice.extreme() { u32::MAX } else { 200 };
            dice.ranged(|dice| dice.count(0..=most))
        }),
        service_time: dice.maybe(9, 10, |dice| dice.distribution(sketch.work)),
        start_up: dice.maybe(1, 2, |dice| dice.span(0..=20 * SECOND)),
        grace: dice.maybe(1, 2, |dice| dice.span(0..=60 * SECOND)),
        draining: dice.maybe(1, 2, |dice| *dice.one(&[Draining::Serves, Draining::Refuses])),
        initial_version: (sketch.versions[0] != INITIAL || dice.happens(1, 5)).then(|| text(&sketch.versions[0])),
        calls: calls(dice, draft, sketch),
        balancer: own,
        eligibility: match strategy {
            Some(strategy) => dice.maybe(2, 5, |dice| eligibility::eligibility(dice, draft, sketch, strategy)),
            None => None,
        },
        weights,
        speeds: dice.maybe(1, 4, |dice| (0..dice.even(1..=4)).map(|_| at(dice.factor(0.001, 1000.0))).collect()),
        policy: dice.maybe(1, 2, |dice| policy::policy(dice, draft)),
        version: versions(dice, sketch),
    }
}

fn calls(dice: &mut Dice, draft: &Draft, sketch: &Sketch) -> Option<At<Vec<At<Stage>>>> {
    let call = |dice: &mut Dice, to: &usize| {
        let name = &draft.services[*to].name;
        match dice.happens(1, 2) {
            true => Call::Name(name.clone()),
            false => {
                let optional = dice.maybe(2, 3, |dice| dice.happens(1, 2));
                Call::Table(CallTable { to: Some(text(name)), optional })
            }
        }
    };
    let stages = sketch.calls.iter().map(|stage| match stage.as_slice() {
        [one] => at(Stage::One(call(dice, one))),
        several => at(Stage::Parallel(several.iter().map(|to| at(call(dice, to))).collect())),
    });
    let stages: Vec<_> = stages.collect();
    (!stages.is_empty()).then(|| at(stages))
}

fn versions(dice: &mut Dice, sketch: &Sketch) -> Named<At<Version>> {
    let mut all = Named::new();
    for (index, name) in sketch.versions.iter().enumerate() {
        // The initial version need not be named.
        if index == 0 && dice.happens(1, 2) {
            continue;
        }
        let version = Version {
            error_rate: dice.maybe(1, 2, |dice| dice.ranged(Dice::share)),
            slowdown: dice.maybe(1, 2, |dice| {
                let most = if dice.extreme() { 1e6 } else { 5.0 };
                dice.ranged(|dice| dice.factor(1e-3, most))
            }),
            service_time: dice.maybe(1, 4, |dice| dice.distribution(sketch.work)),
        };
        all.insert(text(name), at(version));
    }
    all
}

/// A strategy of the catalogue, as written and as it is, that fits into memory where instances weigh at most `weight`.
pub(super) fn balancer(dice: &mut Dice, draft: &Draft, weight: u32) -> (Balancer, Strategy) {
    let info = *dice.one(catalogue::all());
    let plain = (Balancer::Name(info.name.to_string()), Strategy::of(info));
    let mut strategy = plain.1;
    let mut parameters = Named::new();
    for parameter in info.parameters.iter() {
        if !dice.happens(1, 2) {
            continue;
        }
        let (written, value) = parameter_value(dice, parameter.kind, draft);
        match strategy.with(parameter.name, value) {
            Ok(with) => {
                strategy = with;
                parameters.insert(text(parameter.name), at(written));
            }
            Err(refused) => panic!("{} does not take what it declares: {refused}", info.name),
        }
    }
    let fits = |strategy: Strategy| {
        let most = draft.services.iter().map(|sketch| sketch.instances).max().unwrap_or(1);
        let hosts: Vec<Host> = (0..most).map(|n| Host { weight, ..Host::new(base::InstanceId(n)) }).collect();
        let names: Vec<(&str, u32)> = hosts.iter().map(|host| ("an instance", host.weight)).collect();
        // Of all structures this one alone takes the longer for a key the emptier it is: it tries places until one is
        // taken.
        let tries = match strategy.structure() {
            Some(Structure::Dx { capacity }) => capacity,
            _ => 1,
        };
        let is_possible = tries <= TRIES && strategy.structure().is_none_or(|kind| kind.check(&names).is_ok());
        let (zones, callers) = (draft.zones.len() as u64 + 1, u64::from(draft.callers.max(1)));
        let each = strategy.bytes_over(&hosts).saturating_mul(zones);
        let all = each.saturating_mul(callers);
        is_possible && all <= BYTES && all.saturating_mul(u64::from(most)) <= WRITTEN
    };
    if !fits(strategy) {
        return match fits(plain.1) {
            true => plain,
            false => (Balancer::Name("round_robin".to_string()), Strategy::ROUND_ROBIN),
        };
    }
    if parameters.is_empty() && dice.happens(4, 5) {
        return plain;
    }
    (Balancer::Table(BalancerTable { strategy: Some(text(info.name)), parameters }), strategy)
}

fn parameter_value(dice: &mut Dice, kind: Kind, draft: &Draft) -> (Written, Value) {
    match kind {
        Kind::Count { min, max } => {
            let n = dice.magnitude(min..=max.min(i64::MAX as u64));
            (Written::Whole(n), Value::Count(n))
        }
        Kind::Number { min, max } => {
            let max = if max.is_finite() && max < 1e12 { max } else { 1e12 };
            let near = if dice.happens(1, 2) { max.min(min + 3.0) } else { max };
            let number = dice.number(min, near);
            (Written::Number(number), Value::Number(number))
        }
        Kind::Share => {
            let share = dice.share();
            (Written::Text(share.to_string()), Value::Share(share.0))
        }
        Kind::Span { min, max } => {
            // As long as the run, or as long as may be.
            let most = if dice.extreme() { max } else { max.min(Duration::ns(draft.total.max(10 * MS))).max(min) };
            let Span(span) = dice.span(min.as_nanos()..=most.as_nanos().min(super::HOUR * 24 * 365));
            (Written::Text(Span(span).to_string()), Value::Span(span))
        }
        Kind::Word(words) => {
            let word = *dice.one(words);
            (Written::Text(word.to_string()), Value::Word(word))
        }
        Kind::Switch => {
            let on = dice.happens(1, 2);
            (Written::Switch(on), Value::Switch(on))
        }
    }
}
