//! Eureka's self-preservation: how many renewals it wants, whether it then believes in deaths, and how many at once.

use super::engine::{Answer, Case, CaseType, Engine};
use crate::At;
use crate::problem::Problem;
use crate::scalar::{Count, Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use world::registry::{Config, SelfPreservation};

pub(super) static ENGINE: Engine = Engine {
    name: "eureka",
    summary: "whether a Eureka server lets leases expire, how many one pass evicts, and when a lease ends",
    explanation: "A server expects each client to renew at its own interval. Leases are let go only while the renewals \
        of the last minute exceed ⌊clients · 60 s / interval · threshold⌋ and that number is above zero; one pass then \
        evicts at most listed − ⌊listed · threshold⌋ of those that have ended, chosen at random. A renewal buys two \
        ttls of silence, a registration one. Products are exact here and of floating point there: the same at 85%, \
        while 45 clients at 70% need more than 63 renewals here and 62 there. Not modelled: self-preservation switched \
        off, peers.",
    answer: "`threshold`: renewals a minute that must be exceeded. `expiry`: whether leases may expire. `limit`: the \
        most that one pass evicts. `evictions`: how many the next pass evicts. `lease`: the silence after which a \
        lease ends, `registered` if it was never renewed, `renewed` if it was.",
    source: "Netflix/eureka eureka-core/…/registry/AbstractInstanceRegistry.java (evict, updateRenewsPerMinThreshold), \
        PeerAwareInstanceRegistryImpl.java (isLeaseExpirationEnabled), ../lease/Lease.java",
    example: "\
clients  = 10
renewals = 16
ended    = 2
",
    case: CaseType::of::<Server>(),
};

/// A server, at a moment.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table such as { clients = 10, renewals = 16, ended = 2 }")]
struct Server {
    /// Clients that the server expects to renew, `expectedNumberOfClientsSendingRenews`.
    clients: Count,
    /// Renewals of the last whole minute; as many as `clients` send by default.
    #[serde(default)]
    renewals: Option<Count>,
    /// Instances in the server's registry; as many as `clients` by default.
    #[serde(default)]
    listed: Option<Count>,
    /// Leases among them whose time is over; none by default.
    #[serde(default)]
    ended: Option<At<Count>>,
    /// The share of expected renewals that must be exceeded, `renewalPercentThreshold`; 85% by default.
    #[serde(default)]
    threshold: Option<Percent>,
    /// How often a client is expected to renew, `expectedClientRenewalIntervalSeconds`; 30s by default.
    #[serde(default)]
    renew_interval: Option<At<Span>>,
    /// The duration of a lease, `leaseExpirationDurationInSeconds` of the instance; 90s by default.
    #[serde(default)]
    ttl: Option<Span>,
}

impl Case for Server {
    fn decide(&self) -> Result<Answer, Vec<Problem>> {
        let config = Config::eureka();
        let usual = SelfPreservation::eureka();
        let rules = SelfPreservation {
            threshold: self.threshold.map_or(usual.threshold, |share| share.0),
            renew_interval: self.renew_interval.as_ref().map_or(usual.renew_interval, |span| span.value.0),
            ..usual
        };
        let clients = u64::from(self.clients.0);
        let listed = self.listed.map_or(clients, |n| n.0.into());
        let ended = self.ended.as_ref().map_or(0, |n| n.value.0.into());
        let mut problems = Vec::new();
        if let Some(at) = self.renew_interval.as_ref().filter(|at| at.value.0.is_zero()) {
            problems.push(Problem::at(at, "clients cannot renew at an interval of no time").label("such as \"30s\""));
        }
        if let Some(at) = self.ended.as_ref().filter(|_| ended > listed) {
            problems.push(Problem::at(at, format!("{ended} leases have ended of {listed} that are listed")));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        // The largest window and count make 2.6 · 10²⁰: more than 64 bits hold.
        let per_window = u128::from(clients) * u128::from(rules.window.as_nanos());
        let sent = u64::try_from(per_window / u128::from(rules.renew_interval.as_nanos())).unwrap_or(u64::MAX);
        let renewals = self.renewals.map_or(sent, |n| n.0.into());
        let threshold = rules.renewal_threshold(clients);
        let limit = rules.pass_limit(listed);
        let evictions = rules.evictions(clients, renewals, listed, ended);
        let ttl = self.ttl.map_or(config.ttl, |span| span.0);
        let lease = |renewed| Span(config.lease_length(ttl, renewed)).to_string();
        let why = match evictions {
            None if threshold == 0 => "isLeaseExpirationEnabled: the threshold is 0, and nothing expires".into(),
            None => format!("isLeaseExpirationEnabled: {renewals} renewals do not exceed {threshold}"),
            Some(_) => {
                format!("evict: {renewals} renewals exceed {threshold}; of {ended} ended a pass takes {limit} at most")
            }
        };
        let decision = json!({
            "threshold": threshold,
            "expiry": evictions.is_some(),
            "limit": limit,
            "evictions": evictions.unwrap_or(0),
            "lease": {"registered": lease(false), "renewed": lease(true)},
        });
        Ok(Answer::one(decision, why))
    }
}
