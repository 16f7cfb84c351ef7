//! `clog` in a file: whom and how long say it all.

use super::{Declare, Own};
use world::kernel::fault::Clog;
use world::kernel::select::Selector;

impl Declare for Clog {
    const EXAMPLE: &'static str = "one of shop";

    fn lower(whom: Option<Selector>, _: &mut Own<'_, '_>) -> Option<Self> {
        Some(Clog { whom: whom? })
    }
}
