//! What a node believes the time is: a [`Clock`] that runs at its own rate, and a date on it that may be set by hand.
//!
//! Linux gives a process two clocks, and the difference matters to everything that waits. `clock_gettime(2)` says of
//! `CLOCK_REALTIME` that it "is affected by discontinuous jumps in the system time (e.g., if the system administrator
//! manually changes the clock)", and of `CLOCK_MONOTONIC` that it is not, but that both follow the gradual frequency
//! adjustments of `adjtime(3)` and NTP. So here:
//!
//! - [`Clock::monotonic`] drifts and never steps. It is the `now` of a core, and timers run on it: [`Clock::to_global`]
//!   says how long a local span takes, [`Clock::fires_at`] when a deadline that a core put in its own time arrives.
//! - [`Clock::wall`] is the real-time clock: a date, with the drift and every step in it. Only what reads a date is
//!   told it.
//!
//! All arithmetic is exact: whole nanoseconds, drift in parts per billion, intermediate results in 128 bits, readings
//! rounded down. Monotonic readings never fall. Who steps a clock, and when, is a fault's business.

use base::{Duration, Instant};

/// A billion: parts per billion in one, and also nanoseconds in a second.
const WHOLE: i128 = 1_000_000_000;

/// The date at which every run begins: 2020-09-13 12:26:40 UTC, so that no step back leads before 1970.
pub const BEGINNING: Instant = Instant::from_secs(1_600_000_000);

/// The clock of one node, as a function of the kernel's time.
///
/// The kernel's time never runs backwards, so the methods expect `now` at or after the last [`Clock::set_drift`].
///
/// > `monotonic` advances by `1 + drift / 10⁹` nanoseconds per nanosecond. The date is [`BEGINNING`]
/// > `+ monotonic + offset`, held to what an [`Instant`] can hold, where `offset` changes only by steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The moment, on the kernel's clock, since which the rate is what it is.
    anchor: i128,
    /// The monotonic reading at the anchor.
    monotonic: i128,
    /// Nanoseconds this clock advances in a billion nanoseconds: always positive.
    rate: i128,
    /// What steps have added to the date.
    offset: i128,
    /// True while every monotonic reading is the kernel's own time.
    perfect: bool,
}

impl Clock {
    /// A clock whose date is `offset_ns` nanoseconds ahead at the beginning (behind when negative), and which gains
    /// `drift_ppb` nanoseconds per second (loses when negative).
    ///
    /// A quartz is within ±100,000 ppb. Panics when `drift_ppb` is minus one billion or less: a clock that stands still
    /// or runs backwards would never fire a timer.
    pub fn new(offset_ns: i64, drift_ppb: i32) -> Self {
        let mut clock =
            Clock { anchor: 0, monotonic: 0, rate: rate(drift_ppb), offset: i128::from(offset_ns), perfect: false };
        clock.notice_perfection();
        clock
    }

    /// A clock that always shows the kernel's time.
    pub fn perfect() -> Self {
        Clock::new(0, 0)
    }

    /// True when every monotonic reading is the kernel's time and every local span lasts as long as it says.
    #[inline]
    pub fn is_perfect(&self) -> bool {
        self.perfect
    }

    /// What the monotonic clock shows at `now`, at most [`Instant::MAX`].
    #[inline]
    pub fn monotonic(&self, now: Instant) -> Instant {
        if self.perfect { now } else { instant(self.monotonic_at(now)) }
    }

    /// The date that the wall clock shows at `now`: at least zero, which is 1970, and at most [`Instant::MAX`].
    pub fn wall(&self, now: Instant) -> Instant {
        instant(i128::from(BEGINNING.as_nanos()) + self.monotonic_at(now) + self.offset)
    }

    /// Sets the date forward by `by_ns` nanoseconds, or back when negative, from this call on. Nothing else moves.
    pub fn step(&mut self, by_ns: i64) {
        self.offset += i128::from(by_ns);
    }

    /// The drift, in nanoseconds gained per second.
    pub fn drift_ppb(&self) -> i32 {
        (self.rate - WHOLE) as i32
    }

    /// From `now` on the clock gains `drift_ppb` nanoseconds per second. The reading at `now` stays what it was; the
    /// fraction of a nanosecond that it had on top is lost.
    ///
    /// What [`Clock::to_global`] and [`Clock::fires_at`] answered before is true no longer: a driver asks again for
    /// every timer that it has set. Panics as [`Clock::new`] does.
    pub fn set_drift(&mut self, now: Instant, drift_ppb: i32) {
        self.monotonic = self.monotonic_at(now);
        self.anchor = i128::from(now.as_nanos());
        self.rate = rate(drift_ppb);
        self.notice_perfection();
    }

