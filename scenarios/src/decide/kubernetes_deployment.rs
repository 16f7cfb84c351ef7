//! A Kubernetes Deployment in a rolling update: one sync of its controller, and each of its rules alone.
//!
//! All arithmetic is `world::rollout::rolling`; here a case is lowered to it and the rule that bound is worded.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Count, Instances as Amount, Percent};
use base::Ratio;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use world::rollout::rolling::{self, Limits, Sync};
use world::rollout::{Instances, IntOrPercent};

pub(super) static ENGINE: Engine = Engine {
    name: "kubernetes-deployment",
    summary: "one sync of a Kubernetes Deployment in a rolling update: which replica set is scaled, and to what",
    explanation: "The new replica set is scaled first, as far as the surge leaves room; if it cannot be, old sets give \
        up pods that are not available and then what availability can spare, the oldest set first. The next sync sees \
        what this one has done. Not modelled: a paused Deployment, proportional scaling after `replicas` was changed \
        in the middle, strategy Recreate, the cleanup of empty sets, surges above 100%. A set that has more available \
        than desired has nothing unhealthy here; there the sync ends in an error and is tried again.",
    answer: "`limits`: surge and unavailable as resolved, before unavailable is held to `replicas`. `next`: \
        {\"new\":n} scales the new set to n, {\"old\":[…]} the old sets to these, \"nothing\" waits for pods, \
        \"complete\" is the end. `parts`, each rule alone on the same state: `new`, the new set after it was \
        reconciled; `old`, the old sets scaled down by availability; `unhealthy`, the old sets after the unhealthy \
        were cleaned up.",
    source: "kubernetes/kubernetes pkg/controller/deployment/rolling.go and util/deployment_util.go",
    example: "\
replicas        = 10
max_surge       = \"25%\"
max_unavailable = \"25%\"
new = { desired = 3, available = 1 }
old = [{ desired = 2, available = 0 }, { desired = 8 }]
",
    case: CaseType::of::<Deployment>(),
};

/// A Deployment and its replica sets.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table that describes a Deployment")]
struct Deployment {
    /// Pods wanted, `spec.replicas`; 1 by default.
    #[serde(default)]
    replicas: Option<Count>,
    /// Pods that may be desired beyond `replicas`, as a number or as a whole percentage of them, rounded up; 25% by
    /// default.
    #[serde(default)]
    max_surge: Option<At<Amount>>,
    /// Pods of `replicas` that may be unavailable, as a number or as a whole percentage of them, rounded down; 25% by
    /// default.
    #[serde(default)]
    max_unavailable: Option<At<Amount>>,
    /// The replica set of the present template; without pods by default.
    #[serde(default)]
    new: Option<ReplicaSet>,
    /// The replica sets of earlier templates, the oldest first; none by default.
    #[serde(default)]
    old: Vec<ReplicaSet>,
}

/// A replica set.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { desired = 3, available = 2 }")]
struct ReplicaSet {
    /// Pods wanted of this set, `spec.replicas`.
    desired: Count,
    /// Pods that are there, `status.replicas`; as many as desired by default.
    #[serde(default)]
    total: Option<Count>,
    /// Pods that are available, `status.availableReplicas`; as many as there are by default.
    #[serde(default)]
    available: Option<Count>,
}

impl ReplicaSet {
    fn lower(self) -> Instances {
        let desired = self.desired.0;
        let total = self.total.map_or(desired, |n| n.0);
        Instances { desired, total, available: self.available.map_or(total, |n| n.0) }
    }
}

impl Case for Deployment {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let mut problems = Vec::new();
        let max_surge = amount(self.max_surge.as_ref(), &mut problems);
        let max_unavailable = amount(self.max_unavailable.as_ref(), &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let replicas = self.replicas.map_or(1, |n| n.0);
        let state = State {
            replicas,
            limits: Limits::resolve(max_surge, max_unavailable, replicas),
            new: self.new.unwrap_or_default().lower(),
            old: self.old.iter().map(|set| set.lower()).collect(),
        };
        let fenceposts = Limits::fenceposts(max_surge, max_unavailable, replicas);
        let (next, why) = state.next();
        let decision = json!({
            "limits": {"surge": fenceposts.surge, "unavailable": fenceposts.unavailable},
            "next": next,
            "parts": state.parts(),
        });
        Ok(Answer::one(decision, why))
    }
}

