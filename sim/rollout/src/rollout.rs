//! The state machine itself: who may act, what is waited for, what comes next.
//!
//! Every input ends in [`Rollout::go_on`], which looks at the lock, at the timers and at the newest observation, and takes
//! as many steps as those allow. Two rules keep a slow or lying world from leading it astray:
//!
//! - One [`Effect::Scale`] an observation. After it, nothing is decided until the world shows the number asked for;
//!   while it shows another, the command is given again.
//! - Being told twice is harmless. Whatever was commanded under one token is commanded again under the next.

use crate::rolling::{self, Limits, Move};
use crate::timers::{Timer, Timers};
use crate::{AbortReason, Effect, Event, Input, Instances, Measurement, Observation, Phase, Plan, PlanError};
use crate::{State, Step, Strategy, Verdict, canary};
use base::{Duration, FencingToken, Instant, Outbox, Ratio, VersionId};
use std::fmt;

/// One rollout of one service. See the [crate] for what always holds.
#[derive(Clone, Debug)]
pub struct Rollout {
    plan: Plan,
    state: State,
    lock: Lock,
    /// The token of the last lock that was lost; a grant must be newer to count.
    lost: Option<FencingToken>,
    timers: Timers,
    /// What was last commanded under this lock, old and new; none until the world was seen under it.
    desired: Option<[u32; 2]>,
    /// The last observation, as long as it shows what was commanded.
    seen: Option<Observation>,
    /// The last observation, whatever it showed: progress is measured against it.
    before: Option<Observation>,
    /// The split of traffic was commanded under this lock.
    split: bool,
    /// A measurement was asked for and has not come.
    measuring: bool,
    /// The last check failed: a canary does not go on from there.
    doubtful: bool,
    /// The step was announced.
    entered: bool,
    /// The time of a hold is over.
    held: bool,
    /// The time that instances without traffic stay is over.
    rested: bool,
    history: Vec<Record>,
}

/// One line of a rollout's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, on the clock of the controller.
    pub at: Instant,
    /// What.
    pub event: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    /// Not asked for: not started yet, or over.
    Idle,
    /// Asked for or refused; the lock timer is set.
    Wanted,
    Held(FencingToken),
}

/// The places of the old and the new version in pairs of them.
const OLD: usize = 0;
const NEW: usize = 1;

impl Rollout {
    /// A rollout that waits for [`Input::Start`].
    pub fn new(plan: Plan) -> Result<Self, PlanError> {
        plan.check()?;
        let state = State {
            service: plan.service,
            from: plan.from,
            to: plan.to,
            phase: Phase::Pending,
            step: 0,
            weight: Ratio::ZERO,
            failures: 0,
            drained: false,
            reason: None,
        };
        Ok(Rollout::with_state(plan, state))
    }

    /// A rollout that goes on from a persisted state, once it is told [`Input::Start`]: it asks for the lock, looks at the
    /// world, and repeats what it last commanded. Its history begins anew.
    pub fn recover(plan: Plan, state: State) -> Result<Self, RecoverError> {
        plan.check().map_err(RecoverError::Plan)?;
        if (state.service, state.from, state.to) != (plan.service, plan.from, plan.to) {
            return Err(RecoverError::OtherRollout { state });
        }
        let steps = match &plan.strategy {
            Strategy::Rolling { .. } => 0,
            Strategy::Canary { steps } => steps.len(),
        };
        if state.step as usize > steps {
            return Err(RecoverError::NoSuchStep { step: state.step, steps: steps as u32 });
        }
        Ok(Rollout::with_state(plan, state))
    }

    fn with_state(plan: Plan, state: State) -> Self {
        Rollout {
            plan,
            state,
            lock: Lock::Idle,
            lost: None,
            timers: Timers::default(),
            desired: None,
            seen: None,
            before: None,
            split: false,
            measuring: false,
            doubtful: false,
            entered: false,
            held: false,
            rested: false,
            history: Vec::new(),
        }
    }

