//! Messages between a lock store and its clients, folded field by field.

use crate::protocol::{Effect, Input, Waiting};
use base::{Digest, Fingerprint};

impl Digest for Input {
    fn fold_into(&self, fold: &mut Fingerprint) {
        let id = |id: u32| u64::from(id);
        match self {
            Input::CreateSession { from, nonce, ttl } => {
                // One more than the longest span stands for none.
                let ttl = ttl.map_or(0, |ttl| ttl.as_nanos().wrapping_add(1));
                fold.fold_all(&[40, id(from.0), *nonce, ttl]);
            }
            Input::RenewSession { from, session, number } => fold.fold_all(&[41, id(from.0), session.0, *number]),
            Input::DestroySession { from, session } => fold.fold_all(&[42, id(from.0), session.0]),
            Input::Acquire { from, session, key, waiting } => {
                fold.fold_all(&[43, id(from.0), session.0, u64::from(*waiting == Waiting::Queue)]);
                fold.fold_text(key.as_str());
            }
            Input::Release { from, session, key } => {
                fold.fold_all(&[44, id(from.0), session.0]);
                fold.fold_text(key.as_str());
            }
            Input::Wake => fold.fold(45),
        }
    }
}

impl Digest for Effect {
    /// Panics for what does not travel.
    fn fold_into(&self, fold: &mut Fingerprint) {
        let id = |id: u32| u64::from(id);
        match self {
            Effect::SessionCreated { to, nonce, session, ttl } => {
                fold.fold_all(&[50, id(to.0), *nonce, session.0, ttl.as_nanos()]);
            }
            Effect::SessionRenewed { to, session, number } => fold.fold_all(&[51, id(to.0), session.0, *number]),
            Effect::SessionUnknown { to, session } => fold.fold_all(&[52, id(to.0), session.0]),
            Effect::SessionDestroyed { to, session } => fold.fold_all(&[53, id(to.0), session.0]),
            Effect::Granted { to, session, key, token } => {
                fold.fold_all(&[54, id(to.0), session.0, token.0]);
                fold.fold_text(key.as_str());
            }
            Effect::Refused { to, session, key, holder, retry_after } => {
                let holder = holder.map_or(0, |holder| holder.0.wrapping_add(1));
                let retry_after = retry_after.map_or(0, |at| at.as_nanos().wrapping_add(1));
                fold.fold_all(&[55, id(to.0), session.0, holder, retry_after]);
                fold.fold_text(key.as_str());
            }
            Effect::Queued { to, session, key, ahead } => {
                fold.fold_all(&[56, id(to.0), session.0, *ahead as u64]);
                fold.fold_text(key.as_str());
            }
            Effect::Released { to, session, key } => {
                fold.fold_all(&[57, id(to.0), session.0]);
                fold.fold_text(key.as_str());
            }
            Effect::Note(_) => unreachable!("does not travel"),
        }
    }
}
