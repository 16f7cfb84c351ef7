//! Only the controller that holds a service's lock, with the newest token, changes the service.
//!
//! Every order carries the fencing token under which it was given. The service remembers the largest it has seen and
//! refuses a smaller one; this check looks at what was accepted.

use crate::catalogue::Invariant;
use crate::check::Checks;
use crate::wire::Msg;
use base::FencingToken;
use kernel::Kernel;

/// A service was changed under `token`; before that, `newest` was the largest it had seen.
pub(crate) fn changed(
    checks: &mut Checks,
    kernel: &Kernel<Msg>,
    service: &str,
    token: FencingToken,
    newest: FencingToken,
) {
    checks.test(Invariant::OneRolloutAtATime, kernel, token >= newest, || {
        format!("{service} was changed under {token} after it had been changed under {newest}")
    });
}
