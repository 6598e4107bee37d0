//! Who users are elsewhere.

use serde_json::json;

use super::accounts::note;
use super::rows::get;
use super::{Connection, Rows, Scope, failed};
use crate::library::{Actor, Identity, LibraryError, LibraryResult, UserId};

impl Rows {
    pub(super) async fn identities_of(&self, scope: Scope) -> LibraryResult<Vec<Identity>> {
        let found = sqlx::query("select issuer, subject from identities where user_id = $1 order by issuer")
            .bind(scope.user.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        found
            .iter()
            .map(|row| Ok(Identity { issuer: get(row, "issuer")?, subject: get(row, "subject")? }))
            .collect()
    }

    pub(super) async fn forget_identity(&self, actor: &Actor, issuer: &str) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        let forgotten = sqlx::query("delete from identities where user_id = $1 and issuer = $2")
            .bind(actor.user.to_string())
            .bind(issuer)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if forgotten.rows_affected() == 0 {
            return Err(LibraryError::not_found("link to", issuer));
        }
        let changes = json!({"before": {"issuer": issuer}});
        note(&mut transaction, actor, "user.unlink", "user", &actor.user.to_string(), &changes).await?;
        transaction.commit().await.map_err(failed)
    }
}

/// Notes within a transaction who somebody is elsewhere.
pub(super) async fn link(
    connection: &mut Connection,
    actor: &Actor,
    user: UserId,
    identity: &Identity,
) -> LibraryResult<()> {
    let Identity { issuer, subject } = identity;
    sqlx::query(concat!(
        "insert into identities (issuer, subject, user_id, linked_at_ms) values ($1, $2, $3, ",
        now_ms!(),
        ")"
    ))
    .bind(issuer)
    .bind(subject)
    .bind(user.to_string())
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    let changes = json!({"after": {"issuer": issuer, "subject": subject}});
    note(connection, actor, "user.link", "user", &user.to_string(), &changes).await
}
