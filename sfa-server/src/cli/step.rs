//! `sfa step`: the child process in which a worker has one step done.

use sfa_core::library::{ChildProgram, work_for_parent};

use super::{Context, Exit};

/// The name of the command.
pub(super) const NAME: &str = "step";

/// This program as the child; `None` where it cannot be found again.
pub(super) fn program() -> Option<ChildProgram> {
    std::env::current_exe().ok().map(|program| ChildProgram::new(program, [NAME]))
}

pub(super) fn run(context: &Context) -> Result<Exit, Exit> {
    let done = work_for_parent(&context.studio, std::io::stdin(), std::io::stdout(), &context.watch);
    match done {
        Ok(true) => Ok(Exit::Success),
        Ok(false) => Ok(Exit::SomeFailed),
        Err(error) => {
            context.terminal.fail(error.to_string());
            Err(Exit::Usage)
        }
    }
}
