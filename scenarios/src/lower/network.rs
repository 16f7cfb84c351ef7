//! Zones and links. The presets' numbers are here and in the schema's descriptions.

use super::{Context, distribution};
use crate::At;
use crate::problem::Problem;
use crate::schema::topology::{LinkTable, Network, NetworkPreset};
use base::{Dist, Duration, Ratio};
use std::collections::BTreeSet;
use world::kernel::Link;

/// Names of zones, the link within a zone, the link between two.
pub(crate) fn lower(cx: &mut Context<'_>) -> (Vec<String>, Link, Link) {
    let scenario = cx.scenario;
    let topology = scenario.topology.as_ref();
    let zones = match topology.and_then(|t| t.zones.as_ref()) {
        None => vec!["a".to_string()],
        Some(zones) => {
            if zones.value.is_empty() {
                cx.report(Problem::at(zones, "there is no zone").label("such as [\"a\"]"));
            }
            let mut seen = BTreeSet::new();
            for zone in &zones.value {
                if !seen.insert(zone.as_str()) {
                    cx.report(Problem::at(zone, format!("zone `{}` is named twice", zone.value)));
                }
                if zone.is_empty() || zone.chars().any(|c| c.is_whitespace() || "|,>".contains(c)) {
                    cx.report(
                        Problem::at(zone, format!("`{}` cannot be the name of a zone", zone.value))
                            .label("without spaces and without | , >"),
                    );
                }
            }
            zones.value.iter().map(|zone| zone.value.clone()).collect()
        }
    };
    let (within, between) = match topology.and_then(|t| t.network.as_ref()).map(|at| &at.value) {
        None => preset(NetworkPreset::default()),
        Some(Network::Preset(name)) => preset(*name),
        Some(Network::Custom(table)) => {
            let (within, between) = preset(table.preset.as_ref().map_or_else(Default::default, |p| p.value));
            let both = LinkTable {
                latency: table.latency.clone(),
                loss: table.loss.clone(),
                duplicate: table.duplicate.clone(),
                reorder: table.reorder.clone(),
                bandwidth: table.bandwidth.clone(),
                buffer: table.buffer.clone(),
            };
            // The latency that stands for both is lowered once, so that what is wrong with it is told once.
            let latency = both.latency.as_ref().map(|at| distribution::lower(cx, at));
            let mut change = |link: Link, own: Option<&At<LinkTable>>| {
                let link = Link { latency: latency.clone().unwrap_or(link.latency.clone()), ..link };
                let link = changed(cx, link, &LinkTable { latency: None, ..both.clone() });
                own.map_or(link.clone(), |own| changed(cx, link, own))
            };
            (change(within, table.within.as_ref()), change(between, table.between.as_ref()))
        }
    };
    (zones, within, between)
}

fn preset(name: NetworkPreset) -> (Link, Link) {
    let link = |p50: u64, p99: u64| Link::new(Dist::lognormal(Duration::us(p50), Duration::us(p99)));
    let lossy = |link: Link| Link {
        loss: Ratio::percent(1),
        duplicate: Ratio::from_billionths(1_000_000),
        reorder: Ratio::percent(1),
        ..link
    };
    let near = link(100, 300);
    match name {
        NetworkPreset::Ideal => {
            let nothing = Link::new(Dist::Constant(Duration::ZERO));
            (nothing.clone(), nothing)
        }
        NetworkPreset::Lan => (near.clone(), near),
        NetworkPreset::CrossZone => (near, link(500, 1_500)),
        NetworkPreset::Wan => (near, link(40_000, 60_000)),
        NetworkPreset::Lossy => (lossy(near), lossy(link(500, 1_500))),
    }
}

fn changed(cx: &mut Context<'_>, mut link: Link, table: &LinkTable) -> Link {
    if let Some(latency) = &table.latency {
        link.latency = distribution::lower(cx, latency);
    }
    if let Some(loss) = &table.loss {
        link.loss = loss.value.0;
    }
    if let Some(duplicate) = &table.duplicate {
        link.duplicate = duplicate.value.0;
    }
    if let Some(reorder) = &table.reorder {
        link.reorder = reorder.value.0;
    }
    if let Some(bandwidth) = &table.bandwidth {
        link.bandwidth = Some(bandwidth.value.0);
    }
    if let Some(buffer) = &table.buffer {
        link.buffer = buffer.value.0;
    }
    link
}
