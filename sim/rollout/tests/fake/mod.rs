//! A world of one service, small enough to be obviously right: instances that take time to become ready, a router, a
//! lock, a disk. It carries out effects at once and checks, at every change, what a rollout promises.

use base::{Core, Duration, FencingToken, Instant, Outbox, Ratio, ServiceId, VersionId};
use rollout::{Effect, Input, Instances, Measurement, Observation, Phase, Plan, Rollout, State, Step, Strategy};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// A running copy: available from `available_at` on.
#[derive(Clone, Copy, Debug)]
struct Instance {
    available_at: Instant,
}

/// What the rollout is to hear.
#[derive(Debug)]
enum Answer {
    Say(Input),
    Look,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    /// None while the controller is down.
    pub(crate) rollout: Option<Rollout>,
    plan: Plan,
    out: Outbox<Effect>,
    /// What is on its way to the rollout; a look is taken when its turn comes.
    inputs: VecDeque<Answer>,
    /// Old and new.
    desired: [u32; 2],
    instances: [Vec<Instance>; 2],
    /// When instances told to stop are gone.
    leaving: [Vec<Instant>; 2],
    pub(crate) weight: Option<Ratio>,
    /// How long an instance takes to become ready.
    pub(crate) startup: [Duration; 2],
    /// How long an instance takes to stop.
    pub(crate) shutdown: Duration,
    pub(crate) measurement: Measurement,
    /// Metrics answer at all.
    pub(crate) metrics: bool,
    /// Nobody gets the lock before this moment.
    pub(crate) locked_until: Instant,
    holder: Option<FencingToken>,
    last_token: u64,
    highest_token: FencingToken,
    disk: Vec<Vec<u8>>,
    /// How many instances were lost to something else than the rollout.
    pub(crate) killed: u32,
    /// Whether the controller was ever recovered from a state that was not its last.
    pub(crate) amnesia: bool,
    pub(crate) log: String,
}

