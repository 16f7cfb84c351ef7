//! Time in a run: a point is an [`Instant`], a span is a [`Duration`], both whole nanoseconds in a `u64`.
//!
//! The standard library's types would tempt a run to look at the clock on the wall, and its `Duration` takes sixteen
//! bytes and a carry in every sum. Eight bytes hold 584 years, which is longer than anyone's scenario. Arithmetic
//! that would leave the range panics, in every build: a run that computes a negative span has a bug, and wrapping would
//! hide it in the build that people use. Where a scenario can ask for more than there is, sums saturate by name.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

/// A point on one clock, in nanoseconds since that clock's zero.
///
/// The kernel has one; every virtual node has another, with its own offset and drift. Two instants may be
/// compared only when they come from the same clock, which no type can check: the world keeps them apart by never
/// handing the kernel's time to a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A span of time in nanoseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Instant {
    /// The beginning of the clock.
    pub const ZERO: Instant = Instant(0);
    /// Later than everything: what a deadline is that never comes.
    pub const MAX: Instant = Instant(u64::MAX);

    /// The instant `ns` nanoseconds after zero.
    pub const fn from_nanos(ns: u64) -> Self {
        Instant(ns)
    }

    /// The instant `ms` milliseconds after zero.
    pub const fn from_millis(ms: u64) -> Self {
        Instant(checked(ms.checked_mul(1_000_000)))
    }

    /// The instant `s` seconds after zero.
    pub const fn from_secs(s: u64) -> Self {
        Instant(checked(s.checked_mul(1_000_000_000)))
    }

    /// Nanoseconds since zero.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since zero, for people and plots.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span since `earlier`, or zero when `earlier` is later: clocks that step can ask this without care.
    pub const fn saturating_since(self, earlier: Instant) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved later, stopping at [`Instant::MAX`].
    pub const fn saturating_add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }

    /// This instant moved earlier, stopping at [`Instant::ZERO`].
    pub const fn saturating_sub(self, span: Duration) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// The longest span there is.
    pub const MAX: Duration = Duration(u64::MAX);

    /// A span of nanoseconds.
    pub const fn ns(n: u64) -> Self {
        Duration(n)
    }

    /// A span of microseconds.
    pub const fn us(n: u64) -> Self {
        Duration(checked(n.checked_mul(1_000)))
    }

    /// A span of milliseconds.
    pub const fn ms(n: u64) -> Self {
        Duration(checked(n.checked_mul(1_000_000)))
    }

    /// A span of seconds.
    pub const fn secs(n: u64) -> Self {
        Duration(checked(n.checked_mul(1_000_000_000)))
    }

    /// A span of minutes.
    pub const fn mins(n: u64) -> Self {
        Duration(checked(n.checked_mul(60_000_000_000)))
    }

    /// The span closest to `s` seconds; negative and NaN become zero, too large becomes [`Duration::MAX`].
    pub fn from_secs_f64(s: f64) -> Self {
        // `as` saturates and sends NaN to zero, which is exactly the contract above.
        Duration((s * 1e9).round() as u64)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, for people, plots and statistics.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Milliseconds, for people, plots and statistics.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// True for no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span stretched by `factor` (1.0 changes nothing), to the nearest nanosecond.
    pub fn mul_f64(self, factor: f64) -> Self {
        Duration((self.0 as f64 * factor).round() as u64)
    }

    /// The difference, or zero when `other` is longer.
    pub const fn saturating_sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }

    /// The sum, stopping at [`Duration::MAX`].
    pub const fn saturating_add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }

    /// The product, stopping at [`Duration::MAX`].
    pub const fn saturating_mul(self, n: u64) -> Duration {
        Duration(self.0.saturating_mul(n))
    }

    /// From here to the next multiple of `every`: above zero and at most `every`, which it is at each multiple. What is
    /// left of its present period to something periodic of this age; zero where `every` is.
    pub const fn to_next(self, every: Duration) -> Duration {
        if every.0 == 0 { every } else { Duration(every.0 - self.0 % every.0) }
    }
}

