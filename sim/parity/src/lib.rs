//! A second opinion: the same cores, driven by madsim as real asynchronous processes.
//!
//! The kernel and the world are ours, and so are their mistakes. madsim is somebody else's network, clock and idea of a
//! process: every virtual node here is an async process with an endpoint of its own, which is killed, restarted, paused
//! and cut off by madsim and not by us. The cores of registry, coordination and rollout are the very same. A
//! scenario must therefore end in the same `Facts`, whichever of the two drives it:
//!
//! ```text
//!                    ┌─▶ world, kernel  ─▶ Facts ─┐
//!   one description ─┤                            ├─▶ no difference
//!                    └─▶ parity, madsim ─▶ Facts ─┘
//! ```
//!
//! What is compared is what both can mean: who is listed in the end and who lives, what callers see, how the rollout
//! went step by step, what became of the lock, and for each instance in which order the registry learnt of its life.
//! What is not compared is when: madsim sleeps at least a millisecond in every send and every receive, knows one
//! latency for all links, and has one processor for the whole cluster, so its times are not a network's. Measured
//! values differ with the times; verdicts do not, because scenarios are chosen so that they are far from their limits.
//!
//! Where the two mean different things, and what is made of it:
//!
//! | | kernel | madsim |
//! | --- | --- | --- |
//! | a link that is cut | requests are sent again, as by TCP | datagrams are lost, cores ask again; streams wait |
//! | a clogged node | everything waits until it is let go | the same as a cut |
//! | a crashed machine | silent | silent for datagrams; its streams break at once |
//! | a disk | an fsync takes time, answers wait for it | keeps everything at once |
//! | a call to nobody | ends in the caller's patience, or in a reset | ends in the caller's patience |
//!
//! None of this may change a fact. What only one of them has (loss by rate, duplication, bandwidth, drifting clocks,
//! sick disks) is not here.
//!
//! madsim's processor advances the clock by each poll of a task; with some ten thousand tasks time can outrun them for
//! ever. Clusters here are small: one registry, two or three callers, a dozen instances.
//!
//! Built only under `--cfg madsim` (`cargo xtask parity`); empty otherwise. It imports neither the kernel nor the
//! world: the tests do, to have somebody to agree with. Read in this order:
//!
//! - `setup`, `facts`: what goes in, what comes out.
//! - `cluster`: boots the nodes, breaks them on time, and asks for the facts.
//! - `net`: endpoints, datagrams and streams between processes. `orchestrator`: makes and ends instances, for real.
//! - `registry_node`, `instance_node`, `caller_node`, `control_node`: the processes, one core or two in each.

#![cfg(madsim)]

mod board;
mod caller_node;
mod cluster;
mod control_node;
pub mod facts;
mod instance_node;
mod net;
mod orchestrator;
mod registry_node;
pub mod setup;

pub use board::Line;
pub use cluster::{Run, run};
pub use facts::Facts;
pub use setup::{Fault, FaultKind, Plant, Setup, Whom};
