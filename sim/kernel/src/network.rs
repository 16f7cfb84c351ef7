//! The network: zones and the links between them, and what becomes of a packet on its way. Hot: every message passes
//! here.
//!
//! A packet's fate follows from the link between the two zones, the rules that faults have laid down, and the packet's
//! own [`Key`]; there is no shared stream to draw from, so a packet that is added or removed changes no other packet.
//!
//! Three transports, by what they promise:
//!
//! - [`Transport::Datagram`] promises nothing: packets are lost, doubled, and overtake each other.
//! - [`Transport::Exchange`] is a request or a response on a connection of its own, as with HTTP and a connection pool:
//!   nothing is lost while the connection lives, but one exchange may overtake another. Losses cost a retransmission.
//! - [`Transport::Stream`] is one connection for a pair of nodes: everything arrives once and in order, and what is
//!   lost delays all that follows (head-of-line blocking).
//!
//! Retransmission follows Linux: first after 200 ms (`TCP_RTO_MIN`), then doubled each time up to two minutes
//! (`TCP_RTO_MAX`), and after 15 of them (`net.ipv4.tcp_retries2`) the connection is given up.

use crate::queue::Lane;
use crate::rule::{self, Rule, Verdict};
use base::{Dist, Duration, Instant, Key, NodeId, Ratio, ZoneId};

/// What a packet's carrier promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing.
    Datagram,
    /// Arrival, while both ends live.
    Exchange,
    /// Arrival and order, while both ends live.
    Stream,
}

/// The line between two zones, or within one.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// One way.
    pub latency: Dist,
    /// The chance that a packet is lost.
    pub loss: Ratio,
    /// The chance that a datagram arrives twice.
    pub duplicate: Ratio,
    /// The chance that a datagram is held back by another latency, so that later ones may overtake it.
    pub reorder: Ratio,
    /// What one node can send over this link, in bits per second; without a bound when `None`.
    pub bandwidth: Option<u64>,
    /// How many bytes wait where the link is narrower than what is sent, at a node's own `bandwidth` or at a throttle.
    /// What does not fit is lost.
    pub buffer: u64,
}

impl Link {
    /// A line that only takes time.
    pub const fn new(latency: Dist) -> Self {
        Link {
            latency,
            loss: Ratio::ZERO,
            duplicate: Ratio::ZERO,
            reorder: Ratio::ZERO,
            bandwidth: None,
            buffer: Link::BUFFER,
        }
    }

    /// The usual buffer, in bytes: a thousand packets of 1,500 bytes, as many as Linux lets wait at an interface
    /// (`txqueuelen`, `DEFAULT_TX_QUEUE_LEN` in torvalds/linux `include/net/pkt_sched.h`) and in netem (`limit`).
    pub const BUFFER: u64 = 1_500_000;
}

/// A link with what follows from it.
#[derive(Debug)]
struct Line {
    link: Link,
    /// The latency, when nothing but the latency matters and it is always the same.
    constant: Option<Duration>,
    lane: Option<Lane>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Arrives; through `lane` when its delay is the constant of one.
    Arrives { at: Instant, lane: Option<Lane>, again: Option<Instant> },
    /// Did not get through; the sender's connection tries again at this moment.
    Retransmit(Instant),
    /// Did not get through, and nobody will try again.
    Lost,
}

/// A packet as the network sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) bytes: u32,
    pub(crate) transport: Transport,
    pub(crate) key: Key,
    /// How often it was sent before.
    pub(crate) tries: u8,
}

/// All links, and the rules in force.
#[derive(Debug)]
pub struct Network {
    zones: usize,
    /// One line per ordered pair of zones.
    lines: Vec<Line>,
    pub(crate) rules: Vec<Rule>,
    /// When each node's sending side is free again, for links with a bandwidth.
    egress_free_at: Vec<Instant>,
}

const RTO_MIN: Duration = Duration::ms(200);
const RTO_MAX: Duration = Duration::secs(120);
const RETRIES: u8 = 15;
/// Labels of the draws of one packet.
const LATENCY: u64 = 0x6c61_7465;
const CHANCE: u64 = 0x6368_616e;

impl Network {
    /// A network of `zones` zones with a link for each ordered pair: `link(from, to)`.
    ///
    /// `lane` is asked for a lane for each distinct constant latency.
    pub(crate) fn new(
        zones: usize,
        link: impl Fn(ZoneId, ZoneId) -> Link,
        mut lane: impl FnMut() -> Option<Lane>,
    ) -> Self {
        let mut lines: Vec<Line> = Vec::with_capacity(zones * zones);
        for from in 0..zones as u32 {
            for to in 0..zones as u32 {
                let link = link(ZoneId(from), ZoneId(to));
                let plain = link.loss == Ratio::ZERO
                    && link.duplicate == Ratio::ZERO
                    && link.reorder == Ratio::ZERO
                    && link.bandwidth.is_none();
                let constant = link.latency.constant().filter(|_| plain);
                let shared = lines.iter().find(|line| constant.is_some() && line.constant == constant);
                let lane = match shared {
                    Some(line) => line.lane,
                    None => constant.and_then(|_| lane()),
                };
                lines.push(Line { link, constant, lane });
            }
        }
        Network { zones, lines, rules: Vec::new(), egress_free_at: Vec::new() }
    }

