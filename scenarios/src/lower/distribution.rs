//! Distributions: which numbers each needs, and whether they can be.

use super::{Context, given};
use crate::At;
use crate::problem::Problem;
use crate::scalar::Span;
use crate::schema::Distribution;
use crate::schema::distribution::{DistributionKind, DistributionTable};
use base::dist::Quantile;
use base::{Dist, Duration};

/// The longest span a distribution may speak of. Nothing here takes a day, and sums stay far from the end of time.
const LONGEST: Duration = Duration::secs(24 * 3600);

/// Lowers a distribution; a constant zero stands in where it cannot be.
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
    let Some(kind) = &table.distribution else {
        cx.report(
            Problem::at(at, "a distribution needs its name: `distribution`")
                .label("one of constant, uniform, exponential, lognormal, bimodal, pareto, empirical")
                .unless_lost_within(),
        );
        return None;
    };
    let (_, name, needs, may) = DistributionKind::KEYS.iter().find(|(k, ..)| *k == kind.value)?;
    let given = given!(table; value, low, high, mean, p50, p99, fast, slow, slow_share, scale, shape, cap, quantiles);
    let belongs: Vec<&str> = needs.iter().chain(*may).copied().collect();
    cx.strays(&given, &belongs, &format!("the {name} distribution"));
    let missing: Vec<&str> =
        given.iter().filter(|(key, span)| needs.contains(key) && span.is_none()).map(|(key, _)| *key).collect();
    if !missing.is_empty() {
        cx.report(
            Problem::at(at, format!("the {name} distribution needs `{}`", missing.join("` and `")))
                .unless_lost_within(),
        );
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
        DistributionKind::Exponential => Some(Dist::Exponential { mean: positive(cx, table.mean.as_ref()?, "mean")? }),
        DistributionKind::Lognormal => {
            let (p50, p99) = (positive(cx, table.p50.as_ref()?, "p50")?, short(cx, table.p99.as_ref()?)?);
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
            let scale = positive(cx, table.scale.as_ref()?, "scale")?;
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

fn positive(cx: &mut Context<'_>, span: &At<Span>, key: &str) -> Option<Duration> {
    if span.value.0.is_zero() {
        cx.report(Problem::at(span, format!("`{key}` must be longer than zero")));
        return None;
    }
    short(cx, span)
}
