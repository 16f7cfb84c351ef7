//! `loss` in a file: the share of packets that are lost, those of connections included.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::{Percent, Ranged};
use world::kernel::fault::{Loss, Path};

const SHARE: Parameter<Ranged<Percent>> = Parameter::needed("share", "the share of packets that are lost", "5%");

impl Declare for Loss {
    const PARAMETERS: &'static [Declared] = &[SHARE.declared()];
    const EXAMPLE: &'static str = "registry | shop";

    fn lower(path: Option<Path>, own: &mut Own<'_, '_>) -> Option<Self> {
        let share = own.draw(&SHARE)?.0;
        Some(Loss { path: path?, share })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&SHARE, &dice.ranged(Dice::share));
    }
}
