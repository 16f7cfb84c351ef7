//! What was probably meant by a name that means nothing: the nearest one that exists, or no guess at all.

/// The nearest of `known` to `name`, if one is near enough to be a slip of the fingers.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let flat = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = flat(name);
    // A name of three letters may be off by one, of six by two; beyond a third of it, a guess only distracts.
    let limit = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &flat(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["p2c", "round_robin", "random", "disk-full"];
        assert_eq!(nearest("p2", known), Some("p2c"));
        assert_eq!(nearest("Round-Robin", known), Some("round_robin"));
        assert_eq!(nearest("disk_ful", known), Some("disk-full"));
        assert_eq!(nearest("weather", known), None);
    }
}
