//! explain
use crate::args::ExplainArgs;
use crate::console::Console;
use crate::exit::Exit;
use crate::stop::Stop;
pub(crate) fn explain(args: &ExplainArgs, _console: &mut Console) -> Result<Exit, Stop> {
    Err(Stop::usage(format!("nothing is called `{}`", args.name)))
}
