//! What may be said about a strategy beside its name: `{ strategy = "p2c", choices = 3 }`.
//!
//! Every strategy declares its parameters next to its rule, with range, default and meaning. Scenario files, their JSON
//! Schema, `windtunnel explain` and the checks all read that declaration; there is no second place.

use base::{Duration, Ratio};
use std::fmt;

/// The most parameters that a strategy may have.
pub(crate) const PARAMETERS_MAX: usize = 12;

/// A parameter, declared.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// What a scenario calls it.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it is where nothing is said.
    pub default: Value,
    /// What it does, in a line.
    pub summary: &'static str,
}

/// The values that a parameter takes; bounds are inclusive.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// A share of a whole, from none of it to all of it.
    Share,
    /// A span of time.
    Span {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
    },
    /// One of some words.
    Word(&'static [&'static str]),
    /// Yes or no.
    Switch,
}

/// A parameter's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// A number.
    Number(f64),
    /// A share of a whole.
    Share(Ratio),
    /// A span of time.
    Span(Duration),
    /// A word.
    Word(&'static str),
    /// Yes or no.
    Switch(bool),
}

impl Kind {
    /// Whether `value` is of this kind and within its bounds.
    pub fn admits(self, value: Value) -> bool {
        match (self, value) {
            (Kind::Count { min, max }, Value::Count(n)) => (min..=max).contains(&n),
            (Kind::Number { min, max }, Value::Number(x)) => (min..=max).contains(&x),
            (Kind::Span { min, max }, Value::Span(span)) => (min..=max).contains(&span),
            (Kind::Word(words), Value::Word(word)) => words.contains(&word),
            (Kind::Share, Value::Share(_)) | (Kind::Switch, Value::Switch(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Kind {
    /// The end of "expected …": `a whole number from 2 to 16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Kind::Count { min, max: u64::MAX } => write!(f, "a whole number of at least {min}"),
            Kind::Count { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Number { min, max: f64::MAX } => write!(f, "a number of at least {min}"),
            Kind::Number { min, max } => write!(f, "a number from {min} to {max}"),
            Kind::Share => f.write_str("a share such as \"84%\""),
            Kind::Span { min, max: Duration::MAX } if min.is_zero() => f.write_str("a duration such as \"10s\""),
            Kind::Span { min, max: Duration::MAX } => write!(f, "a duration of at least \"{min}\""),
            Kind::Span { min, max } => write!(f, "a duration from \"{min}\" to \"{max}\""),
            Kind::Word(words) => {
                for (i, word) in words.iter().enumerate() {
                    let gap = if i == 0 {
                        ""
                    } else if i + 1 == words.len() {
                        " or "
                    } else {
                        ", "
                    };
                    write!(f, "{gap}\"{word}\"")?;
                }
                Ok(())
            }
            Kind::Switch => f.write_str("true or false"),
        }
    }
}

impl fmt::Display for Value {
    /// As a scenario file has it, but for the quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::Count(n) => write!(f, "{n}"),
            Value::Number(x) => write!(f, "{x}"),
            // A share has nine digits of its whole; what people write has few.
            Value::Share(share) => write!(f, "{}%", f64::from(share.billionths()) / 1e7),
            Value::Span(span) => write!(f, "{span}"),
            Value::Word(word) => f.write_str(word),
            Value::Switch(on) => write!(f, "{on}"),
        }
    }
}

/// The parameters of one strategy, all of them set.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    declared: &'static [Parameter],
    given: [Value; PARAMETERS_MAX],
}

impl Values {
    pub(crate) const fn defaults(declared: &'static [Parameter]) -> Self {
        assert!(declared.len() <= PARAMETERS_MAX, "a strategy has too many parameters");
        let mut given = [Value::Switch(false); PARAMETERS_MAX];
        let mut i = 0;
        while i < declared.len() {
            given[i] = declared[i].default;
            i += 1;
        }
        Values { declared, given }
    }

    pub(crate) fn set(&mut self, index: usize, value: Value) {
        self.given[index] = value;
    }

    /// Each parameter with its value, in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Parameter, Value)> {
        self.declared.iter().zip(self.given)
    }

    fn get(&self, name: &str) -> Value {
        match self.iter().find(|(parameter, _)| parameter.name == name) {
            Some((_, value)) => value,
            None => panic!("no parameter is called `{name}`"),
        }
    }

    /// The whole number of that name. These panic when the strategy declares no such parameter.
    pub(crate) fn count(&self, name: &str) -> u64 {
        match self.get(name) {
            Value::Count(n) => n,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Value::Number(x) => x,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn share(&self, name: &str) -> f64 {
        match self.get(name) {
            Value::Share(share) => share.as_f64(),
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn span(&self, name: &str) -> Duration {
        match self.get(name) {
            Value::Span(span) => span,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn word(&self, name: &str) -> &'static str {
        match self.get(name) {
            Value::Word(word) => word,
            other => panic!("`{name}` is {other:?}"),
        }
    }

    pub(crate) fn switch(&self, name: &str) -> bool {
        match self.get(name) {
            Value::Switch(on) => on,
            other => panic!("`{name}` is {other:?}"),
        }
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.iter().map(|(p, v)| (p.name, v)).eq(other.iter().map(|(p, v)| (p.name, v)))
    }
}

/// A parameter that a strategy does not have, or a value that it does not take; the strategy is as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterError {
    /// The strategy has no such parameter.
    Unknown {
        /// The strategy.
        strategy: &'static str,
        /// What was asked for.
        parameter: String,
        /// What exists.
        known: Vec<&'static str>,
    },
    /// The value is of another kind or outside its bounds.
    Refused {
        /// The parameter.
        parameter: &'static str,
        /// What was given, as written.
        given: String,
        /// What is taken, as a phrase.
        expected: String,
    },
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterError::Unknown { strategy, parameter, .. } => {
                write!(f, "`{parameter}` has no meaning for `{strategy}`")
            }
            ParameterError::Refused { parameter, given, expected } => {
                write!(f, "`{parameter}` cannot be {given}: it is {expected}")
            }
        }
    }
}

impl std::error::Error for ParameterError {}
