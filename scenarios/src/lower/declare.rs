//! The names that sections refer to: services and their versions, and everything that a selector can name.

use super::Context;
use crate::At;
use crate::at::Key;
use crate::problem::Problem;
use crate::section::service::Service;
use crate::select::Names;
use world::Spec;
use world::roles::{self, Role};
use world::version::Version;

/// A service as other sections refer to it.
pub(crate) struct Declared<'s> {
    pub(crate) name: &'s str,
    pub(crate) service: &'s At<Service>,
    /// Instances that exist whatever is drawn.
    pub(crate) instances_min: u32,
    /// The initial version first, then the others in order.
    pub(crate) versions: Vec<(&'s str, Version)>,
}

/// The words of selectors; the names of roles are reserved too.
const RESERVED: [&str; 5] = ["everything", "all", "one", "zone", "in"];

/// The version that instances start with where the service does not say.
const INITIAL_VERSION: &str = "1.0.0";

/// Collects the services of the scenario in the context, and reports names that cannot be.
pub(crate) fn services(cx: &mut Context<'_>) {
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
    for (name, service) in &scenario.service {
        let instances_min = service.instances.as_ref().map_or(1, |n| n.low().0);
        let versions = versions(cx, service);
        cx.services.push(Declared { name, service, instances_min, versions });
    }
    for name in scenario.service.keys() {
        let node_of = name.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok()).map(|(group, _)| group);
        let Some(group) = node_of else { continue };
        let is_load = |load: &str| scenario.load.keys().any(|known| known.as_str() == load);
        let is_role = roles::find(group).is_some() || group.strip_prefix("load-").is_some_and(is_load);
        if is_role || cx.services.iter().any(|d| d.name == group) {
            let what = if is_role { "a node" } else { "an instance" };
            cx.report(Problem::at(name, format!("`{}` is also the name of {what} of `{group}`", name.value)));
        }
    }
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

/// What selectors can name: instances and zones of the scenario, and nodes of every role, as many as there are at
/// least. `spec` has what the sections before faults become.
pub(crate) fn names<'a>(cx: &Context<'a>, spec: &'a Spec) -> Names<'a> {
    let scenario = cx.scenario;
    let sources = || scenario.load.iter().map(|(name, load)| (name.as_str(), load.sources.inner_or(1)));
    let nodes_of = |role: &Role| match role {
        role if *role == roles::GATEWAY => {
            scenario.gateway.as_ref().map_or(0, |at| at.instances.as_ref().map_or(1, |n| n.low().0))
        }
        role if *role == roles::LOAD => sources().map(|(_, n)| n).sum(),
        // Where the section that brings it is wrong, that is what is told, and not that nobody is there.
        role => (role.count)(spec).max(u32::from(scenario.has_section(role.section()))),
    };
    let rolled = |name: &str| scenario.rollout.iter().any(|r| r.service.as_ref().is_some_and(|s| s.value == name));
    Names {
        services: cx.services.iter().map(|s| (s.name, s.instances_min, rolled(s.name))).collect(),
        zones: spec.zones.iter().map(String::as_str).collect(),
        roles: roles::all().map(|role| (role, nodes_of(role))).collect(),
        loads: sources().collect(),
    }
}
