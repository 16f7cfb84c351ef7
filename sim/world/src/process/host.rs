//! Hosting a core, written once: inputs in, effects carried out in order, one timer that follows the core's deadline.

use super::Cx;
use super::timer::CoreTimer;
use base::Core;
use std::collections::VecDeque;
use std::fmt::Debug;

/// A core and its timer.
#[derive(Debug)]
pub(crate) struct Host<C> {
    pub(crate) core: C,
    timer: CoreTimer,
}

/// A process, as one of its cores sees it: what carries out the effects.
pub(crate) trait Carrier<C: Core<Effect: 'static>> {
    /// The number of the core's timer among those of the process.
    const TIMER: u16 = 0;

    /// Its host for such a core; `None` while none lives.
    fn host(&mut self) -> Option<&mut Host<C>>;

    /// Carries out what the core wants, and gives it what it asks for and can be given at once.
    fn carry_out(&mut self, cx: &mut Cx<'_>, effect: C::Effect) -> Option<C::Input>;

    /// All effects of an input have been carried out.
    fn carried_out(&mut self, _: &mut Cx<'_>) {}

    /// Gives the core one input, and then whatever it asks for meanwhile. Nothing happens while none lives.
    fn handle(&mut self, cx: &mut Cx<'_>, input: C::Input)
    where
        Self: Sized,
    {
        self.handle_each(cx, [input]);
    }

    /// Gives the core several inputs in turn, as one: what they lead to is carried out together.
    fn handle_each(&mut self, cx: &mut Cx<'_>, inputs: impl IntoIterator<Item = C::Input>)
    where
        Self: Sized,
    {
        if self.host().is_none() {
            return;
        }
        let mut out = cx.site().sim.outboxes.take::<C::Effect>();
        let mut given = inputs.into_iter();
        // Rarely any: what is asked for is given before the next effect's answer.
        let mut asked_for = VecDeque::new();
        while let Some(input) = asked_for.pop_front().or_else(|| given.next()) {
            let now = cx.local();
            if let Some(host) = self.host() {
                host.core.handle(now, input, &mut out);
            }
            for effect in out.drain() {
                asked_for.extend(self.carry_out(cx, effect));
            }
        }
        cx.site().sim.outboxes.give(out);
        self.carried_out(cx);
        self.follow(cx);
    }

    /// The core's timer has fired.
    fn woken(&mut self, cx: &mut Cx<'_>)
    where
        Self: Sized,
    {
        if let Some(host) = self.host() {
            host.fired();
            self.handle(cx, C::WAKE);
        }
    }

    /// Makes the timer agree with what the core wants now.
    fn follow(&mut self, cx: &mut Cx<'_>) {
        if let Some(host) = self.host() {
            let deadline = host.core.deadline();
            host.timer.follow(cx, Self::TIMER, deadline);
        }
    }
}

impl<C: Core> Host<C> {
    /// Hosts a core.
    pub(crate) fn new(core: C) -> Self {
        Host { core, timer: CoreTimer::default() }
    }

    /// Its timer has fired, and is set no longer.
    pub(crate) fn fired(&mut self) {
        self.timer.fired();
    }
}
