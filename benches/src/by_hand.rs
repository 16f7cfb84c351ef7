//! Figures that criterion cannot take, left where it leaves its own and in its words, so that one reader serves both.
//!
//! Criterion wants ten samples of everything and knows no unit but time. What takes seconds is timed a few times only,
//! and memory is counted once; both are written as a bench of the same group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Leaves `values`, one for each time it was measured, as the bench `group/function/size`: nanoseconds, or bytes.
/// Panics when there are none.
pub fn leave(group: &str, function: &str, size: usize, values: &[f64]) -> io::Result<()> {
    let least = values.iter().copied().reduce(f64::min).expect("something was measured");
    // Criterion's name for the folder of a function, so that whichever measures last is what stands there.
    let folder = home().join(group).join(function.replace('/', "_")).join(size.to_string()).join("new");
    fs::create_dir_all(&folder)?;
    let names =
        format!(r#"{{"group_id":"{group}","function_id":"{function}","value_str":"{size}","throughput":null}}"#);
    let interval = format!(r#"{{"confidence_level":0.95,"lower_bound":{least},"upper_bound":{least}}}"#);
    let estimates = format!(r#"{{"median":{{"point_estimate":{least},"confidence_interval":{interval}}}}}"#);
    let sample = format!(r#"{{"iters":{:?},"times":{values:?}}}"#, vec![1.0; values.len()]);
    fs::write(folder.join("benchmark.json"), names)?;
    fs::write(folder.join("sample.json"), sample)?;
    fs::write(folder.join("estimates.json"), estimates)
}

/// Where criterion leaves its figures, by its own rules.
fn home() -> PathBuf {
    let target = || std::env::var_os("CARGO_TARGET_DIR").map(|target| PathBuf::from(target).join("criterion"));
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/criterion");
    std::env::var_os("CRITERION_HOME").map(PathBuf::from).or_else(target).unwrap_or_else(default)
}
