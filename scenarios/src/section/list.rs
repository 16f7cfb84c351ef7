//! The sections of a scenario file, in the order of the file, which is the order in which they are lowered and counted.
//!
//! A line here and a file beside it are a section: `KEY: TIMES<TYPE>, SENTENCE;` makes the module, the field of
//! [`Scenario`](super::Scenario) and the call of what [`Section`](super::Section) says. The key is also the file's
//! name; a section stands in a file once (`One`), by name (`ByName`) or any number of times (`Many`); the sentence is
//! what editors and `windtunnel explain` show.

/// Gives `$then` all sections.
macro_rules! sections {
    ($then:ident) => {
        $then! {
            phases: One<Phases>, "How long each phase lasts.";
            topology: One<Topology>, "Zones and the network between them; one zone on a LAN by default.";
            registry: One<Registry>, "The service registry. Without this section every caller knows the truth at once.";
            service: ByName<Service>, "The services, by name.";
            balancer: One<Balancer>, "How callers choose an instance, for every service that does not say otherwise: a \
strategy's name or a table. `p2c` by default.";
            policy: One<Policy>, "How callers treat a call, for every service that does not say otherwise: a preset's \
name or a table. A timeout of 15 s and nothing else by default.";
            gateway: One<Gateway>, "The gateway between load and services.";
            load: ByName<Load>, "Where requests come from, by name.";
            rollout: Many<Rollout>, "Versions rolled out during the run.";
            fault: Many<Fault>, "What goes wrong.";
            expect: One<Expect>, "What the run is expected to show.";
        }
    };
}
pub(crate) use sections;
