//! The curves of queueing theory that results are drawn against, by the names that study files use.
//!
//! The formulas are in [`world::theory`]; here they get a name, the load and mean service time of a cell, and a
//! measure. Arrivals are Poisson, service times are exponential unless stated, and messages take no time: where a
//! study's base differs, so will its results, and that difference is what a reader looks for.

use crate::cell::Cell;
use crate::measure::Measure;
use std::fmt;
use world::theory::{self, Response};

/// A system whose behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Theory {
    /// One queue, one server; also a random split over any number of them: `mm1`.
    Mm1,
    /// One queue before this number of servers, by default that of the cell: `mmc 4`, `mmc`.
    Mmc(Option<u32>),
    /// One queue, one server, constant service time: `md1`.
    Md1,
    /// One queue, one server, service times with this squared coefficient of variation: `mg1 4`.
    Mg1(f64),
    /// One server shared by all requests at work, any distribution of service times: `ps`.
    ProcessorSharing,
    /// Round robin to this number of servers, by default that of the cell: `rr 10`, `rr`.
    RoundRobin(Option<u32>),
    /// Arrivals at even distances at one server, the limit of round robin to many: `dm1`.
    Dm1,
    /// The shortest of this number of queues drawn at random, in the limit of many servers: `supermarket 2`.
    Supermarket(u32),
    /// The shorter of two queues: `jsq 2`.
    Jsq2,
    /// The shorter of two draws with replacement from two queues, as Envoy draws: `p2c_replacement 2`.
    Replacement2,
    /// Join the idle queue with this number of servers per dispatcher, in the limit of many: `jiq 10`.
    Jiq(u32),
    /// As [`Theory::Jiq`], with servers that a random request reached struck off the list: `jiq_struck_off 10`.
    JiqStruckOff(u32),
}

