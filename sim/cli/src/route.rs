//! `windtunnel route`: what a strategy chooses, without a simulation.
//!
//! Hosts and keys come from files, exactly as they are hashed, so that the published vectors of other projects can be fed
//! straight in. Nothing is printed before everything was read and found right.

pub(crate) mod input;
pub(crate) mod structure;

use crate::args::{KeyHash, RouteArgs};
use crate::console::{Console, count, counted, plain};
use crate::exit::Exit;
use crate::stop::Stop;
use crate::suggest::nearest;
use base::{InstanceId, Instant, Seed};
use input::Backend;
use std::io::{self, Write};
use std::path::Path;
use structure::Change;
use world::balancer::hashing::{Dump, HashFunction, Kind};
use world::balancer::strategy::catalogue;
use world::balancer::{Balancer, Host, Request, Strategy};

/// What was asked and what came out.
struct Answer<'a> {
    strategy: &'a str,
    backends: &'a [Backend],
    /// Whether weights play a part.
    weighted: bool,
    /// What each choice was made for, and what to call that.
    asked: Vec<String>,
    what: &'static str,
    /// Indexes of `backends`.
    choices: Vec<usize>,
    dump: Option<Dump>,
    change: Option<Changed>,
}

/// What a change moves.
struct Changed {
    change: Change,
    /// The choices after it; a host that came has the index after all others.
    choices: Vec<usize>,
    moved: usize,
    ideal: f64,
}

/// Shows the choices.
pub(crate) fn route(args: &RouteArgs, console: &mut Console) -> Result<Exit, Stop> {
    let name = args.strategy.as_str();
    // Those that hash are asked by key, without a balancer around them.
    let Some(strategy) = Strategy::from_name(name) else { return Err(unknown(name)) };
    let picks = !strategy.info().needs.keys;
    check_flags(args, picks)?;
    let backends = input::backends(&args.backends)?;
    let weighted = strategy.info().weighted;
    if !weighted && backends.iter().any(|one| one.weight > 1) {
        console.note(&format!("warning: {name} knows no weights; those of the hosts play no part\n"));
    }
    let answer = match picks {
        true => picked(strategy, weighted, &backends, args)?,
        false => looked_up(weighted, &backends, args, console)?,
    };
    let json = console.look.json();
    console.write(|out| if json { answer.json(out) } else { answer.text(out) })?;
    Ok(Exit::Passed)
}

fn unknown(name: &str) -> Stop {
    let pickers = catalogue::all().iter().filter(|info| !info.needs.keys).map(|info| info.name);
    let names: Vec<&str> = structure::names().into_iter().chain(pickers).collect();
    let stop = Stop::usage(format!("there is no strategy `{}`", plain(name)));
    let stop = match nearest(name, names.iter().copied()) {
        Some(guess) => stop.help(format!("did you mean `{guess}`?")),
        None => stop,
    };
    stop.help(format!("strategies are: {}", names.join(", ")))
}

/// Refuses flags that mean nothing to the strategy, and says which do.
fn check_flags(args: &RouteArgs, picks: bool) -> Result<(), Stop> {
    let name = args.strategy.as_str();
    let by_key: &[&str] = &structure::names();
    let flags = [
        ("--keys", args.keys.is_some(), by_key),
        ("--hashes", args.hashes.is_some(), by_key),
        ("--hash", args.hash.is_some(), by_key),
        ("--without", args.without.is_some(), by_key),
        ("--with", args.with.is_some(), by_key),
        ("--dump", args.dump, &structure::DUMPED),
        ("--seed", args.seed.is_some() && !picks, &[]),
    ];
    let parameters = structure::FLAGS.map(|flag| (flag.name, (flag.is_given)(args), flag.of));
    let flags = flags.into_iter().chain(parameters);
    for (flag, given, known) in flags {
        if !given || known.contains(&name) || (flag == "--seed" && picks) {
            continue;
        }
        let stop = Stop::usage(format!("{flag} means nothing to {name}"));
        return Err(match known {
            [] => stop.help("chance plays no part where keys decide"),
            [_, ..] if known.len() == by_key.len() => {
                stop.help(format!("{name} chooses by pick, not by key: --picks N"))
            }
            _ => stop.help(format!("it is for {}", known.join(", "))),
        });
    }
    let has_keys = args.keys.is_some() || args.hashes.is_some();
    if !picks && args.picks.is_some() {
        return Err(Stop::usage(format!("--picks means nothing to {name}"))
            .help(format!("{name} chooses by key: --keys FILE or --hashes FILE")));
    }
    if picks && args.picks.is_none() {
        return Err(Stop::usage(format!("{name} chooses by pick: how often?")).help("--picks N"));
    }
    if !picks && !has_keys && !args.dump {
        let stop = Stop::usage(format!("{name} chooses by key: which ones?"));
        return Err(stop.help("--keys FILE, or --hashes FILE, or --dump for the table or ring itself"));
    }
    let from_stdin =
        [("--backends", Some(&args.backends)), ("--keys", args.keys.as_ref()), ("--hashes", args.hashes.as_ref())];
    let from_stdin: Vec<&str> = from_stdin
        .iter()
        .filter(|(_, path)| path.is_some_and(|path| path == Path::new("-")))
        .map(|(flag, _)| *flag)
        .collect();
    if let [first, second, ..] = from_stdin[..] {
        return Err(Stop::usage(format!("{first} and {second} cannot both be standard input")));
    }
    if args.hash.is_some() && args.keys.is_none() && !["ring", "karger"].contains(&name) {
        return Err(Stop::usage("--hash is for keys, and there are none").help("--keys FILE"));
    }
    Ok(())
}

