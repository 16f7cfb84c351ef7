//! The one hook through which every network fault acts: a rule looks at a packet and says pass, delay or drop.
//!
//! Rules are data, in the order in which their faults began. A packet meets all of them; delays add up, and one
//! drop is enough. Whether a rule that leaves something to chance strikes is decided by the packet's own key and the
//! rule's salt, so removing one rule changes nothing for packets that it never touched.

use crate::network::{Link, Packet, Transport};
use base::{Dist, Duration, Instant, Key, NodeId, Ratio};
use std::collections::VecDeque;

/// A set of nodes as a bitmap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// The set of these nodes.
    pub fn new(nodes: &[NodeId]) -> Self {
        let mut set = NodeSet::default();
        for node in nodes {
            let word = node.index() / 64;
            if set.words.len() <= word {
                set.words.resize(word + 1, 0);
            }
            set.words[word] |= 1 << (node.index() % 64);
        }
        set
    }

    /// Whether `node` is in the set.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.words.get(node.index() / 64).is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }
}

/// What a rule does to the packets it matches.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Loses all of them: a partition.
    Drop,
    /// Loses some of them.
    Lose(Ratio),
    /// Keeps them until a moment: a clog.
    HoldUntil(Instant),
    /// Makes them take longer.
    Delay(Dist),
    /// Delivers some of them twice. Datagrams only: connections remove duplicates.
    Duplicate(Ratio),
    /// Holds some of them back for a span, so that later ones overtake. Datagrams only: connections restore the order.
    Reorder(Ratio, Duration),
    /// Sends them over one narrow line, shared by all packets that match.
    Throttle(Throttle),
}

/// A line of so many bits per second, until a moment; from then on what still waits leaves at the link's own rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    bits_per_second: u64,
    until: Instant,
    /// When all that was sent has left.
    free_at: Instant,
    /// What has not left: when it does, and its bytes.
    waiting: VecDeque<(Instant, u32)>,
    /// Their sum.
    waiting_bytes: u64,
}

impl Throttle {
    /// An idle line.
    pub fn new(bits_per_second: u64, until: Instant) -> Self {
        Throttle { bits_per_second, until, free_at: Instant::ZERO, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    /// When all that was sent has left.
    pub fn free_at(&self) -> Instant {
        self.free_at
    }

    /// When a packet has left that is sent at `now`; `None` when it does not fit into the link's buffer.
    fn send(&mut self, now: Instant, bytes: u32, link: &Link) -> Option<Instant> {
        while let Some((_, left)) = self.waiting.pop_front_if(|(at, _)| *at <= now) {
            self.waiting_bytes -= u64::from(left);
        }
        // A packet that meets an idle line is sent, however large it is.
        if self.waiting_bytes > 0 && self.waiting_bytes + u64::from(bytes) > link.buffer {
            return None;
        }
        let begins = self.free_at.max(now);
        let leaves = begins.saturating_add(transmission(bytes, self.bits_per_second));
        self.free_at = if leaves <= self.until {
            leaves
        } else {
            let sent = carried(self.until.saturating_since(begins), self.bits_per_second).min(bytes.into()) as u32;
            let rest = link.bandwidth.map_or(Duration::ZERO, |rate| transmission(bytes - sent, rate));
            begins.max(self.until).saturating_add(rest)
        };
        self.waiting.push_back((self.free_at, bytes));
        self.waiting_bytes += u64::from(bytes);
        Some(self.free_at)
    }
}

/// A rule: packets from one set of nodes to another, and what becomes of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Which fault laid it down, by its number in the plan.
    pub fault: u32,
    /// Makes this rule's chances independent of every other rule's.
    pub salt: u64,
    /// Senders.
    pub from: NodeSet,
    /// Receivers.
    pub to: NodeSet,
    /// What becomes of them.
    pub action: Action,
}

/// What becomes of one packet after all rules have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Lost.
    pub dropped: bool,
    /// Later by this much.
    pub delay: Duration,
    /// Delivered a second time.
    pub duplicated: bool,
}

impl Verdict {
    /// What becomes of a packet that no rule touches.
    pub const PASS: Verdict = Verdict { dropped: false, delay: Duration::ZERO, duplicated: false };
}

