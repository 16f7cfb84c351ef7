//! `error`: instances give up a part of their work after a while and answer with errors, and quickly. To a balancer
//! that counts requests under way, they look like the fastest of all: a black hole.

use super::{Info, Inject};
use crate::node::{Failing, Hold};
use crate::run::{Injector, Message};
use crate::select::Selector;
use std::fmt;

/// Instances answer with errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Errors {
    /// Which nodes.
    pub whom: Selector,
    /// Which share of the work, and how long it takes to give it up.
    pub failing: Failing,
}

impl Inject for Errors {
    type Whom = Selector;

    const INFO: Info =
        Info::new("error", "instances answer a `share` of requests with errors, and quickly; all of them by default");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        let nodes = into.meet(&self.whom);
        into.hold(&nodes, Hold::Fail(self.failing));
    }

    fn effect(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {} after {}", self.failing.share, self.failing.after)
    }
}