fn amount(at: Option<&At<Amount>>, problems: &mut Vec<Problem>) -> IntOrPercent {
    let Some(at) = at else { return IntOrPercent::Percent(Ratio::percent(25)) };
    match at.value {
        Amount::Count(n) => IntOrPercent::Int(n),
        Amount::Share(Percent(share)) => {
            if share.billionths() % 10_000_000 != 0 {
                let problem = Problem::at(at, format!("`{share}` is not a whole percentage"));
                problems.push(problem.label("Kubernetes takes no other, such as \"25%\""));
            }
            IntOrPercent::Percent(share)
        }
    }
}

/// A case as the core knows it.
struct State {
    replicas: u32,
    limits: Limits,
    new: Instances,
    old: Vec<Instances>,
}

impl State {
    /// What the controller does next, and by which rule.
    fn next(&self) -> (Value, String) {
        let State { replicas, limits, new, .. } = self;
        let mut old = self.old.clone();
        let of_old: u64 = old.iter().map(|set| u64::from(set.desired)).sum();
        let all = u64::from(new.desired) + of_old;
        let spare = rolling::spare(*replicas, *limits, *new, &old);
        match rolling::sync(*replicas, *limits, *new, &mut old) {
            Sync::New(n) if n < new.desired => (
                json!({"new": n}),
                format!("reconcileNewReplicaSet: {} are desired of the new set, and {replicas} wanted", new.desired),
            ),
            Sync::New(n) => (
                json!({"new": n}),
                format!(
                    "NewRSNewReplicas: {all} desired of at most {replicas} and a surge of {}; the new set wants {} more",
                    limits.surge,
                    replicas - new.desired
                ),
            ),
            Sync::Old => {
                let mut cleaned = self.old.clone();
                rolling::clean_up(&mut cleaned, spare);
                let after = |sets: &[Instances]| sets.iter().map(|set| u64::from(set.desired)).sum::<u64>();
                let unhealthy = of_old - after(&cleaned);
                let by_availability = after(&cleaned) - after(&old);
                let why = format!(
                    "reconcileOldReplicaSets: at most {spare} may go; cleanupUnhealthyReplicas takes {unhealthy}, \
                     scaleDownOldReplicaSetsForRollingUpdate {by_availability}"
                );
                (json!({"old": desired(&old)}), why)
            }
            Sync::Wait if of_old > 0 && spare == 0 => (
                json!("nothing"),
                format!(
                    "reconcileOldReplicaSets: of {all} desired {} must be available, {} new ones are not: none may go",
                    replicas - limits.unavailable,
                    new.desired.saturating_sub(new.available)
                ),
            ),
            Sync::Wait => (json!("nothing"), "DeploymentComplete: not yet, some pods have to come or to go".into()),
            Sync::Done => {
                (json!("complete"), format!("DeploymentComplete: {replicas} are new and available, none is old"))
            }
        }
    }

    /// Each rule alone.
    fn parts(&self) -> Value {
        let State { replicas, limits, new, old } = self;
        let (mut scaled, mut cleaned) = (old.clone(), old.clone());
        rolling::scale_down(*replicas, *limits, *new, &mut scaled);
        rolling::clean_up(&mut cleaned, rolling::spare(*replicas, *limits, *new, old));
        json!({
            "new": rolling::new_target(*replicas, *limits, new.desired, old),
            "old": desired(&scaled),
            "unhealthy": desired(&cleaned),
        })
    }
}

fn desired(sets: &[Instances]) -> Vec<u32> {
    sets.iter().map(|set| set.desired).collect()
}
