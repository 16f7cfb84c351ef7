//! `clock-drift` in a file: how fast clocks run away, with a sign where they lose time.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::Ppm;
use world::kernel::fault::ClockDrift;
use world::kernel::select::Selector;

const BY: Parameter<Ppm> = Parameter::needed("by", "how much faster clocks run, or slower with a minus", "200ppm");

impl Declare for ClockDrift {
    const PARAMETERS: &'static [Declared] = &[BY.declared()];
    const EXAMPLE: &'static str = "one of shop";

    fn lower(whom: Option<Selector>, own: &mut Own<'_, '_>) -> Option<Self> {
        // A part per million is a thousand nanoseconds in a second.
        let ppb = (own.read(&BY)?.value.0 * 1000.0).round() as i32;
        Some(ClockDrift { whom: whom?, ppb })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&BY, &dice.drift());
    }
}
