//! How unevenly work lies on instances, and which of them drown in it.

use super::kept::Swamped;
use world::outcome::InstanceOutcome;

/// Jain's index of fairness, (Σx)² / (n Σx²): 1 when all are equal, 1/n when one has everything; 1 for nothing at all
/// (Jain, Chiu and Hawe, "A Quantitative Measure of Fairness", 1984).
pub fn jain(values: &[f64]) -> f64 {
    let (sum, squares) = values.iter().fold((0.0, 0.0), |(s, q), &x| (s + x, q + x * x));
    if squares == 0.0 { 1.0 } else { sum * sum / (values.len() as f64 * squares) }
}

/// Max over mean and Jain's index of the instances' numbers in a step, each averaged over the steps from `from` in
/// which any number is not zero. An instance counts from the step after its creation.
pub(super) fn unevenness(all: &[InstanceOutcome], from: usize, of: fn(&InstanceOutcome) -> &Vec<u32>) -> (f64, f64) {
    let steps = all.iter().map(|i| of(i).len()).max().unwrap_or(0);
    let (mut ratios, mut indices, mut n) = (0.0, 0.0, 0u32);
    let mut there = Vec::with_capacity(all.len());
    for step in from..steps {
        there.clear();
        let made = all.iter().filter(|i| i.created_in_step == 0 || i.created_in_step < step);
        there.extend(made.map(|i| f64::from(of(i).get(step).copied().unwrap_or(0))));
        let (most, sum) = there.iter().fold((0.0_f64, 0.0), |(m, s), &x| (m.max(x), s + x));
        if sum > 0.0 {
            ratios += most / (sum / there.len() as f64);
            indices += jain(&there);
            n += 1;
        }
    }
    (ratios / f64::from(n), indices / f64::from(n))
}

/// An instance that works for less than this share of the time keeps up with its requests.
const KEEPS_UP: f64 = 0.98;

/// What is noted of an instance that existed during the whole measured part from step `from`, was hardly ever idle, and
/// had a longer queue in the second half than in the first; none of any other.
pub(super) fn swamped(instance: &InstanceOutcome, from: usize) -> Option<Swamped> {
    let measured = instance.in_system_per_step.get(from.max(instance.created_in_step)..)?;
    if instance.utilisation < KEEPS_UP || instance.created_in_step > from || measured.len() < 4 {
        return None;
    }
    let mean = |part: &[u32]| part.iter().map(|n| f64::from(*n)).sum::<f64>() / part.len() as f64;
    let (first, second) = measured.split_at(measured.len() / 2);
    let (first, second) = (mean(first), mean(second));
    (second > first).then(|| Swamped { instance: instance.name.clone(), taken: instance.requests, first, second })
}
