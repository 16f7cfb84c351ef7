//! `windtunnel explain`: what a name means, wherever a person may have met it: in a scenario, in a list, in a summary,
//! as the number of a process. A name with several meanings gets all of them.

use crate::args::ExplainArgs;
use crate::console::{Console, Look, plain, wrap};
use crate::exit::Exit;
use crate::file;
use crate::list;
use crate::route::structure;
use crate::stop::Stop;
use crate::suggest::nearest;
use crate::words::{self, Word};
use scenarios::decide::{self, Engine};
use scenarios::section::fault::FaultKind;
use scenarios::section::fault::parameter::Declared;
use study::{Measure, Theory};
use world::balancer::strategy::catalogue::{self, StrategyInfo};
use world::invariant;
use world::outcome::CheckKind;
use world::roles::{self, Role};

/// One meaning of a name.
#[derive(Debug)]
struct Meaning {
    name: String,
    /// What sort of thing it is.
    what: String,
    /// Prose, a paragraph each.
    text: Vec<String>,
    /// Short facts: label and value.
    facts: Vec<(String, String)>,
    /// Lines to copy.
    example: String,
}

/// Explains a name.
pub(crate) fn explain(args: &ExplainArgs, console: &mut Console) -> Result<Exit, Stop> {
    let schema = scenarios::schema();
    let words = words::words(&schema);
    let meanings = meanings(&args.name, &words);
    if meanings.is_empty() {
        return Err(unknown(&args.name, &words));
    }
    for (i, meaning) in meanings.iter().enumerate() {
        let gap = if i > 0 && !console.look.json() { "\n" } else { "" };
        console.print(&format!("{gap}{}", meaning.shown(console.look)))?;
    }
    Ok(Exit::Passed)
}

/// All that `name` means.
fn meanings(name: &str, words: &[Word]) -> Vec<Meaning> {
    let mut found: Vec<Meaning> = Vec::new();
    found.extend(catalogue::all().iter().filter(|s| s.name == name).map(|info| strategy(info)));
    found.extend(FaultKind::from_name(name).map(fault));
    found.extend(roles::find(name).map(role));
    found.extend(invariant::find(name).map(promise));
    found.extend(file::in_library(name.strip_suffix(".toml").unwrap_or(name)).map(scenario));
    found.extend(scenarios::study::find(name.strip_suffix(".toml").unwrap_or(name)).map(study));
    found.extend(Measure::parse(name).map(|of| measure(&of)));
    found.extend(
        Theory::CATALOGUE
            .iter()
            .filter(|(theory, _)| is_theory(theory, name))
            .map(|(theory, line)| curve(theory, line)),
    );
    found.extend(decide::find(name).map(engine));
    found.extend(Exit::ALL.iter().filter(|exit| exit.name() == name || exit.code().to_string() == name).map(exit));
    // Strategies and faults are words of scenario files too, and have been explained better above.
    let mut of_words: Vec<&Word> = words.iter().filter(|word| word.name == name).collect();
    of_words.retain(|word| word.is_key || !word.places.iter().all(|place| explained_above(place)));
    of_words.sort_by_key(|word| word.is_key);
    found.extend(of_words.into_iter().map(word));
    found
}

fn explained_above(place: &str) -> bool {
    place == "fault.kind" || place == "balancer" || place.ends_with(".balancer") || place.ends_with("balancer.strategy")
}

fn strategy(info: &StrategyInfo) -> Meaning {
    let mut facts = Vec::new();
    for parameter in info.parameters {
        let flag = structure::FLAGS.iter().find(|flag| flag.sets == parameter.name && flag.of.contains(&info.name));
        let flag = flag.map(|flag| format!("; {} of route", flag.name)).unwrap_or_default();
        let text = format!("{}; {}, {} by default{flag}", parameter.summary, parameter.kind, parameter.default);
        facts.push((parameter.name.into(), text));
    }
    let weights = if info.weighted { "hosts get a share by their weight" } else { "hosts count as equals" };
    facts.extend([("weights".into(), weights.into()), ("as in".into(), info.source.into())]);
    Meaning {
        name: info.name.into(),
        what: "balancing strategy".into(),
        text: vec![sentence(info.summary), info.explanation.into()],
        facts,
        example: format!("[balancer]\nstrategy = \"{}\"", info.name),
    }
}

fn measure(measure: &Measure) -> Meaning {
    let unit = measure.unit().name();
    let mut facts = Vec::new();
    // What one instance takes is neither good nor bad.
    if !matches!(measure, Measure::ShareOf(_)) {
        facts.push(("better is".into(), if measure.higher_is_better() { "more" } else { "less" }.into()));
    }
    if !unit.is_empty() {
        facts.push(("in".into(), unit.into()));
    }
    Meaning {
        name: measure.name(),
        what: "measure of a study".into(),
        text: vec![sentence(&measure.title()), measure.counts().into()],
        facts,
        example: format!("[compare]\naxis    = \"strategy\"\nmeasure = \"{measure}\""),
    }
}

/// Whether `name` is this theory, whose number need not be there.
fn is_theory(theory: &str, name: &str) -> bool {
    theory.split(' ').next() == name.split(' ').next()
}

