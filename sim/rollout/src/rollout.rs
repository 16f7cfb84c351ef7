//! The state machine itself: who may act, what is remembered, what each input means.
//!
//! Every input ends in `advance`, which looks at the lock, at the timers and at the newest observation, and takes
//! as many steps as those allow. Two rules keep a slow or lying world from leading it astray:
//!
//! - One [`Effect::Scale`] an observation. After it, nothing is decided until the world shows the number asked for;
//!   while it shows another, the command is given again.
//! - Being told twice is harmless. Whatever was commanded under one token is commanded again under the next.

mod act;

use crate::rolling::Limits;
use crate::timers::{Timer, Timers};
use crate::{AbortReason, Effect, Event, Input, Instances, Measurement, Observation, Phase, Plan, PlanError};
use crate::{State, Step, Strategy, Verdict, canary};
use base::{Core, Duration, FencingToken, Instant, Outbox, Ratio, VersionId};
use std::fmt;

/// One rollout of one service. See the [crate] for what always holds.
#[derive(Clone, Debug)]
pub struct Rollout {
    plan: Plan,
    state: State,
    /// It goes on where an earlier life stopped.
    recovered: bool,
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
    /// The wanted version is the one that the service was left at.
    returns: bool,
    /// The split of traffic was commanded under this lock.
    split: bool,
    /// A measurement was asked for and has not come.
    measuring: bool,
    /// The time without progress is over, and that was said.
    overdue: bool,
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

    /// A rollout that goes on from a persisted state, once it is told [`Input::Start`]: it asks for the lock, looks at
    /// the world, and repeats what it last commanded. Its history begins anew. When nothing was persisted yet, recover
    /// from the [`snapshot`](Rollout::snapshot) of a new rollout: the earlier life may have begun all the same.
    pub fn recover(plan: Plan, state: State) -> Result<Self, RecoverError> {
        plan.check().map_err(RecoverError::Plan)?;
        if (state.service, state.to) != (plan.service, plan.to) {
            return Err(RecoverError::OtherRollout { state });
        }
        let plan = Plan { from: state.from, ..plan };
        let steps = match &plan.strategy {
            Strategy::Rolling { .. } => 0,
            Strategy::Canary { steps } => steps.len(),
        };
        if state.step as usize > steps {
            return Err(RecoverError::NoSuchStep { step: state.step, steps: steps as u32 });
        }
        Ok(Rollout { recovered: true, ..Rollout::with_state(plan, state) })
    }

    fn with_state(plan: Plan, state: State) -> Self {
        Rollout {
            plan,
            state,
            recovered: false,
            lock: Lock::Idle,
            lost: None,
            timers: Timers::default(),
            desired: None,
            seen: None,
            before: None,
            returns: false,
            split: false,
            measuring: false,
            overdue: false,
            doubtful: false,
            entered: false,
            held: false,
            rested: false,
            history: Vec::new(),
        }
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

    /// True while it waits for instances for longer than `progress_deadline`, and does not roll back for it.
    pub const fn is_overdue(&self) -> bool {
        self.overdue
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

    fn granted(
        &mut self,
        token: FencingToken,
        running: Option<VersionId>,
        returns: bool,
        superseded: bool,
        out: &mut Outbox<Effect>,
    ) {
        if self.lost.is_some_and(|lost| token <= lost) {
            return;
        }
        match self.lock {
            // Nobody waits for it any more; keeping it would keep everybody else out.
            Lock::Idle => out.push(Effect::ReleaseLock { token }),
            Lock::Held(held) => self.lock = Lock::Held(held.max(token)),
            Lock::Wanted => {
                self.lock = Lock::Held(token);
                self.returns = returns;
                self.timers.clear(Timer::Lock);
                self.timers.set(Timer::Observe, Duration::ZERO);
                if self.state.phase == Phase::Pending {
                    return self.start_from(running.unwrap_or(self.plan.from), out);
                }
                self.note(Event::Resumed { token }, out);
                if superseded {
                    let reason = AbortReason::Superseded;
                    self.state.reason = Some(reason);
                    self.finish(Phase::Failed, Event::Failed { reason }, out);
                }
            }
        }
    }

    /// Now that nobody else changes the service, it is known from which version this rollout leads.
    fn start_from(&mut self, running: VersionId, out: &mut Outbox<Effect>) {
        if running == self.plan.to {
            return self.finish(Phase::Completed, Event::AlreadyRuns { version: running }, out);
        }
        (self.plan.from, self.state.from) = (running, running);
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
        // Whoever held the lock meanwhile may have changed anything, and nobody watched: forget what was seen and how
        // long it was waited.
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
            self.overdue = false;
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
            let (weights, limit) = (self.split_of(self.state.weight), self.weight_limit());
            out.push(Effect::SetWeights { token, weights, limit });
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
            // Nothing was done, so nothing is to be undone; whoever holds the lock may be in the middle of something.
            Phase::Pending if !self.recovered => {
                self.state.reason = Some(AbortReason::Operator);
                self.note(Event::Aborted { reason: AbortReason::Operator }, out);
                self.finish(Phase::RolledBack, Event::RolledBack, out);
            }
            Phase::Pending | Phase::Progressing | Phase::Promoting | Phase::Draining if self.returns => {
                let reason = AbortReason::Operator;
                self.state.reason = Some(reason);
                self.finish(Phase::Failed, Event::Failed { reason }, out);
            }
            // An earlier life may have done more than it could write down.
            Phase::Pending | Phase::Progressing | Phase::Promoting | Phase::Draining => {
                self.go_back(AbortReason::Operator, out);
            }
            Phase::RollingBack | Phase::Completed | Phase::RolledBack | Phase::Failed => {}
        }
    }

    /// Does what can be done now, whichever input came last.
    fn advance(&mut self, out: &mut Outbox<Effect>) {
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
        let without_surplus = |i: Instances| Instances { available: i.available.min(i.desired), ..i };
        self.seen.map(|seen| [without_surplus(seen.old), without_surplus(seen.new)])
    }
}

impl Core for Rollout {
    type Input = Input;
    type Effect = Effect;

    const WAKE: Input = Input::Wake;

    /// Takes one input and says what to do about it. Constant time, but for a canary whose steps need nothing.
    fn handle(&mut self, now: Instant, input: Input, out: &mut Outbox<Effect>) {
        self.timers.advance(now);
        match input {
            Input::Start => self.start(out),
            Input::LockGranted { token, running, returns, superseded } => {
                self.granted(token, running, returns, superseded, out);
            }
            Input::LockRefused { retry_after } => self.refused(retry_after),
            Input::LockLost => self.lost(out),
            Input::Observed(observation) => self.observed(observation, out),
            Input::Measured(measurement) => self.measured(&measurement, out),
            Input::Promote => self.promote(out),
            Input::Abort => self.abort(out),
            Input::Wake => {}
        }
        self.advance(out);
    }

    /// The next moment at which it wants [`Input::Wake`]; none when only somebody else can move it.
    fn deadline(&self) -> Option<Instant> {
        self.timers.next()
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
