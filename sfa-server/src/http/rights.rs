//! The table of rights: who may do what. There is no other place that decides this.
//!
//! A right says nothing about whose things: all calls go through the scope of the caller, in which other people's
//! things do not exist.

use Role::{Admin, Enterprise, Moderator, PlatformAdmin, Pro, SuperAdmin, User};
use sfa_core::library::Role;

use super::auth::{Caller, Proof};
use super::error::{ApiError, ApiResult};

/// Something that not everybody may do. Every route names the one it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Open to anybody who reaches the server.
    Nothing,
    /// One's own account: sessions, tokens, password. Never by a token, which must not make others.
    Account,
    /// Reading one's own songs and what belongs to them.
    Read,
    /// Changing them.
    Change,
    /// Separating songs, the one thing that keeps a machine busy for minutes.
    Separate,
    /// Seeing who has an account.
    SeeUsers,
    /// Suspending, banning and letting in again.
    Suspend,
    /// Making and changing accounts.
    ManageUsers,
    /// Reading the log of what was done with special rights.
    SeeAudit,
    /// Seeing how the server is.
    SeeSystem,
    /// Stopping the work of others and having it tried again.
    ManageJobs,
    /// Fetching, checking and removing the models on the server's machine.
    ManageModels,
}

/// What a token may be used for. Sessions may be used for everything that their user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenScope {
    Read,
    Write,
    Admin,
}

struct Row {
    right: Right,
    name: &'static str,
    roles: &'static [Role],
    /// The scope that a token needs; without one no token will do.
    token: Option<TokenScope>,
}

const EVERYBODY: &[Role] = &[User, Pro, Enterprise, Moderator, Admin, PlatformAdmin, SuperAdmin];
const PAYING: &[Role] = &[Pro, Enterprise, Moderator, Admin, PlatformAdmin, SuperAdmin];
const STAFF: &[Role] = &[Moderator, Admin, SuperAdmin];
const ADMINS: &[Role] = &[Admin, SuperAdmin];

const TABLE: [Row; 11] = [
    Row { right: Right::Account, name: "account", roles: EVERYBODY, token: None },
    Row { right: Right::Read, name: "songs.read", roles: EVERYBODY, token: Some(TokenScope::Read) },
    Row { right: Right::Change, name: "songs.change", roles: EVERYBODY, token: Some(TokenScope::Write) },
    Row { right: Right::Separate, name: "songs.separate", roles: PAYING, token: Some(TokenScope::Write) },
    Row { right: Right::SeeUsers, name: "users.see", roles: STAFF, token: Some(TokenScope::Admin) },
    Row { right: Right::Suspend, name: "users.suspend", roles: STAFF, token: Some(TokenScope::Admin) },
    Row { right: Right::ManageUsers, name: "users.manage", roles: ADMINS, token: Some(TokenScope::Admin) },
    Row { right: Right::SeeAudit, name: "audit.see", roles: ADMINS, token: Some(TokenScope::Admin) },
    Row { right: Right::SeeSystem, name: "system.see", roles: ADMINS, token: Some(TokenScope::Admin) },
    Row { right: Right::ManageJobs, name: "jobs.manage", roles: ADMINS, token: Some(TokenScope::Admin) },
    Row { right: Right::ManageModels, name: "models.manage", roles: ADMINS, token: Some(TokenScope::Admin) },
];

impl Right {
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.right == self)
    }

    /// The name in the documentation and in refusals.
    pub(super) fn name(self) -> &'static str {
        self.row().map_or("nothing", |row| row.name)
    }

    /// Whether somebody of this role has it. What has no row nobody has.
    pub(super) fn is_of(self, role: Role) -> bool {
        self.row().is_some_and(|row| row.roles.contains(&role))
    }

    /// Refuses who does not have it.
    pub(super) fn make_sure(self, caller: &Caller) -> ApiResult<()> {
        if !self.is_of(caller.user.role) {
            let message =
                format!("this needs the right {}, which a {} does not have", self.name(), caller.user.role);
            return Err(ApiError::forbidden(message));
        }
        let Proof::Token(token) = &caller.proof else { return Ok(()) };
        match self.row().and_then(|row| row.token) {
            Some(scope) if token.scopes.iter().any(|name| name == scope.name()) => Ok(()),
            Some(scope) => {
                let message = format!("this token has no scope {:?}", scope.name());
                Err(ApiError::forbidden(message))
            }
            None => Err(ApiError::forbidden("no token can do this; sign in")),
        }
    }
}

impl TokenScope {
    pub(super) const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Whether somebody of role `actor` may change an account of role `other`, or make it one: only those below oneself,
/// so that no admin is at the mercy of another; who may do everything may do this too.
pub(super) fn is_above(actor: Role, other: Role) -> bool {
    other != Role::System && (actor == SuperAdmin || other < actor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_but_none_has_one_row() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..index].iter().all(|other| other.right != row.right && other.name != row.name));
        }
        assert!(Right::Nothing.row().is_none());
    }

    #[test]
    fn the_program_itself_never_signs_in() {
        assert!(TABLE.iter().all(|row| !row.roles.contains(&Role::System)));
    }

    #[test]
    fn nobody_is_above_their_equals_but_those_who_may_do_everything() {
        assert!(is_above(Admin, Moderator) && is_above(Moderator, Pro));
        assert!(
            !is_above(Admin, Admin)
                && !is_above(Admin, SuperAdmin)
                && !is_above(PlatformAdmin, PlatformAdmin)
        );
        assert!(is_above(SuperAdmin, SuperAdmin));
        // The program's own role is given to nobody.
        assert!(!is_above(Admin, Role::System) && !is_above(SuperAdmin, Role::System));
    }
}
