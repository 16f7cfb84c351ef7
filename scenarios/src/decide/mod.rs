//! `windtunnel decide`: given this spec and this state, what would the engine do next, and by which rule?
//!
//! ```text
//!   one case ─▶ TOML ─▶ recover ─▶ the engine's type of a case ─▶ a core's own function ─▶ decision, why
//!   (JSON ───────┘      (every problem, with its place)           (the one that runs use)
//! ```
//!
//! An engine is a file here and a line in `engines!`. It lowers a case, asks the core that simulated runs ask, and puts
//! the rule that bound into words; it decides nothing by itself, so what `decide` says is what a run does.
//!
//! Later versions may add keys to a case and to a decision. They never change one.

mod engine;
mod inputs;
mod json;

pub use engine::{Answered, Engine};

/// Declares the modules of the engines and their list, in the order in which they are shown.
macro_rules! engines {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+
        static ENGINES: &[&Engine] = &[$(&$module::ENGINE),+];
    };
}

engines! {
    kubernetes_deployment,
    argo_canary,
    eureka,
    retry_budget,
    backoff,
    breaker,
    priority_load,
    semver,
}

/// Every engine, in the order in which they are best read.
pub fn engines() -> &'static [&'static Engine] {
    ENGINES
}

/// The engine of this name.
pub fn find(name: &str) -> Option<&'static Engine> {
    ENGINES.iter().copied().find(|engine| engine.name == name)
}
