//! What the user has decided about the work on new songs.

use axum::extract::State;
use serde_json::{Map, Value};
use sfa_core::library::Settings;

use crate::http::App;
use crate::http::answer::{Body, Data};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};

/// Show the settings
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", responses(
    (status = 200, description = "All of them as `data`; what was never set has its default", body = Object)
))]
pub(in crate::http) async fn show(State(app): State<App>, caller: Caller) -> ApiResult<Data<Settings>> {
    Ok(Data { data: app.library.settings(caller.scope()).await? })
}

/// Replace the settings
///
/// What is absent gets its default; what there is no such setting for is refused.
#[utoipa::path(put, path = "/api/v1/settings", tag = "settings", request_body = Object, responses(
    (status = 200, description = "Replaced", body = Object)
))]
pub(in crate::http) async fn replace(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Map<String, Value>>,
) -> ApiResult<Data<Settings>> {
    let settings: Settings = serde_json::from_value(body.into())
        .map_err(|error| ApiError::invalid(format!("these settings cannot be used: {error}")))?;
    app.library.set_settings(caller.scope(), &settings).await?;
    Ok(Data { data: settings })
}
