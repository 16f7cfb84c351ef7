//! The statistics against published tables, and against what they promise.

use base::{Rng, Seed};
use proptest::prelude::*;
use study::jain;
use study::stats::*;

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * b.abs()
}

#[test]
fn students_quantiles_match_the_tables() {
    // Two-sided, as printed in every textbook (for example Abramowitz and Stegun, table 26.10).
    let table = [
        (0.05, 1, 12.706),
        (0.05, 5, 2.571),
        (0.05, 9, 2.262),
        (0.05, 30, 2.042),
        (0.05, 120, 1.980),
        (0.1, 3, 2.353),
        (0.01, 10, 3.169),
        (0.001, 7, 5.408),
        (0.001, 1, 636.619),
        (0.001, 60, 3.460),
    ];
    for (alpha, df, published) in table {
        let t = student_critical(alpha, df);
        assert!((t - published).abs() < 6e-4, "alpha {alpha}, {df} degrees: {t} is not {published}");
    }
}

#[test]
fn students_quantiles_match_their_closed_forms() {
    for alpha in [0.5, 0.05, 1e-3, 1e-6, 1e-9] {
        let half = std::f64::consts::FRAC_PI_2 * alpha;
        let one = base::math::cos(half) / base::math::sin(half);
        assert!(close(student_critical(alpha, 1), one, 1e-11), "one degree at {alpha}");
        let two = (1.0 - alpha) * (2.0 / (alpha * (2.0 - alpha))).sqrt();
        assert!(close(student_critical(alpha, 2), two, 1e-11), "two degrees at {alpha}");
        let four = {
            let a = alpha * (2.0 - alpha);
            let root = a.sqrt();
            // cos(arccos(√a)/3)/√a by Newton's method on 4c³ − 3c = √a.
            let mut c: f64 = 1.0;
            for _ in 0..100 {
                c -= (4.0 * c * c * c - 3.0 * c - root) / (12.0 * c * c - 3.0);
            }
            2.0 * (c / root - 1.0).sqrt()
        };
        assert!(close(student_critical(alpha, 4), four, 1e-9), "four degrees at {alpha}");
    }
    // With many degrees it is the normal distribution.
    let normal = base::math::normal_quantile(0.975);
    assert!(close(student_critical(0.05, 1_000_000), normal, 3e-6));
}

#[test]
fn the_tails_are_one_minus_the_middle() {
    // P(|T| < t) with 3 degrees: (2/π)(θ + sin θ cos θ) at tan θ = t/√3; at t = √3, θ = π/4.
    let inside = 2.0 / std::f64::consts::PI * (std::f64::consts::FRAC_PI_4 + 0.5);
    assert!((student_tails(3.0_f64.sqrt(), 3) - (1.0 - inside)).abs() < 1e-14);
    assert_eq!(student_tails(0.0, 5), 1.0);
    assert_eq!(student_tails(f64::INFINITY, 5), 0.0);
}

fn normals(rng: &mut Rng, n: usize, mean: f64, sd: f64) -> Vec<f64> {
    (0..n).map(|_| mean + sd * base::dist::unit_normal(rng)).collect()
}

#[test]
fn intervals_hold_the_mean_as_often_as_they_say() {
    let mut rng = Seed(1).stream("coverage");
    for (n, alpha) in [(3, 0.05), (10, 0.05), (10, 0.1)] {
        let trials = 4_000;
        let held = (0..trials)
            .filter(|_| {
                let e = Estimate::of(normals(&mut rng, n, 7.0, 2.0)).unwrap();
                (e.mean - 7.0).abs() <= e.half_width(alpha).unwrap()
            })
            .count();
        let share = held as f64 / f64::from(trials);
        let four_sigma = 4.0 * (alpha * (1.0 - alpha) / f64::from(trials)).sqrt();
        assert!((share - (1.0 - alpha)).abs() < four_sigma, "n = {n}: {share} held, not {}", 1.0 - alpha);
    }
}