/// Shows a packet on `link` to all rules. A connection hides duplicates and reordering.
pub(crate) fn judge(rules: &mut [Rule], now: Instant, packet: &Packet, link: &Link, key: Key) -> Verdict {
    let (from, to) = (packet.from, packet.to);
    let ordered = packet.transport != Transport::Datagram;
    let mut verdict = Verdict::PASS;
    // A packet that several clogs hold is free when the last of them lets go.
    let mut held = Duration::ZERO;
    for rule in rules {
        if !rule.from.contains(from) || !rule.to.contains(to) {
            continue;
        }
        let mut draws = key.derive(rule.salt).draws();
        match &mut rule.action {
            Action::Drop => verdict.dropped = true,
            Action::Lose(share) => verdict.dropped |= share.happens(&mut draws),
            Action::HoldUntil(until) => held = held.max(until.saturating_since(now)),
            Action::Delay(dist) => verdict.delay = verdict.delay.saturating_add(dist.sample(&mut draws)),
            Action::Duplicate(share) => verdict.duplicated |= !ordered && share.happens(&mut draws),
            Action::Reorder(share, by) => {
                if !ordered && share.happens(&mut draws) {
                    verdict.delay = verdict.delay.saturating_add(*by);
                }
            }
            // What is lost before it takes no room on the line.
            Action::Throttle(line) if !verdict.dropped => match line.send(now, packet.bytes, link) {
                Some(left) => verdict.delay = verdict.delay.saturating_add(left - now),
                None => verdict.dropped = true,
            },
            Action::Throttle(_) => {}
        }
    }
    verdict.delay = verdict.delay.saturating_add(held);
    verdict
}

