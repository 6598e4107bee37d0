//! `sfa admin`: accounts, by who owns the machine and needs no account for it.

use clap::{Args, Subcommand};
use sfa_core::library::{
    Actor, Library, LibraryError, LibraryErrorKind, Passwords, Role, Secret, User, UserEdit, UserId,
};

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
    /// Give somebody a role: user, pro, enterprise, moderator, admin, platform_admin or super_admin
    Promote {
        /// The address that they sign in with
        email: String,

        /// The role
        #[arg(long, default_value = "admin")]
        role: Role,
    },
    /// Give somebody a new password, which is printed, and end their sessions
    ResetPassword {
        /// The address that they sign in with
        email: String,
    },
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    arguments.place.with(context, async |library| act(context, library, &arguments.action).await)
}

async fn act(context: &Context, library: &Library, action: &Action) -> Result<Exit, LibraryError> {
    match action {
        Action::Promote { role: Role::System, .. } => {
            let message = "the role system is the program's own";
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        Action::Promote { email, role } => {
            let edit = UserEdit { role: Some(*role), ..UserEdit::default() };
            let user = change(library, email, edit).await?;
            context.terminal.print(format!("{} is {}", user.name, user.role));
        }
        Action::ResetPassword { email } => {
            let password = Secret::random().reveal();
            let password_hash = Some(Passwords::new(1).hash(&password).await?);
            let user = change(library, email, UserEdit { password_hash, ..UserEdit::default() }).await?;
            context
                .terminal
                .note(format!("the new password of {}, to be changed after signing in:", user.name));
            context.terminal.print(password);
        }
    }
    Ok(Exit::Success)
}

async fn change(library: &Library, email: &str, edit: UserEdit) -> Result<User, LibraryError> {
    let rows = library.rows();
    let user = rows.user_with_email(email).await?;
    let user = user.ok_or_else(|| LibraryError::not_found("account with the address", email))?;
    rows.edit_user(&Actor::at_the_machine(UserId::LOCAL), user.id, &edit).await
}