/// Five things of these means, measured under ten seeds; a share of the noise is common to all under a seed.
fn five(rng: &mut Rng, means: [f64; 5]) -> Vec<Vec<(usize, f64)>> {
    let common = normals(rng, 10, 0.0, 1.0);
    means.map(|mean| normals(rng, 10, mean, 1.0).iter().zip(&common).map(|(x, c)| x + c).enumerate().collect()).into()
}

#[test]
fn equal_means_are_told_apart_no_more_often_than_alpha() {
    let mut rng = Seed(2).stream("family-wise");
    let trials = 2_000;
    let wrong = |rng: &mut Rng, means| pairs(&five(rng, means), 0.05).iter().any(|p| p.decided);
    let share = (0..trials).filter(|_| wrong(&mut rng, [3.0; 5])).count() as f64 / f64::from(trials);
    assert!(share < 0.05 + 0.015, "{share} of the trials told equal means apart");
    assert!(share > 0.01, "a correction that never errs at {share} is too timid");
}

#[test]
fn simultaneous_intervals_hold_all_differences_together() {
    let mut rng = Seed(3).stream("simultaneous");
    let means = [1.0, 1.2, 2.0, 4.0, 8.0];
    let trials = 2_000;
    let all = (0..trials)
        .filter(|_| {
            pairs(&five(&mut rng, means), 0.05).iter().all(|p| {
                let truth = means[p.first] - means[p.second];
                (p.difference.mean - truth).abs() <= p.simultaneous.unwrap()
            })
        })
        .count();
    assert!(all as f64 / f64::from(trials) >= 0.95 - 0.015, "{all} of {trials}");
}

#[test]
fn common_noise_goes_away_in_pairs() {
    let noise = [3.0, -2.0, 8.0, 0.5, -6.0];
    let shifted = |by: f64, jitter: f64| {
        noise.iter().enumerate().map(|(i, x)| (i, x + by + jitter * (i % 2) as f64)).collect::<Vec<_>>()
    };
    let found = pairs(&[shifted(0.0, 0.0), shifted(1.0, 0.1)], 0.05);
    assert!(found[0].decided, "{found:?}");
    // By themselves the two overlap by far.
    let alone = Estimate::of(noise).unwrap();
    assert!(alone.half_width(0.05).unwrap() > 5.0);
}

#[test]
fn seeds_that_only_one_of_a_pair_has_are_left_out() {
    let a = vec![(0, 1.0), (1, 2.0), (3, 4.0)];
    let b = vec![(1, 1.5), (2, 9.0), (3, 3.0)];
    let found = pairs(&[a, b, vec![]], 0.05);
    assert_eq!(found.len(), 1, "a thing without samples has no pairs");
    assert_eq!((found[0].difference.n, found[0].difference.mean), (2, 0.75));
}

#[test]
fn one_seed_decides_nothing() {
    let found = pairs(&[vec![(0, 1.0)], vec![(0, 100.0)]], 0.05);
    assert_eq!((found[0].decided, found[0].p, found[0].corrected), (false, None, None));
    let ranked = rank(&[Some(1.0), Some(100.0)], &found, false);
    assert_eq!(ranked.iter().map(|r| (r.item, r.best, r.worst)).collect::<Vec<_>>(), [(0, 1, 2), (1, 1, 2)]);
}

#[test]
fn what_is_alike_in_every_seed_cannot_be_told_apart_and_a_constant_difference_can() {
    let flat = |x: f64| (0..4).map(|i| (i, x)).collect::<Vec<_>>();
    let found = pairs(&[flat(0.1), flat(0.1), flat(0.3)], 0.05);
    assert_eq!(found.iter().map(|p| p.decided).collect::<Vec<_>>(), [false, true, true]);
    let ranked = rank(&[Some(0.1), Some(0.1), Some(0.3)], &found, true);
    let said: Vec<_> = ranked.iter().map(|r| (r.item, r.best, r.worst, r.groups.as_str())).collect();
    assert_eq!(said, [(2, 1, 1, "a"), (0, 2, 3, "b"), (1, 2, 3, "b")]);
}

