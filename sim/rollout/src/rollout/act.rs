//! What a rollout does once it holds the lock: the steps of each phase, and the alarms that go with them.

use super::{Lock, NEW, OLD, Record, Rollout};
use crate::rolling::{self, Move};
use crate::timers::Timer;
use crate::{AbortReason, Effect, Event, Measurement, Phase, Step, canary};
use base::{Duration, FencingToken, Outbox, Ratio};

impl Rollout {
    /// Does everything that can be done now, under the lock.
    pub(super) fn act(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        if self.timers.due(Timer::Progress) {
            self.timers.clear(Timer::Progress);
            if self.plan.auto_rollback && !self.returns {
                self.go_back(AbortReason::ProgressDeadline, out);
            } else {
                self.overdue = true;
                self.note(Event::Overdue { after: self.plan.progress_deadline }, out);
            }
        }
        if self.timers.due(Timer::Measure) {
            if self.measuring {
                // A check that nobody answered is one without data. The next is asked for only after this one had its
                // effect, or silent metrics would keep the rollout waiting for ever.
                self.measured(&Measurement::default(), out);
            } else {
                self.measure(out);
            }
        }
        for (timer, over) in [(Timer::Hold, &mut self.held), (Timer::Drain, &mut self.rested)] {
            if self.timers.due(timer) {
                self.timers.clear(timer);
                *over = true;
            }
        }
        if self.state.phase == Phase::Pending {
            // Back to what there was, without steps, as Argo Rollouts does when the wanted replica set is the
            // stable one (argo-rollouts, `rollout/canary.go`, `syncRolloutStatusCanary`).
            let whole = self.returns && self.is_canary();
            self.state.phase = if whole { Phase::Promoting } else { Phase::Progressing };
            out.push(Effect::Persist(self.state));
            self.note(Event::Started { from: self.plan.from, to: self.plan.to }, out);
        }
        self.split_traffic(token, out);
        while self.take_step(token, out) {}
        // Last, so that what is seen is what all these commands have done.
        if self.timers.due(Timer::Observe) {
            self.observe(out);
        }
        if self.timers.due(Timer::Measure) {
            self.measure(out);
        }
        if !self.state.phase.is_terminal() {
            self.set_alarms();
        }
    }

    /// Says once under each lock how traffic is split, and takes it away from a version that is given up.
    fn split_traffic(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        let back = self.state.phase == Phase::RollingBack && !self.state.drained;
        // Until the version that is returned to can take everything, traffic stays as it is.
        let stays = self.returns && self.state.phase == Phase::Promoting;
        if !self.is_canary() {
            if !self.split {
                self.split = true;
                out.push(Effect::ClearWeights { token });
            }
        } else if back && self.state.weight > Ratio::ZERO {
            self.state.weight = Ratio::ZERO;
            out.push(Effect::Persist(self.state));
            self.set_weights(token, Ratio::ZERO, out);
        } else if !(self.split || stays) {
            // A controller that went down between a step and the smaller weight of the next has promised the larger one
            // to nobody: what is said again is no more than the present step allows.
            let allowed = self.weight_limit();
            if allowed < self.state.weight {
                self.state.weight = allowed;
                out.push(Effect::Persist(self.state));
            }
            self.set_weights(token, allowed, out);
        }
    }

    /// Takes one step; true when another may be possible at once.
    fn take_step(&mut self, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        match (self.state.phase, self.is_canary()) {
            (Phase::Progressing, false) => self.roll(NEW, token, out),
            (Phase::RollingBack, false) => self.roll(OLD, token, out),
            (Phase::Progressing, true) => self.walk(token, out),
            (Phase::RollingBack, true) => self.withdraw(token, out),
            (Phase::Promoting, _) => self.take_over(token, out),
            (Phase::Draining, _) => self.drain(token, out),
            (Phase::Pending | Phase::Completed | Phase::RolledBack | Phase::Failed, _) => false,
        }
    }

    /// A rolling update towards `side`.
    fn roll(&mut self, side: usize, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        let (Some([old, new]), Some(limits)) = (self.instances(), self.limits()) else { return false };
        let (incoming, outgoing) = if side == NEW { (new, old) } else { (old, new) };
        match rolling::next(self.plan.replicas, limits, incoming, outgoing) {
            Move::Incoming(replicas) => self.scale(side, replicas, token, out),
            Move::Outgoing(replicas) => self.scale(1 - side, replicas, token, out),
            Move::Wait => {}
            Move::Done if side == NEW => self.settle(Phase::Completed, Event::Completed, token, out),
            Move::Done => self.settle(Phase::RolledBack, Event::RolledBack, token, out),
        }
        false
    }

