//! The figures of many seeds: drawn in parallel, kept while they come, summed up in a row.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a full exploration is told.
pub(crate) struct Soak {
    pub(crate) seeds: u64,
    jobs: usize,
    folder: Option<PathBuf>,
}

impl Soak {
    /// A small one: so many seeds, one thread, nothing kept.
    pub(crate) fn small(seeds: u64) -> Self {
        Soak { seeds, jobs: 1, folder: None }
    }

    /// What the environment says, and `seeds` where it says nothing.
    pub(crate) fn of_environment(seeds: u64) -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name} is a whole number, not `{text}`")))
        };
        Soak {
            seeds: number("SOAK_SEEDS").unwrap_or(seeds),
            jobs: number("SOAK_JOBS").map_or(1, |jobs| jobs.max(1) as usize),
            folder: std::env::var_os("SOAK_FOLDER").map(PathBuf::from),
        }
    }

    /// The figure of each seed below `seeds`, in their order. What stands in the folder under `name` for the same
    /// `input` is not drawn again, once the first of it has been seen to come out as it stands there. What is no number
    /// is kept nowhere: it is drawn again when the exploration goes on.
    pub(crate) fn figures(&self, name: &str, input: &str, figure: impl Fn(u64) -> f64 + Sync) -> Vec<f64> {
        let path = self.folder.as_ref().map(|folder| folder.join(format!("{name}.tsv")));
        let known = path.as_deref().map(|path| read(path, input)).unwrap_or_default();
        if let Some((&seed, &kept)) = known.first_key_value() {
            let (now, path) = (figure(seed), path.as_deref().unwrap_or(Path::new("")).display());
            assert!(now == kept, "{path} holds another build's figures (seed {seed}: {kept}, now {now}): remove it");
        }
        let file = path.as_deref().map(|path| Mutex::new(append(path, input)));
        let (next, all) = (AtomicU64::new(0), Mutex::new(known));
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= self.seeds {
                            return;
                        }
                        if all.lock().expect("nobody panicked").contains_key(&seed) {
                            continue;
                        }
                        let value = figure(seed);
                        if let (Some(file), false) = (&file, value.is_nan()) {
                            let mut file = file.lock().expect("nobody panicked");
                            writeln!(file, "{seed}\t{value:?}").expect("the folder can be written");
                        }
                        all.lock().expect("nobody panicked").insert(seed, value);
                    }
                });
            }
        });
        let all = all.into_inner().expect("nobody panicked");
        all.range(..self.seeds).map(|(_, &value)| value).collect()
    }
}

impl Soak {
    /// Keeps a text in the folder under a name of its own, if there is a folder.
    pub(crate) fn keep(&self, name: &str, text: &str) {
        if let Some(folder) = &self.folder {
            fs::create_dir_all(folder).expect("the folder can be made");
            fs::write(folder.join(name), text).expect("the folder can be written");
        }
    }
}

/// What was kept of this input. A last line that was not written to its end counts for nothing.
fn read(path: &Path, input: &str) -> BTreeMap<u64, f64> {
    let Ok(file) = File::open(path) else { return BTreeMap::new() };
    let mut lines = BufReader::new(file).lines().map_while(Result::ok);
    if lines.next().as_deref() != Some(heading(input).as_str()) {
        return BTreeMap::new();
    }
    lines
        .filter_map(|line| {
            Some(line.split_once('\t')).flatten().and_then(|(s, v)| Some((s.parse().ok()?, v.parse().ok()?)))
        })
        .collect()
}

/// The file to go on with; a new one when it holds nothing of this input.
fn append(path: &Path, input: &str) -> File {
    let fits = fs::read_to_string(path).is_ok_and(|text| text.lines().next() == Some(heading(input).as_str()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).expect("the folder can be made");
    }
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .append(fits)
        .truncate(!fits)
        .open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if !fits {
        writeln!(file, "{}", heading(input)).expect("the folder can be written");
    } else if fs::read(path).is_ok_and(|bytes| bytes.last() != Some(&b'\n')) {
        writeln!(file).expect("the folder can be written");
    }
    file
}

fn heading(input: &str) -> String {
    let mut fold = base::Fingerprint::EMPTY;
    fold.fold_text(input);
    format!("# figures by seed of {fold}")
}

/// What many figures come to.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) mean: f64,
    /// Of one figure.
    pub(crate) deviation: f64,
}

impl Summary {
    pub(crate) fn of(figures: &[f64]) -> Self {
        let n = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / n;
        let squares: f64 = figures.iter().map(|x| (x - mean) * (x - mean)).sum();
        Summary {
            count: figures.len(),
            least: figures.iter().copied().fold(f64::INFINITY, f64::min),
            most: figures.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            mean,
            deviation: (squares / (n - 1.0)).sqrt(),
        }
    }

    /// A row of the table.
    pub(crate) fn row(&self, name: &str, expected: &str) -> String {
        let Summary { count, least, most, mean, deviation } = self;
        let error = deviation / (*count as f64).sqrt();
        format!("| {name} | {count} | {least:.2} | {mean:.2} ± {error:.2} | {deviation:.2} | {most:.2} | {expected} |")
    }
}

#[test]
fn an_exploration_that_was_stopped_goes_on() {
    let folder = std::env::temp_dir().join(format!("windtunnel-soak-{}", std::process::id()));
    let drawn = AtomicU64::new(0);
    let figure = |seed: u64| {
        drawn.fetch_add(1, Ordering::Relaxed);
        seed as f64 / 3.0
    };
    let soak = |seeds| Soak { seeds, jobs: 2, folder: Some(folder.clone()) };
    let few = soak(5).figures("thirds", "a", figure);
    let path = folder.join("thirds.tsv");
    // Torn in the middle of a line.
    let torn =
        fs::read_to_string(&path).expect("it was kept").trim_end().rsplit_once('\t').expect("lines").0.to_string();
    fs::write(&path, torn).expect("a file");
    let more = soak(9).figures("thirds", "a", figure);
    assert_eq!((few.len(), &more[..5]), (5, &few[..]));
    assert_eq!(
        drawn.load(Ordering::Relaxed),
        5 + 1 + 5,
        "one again to see that it is the same, the torn one, and four more"
    );
    assert_eq!(soak(9).figures("thirds", "b", figure).len(), 9, "another input begins anew");
    fs::remove_dir_all(folder).expect("a folder");
}
