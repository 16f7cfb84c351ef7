//! How long something takes: `"8ms"`, or a table with a distribution and its numbers. A part of sections that becomes a
//! distribution of the simulation, whose numbers are checked against each other.

use super::kind::{Kind, kinds};
use super::union::text_or_table;
use crate::At;
use crate::lower::{Context, given, missing};
use crate::problem::Problem;
use crate::scalar::{Factor, Percent, Span};
use base::dist::Quantile;
use base::{Dist, Duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A distribution of spans of time.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same: `"8ms"`.
    Constant(Span),
    /// A distribution with its numbers.
    Table(Box<DistributionTable>),
}

text_or_table!(
    Distribution,
    Constant(Span),
    Table(Box<DistributionTable>),
    "a duration such as \"8ms\" or a table such as { distribution = \"exponential\", mean = \"10ms\" }"
);

kinds! {
    /// A distribution's name.
    pub enum DistributionKind {
        /// Always `value`.
        Constant = "constant" takes ["value"] needs ["value"],
        /// Any span from `low` to `high`, equally likely.
        Uniform = "uniform" takes ["low", "high"] needs ["low", "high"],
        /// Memoryless, with a `mean`.
        Exponential = "exponential" takes ["mean"] needs ["mean"],
        /// The usual shape of service times, by its median `p50` and its 99th percentile `p99`.
        Lognormal = "lognormal" takes ["p50", "p99"] needs ["p50", "p99"],
        /// Mostly `fast`, and `slow` with the chance `slow_share`: a cache with its misses.
        Bimodal = "bimodal" takes ["fast", "slow", "slow_share"] needs ["fast", "slow", "slow_share"],
        /// A heavy tail: at least `scale`, tail index `shape`, cut at `cap` (a thousand times the scale by default).
        Pareto = "pareto" takes ["scale", "shape", "cap"] needs ["scale", "shape"],
        /// What was measured: `quantiles` with straight lines between them, from 0% to 100%.
        Empirical = "empirical" takes ["quantiles"] needs ["quantiles"],
    }
}

/// A share of all spans, and what they do not pass.
pub type Point = At<(Percent, Span)>;

/// A distribution and its numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a duration or a distribution")]
pub struct DistributionTable {
    /// Which distribution.
    #[schemars(required)]
    pub distribution: Option<At<DistributionKind>>,
    /// The span of `constant`.
    pub value: Option<At<Span>>,
    /// The shortest span of `uniform`.
    pub low: Option<At<Span>>,
    /// The longest span of `uniform`.
    pub high: Option<At<Span>>,
    /// The mean of `exponential`.
    pub mean: Option<At<Span>>,
    /// The median of `lognormal`.
    pub p50: Option<At<Span>>,
    /// The 99th percentile of `lognormal`.
    pub p99: Option<At<Span>>,
    /// The usual span of `bimodal`.
    pub fast: Option<At<Span>>,
    /// The other span of `bimodal`.
    pub slow: Option<At<Span>>,
    /// How often it is the other one.
    pub slow_share: Option<At<Percent>>,
    /// The shortest span of `pareto`.
    pub scale: Option<At<Span>>,
    /// The tail index of `pareto`: the mean is infinite at 1 and below, the variance at 2 and below.
    pub shape: Option<At<Factor>>,
    /// Longer draws of `pareto` are cut to this.
    pub cap: Option<At<Span>>,
    /// The points of `empirical`, such as [["0%", "1ms"], ["50%", "4ms"], ["100%", "90ms"]].
    pub quantiles: Option<At<Vec<Point>>>,
}

/// The longest span a distribution may speak of. Nothing here takes a day, and sums stay far from the end of time.
const LONGEST: Duration = Duration::secs(24 * 3600);

/// What a distribution becomes; a constant zero where it cannot be.
pub(crate) fn lower(cx: &mut Context<'_>, at: &At<Distribution>) -> Dist {
    table_or_constant(cx, at).unwrap_or(Dist::Constant(Duration::ZERO))
}

