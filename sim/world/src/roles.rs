//! The roles that nodes play beside being instances of services, published once for everybody who names them.

use crate::process::kinds;
pub use crate::role::{GATEWAY, LOAD, Naming, Role};

/// All roles, in the order in which their nodes are made.
pub fn all() -> impl Iterator<Item = &'static Role> {
    kinds::roles().chain([&GATEWAY, &LOAD])
}

/// The role with this tag.
pub fn find(tag: &str) -> Option<&'static Role> {
    all().find(|role| role.tag == tag)
}
