//! Outlier detection: hosts that answer badly are ejected for a while, on the evidence of this client alone.
//!
//! Envoy's (`source/common/upstream/outlier_detection_impl.cc`, docs `outlier.rst`) with two of its detectors:
//!
//! - **Consecutive errors**: the fifth bad answer in a row ejects at once.
//! - **Success rate**: every interval, of at least five hosts with at least a hundred answers each in the interval
//!   before, those whose rate is below mean − 1.9 standard deviations are ejected.
//!
//! An ejection lasts base_ejection_time times how often the host was ejected lately, at most max_ejection_time; it ends
//! at the interval's next beat after that. A host that stays well for a whole interval has its count lowered by one at
//! each beat. No more than max_ejection_percent of the hosts are ejected at a time, where the count of one is let
//! through as long as it is the only one: versions of Envoy until 1.2x did that always, later ones where
//! `always_eject_one_host` says so, which is why it is a setting here.
//!
//! Everything that is not a success counts as an error, timeouts and broken connections too, as in Envoy unless it is
//! told to keep those apart. Ejection disregards priorities: a whole zone may be ejected, and panic is what stands
//! against it.
//!
//! The intervals beat from when the client was started ([`Detector::running_for`]), or from the first moment the
//! detector is told of. Nobody need wake it: what a beat changes is seen only by picks, and every pick brings the beats
//! up to date first.

use base::{Duration, Instant};

/// The rules of detection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outliers {
    /// So many errors in a row eject a host; never, when zero.
    pub consecutive_errors: u32,
    /// From one beat to the next. Above zero.
    pub interval: Duration,
    /// How long the first ejection lasts.
    pub base_ejection_time: Duration,
    /// How long an ejection lasts at most.
    pub max_ejection_time: Duration,
    /// So many of a hundred hosts are ejected at a time, at most.
    pub max_ejection_percent: u32,
    /// Whether one host may be ejected whatever the percentage says.
    pub always_eject_one: bool,
    /// The success rate is looked at; a factor on the standard deviation in thousandths, with the least number of hosts
    /// and of answers.
    pub success_rate: Option<SuccessRate>,
}

/// When a success rate is too low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuccessRate {
    /// How many standard deviations below the mean, in thousandths.
    pub stdev_factor: u32,
    /// With fewer hosts that have enough answers nobody is ejected.
    pub minimum_hosts: u32,
    /// With fewer answers in an interval a host is not looked at.
    pub request_volume: u32,
}

impl Default for Outliers {
    /// Envoy's defaults.
    fn default() -> Self {
        Outliers {
            consecutive_errors: 5,
            interval: Duration::secs(10),
            base_ejection_time: Duration::secs(30),
            max_ejection_time: Duration::secs(300),
            max_ejection_percent: 10,
            always_eject_one: true,
            success_rate: Some(SuccessRate::default()),
        }
    }
}

impl Default for SuccessRate {
    fn default() -> Self {
        SuccessRate { stdev_factor: 1900, minimum_hosts: 5, request_volume: 100 }
    }
}

/// What is known of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Monitor {
    errors_in_a_row: u32,
    /// Answers since the latest beat, and the successes among them.
    answers: u32,
    successes: u32,
    /// How long the next ejection lasts, as a multiple of the base.
    times: u32,
    ejected_at: Option<Instant>,
    unejected_at: Option<Instant>,
    /// Until when somebody else holds it ejected.
    held_until: Option<Instant>,
}

impl Monitor {
    /// Whether the host is ejected.
    pub fn is_ejected(&self) -> bool {
        self.ejected_at.is_some() || self.held_until.is_some()
    }

    /// Takes an answer in; whether there have been too many errors in a row.
    fn answered(&mut self, success: bool, limit: u32) -> bool {
        self.answers += 1;
        if success {
            self.successes += 1;
            self.errors_in_a_row = 0;
            return false;
        }
        self.errors_in_a_row += 1;
        self.errors_in_a_row == limit
    }
}

/// The detector of one client; it keeps time, while the monitors are kept with the hosts.
#[derive(Debug)]
pub struct Detector {
    rules: Outliers,
    beat: Option<Instant>,
    /// When the first of the ejections that somebody else began ends.
    hold_ends: Option<Instant>,
}

/// More beats than this are not made up for: by then every ejection is over and every count is zero.
const BEATS_MAX: u32 = 1_000;

impl Detector {
    /// A detector with these rules.
    pub fn new(rules: Outliers) -> Self {
        assert!(!rules.interval.is_zero(), "an interval takes time");
        Detector { rules, beat: None, hold_ends: None }
    }

    /// Begins to keep time, at the first call.
    pub fn start(&mut self, now: Instant) {
        self.beat.get_or_insert(now.saturating_add(self.rules.interval));
    }

    /// Keeps time as a client does that was started `age` before `now`, so that the beats of many do not fall together.
    pub fn running_for(&mut self, now: Instant, age: Duration) {
        self.beat = Some(now.saturating_add(age.to_next(self.rules.interval)));
    }

