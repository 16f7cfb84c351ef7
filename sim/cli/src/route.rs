//! `windtunnel route`: what a strategy chooses, without a simulation.
//!
//! Hosts and keys come from files, exactly as they are hashed, so that the published vectors of other projects can be
//! fed straight in. Nothing is printed before everything was read and found right.

pub(crate) mod input;
pub(crate) mod structure;

use crate::args::{KeyHash, RouteArgs};
use crate::console::{Console, count, counted, plain};
use crate::exit::Exit;
use crate::stop::Stop;
use crate::suggest::nearest;
use base::{InstanceId, Instant, Seed};
use std::io::{self, Write};
use std::path::Path;
use world::balancer::hashing::{Asked, Backend, Change, Dump, HashFunction, Kind, ListedStructure, TooLarge};
use world::balancer::strategy::catalogue;
use world::balancer::{Balancer, Host, Request, Strategy};

/// Most scores of hosts for keys: some ten seconds.
const SCORES_MAX: f64 = 1e10;

/// What was asked and what came out.
struct Answer<'a> {
    strategy: &'a str,
    backends: &'a [Backend],
    /// Whether weights play a part.
    weighted: bool,
    /// What each choice was made for, and what to call that.
    asked: Vec<String>,
    /// The hash of each, where they are to be shown.
    hashes: Option<Vec<u64>>,
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
    let by_weight = backends.iter().any(|one| one.weight > 1);
    if !weighted && by_weight {
        console.note(&format!("warning: {name} knows no weights; those of the hosts play no part\n"));
    }
    if !picks && args.balance_factor.is_none() && backends.iter().any(|one| one.active > 0) {
        let said = "requests under way play no part without --balance-factor";
        console.note(&format!("warning: {said}\n"));
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
    let names: Vec<&str> = catalogue::by_key().into_iter().chain(pickers).collect();
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
    let by_key: &[&str] = &catalogue::by_key();
    let flags = [
        ("--keys", args.keys.is_some(), by_key),
        ("--hashes", args.hashes.is_some(), by_key),
        ("--hash", args.hash.is_some(), by_key),
        ("--without", args.without.is_some(), by_key),
        ("--with", args.with.is_some(), by_key),
        ("--show-hash", args.show_hash, by_key),
        ("--attempt", args.attempt.is_some(), by_key),
        ("--dump", args.dump, &structure::DUMPED),
        ("--seed", args.seed.is_some() && !picks, &[]),
        ("--start", args.start.is_some() && !picks, &[]),
    ];
    let parameters = structure::FLAGS.map(|flag| (flag.name, (flag.is_given)(args), flag.of));
    let flags = flags.into_iter().chain(parameters);
    for (flag, given, known) in flags {
        if !given || known.contains(&name) {
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
    if args.hash.is_some() && args.keys.is_none() && !["ring", "karger", "multi_probe"].contains(&name) {
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
    // Zero is a weight that is not known, to whoever knows such weights; to others it is a host that gets nothing.
    let knows_zero = strategy == Strategy::STATIC_STRIDE;
    let listed: Vec<usize> = (0..backends.len()).filter(|index| knows_zero || backends[*index].weight > 0).collect();
    let host = |index: &usize| Host { instance: InstanceId(*index as u32), weight: backends[*index].weight };
    let hosts: Vec<Host> = listed.iter().map(host).collect();
    let now = Instant::ZERO;
    let mut balancer = Balancer::new(strategy, Seed(args.seed.unwrap_or(0)).stream("route/balancer"));
    if let Some(start) = args.start
        && !balancer.start_at(start)
    {
        let starting: Vec<&str> = catalogue::all()
            .iter()
            .filter(|info| Balancer::new(Strategy::of(info), Seed(0).stream("route/balancer")).start_at(0))
            .map(|info| info.name)
            .collect();
        let stop = Stop::usage(format!("--start means nothing to {}", args.strategy));
        return Err(stop.help(format!("schedules that begin at random are those of {}", starting.join(", "))));
    }
    balancer.update(now, &hosts);
    for (place, index) in listed.iter().enumerate() {
        (0..backends[*index].active).for_each(|_| balancer.started(place));
    }
    let mut choose = |nth| {
        let Some(place) = balancer.pick(now, Request::default()) else {
            let said = format!("after {nth} picks every backend has as much as it may have, and nothing ends here");
            return Err(Stop::usage(said).help(format!("--picks {nth}")));
        };
        balancer.started(place);
        Ok(listed[place])
    };
    let picks = args.picks.unwrap_or(0);
    Ok(Answer {
        strategy: &args.strategy,
        backends,
        weighted,
        asked: (1..=picks).map(|n| n.to_string()).collect(),
        hashes: None,
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
    let (keys, numbers) = (args.keys.as_ref(), args.hashes.as_ref());
    let keys: Vec<Vec<u8>> = keys.map(|path| input::keys(path)).transpose()?.unwrap_or_default();
    let numbers: Vec<u64> = numbers.map(|path| input::hashes(path)).transpose()?.unwrap_or_default();
    let asked: Vec<Asked<'_>> = match args.hashes {
        None => keys.iter().map(|key| Asked::Key(key, function)).collect(),
        Some(_) => numbers.iter().map(|hash| Asked::Hash(*hash)).collect(),
    };
    let hashes: Vec<u64> = asked.iter().map(|asked| asked.hash()).collect();
    if let Some(warning) = out_of_reach(kind, function, &hashes) {
        console.note(&warning);
    }
    let counted = backends.iter().filter(|one| one.weight > 0).count();
    if matches!(kind, Kind::Rendezvous) && counted as f64 * asked.len() as f64 > SCORES_MAX {
        let said = format!("{counted} hosts scored for each of {} keys take too long", asked.len());
        return Err(Stop::usage(said).help("fewer keys at a time"));
    }
    let mut built = ListedStructure::build(kind, backends, args.balance_factor).map_err(too_large)?;
    let attempt = args.attempt.unwrap_or(0);
    let choices: Vec<usize> = asked.iter().map(|asked| built.lookup(*asked, attempt)).collect();
    let dump = if args.dump { built.dump() } else { None };
    let change = match change {
        None => None,
        Some(change) => {
            let after = built.after(&change, kind, backends, &asked).map_err(too_large)?;
            let moved = choices.iter().zip(&after).filter(|(before, after)| before != after).count();
            let ideal = asked.len() as f64 * part(&change, weighted, backends);
            Some(Changed { change, choices: after, moved, ideal })
        }
    };
    let names = asked.iter().map(|asked| match asked {
        Asked::Key(key, _) => cell(&String::from_utf8_lossy(key)),
        Asked::Hash(hash) => hash.to_string(),
    });
    Ok(Answer {
        strategy: name,
        backends,
        weighted,
        what: if args.hashes.is_some() { "hash" } else { "key" },
        asked: names.collect(),
        hashes: args.show_hash.then_some(hashes),
        choices,
        dump,
        change,
    })
}

fn too_large((said, help): TooLarge) -> Stop {
    Stop::usage(said).help(help)
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
    if weighted { f64::from(one.weight) } else { f64::from(one.weight.min(1)) }
}

/// The part of all keys that belongs to the host that leaves or comes, by weight.
fn part(change: &Change, weighted: bool, backends: &[Backend]) -> f64 {
    let total: f64 = backends.iter().map(|one| weight(one, weighted)).sum();
    match change {
        Change::Without(index) => weight(&backends[*index], weighted) / total,
        Change::With(one) => weight(one, weighted) / (total + weight(one, weighted)),
    }
}

/// A name as a table shows it: a long one by its beginning, since a column of 70,000 characters shows nothing at all.
fn cell(name: &str) -> String {
    const MOST: usize = 100;
    let text = plain(name);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

impl Answer<'_> {
    /// One object in one line.
    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let hosts: Vec<&str> = self.backends.iter().map(|one| one.host.as_str()).collect();
        let mut object = serde_json::json!({"strategy": self.strategy, "backends": hosts, "choices": self.choices});
        // A number of JSON holds 53 bits of a hash in many programs.
        if let Some(hashes) = &self.hashes {
            object["hashes"] = hashes.iter().map(u64::to_string).collect();
        }
        match &self.dump {
            Some(Dump::Table(table)) => object["table"] = table.as_slice().into(),
            Some(Dump::Ring(ring)) => {
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
            (_, Some(one)) => cell(&one.host),
            (Some(Changed { change: Change::With(one), .. }), None) => cell(&one.host),
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
            let hash = |shown: &dyn Fn(&[u64]) -> String| self.hashes.as_deref().map_or(String::new(), shown);
            writeln!(out, "  {:<width$}  {}host", self.what, hash(&|_| format!("{:>20}  ", "hash")))?;
            for (i, (asked, choice)) in self.asked.iter().zip(&self.choices).enumerate() {
                let hash = hash(&|hashes| format!("{:>20}  ", hashes[i]));
                write!(out, "  {asked:<width$}  {hash}{}", host(*choice))?;
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
        let names: Vec<String> = self.backends.iter().map(|one| cell(&one.host)).collect();
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
