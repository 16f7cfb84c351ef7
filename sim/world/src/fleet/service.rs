//! What the orchestrator keeps of a service: how its instances are made and stopped, how many there shall be, and in
//! which state its rollouts have left it.

use crate::spec::InstanceTemplate;
use base::{FencingToken, Instant, Ratio, VersionId};
use version::History;

/// Shares of a service's traffic by version; none while all instances are one pool.
pub(crate) type Shares = Option<[(VersionId, Ratio); 2]>;

/// A service as the orchestrator knows it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) template: InstanceTemplate,
    /// Instances created so far.
    pub(crate) created: u32,
    /// Instances wanted, by version.
    pub(crate) desired: Vec<u32>,
    pub(crate) split: Shares,
    /// How many splits have been ordered.
    pub(crate) split_number: u64,
    /// The largest token under which it was changed.
    pub(crate) newest_token: FencingToken,
    pub(crate) history: History,
    /// The version that the last rollout to settle left it at.
    pub(crate) settled: VersionId,
    /// With how many instances.
    pub(crate) wanted: u32,
    /// The rollout that began last, by its place among the controllers.
    pub(crate) last_begun: Option<u32>,
    /// Versions whose rollback has begun and that nobody has asked for since.
    pub(crate) rejected: Vec<VersionId>,
}

impl Service {
    /// A service of `versions` versions, at the first of which it shall have `wanted` instances; none exist yet.
    pub(crate) fn new(template: InstanceTemplate, versions: usize, wanted: u32) -> Self {
        Service {
            template,
            created: 0,
            desired: vec![0; versions],
            split: None,
            split_number: 0,
            newest_token: FencingToken(0),
            history: History::new(VersionId(0), Instant::ZERO),
            settled: VersionId(0),
            wanted,
            last_begun: None,
            rejected: Vec::new(),
        }
    }
}
