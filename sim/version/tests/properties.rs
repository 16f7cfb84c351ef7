//! What holds for every history and every version.

use base::{Instant, VersionId};
use proptest::prelude::*;
use version::{Cause, History, Version};

proptest! {
    #[test]
    fn a_history_only_grows_and_a_rollback_brings_the_very_version_back(
        moves in prop::collection::vec((any::<bool>(), 0u32..6, 0u64..100), 0..40),
    ) {
        let mut history = History::new(VersionId(0), Instant::ZERO);
        for (deploy, n, t) in moves {
            let before = history.entries().to_vec();
            let at = Instant::from_secs(t);
            let made = if deploy { history.deploy(VersionId(n), at) } else { history.roll_back_to(n, at) };
            let after = history.entries();
            prop_assert_eq!(&after[..before.len()], &before[..], "what was written stays");
            match made {
                Err(_) => prop_assert_eq!(after.len(), before.len(), "an error changes nothing"),
                Ok(revision) => {
                    prop_assert_eq!(after.len(), before.len() + 1);
                    prop_assert_eq!(history.current().revision, revision);
                    prop_assert_eq!(revision as usize, after.len(), "revisions have no gaps");
                }
            }
        }
        for pair in history.entries().windows(2) {
            prop_assert_ne!(pair[0].version, pair[1].version, "a revision changes something");
            prop_assert!(pair[0].at <= pair[1].at, "moments never fall");
        }
        for entry in history.entries() {
            if let Cause::Rollback { to } = entry.cause {
                prop_assert!(to < entry.revision, "one goes back to the past only");
                prop_assert_eq!(history.at(to).expect("a revision that was").version, entry.version);
            }
            prop_assert_eq!(history.at(entry.revision), Some(entry));
        }
    }

    #[test]
    fn a_version_reads_as_it_was_written(
        major in 0u64..50, minor in 0u64..50, patch in 0u64..50,
        pre in prop::option::of("[a-z]{1,4}(\\.[1-9][0-9]{0,2})?"), build in prop::option::of("[a-z0-9]{1,5}"),
    ) {
        let mut text = format!("{major}.{minor}.{patch}");
        text += &pre.as_ref().map_or(String::new(), |p| format!("-{p}"));
        text += &build.map_or(String::new(), |b| format!("+{b}"));
        let version: Version = text.parse().expect("a version");
        prop_assert_eq!(version.to_string(), text);
        prop_assert_eq!(version.is_prerelease(), pre.is_some());
        let release = Version::new(major, minor, patch);
        prop_assert_eq!((version.major(), version.minor(), version.patch()), (major, minor, patch));
        if pre.is_some() {
            prop_assert!(version < release, "a pre-release comes before its release");
        }
    }
}
