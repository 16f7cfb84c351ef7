//! The ledger of invariants: how often each was tested, how often broken, and where first.
//!
//! A check is a comparison and two additions; the message that explains a violation is built only for the first one.

use crate::catalogue::{self, Info, Invariant, Probe};
use crate::outcome::{Check, CheckKind, Violation};
use crate::wire::Msg;
use kernel::Kernel;

/// All invariants and probes of one run, in the order of the catalogue.
#[derive(Debug)]
pub(crate) struct Checks {
    checks: Vec<Check>,
}

impl Checks {
    pub(crate) fn new() -> Self {
        let blank = |info: Info| Check { kind: info.kind, name: info.name, tested: 0, violations: 0, first: None };
        Checks { checks: catalogue::all().map(blank).collect() }
    }

    /// Counts a test of an invariant.
    #[inline]
    pub(crate) fn test(
        &mut self,
        invariant: Invariant,
        kernel: &Kernel<Msg>,
        ok: bool,
        message: impl FnOnce() -> String,
    ) {
        self.checks[invariant as usize].tested += 1;
        if !ok {
            self.violate(invariant, kernel, message());
        }
    }

    #[cold]
    fn violate(&mut self, invariant: Invariant, kernel: &Kernel<Msg>, message: String) {
        let check = &mut self.checks[invariant as usize];
        check.violations += 1;
        let violation = || Violation { at: kernel.now(), event: kernel.trace().events(), message };
        check.first.get_or_insert_with(violation);
    }

    /// Counts that something was reached.
    #[inline]
    pub(crate) fn reached(&mut self, probe: Probe) {
        self.checks[Invariant::ALL.len() + probe as usize].tested += 1;
    }

    /// The ledger, with a `sometimes` that was never reached as a violation.
    pub(crate) fn finish(mut self) -> Vec<Check> {
        for check in &mut self.checks {
            if check.kind == CheckKind::Sometimes {
                check.violations = u64::from(check.tested == 0);
            }
        }
        self.checks
    }
}