    /// When [`Detector::catch_up`] next has something to do.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        match (self.beat, self.hold_ends) {
            (Some(beat), Some(end)) => Some(beat.min(end)),
            (beat, end) => beat.or(end),
        }
    }

    /// Ejects the host at `index` until `until`; whether there was room for that. O(n).
    pub fn hold(&mut self, monitors: &mut [Monitor], index: usize, until: Instant) -> bool {
        if monitors[index].is_ejected() || !self.has_room(monitors) {
            return false;
        }
        monitors[index].held_until = Some(until);
        self.hold_ends = Some(self.hold_ends.map_or(until, |end| end.min(until)));
        true
    }

    /// Ends an ejection, whatever began it; whether there was one.
    pub fn release(&mut self, now: Instant, monitor: &mut Monitor) -> bool {
        let ejected = monitor.is_ejected();
        if monitor.ejected_at.take().is_some() {
            monitor.unejected_at = Some(now);
        }
        monitor.held_until = None;
        monitor.errors_in_a_row = 0;
        ejected
    }

    /// Whether one more may be ejected.
    fn has_room(&self, monitors: &[Monitor]) -> bool {
        let ejected = monitors.iter().filter(|m| m.is_ejected()).count();
        let percent = 100.0 * (ejected + 1) as f64 / monitors.len() as f64;
        percent <= f64::from(self.rules.max_ejection_percent) || (self.rules.always_eject_one && ejected == 0)
    }

    fn eject(&self, now: Instant, monitors: &mut [Monitor], index: usize) -> bool {
        if monitors[index].is_ejected() || !self.has_room(monitors) {
            return false;
        }
        let monitor = &mut monitors[index];
        monitor.ejected_at = Some(now);
        if self.rules.base_ejection_time.saturating_mul(u64::from(monitor.times))
            < self.rules.max_ejection_time.saturating_add(self.rules.base_ejection_time)
        {
            monitor.times += 1;
        }
        true
    }

    /// The host at `index` has answered; whether that ejects it. O(1), and O(n) when it may be ejected.
    pub fn answered(&mut self, now: Instant, monitors: &mut [Monitor], index: usize, success: bool) -> bool {
        if !monitors[index].answered(success, self.rules.consecutive_errors) || monitors[index].is_ejected() {
            return false;
        }
        let ejected = self.eject(now, monitors, index);
        monitors[index].errors_in_a_row = 0;
        ejected
    }

    /// Makes up for all beats until `now`; whether any ejection began or ended. O(n) a beat.
    pub fn catch_up(&mut self, now: Instant, monitors: &mut [Monitor]) -> bool {
        let mut changed = self.end_holds(now, monitors);
        let mut beats = 0;
        while let Some(beat) = self.beat
            && beat <= now
        {
            changed |= self.beat_at(beat, monitors);
            beats += 1;
            let next = if beats < BEATS_MAX { beat } else { now };
            self.beat = Some(next.saturating_add(self.rules.interval));
        }
        changed
    }

    fn end_holds(&mut self, now: Instant, monitors: &mut [Monitor]) -> bool {
        if self.hold_ends.is_none_or(|end| end > now) {
            return false;
        }
        let mut changed = false;
        for monitor in monitors.iter_mut() {
            if monitor.held_until.is_some_and(|end| end <= now) {
                changed |= self.release(now, monitor);
            }
        }
        self.hold_ends = monitors.iter().filter_map(|m| m.held_until).min();
        changed
    }

    fn beat_at(&mut self, now: Instant, monitors: &mut [Monitor]) -> bool {
        let mut changed = false;
        for monitor in monitors.iter_mut() {
            if let Some(at) = monitor.ejected_at {
                let lasts = self.rules.base_ejection_time.saturating_mul(u64::from(monitor.times));
                if lasts.min(self.rules.max_ejection_time) <= now.saturating_since(at) {
                    changed |= self.release(now, monitor);
                }
            }
        }
        if let Some(rule) = self.rules.success_rate {
            changed |= self.compare_rates(now, rule, monitors);
        }
        for monitor in monitors.iter_mut() {
            (monitor.answers, monitor.successes) = (0, 0);
            if let Some(at) = monitor.unejected_at
                && !monitor.is_ejected()
                && now.saturating_since(at) >= self.rules.interval
            {
                monitor.times = monitor.times.saturating_sub(1);
            }
        }
        changed
    }

    fn compare_rates(&self, now: Instant, rule: SuccessRate, monitors: &mut [Monitor]) -> bool {
        let looked_at = |m: &Monitor| !m.is_ejected() && m.answers > 0 && m.answers >= rule.request_volume;
        let rates: Vec<(usize, f64)> = monitors
            .iter()
            .enumerate()
            .filter(|(_, m)| looked_at(m))
            .map(|(index, m)| (index, f64::from(m.successes) * 100.0 / f64::from(m.answers)))
            .collect();
        if rates.is_empty() || rates.len() < rule.minimum_hosts as usize {
            return false;
        }
        let threshold = success_rate_threshold(rates.iter().map(|(_, rate)| *rate), rule.stdev_factor);
        let mut changed = false;
        for (index, rate) in rates {
            if rate < threshold {
                changed |= self.eject(now, monitors, index);
            }
        }
        changed
    }
}

/// Mean − factor · σ of success rates in percent; the factor in thousandths, σ that of the whole population.
pub fn success_rate_threshold(rates: impl ExactSizeIterator<Item = f64> + Clone, stdev_factor: u32) -> f64 {
    let n = rates.len() as f64;
    let mean = rates.clone().sum::<f64>() / n;
    let variance = rates.map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / n;
    mean - f64::from(stdev_factor) / 1000.0 * variance.sqrt()
}
