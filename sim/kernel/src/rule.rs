//! The one hook through which every network fault acts: a rule looks at a packet and says pass, delay or drop.
//!
//! Rules are data, in the order in which their faults began. A packet meets all of them; delays add up, and one
//! drop is enough. Whether a rule that leaves something to chance strikes is decided by the packet's own key and the
//! rule's salt, so removing one rule changes nothing for packets that it never touched.

use base::{Dist, Duration, Instant, Key, NodeId, Ratio};

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
    /// Sends them over a line of so many bits a second, shared by all packets that match.
    Throttle {
        /// Bits per second.
        bits_per_second: u64,
        /// When the line is free again.
        free_at: Instant,
    },
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

/// Shows a packet to all rules. `ordered` packets travel on a connection, which hides duplicates and reordering.
pub fn judge(
    rules: &mut [Rule],
    now: Instant,
    from: NodeId,
    to: NodeId,
    bytes: u32,
    ordered: bool,
    key: Key,
) -> Verdict {
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
            Action::Delay(dist) => verdict.delay += dist.sample(&mut draws),
            Action::Duplicate(share) => verdict.duplicated |= !ordered && share.happens(&mut draws),
            Action::Reorder(share, by) => {
                if !ordered && share.happens(&mut draws) {
                    verdict.delay += *by;
                }
            }
            Action::Throttle { bits_per_second, free_at } => {
                let done = (*free_at).max(now) + transmission(bytes, *bits_per_second);
                *free_at = done;
                verdict.delay += done - now;
            }
        }
    }
    verdict.delay = verdict.delay.saturating_add(held);
    verdict
}

/// How long `bytes` take on a line of so many bits a second.
pub(crate) fn transmission(bytes: u32, bits_per_second: u64) -> Duration {
    Duration::ns((u128::from(bytes) * 8 * 1_000_000_000 / u128::from(bits_per_second.max(1))) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(from: &[u32], to: &[u32], action: Action) -> Rule {
        let set = |ids: &[u32]| NodeSet::new(&ids.iter().map(|&i| NodeId(i)).collect::<Vec<_>>());
        Rule { fault: 0, salt: 7, from: set(from), to: set(to), action }
    }

    #[test]
    fn a_one_way_partition_lets_the_other_way_pass() {
        let mut rules = [rule(&[1], &[200], Action::Drop)];
        let mut seen = |from, to| judge(&mut rules, Instant::ZERO, NodeId(from), NodeId(to), 0, false, Key(1));
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
        let verdict = judge(&mut rules, Instant::from_millis(10), NodeId(1), NodeId(2), 0, false, Key(1));
        assert_eq!(verdict, Verdict { dropped: true, delay: ms(15), duplicated: false });
    }

    #[test]
    fn overlapping_clogs_let_go_together() {
        let hold = |ms| rule(&[1], &[2], Action::HoldUntil(Instant::from_millis(ms)));
        let mut rules = [hold(20), hold(30), hold(25)];
        let verdict = judge(&mut rules, Instant::from_millis(10), NodeId(1), NodeId(2), 0, false, Key(1));
        assert_eq!(verdict.delay, Duration::ms(20));
    }

    #[test]
    fn a_throttle_is_a_line_on_which_packets_queue() {
        // 1,000 bytes on 8 Mbit/s take a millisecond each.
        let mut rules = [rule(&[1], &[2], Action::Throttle { bits_per_second: 8_000_000, free_at: Instant::ZERO })];
        let mut delay =
            |at| judge(&mut rules, Instant::from_millis(at), NodeId(1), NodeId(2), 1_000, true, Key(1)).delay;
        assert_eq!([delay(0), delay(0), delay(1), delay(9)], [1, 2, 2, 1].map(Duration::ms));
    }

    #[test]
    fn connections_hide_duplicates_and_reordering() {
        let mut rules = [
            rule(&[1], &[2], Action::Duplicate(Ratio::ONE)),
            rule(&[1], &[2], Action::Reorder(Ratio::ONE, Duration::ms(3))),
        ];
        let mut seen = |ordered| judge(&mut rules, Instant::ZERO, NodeId(1), NodeId(2), 0, ordered, Key(1));
        assert_eq!(seen(true), Verdict::PASS);
        assert_eq!(seen(false), Verdict { dropped: false, delay: Duration::ms(3), duplicated: true });
    }

    #[test]
    fn removing_a_rule_changes_nothing_for_what_the_others_strike() {
        let lose = |salt| Rule { salt, ..rule(&[1], &[2], Action::Lose(Ratio::percent(30))) };
        let struck = |rules: &mut [Rule]| -> Vec<bool> {
            (0..200).map(|k| judge(rules, Instant::ZERO, NodeId(1), NodeId(2), 0, false, Key(k)).dropped).collect()
        };
        let both = struck(&mut [lose(1), lose(2)]);
        let (first, second) = (struck(&mut [lose(1)]), struck(&mut [lose(2)]));
        assert!(both.iter().zip(first.iter().zip(&second)).all(|(b, (f, s))| *b == (*f || *s)));
        assert_ne!(first, second);
    }
}