    /// How long, on the kernel's clock, a timer of `span` takes that is set at `now`: the shortest time after which the
    /// monotonic clock has advanced by at least `span`. Stops at [`Duration::MAX`].
    #[inline]
    pub fn to_global(&self, now: Instant, span: Duration) -> Duration {
        if self.perfect {
            return span;
        }
        let target = self.monotonic_at(now) + i128::from(span.as_nanos());
        let passed = self.reaches(target) - i128::from(now.as_nanos());
        Duration::ns(u64::try_from(passed.max(0)).unwrap_or(u64::MAX))
    }

    /// The moment, on the kernel's clock, at which a timer fires that is set at `now` for when the monotonic clock
    /// shows `deadline`: the first nanosecond at which it does.
    ///
    /// `now` itself when the clock shows that much already; [`Instant::MAX`] for [`Instant::MAX`], the deadline that
    /// never comes.
    #[inline]
    pub fn fires_at(&self, now: Instant, deadline: Instant) -> Instant {
        if self.perfect || deadline == Instant::MAX {
            return deadline.max(now);
        }
        instant(self.reaches(i128::from(deadline.as_nanos()))).max(now)
    }

    /// The monotonic reading.
    #[inline]
    fn monotonic_at(&self, now: Instant) -> i128 {
        // 2⁶⁴ nanoseconds at 2³² a billion stay far inside 128 bits.
        self.monotonic + ((i128::from(now.as_nanos()) - self.anchor) * self.rate) / WHOLE
    }

    /// The first moment on the kernel's clock at which the monotonic reading is at least `target`.
    #[inline]
    fn reaches(&self, target: i128) -> i128 {
        // ⌊x · rate / 10⁹⌋ ≥ n exactly when x ≥ ⌈n · 10⁹ / rate⌉.
        self.anchor - ((self.monotonic - target) * WHOLE).div_euclid(self.rate)
    }

    fn notice_perfection(&mut self) {
        self.perfect = self.rate == WHOLE && self.monotonic == self.anchor;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::perfect()
    }
}

fn rate(drift_ppb: i32) -> i128 {
    let rate = WHOLE + i128::from(drift_ppb);
    assert!(rate > 0, "a clock that drifts by {drift_ppb} parts per billion never moves forward");
    rate
}

