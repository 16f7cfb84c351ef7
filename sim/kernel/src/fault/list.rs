//! The list of all kinds of faults, which is the only one there is.
//!
//! It is a macro that hands its lines to another one, because a kind has two files: how it breaks nodes or packets is
//! beside this one, and what a scenario file may say of it is in `scenarios/src/section/fault/kind/`. Both folders make
//! their modules, their enum and their catalogue of the same lines, so a line without one of its files does not
//! compile.

/// Calls the macro `$then` with the list: `module Struct;` a kind, in the order in which people look for them.
///
/// The module `disk_slow` is the file `disk_slow.rs` of the folder that asks for the list, and the struct is the
/// kernel's, `kernel::fault::DiskSlow`.
#[macro_export]
macro_rules! faults {
    ($then:ident) => {
        $then! {
            crash Crash;
            pause Pause;
            slow Slow;
            error Errors;
            partition Partition;
            clog Clog;
            swizzle Swizzle;
            delay Delay;
            loss Loss;
            duplicate Duplicate;
            reorder Reorder;
            throttle Throttle;
            disk_slow DiskSlow;
            disk_full DiskFull;
            disk_corrupt DiskCorrupt;
            clock_step ClockStep;
            clock_drift ClockDrift;
        }
    };
}