/// The value, where 64 bits hold it.
#[inline(always)]
#[track_caller]
const fn checked(ns: Option<u64>) -> u64 {
    match ns {
        Some(ns) => ns,
        None => overflow(),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
const fn overflow() -> ! {
    panic!("time overflows: a negative span, or one of more than 584 years")
}

impl Add<Duration> for Instant {
    type Output = Instant;
    #[inline]
    #[track_caller]
    fn add(self, span: Duration) -> Instant {
        Instant(checked(self.0.checked_add(span.0)))
    }
}

impl AddAssign<Duration> for Instant {
    #[inline]
    #[track_caller]
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    #[inline]
    #[track_caller]
    fn sub(self, span: Duration) -> Instant {
        Instant(checked(self.0.checked_sub(span.0)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    #[inline]
    #[track_caller]
    fn sub(self, earlier: Instant) -> Duration {
        Duration(checked(self.0.checked_sub(earlier.0)))
    }
}

impl Add for Duration {
    type Output = Duration;
    #[inline]
    #[track_caller]
    fn add(self, other: Duration) -> Duration {
        Duration(checked(self.0.checked_add(other.0)))
    }
}

impl AddAssign for Duration {
    #[inline]
    #[track_caller]
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Duration;
    #[inline]
    #[track_caller]
    fn sub(self, other: Duration) -> Duration {
        Duration(checked(self.0.checked_sub(other.0)))
    }
}

impl SubAssign for Duration {
    #[inline]
    #[track_caller]
    fn sub_assign(&mut self, other: Duration) {
        *self = *self - other;
    }
}

impl Mul<u64> for Duration {
    type Output = Duration;
    #[inline]
    #[track_caller]
    fn mul(self, n: u64) -> Duration {
        Duration(checked(self.0.checked_mul(n)))
    }
}

impl Div<u64> for Duration {
    type Output = Duration;
    fn div(self, n: u64) -> Duration {
        Duration(self.0 / n)
    }
}

impl fmt::Display for Instant {
    /// Seconds with milliseconds, `37.412s`; finer digits only where they are not zero, `37.412000250s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, ns) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if ns.is_multiple_of(1_000_000) { write!(f, "{s}.{:03}s", ns / 1_000_000) } else { write!(f, "{s}.{ns:09}s") }
    }
}

impl fmt::Display for Duration {
    /// The largest unit that loses nothing below three decimals: `250us`, `8ms`, `1.5s`, `90s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, per) = match self.0 {
            0 => return f.write_str("0s"),
            n if n < 1_000 => ("ns", 1),
            n if n < 1_000_000 => ("us", 1_000),
            n if n < 1_000_000_000 => ("ms", 1_000_000),
            _ => ("s", 1_000_000_000),
        };
        let (whole, rest) = (self.0 / per, self.0 % per);
        if rest == 0 {
            return write!(f, "{whole}{unit}");
        }
        let digits = per.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(f, "{whole}.{}{unit}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_aloud_in_the_unit_a_person_would_choose() {
        let read = |d: Duration| d.to_string();
        assert_eq!(read(Duration::ZERO), "0s");
        assert_eq!(read(Duration::ns(17)), "17ns");
        assert_eq!(read(Duration::us(250)), "250us");
        assert_eq!(read(Duration::ms(8)), "8ms");
        assert_eq!(read(Duration::ns(1_500_000)), "1.5ms");
        assert_eq!(read(Duration::ms(1_500)), "1.5s");
        assert_eq!(read(Duration::mins(3)), "180s");
        assert_eq!(Instant::from_millis(37_412).to_string(), "37.412s");
        assert_eq!(Instant::from_nanos(5_000_000_250).to_string(), "5.000000250s");
    }

    #[test]
    fn from_seconds_saturates_instead_of_wrapping() {
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(1e30), Duration::MAX);
        assert_eq!(Duration::from_secs_f64(0.25), Duration::ms(250));
    }

    #[test]
    fn what_leaves_the_range_panics_in_every_build() {
        let second = Duration::secs(1);
        let sums: [fn(Duration) -> u64; 9] = [
            |s| (Instant::MAX + s).as_nanos(),
            |s| (Instant::ZERO - s).as_nanos(),
            |s| (Instant::ZERO - (Instant::ZERO + s)).as_nanos(),
            |s| (Duration::MAX + s).as_nanos(),
            |s| (Duration::ZERO - s).as_nanos(),
            |s| (Duration::MAX * s.as_nanos()).as_nanos(),
            |s| Instant::from_secs(u64::MAX / s.as_nanos() + 1).as_nanos(),
            |s| Duration::us(u64::MAX / s.as_nanos() * 1_000_000_000).as_nanos(),
            |s| {
                let mut at = Instant::MAX;
                at += s;
                at.as_nanos()
            },
        ];
        for (i, sum) in sums.into_iter().enumerate() {
            let said = std::panic::catch_unwind(|| sum(second)).expect_err("it leaves the range");
            let said = said.downcast_ref::<&str>().copied().unwrap_or_default();
            assert!(said.starts_with("time overflows"), "{i}: {said}");
        }
    }
}
