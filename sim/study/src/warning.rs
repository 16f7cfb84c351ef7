//! What a reader must know before trusting the figures of a study.

use crate::measure::Measure;
use base::Duration;

/// A reason to distrust some figures. Cells are zero-based places in [`Plan::cells`](crate::Plan::cells); how many of
/// them are concerned is beside one that is named as an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// Runs of the plan have no sample: the study was cut short, or other shards have them.
    Missing {
        /// How many.
        runs: usize,
        /// How many the plan asks for.
        of: usize,
    },
    /// There is one seed, so there are no intervals.
    OneSeed,
    /// Runs ended with something broken.
    Broken {
        /// How they ended, as in [`Sample::verdict`](crate::Sample::verdict).
        verdict: String,
        /// How many.
        runs: usize,
    },
    /// Latency was still moving when measuring began.
    WarmUpTooShort {
        /// The first of the cells.
        cell: usize,
        /// How many cells.
        cells: usize,
        /// How many cells were checked.
        of: usize,
    },
    /// A queue that stands alone settles more slowly than warm-up lasts, at the highest load of all stable cells.
    SlowToSettle {
        /// The load, below 1.
        utilization: f64,
        /// The time constant in seconds.
        seconds: f64,
        /// The warm-up of that cell.
        warm_up: Duration,
    },
    /// The queue of an instance grew for as long as it was measured.
    GrowingQueue {
        /// The first of the cells.
        cell: usize,
        /// How many cells.
        cells: usize,
        /// The instance in that cell whose queue grew most.
        instance: String,
    },
    /// Requests had not ended when the run had.
    Unfinished {
        /// The cell with the most such requests.
        cell: usize,
        /// How many cells.
        cells: usize,
        /// Such requests of all seeds of that cell.
        requests: u64,
    },
    /// Too few independent requests decide a measure for its interval to be trusted.
    FewRequests {
        /// The measure.
        measure: Measure,
        /// The cell with the fewest.
        cell: usize,
        /// How many cells.
        cells: usize,
        /// Effective requests in that cell.
        effective: f64,
    },
    /// More than 1 % of the requests failed, and failures count in latency with the time they took.
    Failures {
        /// In how many cells.
        cells: usize,
    },
}

impl Warning {
    /// An interval that rests on fewer effective requests than this is not trusted: in the table of coverage, 92 % and
    /// more of the intervals above it hold the truth.
    pub const FEW_REQUESTS: f64 = 5.0;
    /// The share of failed requests above which a cell is warned of.
    pub const MANY_FAILURES: f64 = 0.01;
}