pub(crate) const SERVICE: ServiceId = ServiceId(0);
const OLD: usize = 0;
const NEW: usize = 1;

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let rollout = Rollout::new(plan.clone()).expect("a plan that can be carried out");
        let old = vec![Instance { available_at: Instant::ZERO }; plan.replicas as usize];
        World {
            now: Instant::ZERO,
            rollout: Some(rollout),
            desired: [plan.replicas, 0],
            plan,
            out: Outbox::new(),
            inputs: VecDeque::new(),
            instances: [old, Vec::new()],
            leaving: [Vec::new(), Vec::new()],
            weight: None,
            startup: [Duration::secs(5); 2],
            shutdown: Duration::secs(2),
            measurement: Measurement { success: Some(Ratio::ONE), p99: Some(Duration::ms(40)), samples: 1000 },
            metrics: true,
            locked_until: Instant::ZERO,
            holder: None,
            last_token: 0,
            highest_token: FencingToken(0),
            disk: Vec::new(),
            killed: 0,
            amnesia: false,
            log: String::new(),
        }
    }

    /// Lets time pass until `until`, or until the rollout is over.
    pub(crate) fn run_until(&mut self, until: Instant) {
        let mut wakes = 0;
        while let Some(at) = self.rollout.as_ref().and_then(Rollout::deadline).filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.tell(Input::Wake);
            wakes += 1;
            assert!(wakes < 100_000, "the rollout keeps waking itself at {}: {:?}", self.now, self.rollout);
        }
        self.now = self.now.max(until);
    }

    /// Tells the rollout something and carries out everything that follows at this moment.
    pub(crate) fn tell(&mut self, input: Input) {
        self.inputs.push_back(Answer::Say(input));
        let mut rounds = 0;
        while let Some(answer) = self.inputs.pop_front() {
            let input = match answer {
                Answer::Say(input) => input,
                Answer::Look => Input::Observed(self.observation()),
            };
            let Some(rollout) = &mut self.rollout else { return self.inputs.clear() };
            rollout.handle(self.now, input, &mut self.out);
            let effects: Vec<Effect> = self.out.drain().collect();
            effects.into_iter().for_each(|effect| self.carry_out(effect));
            self.check();
            rounds += 1;
            assert!(rounds < 1000, "the rollout never comes to rest at {}", self.now);
        }
    }

    /// The lock goes to somebody else until `until`.
    pub(crate) fn lose_lock(&mut self, until: Instant) {
        self.locked_until = until;
        if self.holder.take().is_some() {
            self.tell(Input::LockLost);
        }
    }

    /// Somebody else, who has the lock meanwhile, takes instances away.
    pub(crate) fn meddle(&mut self, side: usize, replicas: u32) {
        assert_eq!(self.holder, None, "only somebody with the lock does that");
        assert!(replicas <= self.desired[side], "somebody else takes instances away");
        self.killed += self.desired[side] - replicas;
        self.resize(side, replicas);
        self.say(&format!("somebody else scales {} to {replicas}", self.version(side)));
    }

    /// The controller dies; its lock stays taken for as long as its session lives.
    pub(crate) fn crash(&mut self, session: Duration) {
        self.rollout = None;
        self.inputs.clear();
        if self.holder.take().is_some() {
            self.locked_until = self.locked_until.max(self.now + session);
        }
        self.say("controller down");
    }

    /// The controller comes back with what was on its disk, less the last `forgotten` writes.
    pub(crate) fn restart(&mut self, forgotten: usize) {
        self.amnesia |= forgotten > 0;
        let kept = self.disk.len().saturating_sub(forgotten);
        self.disk.truncate(kept);
        let state = match self.disk.last() {
            Some(bytes) => State::decode(bytes).expect("what was written"),
            None => Rollout::new(self.plan.clone()).expect("a plan").snapshot(),
        };
        let rollout = Rollout::recover(self.plan.clone(), state).expect("the same plan");
        self.say(&format!("controller back in phase {}, step {}", rollout.phase(), rollout.snapshot().step));
        self.rollout = Some(rollout);
        self.tell(Input::Start);
    }

    /// An instance dies; as many as desired are started again.
    pub(crate) fn kill(&mut self, side: usize) {
        if self.instances[side].pop().is_some() {
            self.killed += 1;
            self.say(&format!("an instance of {} dies", self.version(side)));
            self.fill(side);
        }
    }

    /// Instances of the new version that are not ready yet, and those started from now on, take this long from now.
    pub(crate) fn set_startup(&mut self, startup: Duration) {
        self.startup[NEW] = startup;
        let now = self.now;
        for instance in self.instances[NEW].iter_mut().filter(|instance| instance.available_at > now) {
            instance.available_at = self.now.saturating_add(startup).saturating_add(self.plan.min_ready);
        }
    }

    /// How many instances of the new version there should be.
    pub(crate) const fn desired_new(&self) -> u32 {
        self.desired[NEW]
    }

    pub(crate) fn observation(&self) -> Observation {
        let side = |side: usize| Instances {
            desired: self.desired[side],
            total: (self.instances[side].len() + self.leaving[side].iter().filter(|&&at| at > self.now).count()) as u32,
            available: self.available(side),
        };
        Observation { old: side(OLD), new: side(NEW), others: 0, weight: self.weight }
    }

    pub(crate) fn say(&mut self, what: &str) {
        writeln!(self.log, "{:>9} {what}", self.now.to_string()).unwrap();
    }

    /// True at one of the ends.
    pub(crate) fn is_over(&self) -> bool {
        self.rollout.as_ref().is_some_and(|rollout| rollout.phase().is_terminal())
    }

    fn available(&self, side: usize) -> u32 {
        self.instances[side].iter().filter(|i| i.available_at <= self.now).count() as u32
    }

    fn version(&self, side: usize) -> VersionId {
        [self.plan.from, self.plan.to][side]
    }

    fn fill(&mut self, side: usize) {
        let available_at = self.now.saturating_add(self.startup[side]).saturating_add(self.plan.min_ready);
        self.instances[side].resize(self.desired[side] as usize, Instance { available_at });
    }

    fn resize(&mut self, side: usize, replicas: u32) {
        self.desired[side] = replicas;
        // Those that are not ready go first, then the youngest.
        let now = self.now;
        self.instances[side].sort_by_key(|i| (i.available_at > now, i.available_at));
        while self.instances[side].len() > replicas as usize {
            self.instances[side].pop();
            self.leaving[side].push(self.now + self.shutdown);
        }
        self.fill(side);
    }

    fn carry_out(&mut self, effect: Effect) {
        if let Effect::Scale { token, .. } | Effect::SetWeights { token, .. } | Effect::ClearWeights { token } = effect
        {
            assert_eq!(Some(token), self.holder, "{effect:?} without the lock");
            assert!(token >= self.highest_token, "{effect:?} after {}", self.highest_token);
            self.highest_token = token;
        }
        match effect {
            Effect::AcquireLock { service } => {
                assert_eq!(service, SERVICE);
                if self.now < self.locked_until {
                    self.say("lock refused");
                    self.inputs.push_back(Answer::Say(Input::LockRefused { retry_after: None }));
                } else {
                    self.last_token += 1;
                    let token = FencingToken(self.last_token);
                    self.holder = Some(token);
                    self.say(&format!("lock granted, {token}"));
                    self.inputs.push_back(Answer::Say(Input::LockGranted {
                        token,
                        running: None,
                        returns: false,
                        superseded: false,
                    }));
                }
            }
            Effect::RemoveOthers { .. } => panic!("there are no others"),
            Effect::ReleaseLock { token } => {
                assert_eq!(self.holder.take(), Some(token), "released what it holds");
                self.say("lock released");
            }
            Effect::Scale { token, version, replicas } => {
                let side = usize::from(version == self.plan.to);
                self.resize(side, replicas);
                let [old, new] = [OLD, NEW].map(|side| format!("{}/{}", self.available(side), self.desired[side]));
                let (from, to) = (self.plan.from, self.plan.to);
                self.say(&format!("scale {version} to {replicas} ({token}); available {from} {old}, {to} {new}"));
            }
            Effect::SetWeights { token, weights: [(from, stays), (to, moves)], limit } => {
                assert_eq!((from, to), (self.plan.from, self.plan.to), "old version first");
                assert_eq!(stays, moves.complement(), "the shares add up to one");
                assert!(moves <= limit, "{moves} where the step allows {limit}");
                self.weight = Some(moves);
                self.say(&format!("weights {from} {stays}, {to} {moves} ({token})"));
            }
            Effect::ClearWeights { token } => {
                self.weight = None;
                self.say(&format!("weights cleared ({token})"));
            }
            Effect::Observe { min_ready } => {
                assert_eq!(min_ready, self.plan.min_ready);
                let now = self.now;
                self.leaving.iter_mut().for_each(|leaving| leaving.retain(|&at| at > now));
                self.inputs.push_back(Answer::Look);
            }
            Effect::Measure { version, .. } => {
                assert_eq!(version, self.plan.to, "only the new version is judged");
                if self.metrics {
                    self.inputs.push_back(Answer::Say(Input::Measured(self.measurement)));
                }
            }
            Effect::Persist(state) => {
                let bytes = state.encode();
                assert_eq!(State::decode(&bytes), Ok(state), "what is written can be read");
                self.disk.push(bytes);
            }
            // What the world says itself need not be said twice.
            Effect::Note(rollout::Event::Scaled { .. } | rollout::Event::WeightSet { .. }) => {}
            Effect::Note(event) => self.say(&format!("* {event}")),
        }
    }

    /// What a rollout promises, at every moment.
    fn check(&self) {
        let Some(rollout) = &self.rollout else { return };
        let (phase, replicas) = (rollout.phase(), self.plan.replicas);
        let Observation { old, new, .. } = self.observation();
        match &self.plan.strategy {
            Strategy::Rolling { .. } => {
                let limits = rollout.limits().expect("a rolling update has limits");
                assert!(old.desired + new.desired <= replicas + limits.surge, "too many: {old:?} {new:?}");
                if self.killed == 0 {
                    let available = old.available + new.available;
                    assert!(available >= replicas - limits.unavailable, "too few at {}: {old:?} {new:?}", self.now);
                }
            }
            Strategy::Canary { steps } => {
                let weight = self.weight.unwrap_or(Ratio::ZERO);
                if rollout.token().is_some() && !rollout.snapshot().drained {
                    assert!(weight <= rollout.weight_limit(), "{weight} in {phase} at {}", self.now);
                    if let Some((index, _)) = rollout.step() {
                        let set = |step: &Step| if let Step::SetWeight(w) = step { Some(*w) } else { None };
                        let limit = steps[..=index].iter().filter_map(set).next_back().unwrap_or(Ratio::ZERO);
                        assert!(weight <= limit, "{weight} in step {index} of {steps:?}");
                    }
                    if phase == Phase::RollingBack {
                        assert_eq!(weight, Ratio::ZERO, "traffic goes first");
                    }
                }
                // Any traffic meets at least one instance that is wanted.
                if !self.amnesia {
                    assert!(weight == Ratio::ZERO || new.desired > 0, "{weight} for no instance");
                    assert!(weight == Ratio::ONE || old.desired == replicas, "the old version stays whole");
                }
            }
        }
        if phase == Phase::Completed {
            assert_eq!((old.desired, old.total), (0, 0), "the old version is gone");
            assert_eq!((new.desired, new.available), (replicas, replicas), "the new version is whole");
            assert!(self.weight.is_none_or(|w| w == Ratio::ONE), "and has all traffic");
        }
        if phase == Phase::RolledBack {
            assert_eq!((new.desired, new.total), (0, 0), "the new version is gone");
            assert_eq!(old.desired, replicas, "the old version is as it was");
            assert!(self.weight.is_none_or(|w| w == Ratio::ZERO), "and has all traffic");
        }
        if phase.is_terminal() {
            assert_eq!(rollout.deadline(), None, "an end waits for nothing");
        }
    }
}
