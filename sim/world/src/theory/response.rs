//! How long requests take in a system that theory can solve: the mean, and where it is known the whole distribution.

use base::math::{exp, ln};

/// How long requests take in a system, from arrival to end, in mean services.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The mean.
    pub mean: f64,
    pub(super) tail: Option<Tail>,
}

/// The chance of a longer response.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tail {
    /// Exponential with this rate.
    Exponential(f64),
    /// A service, and before it with chance `waits` a wait that is exponential with this rate.
    Wait { waits: f64, rate: f64 },
    /// So many exponential services one after the other: one with the first chance, two with the second, and so on.
    Stages(Vec<f64>),
}

impl Response {
    pub(super) fn exponential(rate: f64) -> Response {
        Response { mean: 1.0 / rate, tail: Some(Tail::Exponential(rate)) }
    }

    /// The chance that a response takes longer than `time`; none where no closed form is known.
    pub fn exceeds(&self, time: f64) -> Option<f64> {
        Some(match self.tail.as_ref()? {
            Tail::Exponential(rate) => exp(-rate * time),
            Tail::Wait { waits, rate } => {
                let both = if (rate - 1.0).abs() < 1e-9 {
                    (1.0 + time) * exp(-time)
                } else {
                    (rate * exp(-time) - exp(-rate * time)) / (rate - 1.0)
                };
                (1.0 - waits) * exp(-time) + waits * both
            }
            Tail::Stages(chances) => {
                // An Erlang time of i stages exceeds t with the chance of fewer than i events of a Poisson process.
                let (mut event, mut fewer, mut sum) = (exp(-time), 0.0, 0.0);
                for (i, chance) in chances.iter().enumerate() {
                    fewer += event;
                    event *= time / (i + 1) as f64;
                    sum += chance * fewer;
                }
                sum
            }
        })
    }

    /// The time that a share `p` of the responses does not pass, `0 < p < 1`; none where no closed form is known.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        if let Some(Tail::Exponential(rate)) = self.tail {
            return Some(-ln(1.0 - p) / rate);
        }
        let (mut low, mut high) = (0.0, 1.0);
        while self.exceeds(high)? > 1.0 - p {
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if self.exceeds(middle)? > 1.0 - p { low = middle } else { high = middle }
        }
        Some(high)
    }
}

/// Panics where no queue is stable.
pub(super) fn check(rho: f64) {
    assert!(rho > 0.0 && rho < 1.0, "a queue is stable with a load between 0 and 1, not {rho}");
}
