//! The ledger of invariants: how often each was tested, how often broken, and where first.
//!
//! A check is a comparison and two additions; the message that explains a violation is built only for the first one.

use crate::invariant::CATALOGUE;
use crate::outcome::{Check, CheckKind, Violation};
use crate::wire::Msg;
use kernel::Kernel;

/// All invariants of one run.
#[derive(Debug)]
pub(crate) struct Checks {
    checks: Vec<Check>,
}

impl Checks {
    pub(crate) fn new() -> Self {
        let blank = |info: &crate::invariant::Info| Check {
            kind: info.kind,
            name: info.name,
            tested: 0,
            violations: 0,
            first: None,
        };
        Checks { checks: CATALOGUE.iter().map(blank).collect() }
    }

    /// Counts a test of the invariant at `index` of the catalogue.
    #[inline]
    pub(crate) fn test(&mut self, index: usize, kernel: &Kernel<Msg>, ok: bool, message: impl FnOnce() -> String) {
        self.checks[index].tested += 1;
        if !ok {
            self.violate(index, kernel, message());
        }
    }

    #[cold]
    fn violate(&mut self, index: usize, kernel: &Kernel<Msg>, message: String) {
        let check = &mut self.checks[index];
        check.violations += 1;
        let violation = || Violation { at: kernel.now(), event: kernel.trace().events(), message };
        check.first.get_or_insert_with(violation);
    }

    /// Counts that something was reached. For what happens to every request, look the index up once instead.
    pub(crate) fn reached(&mut self, name: &'static str) {
        let check = self.checks.iter_mut().find(|c| c.name == name).expect("probes are in the catalogue");
        check.tested += 1;
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
