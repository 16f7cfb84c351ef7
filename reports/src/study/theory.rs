//! The closed forms and exact chains of queueing theory that results are drawn against.
//!
//! Time is counted in mean service times and load per server; arrivals are Poisson, service is exponential where nothing
//! else is said, and messages take no time.

/// A system whose behaviour is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Theory {
    /// One queue, one server; also a random split over any number of them: `mm1`.
    Mm1,
    /// One queue before so many servers: `mmc 4`; without a number, as many servers as the cell has.
    Mmc(Option<u32>),
    /// One queue, one server, service that always takes the same time: `md1`.
    Md1,
    /// One queue, one server, service with this squared coefficient of variation: `mg1 4`.
    Mg1(f64),
    /// Round robin to so many servers: `rr 10`; without a number, as many as the cell has.
    RoundRobin(Option<u32>),
    /// Arrivals at even distances at one server, the limit of round robin to many: `dm1`.
    Dm1,
    /// The shortest of so many queues chosen at random, in the limit of many servers: `supermarket 2`.
    Supermarket(u32),
    /// The shorter of two queues: `jsq 2`.
    Jsq2,
    /// The shorter of two draws with replacement from two queues, as Envoy draws: `p2c_replacement 2`.
    Replacement2,
    /// Join the idle queue with so many servers to a dispatcher, in the limit of many: `jiq 10`.
    Jiq(u32),
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
            "rr" => Ok(Theory::RoundRobin(whole(1)?)),
            "dm1" => none(Theory::Dm1),
            "supermarket" => Ok(Theory::Supermarket(must(1)?)),
            "jsq" => two(Theory::Jsq2),
            "p2c_replacement" => two(Theory::Replacement2),
            "jiq" => Ok(Theory::Jiq(must(1)?)),
            _ => Err(format!("there is no theory `{name}`; there are {}", Theory::NAMES.join(", "))),
        }
    }

    /// The names that [`Theory::parse`] takes, with the numbers some of them need.
    pub const NAMES: [&str; 10] = [
        "mm1",
        "mmc [servers]",
        "md1",
        "mg1 <squared variation>",
        "rr [servers]",
        "dm1",
        "supermarket <choices>",
        "jsq 2",
        "p2c_replacement 2",
        "jiq <servers per dispatcher>",
    ];
}
