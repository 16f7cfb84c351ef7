//! The ejection of instances that answer badly, as Envoy does. It becomes its rules, with Envoy's numbers where nothing
//! is said.

use super::{a_millisecond_at_least, whole_percent};
use crate::At;
use crate::at::Key;
use crate::lower::{Context, given};
use crate::problem::Problem;
use crate::scalar::{Count, Factor, Percent, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::balancer::eligibility;
use world::balancer::eligibility::outlier::SuccessRate;

/// When an instance is ejected for its answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, expecting = "a table; {} for the defaults")]
pub struct Outliers {
    /// So many errors in a row eject an instance, never at 0; 5 by default.
    pub consecutive_5xx: Option<At<Count>>,
    /// How often success rates are compared and ejections ended; 10 s by default.
    pub interval: Option<At<Span>>,
    /// How long the first ejection lasts; each that follows soon lasts as much longer. 30 s by default.
    pub base_ejection_time: Option<At<Span>>,
    /// How long an ejection lasts at most; 300 s by default.
    pub max_ejection_time: Option<At<Span>>,
    /// The share of instances that is ejected at a time, at most; 10% by default.
    pub max_ejection: Option<At<Percent>>,
    /// Whether one may be ejected whatever that share is; true by default.
    pub always_eject_one_host: Option<At<bool>>,
    /// Whether success rates are compared; true by default.
    pub success_rate: Option<At<bool>>,
    /// How many standard deviations below the mean a success rate is too low; 1.9 by default.
    pub success_rate_stdev_factor: Option<At<Factor>>,
    /// With fewer instances that have enough answers none is ejected for its rate; 5 by default.
    pub success_rate_minimum_hosts: Option<At<Count>>,
    /// With fewer answers in an interval an instance's rate is not looked at; 100 by default.
    pub success_rate_request_volume: Option<At<Count>>,
}

/// What the rules of ejection become.
pub(super) fn lower(cx: &mut Context<'_>, at: &At<Outliers>) -> eligibility::Outliers {
    let table = &at.value;
    let (base, rate) = (eligibility::Outliers::default(), SuccessRate::default());
    let compares = table.success_rate.value_or(true);
    if !compares {
        let given = given!(table; success_rate_stdev_factor, success_rate_minimum_hosts, success_rate_request_volume);
        cx.unexpected_keys(&given, &[], "outliers without `success_rate`");
    }
    let stdev_factor = table.success_rate_stdev_factor.inner();
    let success_rate = SuccessRate {
        stdev_factor: stdev_factor.map_or(rate.stdev_factor, |factor| (factor.min(1e6) * 1000.0).round() as u32),
        minimum_hosts: table.success_rate_minimum_hosts.inner_or(rate.minimum_hosts),
        request_volume: table.success_rate_request_volume.inner_or(rate.request_volume),
    };
    let rules = eligibility::Outliers {
        consecutive_errors: table.consecutive_5xx.inner_or(base.consecutive_errors),
        interval: table.interval.as_ref().map_or(base.interval, |at| a_millisecond_at_least(cx, at, "interval")),
        base_ejection_time: table.base_ejection_time.inner_or(base.base_ejection_time),
        max_ejection_time: table.max_ejection_time.inner_or(base.max_ejection_time),
        max_ejection_percent: whole_percent(cx, table.max_ejection.as_ref(), base.max_ejection_percent),
        always_eject_one: table.always_eject_one_host.value_or(base.always_eject_one),
        success_rate: compares.then_some(success_rate),
    };
    if rules.max_ejection_time < rules.base_ejection_time {
        let (most, base) = (rules.max_ejection_time, rules.base_ejection_time);
        let message = format!("`max_ejection_time` ({most}) is shorter than `base_ejection_time` ({base})");
        cx.report(Problem::at(at, message).unless_lost_within());
    }
    rules
}
