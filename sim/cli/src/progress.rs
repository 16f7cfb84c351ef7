//! Signs of life on standard error, for people who wait: nothing in the first half second, nothing where nobody looks.

use crate::console::counted;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Work that is faster than this needs no sign of life.
const PATIENCE: Duration = Duration::from_millis(500);
/// Often enough to be seen to move.
const TICK: Duration = Duration::from_millis(100);

/// A bar or a spinner. Dropping it clears its line.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    failed: AtomicU64,
    simulated: Arc<world::Progress>,
    /// Dropped to tell the waiting thread that the work is over.
    _over: Option<Sender<()>>,
}

impl Progress {
    /// For `runs` runs: a bar with the time left for many, a spinner with the time passed for one.
    pub(crate) fn of(runs: usize, what: &str) -> Progress {
        // How long the rest takes is not known before the first is over.
        match runs {
            1 => Progress::new(ProgressBar::no_length(), "  {spinner} {msg}  {elapsed}", what),
            n => Progress::new(
                ProgressBar::new(n as u64),
                "  {bar:30} {human_pos} of {human_len} runs  {elapsed} passed",
                what,
            ),
        }
    }

    /// For one run that says how far it has come in [`Progress::simulated`].
    pub(crate) fn of_one(what: &str) -> Progress {
        Progress::new(ProgressBar::no_length(), "  {spinner} {msg}  {simulated} simulated  {elapsed}", what)
    }

    /// Where a run says how far it has come.
    pub(crate) fn simulated(&self) -> &world::Progress {
        &self.simulated
    }

    fn new(bar: ProgressBar, template: &str, what: &str) -> Progress {
        let simulated = Arc::new(world::Progress::default());
        if !std::io::stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden(), failed: AtomicU64::new(0), simulated, _over: None };
        }
        bar.set_draw_target(ProgressDrawTarget::hidden());
        let reached = simulated.clone();
        bar.set_style(style(template).with_key("simulated", move |_: &ProgressState, out: &mut dyn fmt::Write| {
            // What cannot be written to a line of progress is not missed.
            let _ = write!(out, "{:.1}s", reached.simulated().as_secs_f64());
        }));
        bar.set_message(what.to_string());
        let (over, patience) = mpsc::channel::<()>();
        let shown = bar.clone();
        thread::spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = patience.recv_timeout(PATIENCE) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Progress { bar, failed: AtomicU64::new(0), simulated, _over: Some(over) }
    }

    /// One more run is over, and perhaps it failed.
    pub(crate) fn step(&self, has_failed: bool) {
        let failed = self.failed.fetch_add(u64::from(has_failed), Ordering::Relaxed) + u64::from(has_failed);
        self.bar.inc(1);
        if self.bar.position() == 1 {
            self.bar
                .set_style(style("  {bar:30} {human_pos} of {human_len} runs  {elapsed} passed, {eta} left  {msg}"));
        }
        if failed > 0 {
            self.bar.set_message(format!("{} failed", counted(failed, "run")));
        }
    }

    /// Lets `print` print without running into the bar.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is fixed").progress_chars("━╸─")
}

impl Drop for Progress {
    fn drop(&mut self) {
        self._over = None;
        self.bar.finish_and_clear();
    }
}
