//! Every combination of the points of all axes, lowered; and problems brought to the point that causes them.
//!
//! A cell is the base with the points' values put into it. Whatever is wrong with a cell may stand in the base, in a
//! value of an axis, or only in the combination of two; so problems are collected over all cells first. One that every
//! cell has is the base's. One that only cells with a certain point have is that point's.

use super::axis::{Axis, Point};
use super::patch::{Path, Tree};
use super::schema::HashingTable;
use super::{Content, hashing};
use crate::At;
use crate::lower::{self, capacity, warn};
use crate::problem::{Lost, Problem, Severity, known};
use crate::recover::{self, Recovered};
use crate::section::Scenario;
use base::{Duration, Seed, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use study::Cell;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use world::Spec;
use world::outcome::Phases;
use world::spec::{ServiceSpec, Target};

/// More cells than anybody waits for.
pub(crate) const CELLS_MAX: usize = 5_000;

/// Nobody reads more.
const PROBLEMS_MAX: usize = 50;

/// What cells are made of.
pub(crate) struct CellInputs<'c, 'a> {
    pub(crate) name: &'c str,
    pub(crate) base: &'c Tree<'a>,
    pub(crate) axes: &'c [Axis<'a>],
    pub(crate) seeds: &'c [Seed],
    /// The service that is measured, where the study says so.
    pub(crate) service: Option<&'c At<String>>,
    pub(crate) hashing: bool,
    /// Where a base that is another file stands, behind the study's own text.
    pub(crate) elsewhere: Option<Elsewhere<'c>>,
}

/// A base in another file.
#[derive(Clone, Copy)]
pub(crate) struct Elsewhere<'c> {
    /// What was added to its places.
    pub(crate) offset: usize,
    pub(crate) text: &'c str,
    pub(crate) shown: &'c str,
    /// Where the study names it.
    pub(crate) named: &'c Option<Range<usize>>,
}

/// A cell with what is run in it.
pub(crate) struct Made {
    pub(crate) cell: Cell,
    pub(crate) content: Content,
    /// The service whose calls are measured; empty where no world is run.
    pub(crate) service: String,
}

/// The cells in the order of the axes, and what is wrong with them.
pub(crate) fn make(inputs: &CellInputs<'_, '_>) -> (Vec<Made>, Vec<Problem>) {
    let total: usize = inputs.axes.iter().map(|axis| axis.points.len()).product();
    let mut made: Vec<Made> = Vec::new();
    let mut found = Found { of: Vec::new(), axes: inputs.axes, elsewhere: inputs.elsewhere, places: Vec::new() };
    for index in 0..total {
        let at = place(inputs.axes, index);
        let (content, problems) = one(inputs, &at);
        for problem in problems {
            found.add(problem, index);
        }
        found.places.push(at.clone());
        if let Some((content, facts)) = content {
            let labels: Vec<&str> =
                at.iter().zip(inputs.axes).map(|(i, axis)| axis.points[*i].label.as_str()).collect();
            let cell = Cell {
                key: key(&labels),
                at,
                utilization: facts.utilization,
                bounded: facts.bounded,
                phases: facts.phases,
                service_ms: facts.service_ms,
                servers: facts.servers,
            };
            made.push(Made { cell, content, service: facts.service });
        }
    }
    // Labels that differ only in what a file name cannot hold.
    for index in 0..made.len() {
        let same = made.iter().filter(|made_too| made_too.cell.key == made[index].cell.key).count();
        if same > 1 {
            let number = index + 1;
            made[index].cell.key.push_str(&format!("_{number}"));
        }
    }
    (made, found.problems(total))
}

