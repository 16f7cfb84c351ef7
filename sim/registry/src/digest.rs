//! Messages between servers and clients, folded field by field: there may be a hundred thousand of them a second.

use crate::protocol::{Effect, Input};
use base::{Digest, Fingerprint};

impl Digest for Input {
    fn fold_into(&self, fold: &mut Fingerprint) {
        let id = |id: u32| u64::from(id);
        match self {
            Input::Register { from, service, endpoint, ttl } => {
                // One more than the longest span stands for none.
                let ttl = ttl.map_or(0, |ttl| ttl.as_nanos().wrapping_add(1));
                fold.fold_all(&[10, id(from.0), id(service.0), endpoint.digest(), ttl]);
            }
            Input::Renew { from, instance, lease } => fold.fold_all(&[11, id(from.0), id(instance.0), lease.0]),
            Input::Deregister { from, instance, lease } => fold.fold_all(&[12, id(from.0), id(instance.0), lease.0]),
            Input::SetDraining { from, instance, lease, draining } => {
                fold.fold_all(&[13, id(from.0), id(instance.0), lease.0, u64::from(*draining)]);
            }
            Input::Watch { watcher, service, after } => fold.fold_all(&[14, id(watcher.0), id(service.0), after.0]),
            Input::Unwatch { watcher, service } => fold.fold_all(&[15, id(watcher.0), id(service.0)]),
            Input::Fetch { from, service, after } => fold.fold_all(&[16, id(from.0), id(service.0), after.0]),
            Input::Wake => fold.fold(17),
            Input::Date(date) => fold.fold_all(&[18, date.as_nanos()]),
        }
    }
}

impl Digest for Effect {
    /// A view is folded by its revision and by the digest that was made of it once. Panics for what does not travel.
    fn fold_into(&self, fold: &mut Fingerprint) {
        let id = |id: u32| u64::from(id);
        match self {
            Effect::Granted { to, instance, lease, ttl } => {
                fold.fold_all(&[20, id(to.0), id(instance.0), lease.0, ttl.as_nanos()]);
            }
            Effect::Renewed { to, instance, lease } => fold.fold_all(&[21, id(to.0), id(instance.0), lease.0]),
            Effect::LeaseUnknown { to, instance, lease } => fold.fold_all(&[22, id(to.0), id(instance.0), lease.0]),
            Effect::Deregistered { to, instance, lease } => fold.fold_all(&[23, id(to.0), id(instance.0), lease.0]),
            Effect::DrainingSet { to, instance, lease, draining } => {
                fold.fold_all(&[24, id(to.0), id(instance.0), lease.0, u64::from(*draining)]);
            }
            Effect::Watching { to, service, revision } => fold.fold_all(&[25, id(to.0), id(service.0), revision.0]),
            Effect::Push { to, service, view } => {
                fold.fold_all(&[26, id(to.0), id(service.0), view.revision.0, view.digest()]);
            }
            Effect::Fetched { to, service, view } => {
                let (revision, digest) = view.as_ref().map_or((0, 0), |view| (view.revision.0, view.digest()));
                fold.fold_all(&[27, id(to.0), id(service.0), u64::from(view.is_some()), revision, digest]);
            }
            Effect::Persist(_) | Effect::Note(_) => unreachable!("does not travel"),
        }
    }
}