    /// A canary's present step.
    fn walk(&mut self, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        let Some((index, step)) = self.step() else {
            self.state.phase = Phase::Promoting;
            out.push(Effect::Persist(self.state));
            return true;
        };
        if !self.entered {
            self.entered = true;
            self.note(Event::StepEntered { index: index as u32, step }, out);
        }
        match step {
            Step::SetWeight(weight) => {
                let replicas = canary::replicas_for(weight, self.plan.replicas);
                if weight < self.state.weight {
                    // Traffic first on the way out.
                    self.state.weight = weight;
                    out.push(Effect::Persist(self.state));
                    self.set_weights(token, weight, out);
                }
                let Some([old, new]) = self.instances() else { return false };
                if old.desired != self.plan.replicas {
                    self.scale(OLD, self.plan.replicas, token, out);
                    return false;
                }
                if new.desired != replicas {
                    self.scale(NEW, replicas, token, out);
                    return false;
                }
                if new.available < replicas {
                    return false;
                }
                let more = weight > self.state.weight;
                if more && self.is_unsure() {
                    return false;
                }
                self.state.weight = weight;
                self.next_step(out);
                if more {
                    self.set_weights(token, weight, out);
                }
                true
            }
            Step::Hold(span) if !self.held && span.is_zero() => {
                self.held = true;
                true
            }
            Step::Hold(span) if !self.held => {
                self.timers.ensure(Timer::Hold, span);
                false
            }
            Step::Hold(_) if self.is_unsure() => false,
            Step::Hold(_) => {
                self.next_step(out);
                true
            }
            Step::Pause => false,
        }
    }

    /// A canary's steps are done: all instances, then all traffic.
    fn take_over(&mut self, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        let Some([_, new]) = self.instances() else { return false };
        if new.desired != self.plan.replicas {
            self.scale(NEW, self.plan.replicas, token, out);
            return false;
        }
        if new.available < self.plan.replicas || self.is_unsure() {
            return false;
        }
        self.state.phase = Phase::Draining;
        self.state.weight = Ratio::ONE;
        out.push(Effect::Persist(self.state));
        self.set_weights(token, Ratio::ONE, out);
        self.note(Event::Promoted, out);
        true
    }

    /// The new version has all traffic: the old one goes, after a while.
    fn drain(&mut self, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        if !self.rest(self.plan.scale_down_delay, self.state.drained) {
            return false;
        }
        let Some([old, new]) = self.instances() else { return false };
        if old.desired > 0 {
            self.state.drained = true;
            out.push(Effect::Persist(self.state));
            self.scale(OLD, 0, token, out);
        } else if new.desired != self.plan.replicas {
            self.scale(NEW, self.plan.replicas, token, out);
        } else if old.total == 0 && new.total == self.plan.replicas && new.available == self.plan.replicas {
            self.settle(Phase::Completed, Event::Completed, token, out);
        }
        false
    }

    /// A canary on its way back: the old version whole, all traffic to it, the new version gone.
    fn withdraw(&mut self, token: FencingToken, out: &mut Outbox<Effect>) -> bool {
        let Some([old, new]) = self.instances() else { return false };
        if old.desired != self.plan.replicas {
            self.scale(OLD, self.plan.replicas, token, out);
            return false;
        }
        if self.state.drained {
            // The old version was told to go, so it must be up again before it gets traffic. Flagger learnt this
            // in #1931.
            if old.available == self.plan.replicas {
                self.state.drained = false;
                self.state.weight = Ratio::ZERO;
                out.push(Effect::Persist(self.state));
                self.set_weights(token, Ratio::ZERO, out);
                return true;
            }
        } else if new.desired > 0 {
            if self.rest(self.plan.abort_scale_down_delay, false) {
                self.scale(NEW, 0, token, out);
            }
        } else if new.total == 0 && old.total == self.plan.replicas && old.available == self.plan.replicas {
            self.settle(Phase::RolledBack, Event::RolledBack, token, out);
        }
        false
    }

    /// True when instances without traffic have stayed long enough.
    fn rest(&mut self, delay: Duration, already: bool) -> bool {
        if self.rested || already || delay.is_zero() {
            return true;
        }
        self.timers.ensure(Timer::Drain, delay);
        false
    }

    pub(super) fn next_step(&mut self, out: &mut Outbox<Effect>) {
        self.state.step += 1;
        (self.entered, self.held) = (false, false);
        self.timers.clear(Timer::Hold);
        self.timers.clear(Timer::Progress);
        out.push(Effect::Persist(self.state));
    }

