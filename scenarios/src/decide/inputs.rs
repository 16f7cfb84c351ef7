//! What engines with memory are told, one input after the other.

use crate::At;
use crate::problem::Problem;
use crate::scalar::Span;
use base::{Duration, Instant};

/// The moments of inputs, in order. One that names none is at the moment of the input before it, the first at zero.
/// Moments may not go back.
pub(super) fn moments<'a>(inputs: impl Iterator<Item = Option<&'a At<Span>>>) -> Result<Vec<Instant>, Vec<Problem>> {
    let mut last = Duration::ZERO;
    let mut problems = Vec::new();
    let mut moment = |at: Option<&At<Span>>| {
        if let Some(at) = at {
            if at.value.0 < last {
                let said = format!("{} comes after {}", at.value, Span(last));
                problems.push(Problem::at(at, said).label("inputs stand in the order of their moments"));
            }
            last = last.max(at.value.0);
        }
        Instant::ZERO + last
    };
    let moments = inputs.map(&mut moment).collect();
    if problems.is_empty() { Ok(moments) } else { Err(problems) }
}
