//! Logarithms, exponentials and powers that give the same bits on every machine.
//!
//! The standard library leaves the precision of these functions to the platform, so one seed could take two paths on
//! two machines. `libm` is a port of musl's code in plain Rust: additions, multiplications and tables, which IEEE 754
//! fixes to the bit. This is the only file that calls it, by name; the clippy border bans the methods on `f64`.

/// Natural logarithm of `x`; `-inf` at zero, NaN below.
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// Base-ten logarithm of `x`.
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// e to the power of `x`.
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e to the power of `x`, less one; exact also where `x` is small.
#[inline]
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// The natural logarithm of one more than `x`; exact also where `x` is small.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `x` to the power of `y`.
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

/// Sine of `x` radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of `x` radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// The complementary error function: `2/√π ∫ₓ^∞ e^(−t²) dt`.
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The standard normal quantile: the `z` below which a share `p` of a standard normal lies, `0 < p < 1`.
///
/// Newton's method on `erfc` from the centre, to the last few bits; meant for set-up, not for hot paths.
pub fn normal_quantile(p: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "a quantile needs 0 < p < 1, got {p}");
    if p > 0.5 {
        // Solve in the lower tail, where erfc keeps its relative precision, and mirror.
        return -normal_quantile(1.0 - p);
    }
    let mut z = 0.0_f64;
    for _ in 0..100 {
        let below = 0.5 * erfc(-z / std::f64::consts::SQRT_2);
        let density = exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
        // The lower half of the normal distribution is convex, so Newton's steps from the right overshoot to the left
        // at most once; the clamp keeps that first step where the density is not zero.
        let step = ((below - p) / density).clamp(-1.0, 1.0);
        z -= step;
        if step.abs() < 1e-14 {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_normal_distribution_match_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.99, 2.326_347_874), (0.001, -3.090_232_306)] {
            assert!((normal_quantile(p) - z).abs() < 1e-8, "p = {p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn the_bits_are_pinned() {
        // A change of library or compiler that moves one bit here would move every run: it must be seen, not found.
        let bits = [ln(0.1), exp(-7.7), pow(3.0, 0.7), sin(1.0), cos(1.0), log10(7.0), erfc(0.3)].map(f64::to_bits);
        assert_eq!(
            bits,
            [
                0xc002_6bb1_bbb5_5515,
                0x3f3d_ad2d_f0f5_035e,
                0x4001_42e8_1c88_9914,
                0x3fea_ed54_8f09_0cee,
                0x3fe1_4a28_0fb5_068c,
                0x3feb_0b0b_0b78_cc3f,
                0x3fe5_7be3_bbf1_0af8,
            ]
        );
    }
}
