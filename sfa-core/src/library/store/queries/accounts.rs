//! Users, sessions, tokens and the audit log.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::rows::{Row, get, parsed, parsed_if_any};
use super::{Connection, Rows, Scope, contained, failed, identities, millis, rows_of_list};
use crate::library::account;
use crate::library::store::Accounts;
use crate::library::{
    Actor, AuditEntry, AuditQuery, Identity, LibraryError, LibraryErrorKind, LibraryResult, NewSession,
    NewToken, NewUser, Role, SecretHash, Session, SessionId, Token, TokenId, TokenPurpose, User, UserEdit,
    UserId, UserQuery, UserStatus,
};

/// A token's use is noted at most so often: reading is not to be slowed down by writing.
const NOTED_AGAIN_MS: i64 = 60_000;

macro_rules! user_columns {
    () => {
        "u.id, u.name, u.email, u.role, u.status, u.confirmed_at_ms, u.quota_bytes, u.created_at_ms"
    };
}
macro_rules! session_columns {
    () => {
        "s.id as session_id, s.user_id, s.acting_as, s.address, s.agent, s.created_at_ms as opened_at_ms, s.expires_at_ms, \
         s.authenticated_at_ms, s.renewed_at_ms"
    };
}
/// Sessions `s` of an owner `o` that open something, and the user `u` whom they open it as.
macro_rules! open_sessions {
    () => {
        concat!(
            "sessions s join users o on o.id = s.user_id join users u on u.id = coalesce(s.acting_as, s.user_id) \
             where u.status = 'active' and o.status = 'active' \
             and (s.acting_as is null or o.role = 'super_admin') and s.expires_at_ms > ",
            now_ms!()
        )
    };
}
/// Tokens `t` of programs that open something, and their users `u`.
macro_rules! valid_tokens {
    () => {
        concat!(
            "tokens t join users u on u.id = t.user_id where t.purpose = 'api' and u.status = 'active' \
             and (t.expires_at_ms is null or t.expires_at_ms > ",
            now_ms!(),
            ")"
        )
    };
}
macro_rules! token_columns {
    () => {
        "t.id as token_id, t.user_id, t.purpose, t.label, t.scopes, t.sent_to, t.created_at_ms as made_at_ms, \
         t.expires_at_ms, t.used_at_ms"
    };
}

#[async_trait]
impl Accounts for Rows {
    fn account_changes(&self) -> u64 {
        self.account_changes.load(Ordering::Acquire)
    }

    async fn add_user(&self, actor: &Actor, user: &NewUser) -> LibraryResult<User> {
        let mut transaction = self.begin().await?;
        let added = insert_user(&mut transaction, actor, user).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(added)
    }

    async fn add_user_with_identity(
        &self,
        actor: &Actor,
        user: &NewUser,
        identity: &Identity,
    ) -> LibraryResult<User> {
        let mut transaction = self.begin().await?;
        let added = insert_user(&mut transaction, actor, user).await?;
        identities::link(&mut transaction, actor, user.id, identity).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(added)
    }

    async fn user_with_identity(&self, identity: &Identity) -> LibraryResult<Option<User>> {
        let row = sqlx::query(concat!(
            "select ",
            user_columns!(),
            " from identities i join users u on u.id = i.user_id where i.issuer = $1 and i.subject = $2"
        ))
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.as_ref().map(user).transpose()
    }

    async fn identities(&self, scope: Scope) -> LibraryResult<Vec<Identity>> {
        self.identities_of(scope).await
    }

    async fn link_identity(&self, actor: &Actor, identity: &Identity) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        identities::link(&mut transaction, actor, actor.user, identity).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn unlink_identity(&self, actor: &Actor, issuer: &str) -> LibraryResult<()> {
        self.forget_identity(actor, issuer).await
    }

    async fn user(&self, id: UserId) -> LibraryResult<User> {
        let mut connection = self.readers.lease().await.map_err(failed)?;
        let user = one_user(&mut connection, id).await?;
        self.readers.keep(connection);
        Ok(user)
    }

