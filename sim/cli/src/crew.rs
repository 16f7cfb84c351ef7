//! Many pieces of work on many threads, until all are done or somebody interrupts.
//!
//! An interrupt (Ctrl-C, SIGTERM, SIGHUP) does not wait for the work under way, which may take minutes: it is
//! abandoned, and whoever asked for the work is told that not everything was done. The process then ends, and the
//! abandoned threads with it. A second interrupt, or one that comes while nothing listens, ends the process at once.

use crate::stop::Stop;
use rayon::prelude::*;
use std::io;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// How the work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All of it is done.
    Done,
    /// Somebody interrupted; what was done until then has been handed on.
    Interrupted,
}

/// How often interrupts are looked for.
const TICK: Duration = Duration::from_millis(30);

/// Does every piece of `work` on `jobs` threads (one for each processor without a number) and hands each result to
/// `take`, with the place of its piece in `work`, in the order in which they are ready.
///
/// Pieces are begun in their order, one at a time from the front, so that results come about nearly in order. A `take`
/// that fails ends everything, and the rest is not begun. A panic of `run` is passed on.
pub(crate) fn each<I, T>(
    jobs: Option<usize>,
    work: I,
    run: impl Fn(I::Item) -> T + Send + Sync + 'static,
    mut take: impl FnMut(usize, T) -> Result<(), Stop>,
) -> Result<Ended, Stop>
where
    I: Iterator<Item: Send> + Send + 'static,
    T: Send + 'static,
{
    let threads = jobs.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Stop::usage(format!("--jobs {threads}: {error}")))?;
    let interrupt = Interrupt::watch().map_err(|error| Stop::usage(format!("signals cannot be watched: {error}")))?;
    let (done, results) = mpsc::channel();
    let crew = thread::spawn(move || {
        pool.install(|| {
            // When nobody listens any more, the command has stopped, and the rest is not worth running.
            let _ = work
                .enumerate()
                .par_bridge()
                .try_for_each_with(done, |done, (index, piece)| done.send((index, run(piece))).map_err(drop));
        });
    });
    loop {
        if interrupt.was_heard() {
            for (index, result) in results.try_iter() {
                take(index, result)?;
            }
            return Ok(Ended::Interrupted);
        }
        match results.recv_timeout(TICK) {
            Ok((index, result)) => take(index, result)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match crew.join() {
        Ok(()) => Ok(Ended::Done),
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// While it lives, the first interrupt is noted instead of ending the process.
struct Interrupt(&'static Flags);

/// What the handlers of signals look at and set.
struct Flags {
    /// Whether the next signal ends the process.
    ends: Arc<AtomicBool>,
    /// Whether there was one since somebody began to watch.
    heard: Arc<AtomicBool>,
}

impl Flags {
    fn register() -> io::Result<Flags> {
        let flags = Flags { ends: Arc::new(AtomicBool::new(true)), heard: Arc::default() };
        for signal in signals() {
            // Handlers of a signal run in the order of their registration: the first that comes while somebody watches
            // passes the shutdown, and arms it for the next.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, flags.ends.clone())?;
            signal_hook::flag::register(signal, flags.ends.clone())?;
            signal_hook::flag::register(signal, flags.heard.clone())?;
        }
        Ok(flags)
    }
}

fn signals() -> Vec<i32> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    #[cfg(unix)]
    let signals = vec![SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
    #[cfg(not(unix))]
    let signals = vec![SIGINT, SIGTERM];
    signals
}

impl Interrupt {
    fn watch() -> io::Result<Interrupt> {
        static FLAGS: OnceLock<Flags> = OnceLock::new();
        if FLAGS.get().is_none() {
            // Only the main thread comes here; were there two, one set of handlers would be one too many and do no
            // harm.
            let _ = FLAGS.set(Flags::register()?);
        }
        let flags = FLAGS.get().expect("they have just been set");
        flags.heard.store(false, Ordering::SeqCst);
        flags.ends.store(false, Ordering::SeqCst);
        Ok(Interrupt(flags))
    }

    fn was_heard(&self) -> bool {
        self.0.heard.load(Ordering::SeqCst)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.0.ends.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::AssertUnwindSafe;
    use std::sync::Mutex;

    /// Interrupts are of the whole process, so these tests take turns.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn every_piece_is_done_once() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut results = Vec::new();
        let ended = each(
            Some(3),
            0..100,
            |n| n * n,
            |index, square| {
                results.push((index, square));
                Ok(())
            },
        );
        results.sort_unstable();
        assert_eq!(ended.expect("nothing stopped it"), Ended::Done);
        assert_eq!(results, (0..100).map(|n| (n as usize, n * n)).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_passed_on_and_a_stop_ends_it() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fell = panic::catch_unwind(AssertUnwindSafe(|| {
            let _ = each(Some(2), 0..4, |n| assert!(n != 2, "a bug"), |_, ()| Ok(()));
        }));
        assert!(fell.is_err(), "a result that never came is not taken for one that was not asked for");
        let stopped = each(Some(1), 0.., |n: u64| n, |_, n| if n < 3 { Ok(()) } else { Err(Stop::usage("enough")) });
        assert!(stopped.is_err());
    }

    #[test]
    #[cfg(unix)]
    fn an_interrupt_does_not_wait_for_what_is_under_way() {
        let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (hold, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let mut results = Vec::new();
        let run = move |n: usize| {
            if n == 2 {
                signal_hook::low_level::raise(signal_hook::consts::SIGINT).expect("a signal");
                // For ever, unless the test ends.
                let _ = held.lock().expect("one piece only").recv();
            }
            n
        };
        let ended = each(Some(1), 0..5, run, |index, _| {
            results.push(index);
            Ok(())
        });
        assert_eq!((ended.expect("no stop"), results), (Ended::Interrupted, vec![0, 1]));
        drop(hold);
    }
}
