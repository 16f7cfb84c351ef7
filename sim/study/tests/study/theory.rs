//! Theory by the names of study files, in the units of a cell.

use base::Duration;
use study::{Cell, Measure, Theory};
use world::outcome::Phases;

fn cell(utilization: Option<f64>) -> Cell {
    Cell {
        at: vec![],
        key: "cell".into(),
        utilization,
        bounded: false,
        phases: Phases { warmup: Duration::secs(10), storm: Duration::secs(100), calm: Duration::secs(10) },
        service_ms: Some(10.0),
        servers: 10,
    }
}

#[test]
fn names_read_as_theories_and_errors_as_sentences() {
    let read = |text: &str| Theory::parse(text).map_err(|e| e.to_string());
    assert_eq!(read("supermarket 2"), Ok(Theory::Supermarket(2)));
    assert_eq!(read("rr"), Ok(Theory::RoundRobin(None)));
    assert_eq!(read("jsq 2"), Ok(Theory::Jsq2));
    assert_eq!(read("mg1 4"), Ok(Theory::Mg1(4.0)));
    for (text, error) in [
        ("mm2", "there is no theory `mm2`; there are mm1, "),
        ("jsq 3", "`jsq` is known for 2 servers only"),
        ("supermarket", "`supermarket` needs a number, as in `supermarket 2`"),
        ("mm1 3", "`mm1` takes no number"),
        ("jiq -1", "`jiq -1` needs a whole number of at least 1"),
        ("rr 10 20", "`rr 10 20` has more than a name and a number"),
    ] {
        let said = read(text).unwrap_err();
        assert!(said.starts_with(error), "{said}");
    }
}

#[test]
fn every_name_in_the_list_can_be_written() {
    for (name, _) in Theory::CATALOGUE {
        let filled = name.replace("[servers]", "4").replace(['<', '>'], "");
        let words: Vec<&str> = filled.split_whitespace().collect();
        let written = if words.len() > 2 || words.get(1).is_some_and(|w| w.parse::<f64>().is_err()) {
            format!("{} 3", words[0])
        } else {
            filled.clone()
        };
        assert!(Theory::parse(&written).is_ok(), "{written}");
    }
}

#[test]
fn values_are_in_the_time_of_the_cell() {
    let busy = cell(Some(0.9));
    let ms = |theory: Theory, measure| theory.value(&busy, &measure);
    assert_eq!(ms(Theory::Mm1, Measure::Mean).map(|x| x.round()), Some(100.0));
    // Without a number it is the cell's ten servers.
    let published = 56.602_76;
    assert!((ms(Theory::RoundRobin(None), Measure::Mean).unwrap() - published).abs() < 1e-5);
    assert_eq!(ms(Theory::Mm1, Measure::Goodput), None, "theory says nothing of that");
    assert_eq!(ms(Theory::Md1, Measure::P99), None, "no closed form");
    assert_eq!(Theory::Mm1.value(&cell(Some(1.0)), &Measure::Mean), None, "nothing is known of what is not stable");
    assert_eq!(Theory::Mm1.value(&cell(None), &Measure::Mean), None);
}
