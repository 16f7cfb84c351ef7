//! `crash` in a file: whether the process dies or the machine.

use super::{Declare, Declared, Dice, Drawn, Own, Parameter, Takes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::kernel::fault::Crash;
use world::kernel::node;
use world::kernel::select::Selector;

const HOW: Parameter<How> =
    Parameter::optional("how", "how it is seen: `process` resets connections, `machine` is silence", "process")
        .shown("machine");

/// How a crash is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// The process dies and the machine lives on: connections are reset, new ones are refused at once.
    Process,
    /// The machine is gone: silence. Only a timeout tells.
    Machine,
}

impl Takes for How {
    const TAKES: &'static str = "`process` or `machine`";
}

impl Declare for Crash {
    const PARAMETERS: &'static [Declared] = &[HOW.declared()];
    const EXAMPLE: &'static str = "one of shop";

    fn lower(whom: Option<Selector>, own: &mut Own<'_, '_>) -> Option<Self> {
        let how = match own.read(&HOW)?.value {
            How::Process => node::Crash::Process,
            How::Machine => node::Crash::Machine,
        };
        Some(Crash { whom: whom?, how })
    }

    fn draw(dice: &mut Dice, own: &mut Drawn) {
        let how = dice.maybe(2, 3, |dice| *dice.one(&[How::Process, How::Machine]));
        own.maybe(&HOW, how);
    }
}
