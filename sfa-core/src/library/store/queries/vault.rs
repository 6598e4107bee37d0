//! Secrets that have to be read again.

use async_trait::async_trait;
use serde_json::json;

use super::accounts::note;
use super::rows::{Row, get, parsed};
use super::{Rows, Scope, failed};
use crate::library::store::{SealedSecret, Vault};
use crate::library::{Actor, LibraryError, LibraryResult};

#[async_trait]
impl Vault for Rows {
    async fn put_sealed(
        &self,
        actor: &Actor,
        scope: Scope,
        name: &str,
        key_id: &str,
        sealed: &str,
    ) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        sqlx::query(concat!(
            "insert into vault (user_id, name, key_id, sealed, changed_at_ms) values ($1, $2, $3, $4, ",
            now_ms!(),
            ") on conflict (user_id, name) do update set key_id = excluded.key_id, sealed = excluded.sealed, \
             changed_at_ms = excluded.changed_at_ms"
        ))
        .bind(scope.user.to_string())
        .bind(name)
        .bind(key_id)
        .bind(sealed)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        note(&mut transaction, actor, "vault.put", "secret", name, &json!({"user": scope.user})).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn sealed(&self, scope: Scope) -> LibraryResult<Vec<SealedSecret>> {
        let found = sqlx::query(
            "select user_id, name, key_id, sealed, changed_at_ms from vault where user_id = $1 order by name",
        )
        .bind(scope.user.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(failed)?;
        found.iter().map(secret).collect()
    }

    async fn remove_sealed(&self, actor: &Actor, scope: Scope, name: &str) -> LibraryResult<()> {
        let mut transaction = self.begin().await?;
        let removed = sqlx::query("delete from vault where user_id = $1 and name = $2")
            .bind(scope.user.to_string())
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if removed.rows_affected() == 0 {
            return Err(LibraryError::not_found("secret", name));
        }
        note(&mut transaction, actor, "vault.remove", "secret", name, &json!({"user": scope.user})).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn sealed_otherwise(&self, key_id: &str) -> LibraryResult<Vec<SealedSecret>> {
        let found = sqlx::query(
            "select user_id, name, key_id, sealed, changed_at_ms from vault where key_id <> $1 \
             order by user_id, name limit 100",
        )
        .bind(key_id)
        .fetch_all(&self.writer)
        .await
        .map_err(failed)?;
        found.iter().map(secret).collect()
    }

    async fn reseal(&self, old: &SealedSecret, key_id: &str, sealed: &str) -> LibraryResult<()> {
        let statement = sqlx::query(
            "update vault set key_id = $4, sealed = $5 where user_id = $1 and name = $2 and sealed = $3",
        )
        .bind(old.scope.user.to_string())
        .bind(&old.name)
        .bind(&old.sealed)
        .bind(key_id)
        .bind(sealed);
        self.execute(statement).await
    }
}

fn secret(row: &Row) -> LibraryResult<SealedSecret> {
    Ok(SealedSecret {
        scope: Scope::of(parsed(row, "user_id")?),
        name: get(row, "name")?,
        key_id: get(row, "key_id")?,
        sealed: get(row, "sealed")?,
        changed_at_ms: get(row, "changed_at_ms")?,
    })
}
