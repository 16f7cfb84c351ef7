//! Statistics of replications.

/// Jain's index of fairness, (Σx)² / (n Σx²): 1 when all are equal, 1/n when one has everything; 1 for nothing at all.
pub fn jain(values: &[f64]) -> f64 {
    let (sum, squares) = values.iter().fold((0.0, 0.0), |(s, q), &x| (s + x, q + x * x));
    if squares == 0.0 { 1.0 } else { sum * sum / (values.len() as f64 * squares) }
}
