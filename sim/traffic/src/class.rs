//! How an attempt ended, as far as policy can tell.

use std::fmt;

/// How one attempt at a request ended, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// An answer that is none of the below; a client's own mistake (4xx) is one.
    Success,
    /// The service answered that it failed: 5xx other than a refusal, gRPC `INTERNAL` or `UNKNOWN`.
    ServerError,
    /// No connection: nothing was sent, so nothing was done.
    ConnectFailure,
    /// The connection broke after the request was sent; it may have been carried out.
    Reset,
    /// Turned away unprocessed: a full queue, overload, 503, a refused stream, gRPC `UNAVAILABLE`.
    Refused,
    /// The time for this attempt was over; it may still be carried out.
    Timeout,
}

impl Class {
    /// All of them, in order.
    pub const ALL: [Class; 6] =
        [Class::Success, Class::ServerError, Class::ConnectFailure, Class::Reset, Class::Refused, Class::Timeout];

    /// What a scenario and a table call it.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Success => "success",
            Class::ServerError => "server_error",
            Class::ConnectFailure => "connect_failure",
            Class::Reset => "reset",
            Class::Refused => "refused",
            Class::Timeout => "timeout",
        }
    }

    /// The class of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// True for [`Class::Success`] alone.
    pub const fn is_success(self) -> bool {
        matches!(self, Class::Success)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSet(u8);

impl ClassSet {
    /// None of them.
    pub const EMPTY: ClassSet = ClassSet(0);
    /// Everything but success.
    pub const FAILURES: ClassSet =
        ClassSet::of(&[Class::ServerError, Class::ConnectFailure, Class::Reset, Class::Refused, Class::Timeout]);

    /// These classes.
    pub const fn of(classes: &[Class]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < classes.len() {
            bits |= 1 << classes[i] as u8;
            i += 1;
        }
        ClassSet(bits)
    }

    /// Whether `class` is in it.
    #[inline]
    pub const fn contains(self, class: Class) -> bool {
        self.0 >> class as u8 & 1 == 1
    }

    /// What is in it, in the order of [`Class::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Class> {
        Class::ALL.into_iter().filter(move |&class| self.contains(class))
    }
}

impl fmt::Display for ClassSet {
    /// `connect_failure, refused`, or `nothing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == ClassSet::EMPTY {
            return f.write_str("nothing");
        }
        for (i, class) in self.iter().enumerate() {
            write!(f, "{}{class}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_made_of() {
        let set = ClassSet::of(&[Class::Refused, Class::ConnectFailure]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Class::ConnectFailure, Class::Refused]);
        assert_eq!(set.to_string(), "connect_failure, refused");
        assert_eq!(ClassSet::EMPTY.to_string(), "nothing");
        assert_eq!(ClassSet::FAILURES.iter().count(), 5);
        assert!(!ClassSet::FAILURES.contains(Class::Success));
    }

    #[test]
    fn names_lead_back_to_their_classes() {
        for class in Class::ALL {
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
        assert_eq!(Class::from_name("5xx"), None);
    }
}
