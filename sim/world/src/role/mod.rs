//! The roles that virtual nodes play beside serving requests: registry server and its clients, lock store, rollout
//! controller. Each puts a core on a node: it carries the core's messages, keeps its timer, and writes its disk.

pub(crate) mod controller;
pub(crate) mod durable;
pub(crate) mod locks;
pub(crate) mod registry;
