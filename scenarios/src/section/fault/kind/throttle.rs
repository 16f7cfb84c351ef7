//! `throttle` in a file: what the line carries.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter};
use crate::scalar::Bandwidth;
use world::kernel::fault::{Path, Throttle};

const BANDWIDTH: Parameter<Bandwidth> = Parameter::needed("bandwidth", "what the line carries", "1Mbit/s");

impl Declare for Throttle {
    const PARAMETERS: &'static [Declared] = &[BANDWIDTH.declared()];
    const EXAMPLE: &'static str = "registry | shop";

    fn lower(path: Option<Path>, own: &mut Own<'_, '_>) -> Option<Self> {
        let bits_per_second = own.read(&BANDWIDTH)?.value.0;
        Some(Throttle { path: path?, bits_per_second })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        own.set(&BANDWIDTH, &dice.bandwidth());
    }
}
