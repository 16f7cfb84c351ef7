//! What is kept of a run: from an outcome made by hand.

use crate::outcome;
use study::{Filling, Measure, Sample};

#[test]
fn measures_are_those_of_the_calls_and_instances_of_one_service() {
    let mut outcome = outcome::weather();
    let backend = &mut outcome.services[1];
    backend.balancing.probes = 300;
    backend.balancing.rebuilds = 7;
    let (sent, failed) = (backend.requests.sent as f64, backend.requests.failed as f64);
    let attempts: u32 = backend.versions.iter().flat_map(|v| &v.attempts_per_step).sum();
    let taken: u64 = backend.instances.iter().map(|i| i.requests).sum();
    let second = backend.instances[2].requests;
    let sample = Sample::of(&outcome, "backend");
    let of = |m| sample.measure(&m).unwrap();
    assert_eq!(of(Measure::Errors), failed / sent);
    assert_eq!(of(Measure::Goodput), (sent - failed) / 240.0, "per second behind warm-up");
    assert_eq!(of(Measure::DeadShare), 271.0 / f64::from(attempts), "the fixture's one death");
    assert_eq!(of(Measure::Probes), 300.0 / f64::from(attempts));
    assert_eq!(of(Measure::Rebuilds), 7.0);
    assert_eq!(of(Measure::ShareOf("backend-2".into())), second as f64 / taken as f64);
    assert_eq!(sample.measure(&Measure::ShareOf("frontend-0".into())), None, "another service's");
    assert!(of(Measure::Imbalance) > 1.0 && of(Measure::Jain) < 1.0);
    assert_eq!(sample.faults.len(), 2);
    let heat = sample.heat.as_ref().unwrap();
    assert_eq!((heat.names.len(), heat.rows[0].len(), heat.step_ns), (8, 250, 1_000_000_000));
}

#[test]
fn a_service_that_is_not_there_and_a_run_of_nothing_leave_no_numbers() {
    assert!(Sample::of(&outcome::weather(), "nobody").measures.is_empty());
    assert!(Sample::of(&outcome::empty(), "nobody").measures.is_empty());
}

#[test]
fn unevenness_counts_from_where_an_instance_was_made_and_measuring_began() {
    let mut outcome = outcome::weather();
    let service = &mut outcome.services[0];
    service.instances.truncate(2);
    let steps = outcome.timeline.steps;
    for (i, instance) in service.instances.iter_mut().enumerate() {
        // Uneven in warm-up, which must not count; even behind it.
        instance.requests_per_step = (0..steps).map(|t| if t < 10 { 100 * i as u32 } else { 50 }).collect();
        instance.created_in_step = 0;
    }
    let even = Sample::of(&outcome, "frontend");
    assert_eq!(even.measure(&Measure::Imbalance), Some(1.0));
    assert_eq!(even.measure(&Measure::Jain), Some(1.0));
    let newcomer = &mut outcome.services[0].instances[1];
    newcomer.created_in_step = 130;
    newcomer.requests_per_step[..=130].fill(0);
    let sample = Sample::of(&outcome, "frontend");
    assert_eq!(sample.measure(&Measure::Imbalance), Some(1.0), "what is not there takes nothing");
    outcome.services[0].instances[1].created_in_step = 0;
    let sample = Sample::of(&outcome, "frontend");
    // 121 of 240 measured steps in which one of two takes everything.
    assert_eq!(sample.measure(&Measure::Imbalance), Some((121.0 * 2.0 + 119.0) / 240.0));
}

#[test]
fn a_sample_of_a_whole_run_reads_back_as_equal_bits() {
    let sample = Sample::of(&outcome::weather(), "backend");
    assert_eq!(Sample::from_json(&sample.to_json()), Ok(sample.clone()));
    assert!(sample.without_heat().heat.is_none());
}

#[test]
fn hashing_measures_are_ratios_to_the_mean() {
    let facts = Filling {
        keys_per_backend: &[50, 150, 100],
        moved: Some((0.4, 1.0 / 3.0)),
        added: None,
        entries: 9,
        bytes: 72,
    };
    let sample = Sample::of_filling(&facts);
    let of = |m| sample.measure(&m);
    assert_eq!((of(Measure::Balance), of(Measure::Lightest)), (Some(1.5), Some(0.5)));
    assert_eq!(of(Measure::RelStd), Some((0.5_f64 / 3.0).sqrt()));
    assert_eq!((of(Measure::Moved), of(Measure::Added), of(Measure::AddedIdeal)), (Some(0.4), None, None));
    assert_eq!(sample.backends, [1.5, 1.0, 0.5], "from the fullest to the emptiest");
    let many: Vec<u64> = (0..10_000).collect();
    let sample = Sample::of_filling(&Filling { keys_per_backend: &many, ..facts });
    assert_eq!(sample.backends.len(), Sample::BACKENDS);
    assert_eq!((sample.backends[0] > 1.99, sample.backends[Sample::BACKENDS - 1]), (true, 0.0), "the ends stay");
}
