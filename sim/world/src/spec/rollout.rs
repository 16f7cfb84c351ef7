//! Rollouts: which version of a service, from when on, by which strategy.

use base::{Duration, Instant, ServiceId, VersionId};

/// A version to roll out.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSpec {
    /// Whose.
    pub service: ServiceId,
    /// To which version.
    pub to: VersionId,
    /// When it is asked for.
    pub at: Instant,
    /// Steps and surge.
    pub strategy: rollout::Strategy,
    /// By what the new version is judged, if at all.
    pub analysis: Option<rollout::Analysis>,
    /// Without progress for so long, it is overdue.
    pub progress_deadline: Duration,
    /// Whether it is rolled back then; it goes on waiting otherwise.
    pub auto_rollback: bool,
    /// How long an instance must have been ready to count as available.
    pub min_ready: Duration,
}
