//! What `windtunnel route` reads: hosts, keys, hashes. A line that cannot be meant is named by its number.

use crate::console::plain;
use crate::stop::Stop;
use crate::suggest::nearest;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use world::balancer::hashing::Backend;

/// Most bytes of one file.
const BYTES_MAX: u64 = 256 << 20;

/// Most hosts of one list, as many as a study's.
const HOSTS_MAX: usize = 1_000_000;
/// Most requests that all hosts together may have under way.
const ACTIVE_MAX: u64 = 100_000_000;

/// What one line may be read as: nothing, a host, or what is wrong with it.
fn backend(line: &str) -> Result<Option<Backend>, String> {
    let mut words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    let Some(host) = words.next() else { return Ok(None) };
    let number = |word: Option<&str>, default, what: &str| match word {
        None => Ok(default),
        Some(word) => {
            word.parse().map_err(|_| format!("`{}` is no {what}: a whole number from 0 to {}", plain(word), u32::MAX))
        }
    };
    let weight = number(words.next(), 1, "weight")?;
    let active = number(words.next(), 0, "number of requests under way")?;
    match words.next() {
        None => Ok(Some(Backend { host: host.into(), weight, active })),
        Some(word) => Err(format!("`{}` is too much: a line is HOST, HOST WEIGHT or HOST WEIGHT ACTIVE", plain(word))),
    }
}

/// Reads the hosts of a file.
pub(crate) fn backends(path: &Path) -> Result<Vec<Backend>, Stop> {
    let bytes = read(path)?;
    let mut all: Vec<Backend> = Vec::new();
    let mut active = 0;
    let mut lines_by_host = std::collections::BTreeMap::new();
    for (line, number) in lines(&bytes).zip(1..) {
        let wrong = |why: String| at(path, number, &why);
        let text = std::str::from_utf8(line).map_err(|_| wrong("is not UTF-8".into()))?;
        let Some(one) = backend(text).map_err(wrong)? else { continue };
        if let Some(first) = lines_by_host.insert(one.host.clone(), number) {
            return Err(wrong(format!("`{}` is there already, in line {first}", plain(&one.host))));
        }
        if all.len() == HOSTS_MAX {
            return Err(wrong(format!("there are more than {HOSTS_MAX} hosts")));
        }
        active += u64::from(one.active);
        if active > ACTIVE_MAX {
            return Err(wrong(format!("more than {ACTIVE_MAX} requests are under way by now")));
        }
        all.push(one);
    }
    if all.is_empty() {
        let stop = Stop::usage(format!("{}: there is no host in it", shown(path)));
        return Err(stop.help("one `HOST [WEIGHT [ACTIVE]]` a line"));
    }
    if all.iter().all(|one| one.weight == 0) {
        return Err(Stop::usage(format!("{}: all hosts have weight 0, and nobody gets anything", shown(path))));
    }
    Ok(all)
}

/// The host that would come.
pub(crate) fn comer(text: &str, present: &[Backend]) -> Result<Backend, Stop> {
    let wrong = |why: &str| Stop::usage(format!("--with {}: {why}", plain(text)));
    let one =
        backend(text).map_err(|why| wrong(&why))?.ok_or_else(|| wrong("is no host").help("--with 'HOST WEIGHT'"))?;
    if present.iter().any(|other| other.host == one.host) {
        return Err(wrong("is there already"));
    }
    if one.weight == 0 {
        return Err(wrong("a host of weight 0 gets nothing, and moves no key"));
    }
    Ok(one)
}

/// The index of the host that would leave.
pub(crate) fn leaver(host: &str, present: &[Backend]) -> Result<usize, Stop> {
    let Some(index) = present.iter().position(|one| one.host == host) else {
        let stop = Stop::usage(format!("--without {}: there is no such host", plain(host)));
        return Err(match nearest(host, present.iter().map(|one| one.host.as_str())) {
            Some(guess) => stop.help(format!("did you mean `{}`?", plain(guess))),
            None => stop,
        });
    };
    if present[index].weight == 0 {
        let said = format!("--without {}: it has weight 0, and no key to give away", plain(host));
        return Err(Stop::usage(said));
    }
    if present.iter().filter(|one| one.weight > 0).count() == 1 {
        return Err(Stop::usage(format!("--without {}: nobody would be left", plain(host))));
    }
    Ok(index)
}

/// Reads the keys of a file: every line is one, as it stands, also an empty one.
pub(crate) fn keys(path: &Path) -> Result<Vec<Vec<u8>>, Stop> {
    Ok(lines(&read(path)?).map(<[u8]>::to_vec).collect())
}

/// Reads the hashes of a file.
pub(crate) fn hashes(path: &Path) -> Result<Vec<u64>, Stop> {
    let number = |(line, number): (&[u8], usize)| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        let read = match text.strip_prefix("0x") {
            Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16),
            _ => text.parse(),
        };
        read.map_err(|_| at(path, number, &format!("`{}` is no hash: a whole number of 64 bits, or 0x…", plain(text))))
    };
    lines(&read(path)?).zip(1..).map(number).collect()
}

/// The lines of a file without their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

/// All bytes of a file, or of standard input where it is called `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let source: std::io::Result<Box<dyn Read>> = match path.to_str() {
        Some("-") => Ok(Box::new(std::io::stdin())),
        _ => File::open(path).map(|file| Box::new(file) as Box<dyn Read>),
    };
    source
        .and_then(|source| source.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| Stop::usage(format!("{}: cannot be read: {error}", shown(path))))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Stop::usage(format!("{}: is larger than {} MiB", shown(path), BYTES_MAX >> 20)));
    }
    Ok(bytes)
}

fn at(path: &Path, line: usize, why: &str) -> Stop {
    Stop::usage(format!("{}:{line}: {why}", shown(path)))
}

/// How messages call a file.
pub(crate) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { plain(&path.display().to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_host_and_perhaps_a_weight() {
        let of = |host: &str, weight| Ok(Some(Backend { host: host.into(), weight, active: 0 }));
        assert_eq!(backend("10.0.0.1:80"), of("10.0.0.1:80", 1));
        assert_eq!(backend("  a#1\t4294967295  # the big one"), of("a#1", u32::MAX));
        assert_eq!([backend(""), backend("  "), backend("# a 3")], [Ok(None), Ok(None), Ok(None)]);
        assert_eq!(backend("a 0"), of("a", 0));
        assert_eq!(backend("a 2 7"), Ok(Some(Backend { host: "a".into(), weight: 2, active: 7 })));
        assert!(["a -1", "a 1.5", "a 4294967296", "a 1 b", "a 1 2 3"].iter().all(|line| backend(line).is_err()));
    }

    #[test]
    fn lines_end_as_on_any_system_and_the_last_may_lack_its_end() {
        let of = |text: &'static str| lines(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(of("a\r\n\nb"), [&b"a"[..], b"", b"b"]);
        assert_eq!(of("a\n"), of("a"));
        assert!(of("").is_empty());
    }
}
