//! What a rollout is to do, decided before it begins and never changed while it runs.

use crate::Analysis;
use base::{Duration, Ratio, ServiceId, VersionId};
use std::fmt;

/// One rollout of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whose versions change.
    pub service: ServiceId,
    /// The version that serves now and is restored when things go wrong; a grant of the lock that knows better replaces
    /// it.
    pub from: VersionId,
    /// The version that is wanted.
    pub to: VersionId,
    /// How many instances serve before and after, at least one.
    pub replicas: u32,
    /// In which order things change.
    pub strategy: Strategy,
    /// Who judges the new version on the way, if anybody.
    pub analysis: Option<Analysis>,
    /// How long a rollout may wait for instances without any progress. Kubernetes, Argo and Flagger: 600 s.
    pub progress_deadline: Duration,
    /// What happens when that time is over: true rolls back, as Flagger does; false says so and keeps trying, as a
    /// Kubernetes Deployment (`pkg/controller/deployment/progress.go`, condition `ProgressDeadlineExceeded`) and Argo
    /// without `progressDeadlineAbort` do.
    pub auto_rollback: bool,
    /// How long an instance must have been ready without a break before it counts as available. Kubernetes: 0 s.
    pub min_ready: Duration,
    /// How long to wait before asking again for a lock that was refused, or for one that nobody answered about.
    pub lock_retry: Duration,
    /// How often to look at the instances while under way.
    pub observe_every: Duration,
    /// How long a canary's old instances stay after the last traffic left them. Argo: 30 s.
    pub scale_down_delay: Duration,
    /// How long an aborted canary's instances stay after the last traffic left them. Argo: 30 s.
    pub abort_scale_down_delay: Duration,
}

/// In which order things change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Replace instances a few at a time; traffic follows the instances. Exactly a Kubernetes Deployment's
    /// `RollingUpdate`.
    Rolling {
        /// How many instances there may be beyond `replicas`; a share is rounded up. Kubernetes: 25 %.
        max_surge: IntOrPercent,
        /// How many of `replicas` may be unavailable; a share is rounded down. Kubernetes: 25 %.
        max_unavailable: IntOrPercent,
    },
    /// Give the new version a growing share of the traffic, beside the full old version. Argo Rollouts' canary with a
    /// traffic router and without `dynamicStableScale`.
    Canary {
        /// What happens in turn, before everything goes to the new version; at least one.
        steps: Vec<Step>,
    },
}

/// One step of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Give the new version the instances for this share of the traffic, and then the share.
    SetWeight(Ratio),
    /// Wait this long, and then for a check that is under way or after one that failed. The time counts only while the
    /// lock is held; a hold nobody watched begins again.
    Hold(Duration),
    /// Wait for [`Input::Promote`](crate::Input::Promote).
    Pause,
}

/// A number of instances, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    /// So many.
    Int(u32),
    /// So many of each hundred.
    Percent(Ratio),
}

impl IntOrPercent {
    /// How many of `replicas`, rounded up.
    pub fn round_up(self, replicas: u32) -> u32 {
        match self {
            IntOrPercent::Int(n) => n,
            IntOrPercent::Percent(share) => share.ceil_of(u64::from(replicas)) as u32,
        }
    }

    /// How many of `replicas`, rounded down.
    pub fn round_down(self, replicas: u32) -> u32 {
        match self {
            IntOrPercent::Int(n) => n,
            IntOrPercent::Percent(share) => share.floor_of(u64::from(replicas)) as u32,
        }
    }
}

impl Plan {
    /// A plan with the usual times: 600 s without progress roll back, a lock is asked for again after 5 s, instances
    /// are looked at every second, instances without traffic stay for 30 s.
    pub const fn new(service: ServiceId, from: VersionId, to: VersionId, replicas: u32, strategy: Strategy) -> Self {
        Plan {
            service,
            from,
            to,
            replicas,
            strategy,
            analysis: None,
            progress_deadline: Duration::secs(600),
            auto_rollback: true,
            min_ready: Duration::ZERO,
            lock_retry: Duration::secs(5),
            observe_every: Duration::secs(1),
            scale_down_delay: Duration::secs(30),
            abort_scale_down_delay: Duration::secs(30),
        }
    }

    /// Says what keeps this plan from being carried out, if anything does.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.replicas == 0 {
            return Err(PlanError::NoReplicas);
        }
        if matches!(&self.strategy, Strategy::Canary { steps } if steps.is_empty()) {
            return Err(PlanError::NoSteps);
        }
        for (name, span) in [
            ("lock_retry", self.lock_retry),
            ("observe_every", self.observe_every),
            ("progress_deadline", self.progress_deadline),
        ] {
            if span.is_zero() {
                return Err(PlanError::NoTime { name });
            }
        }
        match &self.analysis {
            Some(analysis) if analysis.interval.is_zero() => Err(PlanError::NoTime { name: "analysis interval" }),
            Some(analysis) if analysis.failures == 0 => Err(PlanError::NoFailures),
            Some(Analysis { success_rate_min: None, latency_p99_max: None, .. }) => Err(PlanError::NothingToJudge),
            _ => Ok(()),
        }
    }
}

/// Why a plan cannot be carried out. Nothing was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A service without instances has nothing to roll.
    NoReplicas,
    /// A canary without steps would be a switch of everything at once.
    NoSteps,
    /// A time that must pass before something is done again is zero.
    NoTime {
        /// Which one.
        name: &'static str,
    },
    /// An analysis that tolerates fewer than one failure would fail before it began.
    NoFailures,
    /// An analysis without a limit can find nothing wrong.
    NothingToJudge,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NoReplicas => f.write_str("a rollout needs at least one replica"),
            PlanError::NoSteps => f.write_str("a canary needs at least one step"),
            PlanError::NoTime { name } => write!(f, "{name} must be longer than zero"),
            PlanError::NoFailures => f.write_str("an analysis must allow at least one check to be the failing one"),
            PlanError::NothingToJudge => f.write_str("an analysis needs a success rate or a latency to judge by"),
        }
    }
}

impl std::error::Error for PlanError {}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::SetWeight(weight) => write!(f, "weight {weight}"),
            Step::Hold(span) => write!(f, "hold {span}"),
            Step::Pause => f.write_str("pause"),
        }
    }
}

impl fmt::Display for IntOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IntOrPercent::Int(n) => n.fmt(f),
            IntOrPercent::Percent(share) => share.fmt(f),
        }
    }
}