fn curve(theory: &str, line: &str) -> Meaning {
    Meaning {
        name: theory.into(),
        what: "curve of theory in a study's plots".into(),
        text: vec![sentence(line)],
        facts: Vec::new(),
        example: format!(
            "[[plot]]\nkind    = \"by_axis\"\nx       = \"load\"\nmeasure = \"mean\"\ntheory  = \"{theory}\""
        ),
    }
}

fn fault(kind: FaultKind) -> Meaning {
    let fact = |parameter: &Declared| {
        let default = parameter.default.map_or("required".to_string(), |default| format!("{default} by default"));
        (parameter.name.to_string(), format!("{}; {}, {default}", parameter.about, parameter.takes))
    };
    Meaning {
        name: kind.name().into(),
        what: "kind of fault".into(),
        text: vec![sentence(kind.summary())],
        facts: kind.parameters().iter().map(fact).collect(),
        example: kind.example(),
    }
}

fn role(role: &Role) -> Meaning {
    let tag = role.tag;
    Meaning {
        name: tag.into(),
        what: "role of nodes, as `what` of a fault names them".into(),
        text: vec![sentence(role.sentence)],
        facts: vec![("nodes".into(), role.nodes.into())],
        example: format!("[[fault]]\nkind  = \"pause\"\nwhat  = \"{tag}\"\nat    = \"60s\"\nlasts = \"20s\""),
    }
}

fn promise(info: invariant::Info) -> Meaning {
    let kind = match info.kind {
        CheckKind::Always => {
            "`always`: checked in every run, as events happen. Broken once, the run fails (safety, 10)."
        }
        CheckKind::Eventually => "`eventually`: must hold when calm ends, or the run fails (liveness, 11).",
        CheckKind::Sometimes => {
            "`sometimes`: must be reached at least once where a scenario names it, or the scenario tests less than it \
             claims (coverage, 12)."
        }
    };
    let named: Vec<&str> = scenarios::library().iter().filter(|e| e.text.contains(info.name)).map(|e| e.name).collect();
    let mut facts = Vec::new();
    if !named.is_empty() {
        facts.push(("named by".into(), named.join(", ")));
    }
    Meaning {
        name: info.name.into(),
        what: "invariant".into(),
        text: vec![sentence(info.sentence), kind.into()],
        facts,
        example: format!("[expect]\n{} = [\"{}\"]", info.kind.name(), info.name),
    }
}

fn scenario(entry: &scenarios::Entry) -> Meaning {
    let parsed = scenarios::parse(entry.text, entry.name).ok();
    let mut text = vec![sentence(&list::title(entry))];
    text.extend(paragraphs(&entry.about()));
    Meaning {
        name: entry.name.into(),
        what: "scenario of the library".into(),
        text,
        facts: parsed.map(|scenario| ("holds".into(), scenario.summary().to_string())).into_iter().collect(),
        example: format!("windtunnel run {}", entry.name),
    }
}

fn study(entry: &scenarios::Entry) -> Meaning {
    let mut text = vec![sentence(&scenarios::study::title(entry))];
    text.extend(paragraphs(&entry.about()));
    Meaning {
        name: entry.name.into(),
        what: "study of the library".into(),
        text,
        facts: Vec::new(),
        example: format!("windtunnel compare {} --out report", entry.name),
    }
}

