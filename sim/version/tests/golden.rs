//! Versions, ranges and histories, as conversations.

use base::{Instant, ServiceId, VersionId};
use std::fmt::Write as _;
use version::{Catalogue, History, Range, Version};

#[test]
fn versions_and_ranges() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/versions.txt", |command| {
        answer(command).unwrap_or_else(|error| error)
    });
}

fn answer(command: &str) -> Result<String, String> {
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    let parse = |text: &str| text.parse::<Version>().map_err(|e| e.to_string());
    let all = |text: &str| text.split_whitespace().map(parse).collect::<Result<Vec<_>, _>>();
    match verb {
        "parse" => parse(rest).map(|v| v.to_string()),
        "order" => {
            let mut versions = all(rest)?;
            versions.sort();
            Ok(versions.iter().map(Version::to_string).collect::<Vec<_>>().join(" < "))
        }
        "admits" => {
            let (range, versions) = rest.split_once(" : ").expect("admits RANGE : VERSION…");
            let range: Range = range.parse().map_err(|e: version::RangeError| e.to_string())?;
            let verdict = |v: &Version| format!("{} {v}", if range.admits(v) { "yes" } else { "no " });
            Ok(all(versions)?.iter().map(verdict).collect::<Vec<_>>().join("\n"))
        }
        "newest" => {
            let (range, versions) = rest.split_once(" of ").expect("newest RANGE of VERSION…");
            let mut catalogue = Catalogue::new();
            for version in all(versions)? {
                catalogue.declare(ServiceId(3), version).map_err(|e| e.to_string())?;
            }
            let newest = catalogue.newest(ServiceId(3), &range.parse().expect("a range"));
            let show = |id| format!("{id} = {}", catalogue.version(ServiceId(3), id).expect("a declared version"));
            Ok(newest.map_or("none".to_string(), show))
        }
        _ => panic!("unknown command {command}"),
    }
}

#[test]
fn histories() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/history.txt", |script| {
        let mut out = String::new();
        let mut history = None;
        let version = |word: &str| VersionId(word[1..].parse().expect("a version id"));
        let number = |word: &str| word.parse::<u32>().expect("a number");
        let at = |word: &str| Instant::from_secs(word.parse().expect("seconds"));
        for line in script.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            if let ["start", v, "at", t] = words[..] {
                history = Some(History::new(version(v), at(t)));
                continue;
            }
            let history: &mut History = history.as_mut().expect("start comes first");
            let mut attempt = |made: Result<u32, version::HistoryError>| {
                if let Err(error) = made {
                    writeln!(out, "{line}: {error}").unwrap();
                }
            };
            match words[..] {
                ["deploy", v, "at", t] => attempt(history.deploy(version(v), at(t))),
                ["rollback", r, "at", t] => attempt(history.roll_back_to(number(r), at(t))),
                ["stable", t] => match history.stable_before(at(t)) {
                    Some(entry) => writeln!(out, "before {t}: {entry}").unwrap(),
                    None => writeln!(out, "before {t}: none").unwrap(),
                },
                ["previous"] => match history.previous() {
                    Some(entry) => writeln!(out, "previous: {entry}").unwrap(),
                    None => writeln!(out, "previous: none").unwrap(),
                },
                ["show"] => history.entries().iter().for_each(|e| writeln!(out, "{e}").unwrap()),
                _ => panic!("unknown command {line}"),
            }
        }
        out
    });
}
