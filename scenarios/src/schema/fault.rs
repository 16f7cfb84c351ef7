//! `[[fault]]`: what goes wrong, when, for how long, and to whom.

use crate::At;
use crate::scalar::{Bandwidth, Factor, OrForever, Percent, Ranged, Span};
use crate::section::Distribution;
use crate::section::distribution::DistributionTable;
use crate::section::union::text_or_table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes a fault")]
pub struct Fault {
    /// Its name, unique in the file and the key of its chances; by default its kind and whom it concerns.
    pub name: Option<At<String>>,
    /// What goes wrong; `windtunnel list faults` explains each.
    #[schemars(required)]
    pub kind: Option<At<FaultKind>>,
    /// Whom: "checkout", "checkout-3", "registry", "gateway", "zone b", "one of checkout", "30% of checkout", "checkout
    /// in zone a", "all but gateway", "everything". Between whom, for faults of the network: "registry | gateway" both
    /// ways, "gateway -> registry" one way.
    #[schemars(required)]
    pub what: Option<At<String>>,
    /// When, from the beginning of the run; within the storm.
    #[schemars(required)]
    pub at: Option<At<Ranged<Span>>>,
    /// How long, until the end of the storm at most; or "forever". Not for `disk-corrupt` and `clock-step`, which
    /// happen at one moment.
    pub lasts: Option<At<OrForever<Ranged<Span>>>>,
    /// How a crash is seen: `process` resets connections, `machine` is silence. `process` by default. Only for `crash`.
    pub how: Option<At<How>>,
    /// How many times longer. For `slow` and `disk-slow`.
    pub factor: Option<At<Ranged<Factor>>>,
    /// By how much: a duration or a distribution for `delay`, a duration for `reorder` and `error`, a duration with a
    /// sign such as "-2s" for `clock-step`, parts per million such as "200ppm" for `clock-drift`.
    pub by: Option<At<By>>,
    /// The share of packets, or of requests. For `loss`, `duplicate`, `reorder` and `error`.
    pub share: Option<At<Ranged<Percent>>>,
    /// What the line carries, such as "1Mbit/s". For `throttle`.
    pub bandwidth: Option<At<Bandwidth>>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Nodes go down, and come up again when the fault ends, without their memory.
    Crash,
    /// Nodes freeze, and go on where they stopped.
    Pause,
    /// Work takes `factor` times longer.
    Slow,
    /// A `share` of requests, all by default, is answered with an error, `by` a duration after it was begun: 1 ms by
    /// default.
    Error,
    /// Packets between two sets of nodes are dropped.
    Partition,
    /// Packets to and from nodes wait until the fault ends.
    Clog,
    /// A random half of the nodes is clogged one by one and let go in another order.
    Swizzle,
    /// Packets take longer, `by` a duration or a distribution.
    Delay,
    /// A `share` of packets is lost.
    Loss,
    /// A `share` of datagrams arrives twice.
    Duplicate,
    /// A `share` of datagrams is held back `by` a duration.
    Reorder,
    /// Packets share a line of a `bandwidth`.
    Throttle,
    /// An fsync takes `factor` times longer.
    DiskSlow,
    /// Disks refuse to store more.
    DiskFull,
    /// A bit flips in what a disk had stored durably.
    DiskCorrupt,
    /// Clocks jump `by` a duration with a sign.
    ClockStep,
    /// Clocks run fast or slow `by` parts per million.
    ClockDrift,
}

impl FaultKind {
    /// All of them, in the order of the kernel's catalogue.
    pub const ALL: [FaultKind; 17] = [
        FaultKind::Crash,
        FaultKind::Pause,
        FaultKind::Slow,
        FaultKind::Error,
        FaultKind::Partition,
        FaultKind::Clog,
        FaultKind::Swizzle,
        FaultKind::Delay,
        FaultKind::Loss,
        FaultKind::Duplicate,
        FaultKind::Reorder,
        FaultKind::Throttle,
        FaultKind::DiskSlow,
        FaultKind::DiskFull,
        FaultKind::DiskCorrupt,
        FaultKind::ClockStep,
        FaultKind::ClockDrift,
    ];

    /// The word in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::Pause => "pause",
            FaultKind::Slow => "slow",
            FaultKind::Error => "error",
            FaultKind::Partition => "partition",
            FaultKind::Clog => "clog",
            FaultKind::Swizzle => "swizzle",
            FaultKind::Delay => "delay",
            FaultKind::Loss => "loss",
            FaultKind::Duplicate => "duplicate",
            FaultKind::Reorder => "reorder",
            FaultKind::Throttle => "throttle",
            FaultKind::DiskSlow => "disk-slow",
            FaultKind::DiskFull => "disk-full",
            FaultKind::DiskCorrupt => "disk-corrupt",
            FaultKind::ClockStep => "clock-step",
            FaultKind::ClockDrift => "clock-drift",
        }
    }

    /// The keys a fault of this kind needs besides kind, what, at and lasts.
    pub(crate) const fn needs(self) -> &'static [&'static str] {
        match self {
            FaultKind::Slow | FaultKind::DiskSlow => &["factor"],
            FaultKind::Delay | FaultKind::ClockStep | FaultKind::ClockDrift => &["by"],
            FaultKind::Loss | FaultKind::Duplicate => &["share"],
            FaultKind::Reorder => &["share", "by"],
            FaultKind::Throttle => &["bandwidth"],
            _ => &[],
        }
    }

    /// True for what happens at one moment.
    pub(crate) const fn is_momentary(self) -> bool {
        matches!(self, FaultKind::DiskCorrupt | FaultKind::ClockStep)
    }

    /// True for what concerns packets between two sets of nodes.
    pub(crate) const fn is_between(self) -> bool {
        matches!(
            self,
            FaultKind::Partition
                | FaultKind::Delay
                | FaultKind::Loss
                | FaultKind::Duplicate
                | FaultKind::Reorder
                | FaultKind::Throttle
        )
    }
}

/// How a crash is seen from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The process dies and the machine lives on: connections are reset, new ones are refused at once.
    #[default]
    Process,
    /// The machine is gone: silence. Only a timeout tells.
    Machine,
}

/// By how much: what it means depends on the kind of fault.
#[derive(Clone, Debug, PartialEq)]
pub enum By {
    /// A duration, a duration with a sign, or parts per million.
    Text(String),
    /// A distribution.
    Table(Box<DistributionTable>),
}

text_or_table!(By, Text(String), Table(Box<DistributionTable>), "a duration, parts per million, or a distribution");

impl By {
    /// As a distribution, for a table.
    pub(crate) fn table(&self) -> Option<Distribution> {
        match self {
            By::Text(_) => None,
            By::Table(table) => Some(Distribution::Table(table.clone())),
        }
    }
}
