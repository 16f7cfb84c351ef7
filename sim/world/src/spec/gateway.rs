//! The gateway, and how requests are spread over the nodes that take them in.

use base::Duration;

/// The gateway: nodes that stand between load and services, each with its own view and its own balancers.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewaySpec {
    /// How many.
    pub instances: u32,
    /// Which of them each request comes to.
    pub spread: Spread,
    /// How long a load source waits for the gateway's answer before it gives the request up as timed out; for ever when
    /// `None`. It is the only patience there is in front of the gateway: what is lost on the way there is otherwise
    /// sent again for as long as TCP keeps trying.
    pub client_timeout: Option<Duration>,
    /// First match wins.
    pub routes: Vec<traffic::Route>,
}

/// How requests are spread over the nodes that take them in: a load's sources, a gateway's instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// Each request draws its node, as flows do that a router hashes: of a Poisson stream, every node gets a Poisson
    /// stream that is independent of the others. A user of a closed load draws once and keeps the node.
    #[default]
    Random,
    /// The nodes take turns, which makes the stream of each more even than the whole: of a Poisson stream over n nodes,
    /// each gets one with gaps of an Erlang distribution of order n. User k of a closed load keeps node k mod n.
    InTurn,
}
