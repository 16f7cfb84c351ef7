//! Argo Rollouts' canary with a traffic router: how many pods each side gets for a weight.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::problem::Problem;
use crate::scalar::Count;
use base::Ratio;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use world::rollout::canary;

pub(super) static ENGINE: Engine = Engine {
    name: "argo-canary",
    summary: "how many pods an Argo Rollouts canary with a traffic router gives to each side for a weight",
    explanation: "The canary gets ⌈replicas · weight / 100⌉ pods, so that any traffic meets at least one; the stable \
        side keeps all of its own, so that going back moves traffic and starts nothing. `maxSurge` and \
        `maxUnavailable` play no part with a router. Not modelled: the canary without a router, `dynamicStableScale`, \
        `setCanaryScale`, `minPodsPerReplicaSet`, a `maxTrafficWeight` other than 100, the delays before an aborted or \
        an old set is scaled down.",
    answer: "`canary` and `stable`: the pods of each.",
    source: "argoproj/argo-rollouts utils/replicaset/canary.go (CalculateReplicaCountsForTrafficRoutedCanary)",
    example: "\
replicas = 10
weight   = 25
",
    case: CaseType::of::<Canary>(),
};

/// A rollout that is at some weight.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { replicas = 10, weight = 25 }")]
struct Canary {
    /// Pods wanted, `spec.replicas`; 1 by default.
    #[serde(default)]
    replicas: Option<Count>,
    /// The share of the traffic that the canary is to have, in percent, from 0 to 100: the last `setWeight`.
    #[schemars(range(max = 100))]
    weight: At<Count>,
}

impl Case for Canary {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let (replicas, weight) = (self.replicas.map_or(1, |n| n.0), self.weight.value.0);
        if weight > 100 {
            let problem = Problem::at(&self.weight, format!("a weight of {weight} is more than all traffic"));
            return Err(vec![problem.label("from 0 to 100")]);
        }
        let canary = canary::replicas_for(Ratio::percent(weight), replicas);
        let why = format!("trafficWeightToReplicas: {weight} % of {replicas}, rounded up; stable keeps {replicas}");
        Ok(Answer::one(json!({"canary": canary, "stable": replicas}), why))
    }
}