/// The paragraphs of a comment: they end at an empty line, and before a line that begins with a heading such as
/// `Shows:`.
fn paragraphs(comment: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in comment.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        let is_heading = first.ends_with(':') && first.starts_with(char::is_uppercase);
        if line.trim().is_empty() || is_heading {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
    paragraphs
}

/// An engine, with the shape of a case as its schema has it, and the answer to its example.
fn engine(engine: &Engine) -> Meaning {
    let schema = engine.schema();
    let keys = words::words(&schema).into_iter().filter(|word| word.is_key);
    let mut facts: Vec<(String, String)> =
        keys.flat_map(|key| key.places.into_iter().map(move |place| (place, key.about.clone()))).collect();
    facts.sort();
    facts.push(("as in".into(), engine.source.into()));
    let answer = match engine.toml(engine.example).line {
        serde_json::Value::Array(all) => all.iter().map(|one| format!("\n# {one}")).collect(),
        one => format!("\n# {one}"),
    };
    Meaning {
        name: engine.name.into(),
        what: "engine of decide".into(),
        text: vec![
            sentence(engine.summary),
            engine.explanation.into(),
            format!("Under `decision`: {}", engine.answer),
            "A case is a table of these keys, in TOML or JSON; those without a default are required:".into(),
        ],
        facts,
        example: format!("{}\n# windtunnel decide {} case.toml{answer}", engine.example, engine.name),
    }
}

fn exit(exit: &Exit) -> Meaning {
    Meaning {
        name: format!("{} {}", exit.code(), exit.name()),
        what: "exit code".into(),
        text: vec![sentence(exit.meaning()), exit.advice().into()],
        facts: Vec::new(),
        example: String::new(),
    }
}

fn word(word: &Word) -> Meaning {
    let shown: Vec<&str> = word.places.iter().take(PLACES).map(String::as_str).collect();
    let more = word.places.len().saturating_sub(PLACES);
    let places = if more > 0 { format!("{}, and {more} more", shown.join(", ")) } else { shown.join(", ") };
    let example = match word.places.first() {
        _ if word.is_key => String::new(),
        Some(place) if place.contains("NAME") => String::new(),
        Some(place) => match place.strip_suffix("[]") {
            Some(list) => format!("{list} = [\"{}\"]", word.name),
            None => format!("{place} = \"{}\"", word.name),
        },
        None => String::new(),
    };
    Meaning {
        name: word.name.clone(),
        what: if word.is_key { "key of scenario files" } else { "value in scenario files" }.into(),
        text: vec![word.about.clone()],
        facts: vec![(if word.is_key { "stands at" } else { "value of" }.into(), places)],
        example,
    }
}

/// Places that are named; the others are counted.
const PLACES: usize = 4;

/// A fragment as a sentence.
fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    let first = chars.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if fragment.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

impl Meaning {
    fn shown(&self, look: Look) -> String {
        if look.json() {
            let facts: serde_json::Map<String, serde_json::Value> =
                self.facts.iter().map(|(label, value)| (label.replace(' ', "_"), value.clone().into())).collect();
            let object = serde_json::json!({
                "name": self.name, "what": self.what, "text": self.text, "facts": facts,
                "example": (!self.example.is_empty()).then_some(&self.example),
            });
            return format!("{object}\n");
        }
        let mut out = format!("  {}   {}\n", look.strong(&plain(&self.name)), look.quiet(&self.what));
        for paragraph in &self.text {
            out.push('\n');
            for line in wrap(&plain(paragraph), look.width - 4) {
                out.push_str(format!("    {line}").trim_end());
                out.push('\n');
            }
        }
        let margin = self.facts.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        for (i, (label, value)) in self.facts.iter().enumerate() {
            out.push_str(if i == 0 { "\n" } else { "" });
            for (j, line) in wrap(&plain(value), look.width.saturating_sub(margin + 7).max(30)).iter().enumerate() {
                let label = look.quiet(&format!("{:<margin$}", if j == 0 { label.as_str() } else { "" }));
                out.push_str(&format!("    {label}   {line}\n"));
            }
        }
        if !self.example.is_empty() {
            out.push('\n');
            for line in self.example.lines() {
                out.push_str(&format!("      {}\n", look.paint("36", line)));
            }
        }
        out
    }
}

/// What to say about a name that means nothing.
fn unknown(name: &str, words: &[Word]) -> Stop {
    let listed = list::KINDS.map(|(kind, ..)| list::items(kind));
    let known = listed.iter().flatten().map(|item| item.name.as_str());
    let known =
        known.chain(Exit::ALL.iter().map(|exit| exit.name())).chain(words.iter().map(|word| word.name.as_str()));
    let stop = Stop::usage(format!("nothing here is called `{}`", plain(name)));
    let stop = match nearest(name, known) {
        Some(guess) => stop.help(format!("did you mean `{guess}`?")),
        None => stop,
    };
    stop.help("`windtunnel list` shows all strategies, faults, invariants, scenarios, studies, measures, theories and engines")
        .help("keys and presets of scenario files can be explained too, and so can exit codes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_listed_can_be_explained() {
        let schema = scenarios::schema();
        let words = words::words(&schema);
        for (kind, ..) in list::KINDS {
            for item in list::items(kind) {
                assert!(!meanings(&item.name, &words).is_empty(), "{} means nothing", item.name);
            }
        }
        for exit in Exit::ALL {
            assert!(meanings(exit.name(), &words).iter().any(|m| m.what == "exit code"));
            assert_eq!(meanings(&exit.code().to_string(), &words).len(), 1);
        }
        for preset in ["lan", "cross-zone", "envoy", "grpc", "consul", "canary", "lognormal", "rate", "zones"] {
            assert!(!meanings(preset, &words).is_empty(), "{preset} means nothing");
        }
    }

    #[test]
    fn the_example_of_every_fault_runs() {
        let template = scenarios::template("t");
        let begin = template.find("[[fault]]").expect("the template has a fault");
        let end = template[begin..].find("[expect]").expect("and expectations after it") + begin;
        for kind in FaultKind::ALL {
            let example = kind.example();
            let text = format!("{}{example}\n\n{}", &template[..begin], &template[end..]);
            let checked = scenarios::check(&text, "t");
            let said = scenarios::render(&checked.problems, "t", &text, false);
            assert!(checked.scenario.is_some(), "{}:\n{said}", kind.name());
        }
    }

    #[test]
    fn a_comment_has_paragraphs_and_headings() {
        let comment = "One\ntwo.\n\nShows:    this\n          and that.\nExpected: nothing.";
        let read: Vec<String> =
            paragraphs(comment).iter().map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(read, ["One two.", "Shows: this and that.", "Expected: nothing."]);
    }

    #[test]
    fn fragments_become_sentences() {
        assert_eq!(sentence("packets take longer"), "Packets take longer.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence(""), ".");
    }
}
