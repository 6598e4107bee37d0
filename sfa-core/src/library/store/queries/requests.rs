//! Requests that may come twice.

use std::time::Duration;

use async_trait::async_trait;

use super::jobs::ANSWERS_AGE_MS;
use super::rows::{get, parsed};
use super::{Rows, Scope, failed, millis};
use crate::library::store::{Begun, KeptAnswer, KeyedRequest, Requests};
use crate::library::{LibraryError, LibraryErrorKind, LibraryResult};

#[async_trait]
impl Requests for Rows {
    async fn begin_request(
        &self,
        scope: Scope,
        request: &KeyedRequest,
        patience: Duration,
    ) -> LibraryResult<Begun> {
        let mut transaction = self.begin().await?;
        sqlx::query(concat!(
            "delete from requests where user_id = $1 and route = $2 and key = $3 and (begun_at_ms <= ",
            now_ms!(),
            " - $4 or (status is null and begun_at_ms <= ",
            now_ms!(),
            " - $5))"
        ))
        .bind(scope.user.to_string())
        .bind(&request.route)
        .bind(&request.key)
        .bind(ANSWERS_AGE_MS)
        .bind(millis(patience))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let begun: Option<i64> = sqlx::query_scalar(concat!(
            "insert into requests (user_id, route, key, fingerprint, begun_at_ms) values ($1, $2, $3, $4, ",
            now_ms!(),
            ") on conflict (user_id, route, key) do nothing returning begun_at_ms"
        ))
        .bind(scope.user.to_string())
        .bind(&request.route)
        .bind(&request.key)
        .bind(&request.fingerprint)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let known = sqlx::query(
            "select fingerprint, status, headers, body from requests \
             where user_id = $1 and route = $2 and key = $3",
        )
        .bind(scope.user.to_string())
        .bind(&request.route)
        .bind(&request.key)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        if let Some(number) = begun {
            return Ok(Begun::Now(number));
        }
        // Gone between two statements: it has just come to nothing, and may be tried again.
        let Some(row) = known else { return Ok(Begun::Already) };
        if get::<String>(&row, "fingerprint")? != request.fingerprint {
            return Ok(Begun::Another);
        }
        let Some(status) = get::<Option<i64>>(&row, "status")? else { return Ok(Begun::Already) };
        let status = u16::try_from(status).map_err(|error| {
            LibraryError::new(LibraryErrorKind::Database, "the database holds no status of an answer")
                .caused_by(error)
        })?;
        Ok(Begun::Answered(KeptAnswer {
            status,
            headers: parsed(&row, "headers")?,
            body: get(&row, "body")?,
        }))
    }

    async fn answer_request(
        &self,
        scope: Scope,
        request: &KeyedRequest,
        number: i64,
        answer: &KeptAnswer,
    ) -> LibraryResult<()> {
        let statement = sqlx::query(
            "update requests set status = $5, headers = $6, body = $7 \
             where user_id = $1 and route = $2 and key = $3 and begun_at_ms = $4 and status is null",
        )
        .bind(scope.user.to_string())
        .bind(&request.route)
        .bind(&request.key)
        .bind(number)
        .bind(i64::from(answer.status))
        .bind(answer.headers.to_string())
        .bind(&answer.body);
        self.execute(statement).await
    }

    async fn forget_request(&self, scope: Scope, request: &KeyedRequest, number: i64) -> LibraryResult<()> {
        let statement = sqlx::query(
            "delete from requests \
             where user_id = $1 and route = $2 and key = $3 and begun_at_ms = $4 and status is null",
        )
        .bind(scope.user.to_string())
        .bind(&request.route)
        .bind(&request.key)
        .bind(number);
        self.execute(statement).await
    }
}
