//! Once the rollback of a version has begun, no order raises its share, unless it is asked for again.
//!
//! An order is what a controller gives: a split of the traffic, or a number of instances. That a caller which heard no
//! order yet goes on as before is no order.

use super::list::Invariant;
use crate::check::Checks;
use crate::wire::Msg;
use crate::world::Service;
use base::{Ratio, VersionId};
use kernel::Kernel;

type Shares = Option<[(VersionId, Ratio); 2]>;

/// A controller splits the traffic of a service, whose versions are called as `named` says.
pub(crate) fn split(
    checks: &mut Checks,
    kernel: &Kernel<Msg>,
    service: &Service,
    shares: Shares,
    named: impl Fn(VersionId) -> String,
) {
    let share = |of: VersionId, shares: Shares| {
        let mut all = shares.into_iter().flatten();
        all.find(|(version, _)| *version == of).map_or(Ratio::ZERO, |(_, share)| share)
    };
    for &version in &service.rejected {
        let (before, now) = (share(version, service.split), share(version, shares));
        checks.test(Invariant::NoTrafficToTheRejected, kernel, now <= before, || {
            let version = named(version);
            format!("{} gives {now} of the traffic to {version}, whose rollback began at {before}", service.name)
        });
    }
}

/// A controller asks for the second number of instances of a version, where the first was asked for.
pub(crate) fn scaled(
    checks: &mut Checks,
    kernel: &Kernel<Msg>,
    service: &Service,
    version: VersionId,
    (before, now): (u32, u32),
    named: impl Fn(VersionId) -> String,
) {
    if service.rejected.contains(&version) {
        checks.test(Invariant::NoTrafficToTheRejected, kernel, now <= before, || {
            format!(
                "{} asks for {now} instances of {} instead of {before}, after its rollback began",
                service.name,
                named(version)
            )
        });
    }
}
