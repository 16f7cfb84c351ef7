//! Names for things: small integers that print themselves, so that a trace line reads aloud: `n3 → i7 req91`.
//!
//! Ids are dense and given out in order, so a table indexed by one is a `Vec`. A type per kind of thing makes it
//! impossible to index the table of nodes with a service.

/// Declares an id type over an unsigned integer with a printing prefix.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            /// The id as an index into a table of its kind.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A virtual machine: what crashes, pauses, owns a clock and a disk, and has a place in a zone.
    NodeId(u32), "n"
);
id!(
    /// A failure domain: nodes of one zone are close to each other and fail together.
    ZoneId(u32), "z"
);
id!(
    /// A named service, served by instances.
    ServiceId(u32), "svc"
);
id!(
    /// One running copy of a service. A replacement gets a new id; a restart keeps it.
    InstanceId(u32), "i"
);
id!(
    /// A version of a service, in the order in which the versions of that service were declared.
    VersionId(u32), "v"
);
id!(
    /// A registration's right to be listed, until it expires.
    LeaseId(u64), "lease"
);
id!(
    /// How many changes a store had seen: larger is later, on the same store.
    Revision(u64), "r"
);
id!(
    /// A client's session with a coordination store.
    SessionId(u64), "session"
);
id!(
    /// A number that grows with each grant of a lock; a resource refuses a smaller one than it has seen.
    FencingToken(u64), "token"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_themselves() {
        assert_eq!(format!("{} {} {} {}", NodeId(3), ServiceId(2), InstanceId(7), LeaseId(91)), "n3 svc2 i7 lease91");
        assert_eq!(format!("{:?}", Revision(12)), "r12");
    }
}
