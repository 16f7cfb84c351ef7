//! `reorder` in a file: the share of datagrams, and for how long they are held back.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::{Percent, Ranged, Span};
use world::kernel::fault::{Path, Reorder};

const SHARE: Parameter<Ranged<Percent>> = Parameter::needed("share", "the share of datagrams that are held back", "5%");
const BY: Parameter<Span> = Parameter::needed("by", "how long a datagram is held back", "20ms");

/// The longest that a drawn one holds back: ten seconds.
const HELD_MAX: u64 = 10_000_000_000;

impl Declare for Reorder {
    const PARAMETERS: &'static [Declared] = &[SHARE.declared(), BY.declared()];
    const EXAMPLE: &'static str = "registry | shop";

    fn lower(path: Option<Path>, own: &mut Own<'_, '_>) -> Option<Self> {
        let (share, by) = (own.draw(&SHARE)?.0, own.read(&BY)?.value.0);
        Some(Reorder { path: path?, share, by })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&SHARE, &dice.ranged(Dice::share));
        own.set(&BY, &dice.span(0..=HELD_MAX));
    }
}
