//! Zones, and the network between them: presets, custom links, lines that carry next to nothing.

use super::{Draft, at, text};
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::section::Topology;
use scenarios::section::topology::{LinkTable, Network, NetworkPreset, NetworkTable};

const PRESETS: [NetworkPreset; 5] =
    [NetworkPreset::Ideal, NetworkPreset::Lan, NetworkPreset::CrossZone, NetworkPreset::Wan, NetworkPreset::Lossy];

/// Names that a selector could take for one of its own words, and one beyond ASCII.
const ZONES: [&str; 6] = ["a", "b", "zone", "of", "eu-west-1c", "é"];

/// The usual latency of a link: a millisecond.
const LATENCY: u64 = 1_000_000;

pub(super) fn topology(draft: &mut Draft) -> Option<At<Topology>> {
    let mut dice = draft.dice("topology");
    let dice = &mut dice;
    draft.zones = match dice.even(0..=9) {
        0..=2 => ZONES[..1].iter().map(ToString::to_string).collect(),
        9 if dice.extreme() => (0..40).map(|n| format!("z{n}")).collect(),
        _ => ZONES[..dice.even(2..=6) as usize].iter().map(ToString::to_string).collect(),
    };
    let network = dice.maybe(4, 5, |dice| match dice.happens(1, 2) {
        true => Network::Preset(*dice.one(&PRESETS)),
        false => Network::Custom(Box::new(custom(dice))),
    });
    if draft.zones.len() == 1 && dice.happens(1, 3) {
        return network.map(|network| at(Topology { zones: None, network: Some(network) }));
    }
    Some(at(Topology { zones: Some(at(draft.zones.iter().map(|zone| text(zone)).collect())), network }))
}

fn custom(dice: &mut Dice) -> NetworkTable {
    let LinkTable { latency, loss, duplicate, reorder, bandwidth, buffer } = link(dice);
    NetworkTable {
        preset: dice.maybe(1, 2, |dice| *dice.one(&PRESETS)),
        latency,
        loss,
        duplicate,
        reorder,
        bandwidth,
        buffer,
        within: dice.maybe(1, 4, link),
        between: dice.maybe(1, 4, link),
    }
}

fn link(dice: &mut Dice) -> LinkTable {
    LinkTable {
        latency: dice.maybe(1, 2, |dice| dice.distribution(LATENCY)),
        loss: dice.maybe(1, 6, Dice::share),
        duplicate: dice.maybe(1, 6, Dice::share),
        reorder: dice.maybe(1, 6, Dice::share),
        bandwidth: dice.maybe(1, 4, Dice::bandwidth),
        buffer: dice.maybe(1, 6, Dice::size),
    }
}
