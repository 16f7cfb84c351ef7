//! `delay` in a file: by a duration that is always the same, or by one drawn for each packet.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::section::Distribution;
use world::kernel::fault::{Delay, Path};

const BY: Parameter<Distribution> = Parameter::needed("by", "by how much packets take longer", "20ms");

/// What drawn ones lie around: ten milliseconds.
const USUAL: u64 = 10_000_000;

impl Declare for Delay {
    const PARAMETERS: &'static [Declared] = &[BY.declared()];
    const EXAMPLE: &'static str = "registry | shop";

    fn lower(path: Option<Path>, own: &mut Own<'_, '_>) -> Option<Self> {
        let by = own.distribution(&BY)?;
        Some(Delay { path: path?, by })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&BY, &dice.distribution(USUAL));
    }
}
