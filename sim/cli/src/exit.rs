//! What the process tells its caller in one number.
//!
//! The numbers and names are a promise to pipelines: they are listed in `--help`, in `windtunnel explain CODE` and in
//! the JSON of a run (`verdict` is the name), and a test keeps all of them equal to this file.

use world::Verdict;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked for held.
    Passed,
    /// The system refused to take what was to be written.
    Output,
    /// Flags or scenario were wrong, and nothing ran.
    Usage,
    /// An `always` was broken.
    Safety,
    /// Calm ended without an `eventually`.
    Liveness,
    /// Passed, but a `sometimes` was never seen.
    Coverage,
    /// The same seed gave another fingerprint.
    Divergence,
    /// An objective was missed.
    Objective,
    /// A panic.
    Crash,
    /// Somebody stopped it before everything was done.
    Interrupted,
}

impl Exit {
    /// Every way to end, by number.
    pub(crate) const ALL: [Exit; 10] = [
        Exit::Passed,
        Exit::Output,
        Exit::Usage,
        Exit::Safety,
        Exit::Liveness,
        Exit::Coverage,
        Exit::Divergence,
        Exit::Objective,
        Exit::Crash,
        Exit::Interrupted,
    ];

    /// From good to bad. Of many runs, the worst decides the number of the process: a crash says nothing about the
    /// scenario and puts everything in doubt, a broken `always` outranks a seed that gave two runs, that outranks a run
    /// that came to no end, and so on down.
    const BY_BADNESS: [Exit; 10] = [
        Exit::Passed,
        Exit::Output,
        Exit::Interrupted,
        Exit::Coverage,
        Exit::Objective,
        Exit::Liveness,
        Exit::Usage,
        Exit::Divergence,
        Exit::Safety,
        Exit::Crash,
    ];

    /// The number of the process.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Output => 1,
            Exit::Usage => 2,
            Exit::Safety => 10,
            Exit::Liveness => 11,
            Exit::Coverage => 12,
            Exit::Divergence => 13,
            Exit::Objective => 14,
            Exit::Crash => 101,
            // 128 and the number of SIGINT, as shells have it.
            Exit::Interrupted => 130,
        }
    }

    /// Its name, in JSON and for `windtunnel explain`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Exit::Passed => "passed",
            Exit::Output => "output",
            Exit::Usage => "usage",
            Exit::Safety => "safety",
            Exit::Liveness => "liveness",
            Exit::Coverage => "coverage",
            Exit::Divergence => "divergence",
            Exit::Objective => "objective",
            Exit::Crash => "crash",
            Exit::Interrupted => "interrupted",
        }
    }

    /// One line about it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Exit::Passed => "all that was asked for held",
            Exit::Output => "results could not be written: disk full, no permission",
            Exit::Usage => "flags or scenario wrong; nothing ran, nothing was written",
            Exit::Safety => "an `always` was broken",
            Exit::Liveness => "calm ended without an `eventually`",
            Exit::Coverage => "passed, but a `sometimes` was never seen",
            Exit::Divergence => "same seed, other fingerprint",
            Exit::Objective => "an SLO or expectation was missed",
            Exit::Crash => "a panic: a bug in windtunnel",
            Exit::Interrupted => "stopped by Ctrl-C or a signal; what was done is kept",
        }
    }

    /// What to do about it.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Exit::Passed => "Nothing. The fingerprint in the summary is what the same scenario and seed give again.",
            Exit::Output => {
                "The runs themselves may have ended well. Make room, or name another place with --out or --trace, and \
                 run the same seed again: the result will be the same."
            }
            Exit::Usage => {
                "Read the message: it names what exists instead. `windtunnel validate FILE` shows every problem of a \
                 scenario at once."
            }
            Exit::Safety => {
                "Paste the replay command that the failure prints: it tells what happened within a second of the moment \
                 at which the promise was first broken."
            }
            Exit::Liveness => {
                "Something was still unsettled when calm ended. Replay it around the end; if calm is shorter than the \
                 times it waits for (leases, intervals of analysis), make calm longer."
            }
            Exit::Coverage => {
                "The scenario claims to test something that did not happen under this seed. Make it likelier (an earlier \
                 fault, more load), or run more seeds."
            }
            Exit::Divergence => {
                "Chance or order came from outside the seed: a bug in windtunnel. Please report scenario, seed and both \
                 fingerprints."
            }
            Exit::Objective => {
                "Everything worked as promised, and not well enough. The summary says what was asked and what was \
                 reached; --out DIR shows when."
            }
            Exit::Crash => {
                "Please report the message with scenario and seed; the replay command leads to the same panic. Other \
                 runs of the same command are not affected."
            }
            Exit::Interrupted => {
                "Paste the command that the last lines print: of a sweep it runs the seeds that are left, of a study it goes \
                 on from the samples that are there. A second Ctrl-C stops at once and keeps nothing more."
            }
        }
    }

    /// The worse of two.
    pub(crate) fn worst(self, other: Exit) -> Exit {
        let badness = |exit| Exit::BY_BADNESS.iter().position(|e| *e == exit);
        if badness(self) >= badness(other) { self } else { other }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Passed => Exit::Passed,
            Verdict::Coverage => Exit::Coverage,
            Verdict::Objective => Exit::Objective,
            Verdict::Liveness => Exit::Liveness,
            Verdict::Safety => Exit::Safety,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_that_were_promised() {
        let table: Vec<String> = Exit::ALL.iter().map(|e| format!("{} {}", e.code(), e.name())).collect();
        let promised = [
            "0 passed",
            "1 output",
            "2 usage",
            "10 safety",
            "11 liveness",
            "12 coverage",
            "13 divergence",
            "14 objective",
            "101 crash",
            "130 interrupted",
        ];
        assert_eq!(table, promised);
    }

    #[test]
    fn a_run_and_the_process_say_the_same() {
        use Verdict::*;
        for verdict in [Passed, Coverage, Objective, Liveness, Safety] {
            let exit = Exit::from(verdict);
            assert_eq!((exit.code(), exit.name()), (verdict.exit_code(), verdict.name()));
        }
    }

    #[test]
    fn the_worst_of_many_decides() {
        use Exit::*;
        let worst = |all: &[Exit]| all.iter().copied().fold(Passed, Exit::worst);
        assert_eq!(worst(&[]), Passed);
        assert_eq!(worst(&[Passed, Coverage, Passed]), Coverage);
        assert_eq!(worst(&[Objective, Coverage]), Objective);
        assert_eq!(worst(&[Liveness, Objective, Coverage]), Liveness);
        assert_eq!(worst(&[Liveness, Divergence]), Divergence);
        assert_eq!(worst(&[Safety, Divergence, Liveness]), Safety);
        assert_eq!(worst(&[Safety, Crash, Passed]), Crash);
        assert!(Exit::ALL.iter().all(|exit| Exit::BY_BADNESS.contains(exit)), "every way to end has a rank");
    }
}