    async fn user_with_email(&self, email: &str) -> LibraryResult<Option<User>> {
        // What cannot be an address is nobody's.
        let Ok(email) = account::mail_address(email) else { return Ok(None) };
        let row = sqlx::query(concat!("select ", user_columns!(), " from users u where u.email = $1"))
            .bind(email)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        row.as_ref().map(user).transpose()
    }

    async fn users(&self, query: &UserQuery) -> LibraryResult<Vec<User>> {
        let found = sqlx::query(concat!(
            "select ",
            user_columns!(),
            " from users u where (cast($1 as text) is null or u.role = $1) \
             and (cast($2 as text) is null or u.status = $2) \
             and (cast($3 as text) is null or (u.name || ' ' || coalesce(u.email, '')) ",
            like!(),
            " $3 escape '!') \
             and (cast($4 as text) is null or (u.name, u.id) > (select name, id from users where id = $4)) \
             order by u.name, u.id limit $5"
        ))
        .bind(query.role.map(Role::name))
        .bind(query.status.map(UserStatus::name))
        .bind(query.search.as_deref().map(contained))
        .bind(query.after.map(|user| user.to_string()))
        .bind(rows_of_list(query.limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(user).collect()
    }

    async fn password_hash(&self, id: UserId) -> LibraryResult<Option<String>> {
        let row = sqlx::query("select password_hash from users where id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        get(&row.ok_or_else(|| LibraryError::not_found("user", id))?, "password_hash")
    }

    async fn edit_user(&self, actor: &Actor, id: UserId, edit: &UserEdit) -> LibraryResult<User> {
        let email = edit.email.as_deref().map(account::mail_address).transpose()?;
        let mut transaction = self.begin().await?;
        let before = one_user(&mut transaction, id).await?;
        let moves = email.is_some() && email != before.email;
        sqlx::query(concat!(
            "update users set name = coalesce($2, name), email = coalesce($3, email), role = coalesce($4, role), \
             status = coalesce($5, status), password_hash = coalesce($6, password_hash), confirmed_at_ms = \
             case when $7 = 1 then ",
            now_ms!(),
            " when $7 = -1 then null else confirmed_at_ms end where id = $1"
        ))
        .bind(id.to_string())
        .bind(&edit.name)
        .bind(&email)
        .bind(edit.role.map(Role::name))
        .bind(edit.status.map(UserStatus::name))
        .bind(&edit.password_hash)
        .bind(confirmation(edit.is_confirmed, moves))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let after = one_user(&mut transaction, id).await?;
        if manages(&before) && !manages(&after) {
            make_sure_of_managers(&mut transaction).await?;
        }
        if moves || edit.password_hash.is_some() {
            forget(&mut transaction, "delete from tokens where user_id = $1 and purpose <> 'api'", id)
                .await?;
        }
        if edit.password_hash.is_some() || after.status != UserStatus::Active {
            forget(&mut transaction, "delete from sessions where user_id = $1", id).await?;
        }
        for (action, changes) in acts(&before, &after, edit) {
            note(&mut transaction, actor, action, "user", &id.to_string(), &changes).await?;
        }
        transaction.commit().await.map_err(failed)?;
        self.note_account_change();
        Ok(after)
    }

    async fn remove_user(&self, actor: &Actor, id: UserId) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        let before = one_user(&mut transaction, id).await?;
        forget(&mut transaction, "delete from users where id = $1", id).await?;
        if manages(&before) {
            make_sure_of_managers(&mut transaction).await?;
        }
        let changes = json!({"before": {"name": before.name, "email": before.email, "role": before.role}});
        note(&mut transaction, actor, "user.remove", "user", &id.to_string(), &changes).await?;
        transaction.commit().await.map_err(failed)?;
        self.note_account_change();
        Ok(())
    }

    async fn open_session(&self, session: &NewSession) -> LibraryResult<Session> {
        let row = sqlx::query(concat!(
            "insert into sessions (id, user_id, secret_hash, address, agent, created_at_ms, expires_at_ms, \
             authenticated_at_ms, renewed_at_ms) \
             select $1, u.id, $3, $4, $5, ",
            now_ms!(),
            ", ",
            now_ms!(),
            " + $6, ",
            now_ms!(),
            ", ",
            now_ms!(),
            " from users u where u.id = $2 and u.status = 'active' returning id as session_id, user_id, acting_as, \
             address, agent, created_at_ms as opened_at_ms, expires_at_ms, authenticated_at_ms, renewed_at_ms"
        ))
        .bind(session.id.to_string())
        .bind(session.user.to_string())
        .bind(session.secret.as_str())
        .bind(&session.address)
        .bind(&session.agent)
        .bind(millis(session.lifetime))
        .fetch_optional(&self.writer)
        .await
        .map_err(failed)?;
        self::session(&row.ok_or_else(|| LibraryError::not_found("active user", session.user))?)
    }

    async fn session(&self, secret: &SecretHash) -> LibraryResult<Option<(Session, User)>> {
        let row = sqlx::query(concat!(
            "select ",
            session_columns!(),
            ", ",
            user_columns!(),
            " from ",
            open_sessions!(),
            " and s.secret_hash = $1"
        ))
        .bind(secret.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        row.map(|row| Ok((self::session(&row)?, user(&row)?))).transpose()
    }

    async fn renew_session(
        &self,
        old: &SecretHash,
        new: &SecretHash,
        lifetime: Duration,
    ) -> LibraryResult<Session> {
        let row = sqlx::query(concat!(
            "update sessions set secret_hash = $2, renewed_at_ms = ",
            now_ms!(),
            ", expires_at_ms = ",
            now_ms!(),
            " + $3 where secret_hash = $1 and expires_at_ms > ",
            now_ms!(),
            " returning id as session_id, user_id, acting_as, address, agent, created_at_ms as opened_at_ms, expires_at_ms, \
             authenticated_at_ms, renewed_at_ms"
        ))
        .bind(old.as_str())
        .bind(new.as_str())
        .bind(millis(lifetime))
        .fetch_optional(&self.writer)
        .await
        .map_err(failed)?;
        self.note_account_change();
        let gone = || LibraryError::new(LibraryErrorKind::NotFound, "this session has ended");
        self::session(&row.ok_or_else(gone)?)
    }

    async fn confirm_session(&self, scope: Scope, id: SessionId) -> LibraryResult<()> {
        let statement = concat!(
            "update sessions set authenticated_at_ms = ",
            now_ms!(),
            " where id = $1 and user_id = $2"
        );
        self.change_own(statement, scope, "session", id).await
    }

    async fn act_as(&self, actor: &Actor, id: SessionId, other: Option<UserId>) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query("select acting_as from sessions where id = $1 and user_id = $2")
            .bind(id.to_string())
            .bind(actor.user.to_string())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        let before: Option<UserId> =
            parsed_if_any(&row.ok_or_else(|| LibraryError::not_found("session", id))?, "acting_as")?;
        if let Some(other) = other
            && one_user(&mut transaction, other).await?.status != UserStatus::Active
        {
            return Err(LibraryError::not_found("active user", other));
        }
        sqlx::query("update sessions set acting_as = $3 where id = $1 and user_id = $2")
            .bind(id.to_string())
            .bind(actor.user.to_string())
            .bind(other.map(|user| user.to_string()))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        for (user, action) in [(before, "user.stop_acting_as"), (other, "user.act_as")] {
            if let Some(user) = user {
                note(&mut transaction, actor, action, "user", &user.to_string(), &json!({})).await?;
            }
        }
        transaction.commit().await.map_err(failed)?;
        self.note_account_change();
        Ok(())
    }

    async fn sessions(&self, scope: Scope) -> LibraryResult<Vec<Session>> {
        let found = sqlx::query(concat!(
            "select ",
            session_columns!(),
            " from sessions s where s.user_id = $1 and s.expires_at_ms > ",
            now_ms!(),
            " order by s.created_at_ms desc, s.id desc"
        ))
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(self::session).collect()
    }

    async fn sessions_still_open(&self, ids: &[SessionId]) -> LibraryResult<Vec<(Session, User)>> {
        let found = sqlx::query(concat!(
            "select ",
            session_columns!(),
            ", ",
            user_columns!(),
            " from ",
            open_sessions!(),
            " and s.id in ",
            listed!("$1")
        ))
        .bind(json!(ids).to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| Ok((self::session(row)?, user(row)?))).collect()
    }

    async fn close_session(&self, scope: Scope, id: SessionId) -> LibraryResult<()> {
        self.change_own("delete from sessions where id = $1 and user_id = $2", scope, "session", id).await
    }

    async fn close_other_sessions(&self, scope: Scope, keep: Option<SessionId>) -> LibraryResult<u64> {
        let closed =
            sqlx::query("delete from sessions where user_id = $1 and (cast($2 as text) is null or id <> $2)")
                .bind(scope.user.to_string())
                .bind(keep.map(|id| id.to_string()))
                .execute(&self.writer)
                .await
                .map_err(failed)?;
        self.note_account_change();
        Ok(closed.rows_affected())
    }

    async fn add_token(&self, token: &NewToken) -> LibraryResult<Token> {
        let row = sqlx::query(concat!(
            "insert into tokens (id, user_id, purpose, secret_hash, label, scopes, sent_to, created_at_ms, \
             expires_at_ms) values ($1, $2, $3, $4, $5, $6, $7, ",
            now_ms!(),
            ", ",
            now_ms!(),
            " + $8) returning id as token_id, user_id, purpose, label, scopes, sent_to, \
             created_at_ms as made_at_ms, expires_at_ms, used_at_ms"
        ))
        .bind(token.id.to_string())
        .bind(token.user.to_string())
        .bind(token.purpose.name())
        .bind(token.secret.as_str())
        .bind(&token.label)
        .bind(json!(token.scopes).to_string())
        .bind(&token.sent_to)
        .bind(token.lifetime.map(millis))
        .fetch_one(&self.writer)
        .await
        .map_err(failed)?;
        self::token(&row)
    }

    async fn api_token(&self, secret: &SecretHash) -> LibraryResult<Option<(Token, User)>> {
        let row = sqlx::query(concat!(
            "select ",
            token_columns!(),
            ", ",
            user_columns!(),
            ", ",
            now_ms!(),
            " as now_ms from ",
            valid_tokens!(),
            " and t.secret_hash = $1"
        ))
        .bind(secret.as_str())
        .fetch_optional(&self.readers)
        .await
        .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let (mut token, now_ms): (_, i64) = (self::token(&row)?, get(&row, "now_ms")?);
        if token.used_at_ms.is_none_or(|used| now_ms - used >= NOTED_AGAIN_MS) {
            sqlx::query("update tokens set used_at_ms = $2 where id = $1")
                .bind(token.id.to_string())
                .bind(now_ms)
                .execute(&self.writer)
                .await
                .map_err(failed)?;
            token.used_at_ms = Some(now_ms);
        }
        Ok(Some((token, user(&row)?)))
    }

    async fn redeem_token(
        &self,
        purpose: TokenPurpose,
        secret: &SecretHash,
    ) -> LibraryResult<Option<(Token, User)>> {
        let row = sqlx::query(concat!(
            "update tokens set used_at_ms = ",
            now_ms!(),
            " where secret_hash = $1 and purpose = $2 and purpose <> 'api' and used_at_ms is null \
             and (expires_at_ms is null or expires_at_ms > ",
            now_ms!(),
            ") and exists (select 1 from users u where u.id = tokens.user_id and u.status = 'active') \
             returning id as token_id, user_id, purpose, label, scopes, sent_to, created_at_ms as made_at_ms, \
             expires_at_ms, used_at_ms"
        ))
        .bind(secret.as_str())
        .bind(purpose.name())
        .fetch_optional(&self.writer)
        .await
        .map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let token = self::token(&row)?;
        let user = self.user(token.user).await?;
        Ok(Some((token, user)))
    }

    async fn tokens(&self, scope: Scope) -> LibraryResult<Vec<Token>> {
        let found = sqlx::query(concat!(
            "select ",
            token_columns!(),
            " from tokens t where t.user_id = $1 and t.purpose = 'api' \
             order by t.created_at_ms desc, t.id desc"
        ))
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(self::token).collect()
    }

    async fn tokens_still_valid(&self, ids: &[TokenId]) -> LibraryResult<Vec<(Token, User)>> {
        let found = sqlx::query(concat!(
            "select ",
            token_columns!(),
            ", ",
            user_columns!(),
            " from ",
            valid_tokens!(),
            " and t.id in ",
            listed!("$1")
        ))
        .bind(json!(ids).to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(|row| Ok((self::token(row)?, user(row)?))).collect()
    }

    async fn revoke_token(&self, scope: Scope, id: TokenId) -> LibraryResult<()> {
        self.change_own("delete from tokens where id = $1 and user_id = $2", scope, "token", id).await
    }

    async fn record_act(
        &self,
        actor: &Actor,
        action: &str,
        target_kind: &str,
        target: &str,
        changes: Value,
    ) -> LibraryResult<()> {
        let mut connection = self.writer.lease().await.map_err(failed)?;
        note(&mut connection, actor, action, target_kind, target, &changes).await?;
        self.writer.keep(connection);
        Ok(())
    }

    async fn audit_log(&self, query: &AuditQuery) -> LibraryResult<Vec<AuditEntry>> {
        let before = if query.before == 0 { i64::MAX } else { query.before };
        let found = sqlx::query(
            "select seq, actor_id, action, target_kind, target, changes, address, at_ms from audit_log \
             where seq < $1 and (cast($2 as text) is null or actor_id = $2) \
             and (cast($3 as text) is null or target = $3) order by seq desc limit $4",
        )
        .bind(before)
        .bind(query.actor.map(|actor| actor.to_string()))
        .bind(&query.target)
        .bind(rows_of_list(query.limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(entry).collect()
    }
}

impl Rows {
    /// Runs a statement on one row, `$1`, of the user, `$2`.
    pub(super) async fn change_own(
        &self,
        statement: &'static str,
        scope: Scope,
        what: &str,
        id: impl ToString + std::fmt::Display,
    ) -> LibraryResult<()> {
        let changed = sqlx::query(statement)
            .bind(id.to_string())
            .bind(scope.user.to_string())
            .execute(&self.writer)
            .await
            .map_err(failed)?;
        self.note_account_change();
        if changed.rows_affected() == 0 { Err(LibraryError::not_found(what, id)) } else { Ok(()) }
    }

    /// After whatever changes who somebody is or may be: what was said before is not to be relied on.
    pub(super) fn note_account_change(&self) {
        self.account_changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Makes an account within a transaction.
async fn insert_user(connection: &mut Connection, actor: &Actor, user: &NewUser) -> LibraryResult<User> {
    let email = user.email.as_deref().map(account::mail_address).transpose()?;
    sqlx::query(concat!(
        "insert into users (id, name, email, role, password_hash, created_at_ms) values ($1, $2, $3, $4, $5, ",
        now_ms!(),
        ")"
    ))
    .bind(user.id.to_string())
    .bind(&user.name)
    .bind(&email)
    .bind(user.role.name())
    .bind(&user.password_hash)
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    let added = one_user(connection, user.id).await?;
    let changes = json!({"after": {"name": user.name, "email": email, "role": user.role}});
    note(connection, actor, "user.add", "user", &user.id.to_string(), &changes).await?;
    Ok(added)
}

async fn one_user(connection: &mut Connection, id: UserId) -> LibraryResult<User> {
    let row = sqlx::query(concat!("select ", user_columns!(), " from users u where u.id = $1"))
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
    user(&row.ok_or_else(|| LibraryError::not_found("user", id))?)
}

async fn forget(connection: &mut Connection, statement: &'static str, user: UserId) -> LibraryResult<()> {
    sqlx::query(statement).bind(user.to_string()).execute(connection).await.map(|_| ()).map_err(failed)
}

/// Fails where nobody is left who manages users. Writing the rows as they are locks them, so that two who manage
/// users cannot both remove the other.
async fn make_sure_of_managers(connection: &mut Connection) -> LibraryResult<()> {
    let left = sqlx::query(
        "update users set role = role where role in ('admin', 'super_admin') and status = 'active'",
    )
    .execute(connection)
    .await
    .map_err(failed)?;
    if left.rows_affected() == 0 {
        let message = "nobody would be left who can manage users";
        return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
    }
    Ok(())
}

fn manages(user: &User) -> bool {
    user.role.manages_users() && user.status == UserStatus::Active
}

/// Whether to note that mail was answered (1), to forget it (-1) or to leave it (0).
fn confirmation(is_confirmed: bool, moves: bool) -> i64 {
    match (is_confirmed, moves) {
        (true, _) => 1,
        (false, true) => -1,
        (false, false) => 0,
    }
}

/// What an edit did, as lines of the audit log.
fn acts(before: &User, after: &User, edit: &UserEdit) -> Vec<(&'static str, Value)> {
    let mut acts = Vec::new();
    let changed = |name: &str, old: Value, new: Value| json!({"before": {name: old}, "after": {name: new}});
    if before.status != after.status {
        let action = match after.status {
            UserStatus::Active => "user.reactivate",
            UserStatus::Suspended => "user.suspend",
            UserStatus::Banned => "user.ban",
        };
        acts.push((action, changed("status", json!(before.status), json!(after.status))));
    }
    if before.role != after.role {
        acts.push(("user.change_role", changed("role", json!(before.role), json!(after.role))));
    }
    if before.email != after.email {
        acts.push(("user.change_email", changed("email", json!(before.email), json!(after.email))));
    }
    if before.name != after.name {
        acts.push(("user.rename", changed("name", json!(before.name), json!(after.name))));
    }
    if edit.password_hash.is_some() {
        acts.push(("user.change_password", json!({})));
    }
    acts
}

pub(super) async fn note(
    connection: &mut Connection,
    actor: &Actor,
    action: &str,
    target_kind: &str,
    target: &str,
    changes: &Value,
) -> LibraryResult<()> {
    sqlx::query(concat!(
        "insert into audit_log (actor_id, action, target_kind, target, changes, address, at_ms) \
         values ($1, $2, $3, $4, $5, $6, ",
        now_ms!(),
        ")"
    ))
    .bind(actor.user.to_string())
    .bind(action)
    .bind(target_kind)
    .bind(target)
    .bind(changes.to_string())
    .bind(&actor.address)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(failed)
}

fn user(row: &Row) -> LibraryResult<User> {
    Ok(User {
        id: parsed(row, "id")?,
        name: get(row, "name")?,
        email: get(row, "email")?,
        role: parsed(row, "role")?,
        status: parsed(row, "status")?,
        confirmed_at_ms: get(row, "confirmed_at_ms")?,
        quota_bytes: get(row, "quota_bytes")?,
        created_at_ms: get(row, "created_at_ms")?,
    })
}

fn session(row: &Row) -> LibraryResult<Session> {
    Ok(Session {
        id: parsed(row, "session_id")?,
        user: parsed(row, "user_id")?,
        acting_as: parsed_if_any(row, "acting_as")?,
        address: get(row, "address")?,
        agent: get(row, "agent")?,
        created_at_ms: get(row, "opened_at_ms")?,
        expires_at_ms: get(row, "expires_at_ms")?,
        authenticated_at_ms: get(row, "authenticated_at_ms")?,
        renewed_at_ms: get(row, "renewed_at_ms")?,
    })
}

fn token(row: &Row) -> LibraryResult<Token> {
    let scopes: Value = parsed(row, "scopes")?;
    Ok(Token {
        id: parsed(row, "token_id")?,
        user: parsed(row, "user_id")?,
        purpose: parsed(row, "purpose")?,
        label: get(row, "label")?,
        scopes: serde_json::from_value(scopes).unwrap_or_default(),
        sent_to: get(row, "sent_to")?,
        created_at_ms: get(row, "made_at_ms")?,
        expires_at_ms: get(row, "expires_at_ms")?,
        used_at_ms: get(row, "used_at_ms")?,
    })
}

fn entry(row: &Row) -> LibraryResult<AuditEntry> {
    Ok(AuditEntry {
        seq: get(row, "seq")?,
        actor: parsed(row, "actor_id")?,
        action: get(row, "action")?,
        target_kind: get(row, "target_kind")?,
        target: get(row, "target")?,
        changes: parsed(row, "changes")?,
        address: get(row, "address")?,
        at_ms: get(row, "at_ms")?,
    })
}
