//! `swizzle`: a random half of the nodes is clogged one by one during the first half of the fault, and let go one by
//! one, in another random order, during the second (FoundationDB, `fdbserver/workloads/RandomClogging.cpp`).

use super::{Info, Inject};
use crate::run::{Injector, Message};
use crate::select::Selector;

/// A random half of the nodes is clogged, one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct Swizzle {
    /// Which nodes.
    pub whom: Selector,
}

impl Inject for Swizzle {
    type Whom = Selector;

    const INFO: Info =
        Info::new("swizzle", "a random half of the nodes is clogged one by one and let go in another order");

    fn whom(&self) -> &Selector {
        &self.whom
    }

    fn inject<M: Message>(&self, into: &mut Injector<'_, M>) {
        into.swizzle(&self.whom);
    }
}
