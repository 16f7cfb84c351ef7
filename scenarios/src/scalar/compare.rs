//! Limits with their direction: `>= 99%`, `<= 120ms`.
//!
//! The direction is part of what is written, so that nobody has to remember whether `success` is a floor or a ceiling.

use super::{Inner, Misread, Percent, Scalar, Span, scalar};
use base::{Duration, Ratio};
use schemars::{Schema, json_schema};
use std::fmt;

/// At least this share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLeast(pub Percent);

/// At most this span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtMost(pub Span);

impl Inner for AtLeast {
    type Inner = Ratio;
    fn inner(self) -> Ratio {
        self.0.0
    }
}

impl Inner for AtMost {
    type Inner = Duration;
    fn inner(self) -> Duration {
        self.0.0
    }
}

/// What follows `wanted` in `text`; an explanation when something else stands there.
fn after<'t>(text: &'t str, wanted: &str, example: &str) -> Result<&'t str, Misread> {
    let trimmed = text.trim();
    if let Some(rest) = trimmed.strip_prefix(wanted) {
        return Ok(rest.trim_start());
    }
    let rest = trimmed.trim_start_matches(['<', '>', '=', '≤', '≥', ' ']);
    let sign = trimmed[..trimmed.len() - rest.len()].trim_end();
    let message = match sign {
        "" => format!("`{text}` does not say in which direction"),
        sign => format!("`{sign}` is not the direction of this limit"),
    };
    let value = if rest.is_empty() { example } else { rest };
    Err(Misread::new(message, format!("write `{wanted} {value}`")))
}

impl Scalar for AtLeast {
    const EXPECTED: &'static str = "a lower limit such as \">= 99%\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        Percent::from_text(after(text, ">=", "99%")?).map(AtLeast)
    }

    fn from_number(_: f64, written: &str) -> Result<Self, Misread> {
        Err(Misread::new(format!("`{written}` is not a limit"), "such as \">= 99%\""))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*>=.*%\s*$", "examples": [">= 99.5%"]})
    }
}

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ">= {}", self.0)
    }
}

impl Scalar for AtMost {
    const EXPECTED: &'static str = "an upper limit such as \"<= 120ms\"";

    fn from_text(text: &str) -> Result<Self, Misread> {
        Span::from_text(after(text, "<=", "120ms")?).map(AtMost)
    }

    fn from_number(_: f64, written: &str) -> Result<Self, Misread> {
        Err(Misread::new(format!("`{written}` is not a limit"), "such as \"<= 120ms\""))
    }

    fn schema() -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*<=.*(s|m|h)\s*$", "examples": ["<= 120ms"]})
    }
}

impl fmt::Display for AtMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<= {}", self.0)
    }
}

scalar!(AtLeast, AtMost);

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Duration, Ratio};

    #[test]
    fn limits_state_their_direction() {
        assert_eq!(AtLeast::from_text(">= 99%"), Ok(AtLeast(Percent(Ratio::percent(99)))));
        assert_eq!(AtMost::from_text("<=120ms"), Ok(AtMost(Span(Duration::ms(120)))));
        let label = |text| AtLeast::from_text(text).map_err(|e| (e.message, e.label)).expect_err("no limit");
        assert_eq!(label("99%"), ("`99%` does not say in which direction".into(), "write `>= 99%`".into()));
        assert_eq!(label("<= 99%"), ("`<=` is not the direction of this limit".into(), "write `>= 99%`".into()));
        assert_eq!(label("> 99%").1, "write `>= 99%`");
        assert_eq!(label("").1, "write `>= 99%`");
    }
}
