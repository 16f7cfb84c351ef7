//! Between processes: an endpoint for each, datagrams for what is asked again, streams for what must arrive in order.
//!
//! A message is a Rust value that madsim carries as it is (`Box<dyn Any>` under a tag), so nothing is encoded and
//! nothing derives serde. `send_to_raw` and `connect1` are madsim's own means for simulators; they are the part of it
//! that takes such values, and this crate is such a simulator.
//!
//! - A datagram may be lost (a clogged link drops it) and may overtake another. Clients of the registry and of the lock
//!   store ask again after a timeout.
//! - A stream delivers in order and waits for a clogged link. It is opened again when it broke; what was under way then
//!   is lost, and the reader learns that it broke.
//!
//! A process reads everything from one inbox, so that it is one loop: what arrives, or the moment its cores wait for.

use base::{FencingToken, Instant, Key, NodeId, Ratio, VersionId};
use madsim::net::Endpoint;
use madsim::task::spawn_local;
use madsim::time::{TimeHandle, sleep};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration as Span;

/// What travels between processes: the cores' words, and calls.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    /// A client to the registry.
    ToRegistry(registry::Input),
    /// The registry to a client.
    FromRegistry(registry::Effect),
    /// The controller to the lock store.
    ToLocks(coordination::Input),
    /// The lock store to the controller.
    FromLocks(coordination::Effect),
    /// The controller to a caller: how to split traffic from now on.
    Split(Split),
    /// A caller to an instance: do this. What becomes of it follows from its key.
    Call { number: u64, key: Key },
    /// An instance to a caller: this became of it.
    Answer { number: u64, ok: bool },
}

/// How to split traffic; an order with a smaller number is an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) token: FencingToken,
    pub(crate) number: u64,
    pub(crate) shares: Option<[(VersionId, Ratio); 2]>,
}

/// What a process hears.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A message arrived.
    Message(NodeId, Msg),
    /// A stream from this node broke.
    Broken(NodeId),
    /// The process is asked to end.
    Terminate,
}

/// Messages between nodes carry this tag.
const TAG: u64 = 1;
const PORT: u16 = 1;
/// How long to wait before a stream that could not be opened is tried again.
const RECONNECT: Span = Span::from_millis(100);

/// The present moment: madsim's clock, counted from the start of its runtime. All nodes share it.
pub(crate) fn now() -> Instant {
    Instant::from_nanos(TimeHandle::current().elapsed().as_nanos() as u64)
}

/// Sleeps until `at`, or for the millisecond below which madsim never sleeps.
pub(crate) async fn sleep_until(at: Instant) {
    sleep(span(at.saturating_since(now()))).await;
}

pub(crate) fn span(span: base::Duration) -> Span {
    Span::from_nanos(span.as_nanos())
}

/// The address of a node.
pub(crate) fn ip(node: NodeId) -> IpAddr {
    let [_, _, high, low] = (node.0 + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(10, 0, high, low))
}

fn address(node: NodeId) -> SocketAddr {
    SocketAddr::new(ip(node), PORT)
}

fn node_at(address: SocketAddr) -> NodeId {
    let IpAddr::V4(ip) = address.ip() else { unreachable!("all nodes have addresses of four bytes") };
    let [_, _, high, low] = ip.octets();
    NodeId(u32::from_be_bytes([0, 0, high, low]) - 1)
}

/// A queue within one process, with one reader.
pub(crate) struct Inbox<T>(Rc<RefCell<Queue<T>>>);

struct Queue<T> {
    items: VecDeque<T>,
    reader: Option<Waker>,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Inbox(Rc::clone(&self.0))
    }
}

impl<T> Inbox<T> {
    fn new() -> Self {
        Inbox(Rc::new(RefCell::new(Queue { items: VecDeque::new(), reader: None })))
    }

    pub(crate) fn push(&self, item: T) {
        let mut queue = self.0.borrow_mut();
        queue.items.push_back(item);
        if let Some(reader) = queue.reader.take() {
            reader.wake();
        }
    }

