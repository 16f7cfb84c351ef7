//! The kinds of processes, one per line: the name of the file.
//!
//! Nodes are made in this order, and processes that share a node are told things in it.

/// Gives `$then` the modules of all kinds.
macro_rules! processes {
    ($then:ident) => {
        $then! {
            truth
            registry
            registrant
            resolver
            locks
            rollout
        }
    };
}
pub(super) use processes;
