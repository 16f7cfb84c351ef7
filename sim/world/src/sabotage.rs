//! Planted bugs: each breaks one thing on purpose, to show that an invariant catches it in the world that ships.
//!
//! A row is a bug and the invariant that catches it. Every invariant has one, and every one is planted by a test.

use crate::catalogue::Invariant;

macro_rules! planted {
    ($($variant:ident => $invariant:ident $sentence:literal;)*) => {
        /// A deliberate bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sabotage {
            $(#[doc = $sentence] $variant,)*
        }

        impl Sabotage {
            /// All of them.
            pub const ALL: &[Sabotage] = &[$(Sabotage::$variant),*];

            /// The invariant that catches it.
            pub const fn caught_by(self) -> Invariant {
                match self {
                    $(Sabotage::$variant => Invariant::$invariant,)*
                }
            }
        }
    };
}

planted! {
    EndTwice => EveryRequestEndsOnce "The hundredth request is counted as ended twice.";
    NeverEnd => EveryRequestEndsOnce "The hundredth request is never counted as ended.";
    RouteToTheUnlisted => NoRouteToTheDead "A choice is moved to the neighbouring instance, whatever the view says.";
    LoseCount => InFlightIsConserved "Instances forget to count what they finished.";
    LateArrivals => LittlesLaw "The time at which a request arrived is noted a microsecond late.";
    SurgeTwice => RolloutWithinBudget "The orchestrator makes twice as many instances as asked for.";
    Overweight => RolloutWithinBudget "A canary gets all the traffic as soon as it gets any.";
    IgnoreTokens => OneRolloutAtATime "Orders come under a token older than the newest, and are carried out.";
    LosePushes => ViewsConverge "The registry's pushes vanish.";
    NeverComeBack => OnlyWantedInstances "Instances that died do not come back.";
    LoseGrants => RolloutSettles "Controllers are never told that they have the lock.";
    KeepSplit => RollbackRestores "After a rollback callers keep the split they had.";
    RaiseTheRejected => NoTrafficToTheRejected "A rollback begins by giving everything to the version it gives up.";
    OverlookTheRest => OnlyWantedInstances "Nobody sees what an earlier rollout left behind.";
    ForgetTheQueue => BacklogDrains "Instances that have answered do not begin with the next request that waits.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_has_a_bug_that_it_catches() {
        for invariant in Invariant::ALL {
            let is_caught = Sabotage::ALL.iter().any(|bug| bug.caught_by() == *invariant);
            assert!(is_caught, "nothing shows that {} can fail", invariant.name());
        }
    }
}