#[inline]
fn instant(ns: i128) -> Instant {
    Instant::from_nanos(u64::try_from(ns.max(0)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn at(ns: u64) -> Instant {
        Instant::from_nanos(ns)
    }

    #[test]
    fn a_drift_of_100_ppm_gains_100_us_a_second() {
        let clock = Clock::new(0, 100_000);
        assert_eq!(clock.monotonic(Instant::from_secs(1)), at(SECOND + 100_000));
        assert_eq!(clock.monotonic(Instant::from_secs(3600)), at(3600 * (SECOND + 100_000)));
        // Its second is over early.
        assert_eq!(clock.to_global(Instant::ZERO, Duration::secs(1)), Duration::ns(999_900_010));
        let slow = Clock::new(0, -100_000);
        assert_eq!(slow.monotonic(Instant::from_secs(1)), at(SECOND - 100_000));
        assert_eq!(slow.to_global(Instant::ZERO, Duration::secs(1)), Duration::ns(1_000_100_011));
    }

    #[test]
    fn a_date_may_be_behind_and_nothing_waits_for_it() {
        let clock = Clock::new(-(2 * SECOND as i64), 0);
        assert_eq!(clock.wall(Instant::ZERO), BEGINNING - Duration::secs(2));
        assert_eq!(clock.monotonic(Instant::ZERO), Instant::ZERO);
        assert_eq!(clock.fires_at(Instant::ZERO, at(1)), at(1));
        let mut clock = Clock::perfect();
        clock.step(i64::MIN);
        assert_eq!(clock.wall(Instant::from_secs(5)), Instant::ZERO, "1970 is as far back as a date goes");
    }

    #[test]
    fn never_stays_never_and_the_past_is_now() {
        for clock in [Clock::perfect(), Clock::new(-7, 0), Clock::new(5_000, 300_000), Clock::new(0, -999_999_999)] {
            let now = Instant::from_secs(9);
            assert_eq!(clock.fires_at(now, Instant::MAX), Instant::MAX);
            assert_eq!(clock.fires_at(now, clock.monotonic(now)), now);
            assert_eq!(clock.fires_at(now, Instant::ZERO), now);
        }
        // A clock that all but stands still fires at the end of time rather than wrapping round.
        assert_eq!(Clock::new(0, -999_999_999).to_global(Instant::ZERO, Duration::mins(60)), Duration::MAX);
    }

    #[test]
    fn perfection_is_lost_by_drift_and_not_by_steps() {
        let mut clock = Clock::perfect();
        clock.step(5);
        assert!(clock.is_perfect(), "a step is seen in the date only");
        clock.set_drift(Instant::from_secs(1), 1);
        assert!(!clock.is_perfect());
        assert_eq!(clock.drift_ppb(), 1);
        clock.set_drift(Instant::from_secs(3), 0);
        assert!(!clock.is_perfect(), "two nanoseconds were gained");
        assert_eq!(clock.monotonic(Instant::from_secs(4)), Instant::from_secs(4) + Duration::ns(2));
        assert_eq!(clock.wall(Instant::from_secs(4)), BEGINNING + Duration::secs(4) + Duration::ns(7));
    }

    #[test]
    #[should_panic(expected = "never moves forward")]
    fn a_clock_cannot_stand_still() {
        let _ = Clock::new(0, -1_000_000_000);
    }

    prop_compose! {
        /// A clock after some life: an offset, a drift, and a change of drift at `changed`.
        fn clocks()(
            offset in -1_000_000_000_000i64..1_000_000_000_000,
            first in -900_000_000i32..=i32::MAX,
            changed in 0u64..10_000_000_000_000,
            second in prop_oneof![Just(0i32), -500_000i32..500_000, -900_000_000i32..=i32::MAX],
        ) -> (Clock, Instant) {
            let mut clock = Clock::new(offset, first);
            clock.set_drift(at(changed), second);
            (clock, at(changed))
        }
    }

    proptest! {
        #[test]
        fn monotonic_readings_never_fall((clock, since) in clocks(), a in 0u64..1 << 50, b in 0u64..1 << 50) {
            let (early, late) = (since + Duration::ns(a.min(b)), since + Duration::ns(a.max(b)));
            prop_assert!(clock.monotonic(early) <= clock.monotonic(late));
        }

        #[test]
        fn a_timer_fires_at_the_first_nanosecond_that_shows_its_deadline(
            (clock, since) in clocks(), wait in 0u64..1 << 45, ahead in prop_oneof![1u64..50, 1u64..1 << 45],
        ) {
            let now = since + Duration::ns(wait);
            let deadline = clock.monotonic(now) + Duration::ns(ahead);
            let fires = clock.fires_at(now, deadline);
            prop_assert!(fires > now);
            prop_assert!(clock.monotonic(fires) >= deadline);
            prop_assert!(clock.monotonic(fires - Duration::ns(1)) < deadline);
        }

        #[test]
        fn a_span_and_its_deadline_agree(
            (clock, since) in clocks(), wait in 1u64 << 41..1 << 45, span in 0u64..1 << 45,
        ) {
            let now = since + Duration::ns(wait * 10);
            let span = Duration::ns(span);
            prop_assert_eq!(now + clock.to_global(now, span), clock.fires_at(now, clock.monotonic(now) + span));
        }

        #[test]
        fn a_step_moves_the_date_by_exactly_itself_and_nothing_else(
            (clock, since) in clocks(), wait in 0u64..1 << 45, by in -1_000_000_000_000i64..1_000_000_000_000,
            span in 0u64..1 << 45,
        ) {
            let now = since + Duration::ns(wait);
            let mut stepped = clock.clone();
            stepped.step(by);
            prop_assert_eq!(stepped.wall(now).as_nanos() as i64 - clock.wall(now).as_nanos() as i64, by);
            prop_assert_eq!(stepped.monotonic(now), clock.monotonic(now));
            prop_assert_eq!(stepped.to_global(now, Duration::ns(span)), clock.to_global(now, Duration::ns(span)));
        }

        #[test]
        fn a_change_of_drift_does_not_show_at_its_moment(
            (clock, since) in clocks(), wait in 0u64..1 << 45, ppb in -900_000_000i32..=i32::MAX,
        ) {
            let now = since + Duration::ns(wait);
            let mut changed = clock.clone();
            changed.set_drift(now, ppb);
            prop_assert_eq!(changed.monotonic(now), clock.monotonic(now));
            prop_assert_eq!(changed.wall(now), clock.wall(now));
        }

        #[test]
        fn a_perfect_clock_is_no_clock_at_all(now in any::<u64>(), span in any::<u64>()) {
            let clock = Clock::perfect();
            prop_assert!(clock.is_perfect());
            prop_assert_eq!(clock.monotonic(at(now)), at(now));
            prop_assert_eq!(clock.to_global(at(now), Duration::ns(span)), Duration::ns(span));
            prop_assert_eq!(clock.fires_at(at(now), at(span)), at(now.max(span)));
        }
    }
}
