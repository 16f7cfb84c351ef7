//! `[topology]`: zones, and the network within and between them. It becomes the names of the zones and two links: that
//! between nodes of one zone, and that between nodes of two.
//!
//! The numbers of the presets are here and in their descriptions.

use super::Section;
use super::distribution::{self, Distribution};
use super::union::text_or_table;
use crate::At;
use crate::at::Key;
use crate::lower::Context;
use crate::problem::Problem;
use crate::scalar::{Bandwidth, Percent, Size};
use base::{Dist, Duration, Ratio};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use world::Spec;
use world::kernel::Link;

/// Zones and the network between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with zones and network")]
pub struct Topology {
    /// Names of the zones, such as ["a", "b", "c"]. Nodes of a group are spread over them in turn. One zone, "a", by
    /// default.
    pub zones: Option<At<Vec<At<String>>>>,
    /// A preset's name (ideal, lan, cross-zone, wan, lossy) or a table that overrides its numbers. `lan` by default.
    pub network: Option<At<Network>>,
}

/// A network preset, as it is or with changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// As it is.
    Preset(NetworkPreset),
    /// With changes.
    Custom(Box<NetworkTable>),
}

text_or_table!(Network, Preset(NetworkPreset), Custom(Box<NetworkTable>), "a network preset's name or a table");

/// A network known by name. One-way latencies, lognormal by median and 99th percentile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkPreset {
    /// Takes no time and loses nothing: for comparison with the theory of queues.
    Ideal,
    /// One data centre: 100 us (p99 300 us) within and between zones.
    #[default]
    Lan,
    /// A region of a cloud: 100 us (p99 300 us) within a zone, 500 us (p99 1.5 ms) between zones.
    CrossZone,
    /// Zones on different continents: 100 us (p99 300 us) within a zone, 40 ms (p99 60 ms) between zones.
    Wan,
    /// `cross-zone`, and 1% of packets are lost, 0.1% of datagrams arrive twice, 1% overtake each other.
    Lossy,
}

/// A network preset with changes. What stands at the top applies to both links, what stands in `within` and `between`
/// to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a network preset's name or a table")]
pub struct NetworkTable {
    /// What the rest changes; `lan` by default.
    pub preset: Option<At<NetworkPreset>>,
    /// One-way latency.
    pub latency: Option<At<Distribution>>,
    /// The chance that a packet is lost; connections send it again.
    pub loss: Option<At<Percent>>,
    /// The chance that a datagram arrives twice.
    pub duplicate: Option<At<Percent>>,
    /// The chance that a datagram is held back by another latency, so that later ones overtake it.
    pub reorder: Option<At<Percent>>,
    /// What one node can send, such as "1Gbit/s"; without a bound by default.
    pub bandwidth: Option<At<Bandwidth>>,
    /// How many bytes wait where a link is narrower than what is sent: at its own bandwidth, or at a throttle. What
    /// does not fit is lost, as packets are that `loss` loses. A thousand packets of 1,500 bytes by default, as on
    /// Linux: "1500kB".
    pub buffer: Option<At<Size>>,
    /// Changes to the link between nodes of one zone.
    pub within: Option<At<LinkTable>>,
    /// Changes to the link between nodes of two zones.
    pub between: Option<At<LinkTable>>,
}

/// Changes to one link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table with latency, loss, duplicate, reorder, bandwidth or buffer"
)]
pub struct LinkTable {
    /// One-way latency.
    pub latency: Option<At<Distribution>>,
    /// The chance that a packet is lost; connections send it again.
    pub loss: Option<At<Percent>>,
    /// The chance that a datagram arrives twice.
    pub duplicate: Option<At<Percent>>,
    /// The chance that a datagram is held back by another latency, so that later ones overtake it.
    pub reorder: Option<At<Percent>>,
    /// What one node can send over this link.
    pub bandwidth: Option<At<Bandwidth>>,
    /// How many bytes wait where this link is narrower than what is sent.
    pub buffer: Option<At<Size>>,
}

impl Section for Topology {
    fn lower(cx: &mut Context<'_>, spec: &mut Spec) {
        let topology = cx.scenario.topology.as_ref();
        spec.zones = match topology.and_then(|at| at.zones.as_ref()) {
            None => vec!["a".to_string()],
            Some(at) => zones(cx, at),
        };
        if let Some(network) = topology.and_then(|at| at.network.as_ref()) {
            (spec.within_zone, spec.between_zones) = links(cx, &network.value);
        }
    }
}

/// The links of a file that does not speak of the network: within a zone, between two.
pub(crate) fn usual_links() -> (Link, Link) {
    NetworkPreset::default().links()
}

impl NetworkPreset {
    fn links(self) -> (Link, Link) {
        let link = |p50: u64, p99: u64| Link::new(Dist::lognormal(Duration::us(p50), Duration::us(p99)));
        let lossy = |link: Link| Link {
            loss: Ratio::percent(1),
            duplicate: Ratio::from_billionths(1_000_000),
            reorder: Ratio::percent(1),
            ..link
        };
        let near = link(100, 300);
        match self {
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
}

fn zones(cx: &mut Context<'_>, zones: &At<Vec<At<String>>>) -> Vec<String> {
    if zones.value.is_empty() {
        cx.report(Problem::at(zones, "there is no zone").label("such as [\"a\"]"));
    }
    let mut seen = BTreeSet::new();
    for zone in &zones.value {
        if !seen.insert(zone.as_str()) {
            cx.report(Problem::at(zone, format!("zone `{}` is named twice", zone.value)));
        }
        if zone.is_empty() || zone.chars().any(|c| c.is_whitespace() || "|,>".contains(c)) {
            let message = format!("`{}` cannot be the name of a zone", zone.value);
            cx.report(Problem::at(zone, message).label("without spaces and without | , >"));
        }
    }
    zones.value.iter().map(|zone| zone.value.clone()).collect()
}

fn links(cx: &mut Context<'_>, network: &Network) -> (Link, Link) {
    let table = match network {
        Network::Preset(preset) => return preset.links(),
        Network::Custom(table) => table,
    };
    let (within, between) = table.preset.value_or(NetworkPreset::default()).links();
    let both = LinkTable {
        latency: None,
        loss: table.loss.clone(),
        duplicate: table.duplicate.clone(),
        reorder: table.reorder.clone(),
        bandwidth: table.bandwidth.clone(),
        buffer: table.buffer.clone(),
    };
    // The latency of both links is lowered once, so that what is wrong with it is told once.
    let latency = table.latency.as_ref().map(|at| distribution::lower(cx, at));
    let mut change = |link: Link, own: &Option<At<LinkTable>>| {
        let link = Link { latency: latency.clone().unwrap_or(link.latency.clone()), ..link };
        let link = changed(cx, link, &both);
        own.as_ref().map_or(link.clone(), |own| changed(cx, link, own))
    };
    (change(within, &table.within), change(between, &table.between))
}

fn changed(cx: &mut Context<'_>, mut link: Link, table: &LinkTable) -> Link {
    if let Some(latency) = &table.latency {
        link.latency = distribution::lower(cx, latency);
    }
    table.loss.replace_in(&mut link.loss);
    table.duplicate.replace_in(&mut link.duplicate);
    table.reorder.replace_in(&mut link.reorder);
    link.bandwidth = table.bandwidth.inner().or(link.bandwidth);
    table.buffer.replace_in(&mut link.buffer);
    link
}
