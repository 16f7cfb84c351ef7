//! `disk-full` in a file: whom and how long say it all.

use super::{Declare, Own};
use world::kernel::fault::DiskFull;
use world::kernel::select::Selector;

impl Declare for DiskFull {
    const EXAMPLE: &'static str = "registry";

    fn lower(whom: Option<Selector>, _: &mut Own<'_, '_>) -> Option<Self> {
        Some(DiskFull { whom: whom? })
    }
}
