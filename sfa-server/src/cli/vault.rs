//! `sfa vault`: the secrets of users, by who owns the machine.

use clap::{Args, Subcommand};
use sfa_core::library::{Actor, UserId};

use super::library::Place;
use super::{Context, Exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Encrypt every secret anew, by a new key; a server may run meanwhile. Where SFA_VAULT_SECRETS gives the keys, put the
    /// new one before the old ones first
    Rotate,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let Action::Rotate = arguments.action;
    arguments.place.with(context, async |library| {
        let count = library.rotate_vault(&Actor::at_the_machine(UserId::LOCAL)).await?;
        context.terminal.print(format!("secrets encrypted anew: {count}"));
        Ok(Exit::Success)
    })
}