    /// The link from one zone to another.
    pub fn link(&self, from: ZoneId, to: ZoneId) -> &Link {
        &self.lines[from.index() * self.zones + to.index()].link
    }

    /// Decides what becomes of a packet.
    #[inline(always)]
    pub(crate) fn route(&mut self, now: Instant, packet: &Packet, from: ZoneId, to: ZoneId) -> Fate {
        let line = &self.lines[from.index() * self.zones + to.index()];
        match line.constant {
            Some(latency) if self.rules.is_empty() => {
                Fate::Arrives { at: now.saturating_add(latency), lane: line.lane, again: None }
            }
            _ => self.route_with_care(now, packet, from, to),
        }
    }

    #[inline(never)]
    fn route_with_care(&mut self, now: Instant, packet: &Packet, from: ZoneId, to: ZoneId) -> Fate {
        let Line { link, .. } = &self.lines[from.index() * self.zones + to.index()];
        let key = packet.key.derive(u64::from(packet.tries));
        let datagram = packet.transport == Transport::Datagram;
        let verdict =
            if self.rules.is_empty() { Verdict::PASS } else { rule::judge(&mut self.rules, now, packet, link, key) };
        let mut chance = key.derive(CHANCE).draws();
        let mut lost = link.loss.happens(&mut chance) || verdict.dropped;
        let duplicated = link.duplicate.happens(&mut chance) || verdict.duplicated;
        let reordered = link.reorder.happens(&mut chance);
        let mut departure = now;
        if let Some(bandwidth) = link.bandwidth.filter(|_| !lost) {
            if self.egress_free_at.len() <= packet.from.index() {
                self.egress_free_at.resize(packet.from.index() + 1, Instant::ZERO);
            }
            let free_at = &mut self.egress_free_at[packet.from.index()];
            let waits = rule::carried(free_at.saturating_since(now), bandwidth);
            if waits > 0 && waits.saturating_add(packet.bytes.into()) > link.buffer {
                lost = true;
            } else {
                departure = (*free_at).max(now).saturating_add(rule::transmission(packet.bytes, bandwidth));
                *free_at = departure;
            }
        }
        if lost {
            return match packet.transport {
                Transport::Datagram => Fate::Lost,
                _ if packet.tries >= RETRIES => Fate::Lost,
                _ => Fate::Retransmit(now.saturating_add(retransmission_timeout(packet.tries))),
            };
        }
        let mut latency = key.derive(LATENCY).draws();
        // A clog that never ends holds for ever: sums stop at the end of time.
        let mut at = departure.saturating_add(link.latency.sample(&mut latency)).saturating_add(verdict.delay);
        if datagram && reordered {
            at = at.saturating_add(link.latency.sample(&mut latency));
        }
        let again = (datagram && duplicated).then(|| at.saturating_add(link.latency.sample(&mut latency)));
        Fate::Arrives { at, lane: None, again }
    }
}