/// How long `bytes` take on a line of so many bits a second.
pub(crate) fn transmission(bytes: u32, bits_per_second: u64) -> Duration {
    let ns = u128::from(bytes) * 8 * 1_000_000_000 / u128::from(bits_per_second.max(1));
    Duration::ns(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// How many bytes a line of so many bits a second carries in a span: the least that take so long.
pub(crate) fn carried(span: Duration, bits_per_second: u64) -> u64 {
    let bytes = (u128::from(span.as_nanos()) * u128::from(bits_per_second)).div_ceil(8 * 1_000_000_000);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rules: &mut [Rule], at_ms: u64, pair: (u32, u32), ordered: bool, key: u64) -> Verdict {
        let transport = if ordered { Transport::Exchange } else { Transport::Datagram };
        let (from, to) = (NodeId(pair.0), NodeId(pair.1));
        let packet = Packet { from, to, bytes: 1_000, transport, key: Key(key), tries: 0 };
        let link = Link { buffer: 3_000, ..Link::new(Dist::Constant(Duration::ZERO)) };
        judge(rules, Instant::from_millis(at_ms), &packet, &link, Key(key))
    }

    fn rule(from: &[u32], to: &[u32], action: Action) -> Rule {
        let set = |ids: &[u32]| NodeSet::new(&ids.iter().map(|&i| NodeId(i)).collect::<Vec<_>>());
        Rule { fault: 0, salt: 7, from: set(from), to: set(to), action }
    }

    #[test]
    fn a_one_way_partition_lets_the_other_way_pass() {
        let mut rules = [rule(&[1], &[200], Action::Drop)];
        let mut seen = |from, to| seen(&mut rules, 0, (from, to), false, 1);
        assert!(seen(1, 200).dropped);
        assert_eq!(seen(200, 1), Verdict::PASS);
        assert_eq!(seen(1, 2), Verdict::PASS);
    }

    #[test]
    fn delays_add_up_and_one_drop_is_enough() {
        let ms = Duration::ms;
        let mut rules = [
            rule(&[1], &[2], Action::Delay(Dist::Constant(ms(5)))),
            rule(&[1], &[2], Action::HoldUntil(Instant::from_millis(20))),
            rule(&[1], &[2], Action::Lose(Ratio::ONE)),
        ];
        let verdict = seen(&mut rules, 10, (1, 2), false, 1);
        assert_eq!(verdict, Verdict { dropped: true, delay: ms(15), duplicated: false });
    }

    #[test]
    fn overlapping_clogs_let_go_together() {
        let hold = |ms| rule(&[1], &[2], Action::HoldUntil(Instant::from_millis(ms)));
        let mut rules = [hold(20), hold(30), hold(25)];
        let verdict = seen(&mut rules, 10, (1, 2), false, 1);
        assert_eq!(verdict.delay, Duration::ms(20));
    }

    #[test]
    fn a_throttle_is_a_line_on_which_packets_queue() {
        // 1,000 bytes on 8 Mbit/s take a millisecond each.
        let line = Throttle::new(8_000_000, Instant::MAX);
        let mut rules = [rule(&[1], &[2], Action::Throttle(line))];
        let mut delay = |at| seen(&mut rules, at, (1, 2), true, 1).delay;
        assert_eq!([delay(0), delay(0), delay(1), delay(9)], [1, 2, 2, 1].map(Duration::ms));
    }

    #[test]
    fn a_throttle_loses_what_its_buffer_does_not_hold() {
        let line = Throttle::new(8_000_000, Instant::MAX);
        let mut rules = [rule(&[1], &[2], Action::Throttle(line))];
        let mut lost = |at| seen(&mut rules, at, (1, 2), true, 1).dropped;
        assert_eq!([lost(0), lost(0), lost(0), lost(0), lost(1), lost(1)], [false, false, false, true, false, true]);
    }

    #[test]
    fn what_waits_at_the_end_of_a_throttle_leaves_at_the_rate_of_the_link() {
        let throttle = Throttle::new(8_000_000, Instant::from_millis(2));
        let ends = |bandwidth: Option<u64>| {
            let link = Link { bandwidth, ..Link::new(Dist::Constant(Duration::ZERO)) };
            let mut line = throttle.clone();
            [(); 5].map(|()| line.send(Instant::from_nanos(500_000), 1_000, &link).expect("room").as_nanos() / 1_000)
        };
        // A packet a millisecond until 2 ms; half of the second one has left by then. A link without a bound takes the
        // rest at once, one of 80 Mbit/s in 100 us a packet.
        assert_eq!(ends(None), [1_500, 2_000, 2_000, 2_000, 2_000]);
        assert_eq!(ends(Some(80_000_000)), [1_500, 2_050, 2_150, 2_250, 2_350]);
        // What waits takes room until it leaves, however fast that will be.
        let narrow = Link { buffer: 3_000, ..Link::new(Dist::Constant(Duration::ZERO)) };
        let mut line = throttle.clone();
        let mut fits = |ns| line.send(Instant::from_nanos(ns), 1_000, &narrow).is_some();
        assert_eq!([fits(0), fits(0), fits(0), fits(0), fits(2_000_000)], [true, true, true, false, true]);
    }

    #[test]
    fn connections_hide_duplicates_and_reordering() {
        let mut rules = [
            rule(&[1], &[2], Action::Duplicate(Ratio::ONE)),
            rule(&[1], &[2], Action::Reorder(Ratio::ONE, Duration::ms(3))),
        ];
        let mut seen = |ordered| seen(&mut rules, 0, (1, 2), ordered, 1);
        assert_eq!(seen(true), Verdict::PASS);
        assert_eq!(seen(false), Verdict { dropped: false, delay: Duration::ms(3), duplicated: true });
    }

    #[test]
    fn removing_a_rule_changes_nothing_for_what_the_others_strike() {
        let lose = |salt| Rule { salt, ..rule(&[1], &[2], Action::Lose(Ratio::percent(30))) };
        let struck =
            |rules: &mut [Rule]| -> Vec<bool> { (0..200).map(|k| seen(rules, 0, (1, 2), false, k).dropped).collect() };
        let both = struck(&mut [lose(1), lose(2)]);
        let (first, second) = (struck(&mut [lose(1)]), struck(&mut [lose(2)]));
        assert!(both.iter().zip(first.iter().zip(&second)).all(|(b, (f, s))| *b == (*f || *s)));
        assert_ne!(first, second);
    }
}
