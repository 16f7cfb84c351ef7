//! `disk-corrupt` in a file: whom and when say it all.

use super::{Declare, Own};
use world::kernel::fault::DiskCorrupt;
use world::kernel::select::Selector;

impl Declare for DiskCorrupt {
    const EXAMPLE: &'static str = "registry";

    fn lower(whom: Option<Selector>, _: &mut Own<'_, '_>) -> Option<Self> {
        Some(DiskCorrupt { whom: whom? })
    }
}
