//! `disk-slow` in a file: how many times longer an fsync takes.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::{Factor, Ranged};
use world::kernel::fault::DiskSlow;
use world::kernel::select::Selector;

const FACTOR: Parameter<Ranged<Factor>> = Parameter::needed("factor", "how many times longer an fsync takes", "10");

impl Declare for DiskSlow {
    const PARAMETERS: &'static [Declared] = &[FACTOR.declared()];
    const EXAMPLE: &'static str = "registry";

    fn lower(whom: Option<Selector>, own: &mut Own<'_, '_>) -> Option<Self> {
        let factor = own.draw(&FACTOR)?.0;
        Some(DiskSlow { whom: whom?, factor })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&FACTOR, &dice.slowdown());
    }
}
