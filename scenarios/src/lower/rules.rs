//! Rules that many sections have, each in one wording: a span longer than zero, at least one, at most so many, a key
//! that belongs to something else, a key that is missing.
//!
//! A range keeps a rule when both of its ends do, so that what lowers with one seed lowers with every seed.

use super::Context;
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Count, Ranged, Span};
use base::Duration;
use std::ops::Range;

/// A value, or a range of values: the smallest and the largest that it can become.
pub(crate) trait Ends<T> {
    /// The smallest.
    fn least(&self) -> T;
    /// The largest.
    fn most(&self) -> T;
}

impl Ends<Duration> for Span {
    fn least(&self) -> Duration {
        self.0
    }
    fn most(&self) -> Duration {
        self.0
    }
}

impl Ends<Duration> for Ranged<Span> {
    fn least(&self) -> Duration {
        self.low().0
    }
    fn most(&self) -> Duration {
        self.high().0
    }
}

impl Ends<u32> for Count {
    fn least(&self) -> u32 {
        self.0
    }
    fn most(&self) -> u32 {
        self.0
    }
}

impl Ends<u32> for Ranged<Count> {
    fn least(&self) -> u32 {
        self.low().0
    }
    fn most(&self) -> u32 {
        self.high().0
    }
}

/// A key and, when it is given, where its value stands.
pub(crate) type Given = (&'static str, Option<Option<Range<usize>>>);

/// Which of these keys of a table are given, and where.
macro_rules! given {
    ($table:expr; $($key:ident),* $(,)?) => {
        [$((stringify!($key), $table.$key.as_ref().map(|at| at.span.clone()))),*]
    };
}
pub(crate) use given;

/// Those of the keys of a table that are needed and not given, as a message lists them: "a` and `b".
pub(crate) fn missing(given: &[Given], needs: &[&str]) -> Option<String> {
    let missing: Vec<&str> =
        given.iter().filter(|(key, span)| needs.contains(key) && span.is_none()).map(|(key, _)| *key).collect();
    (!missing.is_empty()).then(|| missing.join("` and `"))
}

impl Context<'_> {
    /// Whether a span, and every one of a range, is longer than zero; a problem when not. `what` is the key in its
    /// quotes, or its name with an article.
    pub(crate) fn longer_than_zero<T: Ends<Duration>>(&mut self, at: &Option<At<T>>, what: &str) -> bool {
        let zero = at.as_ref().filter(|at| at.value.least().is_zero());
        if let Some(at) = zero {
            self.report(Problem::at(at, format!("{what} must be longer than zero")));
        }
        zero.is_none()
    }

    /// Refuses none at all, also as the low end of a range. `wanted` is the whole message: "a gateway has at least one
    /// instance".
    pub(crate) fn at_least_one<T: Ends<u32>>(&mut self, at: &Option<At<T>>, wanted: &str) {
        if let Some(at) = at.as_ref().filter(|at| at.value.least() == 0) {
            self.report(Problem::at(at, wanted));
        }
    }

    /// Refuses more than `most` of something: a slip of the finger, which would be found out by the machine's memory.
    pub(crate) fn at_most<T: Ends<u32>>(&mut self, at: &Option<At<T>>, most: u32, what: &str, label: &str) {
        if let Some(at) = at.as_ref().filter(|at| at.value.most() > most) {
            self.report(Problem::at(at, format!("at most {most} {what}")).label(label));
        }
    }

    /// A key without which a table says nothing; a problem of the table when it is left out. `needs` is the whole
    /// message.
    pub(crate) fn needed<'t, T, U>(
        &mut self,
        table: &At<T>,
        key: &'t Option<At<U>>,
        needs: &str,
        label: &str,
    ) -> Option<&'t At<U>> {
        if key.is_none() {
            self.report(Problem::at(table, needs).label(label).unless_lost_within());
        }
        key.as_ref()
    }

    /// A problem for each key that is given and does not belong to what the table is.
    pub(crate) fn unexpected_keys(&mut self, given: &[Given], belongs: &[&str], what: &str) {
        for (key, span) in given {
            if let Some(span) = span
                && !belongs.contains(key)
            {
                let label = match belongs {
                    [] => format!("{what} needs no more keys"),
                    keys => format!("{what} takes {}", keys.join(", ")),
                };
                self.report(Problem::meaningless(span, key, &format!("for {what}")).label(label));
            }
        }
    }
}

impl Problem {
    /// A key that is given where it says nothing: "`wait` has no meaning for callers that poll".
    pub(crate) fn meaningless(span: &Option<Range<usize>>, key: &str, there: &str) -> Self {
        Problem::new(format!("`{key}` has no meaning {there}")).span(span.clone())
    }

    /// Two keys that are given and exclude each other; the problem is shown at the second.
    pub(crate) fn contradiction<T>(first: &str, second: &str, at: &At<T>) -> Self {
        Problem::at(at, format!("`{first}` and `{second}` contradict each other"))
    }
}
