//! The strategies as a table for people: what `windtunnel list strategies` and `windtunnel explain` print.

use super::Strategy;

/// A strategy, described.
#[derive(Clone, Copy, Debug)]
pub struct StrategyInfo {
    /// What a scenario calls it.
    pub name: &'static str,
    /// The strategy with its default parameters.
    pub strategy: Strategy,
    /// One line.
    pub summary: &'static str,
    /// What it does, what it is good at and where it fails.
    pub explanation: &'static str,
    /// Whose rule it follows to the letter.
    pub source: &'static str,
    /// Whether it reads [`Host::weight`](crate::Host::weight); the others treat hosts as equals.
    pub weighted: bool,
}

/// Every strategy, in the order in which they are best learned.
pub const fn all() -> &'static [StrategyInfo] {
    ALL
}

const ALL: &[StrategyInfo] = &[
    StrategyInfo {
        name: "round_robin",
        strategy: Strategy::RoundRobin,
        summary: "one host after the other, from a random start",
        explanation: "Every host gets the same number of requests, whatever they cost and however busy it is. One \
                      client alone spreads load evenly in time, which beats two choices at low load; many clients \
                      together look like random. A slow host keeps getting its full share until its queue overflows.",
        source: "Envoy round_robin with equal weights; default of gRPC, Spring Cloud LoadBalancer and Istio before 1.14",
        weighted: false,
    },
    StrategyInfo {
        name: "random",
        strategy: Strategy::Random,
        summary: "each host equally likely, every time",
        explanation: "Needs no state and no news. With Poisson arrivals each server is an M/M/1 queue of its own: at \
                      90 % load a request spends ten service times in the system. The yardstick for all others.",
        source: "Envoy random; HAProxy random(1)",
        weighted: false,
    },
    StrategyInfo {
        name: "least_request",
        strategy: Strategy::LEAST_REQUEST,
        summary: "the less busy of two hosts, drawn with replacement",
        explanation: "Draws `choices` hosts (2), one of which may come twice, and takes the one with the fewest of this \
                      client's requests outstanding; the earlier draw wins a tie. Avoids slow hosts because requests \
                      pile up there. With two hosts the busier one still gets a quarter of the requests. Beware of \
                      hosts that fail fast: they look idle and attract traffic.",
        source: "Envoy least_request, N_CHOICES (least_request_lb.cc); default of Istio since 1.14",
        weighted: false,
    },
    StrategyInfo {
        name: "p2c",
        strategy: Strategy::P2C,
        summary: "the less busy of two different hosts",
        explanation: "Power of two choices with a distinct pair: like least_request, but the two hosts are never the \
                      same, so with two hosts the busier one gets nothing. With many hosts there is no difference. \
                      `choices` may be raised up to 16.",
        source: "Finagle p2c (P2CPick.scala); Mitzenmacher 1996",
        weighted: false,
    },
    StrategyInfo {
        name: "full_scan",
        strategy: Strategy::FullScan,
        summary: "the least busy of all hosts, ties broken fairly",
        explanation: "Join the shortest queue. The best there is for one client that sees everything; many clients, each \
                      seeing only its own requests, gain less, and old information makes them herd to the same host. \
                      Costs constant time here whatever the number of hosts.",
        source: "Envoy least_request, FULL_SCAN (least_request_lb.cc); HAProxy and nginx leastconn",
        weighted: false,
    },
    StrategyInfo {
        name: "smooth_weighted_round_robin",
        strategy: Strategy::SmoothWeighted,
        summary: "in turn by weight, spread out evenly",
        explanation: "Weights 5, 1, 1 give a a b a c a a, not five in a row: every pick gives each host its weight in \
                      points, takes the host with the most and charges it the sum. Exact over every whole cycle. \
                      There is no random start, so clients that begin together send their first requests to the \
                      same host, the heaviest one. Costs time in proportion to the number of hosts.",
        source: "nginx round robin (ngx_http_upstream_round_robin.c), without its lowering of weights after failures",
        weighted: true,
    },
    StrategyInfo {
        name: "edf",
        strategy: Strategy::EarliestDeadline,
        summary: "in turn by weight, the earliest deadline first, from a random start",
        explanation: "A host of weight w is due again 1/w after its turn; whoever is due first gets the request. The \
                      start is that of a schedule some random number of picks old, so that a client which rebuilds \
                      it often does not favour the heavy hosts. A weight that changes counts from the host's next \
                      turn. Equal weights make it round_robin.",
        source: "Envoy round_robin with unequal weights (edf_scheduler.h, createWithPicks)",
        weighted: true,
    },
    StrategyInfo {
        name: "static_stride",
        strategy: Strategy::StaticStride,
        summary: "rounds over all hosts that skip the lighter ones, from a random start",
        explanation: "The heaviest host has a turn in every round, one of half its weight in every other. All it \
                      remembers is a number that counts up, so many threads can share it without a lock. Weights above \
                      ten times the mean count as ten times, those below a hundredth of it as a hundredth. The start \
                      is random, and yet the first pick of a client favours heavy hosts: beside one three times as \
                      heavy a host is first for one client in six.",
        source: "gRPC weighted_round_robin in C++ (static_stride_scheduler.cc); grpc/proposal A58",
        weighted: true,
    },
    StrategyInfo {
        name: "weighted_random",
        strategy: Strategy::WeightedRandom,
        summary: "each host as likely as its weight, every time",
        explanation: "Random, with chances in proportion to weights. Nothing is remembered, so clients cannot fall into \
                      step, but nothing evens out either: a host of weight w gets its share only on average, and the \
                      queues it builds are those of random arrivals.",
        source: "Dubbo random (RandomLoadBalance.java)",
        weighted: true,
    },
];
