//! Two servers of which the shorter queue is chosen with some chance: the exact Markov chain.
//!
//! The state is the shorter queue and by how much the longer is longer. In the first it has no end and repeats itself,
//! so that the stationary law is matrix-geometric (Neuts, 1981) and nothing is cut off; the second is cut off where
//! less than 1e-13 of the time is spent, which bounds the error of the mean to about that times the cut. The matrix
//! comes from logarithmic reduction (Latouche and Ramaswami, 1993).

use super::response::{Response, check};

/// Where the longer queue is cut off, above the shorter one.
const CUT: usize = 96;
const N: usize = CUT + 1;

type Matrix = Vec<[f64; N]>;

/// Two servers; a request joins the shorter queue with chance `to_shorter` and the longer one otherwise, ties evenly.
///
/// With 1 it is the shortest queue, with 3/4 two draws with replacement (both fall on the longer queue a quarter of the
/// time), with 1/2 a random split. `0.6 <= to_shorter <= 1`: below that the queues drift too far apart for the cut.
/// Takes about a tenth of a second.
pub fn shorter_of_two(to_shorter: f64, rho: f64) -> Response {
    check(rho);
    assert!(
        (0.6..=1.0).contains(&to_shorter),
        "the shorter queue is chosen with a chance of 0.6 to 1, not {to_shorter}"
    );
    let arrivals = 2.0 * rho;
    let (mut up, mut same, mut down, mut first) = (zero(), zero(), zero(), zero());
    for d in 0..N {
        let further = (d + 1).min(CUT);
        if d == 0 {
            same[0][1] += arrivals;
            down[0][1] += 2.0;
        } else {
            up[d][d - 1] += arrivals * to_shorter;
            same[d][further] += arrivals * (1.0 - to_shorter);
            same[d][d - 1] += 1.0;
            down[d][further] += 1.0;
        }
        first[d] = same[d];
        let leave = |rows: &[&Matrix]| rows.iter().map(|m| m[d].iter().sum::<f64>()).sum::<f64>();
        let (all, without_down) = (leave(&[&up, &same, &down]), leave(&[&up, &same]));
        same[d][d] -= all;
        first[d][d] -= without_down;
    }
    let back = first_passage(&up, &same, &down);
    // R = up · (−same − up · back)⁻¹: how much time at a level above follows from time at this one.
    let ratio = times(&up, &inverse(&minus(&negative(&same), &times(&up, &back))));
    let start = stationary(&plus(&first, &times(&ratio, &down)));
    // All levels together: start · (I − R)⁻¹, and the mean level by one more turn.
    let all = inverse(&minus(&one(), &ratio));
    let by_difference = row_times(&start, &all);
    let total: f64 = by_difference.iter().sum();
    let level: f64 = row_times(&row_times(&by_difference, &ratio), &all).iter().sum();
    let difference: f64 = by_difference.iter().enumerate().map(|(d, p)| d as f64 * p).sum();
    Response { mean: (2.0 * level + difference) / total / arrivals, tail: None }
}

/// Where the chain first comes one level down, by where it began: G of the quasi-birth-and-death process.
fn first_passage(up: &Matrix, same: &Matrix, down: &Matrix) -> Matrix {
    let inside = inverse(&negative(same));
    let (mut high, mut low) = (times(&inside, up), times(&inside, down));
    let (mut g, mut t) = (low.clone(), high.clone());
    for _ in 0..64 {
        let stay = inverse(&minus(&one(), &plus(&times(&high, &low), &times(&low, &high))));
        (high, low) = (times(&stay, &times(&high, &high)), times(&stay, &times(&low, &low)));
        let more = times(&t, &low);
        g = plus(&g, &more);
        t = times(&t, &high);
        if more.iter().flatten().all(|x| x.abs() < 1e-16) {
            break;
        }
    }
    g
}

/// The vector that `rates` leaves alone, up to a factor: Gaussian elimination with the last entry set to one.
fn stationary(rates: &Matrix) -> [f64; N] {
    // Grassmann, Taksar and Heyman's elimination: no subtraction, hence no cancellation.
    let mut q = rates.clone();
    for k in (1..N).rev() {
        let out: f64 = q[k][..k].iter().sum();
        for i in 0..k {
            q[i][k] /= out;
            for j in (0..k).filter(|&j| j != i) {
                q[i][j] += q[i][k] * q[k][j];
            }
        }
    }
    let mut x = [0.0; N];
    x[0] = 1.0;
    for k in 1..N {
        x[k] = (0..k).map(|i| x[i] * q[i][k]).sum();
    }
    x
}

fn zero() -> Matrix {
    vec![[0.0; N]; N]
}

fn one() -> Matrix {
    let mut m = zero();
    (0..N).for_each(|i| m[i][i] = 1.0);
    m
}

fn each(a: &Matrix, b: &Matrix, f: impl Fn(f64, f64) -> f64) -> Matrix {
    a.iter().zip(b).map(|(a, b)| std::array::from_fn(|j| f(a[j], b[j]))).collect()
}

fn plus(a: &Matrix, b: &Matrix) -> Matrix {
    each(a, b, |a, b| a + b)
}

fn minus(a: &Matrix, b: &Matrix) -> Matrix {
    each(a, b, |a, b| a - b)
}

fn negative(a: &Matrix) -> Matrix {
    each(a, a, |a, _| -a)
}

fn row_times(row: &[f64; N], m: &Matrix) -> [f64; N] {
    let mut out = [0.0; N];
    for (x, row) in row.iter().zip(m).filter(|(x, _)| **x != 0.0) {
        out.iter_mut().zip(row).for_each(|(o, y)| *o += x * y);
    }
    out
}

fn times(a: &Matrix, b: &Matrix) -> Matrix {
    a.iter().map(|row| row_times(row, b)).collect()
}

/// By Gauss and Jordan. The matrices here are diagonally dominant, so that no row needs to change its place.
fn inverse(m: &Matrix) -> Matrix {
    let (mut a, mut b) = (m.clone(), one());
    for k in 0..N {
        let pivot = 1.0 / a[k][k];
        a[k].iter_mut().for_each(|x| *x *= pivot);
        b[k].iter_mut().for_each(|x| *x *= pivot);
        let (row_a, row_b) = (a[k], b[k]);
        for i in (0..N).filter(|&i| i != k) {
            let factor = a[i][k];
            if factor != 0.0 {
                a[i].iter_mut().zip(&row_a).for_each(|(x, y)| *x -= factor * y);
                b[i].iter_mut().zip(&row_b).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    b
}