    /// Takes one input and says what to do about it. Constant time, but for a canary whose steps need nothing.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        self.timers.advance(now);
        match input {
            Input::Start => self.start(out),
            Input::LockGranted { token } => self.granted(token, out),
            Input::LockRefused { retry_after } => self.refused(retry_after),
            Input::LockLost => self.lost(out),
            Input::Observed(observation) => self.observed(observation, out),
            Input::Measured(measurement) => self.measured(&measurement, out),
            Input::Promote => self.promote(out),
            Input::Abort => self.abort(out),
            Input::Wake => {}
        }
        self.go_on(out);
    }

    /// The next moment at which it wants [`Input::Wake`]; none when only somebody else can move it.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What it is to do.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How far it has come.
    pub const fn phase(&self) -> Phase {
        self.state.phase
    }

    /// The step of a canary that is under way, with its index.
    pub fn step(&self) -> Option<(usize, Step)> {
        let index = self.state.step as usize;
        match &self.plan.strategy {
            Strategy::Canary { steps } if self.state.phase == Phase::Progressing => {
                steps.get(index).map(|&step| (index, step))
            }
            _ => None,
        }
    }

    /// True while only [`Input::Promote`] or [`Input::Abort`] can end the present step.
    pub fn awaits_promotion(&self) -> bool {
        matches!(self.step(), Some((_, Step::Pause)))
    }

    /// The share of the traffic last given to each version, old first; none for a rolling update, where traffic follows
    /// the instances.
    pub fn weights(&self) -> Option<[(VersionId, Ratio); 2]> {
        self.is_canary().then(|| self.split_of(self.state.weight))
    }

    /// The largest share of the traffic the new version may have at present: what an invariant compares the world with.
    /// All of it for a rolling update.
    pub fn weight_limit(&self) -> Ratio {
        let Strategy::Canary { steps } = &self.plan.strategy else { return Ratio::ONE };
        match self.state.phase {
            Phase::Pending | Phase::RolledBack => Ratio::ZERO,
            // Without the lock, what has changed cannot be carried out yet: the world still has what it was given.
            _ if self.lock == Lock::Wanted => self.state.weight,
            Phase::Progressing => canary::weight_at(steps, self.state.step as usize),
            Phase::Promoting | Phase::Draining | Phase::Completed => Ratio::ONE,
            Phase::RollingBack if !self.state.drained => Ratio::ZERO,
            Phase::RollingBack | Phase::Failed => self.state.weight,
        }
    }

    /// How far a rolling update may stray from `replicas`; none for a canary.
    pub fn limits(&self) -> Option<Limits> {
        match self.plan.strategy {
            Strategy::Rolling { max_surge, max_unavailable } => {
                Some(Limits::resolve(max_surge, max_unavailable, self.plan.replicas))
            }
            Strategy::Canary { .. } => None,
        }
    }

    /// How many checks have failed.
    pub const fn failures(&self) -> u32 {
        self.state.failures
    }

    /// Why it went back or failed, if it did.
    pub const fn reason(&self) -> Option<AbortReason> {
        self.state.reason
    }

    /// The token under which it acts; none while it may not.
    pub const fn token(&self) -> Option<FencingToken> {
        match self.lock {
            Lock::Held(token) => Some(token),
            Lock::Idle | Lock::Wanted => None,
        }
    }

    /// What happened so far, oldest first, without the checks that did not fail. Only ever appended to.
    pub fn history(&self) -> &[Record] {
        &self.history
    }

    /// What must be kept to go on after a crash; [`Effect::Persist`] carries it whenever it changes.
    pub const fn snapshot(&self) -> State {
        self.state
    }

    fn start(&mut self, out: &mut Outbox<Effect>) {
        if self.lock == Lock::Idle && !self.state.phase.is_terminal() {
            self.ask(out);
        }
    }

    fn ask(&mut self, out: &mut Outbox<Effect>) {
        self.lock = Lock::Wanted;
        out.push(Effect::AcquireLock { service: self.plan.service });
        // An answer that never comes is a refusal.
        self.timers.set(Timer::Lock, self.plan.lock_retry);
    }

    fn granted(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        if self.lost.is_some_and(|lost| token <= lost) {
            return;
        }
        match self.lock {
            // Nobody waits for it any more; keeping it would keep everybody else out.
            Lock::Idle => out.push(Effect::ReleaseLock { token }),
            Lock::Held(held) => self.lock = Lock::Held(held.max(token)),
            Lock::Wanted => {
                self.lock = Lock::Held(token);
                self.timers.clear(Timer::Lock);
                self.timers.set(Timer::Observe, Duration::ZERO);
                if self.state.phase != Phase::Pending {
                    self.note(Event::Resumed { token }, out);
                }
            }
        }
    }

    fn refused(&mut self, retry_after: Option<Duration>) {
        if self.lock == Lock::Wanted {
            let retry = retry_after.filter(|span| !span.is_zero()).unwrap_or(self.plan.lock_retry);
            self.timers.set(Timer::Lock, retry);
        }
    }

    fn lost(&mut self, out: &mut Outbox<Effect>) {
        let Lock::Held(token) = self.lock else { return };
        self.lost = Some(token);
        // Whoever held the lock meanwhile may have changed anything, and nobody watched: forget what was seen and how long
        // it was waited.
        self.timers.clear_all();
        (self.desired, self.seen, self.before) = (None, None, None);
        (self.split, self.measuring, self.held, self.rested) = (false, false, false, false);
        self.note(Event::Frozen, out);
        self.ask(out);
    }

    fn observed(&mut self, observation: Observation, out: &mut Outbox<Effect>) {
        let Lock::Held(token) = self.lock else { return };
        if self.before.is_none_or(|before| progressed(&before, &observation)) {
            self.timers.clear(Timer::Progress);
        }
        self.before = Some(observation);
        let shown = [observation.old.desired, observation.new.desired];
        let desired = *self.desired.get_or_insert(shown);
        self.seen = (shown == desired).then_some(observation);
        for side in [OLD, NEW] {
            if shown[side] != desired[side] {
                out.push(Effect::Scale { token, version: self.version(side), replicas: desired[side] });
            }
        }
        if self.is_canary() && self.split && observation.weight.is_some_and(|shown| shown != self.state.weight) {
            out.push(Effect::SetWeights { token, weights: self.split_of(self.state.weight) });
        }
    }

    fn measured(&mut self, measurement: &Measurement, out: &mut Outbox<Effect>) {
        let Some(analysis) = self.plan.analysis.filter(|_| self.measuring && self.is_judged()) else { return };
        self.measuring = false;
        let verdict = analysis.judge(measurement);
        self.doubtful = matches!(verdict, Verdict::Failed(_));
        match verdict {
            Verdict::Passed => self.note(Event::AnalysisPassed { measurement: *measurement }, out),
            Verdict::Inconclusive => self.note(Event::AnalysisInconclusive { measurement: *measurement }, out),
            Verdict::Failed(breach) => {
                self.state.failures += 1;
                let (failed, limit) = (self.state.failures, analysis.failures);
                self.note(Event::AnalysisFailed { breach, failed, limit }, out);
                if failed >= limit {
                    self.go_back(AbortReason::Analysis, out);
                } else {
                    out.push(Effect::Persist(self.state));
                }
            }
        }
    }

    fn promote(&mut self, out: &mut Outbox<Effect>) {
        if self.awaits_promotion() {
            self.next_step(out);
        }
    }

    fn abort(&mut self, out: &mut Outbox<Effect>) {
        match self.state.phase {
            Phase::Pending => {
                // Nothing was done, so nothing is to be undone.
                self.state.reason = Some(AbortReason::Operator);
                self.note(Event::Aborted { reason: AbortReason::Operator }, out);
                self.finish(Phase::RolledBack, Event::RolledBack, out);
            }
            Phase::Progressing | Phase::Promoting | Phase::Draining => self.go_back(AbortReason::Operator, out),
            Phase::RollingBack | Phase::Completed | Phase::RolledBack | Phase::Failed => {}
        }
    }

    /// Does everything that can be done now.
    fn go_on(&mut self, out: &mut Outbox<Effect>) {
        match self.lock {
            Lock::Idle => {}
            Lock::Wanted => {
                if self.timers.due(Timer::Lock) {
                    self.ask(out);
                }
            }
            Lock::Held(token) => self.act(token, out),
        }
    }

    /// The same, under the lock.
    fn act(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        if self.timers.due(Timer::Progress) {
            self.timers.clear(Timer::Progress);
            let reason = AbortReason::ProgressDeadline;
            if self.plan.auto_rollback {
                self.go_back(reason, out);
            } else {
                self.state.reason = Some(reason);
                return self.finish(Phase::Failed, Event::Failed { reason }, out);
            }
        }
        if self.timers.due(Timer::Measure) {
            // A check that nobody answered is one without data.
            self.measured(&Measurement::default(), out);
            self.measure(out);
        }
        for (timer, over) in [(Timer::Hold, &mut self.held), (Timer::Drain, &mut self.rested)] {
            if self.timers.due(timer) {
                self.timers.clear(timer);
                *over = true;
            }
        }
        if self.timers.due(Timer::Observe) {
            self.observe(out);
        }
        if self.state.phase == Phase::Pending {
            self.state.phase = Phase::Progressing;
            out.push(Effect::Persist(self.state));
            self.note(Event::Started { from: self.plan.from, to: self.plan.to }, out);
        }
        self.split_traffic(token, out);
        while self.take_step(token, out) {}
        if !self.state.phase.is_terminal() {
            self.set_alarms();
        }
    }

    /// Says once under each lock how traffic is split, and takes it away from a version that is given up.
    fn split_traffic(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        let back = self.state.phase == Phase::RollingBack && !self.state.drained;
        if !self.is_canary() {
            if !self.split {
                self.split = true;
                out.push(Effect::ClearWeights { token });
            }
        } else if back && self.state.weight > Ratio::ZERO {
            self.state.weight = Ratio::ZERO;
            out.push(Effect::Persist(self.state));
            self.set_weights(token, out);
        } else if !self.split {
            self.set_weights(token, out);
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
            Move::Done if side == NEW => self.finish(Phase::Completed, Event::Completed, out),
            Move::Done => self.finish(Phase::RolledBack, Event::RolledBack, out),
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
                    self.set_weights(token, out);
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
                self.state.weight = weight;
                self.next_step(out);
                if more {
                    self.set_weights(token, out);
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
            Step::Hold(_) if self.doubtful => false,
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
        if new.available < self.plan.replicas {
            return false;
        }
        self.state.phase = Phase::Draining;
        self.state.weight = Ratio::ONE;
        out.push(Effect::Persist(self.state));
        self.set_weights(token, out);
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
            self.finish(Phase::Completed, Event::Completed, out);
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
            // The old version was told to go, so it must be up again before it gets traffic. Flagger learnt this in #1931.
            if old.available == self.plan.replicas {
                self.state.drained = false;
                self.state.weight = Ratio::ZERO;
                out.push(Effect::Persist(self.state));
                self.set_weights(token, out);
                return true;
            }
        } else if new.desired > 0 {
            if self.rest(self.plan.abort_scale_down_delay, false) {
                self.scale(NEW, 0, token, out);
            }
        } else if new.total == 0 && old.total == self.plan.replicas && old.available == self.plan.replicas {
            self.finish(Phase::RolledBack, Event::RolledBack, out);
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

    fn next_step(&mut self, out: &mut Outbox<Effect>) {
        self.state.step += 1;
        (self.entered, self.held) = (false, false);
        self.timers.clear(Timer::Hold);
        self.timers.clear(Timer::Progress);
        out.push(Effect::Persist(self.state));
    }

    fn go_back(&mut self, reason: AbortReason, out: &mut Outbox<Effect>) {
        self.state.phase = Phase::RollingBack;
        self.state.reason = Some(reason);
        self.rested = false;
        for timer in [Timer::Hold, Timer::Drain, Timer::Progress, Timer::Measure] {
            self.timers.clear(timer);
        }
        out.push(Effect::Persist(self.state));
        self.note(Event::Aborted { reason }, out);
    }

    fn finish(&mut self, phase: Phase, event: Event, out: &mut Outbox<Effect>) {
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

    fn set_weights(&mut self, token: FencingToken, out: &mut Outbox<Effect>) {
        self.split = true;
        out.push(Effect::SetWeights { token, weights: self.split_of(self.state.weight) });
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

    fn note(&mut self, event: Event, out: &mut Outbox<Effect>) {
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
        if self.needs_progress() {
            self.timers.ensure(Timer::Progress, self.plan.progress_deadline);
        } else {
            self.timers.clear(Timer::Progress);
        }
    }

    /// True while the new version has traffic and the old one could take it back at no cost.
    fn is_judged(&self) -> bool {
        match self.state.phase {
            Phase::Progressing | Phase::Promoting if self.is_canary() => self.state.weight > Ratio::ZERO,
            Phase::Progressing => self.desired.is_some_and(|desired| desired[NEW] > 0),
            _ => false,
        }
    }

    /// True while it is instances that the way forward waits for.
    fn needs_progress(&self) -> bool {
        match self.state.phase {
            Phase::Progressing if self.is_canary() => matches!(self.step(), Some((_, Step::SetWeight(_)))),
            Phase::Progressing | Phase::Promoting => true,
            _ => false,
        }
    }

    const fn is_canary(&self) -> bool {
        matches!(self.plan.strategy, Strategy::Canary { .. })
    }

    const fn version(&self, side: usize) -> VersionId {
        if side == OLD { self.plan.from } else { self.plan.to }
    }

    const fn split_of(&self, weight: Ratio) -> [(VersionId, Ratio); 2] {
        [(self.plan.from, weight.complement()), (self.plan.to, weight)]
    }

    /// What the newest observation shows, old and new, when it shows what was commanded.
    fn instances(&self) -> Option<[Instances; 2]> {
        // More available than desired are some that have yet to be stopped: not to be counted on.
        let sober = |i: Instances| Instances { available: i.available.min(i.desired), ..i };
        self.seen.map(|seen| [sober(seen.old), sober(seen.new)])
    }
}

/// A Deployment progresses when more instances are new, fewer are old, or more are available than when last looked at
/// (kubernetes, `util/deployment_util.go`, `DeploymentProgressing`).
fn progressed(before: &Observation, now: &Observation) -> bool {
    now.new.total > before.new.total
        || now.old.total < before.old.total
        || now.new.available + now.old.available > before.new.available + before.old.available
}

/// Why a rollout cannot be gone on with. Nothing was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoverError {
    /// The plan itself is wrong.
    Plan(PlanError),
    /// The state is that of another rollout.
    OtherRollout {
        /// That state.
        state: State,
    },
    /// The plan has fewer steps than the state has done: it was changed under way.
    NoSuchStep {
        /// The step the state is in.
        step: u32,
        /// How many the plan has.
        steps: u32,
    },
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecoverError::Plan(error) => error.fmt(f),
            RecoverError::OtherRollout { state: State { service, from, to, .. } } => {
                write!(f, "the state belongs to the rollout of {service} from {from} to {to}")
            }
            RecoverError::NoSuchStep { step, steps } => {
                write!(f, "the state is in step {step}, but the plan has only {steps}")
            }
        }
    }
}

impl std::error::Error for RecoverError {}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.event)
    }
}