    pub(super) fn go_back(&mut self, reason: AbortReason, out: &mut Outbox<Effect>) {
        self.state.phase = Phase::RollingBack;
        self.state.reason = Some(reason);
        (self.rested, self.overdue) = (false, false);
        for timer in [Timer::Hold, Timer::Drain, Timer::Progress, Timer::Measure] {
            self.timers.clear(timer);
        }
        out.push(Effect::Persist(self.state));
        self.note(Event::Aborted { reason }, out);
    }

    /// Ends, once nothing is left of any version that an earlier rollout left behind.
    fn settle(&mut self, phase: Phase, event: Event, token: FencingToken, out: &mut Outbox<Effect>) {
        if self.seen.is_some_and(|seen| seen.others > 0) {
            self.seen = None;
            out.push(Effect::RemoveOthers { token, keep: [self.plan.from, self.plan.to] });
        } else {
            self.finish(phase, event, out);
        }
    }

    pub(super) fn finish(&mut self, phase: Phase, event: Event, out: &mut Outbox<Effect>) {
        self.state.phase = phase;
        out.push(Effect::Persist(self.state));
        self.note(event, out);
        if let Lock::Held(token) = self.lock {
            out.push(Effect::ReleaseLock { token });
        }
        self.lock = Lock::Idle;
        self.timers.clear_all();
    }

    /// Commands a number of instances, and looks at once whether the world has heard.
    fn scale(&mut self, side: usize, replicas: u32, token: FencingToken, out: &mut Outbox<Effect>) {
        let version = self.version(side);
        if let Some(desired) = &mut self.desired {
            desired[side] = replicas;
        }
        self.seen = None;
        self.timers.clear(Timer::Progress);
        out.push(Effect::Scale { token, version, replicas });
        self.note(Event::Scaled { version, replicas }, out);
        self.observe(out);
    }

    /// Commands the split of the present weight, under what the step that commands it allows.
    fn set_weights(&mut self, token: FencingToken, limit: Ratio, out: &mut Outbox<Effect>) {
        self.split = true;
        out.push(Effect::SetWeights { token, weights: self.split_of(self.state.weight), limit });
        self.note(Event::WeightSet { weight: self.state.weight }, out);
    }

    fn observe(&mut self, out: &mut Outbox<Effect>) {
        out.push(Effect::Observe { min_ready: self.plan.min_ready });
        self.timers.set(Timer::Observe, self.plan.observe_every);
    }

    fn measure(&mut self, out: &mut Outbox<Effect>) {
        self.timers.clear(Timer::Measure);
        if let Some(analysis) = self.plan.analysis.filter(|_| self.is_judged()) {
            self.measuring = true;
            out.push(Effect::Measure { version: self.plan.to, window: analysis.interval });
        }
    }

    pub(super) fn note(&mut self, event: Event, out: &mut Outbox<Effect>) {
        if event.is_history() {
            self.history.push(Record { at: self.timers.now(), event });
        }
        out.push(Effect::Note(event));
    }

    /// Keeps the timers that belong to the present phase, and no others.
    fn set_alarms(&mut self) {
        match self.plan.analysis.filter(|_| self.is_judged()) {
            Some(analysis) => self.timers.ensure(Timer::Measure, analysis.interval),
            None => {
                self.timers.clear(Timer::Measure);
                (self.measuring, self.doubtful) = (false, false);
            }
        }
        if self.needs_progress() && !self.overdue {
            self.timers.ensure(Timer::Progress, self.plan.progress_deadline);
        } else {
            self.timers.clear(Timer::Progress);
        }
    }

    /// True while the new version has traffic and the old one could take it back at no cost.
    pub(super) fn is_judged(&self) -> bool {
        match self.state.phase {
            _ if self.returns => false,
            Phase::Progressing | Phase::Promoting if self.is_canary() => self.state.weight > Ratio::ZERO,
            Phase::Progressing => self.desired.is_some_and(|desired| desired[NEW] > 0),
            _ => false,
        }
    }

    /// True while the last check failed or the present one is not answered: no time to give the new version more.
    fn is_unsure(&self) -> bool {
        self.doubtful || self.measuring
    }

    /// True while it is instances that the way forward waits for.
    fn needs_progress(&self) -> bool {
        match self.state.phase {
            Phase::Progressing if self.is_canary() => matches!(self.step(), Some((_, Step::SetWeight(_)))),
            Phase::Progressing | Phase::Promoting => true,
            _ => false,
        }
    }
}
