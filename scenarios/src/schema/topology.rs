//! `[topology]`: zones, and the network within and between them.

use super::Distribution;
use super::union::text_or_table;
use crate::At;
use crate::scalar::{Bandwidth, Percent, Size};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Zones and the network between them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table with zones and network")]
pub struct Topology {
    /// Names of the zones, such as ["a", "b", "c"]. Nodes of a group are spread over them in turn. One zone, "a", by
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zones: Option<At<Vec<At<String>>>>,
    /// A preset's name (ideal, lan, cross-zone, wan, lossy) or a table that overrides its numbers. `lan` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<At<NetworkPreset>>,
    /// One-way latency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<At<Distribution>>,
    /// The chance that a packet is lost; connections send it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<At<Percent>>,
    /// The chance that a datagram arrives twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<At<Percent>>,
    /// The chance that a datagram is held back by another latency, so that later ones overtake it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<At<Percent>>,
    /// What one node can send, such as "1Gbit/s"; without a bound by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<At<Bandwidth>>,
    /// How many bytes wait where a link is narrower than what is sent: at its own bandwidth, or at a throttle. What
    /// does not fit is lost, as packets are that `loss` loses. A thousand packets of 1,500 bytes by default, as on
    /// Linux: "1500kB".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<At<Size>>,
    /// Changes to the link between nodes of one zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<At<LinkTable>>,
    /// Changes to the link between nodes of two zones.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<At<Distribution>>,
    /// The chance that a packet is lost; connections send it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<At<Percent>>,
    /// The chance that a datagram arrives twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<At<Percent>>,
    /// The chance that a datagram is held back by another latency, so that later ones overtake it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<At<Percent>>,
    /// What one node can send over this link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<At<Bandwidth>>,
    /// How many bytes wait where this link is narrower than what is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer: Option<At<Size>>,
}
