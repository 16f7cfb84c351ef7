//! A trace for the eye: the Trace Event Format that Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing` open.
//!
//! The rules are those of Google's document "Trace Event Format"
//! (<https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>): an object with `traceEvents`,
//! each with a phase `ph`, `ts` in microseconds, `pid` and `tid`. A node is a process; the world is process 1 and node
//! `i` is process `i + 2`, because process 0 is the idle one to Perfetto. Each kind of entry has a thread in it:
//!
//! - what lasted is a complete event (`X`). Perfetto drops one that overlaps another on its thread, and the requests a
//!   server works on overlap as they please, so overlapping spans are dealt out to as many threads as it takes,
//!   `request` and `request 2` and so on;
//! - what happened is an instant (`i`) on the first thread of its kind;
//! - spans that share a flow are joined by arrows (`s`, `t`, `f`) in order of their beginning;
//! - names come first, as metadata (`M`).

use super::json::Quoted;
use super::{Entry, Telling, Trace};
use base::Instant;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

/// Writes `trace` to `out`, called as `telling` says. Writes in small pieces, so `out` should be buffered. Fails only
/// as `out` does, and then part of the text is written.
///
/// O(n log n) in the entries, times the most spans of one kind that overlap on one node.
pub fn write(trace: &Trace, telling: &Telling<'_>, out: &mut impl Write) -> io::Result<()> {
    let left_out = trace.recorder().map_or(0, |recorder| recorder.left_out());
    let threads = Threads::deal(trace.entries());
    write!(
        out,
        r#"{{"displayTimeUnit":"ms","otherData":{{"fingerprint":"{}","events":"{}","left_out":"{left_out}"}},"traceEvents":["#,
        telling.fingerprint,
        trace.events(),
    )?;
    let mut comma = "\n";
    let mut last_pid = 0;
    for (&(pid, kind), lanes) in &threads.lanes {
        if pid != last_pid {
            last_pid = pid;
            let node = pid.checked_sub(FIRST_NODE).map(|node| base::NodeId(node as u32));
            let name = telling.node(node);
            writeln!(
                out,
                r#"{comma}{{"ph":"M","pid":{pid},"name":"process_name","args":{{"name":{}}}}},"#,
                Quoted(&name)
            )?;
            write!(out, r#"{{"ph":"M","pid":{pid},"name":"process_sort_index","args":{{"sort_index":{pid}}}}}"#)?;
            comma = ",\n";
        }
        for (i, lane) in lanes.iter().enumerate() {
            let name = if i == 0 { kind.to_string() } else { format!("{kind} {}", i + 1) };
            let (tid, name) = (lane.tid, Quoted(&name));
            write!(
                out,
                r#"{comma}{{"ph":"M","pid":{pid},"tid":{tid},"name":"thread_name","args":{{"name":{name}}}}}"#
            )?;
        }
    }
    let mut flows = Flows::count(trace.entries());
    for &(index, tid) in &threads.order {
        let entry = &trace.entries()[index];
        let (pid, ts) = (pid(entry), Micros(entry.at.as_nanos()));
        let text = (telling.text)(entry);
        let (kind, name, seq) = (Quoted(entry.kind), Quoted(&text), entry.seq);
        let place = format!(r#""pid":{pid},"tid":{tid},"ts":{ts}"#);
        let what = format!(r#""cat":{kind},"name":{name},"args":{{"seq":{seq}}}"#);
        match entry.span {
            None => write!(out, r#"{comma}{{"ph":"i",{place},"s":"t",{what}}}"#)?,
            Some(span) => {
                let dur = Micros(span.as_nanos());
                write!(out, r#"{comma}{{"ph":"X",{place},"dur":{dur},{what}}}"#)?;
                if let Some((phase, flow)) = flows.next(entry) {
                    // After its span and at its beginning, which is how an arrow finds the span to end at.
                    write!(out, ",\n{{\"ph\":{phase},{place},\"cat\":\"flow\",\"name\":\"flow\",\"id\":{flow}}}")?;
                }
            }
        }
        comma = ",\n";
    }
    writeln!(out, "\n]}}")
}

/// The process of what concerns the whole world.
const WORLD: u64 = 1;
/// The process of node 0.
const FIRST_NODE: u64 = 2;

fn pid(entry: &Entry) -> u64 {
    entry.node.map_or(WORLD, |node| FIRST_NODE + u64::from(node.0))
}

/// A thread that spans of one kind on one node take turns on.
struct Lane {
    tid: u64,
    free_from: Instant,
}

/// Who is drawn on which thread.
struct Threads {
    /// The threads of each kind in each process.
    lanes: BTreeMap<(u64, &'static str), Vec<Lane>>,
    /// Entries by index in order of beginning, the longer first, each with its thread.
    order: Vec<(usize, u64)>,
}

impl Threads {
    fn deal(entries: &[Entry]) -> Self {
        let mut sorted: Vec<usize> = (0..entries.len()).collect();
        sorted.sort_by_key(|&i| (entries[i].at, Reverse(entries[i].span), i));
        // Numbers above every process, since a thread with the number of a process passes for its main thread.
        let mut next_tid = entries.iter().map(pid).max().unwrap_or(0) + 1;
        let mut lanes: BTreeMap<(u64, &'static str), Vec<Lane>> = BTreeMap::new();
        let mut order = Vec::with_capacity(entries.len());
        for index in sorted {
            let entry = &entries[index];
            let lanes = lanes.entry((pid(entry), entry.kind)).or_default();
            let free = match entry.span {
                None => 0,
                Some(_) => lanes.iter().position(|lane| lane.free_from <= entry.at).unwrap_or(lanes.len()),
            };
            if free == lanes.len() {
                lanes.push(Lane { tid: next_tid, free_from: Instant::ZERO });
                next_tid += 1;
            }
            if let Some(span) = entry.span {
                lanes[free].free_from = entry.at.saturating_add(span);
            }
            order.push((index, lanes[free].tid));
        }
        Threads { lanes, order }
    }
}

/// How many spans of each flow there are, and how many were drawn.
struct Flows(BTreeMap<u64, (usize, usize)>);

impl Flows {
    fn count(entries: &[Entry]) -> Self {
        let mut flows: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for flow in entries.iter().filter(|entry| entry.span.is_some()).filter_map(|entry| entry.flow) {
            flows.entry(flow).or_default().0 += 1;
        }
        Flows(flows)
    }

    /// The phase of the arrow at the next span of a flow, and the flow; none when there is nothing to join.
    fn next(&mut self, entry: &Entry) -> Option<(&'static str, u64)> {
        let flow = entry.flow?;
        let (spans, drawn) = self.0.get_mut(&flow)?;
        *drawn += 1;
        match (*drawn, *spans) {
            (_, 1) => None,
            (1, _) => Some((r#""s""#, flow)),
            (n, all) if n < all => Some((r#""t""#, flow)),
            // `bp` says that the arrow ends at the span around it, not at the next one.
            _ => Some((r#""f","bp":"e""#, flow)),
        }
    }
}

/// Nanoseconds as microseconds with three decimals, exactly.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000, self.0 % 1_000)
    }
}
