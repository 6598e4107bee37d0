//! Who may use a library.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::library::{
    Actor, AuditEntry, AuditQuery, Identity, LibraryResult, NewSession, NewToken, NewUser, Scope, SecretHash,
    Session, SessionId, Token, TokenId, TokenPurpose, User, UserEdit, UserId, UserQuery,
};

/// Users, sessions, tokens and the audit log.
///
/// What opens something is looked up by its hash, and found only while it is valid and its user is active, by the
/// database's clock. Everything that is done to an account is written into the audit log in the same transaction.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// How often an account, a session or a token was changed or taken away through this value and its clones. While
    /// it stays the same, what [`session`](Self::session) and [`api_token`](Self::api_token) have said stays true as
    /// far as this process goes.
    fn account_changes(&self) -> u64;

    /// Makes an account. `Conflict` where its address is taken.
    async fn add_user(&self, actor: &Actor, user: &NewUser) -> LibraryResult<User>;
    /// One account.
    async fn user(&self, id: UserId) -> LibraryResult<User>;
    /// The account with this address.
    async fn user_with_email(&self, email: &str) -> LibraryResult<Option<User>>;
    /// A page of accounts.
    async fn users(&self, query: &UserQuery) -> LibraryResult<Vec<User>>;
    /// The slow hash of a user's password, where there is one.
    async fn password_hash(&self, id: UserId) -> LibraryResult<Option<String>>;
    /// Changes an account. `Conflict` where its address is taken, or where nobody who manages users would be left.
    async fn edit_user(&self, actor: &Actor, id: UserId, edit: &UserEdit) -> LibraryResult<User>;
    /// Removes an account with all that belongs to it. `Conflict` where nobody who manages users would be left.
    async fn remove_user(&self, actor: &Actor, id: UserId) -> LibraryResult<()>;

    /// Makes an account of somebody who is known elsewhere. `Conflict` where its address or the identity is taken.
    async fn add_user_with_identity(
        &self,
        actor: &Actor,
        user: &NewUser,
        identity: &Identity,
    ) -> LibraryResult<User>;
    /// The account of somebody who is known elsewhere.
    async fn user_with_identity(&self, identity: &Identity) -> LibraryResult<Option<User>>;
    /// Who the user is elsewhere.
    async fn identities(&self, scope: Scope) -> LibraryResult<Vec<Identity>>;
    /// Notes who the actor is elsewhere. `Conflict` where that is somebody's already, or the actor is somebody there.
    async fn link_identity(&self, actor: &Actor, identity: &Identity) -> LibraryResult<()>;
    /// Forgets who the actor is at one issuer.
    async fn unlink_identity(&self, actor: &Actor, issuer: &str) -> LibraryResult<()>;

    /// Opens a session. `NotFound` for a user who is not let in.
    async fn open_session(&self, session: &NewSession) -> LibraryResult<Session>;
    /// The session that this secret opens, and its user: whom its owner acts as, if they do and still may.
    async fn session(&self, secret: &SecretHash) -> LibraryResult<Option<(Session, User)>>;
    /// Gives a session another secret and so long to live from now on.
    async fn renew_session(
        &self,
        old: &SecretHash,
        new: &SecretHash,
        lifetime: Duration,
    ) -> LibraryResult<Session>;
    /// Notes that the user has just proved again who they are.
    async fn confirm_session(&self, scope: Scope, id: SessionId) -> LibraryResult<()>;
    /// Has the actor's session act as another user, or as its own again. `NotFound` for a user who is not let in.
    async fn act_as(&self, actor: &Actor, id: SessionId, other: Option<UserId>) -> LibraryResult<()>;
    /// The user's sessions, the newest first.
    async fn sessions(&self, scope: Scope) -> LibraryResult<Vec<Session>>;
    /// Of these sessions those that would be found by their secrets, each with its user, in any order.
    async fn sessions_still_open(&self, ids: &[SessionId]) -> LibraryResult<Vec<(Session, User)>>;
    /// Ends a session.
    async fn close_session(&self, scope: Scope, id: SessionId) -> LibraryResult<()>;
    /// Ends all sessions of a user but one, and says how many.
    async fn close_other_sessions(&self, scope: Scope, keep: Option<SessionId>) -> LibraryResult<u64>;

    /// Gives out a token.
    async fn add_token(&self, token: &NewToken) -> LibraryResult<Token>;
    /// The token of a program, and its user; notes that it was used.
    async fn api_token(&self, secret: &SecretHash) -> LibraryResult<Option<(Token, User)>>;
    /// Uses a token that can be used once: whoever comes second finds nothing.
    async fn redeem_token(
        &self,
        purpose: TokenPurpose,
        secret: &SecretHash,
    ) -> LibraryResult<Option<(Token, User)>>;
    /// The tokens of the user's programs, the newest first.
    async fn tokens(&self, scope: Scope) -> LibraryResult<Vec<Token>>;
    /// Of these tokens of programs those that would be found by their secrets, each with its user, in any order.
    /// Does not count as use.
    async fn tokens_still_valid(&self, ids: &[TokenId]) -> LibraryResult<Vec<(Token, User)>>;
    /// Takes a token back.
    async fn revoke_token(&self, scope: Scope, id: TokenId) -> LibraryResult<()>;

    /// Adds a line to the audit log; accounts write theirs by themselves.
    async fn record_act(
        &self,
        actor: &Actor,
        action: &str,
        target_kind: &str,
        target: &str,
        changes: Value,
    ) -> LibraryResult<()>;
    /// Lines of the audit log.
    async fn audit_log(&self, query: &AuditQuery) -> LibraryResult<Vec<AuditEntry>>;
}