/// The point of each axis of the `index`-th cell; the last axis turns fastest.
fn place(axes: &[Axis<'_>], index: usize) -> Vec<usize> {
    let mut rest = index;
    let mut at: Vec<usize> = axes
        .iter()
        .rev()
        .map(|axis| {
            let point = rest % axis.points.len();
            rest /= axis.points.len();
            point
        })
        .collect();
    at.reverse();
    at
}

/// A name that is safe in file names everywhere and says which cell it is.
fn key(labels: &[&str]) -> String {
    let slug = |label: &&str| {
        let mut out = String::new();
        for c in label.chars() {
            match c {
                c if c.is_ascii_alphanumeric() || c == '.' => out.push(c.to_ascii_lowercase()),
                '%' => out.push_str("pct"),
                _ if !out.ends_with('-') && !out.is_empty() => out.push('-'),
                _ => {}
            }
        }
        let out: String = out.trim_matches(['-', '.']).chars().take(40).collect();
        if out.is_empty() { "point".to_string() } else { out }
    };
    labels.iter().map(slug).collect::<Vec<String>>().join("_")
}

/// What is known of a cell before it runs.
struct Facts {
    service: String,
    utilization: Option<f64>,
    bounded: bool,
    phases: Phases,
    service_ms: Option<f64>,
    servers: u32,
}

fn one(inputs: &CellInputs<'_, '_>, at: &[usize]) -> (Option<(Content, Facts)>, Vec<Problem>) {
    let mut base = inputs.base.clone();
    let DeValue::Table(root) = base.get_mut() else { return (None, Vec::new()) };
    let mut problems = Vec::new();
    for (axis, &index) in inputs.axes.iter().zip(at) {
        let Point { unset, set, .. } = &axis.points[index];
        for path in unset {
            problems.extend(path.unset(root).err().map(|problem| *problem));
        }
        for (path, value) in set {
            problems.extend(path.set(root, value).err().map(|problem| *problem));
        }
    }
    problems.extend(items(inputs.axes, at, root));
    let all_set = problems.is_empty();
    let tree = Spanned::new(inputs.base.span(), std::mem::take(root));
    let (cell, found) = if inputs.hashing { structure(tree) } else { scenario(inputs, tree, all_set) };
    problems.extend(found.into_iter().filter(|problem| !warn::is_overload(problem)));
    (cell.filter(|_| all_set), problems)
}

/// Takes items out of arrays and puts others in. All that go, go at once, so that every point of every axis means by a
/// number what has it in the base.
fn items<'a>(axes: &[Axis<'a>], at: &[usize], root: &mut DeTable<'a>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut removed: BTreeMap<Vec<String>, (Path, BTreeSet<usize>)> = BTreeMap::new();
    let points = || axes.iter().zip(at).map(|(axis, &index)| &axis.points[index]);
    for path in points().flat_map(|point| &point.remove) {
        match path.removed(root) {
            Ok((array, index)) => {
                let keys = array.keys.iter().map(|(key, _)| key.clone()).collect();
                removed.entry(keys).or_insert_with(|| (array, BTreeSet::new())).1.insert(index);
            }
            Err(problem) => problems.push(*problem),
        }
    }
    // What lies within an item goes before the item.
    let mut removed: Vec<(Path, BTreeSet<usize>)> = removed.into_values().collect();
    removed.sort_by_key(|(path, _)| std::cmp::Reverse(path.keys.len()));
    for (path, places) in &removed {
        problems.extend(path.take_out(root, places).err().map(|problem| *problem));
    }
    for (path, value) in points().flat_map(|point| &point.add) {
        problems.extend(path.add(root, value).err().map(|problem| *problem));
    }
    problems
}

fn structure(tree: Spanned<DeTable<'_>>) -> (Option<(Content, Facts)>, Vec<Problem>) {
    let recovered: Recovered<HashingTable> = recover::from_tree(tree, |_| false);
    let mut problems = recovered.problems;
    let Some(hashing) = hashing::lower(&recovered.value, &mut problems, !recovered.lost.is_empty()) else {
        return (None, problems);
    };
    let facts = Facts {
        service: String::new(),
        utilization: None,
        bounded: true,
        phases: Phases { warmup: Duration::ZERO, storm: Duration::ZERO, calm: Duration::ZERO },
        service_ms: None,
        servers: hashing.backends,
    };
    let is_well = problems.is_empty();
    (is_well.then_some((Content::Hashing(hashing), facts)), problems)
}

