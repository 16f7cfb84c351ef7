//! A study's results as text, JSON and files.

use super::{Measure, Results};
use crate::csv::{self, Sheet};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// What a person reads after a study, as text that ends in a line break.
pub fn console(results: &Results, _colour: bool, _width: usize) -> String {
    let plan = &results.plan;
    let mut out = format!("  {}   {} cells   {} seeds\n", plan.name, plan.cells.len(), plan.seeds.len());
    for (i, cell) in plan.cells.iter().enumerate() {
        let mean = |m: &Measure| {
            let values = results.values(i, m);
            values.iter().map(|(_, x)| x).sum::<f64>() / values.len() as f64
        };
        let numbers: Vec<String> =
            measures(results).iter().map(|m| format!("{m} {}", m.unit().cell(mean(m)))).collect();
        let said = cell.unstable.map_or(numbers.join("   "), |rho| format!("unstable (load {rho:.2}), not run"));
        out.push_str(&format!("    {}   {said}\n", cell.key));
    }
    out
}

fn measures(results: &Results) -> Vec<Measure> {
    let compared = results.plan.comparison.iter().flat_map(|c| c.measures.iter().cloned());
    let mut all: Vec<Measure> = Vec::new();
    for measure in compared.chain(results.plan.measures.iter().cloned()) {
        if !all.contains(&measure) {
            all.push(measure);
        }
    }
    all
}

/// The results as one JSON object.
pub fn json(results: &Results) -> Value {
    let cells: Vec<Value> = (0..results.plan.cells.len())
        .map(|i| {
            let samples: Vec<Value> = results
                .of(i)
                .map(
                    |(seed, sample)| json!({"seed": results.plan.seeds[seed].to_string(), "measures": sample.measures}),
                )
                .collect();
            json!({"key": results.plan.cells[i].key, "unstable": results.plan.cells[i].unstable, "samples": samples})
        })
        .collect();
    json!({"study": results.plan.name, "title": results.plan.title, "cells": cells})
}

/// Writes the report into `dir`, which is made where it is missing, and gives the paths written.
pub fn write(results: &Results, dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir.join("data"))?;
    let mut sheet = Sheet::new(["cell", "seed", "measure", "value"]);
    for ((cell, seed), sample) in &results.samples {
        for (name, value) in &sample.measures {
            let seed = results.plan.seeds[*seed].to_string();
            sheet.row([&results.plan.cells[*cell].key, &seed, name, &csv::number(*value)]);
        }
    }
    let paths = [dir.join("data/samples.csv"), dir.join("study.json")];
    fs::write(&paths[0], sheet.text())?;
    fs::write(&paths[1], serde_json::to_string_pretty(&json(results))?)?;
    Ok(paths.into())
}
