//! The log of what was done with special rights.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sfa_core::library::{AuditEntry, AuditQuery, UserId};
use utoipa::{IntoParams, ToSchema};

use super::tracks::limit;
use crate::http::App;
use crate::http::answer::{Page, Query};
use crate::http::error::{ApiError, ApiResult};

const PAGE: i64 = 100;

/// A line of the log. Lines are added, never changed or removed.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct AuditView {
    /// Lines are numbered in their order.
    seq: i64,
    /// Who did it.
    #[schema(value_type = String, format = Uuid)]
    actor: UserId,
    #[schema(example = "user.suspend")]
    action: String,
    #[schema(example = "user")]
    target_kind: String,
    target: String,
    /// What was before and is after.
    #[schema(value_type = Object)]
    changes: Value,
    /// From which network address.
    address: Option<String>,
    /// Milliseconds since 1970.
    at_ms: i64,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { seq, actor, action, target_kind, target, changes, address, at_ms } = entry;
        Self { seq, actor, action, target_kind, target, changes, address, at_ms }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// Only of this actor.
    #[param(value_type = Option<String>, format = Uuid)]
    actor: Option<UserId>,
    /// Only what was done to this.
    target: Option<String>,
    /// Lines of a page. Default: 100.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(minimum = 1)]
    after: Option<i64>,
}

/// Read the audit log
#[utoipa::path(get, path = "/api/v1/audit", tag = "users", params(ListQuery), responses(
    (status = 200, description = "The newest first", body = Page<AuditView>)
))]
pub(in crate::http) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Page<AuditView>> {
    let limit = limit(query.limit, PAGE)?;
    if query.after.is_some_and(|seq| seq < 1) {
        return Err(ApiError::invalid("after is 1 or more"));
    }
    let before = query.after.unwrap_or(0);
    let query = AuditQuery { actor: query.actor, target: query.target, before, limit };
    let entries = app.library.rows().audit_log(&query).await?;
    Ok(Page::of(entries, limit, |entry| entry.seq.to_string()))
}
