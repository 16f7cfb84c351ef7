//! What theory says of worlds so simple that they can be solved: the yardstick of tests and the curves beside results.
//!
//! Time is counted in mean services and `rho` is the load per server, between 0 and 1; arrivals are Poisson, service is
//! exponential where nothing else is said, queues are first in, first out and without bound, and messages take no
//! time. With those, [`Response`] is exact, or exact in the limit of many servers where the function says so. Nothing
//! here knows the simulator; the tests of this crate hold one against the other.

mod chain;
mod response;

pub use chain::shorter_of_two;
pub use response::Response;

use base::math::{exp, pow};
use response::{Tail, check};

/// M/M/1: one queue, one server, 1 / (1 − ρ). Also each of any number of servers among which arrivals are split at
/// random.
pub fn mm1(rho: f64) -> Response {
    check(rho);
    Response::exponential(1.0 - rho)
}

/// M/M/c: one queue before `servers` servers, by Erlang's C formula: 1 + C / (c (1 − ρ)). O(c).
pub fn mmc(servers: u32, rho: f64) -> Response {
    check(rho);
    let c = f64::from(servers);
    let mut blocking = 1.0;
    for k in 1..=servers {
        blocking = c * rho * blocking / (f64::from(k) + c * rho * blocking);
    }
    let waits = blocking / (1.0 - rho * (1.0 - blocking));
    let rate = c * (1.0 - rho);
    Response { mean: 1.0 + waits / rate, tail: Some(Tail::Wait { waits, rate }) }
}

/// M/G/1, service with squared coefficient of variation `variation`: 1 + ρ (1 + C²) / (2 (1 − ρ)), Pollaczek and
/// Khinchine.
pub fn mg1(variation: f64, rho: f64) -> Response {
    check(rho);
    Response { mean: 1.0 + rho * (1.0 + variation) / (2.0 * (1.0 - rho)), tail: None }
}

/// M/G/1 with processor sharing: 1 / (1 − ρ), whatever the distribution of service, of which a request of any size gets
/// its size times as much (Sakata, Noguchi and Oizumi, "Analysis of a Processor-Shared Queueing Model for Time-Sharing
/// Systems", 1969; Kleinrock, "Queueing Systems", volume 2, section 4.4).
pub fn processor_sharing(rho: f64) -> Response {
    check(rho);
    Response { mean: 1.0 / (1.0 - rho), tail: None }
}

/// M/D/1: service that always takes the same time.
pub fn md1(rho: f64) -> Response {
    mg1(0.0, rho)
}

/// Round robin to `servers` servers, which makes each an E_n/M/1 queue: 1 / (1 − σ) with σ = (nρ / (nρ + 1 − σ))ⁿ.
pub fn round_robin(servers: u32, rho: f64) -> Response {
    check(rho);
    let n = f64::from(servers);
    Response::exponential(1.0 - root(|sigma| pow(n * rho / (n * rho + 1.0 - sigma), n)))
}

/// D/M/1, arrivals at even distances: what round robin comes to with many servers. σ = e^(−(1 − σ)/ρ).
pub fn dm1(rho: f64) -> Response {
    check(rho);
    Response::exponential(1.0 - root(|sigma| exp((sigma - 1.0) / rho)))
}

/// The one root below 1 of σ = f(σ), for f that is convex with f(0) > 0 and f(1) = 1.
fn root(f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0 - 1e-12);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if f(middle) > middle { low = middle } else { high = middle }
    }
    low
}

/// The shortest of `choices` queues drawn at random, in the limit of many servers: the supermarket model, in which a
/// share ρ^((dⁱ − 1)/(d − 1)) of the queues holds at least i (Vvedenskaya, Dobrushin and Karpelevich, 1996;
/// Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
pub fn supermarket(choices: u32, rho: f64) -> Response {
    check(rho);
    if choices < 2 {
        return mm1(rho);
    }
    let d = f64::from(choices);
    // A request finds all its choices holding at least i with chance (share of such queues)^d: it is then the (i+1)-th.
    let (mut chances, mut mean, mut exponent) = (Vec::new(), 0.0, 0.0);
    let mut reached = 1.0;
    while reached > 1e-18 {
        exponent = exponent * d + 1.0;
        let next = pow(rho, exponent * d);
        mean += reached;
        chances.push(reached - next);
        reached = next;
    }
    Response { mean, tail: Some(Tail::Stages(chances)) }
}

