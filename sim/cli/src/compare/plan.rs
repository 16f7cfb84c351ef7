//! A study in the words of reports: its axes, its cells, what is compared, and the lines that reproduce them.

use super::load::Loaded;
use crate::file::quoted;
use crate::seeds::Seeds;
use base::{Duration, Seed};
use reports::study::{Axis, Cell, Comparison, Kind, Measure, Plan, PlotKind, PlotSpec, Theory};
use scenarios::study::Content;
use world::outcome::Phases;

/// The plan of a study, with its own seeds or with those that were asked for.
pub(crate) fn plan(loaded: &Loaded, seeds: Option<&Seeds>) -> Plan {
    let study = &loaded.study;
    let seeds: Vec<Seed> = match seeds {
        Some(seeds) => seeds.iter().map(Seed).collect(),
        None => study.seeds.iter().copied().map(Seed).collect(),
    };
    let first = seeds.first().map_or(0, |seed| seed.0);
    let none = Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO };
    let (kind, service) = match study.cells.first().map(|cell| &cell.content) {
        Some(Content::World { service, .. }) => (Kind::World, service.name.clone()),
        _ => (Kind::Hashing, String::new()),
    };
    let measure = |name: &String| Measure::parse(name).expect("the study was checked with these names");
    let cells = study.cells.iter().map(|cell| Cell {
        at: cell.at.clone(),
        key: cell.key.clone(),
        unstable: cell.utilization.filter(|_| cell.is_unstable()),
        utilization: cell.utilization,
        phases: match &cell.content {
            Content::World { service, .. } => service.phases,
            Content::Hashing(_) => none,
        },
        service_ms: cell.service_ms,
        servers: cell.servers,
        reproduce: match cell.content {
            // From within the folder of the report, wherever that is.
            Content::World { .. } => format!("windtunnel run cells/{}.toml --seed {first}", cell.key),
            Content::Hashing(_) => format!("windtunnel compare {} --seeds {first}..={first}", quoted(&loaded.given)),
        },
    });
    Plan {
        name: study.name.clone(),
        title: study.title.clone(),
        question: study.question.clone(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        file: loaded.given.display().to_string(),
        text: loaded.text.clone(),
        kind,
        service,
        confidence: study.confidence,
        seeds,
        axes: study
            .axes
            .iter()
            .map(|axis| Axis { name: axis.name.clone(), labels: axis.labels.clone(), numbers: axis.numbers.clone() })
            .collect(),
        cells: cells.collect(),
        comparison: study.comparison.as_ref().map(|c| Comparison {
            axis: c.axis,
            measures: c.measures.iter().map(measure).collect(),
            against: c.against,
        }),
        plots: study
            .plots
            .iter()
            .map(|plot| PlotSpec {
                kind: PlotKind::parse(&plot.kind).expect("the study was checked with these names"),
                title: plot.title.clone(),
                x: plot.x,
                series: plot.series,
                measure: plot.measure.as_ref().map(measure),
                theory: plot.theory.iter().filter_map(|name| Theory::parse(name).ok()).collect(),
            })
            .collect(),
        measures: study.measures.iter().map(measure).collect(),
    }
}