fn picked<'a>(
    strategy: Strategy,
    weighted: bool,
    backends: &'a [Backend],
    args: &'a RouteArgs,
) -> Result<Answer<'a>, Stop> {
    let hosts: Vec<Host> =
        backends.iter().zip(0..).map(|(one, i)| Host { instance: InstanceId(i), weight: one.weight }).collect();
    let now = Instant::ZERO;
    let mut balancer = Balancer::new(strategy, Seed(args.seed.unwrap_or(0)).stream("route/balancer"));
    balancer.update(now, &hosts);
    let mut choose = |nth| {
        let Some(index) = balancer.pick(now, Request::default()) else {
            let said = format!("after {nth} picks every backend has as much as it may have, and nothing ends here");
            return Err(Stop::usage(said).help(format!("--picks {nth}")));
        };
        balancer.started(index);
        Ok(index)
    };
    let picks = args.picks.unwrap_or(0);
    Ok(Answer {
        strategy: &args.strategy,
        backends,
        weighted,
        asked: (1..=picks).map(|n| n.to_string()).collect(),
        what: "pick",
        choices: (0..picks).map(&mut choose).collect::<Result<_, _>>()?,
        dump: None,
        change: None,
    })
}

fn looked_up<'a>(
    weighted: bool,
    backends: &'a [Backend],
    args: &'a RouteArgs,
    console: &mut Console,
) -> Result<Answer<'a>, Stop> {
    let name = args.strategy.as_str();
    let kind = structure::kind(args, backends.len())?;
    let change = match (&args.without, &args.with) {
        (Some(host), _) => Some(Change::Without(input::leaver(host, backends)?)),
        (None, Some(text)) => Some(Change::With(input::comer(text, backends)?)),
        (None, None) => None,
    };
    let function = args.hash.map_or(kind.key_function(), KeyHash::function);
    let (what, asked, hashes) = if let Some(path) = &args.keys {
        let keys = input::keys(path)?;
        let hashes: Vec<u64> = keys.iter().map(|key| function.hash(key)).collect();
        ("key", keys.iter().map(|key| plain(&String::from_utf8_lossy(key))).collect(), hashes)
    } else if let Some(path) = &args.hashes {
        let hashes = input::hashes(path)?;
        ("hash", hashes.iter().map(u64::to_string).collect(), hashes)
    } else {
        ("key", Vec::new(), Vec::new())
    };
    if let Some(warning) = out_of_reach(kind, function, &hashes) {
        console.note(&warning);
    }
    let structure = structure::build(kind, backends)?;
    let choices: Vec<usize> = hashes.iter().map(|hash| structure.lookup(*hash)).collect();
    let dump = if args.dump { structure.dump() } else { None };
    let change = match change {
        None => None,
        Some(change) => {
            let after = structure::after(structure, &change, kind, backends, &hashes)?;
            let moved = choices.iter().zip(&after).filter(|(before, after)| before != after).count();
            let ideal = hashes.len() as f64 * part(&change, weighted, backends);
            Some(Changed { change, choices: after, moved, ideal })
        }
    };
    Ok(Answer { strategy: name, backends, weighted, asked, what, choices, dump, change })
}

/// What to say when points have 32 bits and hashes more: the points of `ring` and `karger` are then all below them.
fn out_of_reach(kind: Kind, function: HashFunction, hashes: &[u64]) -> Option<String> {
    if !matches!(kind, Kind::Ring { .. } | Kind::Karger { .. }) || kind.bits() == 64 {
        return None;
    }
    let above = hashes.iter().filter(|hash| **hash > u64::from(u32::MAX)).count() as u64;
    (above > 0).then(|| {
        let name = match function {
            HashFunction::Md5 => "md5",
            HashFunction::Crc32 => "crc32",
            _ => "such a function",
        };
        format!(
            "warning: points of {name} have 32 bits, and {} of {} are above them all; those have the host of the first point\n",
            count(above),
            counted(hashes.len() as u64, "hash")
        )
    })
}

