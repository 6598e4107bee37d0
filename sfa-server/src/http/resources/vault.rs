//! Secrets that the server keeps for its users, such as their keys of other services. They go in and are used; nothing
//! answers them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::SealedSecret;
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Body, Page};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

/// A secret, by its name.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SecretView {
    name: String,
    /// When it was last given, in milliseconds since 1970.
    changed_at_ms: i64,
}

impl From<SealedSecret> for SecretView {
    fn from(secret: SealedSecret) -> Self {
        Self { name: secret.name, changed_at_ms: secret.changed_at_ms }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PutSecret {
    /// 1 to 8192 bytes.
    #[schema(format = Password, min_length = 1, max_length = 8192)]
    value: String,
}

/// List the names of the own secrets
#[utoipa::path(get, path = "/api/v1/vault", tag = "account", responses(
    (status = 200, description = "By name", body = Page<SecretView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<SecretView>> {
    Ok(Page::whole(app.library.rows().sealed(caller.scope()).await?))
}

/// Keep a secret
///
/// Instead of one of this name. It is kept encrypted and cannot be read back.
#[utoipa::path(put, path = "/api/v1/vault/{name}", tag = "account", request_body = PutSecret,
    params(("name" = String, Path)),
    responses((status = 204, description = "Kept"))
)]
pub(in crate::http) async fn put(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
    Body(body): Body<PutSecret>,
) -> ApiResult<StatusCode> {
    app.library.put_secret(&caller.actor(), caller.scope(), &name, &body.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a secret
#[utoipa::path(delete, path = "/api/v1/vault/{name}", tag = "account",
    params(("name" = String, Path)),
    responses((status = 204, description = "Removed"))
)]
pub(in crate::http) async fn remove(
    State(app): State<App>,
    caller: Caller,
    At(name): At<String>,
) -> ApiResult<StatusCode> {
    app.library.rows().remove_sealed(&caller.actor(), caller.scope(), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
