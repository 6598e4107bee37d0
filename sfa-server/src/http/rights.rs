//! The table of rights: who may do what. There is no other place that decides this.
//!
//! A right says nothing about whose things: all calls go through the scope of the caller, in which other people's
//! things do not exist.

use std::time::Duration;

use Role::{Admin, Enterprise, Moderator, PlatformAdmin, Pro, SuperAdmin, User};
use sfa_core::library::{Role, Session, Token};

use super::auth::{Caller, Proof};
use super::error::{ApiError, ApiResult};

/// Something that not everybody may do. Every route names the one it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// Open to anybody who reaches the server.
    Nothing,
    /// One's own account: its name, its sessions. Never by a token.
    Account,
    /// What opens one's own account, and the secrets in it: password, address, tokens, vault. Never by a token, which must
    /// not make others.
    Secure,
    /// Going: signing out, and being oneself again.
    Leave,
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
    /// Seeing and doing what another user sees and does.
    Impersonate,
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
    /// Whether who is signed in must have proved lately who they are.
    is_guarded: bool,
    /// Whether it is there for somebody who acts as another user.
    is_lent: bool,
}

const EVERYBODY: &[Role] = &[User, Pro, Enterprise, Moderator, Admin, PlatformAdmin, SuperAdmin];
const PAYING: &[Role] = &[Pro, Enterprise, Moderator, Admin, PlatformAdmin, SuperAdmin];
const STAFF: &[Role] = &[Moderator, Admin, SuperAdmin];
const ADMINS: &[Role] = &[Admin, SuperAdmin];

const SUPER_ADMINS: &[Role] = &[SuperAdmin];

const TABLE: [Row; 14] = [
    row(Right::Account, "account", EVERYBODY, None),
    row(Right::Secure, "account.secure", EVERYBODY, None).guarded(),
    row(Right::Leave, "account.leave", EVERYBODY, None).lent(),
    row(Right::Read, "songs.read", EVERYBODY, Some(TokenScope::Read)).lent(),
    row(Right::Change, "songs.change", EVERYBODY, Some(TokenScope::Write)).lent(),
    row(Right::Separate, "songs.separate", PAYING, Some(TokenScope::Write)).lent(),
    row(Right::SeeUsers, "users.see", STAFF, Some(TokenScope::Admin)),
    row(Right::Suspend, "users.suspend", STAFF, Some(TokenScope::Admin)),
    row(Right::ManageUsers, "users.manage", ADMINS, Some(TokenScope::Admin)).guarded(),
    row(Right::Impersonate, "users.impersonate", SUPER_ADMINS, None).guarded(),
    row(Right::SeeAudit, "audit.see", ADMINS, Some(TokenScope::Admin)),
    row(Right::SeeSystem, "system.see", ADMINS, Some(TokenScope::Admin)),
    row(Right::ManageJobs, "jobs.manage", ADMINS, Some(TokenScope::Admin)),
    row(Right::ManageModels, "models.manage", ADMINS, Some(TokenScope::Admin)),
];

const fn row(right: Right, name: &'static str, roles: &'static [Role], token: Option<TokenScope>) -> Row {
    Row { right, name, roles, token, is_guarded: false, is_lent: false }
}

impl Row {
    const fn guarded(self) -> Self {
        Self { is_guarded: true, ..self }
    }

    const fn lent(self) -> Self {
        Self { is_lent: true, ..self }
    }
}

impl Right {
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.right == self)
    }

    /// The name in the documentation and in refusals.
    pub(super) fn name(self) -> &'static str {
        self.row().map_or("nothing", |row| row.name)
    }

    /// The right of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.right)
    }

    /// Who has it.
    pub(super) fn roles(self) -> &'static [Role] {
        self.row().map_or(&[], |row| row.roles)
    }

    /// The scope that a token needs; without one no token will do.
    pub(super) fn token_scope(self) -> Option<TokenScope> {
        self.row().and_then(|row| row.token)
    }

    /// Whether somebody of this role has it. What has no row nobody has.
    pub(super) fn is_of(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// Whether who is signed in must have proved lately who they are.
    pub(super) fn is_guarded(self) -> bool {
        self.row().is_some_and(|row| row.is_guarded)
    }

    /// Refuses who does not have it.
    pub(super) fn make_sure(self, caller: &Caller) -> ApiResult<()> {
        if !self.is_of(caller.user.role) {
            let message =
                format!("this needs the right {}, which a {} does not have", self.name(), caller.user.role);
            return Err(ApiError::forbidden(message));
        }
        match &*caller.proof {
            Proof::Session(session) => self.make_sure_of_session(session),
            Proof::Token(token) => self.make_sure_of_token(token),
        }
    }

    /// Refuses who is signed in and has to prove again who they are: a proof counts for `proof_time`.
    pub(super) fn make_sure_of_proof(self, caller: &Caller, proof_time: Duration) -> ApiResult<()> {
        let Proof::Session(session) = &*caller.proof else { return Ok(()) };
        let age_ms = super::now_ms().saturating_sub(session.authenticated_at_ms);
        if self.is_guarded() && u128::try_from(age_ms).is_ok_and(|age| age >= proof_time.as_millis()) {
            return Err(ApiError::reauthentication_required());
        }
        Ok(())
    }

    fn make_sure_of_session(self, session: &Session) -> ApiResult<()> {
        let is_lent = self.row().is_some_and(|row| row.is_lent);
        if session.acting_as.is_some() && !is_lent {
            let message = "not while you act as somebody else; DELETE /api/v1/impersonation ends that";
            return Err(ApiError::forbidden(message));
        }
        Ok(())
    }

    fn make_sure_of_token(self, token: &Token) -> ApiResult<()> {
        match self.token_scope() {
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
    fn who_acts_as_another_gets_at_no_secrets() {
        assert!(TABLE.iter().all(|row| !row.is_lent || !row.is_guarded));
        assert!(
            Right::Secure.is_guarded() && Right::ManageUsers.is_guarded() && Right::Impersonate.is_guarded()
        );
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
