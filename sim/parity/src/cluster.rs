//! One run from the outside: boots the cluster, lets things go wrong on time, and says what came of it.
//!
//! This is madsim's supervisor, the one future that is on no node. It does to nodes what the scenario says, by madsim's
//! own means, and touches no core.

use crate::board::Line;
use crate::facts::{Facts, lifelines, story};
use crate::net::sleep_until;
use crate::orchestrator::{Life, Shared};
use crate::setup::{Fault, FaultKind, Setup, Whom};
use base::{InstanceId, Instant, Seed};
use madsim::net::NetSim;
use madsim::runtime::{Handle, Runtime};
use std::collections::BTreeMap;
use std::time::Duration as Span;

/// A run and what was written down during it.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it came to.
    pub facts: Facts,
    /// The log of all processes, in order.
    pub log: Vec<Line>,
    /// Calls that ended.
    pub calls: u64,
}

/// The one latency of all links that madsim knows is drawn evenly from this range.
const LATENCY: std::ops::Range<Span> = Span::from_micros(250)..Span::from_millis(2);

/// A run that is still going this long after its end is stuck.
const PATIENCE: Span = Span::from_secs(60);

/// Runs a setup under madsim. Equal seeds make equal runs: madsim's chances and the cores' streams both follow from it.
///
/// Panics when a process does, and says with which seed.
pub fn run(setup: &Setup, seed: u64) -> Run {
    let setup = setup.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "madsim seeds std's hash maps once a thread, so each run has its own"
    )]
    let thread = std::thread::spawn(move || {
        let mut config = madsim::Config::default();
        config.net.send_latency = LATENCY;
        let mut runtime = Runtime::with_seed_and_config(seed, config);
        runtime.set_time_limit(crate::net::span(setup.length) + PATIENCE);
        runtime.block_on(supervise(Shared::new(&setup, Seed(seed))))
    });
    thread.join().unwrap_or_else(|_| panic!("the run under madsim with seed {seed} panicked"))
}

async fn supervise(shared: Shared) -> Run {
    shared.boot();
    let mut turns: Vec<(Instant, bool, Fault)> = Vec::new();
    for &fault in &shared.setup.faults {
        turns.push((fault.at, true, fault));
        turns.push((fault.at + fault.lasts, false, fault));
    }
    turns.sort_by_key(|&(at, ..)| at);
    for (at, begins, fault) in turns {
        sleep_until(at).await;
        if begins { begin(&shared, fault.kind) } else { end(&shared, fault.kind) }
    }
    sleep_until(Instant::ZERO + shared.setup.length).await;
    let facts = facts(&shared);
    let board = shared.board();
    Run { facts, log: board.log.clone(), calls: board.calls }
}

fn begin(shared: &Shared, kind: FaultKind) {
    match kind {
        FaultKind::Kill(whom) => {
            Handle::current().kill(shared.machine(whom));
            if let Whom::Instance(id) = whom {
                // One that was on its way out will not come back.
                shared.set_life(id, if shared.is_stopping(id) { Life::Gone } else { Life::Starting });
            }
            // What a dead caller shows is nobody's view.
            if let Whom::Caller(n) = whom {
                shared.board().callers.remove(&n);
            }
        }
        FaultKind::Pause(whom) => {
            Handle::current().pause(shared.machine(whom));
            set_running(shared, whom, false);
        }
        FaultKind::Clog(whom) => NetSim::current().clog_node(shared.machine(whom)),
        FaultKind::CutOff(zone) => shared.set_cut_off(zone, true),
    }
}

fn end(shared: &Shared, kind: FaultKind) {
    match kind {
        FaultKind::Kill(whom) => {
            // Who was to go has gone, and is not started again.
            if !matches!(whom, Whom::Instance(id) if shared.is_stopping(id)) {
                Handle::current().restart(shared.machine(whom));
            }
        }
        FaultKind::Pause(whom) => {
            Handle::current().resume(shared.machine(whom));
            set_running(shared, whom, true);
        }
        FaultKind::Clog(whom) => NetSim::current().unclog_node(shared.machine(whom)),
        FaultKind::CutOff(zone) => shared.set_cut_off(zone, false),
    }
}

fn set_running(shared: &Shared, whom: Whom, running: bool) {
    if let Whom::Instance(id) = whom {
        shared.set_running(id, running);
    }
}

fn facts(shared: &Shared) -> Facts {
    let setup = &shared.setup;
    let living: BTreeMap<InstanceId, String> =
        shared.living().into_iter().map(|(id, version)| (id, setup.versions[version.index()].clone())).collect();
    let board = shared.board();
    let open = |view: &registry::View| -> BTreeMap<InstanceId, String> {
        view.open().map(|e| (e.instance, setup.versions[e.version.index()].clone())).collect()
    };
    let listed = board.listed.as_deref().map(open).unwrap_or_default();
    let split = shared.split().map_or(0, |split| split.number);
    let sees = |caller: &crate::board::CallerState| {
        caller.view.as_deref().is_some_and(|view| open(view) == listed) && caller.split == split
    };
    let of = |kind: &'static str| board.log.iter().filter(move |line| line.kind == kind);
    Facts {
        phase: board.phase.filter(|_| setup.rollout.is_some()).map(|phase| phase.to_string()),
        history: of("rollout").map(|line| story(&line.text, &setup.versions)).collect(),
        weights: board.weights.clone(),
        converged: listed == living && board.callers.values().all(sees),
        listed,
        lock_free: !board.lock_held,
        lifelines: lifelines(of("registry").map(|line| (line.at, line.text.as_str()))),
    }
}
