//! What is to happen later: timers by a node's clock, work by none, and what the world schedules outside all nodes.

use super::{Entry, Kernel, Message};
use crate::queue::{Lane, TimerId};
use base::{Duration, Instant, NodeId};

impl<M: Message> Kernel<M> {
    /// Sets a timer on a node for when its own monotonic clock shows `deadline`. It dies when the node goes down.
    ///
    /// When the clock's drift changes meanwhile, the timer goes by the new rate.
    pub fn timer_at(&mut self, node: NodeId, deadline: Instant, msg: M) -> TimerId {
        let at = self.nodes.get(node).clock().fires_at(self.now, deadline);
        let life = self.nodes.life(node);
        self.queue.push(at, Entry::Timer { node, life, due: deadline, msg })
    }

    /// [`Kernel::timer_at`], for a span from now.
    #[inline(always)]
    pub fn timer_after(&mut self, node: NodeId, span: Duration, lane: Option<Lane>, msg: M) -> TimerId {
        let (at, due) = self.nodes.fires_after(node, self.now, span);
        let entry = Entry::Timer { node, life: self.nodes.life(node), due, msg };
        match lane {
            Some(lane) => self.queue.push_lane(lane, at, entry),
            None => self.queue.push(at, entry),
        }
    }

    /// A node works for a span, which no clock stretches; `msg` comes as its timer when that is done. It dies when the
    /// node goes down.
    #[inline(always)]
    pub fn work_after(&mut self, node: NodeId, span: Duration, msg: M) -> TimerId {
        let entry = Entry::Work { node, life: self.nodes.life(node), msg };
        self.queue.push(self.now.saturating_add(span), entry)
    }

    /// Something from outside concerns the process on a node: `msg` comes as its timer, at this moment while it runs,
    /// and when it goes on while it is paused. It dies when the node goes down; a node that is down gets it when it
    /// comes up.
    pub fn hand(&mut self, node: NodeId, msg: M) -> TimerId {
        self.work_after(node, Duration::ZERO, msg)
    }

    /// Takes a timer back; harmless when it has fired.
    #[inline]
    pub fn cancel(&mut self, timer: TimerId) {
        self.queue.cancel(timer);
    }

    /// Schedules something outside all nodes.
    #[inline]
    pub fn world_at(&mut self, at: Instant, msg: M) -> TimerId {
        self.queue.push(at, Entry::World(msg))
    }

    /// [`Kernel::world_at`] through a lane, for what follows one after the other.
    #[inline]
    pub fn world_in_lane(&mut self, lane: Option<Lane>, at: Instant, msg: M) -> TimerId {
        match lane {
            Some(lane) => self.queue.push_lane(lane, at, Entry::World(msg)),
            None => self.queue.push(at, Entry::World(msg)),
        }
    }
}
