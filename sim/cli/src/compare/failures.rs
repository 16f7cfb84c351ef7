//! The runs of a study that did not pass: how, where, what was said, and the command that runs each of them again.

use super::{Comparison, LISTED};
use crate::console::{Console, counted, plain};
use crate::exit::Exit;
use crate::file::quoted;
use base::Instant;
use serde_json::{Value, json};
use study::Sample;

/// A run that did not pass.
struct Failed<'a> {
    exit: Exit,
    /// Its cell and seed, by their places in the plan.
    place: (usize, usize),
    /// The invariant or objective that was not kept, and when that was first seen; none of a panic.
    what: Option<(&'a str, Instant)>,
    /// What was seen, or what the panic said.
    message: String,
}

impl Comparison<'_> {
    /// The worst that happened to any run.
    pub(super) fn exit(&self) -> Exit {
        let crashed = self.crashed.iter().map(|(.., why)| why.exit()).fold(Exit::Passed, Exit::worst);
        self.results.samples.values().map(verdict).fold(crashed, Exit::worst)
    }

    /// All of them, by cell and seed.
    fn failed(&self) -> Vec<Failed<'_>> {
        let ran = self.results.samples.iter().map(|(place, sample)| Failed {
            exit: verdict(sample),
            place: *place,
            what: sample.failure.as_ref().map(|f| (f.name.as_str(), Instant::from_nanos(f.at_ns))),
            message: sample.failure.as_ref().map_or_else(String::new, |f| f.message.clone()),
        });
        let crashed = self.crashed.iter().map(|(cell, seed, why)| Failed {
            exit: why.exit(),
            place: (*cell, *seed),
            what: None,
            message: why.message(),
        });
        let mut all: Vec<Failed<'_>> = ran.chain(crashed).filter(|failed| failed.exit != Exit::Passed).collect();
        all.sort_by_key(|failed| failed.place);
        all
    }

    fn replay(&self, failed: &Failed<'_>) -> String {
        let plan = self.plan();
        let (cell, seed) = failed.place;
        let (key, seed) = (&plan.cells[cell].key, plan.seeds[seed].0);
        // What was missed over a whole run, or never seen in it, has no moment.
        let around = match failed.what {
            Some((_, at)) if matches!(failed.exit, Exit::Safety | Exit::Liveness) => format!(" --around {at}"),
            _ => String::new(),
        };
        match &self.args.out {
            Some(out) if self.args.shard.is_none() => {
                let file = quoted(&out.join("cells").join(format!("{key}.toml")));
                format!("windtunnel replay {file} --seed {seed}{around}")
            }
            _ => format!(
                "windtunnel compare {} --out DIR, then windtunnel replay DIR/cells/{key}.toml --seed {seed}{around}",
                quoted(&self.args.study),
            ),
        }
    }

    /// For programs.
    pub(super) fn failures(&self) -> Value {
        let plan = self.plan();
        let object = |failed: Failed<'_>| {
            json!({
                "kind": failed.exit.name(),
                "cell": plan.cells[failed.place.0].key,
                "seed": plan.seeds[failed.place.1].0.to_string(),
                "name": failed.what.map(|(name, _)| name),
                "at_s": failed.what.map(|(_, at)| at.as_secs_f64()),
                "message": failed.message,
                "replay": self.replay(&failed),
            })
        };
        self.failed().into_iter().map(object).collect()
    }

    /// For people: the first few.
    pub(super) fn told_failures(&self, console: &Console) -> String {
        let failed = self.failed();
        if failed.is_empty() {
            return String::new();
        }
        let look = console.look;
        let runs = counted(self.results.samples.len() as u64 + self.crashed.len() as u64, "run");
        let mut text = format!("\n  {}\n", look.paint("1;31", &format!("✗ FAILED   {} of {runs}", failed.len())));
        for one in failed.iter().take(LISTED) {
            let (cell, seed) = one.place;
            let (key, seed) = (&self.plan().cells[cell].key, self.plan().seeds[seed].0);
            let what = one.what.map_or_else(String::new, |(name, _)| format!("   {}", plain(name)));
            text.push_str(&format!("    {:<10}  {key}   seed {seed}{what}\n", one.exit.name()));
            if !one.message.is_empty() {
                text.push_str(&format!("                {}\n", plain(&one.message)));
            }
            text.push_str(&format!("                {}\n", look.strong(&self.replay(one))));
        }
        if failed.len() > LISTED {
            text.push_str(&format!("    and {} more\n", failed.len() - LISTED));
        }
        text
    }
}

/// How the run behind a sample ended.
fn verdict(sample: &Sample) -> Exit {
    Exit::ALL.into_iter().find(|exit| exit.name() == sample.verdict).unwrap_or(Exit::Passed)
}
