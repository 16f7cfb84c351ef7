//! What must hold in a run: one file per sentence.
//!
//! Three kinds: `always` is checked in every run, as events happen; `eventually` must hold when calm ends; `sometimes`
//! must be reached at least once, or the scenario tests less than it claims. Each check counts how often it was really
//! tested, and for each there is a deliberate bug in [`crate::Sabotage`] that it catches.

mod state;

use crate::catalogue::{After, invariants};
pub use crate::catalogue::{Info, Invariant, Probe, all, find};
pub(crate) use state::State;

macro_rules! modules {
    ($($kind:ident $variant:ident $module:ident ($($after:ident),*) $sentence:literal;)*) => {
        $(pub(crate) mod $module;)*

        /// Judges what is to be judged when this is over.
        pub(crate) fn judge(state: &mut State<'_>, after: After) {
            $($(if after == After::$after {
                $module::judge(state, after);
            })*)*
        }
    };
}

invariants!(modules);
