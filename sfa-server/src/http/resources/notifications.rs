//! What the user should know.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sfa_core::library::{Change, Notification, NotificationId, TrackId};
use utoipa::{IntoParams, ToSchema};

use super::tracks::limit;
use crate::http::App;
use crate::http::answer::{Page, Query};
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

const PAGE: i64 = 20;

/// Something that has happened.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NotificationView {
    #[schema(value_type = String, format = Uuid)]
    id: NotificationId,
    #[schema(example = "track.completed")]
    kind: String,
    /// A sentence.
    text: String,
    /// The song it is about.
    #[schema(value_type = Option<String>, format = Uuid)]
    track: Option<TrackId>,
    /// Milliseconds since 1970.
    created_at_ms: i64,
    is_read: bool,
}

impl From<Notification> for NotificationView {
    fn from(notification: Notification) -> Self {
        let Notification { id, kind, text, track, created_at_ms, is_read, .. } = notification;
        Self { id, kind, text, track, created_at_ms, is_read }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// At most so many. Default: 20.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
}

/// List notifications
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(ListQuery), responses(
    (status = 200, description = "The newest first", body = Page<NotificationView>)
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> ApiResult<Page<NotificationView>> {
    let limit = limit(query.limit, PAGE)?;
    Ok(Page::whole(app.library.rows().notifications(caller.scope(), limit).await?))
}

/// Mark all notifications as read
#[utoipa::path(post, path = "/api/v1/notifications/read", tag = "notifications", responses(
    (status = 204, description = "Marked")
))]
pub(in crate::http) async fn mark_read(State(app): State<App>, caller: Caller) -> ApiResult<StatusCode> {
    app.library.apply(caller.scope(), vec![Change::MarkNotificationsRead]).await?;
    Ok(StatusCode::NO_CONTENT)
}
