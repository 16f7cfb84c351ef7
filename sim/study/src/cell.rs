//! One combination of the points of a study's axes, and what is known of it before it runs.

use world::outcome::Phases;

/// One cell of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The point of each axis, by its zero-based place.
    pub at: Vec<usize>,
    /// A name that is safe in file names, unique in the study, and the same in every run of it.
    pub key: String,
    /// The offered utilization of the measured service, where it is known; the greatest under any seed of the study.
    /// 1 is all that its instances can do. Closed users wait for their answers and do not count.
    pub utilization: Option<f64>,
    /// Whether something bounds its queues, or how long callers wait in them, at any load: a limit of the queue, a
    /// timeout, a limit of what callers have under way.
    pub bounded: bool,
    /// The phases of its runs; all zero where no world is run.
    pub phases: Phases,
    /// The mean service time in milliseconds, the unit of time of theory's curves; where it is known and the same for
    /// all instances.
    pub service_ms: Option<f64>,
    /// Instances of the measured service times requests that each serves at once; for hashing, backends.
    pub servers: u32,
}

impl Cell {
    /// Whether open loads bring more work than can be done.
    pub fn is_overloaded(&self) -> bool {
        self.utilization.is_some_and(|rho| rho >= 1.0)
    }

    /// The offered utilization of a cell that is overloaded and that nothing bounds. Such a cell is not run, because
    /// its queues grow without end and every figure would only say for how long.
    pub fn unstable(&self) -> Option<f64> {
        self.utilization.filter(|_| self.is_overloaded() && !self.bounded)
    }

    /// Whether the cell is left out of the runs: see [`Cell::unstable`].
    pub fn is_unstable(&self) -> bool {
        self.unstable().is_some()
    }
}
