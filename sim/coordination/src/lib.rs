//! Core: sessions, and locks with fencing.
//!
//! A lock store hands each key to one session at a time. A session lives while it is renewed; when it ends, whatever it
//! held comes free after a delay. With every new holder comes a larger [`FencingToken`](base::FencingToken): holding a
//! lock is a belief, and only the resource that compares tokens is safe from a holder that has not noticed its end
//! (Kleppmann, "How to do distributed locking", 2016; etcd's `learning/why.md` says the same of its leases).
//!
//! > **Contract.** Call `handle` with every message that arrives and with `Wake` at the moment `deadline` names, or
//! > later; ask for the deadline again after each call. Effects are to be done in the order in which they stand in the
//! > outbox.
//!
//! What always holds:
//!
//! - A key has at most one holder, and its session is alive on the store's clock.
//! - Tokens only grow, over all keys of a store and over its restarts.
//! - A session's ttl is a lower bound.
//! - After a session ended without releasing, nobody gets its keys for the lock delay.
//! - Who waits is served in the order in which it came.
//!
//! One store is one process; agreement among several is not here. A [`Client`] keeps a session with it for whoever
//! wants one lock.
//!
//! Read in this order: [`protocol`] (what is heard, done and told), [`config`], [`locks`], [`client`].

pub mod client;
pub mod config;
mod digest;
pub mod locks;
pub mod protocol;

pub use client::Client;
pub use config::Config;
pub use locks::Locks;
pub use protocol::{Cause, Effect, Event, Input, LockKey, Waiting};
