//! `swizzle` in a file: whom and how long say it all.

use super::{Declare, Own};
use world::kernel::fault::Swizzle;
use world::kernel::select::Selector;

impl Declare for Swizzle {
    const EXAMPLE: &'static str = "shop";

    fn lower(whom: Option<Selector>, _: &mut Own<'_, '_>) -> Option<Self> {
        Some(Swizzle { whom: whom? })
    }
}
