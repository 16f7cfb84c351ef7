//! The registry: every kind, and every setting from what is barely possible to what nobody waits for.

use super::{Draft, SECOND, at};
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::Count;
use scenarios::section::Registry;
use scenarios::section::registry::{Mode, RegistryKind};

/// Versions of Eureka on both sides of the change of its rules.
const VERSIONS: [&str; 4] = ["1.9.0", "1.9.16", "1.9.17", "2.0.4"];

pub(super) fn registry(draft: &Draft) -> Option<At<Registry>> {
    // The times of the kinds are of seconds and minutes, and would be too short for decades.
    if draft.total > super::size::ROUTINE_LONGEST {
        return None;
    }
    draft.dice("registry").maybe(3, 5, |dice| one(dice, draft))
}

fn one(dice: &mut Dice, draft: &Draft) -> Registry {
    let instances: u64 = draft.services.iter().map(|sketch| u64::from(sketch.instances)).sum();
    let most = if dice.extreme() { 16 } else { 3 };
    let servers = dice.maybe(1, 2, |dice| dice.count(1..=most));
    let count = servers.as_ref().map_or(1, |n| u64::from(n.value.0));
    let beats = draft.interval(instances * count);
    let asks = draft.interval(u64::from(draft.callers) * draft.services.len() as u64 * count);
    let passes = draft.interval(count);
    let kind = dice.maybe(5, 6, |dice| *dice.one(&[RegistryKind::Consul, RegistryKind::Eureka, RegistryKind::Etcd]));
    let of = kind.as_ref().map_or(RegistryKind::Consul, |at| at.value);
    let (usual_ttl, usual_share) = match of {
        RegistryKind::Consul => (30 * SECOND, 2),
        RegistryKind::Eureka => (90 * SECOND, 3),
        RegistryKind::Etcd => (60 * SECOND, 3),
    };
    let around = |dice: &mut Dice, least: u64, usual: u64| {
        let most = if dice.extreme() { 24 * super::HOUR } else { usual };
        dice.span(least..=most.max(least))
    };
    // The heartbeat may follow from the ttl, of which it is a half or a third.
    let ttl = dice.maybe(1, 2, |dice| {
        dice.ranged(|dice| around(dice, beats.saturating_mul(usual_share + 1).max(2), 60 * SECOND))
    });
    let ttl_low = ttl.as_ref().map_or(usual_ttl, |ttl| ttl.low().0.as_nanos());
    let beats_now = beats.min(ttl_low - 1);
    let heartbeat = dice.maybe(1, 2, |dice| dice.ranged(|dice| dice.span(beats_now..=ttl_low - 1)));
    let eureka = of == RegistryKind::Eureka;
    let self_preservation = dice.maybe(1, 3, |dice| dice.happens(1, 2));
    let preserves = self_preservation.as_ref().map_or(eureka, |at| at.value);
    let needs_passes = eureka || preserves;
    let expire = dice.happens(1, 2) || needs_passes && !eureka;
    let mode = dice.maybe(1, 2, |dice| *dice.one(&[Mode::Watch, Mode::Poll]));
    let polls = mode.as_ref().map_or(eureka, |mode| mode.value == Mode::Poll);
    Registry {
        kind,
        version: if eureka { dice.maybe(1, 2, |dice| dice.one(&VERSIONS).to_string()) } else { None },
        servers: servers.map(|n| at(Count(n.value.0))),
        ttl,
        heartbeat,
        mode,
        interval: match polls {
            true => dice.maybe(2, 3, |dice| dice.ranged(|dice| around(dice, asks, 60 * SECOND))),
            false => None,
        },
        wait: if polls { None } else { dice.maybe(1, 2, |dice| around(dice, asks, 300 * SECOND)) },
        request_timeout: dice.maybe(1, 2, |dice| around(dice, asks.max(beats), 5 * SECOND)),
        expire_interval: expire.then(|| match needs_passes || dice.happens(1, 2) {
            true => at(around(dice, passes, 60 * SECOND)),
            false => super::span(0),
        }),
        push_delay: dice.maybe(1, 3, |dice| around(dice, 0, 5 * SECOND)),
        response_cache: dice.maybe(1, 3, |dice| match dice.happens(1, 4) {
            true => super::span(0).value,
            false => around(dice, passes, 60 * SECOND),
        }),
        self_preservation,
        expected_renewal_interval: if preserves { dice.maybe(1, 2, |dice| around(dice, 1, 60 * SECOND)) } else { None },
        drain: dice.maybe(1, 3, |dice| around(dice, 0, 20 * SECOND)),
    }
}