impl Theory {
    /// The theory a study file names, such as `supermarket 2`. The error is a sentence fragment.
    pub fn parse(text: &str) -> Result<Theory, String> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let number = words.next();
        if words.next().is_some() {
            return Err(format!("`{text}` has more than a name and a number"));
        }
        let whole = |least: u32| -> Result<Option<u32>, String> {
            match number.map(str::parse::<u32>) {
                None => Ok(None),
                Some(Ok(n)) if (least..=1_000_000).contains(&n) => Ok(Some(n)),
                _ => Err(format!("`{text}` needs a whole number of at least {least}")),
            }
        };
        let must =
            |least: u32| whole(least)?.ok_or(format!("`{text}` needs a number, as in `{name} {}`", least.max(2)));
        let none = |theory| if number.is_some() { Err(format!("`{name}` takes no number")) } else { Ok(theory) };
        let two = |theory| match number {
            None | Some("2") => Ok(theory),
            _ => Err(format!("`{name}` is known for 2 servers only")),
        };
        match name {
            "mm1" | "random" => none(Theory::Mm1),
            "mmc" => Ok(Theory::Mmc(whole(1)?)),
            "md1" => none(Theory::Md1),
            "mg1" => match number.map(str::parse::<f64>) {
                Some(Ok(c)) if (0.0..=1e6).contains(&c) => Ok(Theory::Mg1(c)),
                _ => Err(format!("`{text}` needs the squared coefficient of variation, as in `mg1 4`")),
            },
            "ps" => none(Theory::ProcessorSharing),
            "rr" => Ok(Theory::RoundRobin(whole(1)?)),
            "dm1" => none(Theory::Dm1),
            "supermarket" => Ok(Theory::Supermarket(must(1)?)),
            "jsq" => two(Theory::Jsq2),
            "p2c_replacement" => two(Theory::Replacement2),
            "jiq" => Ok(Theory::Jiq(must(1)?)),
            "jiq_struck_off" => Ok(Theory::JiqStruckOff(must(1)?)),
            _ => {
                let all = Theory::CATALOGUE.map(|(name, _)| name).join(", ");
                Err(format!("there is no theory `{name}`; there are {all}"))
            }
        }
    }

    /// The names that [`Theory::parse`] takes, each with the number it needs and a line on what it is.
    pub const CATALOGUE: [(&str, &str); 12] = [
        ("mm1", "one queue, one server; also a random split over any number of servers"),
        ("mmc [servers]", "one queue before so many servers, or as many as the cell has"),
        ("md1", "one queue, one server, work that always takes the same time"),
        ("mg1 <variation>", "one queue, one server, work with this square of the coefficient of variation"),
        ("ps", "one server that all requests at work share, with any distribution of work"),
        ("rr [servers]", "round robin to so many servers, or to as many as the cell has"),
        ("dm1", "arrivals at even distances at one server: round robin to very many"),
        ("supermarket <choices>", "the shortest of so many queues chosen at random, in the limit of many servers"),
        ("jsq 2", "the shorter of two queues, exact"),
        ("p2c_replacement 2", "the shorter of two draws with replacement from two queues, exact"),
        ("jiq <servers>", "join the idle queue with so many servers to a dispatcher, in the limit of many"),
        ("jiq_struck_off <servers>", "the same where servers that a random request reached are struck off"),
    ];

    /// The value of `measure` in a cell, in the measure's unit; none where the theory has none, the load is not known
    /// or the cell is unstable.
    pub fn value(self, cell: &Cell, measure: &Measure) -> Option<f64> {
        self.at(cell.utilization?, cell, measure)
    }

    /// As [`Theory::value`], at the load `rho` instead of the cell's.
    pub fn at(self, rho: f64, cell: &Cell, measure: &Measure) -> Option<f64> {
        if !(rho > 0.0 && rho < 1.0) {
            return None;
        }
        let response = self.response(rho, cell.servers.max(1));
        let in_services = match measure {
            Measure::Mean => Some(response.mean),
            Measure::P50 => response.quantile(0.5),
            Measure::P90 => response.quantile(0.9),
            Measure::P99 => response.quantile(0.99),
            Measure::P999 => response.quantile(0.999),
            _ => None,
        };
        in_services.zip(cell.service_ms).map(|(t, ms)| t * ms)
    }

    /// The response time in milliseconds that a share `p` of the requests of a cell does not exceed, `0 < p < 1`; none
    /// where no closed form is known, or the load is not known or not between 0 and 1.
    pub fn quantile(self, p: f64, cell: &Cell) -> Option<f64> {
        let rho = cell.utilization.filter(|rho| *rho > 0.0 && *rho < 1.0)?;
        Some(self.response(rho, cell.servers.max(1)).quantile(p)? * cell.service_ms?)
    }

    fn response(self, rho: f64, servers: u32) -> Response {
        match self {
            Theory::Mm1 => theory::mm1(rho),
            Theory::Mmc(n) => theory::mmc(n.unwrap_or(servers), rho),
            Theory::Md1 => theory::md1(rho),
            Theory::Mg1(variation) => theory::mg1(variation, rho),
            Theory::ProcessorSharing => theory::processor_sharing(rho),
            Theory::RoundRobin(n) => theory::round_robin(n.unwrap_or(servers), rho),
            Theory::Dm1 => theory::dm1(rho),
            Theory::Supermarket(choices) => theory::supermarket(choices, rho),
            Theory::Jsq2 => theory::shorter_of_two(1.0, rho),
            Theory::Replacement2 => theory::shorter_of_two(0.75, rho),
            Theory::Jiq(servers) => theory::join_idle_queue(f64::from(servers), rho),
            Theory::JiqStruckOff(servers) => theory::join_idle_queue_struck_off(f64::from(servers), rho),
        }
    }
}

impl fmt::Display for Theory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Theory::Mm1 => f.write_str("M/M/1"),
            Theory::Mmc(Some(n)) => write!(f, "M/M/{n}"),
            Theory::Mmc(None) => f.write_str("M/M/c, one queue"),
            Theory::Md1 => f.write_str("M/D/1"),
            Theory::Mg1(variation) => write!(f, "M/G/1, C² = {variation}"),
            Theory::ProcessorSharing => f.write_str("M/G/1, processor sharing"),
            Theory::RoundRobin(Some(n)) => write!(f, "round robin to {n}, E{n}/M/1"),
            Theory::RoundRobin(None) => f.write_str("round robin, En/M/1"),
            Theory::Dm1 => f.write_str("D/M/1"),
            Theory::Supermarket(d) => write!(f, "supermarket model, d = {d}"),
            Theory::Jsq2 => f.write_str("shorter of 2 queues, exact"),
            Theory::Replacement2 => f.write_str("2 draws with replacement of 2, exact"),
            Theory::Jiq(r) => write!(f, "join idle queue, r = {r}"),
            Theory::JiqStruckOff(r) => write!(f, "join idle queue, struck off, r = {r}"),
        }
    }
}
