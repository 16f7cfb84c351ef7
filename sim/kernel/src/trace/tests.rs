//! The trace in the words of `testdata/trace.txt`, and what its writers owe to every reader of JSON.

use super::json::Quoted;
use super::*;
use proptest::prelude::*;
use scan::Value;
use std::collections::BTreeMap;

/// A telling that leaves texts as they are.
fn plain<'a>(trace: &Trace, names: &'a [String]) -> Telling<'a> {
    Telling { fingerprint: trace.fingerprint(), names, text: &|entry| entry.text.clone() }
}

#[test]
fn golden() {
    base::golden::check(env!("CARGO_MANIFEST_DIR"), "testdata/trace.txt", tell);
}

/// Runs one block of the golden file. Times are nanoseconds, `-` is the world or no flow.
fn tell(script: &str) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut trace = Trace::new(Level::Entries { window: Window::ALL, cap: usize::MAX, without: &[] });
    let mut out = Vec::new();
    for line in script.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut args = rest.splitn(if word == "span" { 6 } else { 5 }, ' ');
        let mut arg = || args.next().unwrap_or_else(|| panic!("{line:?} says too little"));
        let at = |ns: &str| Instant::from_nanos(ns.parse().unwrap());
        let node = |n: &str| n.strip_prefix('n').map(|n| NodeId(n.parse().unwrap()));
        // Kinds are written in the program, so a test that reads them from a file must keep them for ever.
        let kind = |kind: &str| -> &'static str { kind.to_string().leak() };
        match word {
            "record" => {
                let window = Window { from: at(arg()), until: at(arg()) };
                trace = Trace::new(Level::Entries { window, cap: arg().parse().unwrap(), without: &[] });
            }
            "names" => names = rest.split(' ').map(str::to_string).collect(),
            "event" => match (at(arg()), node(arg()), arg().parse().unwrap()) {
                (at, Some(node), digest) => trace.fold(at, node, digest),
                (at, None, digest) => trace.fold_world(at, digest),
            },
            "note" => {
                let (at, node, kind, flow, text) = (at(arg()), node(arg()), kind(arg()), arg(), arg());
                match flow {
                    "-" => trace.note(at, node, kind, || text.to_string()),
                    flow => trace.note_flow(at, node, kind, flow.parse().unwrap(), || text.to_string()),
                }
            }
            "span" => {
                let (start, end, node, kind) = (at(arg()), at(arg()), node(arg()), kind(arg()));
                let (flow, name) = (arg(), arg());
                match flow {
                    "-" => trace.span(start, end, node, kind, || name.to_string()),
                    flow => trace.span_flow(start, end, node, kind, flow.parse().unwrap(), || name.to_string()),
                }
            }
            "json" => json::write(&trace, &plain(&trace, &names), &mut out).unwrap(),
            "chrome" => {
                chrome::write(&trace, &plain(&trace, &names), &mut out).unwrap();
                scan::parse(std::str::from_utf8(&out).unwrap()).unwrap();
            }
            "story" => trace.entries().iter().for_each(|entry| out.extend(format!("{entry}\n").bytes())),
            other => panic!("no such word: {other}"),
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn one_event_more_less_later_elsewhere_or_different_is_another_run() {
    let of = |events: &[(u64, u32, u64)]| {
        let mut trace = Trace::default();
        events.iter().for_each(|&(at, node, digest)| trace.fold(Instant::from_nanos(at), NodeId(node), digest));
        assert_eq!(trace.events(), events.len() as u64);
        trace.fingerprint().value()
    };
    let runs = [
        of(&[]),
        of(&[(0, 0, 0)]),
        of(&[(0, 0, 0), (0, 0, 0)]),
        of(&[(5, 1, 7), (5, 2, 7)]),
        of(&[(5, 2, 7), (5, 1, 7)]),
        of(&[(5, 1, 7), (6, 2, 7)]),
        of(&[(5, 1, 7), (5, 2, 8)]),
        of(&[(5, 1, 7), (5, 7, 2)]),
        of(&[(5, 1, 7)]),
    ];
    for (i, a) in runs.iter().enumerate() {
        assert!(runs[..i].iter().all(|b| a != b), "run {i} looks like another");
    }
    let (mut world, mut node) = (Trace::default(), Trace::default());
    world.fold_world(Instant::ZERO, 7);
    node.fold(Instant::ZERO, NodeId(0), 7);
    assert_ne!(world.fingerprint(), node.fingerprint());
}

#[test]
fn both_ends_of_the_window_belong_to_it() {
    let ns = Instant::from_nanos;
    let window = Window { from: ns(10), until: ns(20) };
    let mut trace = Trace::new(Level::Entries { window, cap: usize::MAX, without: &[] });
    assert_eq!([9, 10, 20, 21].map(|at| trace.wants(ns(at))), [false, true, true, false]);
    for at in [9, 10, 20, 21] {
        trace.note(ns(at), None, "tick", || at.to_string());
    }
    // A span is wanted when any of it is inside.
    for (start, end) in [(0, 9), (0, 10), (0, 99), (12, 13), (20, 99), (21, 99)] {
        trace.span(ns(start), ns(end), None, "span", || format!("{start}-{end}"));
    }
    let kept: Vec<&str> = trace.entries().iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(kept, ["10", "20", "0-10", "0-99", "12-13", "20-99"]);
    assert_eq!(Window::around(ns(15), Duration::ns(5)), window);
    assert_eq!(Window::around(ns(1), Duration::ns(5)).from, Instant::ZERO);
    assert!(!Trace::default().wants(ns(15)));
}

#[test]
fn beyond_the_cap_entries_are_counted_and_no_text_is_made() {
    let window = Window { from: Instant::ZERO, until: Instant::from_nanos(9) };
    let mut trace = Trace::new(Level::Entries { window, cap: 2, without: &[] });
    let mut made = 0;
    for at in 0..20 {
        trace.note(Instant::from_nanos(at), None, "tick", || {
            made += 1;
            at.to_string()
        });
    }
    assert_eq!(made, 2);
    assert_eq!(trace.entries().len(), 2);
    assert_eq!(trace.recorder().unwrap().left_out(), 8, "of the ten in the window");
    Trace::default().note(Instant::ZERO, None, "tick", || panic!("nobody records this"));
}

#[test]
fn recording_does_not_change_the_fingerprint() {
    let run = |level| {
        let mut trace = Trace::new(level);
        for at in 0..100 {
            trace.fold(Instant::from_nanos(at), NodeId(at as u32 % 3), at * at);
            trace.note(Instant::from_nanos(at), None, "tick", String::new);
        }
        (trace.fingerprint(), trace.events())
    };
    let plain = run(Level::Fingerprint);
    assert_eq!(run(Level::Entries { window: Window::ALL, cap: usize::MAX, without: &[] }), plain);
    assert_eq!(
        run(Level::Entries { window: Window::around(Instant::ZERO, Duration::ns(3)), cap: 1, without: &[] }),
        plain
    );
}

/// Start, length if it has one, node if it has one, kind, flow if it has one, text.
type Told = (u64, Option<u64>, Option<u32>, &'static str, Option<u64>, String);

fn stories() -> impl Strategy<Value = Vec<Told>> {
    let kind = prop_oneof![Just("request"), Just("deliver"), Just("fault \"x\"")];
    let told = (
        0u64..200,
        proptest::option::of(0u64..100),
        proptest::option::of(0u32..4),
        kind,
        proptest::option::of(0u64..6),
        any::<String>(),
    );
    proptest::collection::vec(told, 0..60)
}

fn trace_of(story: &[Told]) -> Trace {
    let mut trace = Trace::new(Level::Entries { window: Window::ALL, cap: usize::MAX, without: &[] });
    for (at, span, node, kind, flow, text) in story {
        let (start, node, text) = (Instant::from_nanos(*at), node.map(NodeId), || text.clone());
        trace.fold_world(start, 0);
        match (span, flow) {
            (None, None) => trace.note(start, node, kind, text),
            (None, Some(flow)) => trace.note_flow(start, node, kind, *flow, text),
            (Some(span), None) => trace.span(start, start + Duration::ns(*span), node, kind, text),
            (Some(span), Some(flow)) => trace.span_flow(start, start + Duration::ns(*span), node, kind, *flow, text),
        }
    }
    trace
}

proptest! {
    #[test]
    fn any_text_comes_back_from_its_quotes(text in any::<String>(), control in "[\\x00-\\x7f]{0,12}") {
        for text in [text, control] {
            let quoted = Quoted(&text).to_string();
            prop_assert!(!quoted.contains(|c: char| c < ' '), "one line, no control characters: {quoted:?}");
            prop_assert_eq!(scan::parse(&quoted), Ok(Value::Text(text)));
        }
    }

    #[test]
    fn every_json_line_says_its_entry(story in stories()) {
        let trace = trace_of(&story);
        let mut out = Vec::new();
        json::write(&trace, &plain(&trace, &["a \"quoted\" node".to_string()]), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines().map(|line| scan::parse(line).unwrap());
        let header = lines.next().unwrap();
        prop_assert_eq!(header.get("fingerprint").text(), trace.fingerprint().to_string());
        prop_assert_eq!(header.get("entries").number(), story.len().to_string());
        for (i, (at, span, node, kind, flow, text)) in story.iter().enumerate() {
            let line = lines.next().unwrap();
            let number = |key| line.find(key).map(|value| value.number().parse::<u64>().unwrap());
            prop_assert_eq!(number("seq"), Some(i as u64 + 1));
            prop_assert_eq!(number("t_ns"), Some(*at));
            prop_assert_eq!(number("span_ns"), *span);
            prop_assert_eq!(number("flow"), *flow);
            prop_assert_eq!(line.get("kind").text(), *kind);
            prop_assert_eq!(line.get("text").text(), text);
            let name = node.map(|n| if n == 0 { "a \"quoted\" node".to_string() } else { format!("n{n}") });
            prop_assert_eq!(line.get("node"), &name.map_or(Value::Null, Value::Text));
        }
        prop_assert_eq!(lines.next(), None);
    }

    #[test]
    fn perfetto_gets_threads_whose_spans_take_turns(story in stories()) {
        let trace = trace_of(&story);
        let mut out = Vec::new();
        chrome::write(&trace, &plain(&trace, &[]), &mut out).unwrap();
        let document = scan::parse(std::str::from_utf8(&out).unwrap()).unwrap();
        let events = document.get("traceEvents").list();
        let phase = |event: &Value| event.get("ph").text().to_string();
        // Three decimals of a microsecond are nanoseconds, exactly.
        let ns = |event: &Value, key| event.get(key).number().replace('.', "").parse::<u64>().unwrap();

        let mut free_from: BTreeMap<String, u64> = BTreeMap::new();
        let mut home: BTreeMap<String, String> = BTreeMap::new();
        let mut arrows: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut drawn: Vec<(u64, Option<u64>, u64)> = Vec::new();
        for event in events {
            let pid = event.get("pid").number().to_string();
            if let Some(tid) = event.find("tid") {
                let first = home.entry(tid.number().to_string()).or_insert(pid.clone());
                prop_assert_eq!(&*first, &pid, "a thread lives in one process");
            }
            match phase(event).as_str() {
                "X" => {
                    let (start, long) = (ns(event, "ts"), ns(event, "dur"));
                    let free = free_from.entry(event.get("tid").number().to_string()).or_default();
                    prop_assert!(*free <= start, "spans of one thread overlap");
                    *free = start + long;
                    drawn.push((event.get("args").get("seq").number().parse().unwrap(), Some(long), start));
                }
                "i" => drawn.push((event.get("args").get("seq").number().parse().unwrap(), None, ns(event, "ts"))),
                "s" | "t" | "f" => arrows.entry(event.get("id").number().to_string()).or_default().push(phase(event)),
                "M" => prop_assert!(drawn.is_empty(), "names come first"),
                other => prop_assert!(false, "phase {other}"),
            }
        }
        drawn.sort_unstable();
        let told: Vec<_> = story.iter().zip(1..).map(|((at, span, ..), seq)| (seq, *span, *at)).collect();
        prop_assert_eq!(drawn, told);
        for phases in arrows.values() {
            prop_assert!(phases.len() >= 2);
            prop_assert_eq!(&phases[0], "s");
            prop_assert_eq!(&phases[phases.len() - 1], "f");
            prop_assert!(phases[1..phases.len() - 1].iter().all(|phase| phase == "t"));
        }
    }
}

/// As much of a reader of JSON as these tests need: strict where the writers could be wrong.
mod scan {
    /// A value; numbers stay as they are written.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) enum Value {
        Null,
        Number(String),
        Text(String),
        List(Vec<Value>),
        Object(Vec<(String, Value)>),
    }

    impl Value {
        pub(super) fn find(&self, key: &str) -> Option<&Value> {
            let Value::Object(pairs) = self else { panic!("{self:?} is not an object") };
            pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value)
        }

        pub(super) fn get(&self, key: &str) -> &Value {
            self.find(key).unwrap_or_else(|| panic!("no {key} in {self:?}"))
        }

        pub(super) fn text(&self) -> &str {
            let Value::Text(text) = self else { panic!("{self:?} is not text") };
            text
        }

        pub(super) fn number(&self) -> &str {
            let Value::Number(digits) = self else { panic!("{self:?} is not a number") };
            digits
        }

        pub(super) fn list(&self) -> &[Value] {
            let Value::List(items) = self else { panic!("{self:?} is not a list") };
            items
        }
    }

    /// Reads all of `text` as one value, or says what was left when it could not go on.
    pub(super) fn parse(text: &str) -> Result<Value, String> {
        let mut rest = text.trim();
        let value = value(&mut rest).ok_or_else(|| format!("stuck at {rest:?}"))?;
        if rest.is_empty() { Ok(value) } else { Err(format!("{rest:?} follows")) }
    }

    fn eat(rest: &mut &str, token: &str) -> Option<()> {
        *rest = rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn value(rest: &mut &str) -> Option<Value> {
        *rest = rest.trim_start();
        match rest.chars().next()? {
            'n' => eat(rest, "null").map(|()| Value::Null),
            '"' => string(rest).map(Value::Text),
            '[' => items(rest, "[", "]", value).map(Value::List),
            '{' => items(rest, "{", "}", |rest| {
                *rest = rest.trim_start();
                let key = string(rest)?;
                eat(rest, ":")?;
                Some((key, value(rest)?))
            })
            .map(Value::Object),
            _ => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let (digits, after) = rest.split_at(end);
                *rest = after;
                (!digits.is_empty()).then(|| Value::Number(digits.to_string()))
            }
        }
    }

    fn items<T>(
        rest: &mut &str,
        open: &str,
        close: &str,
        mut item: impl FnMut(&mut &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        eat(rest, open)?;
        let mut items = Vec::new();
        if eat(rest, close).is_some() {
            return Some(items);
        }
        loop {
            items.push(item(rest)?);
            if eat(rest, close).is_some() {
                return Some(items);
            }
            eat(rest, ",")?;
        }
    }

    fn string(rest: &mut &str) -> Option<String> {
        let mut text = String::new();
        let mut chars = rest.strip_prefix('"')?.chars();
        loop {
            match chars.next()? {
                '"' => break,
                c if c < ' ' => return None,
                '\\' => text.push(match chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    c @ ('"' | '\\') => c,
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
        *rest = chars.as_str();
        Some(text)
    }
}

#[test]
fn a_kind_that_is_not_kept_is_counted() {
    let mut trace = Trace::new(Level::Entries { window: Window::ALL, cap: 1, without: &["request"] });
    for kind in ["request", "fault", "request", "rollout"] {
        trace.note(Instant::ZERO, None, kind, || kind.to_string());
    }
    let recorder = trace.recorder().unwrap();
    let kept: Vec<&str> = recorder.entries().iter().map(|e| e.kind).collect();
    assert_eq!((kept, recorder.passed_over(), recorder.left_out()), (vec!["fault"], 2, 1));
}