/// How long a connection waits before it sends a packet again that was already sent `tries` times more than once.
fn retransmission_timeout(tries: u8) -> Duration {
    RTO_MIN.saturating_mul(1 << tries.min(20)).min(RTO_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Action, NodeSet};
    use proptest::prelude::*;

    fn network(link: Link) -> Network {
        Network::new(1, |_, _| link.clone(), || None)
    }

    fn send(network: &mut Network, at: Instant, transport: Transport, n: u64) -> Fate {
        let packet =
            Packet { from: NodeId(0), to: NodeId(1), bytes: 1_500, transport, key: Key(n).derive(1), tries: 0 };
        network.route(at, &packet, ZoneId(0), ZoneId(0))
    }

    fn lossy() -> Link {
        Link {
            latency: Dist::Exponential { mean: Duration::ms(1) },
            loss: Ratio::percent(10),
            duplicate: Ratio::percent(5),
            reorder: Ratio::percent(20),
            ..Link::new(Dist::Constant(Duration::ZERO))
        }
    }

    #[test]
    fn datagrams_are_lost_and_doubled_as_often_as_the_link_says() {
        let mut network = network(lossy());
        let fates: Vec<Fate> =
            (0..100_000).map(|n| send(&mut network, Instant::ZERO, Transport::Datagram, n)).collect();
        let lost = fates.iter().filter(|f| **f == Fate::Lost).count() as f64 / 1e5;
        let doubled = fates.iter().filter(|f| matches!(f, Fate::Arrives { again: Some(_), .. })).count() as f64 / 1e5;
        assert!((lost - 0.10).abs() < 0.004, "lost {lost}");
        assert!((doubled - 0.045).abs() < 0.003, "doubled {doubled}");
    }

    #[test]
    fn exchanges_are_never_lost_nor_doubled_but_sent_again() {
        let mut network = network(lossy());
        for n in 0..10_000 {
            match send(&mut network, Instant::ZERO, Transport::Exchange, n) {
                Fate::Arrives { again, .. } => assert_eq!(again, None),
                Fate::Retransmit(at) => assert_eq!(at, Instant::from_millis(200)),
                Fate::Lost => panic!("an exchange was lost at its first try"),
            }
        }
    }

    #[test]
    fn retransmissions_back_off_as_linux_does_and_end_after_fifteen_minutes() {
        let spans: Vec<String> = (0..12).map(|n| retransmission_timeout(n).to_string()).collect();
        assert_eq!(spans.join(" "), "200ms 400ms 800ms 1.6s 3.2s 6.4s 12.8s 25.6s 51.2s 102.4s 120s 120s");
        let total: Duration = (0..RETRIES).map(retransmission_timeout).fold(Duration::ZERO, |a, b| a + b);
        assert_eq!(total, Duration::ms(804_600), "ip-sysctl.rst gives 924.6 s with the last wait, of 120 s, included");
    }

    #[test]
    fn bandwidth_makes_a_sender_queue_behind_itself() {
        let latency = Dist::Constant(Duration::ms(2));
        let mut network = network(Link { bandwidth: Some(12_000_000), ..Link::new(latency) });
        // 1,500 bytes on 12 Mbit/s take a millisecond.
        let arrivals: Vec<Fate> = (0..3).map(|n| send(&mut network, Instant::ZERO, Transport::Exchange, n)).collect();
        let at = |ms| Fate::Arrives { at: Instant::from_millis(ms), lane: None, again: None };
        assert_eq!(arrivals, [at(3), at(4), at(5)]);
    }

    #[test]
    fn what_does_not_fit_into_a_buffer_is_lost() {
        let latency = Dist::Constant(Duration::ms(2));
        // Room for three packets that wait, and the one that is being sent counts as one of them.
        let narrow = Link { bandwidth: Some(12_000_000), buffer: 4_500, ..Link::new(latency) };
        let mut connected = network(narrow.clone());
        let fates: Vec<Fate> = (0..5).map(|n| send(&mut connected, Instant::ZERO, Transport::Exchange, n)).collect();
        let at = |ms| Fate::Arrives { at: Instant::from_millis(ms), lane: None, again: None };
        let again = Fate::Retransmit(Instant::from_millis(200));
        assert_eq!(fates, [at(3), at(4), at(5), again, again]);
        // A packet has left after each millisecond, and another one has room.
        assert_eq!(send(&mut connected, Instant::from_millis(1), Transport::Exchange, 9), at(6));
        let mut datagrams = network(narrow);
        let fates: Vec<Fate> = (0..4).map(|n| send(&mut datagrams, Instant::ZERO, Transport::Datagram, n)).collect();
        assert_eq!(fates, [at(3), at(4), at(5), Fate::Lost]);
    }

    proptest! {
        /// A partition drops all that crosses it in a direction it covers, nothing else, and leaves every other
        /// packet's delay to the nanosecond.
        #[test]
        fn a_rule_touches_only_what_it_matches(
            cut_from in prop::collection::btree_set(0u32..100, 1..20),
            cut_to in prop::collection::btree_set(0u32..100, 1..20),
            packets in prop::collection::vec((0u32..100, 0u32..100, any::<u64>()), 1..100),
        ) {
            let set = |ids: &std::collections::BTreeSet<u32>| {
                NodeSet::new(&ids.iter().map(|&i| NodeId(i)).collect::<Vec<_>>())
            };
            let link = Link::new(Dist::Exponential { mean: Duration::ms(1) });
            let (mut whole, mut cut) = (network(link.clone()), network(link));
            cut.rules.push(Rule {
                fault: 0, salt: 3, from: set(&cut_from), to: set(&cut_to), action: Action::Drop,
            });
            for (from, to, key) in packets {
                let packet = Packet {
                    from: NodeId(from), to: NodeId(to), bytes: 100,
                    transport: Transport::Datagram, key: Key(key), tries: 0,
                };
                let expected = whole.route(Instant::ZERO, &packet, ZoneId(0), ZoneId(0));
                let crosses = cut_from.contains(&from) && cut_to.contains(&to);
                let seen = cut.route(Instant::ZERO, &packet, ZoneId(0), ZoneId(0));
                prop_assert_eq!(seen, if crosses { Fate::Lost } else { expected });
            }
        }
    }
}