/// The scenario of a cell. Where a path could not be set, nothing is concluded from what is missing.
fn scenario(
    inputs: &CellInputs<'_, '_>,
    tree: Spanned<DeTable<'_>>,
    all_set: bool,
) -> (Option<(Content, Facts)>, Vec<Problem>) {
    let mut recovered: Recovered<Scenario> = recover::from_tree(tree, |_| false);
    recovered.value.name = inputs.name.to_string();
    recovered.value.name_faults();
    let mut problems = std::mem::take(&mut recovered.problems);
    if !all_set {
        return (None, problems);
    }
    let first = inputs.seeds.first().copied().unwrap_or(Seed(1));
    let (spec, found) = lower::lower(&recovered.value, first);
    problems.extend(found.into_iter().filter(|problem| !recovered.explains(problem)));
    let Some(spec) = spec.filter(|_| problems.iter().all(|p| p.severity != Severity::Error)) else {
        return (None, problems);
    };
    let service = match measured(&spec, inputs.service) {
        Ok(service) => service,
        Err(problem) => {
            problems.push(*problem);
            return (None, problems);
        }
    };
    // Where nothing is drawn, one seed tells of all of them.
    let seeds = if spec.drawn.is_empty() { &[][..] } else { inputs.seeds.get(1..).unwrap_or_default() };
    let others = seeds.iter().filter_map(|seed| lower::lower(&recovered.value, *seed).0);
    let utilization =
        others.filter_map(|spec| utilization(&spec, service)).fold(utilization(&spec, service), |a, b| Some(a?.max(b)));
    let it = &spec.services[service.index()];
    let facts = Facts {
        service: it.name.clone(),
        utilization,
        bounded: is_bounded(it),
        phases: spec.phases,
        service_ms: service_ms(&spec, service),
        servers: it.instances.saturating_mul(servers(it)),
    };
    (Some((Content::World(Box::new(recovered.value)), facts)), problems)
}

/// The service that is measured: the one that is named, or else the one that all loads ask.
fn measured(spec: &Spec, named: Option<&At<String>>) -> Result<ServiceId, Box<Problem>> {
    if let Some(name) = named {
        let names: Vec<&str> = spec.services.iter().map(|s| s.name.as_str()).collect();
        let unknown = || Problem::at(name, format!("unknown service `{}`", name.value)).label(known(name, &names));
        return spec.service(name).ok_or_else(|| Box::new(unknown()));
    }
    let mut asked: Vec<ServiceId> = Vec::new();
    for load in &spec.loads {
        match &load.target {
            Target::Service(service) => asked.push(*service),
            Target::Gateway { .. } => asked.extend(capacity::behind(&load.target, spec.gateway.as_ref())),
        }
    }
    asked.sort_unstable();
    asked.dedup();
    match asked[..] {
        [service] => Ok(service),
        _ => {
            let names = spec.services.iter().map(|s| s.name.as_str()).collect::<Vec<&str>>().join(", ");
            Err(Box::new(
                Problem::new("which service is measured? the loads ask several, or none")
                    .help(format!("say it above the axes: service = \"…\"; there are: {names}")),
            ))
        }
    }
}

/// The share of the time for which open loads would keep the service busy; none where nothing is known of it.
fn utilization(spec: &Spec, service: ServiceId) -> Option<f64> {
    let (offered, capacity) =
        (capacity::offered(spec)[service.index()], capacity::capacity(&spec.services[service.index()]));
    (offered > 0.0 && capacity.is_finite()).then_some(offered / capacity)
}

/// Whether overload of a service ends in refusals or timeouts, and not in queues and waits that grow as long as one
/// looks.
fn is_bounded(service: &ServiceSpec) -> bool {
    let policy = &service.policy;
    let per_try = policy.retry.as_ref().and_then(|retry| retry.per_try_timeout);
    let limits = policy.limits;
    service.queue_limit.is_some()
        || policy.timeout.or(per_try).is_some()
        || limits.max_requests < u32::MAX
        || limits.max_pending < u32::MAX
}

/// How many servers of queueing theory an instance is.
fn servers(service: &ServiceSpec) -> u32 {
    (service.room() as u32).max(1)
}

/// The mean time of service in milliseconds, where every instance has the same.
fn service_ms(spec: &Spec, service: ServiceId) -> Option<f64> {
    let it = &spec.services[service.index()];
    let version = &it.versions[0];
    let mean = version.service_time.as_ref().unwrap_or(&it.service_time).mean();
    let same = it.calls.is_empty() && mean > Duration::ZERO && it.template.speeds.iter().all(|speed| *speed == 1.0);
    // Less than one processor takes longer even over a request that is alone.
    let speed = it.processors.map_or(1.0, |processors| processors.min(1.0));
    same.then(|| mean.as_millis_f64() * version.slowdown / speed)
}

/// Problems of cells, each once, with the cells that have it.
struct Found<'f, 'a> {
    of: Vec<(Problem, Vec<usize>)>,
    axes: &'f [Axis<'a>],
    elsewhere: Option<Elsewhere<'f>>,
    places: Vec<Vec<usize>>,
}

impl Found<'_, '_> {
    fn add(&mut self, problem: Problem, cell: usize) {
        match self.of.iter().position(|(known, _)| *known == problem) {
            Some(index) => self.of[index].1.push(cell),
            None if self.of.len() < PROBLEMS_MAX => self.of.push((problem, vec![cell])),
            None => {}
        }
    }

