//! One folder a study.

use super::analysis::Analysis;
use super::{Results, data};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes the report into `dir`, which is made where it is missing, and gives the paths written.
pub fn write(results: &Results, dir: &Path) -> io::Result<Vec<PathBuf>> {
    let analysis = Analysis::of(results);
    fs::create_dir_all(dir.join("data"))?;
    let mut paths = vec![dir.join("study.json")];
    fs::write(&paths[0], serde_json::to_string_pretty(&data::object(&analysis))? + "\n")?;
    for (name, sheet) in data::sheets(&analysis) {
        let path = dir.join(format!("data/{name}.csv"));
        fs::write(&path, sheet.text())?;
        paths.push(path);
    }
    Ok(paths)
}
