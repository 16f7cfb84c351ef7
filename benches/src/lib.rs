//! The yardstick: the model of the balancing study, and the loop that somebody would write by hand to simulate it.
//!
//! > *n* servers, Poisson arrivals, exponential service, first come first served; each request goes to the less loaded
//! > of two servers drawn at random, as far as its client can tell, over a network that always takes the same time.
//!
//! Mitzenmacher calls it the supermarket model. It needs no more than a queue of events, a source of chance and an
//! array, so what a simulator does to it beyond that is overhead, or better engineering. The benches (`benches/`) put
//! the world beside [`heap_loop`] in one run and print the ratio, which a busy or slow machine leaves as it is.
//!
//! - [`Model`]: the numbers.
//! - [`heap_loop`]: the loop.
//!
//! And what benches and tests need to measure anything:
//!
//! - [`counting`]: an allocator that counts.
//! - [`by_hand`]: figures beside those of criterion.

pub mod by_hand;
pub mod counting;
pub mod heap_loop;

use base::Duration;

/// The numbers of the model; its service times are exponential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model {
    /// How many servers.
    pub servers: u32,
    /// Offered load: arrivals per mean service time and server, below 1.
    pub load: f64,
    /// The mean service time.
    pub service: Duration,
    /// From client to server, and back again.
    pub hop: Duration,
    /// For how long requests arrive. Those under way at its end are still answered.
    pub lasts: Duration,
    /// Requests that arrive before this are answered and not measured.
    pub warmup: Duration,
}

impl Model {
    /// The model that the benches run: load 0.9, a millisecond of work, a quarter of a millisecond each way, and
    /// `requests` arrivals in the mean.
    pub fn bench(servers: u32, requests: u32) -> Self {
        let model = Model {
            servers,
            load: 0.9,
            service: Duration::ms(1),
            hop: Duration::us(250),
            lasts: Duration::ZERO,
            warmup: Duration::ZERO,
        };
        Model { lasts: Duration::from_secs_f64(f64::from(requests) / model.rate()), ..model }
    }

    /// Arrivals per second.
    pub fn rate(&self) -> f64 {
        self.load * f64::from(self.servers) / self.service.as_secs_f64()
    }
}
