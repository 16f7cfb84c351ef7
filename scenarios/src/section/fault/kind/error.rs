//! `error` in a file: which share of requests, and how quickly.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::{Percent, Ranged, Span};
use world::kernel::fault::Errors;
use world::kernel::node::Failing;
use world::kernel::select::Selector;

const SHARE: Parameter<Ranged<Percent>> =
    Parameter::optional("share", "the share of requests that are answered with errors", "100%").shown("50%");
const BY: Parameter<Span> =
    Parameter::optional("by", "how long after it was begun a request is answered with an error", "1ms");

/// The longest that a drawn one takes to fail: ten seconds.
const AFTER_MAX: u64 = 10_000_000_000;

impl Declare for Errors {
    const PARAMETERS: &'static [Declared] = &[SHARE.declared(), BY.declared()];
    const EXAMPLE: &'static str = "one of shop";

    fn lower(whom: Option<Selector>, own: &mut Own<'_, '_>) -> Option<Self> {
        let (share, after) = (own.draw(&SHARE)?.0, own.read(&BY)?.value.0);
        Some(Errors { whom: whom?, failing: Failing { share, after } })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.maybe(&SHARE, dice.maybe(1, 2, |dice| dice.ranged(Dice::share)));
        own.maybe(&BY, dice.maybe(1, 2, |dice| dice.span(0..=AFTER_MAX)));
    }
}
