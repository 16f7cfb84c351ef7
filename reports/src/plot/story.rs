//! What happened when: the phases of a run and the marks on its time axis, for every picture over time.

use world::outcome::{Outcome, Phases, Verdict};

/// Phases and marks.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    phases: Phases,
    /// In order of time.
    pub(super) marks: Vec<Mark>,
}

/// What the strip above a plot names: a fault, or where an `always` was first broken. Times are in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) from: f64,
    pub(crate) until: f64,
    pub(crate) name: String,
    pub(crate) broken: bool,
}

impl Story {
    /// The story of a run.
    pub(crate) fn of(outcome: &Outcome) -> Story {
        let faults = outcome.faults.iter().map(|f| Mark {
            from: f.from.as_secs_f64(),
            until: f.until.as_secs_f64(),
            name: f.name.clone(),
            broken: false,
        });
        // Other failures are found out at the end, which is no place in the story.
        let failure = outcome.failure.iter().filter(|f| f.verdict == Verdict::Safety).map(|f| {
            let at = f.at.as_secs_f64();
            Mark { from: at, until: at, name: f.name.clone(), broken: true }
        });
        Story::with(outcome.run.phases, failure.chain(faults).collect())
    }

    /// A story of these marks.
    pub(crate) fn with(phases: Phases, mut marks: Vec<Mark>) -> Story {
        marks.sort_by(|a, b| a.from.total_cmp(&b.from));
        Story { phases, marks }
    }

    /// Where warm-up, storm and calm end, in seconds.
    pub(super) fn boundaries(&self) -> [f64; 3] {
        let p = self.phases;
        [p.warmup, p.warmup + p.storm, p.total()].map(|d| d.as_secs_f64())
    }
}
