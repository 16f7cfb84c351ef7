//! The words every other crate speaks: time, ids, chance, distributions, and the outbox through which a core says what
//! it wants done.
//!
//! Nothing here knows a simulator, a protocol or a file format. Read in this order:
//!
//! - [`time`]: [`Instant`] and [`Duration`], whole nanoseconds.
//! - [`mod@id`]: small integers that print themselves.
//! - [`rng`]: one [`Seed`], as many independent streams as there are names; [`streams`]: the names.
//! - [`math`]: the only place that takes a logarithm.
//! - [`dist`]: how long things take.
//! - [`zipf`]: how wanted things are.
//! - [`ratio`]: chance as an exact fraction.
//! - [`mod@core`]: what all protocols are made of; [`outbox`]: what a core wants done.
//! - [`fingerprint`]: a run, folded into 64 bits.

pub mod core;
pub mod dist;
pub mod fingerprint;
pub mod id;
pub mod math;
pub mod outbox;
pub mod ratio;
pub mod rng;
pub mod streams;
pub mod time;
pub mod zipf;

#[cfg(feature = "testing")]
pub mod golden;

pub use self::core::Core;
pub use dist::Dist;
pub use fingerprint::{Digest, Fingerprint};
pub use id::{FencingToken, InstanceId, LeaseId, NodeId, Revision, ServiceId, SessionId, VersionId, ZoneId};
pub use outbox::Outbox;
pub use ratio::Ratio;
pub use rng::{Draw, Key, Rng, Seed};
pub use time::{Duration, Instant};
pub use zipf::Zipf;
