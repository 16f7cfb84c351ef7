//! Core: one rollout of one service, from one version to the next or back again.
//!
//! ```text
//!                 ┌─────────── lock granted ──────────┐
//!   Pending ──────┤                                   ▼
//!                 │   rolling:  Progressing ────────────────────────▶ Completed
//!                 │   canary:   Progressing ─▶ Promoting ─▶ Draining ─▶ Completed
//!                 │                  │             │           │
//!                 │                  └─── abort, bad analysis, no progress ───▶ RollingBack ─▶ RolledBack
//!                 └─ aborted before it began ─────────────────────────────────────────────────▶ RolledBack
//! ```
//!
//! A [`Rollout`] is a state machine without a clock, a network or an instance of its own. It answers an [`Input`] with
//! [`Effect`]s: ask for the lock, create so many instances of this version, give that version so much of the traffic,
//! tell me what you see. Commands are declarations ("three of v1"), so saying one twice does no harm.
//!
//! > Nothing is done to the world except under the service's lock, and everything done carries the lock's token.
//! > Traffic comes last on the way in and first on the way out: a version gets its share only once it has the instances
//! > for it, and loses its share before it loses them.
//! > A rollout whose faults stop, stops: completed, rolled back, or overtaken by a later one. Told not to roll back, it
//! > waits for instances as long as they take.
//!
//! The arithmetic is that of the engines people run: [`rolling`] is a Kubernetes Deployment's, [`canary`] is Argo
//! Rollouts' with a traffic router, [`analysis`] is Flagger's. Where this core differs, the item says so.
//!
//! What it leaves to others: creating and stopping instances, splitting traffic, measuring, granting locks, keeping
//! what it asks to be kept.

//!
//! ```
//! use base::{Core, FencingToken, Instant, Outbox, Ratio, ServiceId, VersionId};
//! use rollout::{Effect, Input, Phase, Plan, Rollout, Step, Strategy};
//!
//! let strategy = Strategy::Canary { steps: vec![Step::SetWeight(Ratio::percent(5)), Step::Pause] };
//! let plan = Plan::new(ServiceId(0), VersionId(0), VersionId(1), 10, strategy);
//! let (mut rollout, mut out) = (Rollout::new(plan)?, Outbox::new());
//!
//! rollout.handle(Instant::ZERO, Input::Start, &mut out);
//! assert_eq!(out.drain().next(), Some(Effect::AcquireLock { service: ServiceId(0) }));
//!
//! let granted = Input::LockGranted { token: FencingToken(1), running: None, returns: false, superseded: false };
//! rollout.handle(Instant::from_millis(3), granted, &mut out);
//! assert!(out.drain().any(|effect| matches!(effect, Effect::SetWeights { token: FencingToken(1), .. })));
//! assert_eq!((rollout.phase(), rollout.weight_limit()), (Phase::Progressing, Ratio::percent(5)));
//! # Ok::<(), rollout::PlanError>(())
//! ```

pub mod analysis;
pub mod canary;
pub mod rolling;

mod event;
mod message;
mod plan;
mod rollout;
mod state;
mod timers;

pub use analysis::{Analysis, Breach, TooFew, Verdict};
pub use event::{AbortReason, Event};
pub use message::{Effect, Input, Instances, Measurement, Observation};
pub use plan::{IntOrPercent, Plan, PlanError, Step, Strategy};
pub use rollout::{Record, RecoverError, Rollout};
pub use state::{Phase, State, StateError};
