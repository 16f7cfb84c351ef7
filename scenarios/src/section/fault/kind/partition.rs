//! `partition` in a file: between whom and how long say it all.

use super::{Declare, Own};
use world::kernel::fault::{Partition, Path};

impl Declare for Partition {
    const EXAMPLE: &'static str = "registry | shop";

    fn lower(path: Option<Path>, _: &mut Own<'_, '_>) -> Option<Self> {
        Some(Partition { path: path? })
    }
}
