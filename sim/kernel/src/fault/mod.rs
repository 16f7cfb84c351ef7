//! Faults as data: what, whom, when, how long.
//!
//! A plan is a `Vec<Fault>`, written by hand or drawn from the seed before the run. It can be printed, replayed, cut
//! down and saved. Each fault draws from streams keyed by its own name, so taking one out of the plan leaves the
//! others, and everything else in the run, exactly as they were.
//!
//! A kind of fault is a file here, with a struct that implements [`Inject`], and its line in `list.rs`. Nothing else
//! of the kernel names a kind: [`FaultKind`], the [`CATALOGUE`] and every match over kinds are made of that list.

mod list;

use crate::run::{Injector, Message};
use crate::select::{Named, Selector};
use base::{Duration, Instant, NodeId};
use std::fmt;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Unique in its plan; the key of its chances.
    pub name: String,
    /// When it begins.
    pub at: Instant,
    /// How long its cause lasts; for ever when `None`. Momentary kinds have no length.
    pub lasts: Option<Duration>,
    /// What it does, to whom.
    pub kind: FaultKind,
}

/// Which packets a network fault concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// One end.
    pub from: Selector,
    /// The other end.
    pub to: Selector,
    /// Only packets from `from` to `to`, instead of both ways.
    pub one_way: bool,
}

/// Whom a fault concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerned<'a> {
    /// Nodes.
    Nodes(&'a Selector),
    /// Packets between them.
    Packets(&'a Path),
}

/// Whom a fault met when it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// How many nodes it concerned; of a fault of the network, those of the smaller side. None before it has begun.
    pub nodes: Option<u32>,
    /// The nodes that chance chose, in order of id; none where nothing was left to chance.
    pub drawn: Vec<NodeId>,
}

/// Whom a kind of fault can concern: nodes ([`Selector`]) or packets between them ([`Path`]).
pub trait Whom {
    /// This one.
    fn concerned(&self) -> Concerned<'_>;
}

impl Whom for Selector {
    fn concerned(&self) -> Concerned<'_> {
        Concerned::Nodes(self)
    }
}

impl Whom for Path {
    fn concerned(&self) -> Concerned<'_> {
        Concerned::Packets(self)
    }
}

/// What is known of a kind of fault before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The word in scenario files, such as `disk-slow`.
    pub name: &'static str,
    /// What it does: a lower-case fragment. What is quoted by backticks in it is a parameter of scenario files.
    pub summary: &'static str,
    /// True for what happens at one moment and has no length.
    pub is_momentary: bool,
    /// True for what changes the date that a node's clock shows, so that whoever remembers a date has to know.
    pub sets_clocks: bool,
}

impl Info {
    /// A kind that lasts, and leaves dates alone.
    const fn new(name: &'static str, summary: &'static str) -> Self {
        Info { name, summary, is_momentary: false, sets_clocks: false }
    }
}

/// A kind of fault: what it is called, whom it concerns, and what it does when it begins.
///
/// What a fault did to nodes or packets is undone by the number of the fault when it ends; a kind has nothing to do for
/// that.
pub trait Inject: Clone + fmt::Debug + PartialEq + Into<FaultKind> {
    /// Whether it concerns nodes or packets.
    type Whom: Whom;

    /// Its name and properties.
    const INFO: Info;

    /// Whom it concerns.
    fn whom(&self) -> &Self::Whom;

    /// Begins.
    fn inject<M: Message>(&self, into: &mut Injector<'_, M>);

    /// Prints what it does beyond its name, behind whom it concerns: ` 10 times`.
    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        Ok(())
    }
}

/// Makes the modules of the kinds, and all that is a match over kinds.
macro_rules! kinds {
    ($($module:ident $Kind:ident;)+) => {
        $(mod $module;)+
        $(pub use $module::$Kind;)+

        /// What a fault does, to whom.
        #[derive(Clone, Debug, PartialEq)]
        pub enum FaultKind {
            $(#[doc = concat!("A [`", stringify!($Kind), "`].")] $Kind($Kind),)+
        }

        /// Every kind of fault, in the order in which people look for them.
        pub const CATALOGUE: &[Info] = &[$($Kind::INFO),+];

        $(impl From<$Kind> for FaultKind {
            fn from(kind: $Kind) -> FaultKind {
                FaultKind::$Kind(kind)
            }
        })+

        impl FaultKind {
            /// What is known of its kind.
            pub const fn info(&self) -> Info {
                match self {
                    $(FaultKind::$Kind(_) => $Kind::INFO,)+
                }
            }

            /// Whom it concerns.
            pub fn concerns(&self) -> Concerned<'_> {
                match self {
                    $(FaultKind::$Kind(kind) => kind.whom().concerned(),)+
                }
            }

            /// Begins.
            pub(crate) fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
                match self {
                    $(FaultKind::$Kind(kind) => kind.inject(into),)+
                }
            }

            fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(FaultKind::$Kind(kind) => kind.effect(f),)+
                }
            }
        }
    };
}

crate::faults!(kinds);

impl FaultKind {
    /// The word in scenario files.
    pub const fn name(&self) -> &'static str {
        self.info().name
    }

    /// True for what happens at one moment and has no length.
    pub const fn is_momentary(&self) -> bool {
        self.info().is_momentary
    }
}

impl fmt::Display for Named<'_, Path> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named(Path { from, to, one_way }, zones) = self;
        write!(f, "{} {} {}", Named(from, zones), if *one_way { "→" } else { "|" }, Named(to, zones))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Named(self, &[]))
    }
}

impl fmt::Display for Named<'_, FaultKind> {
    /// What it does to whom, in a few words: `one of backend (machine)`, `registry | gateway`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Named(kind, zones) = self;
        match kind.concerns() {
            Concerned::Nodes(whom) => write!(f, "{}", Named(whom, zones))?,
            Concerned::Packets(path) => write!(f, "{}", Named(path, zones))?,
        }
        kind.effect(f)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Named(self, &[]))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.kind.name(), self.kind, self.at)?;
        match self.lasts {
            _ if self.kind.is_momentary() => Ok(()),
            Some(lasts) => write!(f, " for {lasts}"),
            None => f.write_str(" for good"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn kinds_have_names_of_their_own_and_say_what_they_do() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for Info { name, summary, .. } in CATALOGUE {
            assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(summary.starts_with(char::is_lowercase) && !summary.ends_with('.'), "{name}: {summary}");
        }
    }
}