/// Join the idle queue with `servers` servers per dispatcher, in the limit of many, as published: T = 1 / (1 − s), s =
/// ρ p, where p = 1 / (1 + r (1 − ρ)) is the chance that a dispatcher knows of no idle server (Lu, Xie, Kliot, Geller,
/// Larus and Greenberg, "Join-Idle-Queue", Performance Evaluation 68, 2011, theorem 2). It takes exactly the idle
/// servers to be listed, though a server that a random request reached is listed and busy: neither of the two ways to
/// treat that server has this mean. [`join_idle_queue_struck_off`] and [`join_idle_queue_kept`] are those.
pub fn join_idle_queue(servers: f64, rho: f64) -> Response {
    check(rho);
    Response::exponential(1.0 - rho / (1.0 + servers * (1.0 - rho)))
}

/// The same where a server that a random request reached is struck off: a dispatcher's list is a birth and death
/// process with deaths at rate rρ + kρp at length k and a mean length of r (1 − ρ), which together with p being the
/// chance of an empty list fixes p.
pub fn join_idle_queue_struck_off(servers: f64, rho: f64) -> Response {
    check(rho);
    let wanted = servers * (1.0 - rho);
    // For a chance p of an empty list: the births that give the mean length, and the chance of an empty list then.
    let empty = |p: f64| {
        let (mut low, mut high) = (0.0, 1e3 * servers);
        let mut found = 1.0;
        for _ in 0..100 {
            let births = (low + high) / 2.0;
            let (mut weight, mut sum, mut length, mut k) = (1.0, 1.0, 0.0, 0.0);
            while weight > sum * 1e-17 && length < 4.0 * wanted * sum + 1e6 {
                k += 1.0;
                weight *= births / (rho * (servers + k * p));
                sum += weight;
                length += k * weight;
                if k > 1e6 {
                    break;
                }
            }
            found = 1.0 / sum;
            if length / sum < wanted { low = births } else { high = births }
        }
        found
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let p = (low + high) / 2.0;
        if empty(p) > p { low = p } else { high = p }
    }
    Response::exponential(1.0 - rho * low)
}

/// The same where a server that a random request reached stays listed: whoever takes it off the list may queue behind
/// that request. Exact in the limit of many.
///
/// With p the chance of an empty list, a list is an M/M/1 queue of notes served at rate rρ and empty with chance p, so
/// a note waits an exponential time with rate θ = rρp. Meanwhile the server is an M/M/1 queue that began empty and has
/// random arrivals at rate a = ρp; at the end of an exponential time it holds n with chance (1 − z) zⁿ, where z is the
/// smaller root of z² − (1 + a + θ) z + a. The note brings one request more, and the server is busy until it is empty
/// and listed again. That a cycle of this has one note, of which there are ρ(1 − p) per service, fixes p.
pub fn join_idle_queue_kept(servers: f64, rho: f64) -> Response {
    check(rho);
    let at = |p: f64| {
        let (a, theta) = (rho * p, servers * rho * p);
        let b = 1.0 + a + theta;
        let z = (b - (b * b - 4.0 * a).sqrt()) / 2.0;
        (a, theta, z)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let p = (low + high) / 2.0;
        let (a, theta, z) = at(p);
        let cycle = 1.0 / theta + 1.0 / ((1.0 - z) * (1.0 - a));
        if cycle > 1.0 / (rho * (1.0 - p)) { low = p } else { high = p }
    }
    let (a, theta, z) = at(low);
    // Request-services of a cycle: while listed, while the extra ones are worked off, and while their successors are.
    let (left, idle) = (1.0 - z, 1.0 - a);
    let area = z / (left * theta) + z / (left * left * idle) + 1.0 / (left * idle * idle);
    Response { mean: (1.0 - low) * area, tail: None }
}
