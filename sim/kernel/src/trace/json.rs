//! A trace as JSON Lines: a header, then one object per entry, in the order in which they were noted.
//!
//! ```text
//! {"format":"windtunnel-trace","version":1,"fingerprint":"5d6aa468351c8d17","events":912,"entries":2,"left_out":0}
//! {"seq":17,"t_ns":1500000000,"t":"1.500s","node":"gateway-1","kind":"deliver","text":"heartbeat of shop-8"}
//! {"seq":93,"t_ns":1600000000,"t":"1.600s","node":"n7","kind":"request","text":"req91","span_ns":8000000,"flow":91}
//! ```
//!
//! `node` is null for what concerns the whole world. `span_ns` and `flow` are there only where there is one. Keys may
//! be added; those above keep their meaning as long as `version` is 1. `t_ns` and its like are whole numbers of up to
//! 64 bits, exact in readers that keep integers, and in JavaScript up to 104 days.

use super::{Telling, Trace};
use std::fmt;
use std::io::{self, Write};

/// Writes `trace` to `out`, called as `telling` says. Writes in small pieces, so `out` should be buffered. Fails only
/// as `out` does, and then part of the text is written.
pub fn write(trace: &Trace, telling: &Telling<'_>, out: &mut impl Write) -> io::Result<()> {
    let left_out = trace.recorder().map_or(0, |recorder| recorder.left_out());
    writeln!(
        out,
        r#"{{"format":"windtunnel-trace","version":1,"fingerprint":"{}","events":{},"entries":{},"left_out":{left_out}}}"#,
        telling.fingerprint,
        trace.events(),
        trace.entries().len(),
    )?;
    for entry in trace.entries() {
        write!(out, r#"{{"seq":{},"t_ns":{},"t":"{}","node":"#, entry.seq, entry.at.as_nanos(), entry.at)?;
        match entry.node {
            None => write!(out, "null")?,
            node => write!(out, "{}", Quoted(&telling.node(node)))?,
        }
        write!(out, r#","kind":{},"text":{}"#, Quoted(entry.kind), Quoted(&(telling.text)(entry)))?;
        if let Some(span) = entry.span {
            write!(out, r#","span_ns":{}"#, span.as_nanos())?;
        }
        if let Some(flow) = entry.flow {
            write!(out, r#","flow":{flow}"#)?;
        }
        writeln!(out, "}}")?;
    }
    Ok(())
}

/// Prints text as a JSON string, quotes included (RFC 8259 § 7: quotation mark, reverse solidus and everything below
/// U+0020 are escaped, the rest stands for itself).
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut plain = 0;
        // All that needs an escape is one byte in UTF-8, and no byte of a longer character looks like one of them.
        for (i, byte) in self.0.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            f.write_str(&self.0[plain..i])?;
            plain = i + 1;
            match byte {
                b'"' => f.write_str("\\\"")?,
                b'\\' => f.write_str("\\\\")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\t' => f.write_str("\\t")?,
                _ => write!(f, "\\u{byte:04x}")?,
            }
        }
        f.write_str(&self.0[plain..])?;
        f.write_str("\"")
    }
}