#[test]
fn the_warm_up_check_finds_where_a_series_settles() {
    let mut rng = Seed(4).stream("mser");
    let mut series = normals(&mut rng, 250, 10.0, 0.5);
    assert!(matches!(mser5(&series), Settled::After(0..=60)), "{:?}", mser5(&series));
    // A queue that fills over the first 60 steps.
    series.iter_mut().take(60).enumerate().for_each(|(i, x)| *x -= 8.0 * (1.0 - i as f64 / 60.0));
    assert!(matches!(mser5(&series), Settled::After(35..=75)), "{:?}", mser5(&series));
    // One that fills to the end.
    let climbing: Vec<f64> = (0..250).map(|i| i as f64).collect();
    assert_eq!(mser5(&climbing), Settled::Never);
    assert_eq!(mser5(&series[..49]), Settled::TooShort);
    assert_eq!(mser5(&[3.0; 50]), Settled::After(0), "what never moves is settled from the first");
}

#[test]
fn jains_index_is_as_published() {
    assert_eq!(jain(&[1.0, 1.0, 1.0, 1.0]), 1.0);
    assert_eq!(jain(&[1.0, 0.0, 0.0, 0.0]), 0.25);
    assert_eq!(jain(&[0.0; 3]), 1.0);
}

proptest! {
    #[test]
    fn holm_is_never_more_liberal_than_a_pair_by_itself(
        seed in 0u64..1_000, means in proptest::array::uniform5(0.0..3.0_f64)
    ) {
        let mut rng = Seed(seed).stream("liberal");
        for p in pairs(&five(&mut rng, means), 0.05) {
            let (raw, adjusted) = (p.p.unwrap(), p.adjusted.unwrap());
            prop_assert!(adjusted >= raw);
            let (alone, corrected, all) = (p.alone.unwrap(), p.corrected.unwrap(), p.simultaneous.unwrap());
            prop_assert!(alone <= corrected && corrected <= all);
            prop_assert_eq!(p.decided, adjusted <= 0.05);
            // Bonferroni's intervals decide nothing that Holm does not.
            prop_assert!(p.decided || p.difference.mean.abs() <= all);
        }
    }

    #[test]
    fn a_ranking_never_contradicts_an_interval(
        seed in 0u64..1_000, means in proptest::array::uniform5(0.0..3.0_f64), higher in any::<bool>()
    ) {
        let mut rng = Seed(seed).stream("ranking");
        let values = five(&mut rng, means);
        let found = pairs(&values, 0.05);
        let seen: Vec<_> = values.iter().map(|v| Estimate::of(v.iter().map(|x| x.1)).map(|e| e.mean)).collect();
        let ranked = rank(&seen, &found, higher);
        let place = |item: usize| ranked.iter().position(|r| r.item == item).unwrap();
        for p in &found {
            let zero_outside = p.difference.mean.abs() > p.corrected.unwrap();
            prop_assert_eq!(zero_outside, p.decided);
            let (a, b) = (place(p.first), place(p.second));
            let (up, down) = if a < b { (a, b) } else { (b, a) };
            let share = ranked[a].groups.chars().any(|c| ranked[b].groups.contains(c));
            prop_assert_eq!(share, !p.decided, "letters say whether two can be told apart");
            if p.decided {
                prop_assert!(ranked[up].best < ranked[down].best + 1 && ranked[down].best >= 2);
                prop_assert_eq!(if higher { -1.0 } else { 1.0 } * p.difference.mean > 0.0, a > b);
            }
        }
        for r in &ranked {
            prop_assert!(r.best <= place(r.item) + 1 && place(r.item) < r.worst, "the place found is a possible one");
        }
    }
}
