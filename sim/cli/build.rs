//! A hash of the sources that a run is made of, so that a sample which another state of the program left behind is not
//! taken for one of this.
//!
//! It covers every source that decides what a run or a hashing structure comes to and what is kept of it, and the
//! version and checksum of every outside crate that those are built of, as Cargo.lock has them. It depends on nothing
//! else: debug and release builds, and builds on several machines, have the same. Line ends do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folders whose Rust files count, all of them, and single files; relative to the workspace. `scenarios` is not among
/// them: what a cell lowers to is part of a sample's identity by itself. Nor are the statistics of `study`: what is
/// concluded from samples changes none.
const SOURCES: [&str; 14] = [
    "sim/base/src",
    "sim/kernel/src",
    "sim/registry/src",
    "sim/coordination/src",
    "sim/balancer/src",
    "sim/traffic/src",
    "sim/version/src",
    "sim/rollout/src",
    "sim/telemetry/src",
    "sim/world/src",
    "sim/study/src/sample",
    "sim/study/src/measure.rs",
    "sim/study/src/hashing.rs",
    "sim/cli/src/compare/items.rs",
];

/// The crate from which everything that a run is built of can be reached.
const ROOT: &str = "world";

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the folder of the crate"));
    let workspace = crate_folder.ancestors().nth(2).expect("the crate lies two folders below the workspace");
    let mut hash = Hash::default();
    for source in SOURCES {
        let place = workspace.join(source);
        println!("cargo:rerun-if-changed={}", place.display());
        let mut files = Vec::new();
        rust_files(&place, &mut files)?;
        assert!(!files.is_empty(), "{}: there is no source", place.display());
        // By their paths in the workspace, with slashes, so that the order is the same on every system.
        let name =
            |path: &Path| path.strip_prefix(workspace).expect("it lies in there").to_string_lossy().replace('\\', "/");
        let mut files: Vec<(String, PathBuf)> = files.into_iter().map(|path| (name(&path), path)).collect();
        files.sort();
        for (name, path) in files {
            hash.text(&name);
            hash.text(&fs::read_to_string(path)?.replace("\r\n", "\n"));
        }
    }
    let lock = workspace.join("Cargo.lock");
    println!("cargo:rerun-if-changed={}", lock.display());
    println!("cargo:rerun-if-changed=build.rs");
    for dependency in outside_crates(&fs::read_to_string(lock)?.replace("\r\n", "\n")) {
        hash.text(&dependency);
    }
    println!("cargo:rustc-env=WINDTUNNEL_SOURCES={:016x}", hash.0);
    Ok(())
}

fn rust_files(place: &Path, out: &mut Vec<PathBuf>) -> io::Result<()> {
    if place.is_file() {
        out.push(place.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "rs") {
            rust_files(&path, out)?;
        }
    }
    Ok(())
}

/// Name, version and checksum of every crate that [`ROOT`] is built of and that comes from elsewhere, in order.
///
/// A package's list also has what only its tests need; those of our own crates therefore count too, which at worst runs
/// a sample again without need.
fn outside_crates(lock: &str) -> BTreeSet<String> {
    let mut packages: BTreeMap<&str, Vec<Package<'_>>> = BTreeMap::new();
    for block in lock.split("[[package]]\n").skip(1) {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map_or("", |value| value.trim_matches('"'))
        };
        let listed = block.split_once("dependencies = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or(""));
        let dependencies =
            listed.lines().map(|line| line.trim().trim_matches([',', '"'])).filter(|line| !line.is_empty());
        packages.entry(value("name")).or_default().push(Package {
            version: value("version"),
            checksum: value("checksum"),
            dependencies: dependencies.collect(),
        });
    }
    assert!(packages.contains_key(ROOT), "Cargo.lock has no package `{ROOT}`");
    let mut seen = BTreeSet::new();
    let mut left = vec![ROOT];
    let mut out = BTreeSet::new();
    while let Some(written) = left.pop() {
        if !seen.insert(written) {
            continue;
        }
        // `name`, or `name version` where there are several of the name.
        let (name, version) = written.split_once(' ').unwrap_or((written, ""));
        let version = version.split(' ').next().unwrap_or("");
        for package in packages.get(name).into_iter().flatten().filter(|p| version.is_empty() || p.version == version) {
            if !package.checksum.is_empty() {
                out.insert(format!("{name} {} {}", package.version, package.checksum));
            }
            left.extend(&package.dependencies);
        }
    }
    out
}

/// A package of Cargo.lock.
struct Package<'a> {
    version: &'a str,
    /// Empty for a crate of this workspace.
    checksum: &'a str,
    dependencies: Vec<&'a str>,
}

/// FNV-1a with 64 bits: it is to tell states of the program apart, and nobody tries to deceive it.
struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// A text, and its end.
    fn text(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