fn table_or_constant(cx: &mut Context<'_>, at: &At<Distribution>) -> Option<Dist> {
    let table = match &at.value {
        Distribution::Constant(span) => {
            return Some(Dist::Constant(short(cx, &At { value: *span, span: at.span.clone() })?));
        }
        Distribution::Table(table) => table,
    };
    let label = DistributionKind::one_of();
    let kind = cx.needed(at, &table.distribution, "a distribution needs its name: `distribution`", &label)?;
    let name = kind.word();
    let given = given!(table; value, low, high, mean, p50, p99, fast, slow, slow_share, scale, shape, cap, quantiles);
    cx.unexpected_keys(&given, kind.takes(), &format!("the {name} distribution"));
    if let Some(missing) = missing(&given, kind.needs()) {
        cx.report(Problem::at(at, format!("the {name} distribution needs `{missing}`")).unless_lost_within());
        return None;
    }
    numbers(cx, at, kind.value, table)
}

fn numbers(
    cx: &mut Context<'_>,
    at: &At<Distribution>,
    kind: DistributionKind,
    table: &DistributionTable,
) -> Option<Dist> {
    let wrong = |cx: &mut Context<'_>, message: String| {
        cx.report(Problem::at(at, message));
        None
    };
    match kind {
        DistributionKind::Constant => Some(Dist::Constant(short(cx, table.value.as_ref()?)?)),
        DistributionKind::Uniform => {
            let (low, high) = (short(cx, table.low.as_ref()?)?, short(cx, table.high.as_ref()?)?);
            if low > high {
                return wrong(cx, format!("`low` ({low}) is above `high` ({high})"));
            }
            Some(Dist::Uniform { low, high })
        }
        DistributionKind::Exponential => Some(Dist::Exponential { mean: positive(cx, &table.mean, "`mean`")? }),
        DistributionKind::Lognormal => {
            let (p50, p99) = (positive(cx, &table.p50, "`p50`")?, short(cx, table.p99.as_ref()?)?);
            if p50 > p99 {
                return wrong(cx, format!("`p50` ({p50}) is above `p99` ({p99})"));
            }
            if p99 > p50.saturating_mul(1000) {
                return wrong(cx, format!("`p99` ({p99}) is more than a thousand times `p50` ({p50})"));
            }
            Some(Dist::lognormal(p50, p99))
        }
        DistributionKind::Bimodal => Some(Dist::Bimodal {
            fast: short(cx, table.fast.as_ref()?)?,
            slow: short(cx, table.slow.as_ref()?)?,
            slow_share: table.slow_share.as_ref()?.value.0,
        }),
        DistributionKind::Pareto => {
            let scale = positive(cx, &table.scale, "`scale`")?;
            let cap = match &table.cap {
                Some(cap) => short(cx, cap)?,
                None => scale.saturating_mul(1000).min(LONGEST),
            };
            if cap < scale {
                return wrong(cx, format!("`cap` ({cap}) is below `scale` ({scale})"));
            }
            Some(Dist::Pareto { scale, shape: table.shape.as_ref()?.value.0, cap })
        }
        DistributionKind::Empirical => {
            let points = table.quantiles.as_ref()?;
            let mut quantiles = Vec::new();
            for point in &points.value {
                let span = short(cx, &At { value: point.value.1, span: point.span.clone() })?;
                quantiles.push(Quantile { p: point.value.0.0.as_f64(), span });
            }
            let rises = quantiles.windows(2).all(|w| w[0].p < w[1].p && w[0].span <= w[1].span);
            let whole = quantiles.len() >= 2 && quantiles[0].p == 0.0 && quantiles[quantiles.len() - 1].p == 1.0;
            if !rises || !whole {
                cx.report(
                    Problem::at(points, "quantiles rise, in share and in span, from 0% to 100%")
                        .label("such as [[\"0%\", \"1ms\"], [\"50%\", \"4ms\"], [\"100%\", \"90ms\"]]"),
                );
                return None;
            }
            Some(Dist::empirical(quantiles))
        }
    }
}

fn short(cx: &mut Context<'_>, span: &At<Span>) -> Option<Duration> {
    if span.value.0 > LONGEST {
        cx.report(Problem::at(span, format!("`{}` is too long for this", span.value)).label("at most a day"));
        return None;
    }
    Some(span.value.0)
}

fn positive(cx: &mut Context<'_>, span: &Option<At<Span>>, key: &str) -> Option<Duration> {
    if cx.longer_than_zero(span, key) { short(cx, span.as_ref()?) } else { None }
}
