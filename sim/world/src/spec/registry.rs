//! The registry and its clients, each as its core is configured.

/// The registry servers and how their clients behave.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrySpec {
    /// How many servers. Each keeps its own catalogue; instances register with all of them, a caller follows one and
    /// turns to the next when it is silent. Nothing is replicated between them, as a scenario about split catalogues
    /// wants.
    pub servers: u32,
    /// Times and rules of a server.
    pub server: registry::Config,
    /// How instances register and renew.
    pub registrant: registry::registrant::Config,
    /// How callers learn of instances.
    pub resolver: registry::resolver::Config,
}
