//! What the kernel tells the world: messages that arrived or came back, timers that fired, nodes that went down and
//! came up.
//!
//! The message type is the world's; all the kernel wants of it is a digest for the fingerprint.

use crate::node::Crash;
use base::NodeId;

/// What travels and what timers carry. Small: it rests in the event queue by value.
pub trait Message: Clone {
    /// What tells this message from another one in the fingerprint.
    fn digest(&self) -> u64;

    /// True when dropping the message would do nothing, as for one that is a few numbers. The kernel then does not ask;
    /// a message that owns memory and says this leaks it.
    fn is_plain(&self) -> bool {
        false
    }
}

/// What the kernel tells the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<M> {
    /// A message arrived at a node that runs.
    Message {
        /// Where.
        node: NodeId,
        /// From whom.
        from: NodeId,
        /// What.
        msg: M,
    },
    /// A message did not arrive, and its sender's connection says so.
    Bounced {
        /// The sender.
        node: NodeId,
        /// For whom it was.
        to: NodeId,
        /// Why.
        why: Bounce,
        /// What.
        msg: M,
    },
    /// A timer fired on a node that runs, in the life in which it was set.
    Timer {
        /// Whose.
        node: NodeId,
        /// What it carried.
        msg: M,
    },
    /// Something outside all nodes that the world scheduled for now.
    World(M),
    /// A node went down: its memory is gone.
    Down(NodeId, Crash),
    /// A node is up again, with its disk and without its memory.
    Up(NodeId),
    /// A fault of the plan began; its number in the plan.
    FaultBegan(usize),
    /// A fault of the plan ended.
    FaultEnded(usize),
}

/// Of which kind an event is that is still in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Event::Message`].
    Message {
        /// Where it arrived.
        node: NodeId,
        /// From whom.
        from: NodeId,
    },
    /// [`Event::Timer`].
    Timer {
        /// Whose.
        node: NodeId,
    },
    /// [`Event::World`].
    World,
    /// Any other: [`Kernel::take`](super::Kernel::take) says which.
    Rare,
}

/// Why a message came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounce {
    /// Nobody listens there: the process is down, or gone for good.
    Refused,
    /// The connection was open when the other end went down.
    Reset,
    /// Sent again and again without an answer from the other machine.
    Unreachable,
}
