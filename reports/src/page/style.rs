//! The page's style: a report set in one column, tables with rules instead of boxes, colours as variables with a light
//! and a dark value each.
//!
//! Everything is local: fonts are those of the reader's system, and no rule fetches anything.

use crate::plot::{Ink, SANS};
use std::fmt::Write as _;

/// The whole style sheet.
pub(crate) fn sheet() -> String {
    let mut out = String::from(":root{color-scheme:light dark;");
    inks(&mut out, 0);
    out.push_str("--good:#0b6e4f;--good-paper:#eef7f3;--bad-paper:#fdf1ef;--link:#00568a;");
    out.push_str("--code-paper:#f3f4f6}\n@media (prefers-color-scheme:dark){:root{");
    inks(&mut out, 1);
    out.push_str("--good:#4cc79e;--good-paper:#14261f;--bad-paper:#2d1a18;--link:#7cc0ee;");
    out.push_str("--code-paper:#20252b}}\n");
    for ink in Ink::all() {
        let name = ink.name();
        let _ = writeln!(out, ".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}");
    }
    let _ = writeln!(out, ":root{{--sans:{SANS}}}");
    out.push_str(RULES);
    out
}

fn inks(out: &mut String, theme: usize) {
    for ink in Ink::all() {
        let _ = write!(out, "--{}:#{:06x};", ink.name(), ink.colours()[theme]);
    }
}

const RULES: &str = r"*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 1.5rem 5rem;max-width:63rem;background:var(--paper);color:var(--text);
 font:1.0625rem/1.55 Charter,'Bitstream Charter','Iowan Old Style','Palatino Linotype',Palatino,Georgia,'Liberation Serif',serif;
 text-rendering:optimizeLegibility;hyphens:manual}
h1,h2,h3{line-height:1.2;text-wrap:balance;overflow-wrap:anywhere}
h1{font-size:2.1rem;font-weight:600;letter-spacing:-.01em;margin:.1rem 0 .6rem}
h2{font-size:1.4rem;font-weight:600;margin:3.2rem 0 .7rem;padding-top:.7rem;border-top:2px solid var(--text)}
h3{font-size:1.1rem;font-weight:600;margin:0 0 .5rem}
p{margin:0 0 .9rem;max-width:44rem;overflow-wrap:anywhere}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;font-size:.86em}
.kicker{font:600 .8rem/1.4 var(--sans);letter-spacing:.08em;text-transform:uppercase;color:var(--quiet);margin:0}
.facts{font:.92rem/1.7 var(--sans);color:var(--quiet);max-width:none;margin-bottom:1.6rem}
.facts span{margin-right:1.4rem;display:inline-block}
.facts b{color:var(--text);font-weight:600}
.verdict{border-left:6px solid;padding:1rem 1.3rem 1.05rem;margin:0 0 1.8rem}
.verdict p{margin:0 0 .35rem;max-width:50rem}
.verdict .word{font:700 1.35rem/1.3 var(--sans);letter-spacing:.01em}
.verdict.passed{border-color:var(--good);background:var(--good-paper)}
.verdict.failed{border-color:var(--broken);background:var(--bad-paper)}
.passed .word,.good{color:var(--good)}
.failed .word,.bad{color:var(--broken)}
.doubt{color:var(--faultbar)}
.failure{padding-top:.35rem}
.keys{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1rem;margin:.8rem 0 0;font:.92rem/1.6 var(--sans)}
.keys dt{color:var(--quiet)}
.keys dd{margin:0;overflow-wrap:anywhere}
.keys code{user-select:all;background:var(--paper);padding:.15em .4em;font-size:.92em;box-decoration-break:clone;
 -webkit-box-decoration-break:clone}
.merit{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:1rem 1.4rem;margin:0 0 1.6rem;padding:0;font-family:var(--sans)}
.merit div{border-top:1px solid var(--axis);padding-top:.45rem}
.merit dt{font-size:.84rem;color:var(--quiet)}
.merit dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.3}
.merit dd small{font-size:.84rem;font-weight:400;color:var(--quiet)}
nav{font:.92rem/1.9 var(--sans);margin:0 0 .5rem}
nav a{margin-right:1.1rem;white-space:nowrap;display:inline-block}
.scroll{overflow-x:auto;margin:0 0 1.2rem}
table{border-collapse:collapse;font:.92rem/1.45 var(--sans);font-variant-numeric:tabular-nums;min-width:min(100%,34rem)}
caption{caption-side:bottom;text-align:left;color:var(--quiet);font-size:.86rem;padding-top:.5rem}
th,td{text-align:left;vertical-align:baseline;padding:.32rem 1.5rem .32rem 0;border-bottom:1px solid var(--grid)}
th:last-child,td:last-child{padding-right:0}
thead th{font-weight:600;color:var(--quiet);font-size:.86rem;border-bottom:1px solid var(--axis);vertical-align:bottom;white-space:nowrap}
tbody th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
td.w{white-space:nowrap}
td.any,th.any{overflow-wrap:anywhere;min-width:8rem}
tr.sub td:first-child{padding-left:1.4rem}
tr.broken td{border-bottom:0}
tr.why td{padding-top:0;color:var(--quiet)}
figure{margin:2.2rem 0 2.8rem}
.plot{overflow-x:auto}
.plot svg{display:block;width:100%;min-width:42rem;height:auto}
figcaption{color:var(--quiet);font-size:.97rem;line-height:1.5;max-width:46rem;margin-top:.5rem}
.files{font:.88rem/1.5 var(--sans);color:var(--quiet)}
figcaption .files{display:block;margin-top:.25rem}
.files code{user-select:all}
.beware{border-left:6px solid var(--faultbar);padding:.8rem 1.3rem .9rem;margin:0 0 1.8rem;background:var(--code-paper)}
.beware p{margin:0 0 .35rem;font:600 1rem/1.4 var(--sans)}
.beware ul{margin:0;padding-left:1.2rem}
.question{font-size:1.1rem}
details{margin:1rem 0}
summary{cursor:pointer;font:600 .95rem/1.6 var(--sans)}
pre{background:var(--code-paper);padding:1rem 1.2rem;overflow-x:auto;line-height:1.5}
@media print{body{max-width:none;padding:0}figure,tr{break-inside:avoid}nav{display:none}}
";
