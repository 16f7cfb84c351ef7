//! How much work a service can do, and how much it is offered: what `utilization` turns into a rate, what a warning of
//! overload and the cells of a study are judged by.
//!
//! Both are means of what the scenario says. Faults are left out, and so is what an instance waits for those it calls:
//! a service that passes here may still be overloaded, one that does not pass is.

use base::{Duration, ServiceId};
use world::Spec;
use world::spec::{Arrivals, GatewaySpec, ServiceSpec, Target};
use world::traffic::{RequestHead, RouteTable};

/// Requests per second that all instances of a service can finish, each at its speed; infinite where work takes no
/// time.
pub(crate) fn capacity(service: &ServiceSpec) -> f64 {
    let version = &service.versions[0];
    let mean = version.service_time.as_ref().unwrap_or(&service.service_time).mean();
    if mean == Duration::ZERO {
        return f64::INFINITY;
    }
    speed(service) * service.room() / (mean.as_secs_f64() * version.slowdown)
}

/// The speeds of all instances together, which without any is how many there are.
fn speed(service: &ServiceSpec) -> f64 {
    (0..service.instances).map(|n| service.template.speed(n)).sum()
}

/// The one service that a load asks; none when a route has several destinations, or leads nowhere.
pub(crate) fn behind(target: &Target, gateway: Option<&GatewaySpec>) -> Option<ServiceId> {
    match target {
        Target::Service(service) => Some(*service),
        Target::Gateway { host, path, headers } => {
            let pairs: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let routes = &gateway?.routes;
            let index = RouteTable::new(routes.clone()).find(&RequestHead { host, path, headers: &pairs })?;
            let mut all = routes[index].action.destinations.iter().map(|d| d.service);
            let first = all.next()?;
            all.all(|other| other == first).then_some(first)
        }
    }
}

/// Requests per second to each service, from open loads and the calls they cause. Calls go in no circle, so as many
/// rounds as there are services carry every rate to the end.
pub(crate) fn offered(spec: &Spec) -> Vec<f64> {
    let mut direct = vec![0.0; spec.services.len()];
    for load in &spec.loads {
        let rate = match &load.arrivals {
            Arrivals::Poisson { rate } | Arrivals::Constant { rate } => *rate,
            Arrivals::Bursts { base, peak, every, lasts } => {
                let share = lasts.as_secs_f64() / every.as_secs_f64();
                base * (1.0 - share) + peak * share
            }
            Arrivals::Diurnal { mean, .. } => *mean,
            Arrivals::Closed { .. } => 0.0,
        };
        match &load.target {
            Target::Service(service) => direct[service.index()] += rate,
            Target::Gateway { host, path, headers } => {
                let Some(gateway) = &spec.gateway else { continue };
                let pairs: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                let table = RouteTable::new(gateway.routes.clone());
                let Some(index) = table.find(&RequestHead { host, path, headers: &pairs }) else { continue };
                let all = &gateway.routes[index].action.destinations;
                let total: f64 = all.iter().map(|d| f64::from(d.weight)).sum();
                for destination in all {
                    direct[destination.service.index()] += rate * f64::from(destination.weight) / total;
                }
            }
        }
    }
    let mut offered = direct.clone();
    for _ in 0..spec.services.len() {
        let mut next = direct.clone();
        for (service, rate) in spec.services.iter().zip(&offered) {
            for call in service.calls.iter().flatten() {
                next[call.service.index()] += rate;
            }
        }
        if next == offered {
            break;
        }
        offered = next;
    }
    offered
}