    /// The next item, or none when `deadline` comes first. Nothing is lost when the deadline wins.
    pub(crate) async fn next(&self, deadline: Option<Instant>) -> Option<T> {
        let mut alarm = deadline.map(|at| Box::pin(sleep_until(at)));
        poll_fn(move |context| {
            let mut queue = self.0.borrow_mut();
            if let Some(item) = queue.items.pop_front() {
                return Poll::Ready(Some(item));
            }
            queue.reader = Some(context.waker().clone());
            match &mut alarm {
                Some(alarm) => alarm.as_mut().poll(context).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// One process's connection to all others. Dropped with the process, and all of its tasks with it.
pub(crate) struct Net {
    pub(crate) node: NodeId,
    endpoint: Endpoint,
    inbox: Inbox<Heard>,
    streams: BTreeMap<NodeId, Inbox<Msg>>,
}

impl Net {
    /// Binds the node's endpoint and begins to listen, also for the request to terminate.
    pub(crate) async fn open(node: NodeId) -> Self {
        let inbox = Inbox::new();
        let terminated = inbox.clone();
        spawn_local(async move {
            if madsim::signal::ctrl_c().await.is_ok() {
                terminated.push(Heard::Terminate);
            }
        });
        let endpoint = Endpoint::bind(address(node)).await.expect("a node binds its own address once a life");
        spawn_local(read_datagrams(endpoint.clone(), inbox.clone()));
        spawn_local(accept_streams(endpoint.clone(), inbox.clone()));
        Net { node, endpoint, inbox, streams: BTreeMap::new() }
    }

    /// What the process hears next, or none when `deadline` comes first.
    pub(crate) async fn next(&self, deadline: Option<Instant>) -> Option<Heard> {
        self.inbox.next(deadline).await
    }

    /// Sends a message that may be lost.
    pub(crate) fn datagram(&self, to: NodeId, msg: Msg) {
        let endpoint = self.endpoint.clone();
        // A task of its own: a send sleeps, and what is sent next need not wait for it.
        spawn_local(async move {
            // What madsim cannot send is lost, as on a wire.
            let _ = endpoint.send_to_raw(address(to), TAG, Box::new(msg)).await;
        });
    }

    /// Sends a message behind all those sent to the same node this way.
    pub(crate) fn stream(&mut self, to: NodeId, msg: Msg) {
        let endpoint = &self.endpoint;
        let stream = self.streams.entry(to).or_insert_with(|| {
            let queue = Inbox::new();
            spawn_local(write_stream(endpoint.clone(), to, queue.clone()));
            queue
        });
        stream.push(msg);
    }

    /// Answers a call after its work is done, without keeping the process from anything else.
    pub(crate) fn answer_after(&self, work: base::Duration, to: NodeId, msg: Msg) {
        let endpoint = self.endpoint.clone();
        spawn_local(async move {
            sleep(span(work)).await;
            let _ = endpoint.send_to_raw(address(to), TAG, Box::new(msg)).await;
        });
    }
}

async fn read_datagrams(endpoint: Endpoint, inbox: Inbox<Heard>) {
    while let Ok((payload, from)) = endpoint.recv_from_raw(TAG).await {
        let msg = payload.downcast::<Msg>().expect("only messages travel under this tag");
        inbox.push(Heard::Message(node_at(from), *msg));
    }
}

async fn accept_streams(endpoint: Endpoint, inbox: Inbox<Heard>) {
    while let Ok((back, mut stream, from)) = endpoint.accept1().await {
        let (inbox, from) = (inbox.clone(), node_at(from));
        spawn_local(async move {
            // The way back is not used, but while it is held the other side sees that this one lives.
            let _back = back;
            while let Ok(payload) = stream.recv().await {
                let msg = payload.downcast::<Msg>().expect("only messages travel on streams");
                inbox.push(Heard::Message(from, *msg));
            }
            inbox.push(Heard::Broken(from));
        });
    }
}

async fn write_stream(endpoint: Endpoint, to: NodeId, queue: Inbox<Msg>) {
    loop {
        let (stream, _back) = loop {
            match endpoint.connect1(address(to)).await {
                Ok(ends) => break ends,
                Err(_) => sleep(RECONNECT).await,
            }
        };
        while let Some(msg) = queue.next(None).await {
            if stream.send(Box::new(msg)).await.is_err() {
                break;
            }
        }
    }
}
