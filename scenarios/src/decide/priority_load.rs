//! Envoy's priority load: how much of the traffic each priority gets, as hosts fall ill.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::lower::alone;
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent};
use crate::section::eligibility;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use world::balancer::eligibility::{Eligibility, priority};

pub(super) static ENGINE: Engine = Engine {
    name: "priority-load",
    summary: "how much of the traffic Envoy gives to each priority, by health and overprovisioning, and which panic",
    explanation: "A priority is as available as its healthy hosts are of all that count, times the overprovisioning \
        factor, at most 100 %. Load goes to healthy hosts priority by priority, then to degraded ones, until all is \
        placed; below 100 % in all, each gets its share of the sum, in whole percent, and the first what rounding \
        leaves. Then a priority with too few available hosts is in panic and sends to all its hosts; where every one \
        is, load goes by the number of hosts. Not modelled: weights of hosts, priorities without a host that is known.",
    answer: "`levels`, the highest priority first: `healthy` and `degraded`, the load that its healthy and its \
        degraded hosts get, in percent; `panic`, whether it sends to all hosts whatever their health.",
    source: "envoyproxy/envoy source/extensions/load_balancing_policies/common/load_balancer_impl.cc \
        (recalculatePerPriorityState, recalculateLoadInTotalPanic); docs, Priority levels",
    example: "\
levels = [{ hosts = 100, healthy = 50 }, { hosts = 100 }]
",
    case: CaseType::of::<Cluster>(),
};

/// A cluster with its priorities.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { levels = [{ hosts = 10, healthy = 7 }, { hosts = 10 }] }")]
struct Cluster {
    /// The priorities, the highest first; at least one.
    levels: At<Vec<At<Level>>>,
    /// How many times the load that is its share a priority can take, from 1 to 1000; 1.4 by default.
    #[serde(default)]
    overprovisioning: Option<At<Factor>>,
    /// The whole percentage of available hosts below which a priority panics; 50% by default, never at 0%.
    #[serde(default)]
    panic_threshold: Option<At<Percent>>,
}

/// The hosts of one priority, counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { hosts = 10, healthy = 7 }")]
struct Level {
    /// All hosts.
    hosts: Count,
    /// Those that are well; all that are neither degraded nor excluded by default.
    #[serde(default)]
    healthy: Option<Count>,
    /// Those to fall back on; none by default.
    #[serde(default)]
    degraded: Count,
    /// Those that do not count yet, such as ones that warm up; none by default.
    #[serde(default)]
    excluded: Count,
}

impl Case for Cluster {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let mut problems: Vec<Problem> = self.levels.iter().filter_map(too_many).collect();
        if self.levels.is_empty() {
            let problem = Problem::at(&self.levels, "there is no priority");
            problems.push(problem.label("such as [{ hosts = 10, healthy = 7 }]"));
        }
        let usual = Eligibility::default();
        let lowered = alone(|cx| {
            let factor = self.overprovisioning.as_ref();
            let factor = factor.map_or(usual.overprovisioning, |at| eligibility::overprovisioning(cx, at));
            (factor, eligibility::whole_percent(cx, self.panic_threshold.as_ref(), usual.panic_threshold))
        });
        let (overprovisioning, panic_threshold) = match lowered {
            Ok(numbers) if problems.is_empty() => numbers,
            Ok(_) => return Err(problems),
            Err(more) => return Err(problems.into_iter().chain(more).collect()),
        };
        let levels: Vec<priority::Level> = self.levels.iter().map(|level| level.lower()).collect();
        let shares = priority::shares(&levels, overprovisioning, panic_threshold);
        let share = |s: &priority::Share| json!({"healthy": s.healthy, "degraded": s.degraded, "panic": s.panic});
        let decision = json!({"levels": shares.iter().map(share).collect::<Vec<Value>>()});
        Ok(Answer::one(decision, why(&levels, &shares, overprovisioning)))
    }
}

impl Level {
    fn lower(self) -> priority::Level {
        let Level { hosts: Count(hosts), degraded: Count(degraded), excluded: Count(excluded), healthy } = self;
        let rest = hosts.saturating_sub(degraded).saturating_sub(excluded);
        priority::Level { hosts, healthy: healthy.map_or(rest, |n| n.0), degraded, excluded }
    }
}

fn too_many(at: &At<Level>) -> Option<Problem> {
    let level = at.value.lower();
    let parts = u64::from(level.healthy) + u64::from(level.degraded) + u64::from(level.excluded);
    let said = format!("{parts} hosts are healthy, degraded or excluded, of {} in all", level.hosts);
    (parts > u64::from(level.hosts)).then(|| Problem::at(at, said))
}

/// The rule that bound, with the availabilities it went by.
fn why(levels: &[priority::Level], shares: &[priority::Share], overprovisioning: u32) -> String {
    let percents = |part: fn(&priority::Level) -> u32| -> Vec<u32> {
        levels.iter().map(|level| level.availability(part(level), overprovisioning)).collect()
    };
    let (healthy, degraded) = (percents(|level| level.healthy), percents(|level| level.degraded));
    let total: u64 = healthy.iter().chain(&degraded).map(|percent| u64::from(*percent)).sum();
    let list = |percents: &[u32]| percents.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let mut available = format!("available: {} %", list(&healthy));
    if degraded.iter().any(|percent| *percent > 0) {
        available.push_str(&format!(" healthy, {} % degraded", list(&degraded)));
    }
    let rule = if shares.iter().all(|share| share.panic) {
        "below 100 % in all and every priority in panic, so load goes by the number of hosts"
    } else if total == 0 {
        "none at all, so the first priority that can has everything"
    } else if total < 100 {
        "below 100 % in all, so each gets its share of the sum, and the first what rounding leaves"
    } else {
        "100 % in all, so each gets what it can take of what the ones before it leave"
    };
    format!("{available}; {rule}")
}
