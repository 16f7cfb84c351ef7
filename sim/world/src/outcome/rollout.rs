//! A rollout as it ended, and its story on the way there.

use base::{Instant, Ratio};

/// A rollout and its story.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutOutcome {
    /// The service.
    pub service: String,
    /// The version it ran before.
    pub from: String,
    /// The version rolled out.
    pub to: String,
    /// The phase it was in at the end, such as `completed` or `rolled-back`.
    pub phase: &'static str,
    /// What happened, in order.
    pub history: Vec<(Instant, String)>,
    /// The new version's share as the controller set it, at each change.
    pub weights: Vec<(Instant, Ratio)>,
}