    fn problems(self, total: usize) -> Vec<Problem> {
        let mut out = Vec::new();
        for (problem, cells) in &self.of {
            let of_all = cells.len() == total;
            let on_an_axis = problem.span.as_ref().is_some_and(|span| self.is_on_an_axis(span));
            let has_place_here = problem.span.is_none() || self.elsewhere.is_none();
            // What some cells are warned of is what a study is for.
            if problem.severity == Severity::Warning && (!of_all || self.elsewhere.is_some()) {
                continue;
            }
            if on_an_axis || (of_all && has_place_here) {
                out.push(problem.clone());
            } else if of_all {
                out.push(self.of_the_base(problem));
            } else {
                out.push(self.blamed(problem, cells));
            }
        }
        out
    }

    /// Whether a place is within a point of an axis, or within a path that an axis sets.
    fn is_on_an_axis(&self, place: &Range<usize>) -> bool {
        let within = |whole: &Range<usize>| whole.start <= place.start && place.end <= whole.end;
        let mut points = self.axes.iter().flat_map(|axis| &axis.points);
        points.any(|point| {
            let put = point.set.iter().chain(&point.add).map(|(path, _)| path);
            let paths = put.chain(&point.unset).chain(&point.remove);
            let mut parts = paths.flat_map(|path| &path.keys).filter_map(|(_, span)| span.as_ref());
            within(&point.span) || parts.any(within)
        })
    }

    /// A problem of a base in another file, told where the study names it.
    fn of_the_base(&self, problem: &Problem) -> Problem {
        let Some(elsewhere) = self.elsewhere else { return problem.clone() };
        let label =
            self.line_of(problem).map_or_else(String::new, |line| format!("line {line} of {}", elsewhere.shown));
        Problem::new(format!("in the base: {}", problem.message))
            .label(if problem.label.is_empty() { label } else { format!("{label}: {}", problem.label) })
            .span(elsewhere.named.clone())
    }

    fn line_of(&self, problem: &Problem) -> Option<usize> {
        let elsewhere = self.elsewhere?;
        let offset = problem.span.as_ref()?.start.checked_sub(elsewhere.offset)?;
        Some(1 + elsewhere.text.as_bytes().iter().take(offset).filter(|b| **b == b'\n').count())
    }

    /// A problem that only some cells have, told at the point that all of them share; the one that every cell of has it
    /// where there is such a one.
    fn blamed(&self, problem: &Problem, cells: &[usize]) -> Problem {
        let first = &self.places[cells[0]];
        let shared = |axis: &usize| cells.iter().all(|cell| self.places[*cell][*axis] == first[*axis]);
        let has_all = |axis: &usize| {
            let with_point = self.places.iter().filter(|at| at[*axis] == first[*axis]).count();
            with_point == cells.len()
        };
        let axes = 0..self.axes.len();
        let guilty = axes.clone().filter(shared).find(has_all).or_else(|| axes.clone().rfind(shared));
        let axis = guilty.unwrap_or(self.axes.len() - 1);
        let point = &self.axes[axis].points[first[axis]];
        let mut label = problem.label.clone();
        if let Some(line) = self.line_of(problem) {
            label = format!("{label}{}line {line} of the base", if label.is_empty() { "" } else { "; " });
        }
        let mut blamed = Problem { label, span: Some(point.span.clone()), ..problem.clone() };
        blamed.unless_lost = None;
        if guilty.is_none_or(|axis| !has_all(&axis)) {
            let at = first.iter().zip(self.axes).map(|(i, axis)| format!("{} = {}", axis.name, axis.points[*i].label));
            let more = if cells.len() > 1 { format!(", and {} more", cells.len() - 1) } else { String::new() };
            let cell = format!("in the cell {}{more}", at.collect::<Vec<String>>().join(", "));
            blamed.help = Some(blamed.help.map_or(cell.clone(), |help| format!("{help}; {cell}")));
        }
        blamed
    }
}

impl Problem {
    /// Without what only matters while a file is read.
    pub(crate) fn settled(mut self) -> Problem {
        self.unless_lost = None::<Lost>;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_safe_in_file_names() {
        assert_eq!(key(&["50%", "p2c, choices 3"]), "50pct_p2c-choices-3");
        assert_eq!(key(&["../../etc", "", "é"]), "etc_point_point");
        assert!(key(&[&"x".repeat(500)]).len() <= 40);
    }
}
