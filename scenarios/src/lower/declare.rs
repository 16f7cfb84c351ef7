//! The names of services and their versions, which everything else refers to.

use super::Context;
use crate::At;
use crate::problem::Problem;
use crate::schema::Service;
use world::roles;
use world::version::Version;

/// A service as others may speak of it.
pub(crate) struct Declared<'s> {
    pub(crate) name: &'s str,
    pub(crate) service: &'s At<Service>,
    /// Instances that exist whatever is drawn.
    pub(crate) instances_min: u32,
    /// The initial version first, then the others in order.
    pub(crate) versions: Vec<(&'s str, Version)>,
}

/// Words that selectors use; roles have theirs.
const RESERVED: [&str; 5] = ["everything", "all", "one", "zone", "in"];

pub(crate) const INITIAL_VERSION: &str = "1.0.0";

pub(crate) fn services<'s>(cx: &mut Context<'s>) -> Vec<Declared<'s>> {
    let scenario = cx.scenario;
    if scenario.service.is_empty() {
        cx.report(
            Problem::new("there is no service")
                .help("name one: [service.checkout]; `windtunnel new NAME` writes a scenario to start from")
                .unless_lost("service"),
        );
    }
    for name in scenario.service.keys() {
        check_name(cx, name, "service");
    }
    for name in scenario.load.keys() {
        check_name(cx, name, "load");
    }
    let mut declared: Vec<Declared<'s>> = Vec::new();
    for (name, service) in &scenario.service {
        let instances_min = service.instances.as_ref().map_or(1, |n| n.low().0);
        declared.push(Declared { name, service, instances_min, versions: versions(cx, service) });
    }
    for name in scenario.service.keys() {
        let node_of = name.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok()).map(|(group, _)| group);
        let Some(group) = node_of else { continue };
        let is_load = |load: &str| scenario.load.keys().any(|known| known.as_str() == load);
        let is_role = roles::find(group).is_some() || group.strip_prefix("load-").is_some_and(is_load);
        if is_role || declared.iter().any(|d| d.name == group) {
            let what = if is_role { "a node" } else { "an instance" };
            cx.report(Problem::at(name, format!("`{}` is also the name of {what} of `{group}`", name.value)));
        }
    }
    declared
}

fn check_name(cx: &mut Context<'_>, name: &At<String>, what: &str) {
    let is_role = roles::find(name).is_some();
    if what == "service" && (is_role || RESERVED.contains(&name.as_str())) {
        let label = if is_role { "this word names a role" } else { "selectors of faults use this word" };
        cx.report(Problem::at(name, format!("a {what} cannot be called `{}`", name.value)).label(label));
    }
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !fits {
        cx.report(
            Problem::at(name, format!("`{}` cannot be the name of a {what}", name.value))
                .label("a letter, then letters, digits, - and _; at most 64"),
        );
    }
}

fn versions<'s>(cx: &mut Context<'_>, service: &'s At<Service>) -> Vec<(&'s str, Version)> {
    let mut others: Vec<(&str, Version)> = Vec::new();
    for name in service.version.keys() {
        match name.parse::<Version>() {
            Ok(version) => others.push((name, version)),
            Err(error) => cx.report(Problem::at(name, error.to_string())),
        }
    }
    others.sort_by(|a, b| a.1.cmp(&b.1));
    let initial = match &service.initial_version {
        None => (INITIAL_VERSION, Version::new(1, 0, 0)),
        Some(name) => match name.parse::<Version>() {
            Ok(version) => (name.as_str(), version),
            Err(error) => {
                cx.report(Problem::at(name, error.to_string()));
                (INITIAL_VERSION, Version::new(1, 0, 0))
            }
        },
    };
    let mut all = vec![initial];
    all.extend(others.into_iter().filter(|(name, _)| *name != all[0].0).collect::<Vec<_>>());
    all
}
