//! Rollouts: some services get new versions, one after the other or two at once, and some get an old one back.

use super::services::Sketch;
use super::{Draft, SECOND, at, text};
use base::Duration;
use scenarios::At;
use scenarios::draw::Dice;
use scenarios::scalar::{AtLeast, AtMost, Instances, Percent, Ranged, Span};
use scenarios::section::Rollout;
use scenarios::section::rollout::{Analysis, Step, Strategy, StrategyKind, StrategyTable, TooFew};

pub(super) fn rollouts(draft: &Draft) -> Vec<At<Rollout>> {
    let mut dice = draft.dice("rollout");
    if draft.total > super::size::ROUTINE_LONGEST || dice.happens(1, 2) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for sketch in draft.services.iter().filter(|sketch| sketch.versions.len() > 1) {
        let most = if dice.happens(1, 3) { 4 } else { 1 };
        let mut moments: Vec<Ranged<Span>> = (0..dice.even(0..=most)).map(|_| moment(&mut dice, draft)).collect();
        moments.sort_by_key(|at| at.low().0);
        let first = moments.first().map(|at| at.low().0);
        for moment in moments {
            // What a service runs at the start can be asked for only once something else was.
            let from = usize::from(first == Some(moment.low().0));
            let to = dice.one(&sketch.versions[from..]).clone();
            all.push(at(rollout(&mut dice, draft, sketch, &to, moment)));
        }
    }
    all
}

fn moment(dice: &mut Dice, draft: &Draft) -> Ranged<Span> {
    match dice.extreme() {
        true => Ranged::Exactly(Span(Duration::ns(*dice.one(&[0, draft.total - 1])))),
        false => dice.ranged(|dice| Span(Duration::ns(dice.even(0..=draft.total - 1)))),
    }
}

fn rollout(dice: &mut Dice, draft: &Draft, sketch: &Sketch, to: &str, moment: Ranged<Span>) -> Rollout {
    Rollout {
        service: Some(text(&sketch.name)),
        to: Some(text(to)),
        at: Some(at(moment)),
        strategy: dice.maybe(4, 5, |dice| strategy(dice, draft)),
        progress_deadline: dice.maybe(1, 2, |dice| dice.span(1..=120 * SECOND)),
        auto_rollback: dice.maybe(1, 2, |dice| dice.happens(1, 2)),
        min_ready: dice.maybe(1, 3, |dice| dice.span(0..=20 * SECOND)),
        analysis: dice.maybe(1, 2, |dice| analysis(dice, draft)),
    }
}

fn instances(dice: &mut Dice, least: u32) -> Instances {
    match dice.happens(1, 2) {
        true => Instances::Share(dice.share()),
        false => {
            let most = if dice.extreme() { u32::MAX } else { 5 };
            Instances::Count(dice.count(least..=most).0)
        }
    }
}

fn strategy(dice: &mut Dice, draft: &Draft) -> Strategy {
    let kind = *dice.one(&[StrategyKind::Rolling, StrategyKind::Canary]);
    if dice.happens(1, 4) {
        return Strategy::Kind(kind);
    }
    let table = StrategyTable { kind: Some(at(kind)), ..StrategyTable::default() };
    Strategy::Table(match kind {
        StrategyKind::Rolling => {
            // Both of them nothing would replace nobody.
            let max_unavailable = dice.maybe(1, 2, |dice| instances(dice, 0));
            let least = u32::from(max_unavailable.as_ref().is_some_and(|n| n.value == Instances::Count(0)));
            StrategyTable { max_surge: dice.maybe(1, 2, |dice| instances(dice, least)), max_unavailable, ..table }
        }
        StrategyKind::Canary => {
            let hold = draft.total / 4 + 1;
            let step = |dice: &mut Dice, first: bool| {
                let weight = (first || dice.happens(2, 3)).then(|| at(dice.share()));
                let bare = weight.is_none();
                Step { weight, hold: (bare || dice.happens(3, 4)).then(|| at(dice.span(0..=hold))) }
            };
            let steps = |dice: &mut Dice| (0..dice.even(1..=4)).map(|n| at(step(dice, n == 0))).collect();
            StrategyTable { steps: dice.maybe(3, 4, steps), ..table }
        }
    })
}

fn analysis(dice: &mut Dice, draft: &Draft) -> Analysis {
    let by_success = dice.happens(2, 3);
    let interval = draft.interval(100);
    let count = dice.maybe(1, 2, |dice| dice.count(1..=10));
    let limited = count.is_none() && dice.happens(1, 2);
    Analysis {
        success_rate: by_success.then(|| at(AtLeast(if dice.happens(1, 2) { dice.share() } else { usual() }))),
        p99: (!by_success || dice.happens(1, 3)).then(|| at(AtMost(dice.span(0..=5 * SECOND)))),
        interval: dice.maybe(2, 3, |dice| dice.span(interval..=interval.max(20 * SECOND))),
        failures: count,
        failure_limit: limited.then(|| {
            let most = if dice.extreme() { u32::MAX } else { 5 };
            at(dice.count(0..=most))
        }),
        min_samples: dice.maybe(1, 2, |dice| {
            let most = if dice.extreme() { u32::MAX } else { 100 };
            dice.count(0..=most)
        }),
        too_few: dice.maybe(1, 2, |dice| *dice.one(&[TooFew::Inconclusive, TooFew::Fails])),
    }
}

/// What most canaries are held to.
fn usual() -> Percent {
    Percent(base::Ratio::percent(90))
}
