//! Reading what criterion leaves behind: one folder a bench, with `new/benchmark.json` (what was measured),
//! `new/estimates.json` (how long it took, in nanoseconds an iteration) and `new/sample.json` (every sample of that).
//!
//! Folder names are criterion's business and are not read. A folder that lacks one of the first two files, or holds
//! something else in them, is passed over: an interrupted run leaves such folders.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// One bench as measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measurement {
    /// The group it belongs to.
    pub(crate) group: String,
    /// What was run: the function's name.
    pub(crate) function: String,
    /// How large it was, where its parameter is a number.
    pub(crate) size: Option<u64>,
    /// Elements a second (iterations a second where the bench states no throughput), by the median iteration.
    pub(crate) rate: f64,
    /// The same at both ends of the median's confidence interval, slower one first.
    pub(crate) rate_between: (f64, f64),
    /// An element in the fastest sample: in nanoseconds, or in bytes where memory was measured. The median where
    /// samples are not known.
    pub(crate) least: f64,
}

/// All benches under `folder` that were measured at `since` or later, ordered by group, size and function.
pub(crate) fn read(folder: &Path, since: SystemTime) -> Vec<Measurement> {
    let mut found = Vec::new();
    collect(folder, since, &mut found);
    found.sort_by(|a, b| (&a.group, a.size, &a.function).cmp(&(&b.group, b.size, &b.function)));
    found
}

fn collect(folder: &Path, since: SystemTime, found: &mut Vec<Measurement>) {
    let estimates = folder.join("new/estimates.json");
    let is_fresh = fs::metadata(&estimates).and_then(|m| m.modified()).is_ok_and(|at| at >= since);
    if is_fresh {
        let [benchmark, sample] = ["benchmark", "sample"].map(|name| json(&folder.join(format!("new/{name}.json"))));
        found.extend(measurement(&benchmark, &json(&estimates), &sample));
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), since, found);
        }
    }
}

fn json(path: &Path) -> Value {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}

fn measurement(benchmark: &Value, estimates: &Value, sample: &Value) -> Option<Measurement> {
    let group = benchmark["group_id"].as_str()?.to_string();
    let function = benchmark["function_id"].as_str().unwrap_or_default();
    let value = benchmark["value_str"].as_str().unwrap_or_default();
    // A bench may carry its size as the parameter (`world/1000`), or as the whole of its name (`1000`).
    let size = whole(value).or_else(|| whole(function));
    let function = if whole(function).is_some() { "" } else { function };
    let function =
        if size.is_none() && !value.is_empty() { format!("{function}/{value}") } else { function.to_string() };
    let median = &estimates["median"];
    let rate = |ns: &Value| Some(elements(&benchmark["throughput"]) * 1e9 / ns.as_f64().filter(|ns| *ns > 0.0)?);
    let interval = &median["confidence_interval"];
    let numbers = |key: &str| sample[key].as_array().into_iter().flatten().filter_map(Value::as_f64);
    let samples = numbers("times").zip(numbers("iters")).filter(|(_, iterations)| *iterations > 0.0);
    let least = samples.map(|(time, iterations)| time / iterations).reduce(f64::min);
    Some(Measurement {
        group,
        function,
        size,
        rate: rate(&median["point_estimate"])?,
        rate_between: (rate(&interval["upper_bound"])?, rate(&interval["lower_bound"])?),
        least: least.or_else(|| median["point_estimate"].as_f64())? / elements(&benchmark["throughput"]),
    })
}

/// Elements an iteration: of `{"Elements": 5}` or of `{"ElementsAndBytes": {"elements": 5, …}}`, five; otherwise one.
fn elements(throughput: &Value) -> f64 {
    let both = &throughput["ElementsAndBytes"]["elements"];
    throughput["Elements"].as_f64().or_else(|| both.as_f64()).unwrap_or(1.0)
}

/// A whole number as people write it in a bench: `1000`, `1_000`, `1,000`, `1k`, `1M`.
fn whole(text: &str) -> Option<u64> {
    let text: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ')).collect();
    let (digits, times) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => text.strip_suffix('M').map_or((text.as_str(), 1), |digits| (digits, 1_000_000)),
    };
    digits.parse::<u64>().ok()?.checked_mul(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn estimates(ns: f64) -> Value {
        let interval = json!({"confidence_level": 0.95, "lower_bound": ns * 0.8, "upper_bound": ns * 1.25});
        json!({"median": {"point_estimate": ns, "confidence_interval": interval}})
    }

    fn read_one(function: Value, value: Value, throughput: Value) -> Measurement {
        let benchmark = json!({
            "group_id": "study", "function_id": function, "value_str": value, "throughput": throughput
        });
        measurement(&benchmark, &estimates(2_000.0), &Value::Null).unwrap()
    }

    #[test]
    fn a_bench_is_its_group_its_function_and_its_size() {
        let plain = read_one(json!("world"), json!("10000"), json!({"Elements": 100}));
        assert_eq!((plain.function.as_str(), plain.size), ("world", Some(10_000)));
        assert_eq!(plain.rate, 50_000_000.0);
        assert_eq!(plain.rate_between, (40_000_000.0, 62_500_000.0));

        let by_parameter = read_one(Value::Null, json!("1M"), Value::Null);
        assert_eq!((by_parameter.function.as_str(), by_parameter.size), ("", Some(1_000_000)));
        assert_eq!(by_parameter.rate, 500_000.0, "without a throughput, iterations are counted");

        let by_name = read_one(json!("100k"), Value::Null, json!({"ElementsAndBytes": {"elements": 2, "bytes": 9}}));
        assert_eq!((by_name.function.as_str(), by_name.size, by_name.rate), ("", Some(100_000), 1_000_000.0));

        let no_size = read_one(json!("pick"), json!("zipf"), Value::Null);
        assert_eq!((no_size.function.as_str(), no_size.size), ("pick/zipf", None));
    }

    #[test]
    fn the_least_is_that_of_the_fastest_sample() {
        let benchmark = json!({"group_id": "lookup", "function_id": "ring/ours", "throughput": {"Elements": 10}});
        let sample = json!({"iters": [2.0, 4.0, 0.0], "times": [300.0, 400.0, 1.0]});
        let least = |sample: &Value| measurement(&benchmark, &estimates(2_000.0), sample).unwrap().least;
        assert_eq!(least(&sample), 10.0);
        assert_eq!(least(&Value::Null), 200.0, "without samples it is the median");
    }

    #[test]
    fn what_is_half_written_or_strange_is_passed_over() {
        let named = json!({"group_id": "study", "function_id": "world"});
        assert_eq!(measurement(&Value::Null, &estimates(1.0), &Value::Null), None);
        assert_eq!(measurement(&named, &Value::Null, &Value::Null), None);
        assert_eq!(measurement(&named, &estimates(0.0), &Value::Null), None);
        assert!(measurement(&named, &estimates(1.0), &Value::Null).is_some());
    }
}
