//! What is kept of one run: its measures, and as much of its shape as plots need.
//!
//! A sample is a hundredth of the size of the run and reads back from JSON as equal bits, so that a study can stop and
//! go on, and shards made on several machines merge into the report that one machine would have written.

use super::latencies::Latencies;
use crate::measure::Measure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run of one cell under one seed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The run's fingerprint, 16 hex digits; empty where no world was run.
    #[serde(default)]
    pub fingerprint: String,
    /// How the run ended, by the name of its exit code; empty where no world was run.
    #[serde(default)]
    pub verdict: String,
    /// What the run did not keep; none when it passed, or where no world was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Number of calls behind the latencies, or of keys behind the balance.
    pub count: u64,
    /// Number of calls that had not ended when the run had: their latencies are their ages, lower bounds.
    #[serde(default)]
    pub unfinished: u64,
    /// The numbers, by [`Measure::name`]. All are finite.
    pub measures: BTreeMap<String, f64>,
    /// The latencies of the measured part.
    pub latency: Latencies,
    /// Requests that each instance took in during the measured part, by name, in order of creation.
    #[serde(default)]
    pub taken: Vec<(String, u64)>,
    /// Requests at each instance over time, for the heat map. Kept of the first seed only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
    /// Instances that were busy nearly all the time and had longer queues later than earlier.
    #[serde(default)]
    pub swamped: Vec<Swamped>,
    /// The run over time.
    #[serde(default)]
    pub series: Series,
    /// The faults, as windows on the time axis.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Keys per backend, from the fullest to the emptiest, over the mean, thinned to at most [`Sample::BACKENDS`].
    #[serde(default)]
    pub backends: Vec<f64>,
}

/// What a run did not keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The invariant or objective.
    pub name: String,
    /// When it was first seen, in nanoseconds.
    pub at_ns: u64,
    /// What was seen at that moment.
    pub message: String,
}

/// Requests waiting or being served at each instance, over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heat {
    /// The length of a column, in nanoseconds.
    pub step_ns: u64,
    /// Names of the instances, the rows.
    pub names: Vec<String>,
    /// Requests at the end of each column, per row.
    pub rows: Vec<Vec<u32>>,
}

/// The run over time, in equal steps from the beginning of warm-up. Every vector has as many entries as there are
/// steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// The length of a step, in nanoseconds.
    pub step_ns: u64,
    /// Requests that arrived.
    pub arrived: Vec<u32>,
    /// Requests that ended well.
    pub succeeded: Vec<u32>,
    /// Requests that ended badly.
    pub failed: Vec<u32>,
    /// Mean latency of the requests that ended in the step, in nanoseconds; zero when none did.
    pub mean_ns: Vec<u64>,
    /// Median latency of those requests, in nanoseconds.
    pub p50_ns: Vec<u64>,
    /// 99th percentile of their latency, in nanoseconds.
    pub p99_ns: Vec<u64>,
    /// Requests at the service's instances at the end of the step, all together.
    pub queued: Vec<u32>,
    /// Requests at the fullest instance at the end of the step.
    pub longest: Vec<u32>,
}

/// An instance whose queue may grow without end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swamped {
    /// The instance.
    pub instance: String,
    /// Requests it took in during the measured part.
    pub taken: u64,
    /// Requests waiting or being served at it, mean over the first half of the measured part.
    pub first: f64,
    /// As `first`, over the second half.
    pub second: f64,
}

/// A fault, as a window on the time axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name.
    pub name: String,
    /// When it began, in nanoseconds.
    pub from_ns: u64,
    /// When its cause was gone, in nanoseconds.
    pub until_ns: u64,
}

impl Sample {
    /// More backends than this are thinned in [`Sample::backends`].
    pub const BACKENDS: usize = 256;
    /// More instances than this are not kept in a heat map; the first ones are.
    pub const ROWS: usize = 200;
    /// More columns than this are thinned in a heat map.
    pub const COLUMNS: usize = 250;

    /// The same without its heat map, as it is kept of all seeds but the first.
    pub fn without_heat(self) -> Sample {
        Sample { heat: None, ..self }
    }

    /// The number of a measure; none where the run does not have it.
    pub fn measure(&self, measure: &Measure) -> Option<f64> {
        match measure {
            Measure::ShareOf(name) => {
                let total: u64 = self.taken.iter().map(|(_, n)| n).sum();
                let own = self.taken.iter().find(|(instance, _)| instance == name)?.1;
                (total > 0).then(|| own as f64 / total as f64)
            }
            fixed => self.measures.get(&fixed.name()).copied(),
        }
    }

    /// Notes a number. One that is not finite is left out.
    pub fn set(&mut self, measure: Measure, value: f64) {
        if value.is_finite() {
            self.measures.insert(measure.name(), value);
        }
    }

    /// One line of JSON, without a line break. Equal samples give equal text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, finite numbers and maps with string keys only")
    }

    /// What [`Sample::to_json`] wrote, with equal bits. The error is a sentence about the text; nothing else happened.
    pub fn from_json(text: &str) -> Result<Sample, String> {
        let sample: Sample = serde_json::from_str(text).map_err(|e| format!("this is no sample of a study: {e}"))?;
        sample.latency.check().map_err(|why| format!("this is no sample of a study: {why}"))?;
        Ok(sample)
    }
}
