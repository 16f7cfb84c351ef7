//! Once the rollback of a version has begun, no order raises its share, unless it is asked for again.
//!
//! An order is what a controller gives: a split of the traffic, or a number of instances. That a caller which heard no
//! order yet goes on as before is no order.

use crate::catalogue::Invariant;
use crate::check::Checks;
use crate::fleet::service::Shares;
use crate::wire::Msg;
use base::{Ratio, VersionId};
use kernel::Kernel;

/// A controller splits the traffic of a service.
pub(crate) struct Split<'a> {
    pub(crate) name: &'a str,
    pub(crate) rejected: &'a [VersionId],
    pub(crate) before: Shares,
    pub(crate) now: Shares,
}

/// A controller asks for another number of instances of a version.
pub(crate) struct Scaled<'a> {
    pub(crate) name: &'a str,
    pub(crate) rejected: &'a [VersionId],
    pub(crate) version: VersionId,
    pub(crate) before: u32,
    pub(crate) now: u32,
}

/// An order of a controller's, in a service whose versions are called as `named` says.
pub(crate) fn split(checks: &mut Checks, kernel: &Kernel<Msg>, order: &Split<'_>, named: impl Fn(VersionId) -> String) {
    let share = |of: VersionId, shares: Shares| {
        let mut all = shares.into_iter().flatten();
        all.find(|(version, _)| *version == of).map_or(Ratio::ZERO, |(_, share)| share)
    };
    for &version in order.rejected {
        let (before, now) = (share(version, order.before), share(version, order.now));
        checks.test(Invariant::NoTrafficToTheRejected, kernel, now <= before, || {
            let version = named(version);
            format!("{} gives {now} of the traffic to {version}, whose rollback began at {before}", order.name)
        });
    }
}

/// [`split`], for numbers of instances.
pub(crate) fn scaled(
    checks: &mut Checks,
    kernel: &Kernel<Msg>,
    order: &Scaled<'_>,
    named: impl Fn(VersionId) -> String,
) {
    let Scaled { name, version, before, now, .. } = *order;
    if order.rejected.contains(&version) {
        checks.test(Invariant::NoTrafficToTheRejected, kernel, now <= before, || {
            let version = named(version);
            format!("{name} asks for {now} instances of {version} instead of {before}, after its rollback began")
        });
    }
}
