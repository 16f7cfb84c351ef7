//! `clock-step` in a file: by how much, with a sign.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::SignedSpan;
use world::kernel::fault::ClockStep;
use world::kernel::select::Selector;

const BY: Parameter<SignedSpan> = Parameter::needed("by", "by how much clocks jump", "-2s");

impl Declare for ClockStep {
    const PARAMETERS: &'static [Declared] = &[BY.declared()];
    const EXAMPLE: &'static str = "one of shop";

    fn lower(whom: Option<Selector>, own: &mut Own<'_, '_>) -> Option<Self> {
        let by_ns = own.read(&BY)?.value.0;
        Some(ClockStep { whom: whom?, by_ns })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&BY, &dice.step());
    }
}