fn weight(one: &Backend, weighted: bool) -> f64 {
    if weighted { f64::from(one.weight) } else { 1.0 }
}

/// The part of all keys that belongs to the host that leaves or comes, by weight.
fn part(change: &Change, weighted: bool, backends: &[Backend]) -> f64 {
    let total: f64 = backends.iter().map(|one| weight(one, weighted)).sum();
    match change {
        Change::Without(index) => weight(&backends[*index], weighted) / total,
        Change::With(one) => weight(one, weighted) / (total + weight(one, weighted)),
    }
}

impl Answer<'_> {
    /// One object in one line.
    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let hosts: Vec<&str> = self.backends.iter().map(|one| one.host.as_str()).collect();
        let mut object = serde_json::json!({"strategy": self.strategy, "backends": hosts, "choices": self.choices});
        match &self.dump {
            Some(Dump::Table(table)) => object["table"] = table.as_slice().into(),
            Some(Dump::Ring(ring)) => {
                // A number of JSON holds 53 bits of a hash in many programs.
                let point =
                    |(hash, host): &(u64, usize)| serde_json::json!({"hash": hash.to_string(), "backend": host});
                object["ring"] = ring.iter().map(point).collect();
            }
            None => {}
        }
        if let Some(changed) = &self.change {
            object["moved"] = changed.moved.into();
            object["keys"] = self.choices.len().into();
            object["ideal"] = changed.ideal.into();
        }
        serde_json::to_writer(&mut *out, &object)?;
        writeln!(out)
    }

    /// Tables: the dump, the choices, each host's share.
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let host = |index: usize| match (&self.change, self.backends.get(index)) {
            (_, Some(one)) => plain(&one.host),
            (Some(Changed { change: Change::With(one), .. }), None) => plain(&one.host),
            _ => unreachable!("{index} is no host"),
        };
        match &self.dump {
            Some(Dump::Table(table)) => {
                writeln!(out, "  {:>7}  host", "entry")?;
                table.iter().enumerate().try_for_each(|(entry, i)| writeln!(out, "  {entry:>7}  {}", host(*i)))?;
                writeln!(out)?;
            }
            Some(Dump::Ring(ring)) => {
                writeln!(out, "  {:>20}  host", "point")?;
                ring.iter().try_for_each(|(hash, i)| writeln!(out, "  {hash:>20}  {}", host(*i)))?;
                writeln!(out)?;
            }
            None => {}
        }
        if !self.choices.is_empty() {
            let width = self.asked.iter().map(|asked| asked.chars().count()).max().unwrap_or(0).max(self.what.len());
            writeln!(out, "  {:<width$}  host", self.what)?;
            for (i, (asked, choice)) in self.asked.iter().zip(&self.choices).enumerate() {
                write!(out, "  {asked:<width$}  {}", host(*choice))?;
                match self.change.as_ref().map(|changed| changed.choices[i]) {
                    Some(after) if after != *choice => writeln!(out, " → {}", host(after))?,
                    _ => writeln!(out)?,
                }
            }
            writeln!(out)?;
        }
        self.shares(out)?;
        if let Some(changed) = &self.change {
            let keys = counted(self.choices.len() as u64, "key");
            writeln!(out, "\n  moved {} of {keys}; ideal {:.1}", count(changed.moved as u64), changed.ideal)?;
        }
        Ok(())
    }

    /// How much each host has: of the choices, or without them of the table or ring.
    fn shares(&self, out: &mut dyn Write) -> io::Result<()> {
        let (noun, owners): (&str, Vec<usize>) = match &self.dump {
            Some(Dump::Table(table)) if self.choices.is_empty() => ("entries", table.clone()),
            Some(Dump::Ring(ring)) if self.choices.is_empty() => ("points", ring.iter().map(|(_, i)| *i).collect()),
            _ => (if self.what == "pick" { "picks" } else { "keys" }, self.choices.clone()),
        };
        let mut counts = vec![0_u64; self.backends.len()];
        owners.iter().for_each(|index| counts[*index] += 1);
        let total: f64 = self.backends.iter().map(|one| weight(one, self.weighted)).sum();
        let names: Vec<String> = self.backends.iter().map(|one| plain(&one.host)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
        writeln!(out, "  {:<width$}  {noun:>8}    share  by weight", "host")?;
        for ((name, count), one) in names.iter().zip(counts).zip(self.backends) {
            let share = 100.0 * count as f64 / owners.len().max(1) as f64;
            let expected = 100.0 * weight(one, self.weighted) / total;
            writeln!(out, "  {name:<width$}  {count:>8}  {share:>5.1} %    {expected:>5.1} %")?;
        }
        Ok(())
    }
}
