//! Which keys of a scenario file cost no time, for a world whose time stands still.

use crate::section::Scenario;
use crate::section::policy::Policy;
use world::Free;

/// The key of `scenario` that makes something cost no time, or would make it cost some: a path such as
/// `service.checkout.service_time`.
pub fn free_key(scenario: &Scenario, free: &Free) -> String {
    match free {
        Free::Network => "topology.network".to_string(),
        Free::ServiceTime(service) => format!("service.{}.service_time", bare(service)),
        Free::Think(load) => format!("load.{}.think", bare(load)),
        Free::Backoff(service) => {
            let own = scenario.service.iter().find(|(name, _)| name.value == *service);
            let own = own.and_then(|(_, at)| at.policy.as_ref()).is_some_and(|policy| says_backoff(&policy.value));
            if own { format!("service.{}.policy.backoff", bare(service)) } else { "policy.backoff".to_string() }
        }
    }
}

fn says_backoff(policy: &Policy) -> bool {
    matches!(policy, Policy::Table(table) if table.backoff.is_some())
}

/// A name as a key of TOML.
fn bare(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if plain { name.to_string() } else { format!("{name:?}") }
}
