//! Where requests come from: loads of every shape, and the gateway that some of them go through.
//!
//! How much a load sends is left open here, and follows in `size` from what a request costs.

use super::{Draft, SECOND, at, text};
use base::Duration;
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::{Count, OrNone, Ranged, Span};
use scenarios::section::gateway::{Destination, DestinationTable, Route, To};
use scenarios::section::load::{Keys, Popularity, Shape, Spread};
use scenarios::section::{Gateway, Load, Named};

const LOADS: [&str; 4] = ["users", "api-2", "cron", "B_b"];
const HOSTS: [&str; 4] = ["localhost", "example.com", "api.example.com", "*"];
const PATHS: [&str; 6] = ["/", "/api", "/api/v1", "/apiary", "/%20", "/a/very/long/path/that/goes/on"];
const HEADERS: [(&str, &str); 4] = [("x-beta", "yes"), ("X-Beta", "y*"), ("cookie", "*"), ("empty", "")];
const SHAPES: [Shape; 5] = [Shape::Poisson, Shape::Constant, Shape::Bursts, Shape::Diurnal, Shape::Closed];

pub(super) fn gateway(draft: &mut Draft) -> Option<At<Gateway>> {
    let mut dice = draft.dice("gateway");
    let most = (draft.members / 4).clamp(1, 40);
    dice.maybe(2, 5, |dice| {
        let mut route: Vec<At<Route>> = (0..dice.even(0..=3)).map(|n| at(one_route(dice, draft, n))).collect();
        if route.is_empty() || dice.happens(4, 5) {
            route.push(at(Route { to: Some(at(to(dice, draft))), ..Route::default() }));
        }
        Gateway {
            instances: dice.maybe(2, 3, |dice| dice.ranged(|dice| dice.count(1..=most))),
            spread: spread(dice),
            client_timeout: dice.maybe(1, 2, |dice| match dice.happens(1, 8) {
                true => OrNone(None),
                false => OrNone(Some(dice.span(1..=60 * SECOND))),
            }),
            route,
        }
    })
}

fn spread(dice: &mut Dice) -> Option<At<Spread>> {
    dice.maybe(1, 2, |dice| *dice.one(&[Spread::Random, Spread::InTurn]))
}

fn one_route(dice: &mut Dice, draft: &Draft, number: u64) -> Route {
    let path = dice.maybe(5, 6, |dice| dice.one(&PATHS).to_string());
    let mut route = Route {
        name: dice.maybe(1, 2, |_| format!("route {number}")),
        host: dice.maybe(1, 4, |dice| dice.one(&["*.example.com", "*", "localhost", "example.com"]).to_string()),
        to: Some(at(to(dice, draft))),
        rewrite: dice.maybe(1, 4, |dice| dice.one(&["/", "", "/v2"]).to_string()),
        timeout: dice.maybe(1, 4, |dice| dice.span(1..=30 * SECOND)),
        ..Route::default()
    };
    match dice.even(0..=2) {
        0 => route.prefix = path,
        1 => route.path_prefix = path,
        _ => route.exact = path,
    }
    if dice.happens(1, 5) {
        let (name, value) = *dice.one(&HEADERS);
        route.headers.insert(text(name), text(value));
    }
    route
}

fn to(dice: &mut Dice, draft: &Draft) -> To {
    let one = |dice: &mut Dice, least: u32| {
        let sketch = dice.one(&draft.services);
        if least == 0 && dice.happens(1, 3) {
            return Destination::Name(sketch.name.clone());
        }
        let most = if dice.extreme() { u32::MAX } else { 100 };
        Destination::Table(DestinationTable {
            service: Some(text(&sketch.name)),
            version: dice.maybe(1, 3, |dice| dice.one(&sketch.versions).clone()),
            weight: (least > 0 || dice.happens(1, 2)).then(|| at(dice.count(least..=most))),
        })
    };
    match dice.happens(1, 2) {
        // The weight of a single destination is all there is.
        true => match one(dice, 0) {
            Destination::Table(table) => {
                To::One(Destination::Table(DestinationTable { weight: table.weight.map(|_| at(Count(1))), ..table }))
            }
            name => To::One(name),
        },
        false => {
            let rest = dice.even(0..=2);
            let mut all = vec![at(one(dice, 1))];
            all.extend((0..rest).map(|_| at(one(dice, 0))));
            To::Weighted(all)
        }
    }
}

pub(super) fn loads(draft: &mut Draft, gateway: Option<&Gateway>) -> Named<At<Load>> {
    let mut dice = draft.dice("load");
    let count = dice.even(1..=3) as usize;
    let most = (draft.members / 4).clamp(1, 60);
    LOADS[..count].iter().map(|name| (text(name), at(load(&mut dice, draft, gateway, most)))).collect()
}

fn load(dice: &mut Dice, draft: &Draft, gateway: Option<&Gateway>, most: u32) -> Load {
    let mut load = Load {
        sources: dice.maybe(1, 2, |dice| dice.count(1..=most)),
        spread: spread(dice),
        keys: dice.maybe(1, 2, keys),
        ..Load::default()
    };
    if gateway.is_some() && dice.happens(2, 3) {
        load.path = Some(at(dice.one(&PATHS).to_string()));
        load.host = dice.maybe(1, 2, |dice| dice.one(&HOSTS).to_string());
        if dice.happens(1, 3) {
            let (name, value) = *dice.one(&HEADERS);
            load.headers.insert(text(name), text(value));
        }
    } else {
        load.target = Some(text(&dice.one(&draft.services).name));
    }
    let shape = *dice.one(&SHAPES);
    load.shape = (shape != Shape::Poisson || dice.happens(1, 2)).then(|| at(shape));
    // How it is spread over time; how much it is comes later.
    match shape {
        Shape::Poisson | Shape::Constant => {}
        Shape::Bursts => {
            let every = dice.magnitude(2..=draft.total.saturating_mul(2).clamp(2, super::size::LONGEST));
            load.lasts = Some(at(dice.span((every / 100).max(1)..=every - 1)));
            load.every = Some(super::span(every));
        }
        Shape::Diurnal => {
            load.swing = dice.maybe(2, 3, Dice::share);
            load.period = Some(at(dice.span(1..=draft.total.saturating_mul(10).min(super::size::LONGEST))));
        }
        Shape::Closed => load.users = Some(at(Ranged::Exactly(Count(1)))),
    }
    if shape == Shape::Closed {
        load.think =
            Some(at(scenarios::section::Distribution::Constant(Span(Duration::ns(draft.total.min(super::size::DAY))))));
    } else {
        load.rate = Some(at(Ranged::Exactly(super::size::LEAST)));
        load.peak = (shape == Shape::Bursts).then(|| at(Ranged::Exactly(super::size::LEAST)));
    }
    load
}

fn keys(dice: &mut Dice) -> Keys {
    let most = if dice.extreme() { u32::MAX } else { 10_000 };
    let distribution = dice.maybe(2, 3, |dice| *dice.one(&[Popularity::Uniform, Popularity::Zipf]));
    let is_zipf = distribution.as_ref().is_some_and(|at| at.value == Popularity::Zipf);
    Keys {
        count: Some(at(dice.count(1..=most))),
        distribution,
        exponent: if is_zipf { dice.maybe(1, 2, |dice| dice.factor(1e-3, 10.0)) } else { None },
    }
}
