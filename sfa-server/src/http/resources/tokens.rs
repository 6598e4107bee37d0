//! Tokens for programs.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{NewToken, Secret, Token, TokenId, TokenPurpose};
use utoipa::ToSchema;

use crate::http::App;
use crate::http::answer::{At, Body, Data, Page, Secretive};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::rights::TokenScope;

const MOST_DAYS: u32 = 3650;

/// A token. What it opens with is shown once, when it is made.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TokenView {
    #[schema(value_type = String, format = Uuid)]
    id: TokenId,
    label: String,
    /// Of "read", "write" and "admin".
    scopes: Vec<String>,
    /// Milliseconds since 1970.
    created_at_ms: i64,
    expires_at_ms: Option<i64>,
    /// To the minute.
    used_at_ms: Option<i64>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Token { id, label, scopes, created_at_ms, expires_at_ms, used_at_ms, .. } = token;
        Self { id, label, scopes, created_at_ms, expires_at_ms, used_at_ms }
    }
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MadeToken {
    #[serde(flatten)]
    token: TokenView,
    /// For the header "Authorization: Bearer …". It is not kept here and cannot be shown again.
    secret: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MakeToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 160)]
    label: String,
    /// What it may do: "read" songs, "write" them, and "admin" for what its owner may do as an admin.
    #[schema(example = json!(["read", "write"]))]
    scopes: Vec<String>,
    /// Days until it ends; never where absent.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// List the own tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "account", responses(
    (status = 200, description = "The newest first", body = Page<TokenView>)
))]
pub(in crate::http) async fn list(State(app): State<App>, caller: Caller) -> ApiResult<Page<TokenView>> {
    Ok(Page::whole(app.library.rows().tokens(caller.scope()).await?))
}

/// Make a token
#[utoipa::path(post, path = "/api/v1/tokens", tag = "account", request_body = MakeToken, responses(
    (status = 201, description = "Made", body = Data<MadeToken>)
))]
pub(in crate::http) async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<MakeToken>,
) -> ApiResult<(StatusCode, Secretive<Data<MadeToken>>)> {
    let names = TokenScope::ALL.map(TokenScope::name);
    let is_known = |scope: &String| names.contains(&scope.as_str());
    if body.scopes.is_empty() || !body.scopes.iter().all(is_known) || body.scopes.len() > names.len() {
        return Err(ApiError::invalid(format!("scopes are some of {}", names.join(", "))));
    }
    if body.label.trim().is_empty() {
        return Err(ApiError::invalid("a token has a label, 1 to 160 characters"));
    }
    if body.days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        return Err(ApiError::invalid(format!("a token lasts 1 to {MOST_DAYS} days, or for ever")));
    }
    let secret = Secret::random();
    let token = NewToken {
        id: TokenId::random(),
        user: caller.user.id,
        purpose: TokenPurpose::Api,
        secret: secret.hash(),
        label: body.label,
        scopes: body.scopes,
        sent_to: None,
        lifetime: body.days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600)),
    };
    let token = app.library.rows().add_token(&token).await?;
    let made = MadeToken { token: token.into(), secret: secret.reveal() };
    Ok((StatusCode::CREATED, Secretive(Data { data: made })))
}

/// Take a token back
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "account",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "It opens nothing any more"))
)]
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    At(id): At<TokenId>,
) -> ApiResult<StatusCode> {
    app.library.rows().revoke_token(caller.scope(), id).await?;
    app.revoke(caller.user.id);
    Ok(StatusCode::NO_CONTENT)
}
