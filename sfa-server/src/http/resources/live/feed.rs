//! One topic: how it is now, and what happens to it from then on.

use std::str::FromStr;

use serde::Serialize;
use serde_json::{Value, json};
use sfa_core::library::{Event, Follower, JobQuery, Scope, Topic, TrackId};

use super::super::jobs::JobView;
use super::super::tracks::TrackView;
use crate::http::App;
use crate::http::error::{ApiError, ApiResult};

const LIBRARY: &str = "library";
const TRACK: &str = "track:";

/// What can be followed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// The caller's own library: songs that come and go, playlists, notifications.
    Library,
    /// One song: its jobs, their progress, what they made.
    Track(TrackId),
}

impl Subject {
    fn topic(self, scope: Scope) -> Topic {
        match self {
            Self::Library => Topic::Library(scope.user),
            Self::Track(id) => Topic::Track(id),
        }
    }

    /// The name on the wire: the own library needs no name of an owner, so that nobody can name another's.
    fn name(self) -> String {
        match self {
            Self::Library => LIBRARY.to_owned(),
            Self::Track(id) => format!("{TRACK}{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = ApiError;

    fn from_str(text: &str) -> ApiResult<Self> {
        if text == LIBRARY {
            return Ok(Self::Library);
        }
        let id = text.strip_prefix(TRACK).ok_or_else(|| {
            ApiError::invalid("topics are \"library\", and \"track:\" with the id of a song")
        })?;
        id.parse().map(Self::Track).map_err(|_| ApiError::not_found())
    }
}

/// What a follower is sent.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Piece {
    /// How it is, with all that had happened up to number `seq`.
    Snapshot { topic: String, seq: i64, data: Value },
    /// What happened next.
    Event { topic: String, seq: i64, kind: String, payload: Value },
}

impl Piece {
    pub(super) fn seq(&self) -> i64 {
        match self {
            Self::Snapshot { seq, .. } | Self::Event { seq, .. } => *seq,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Snapshot { .. } => "snapshot",
            Self::Event { kind, .. } => kind,
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("pieces are plain data")
    }
}

/// The pieces of one topic in order.
pub(super) struct Feed {
    name: String,
    first: Option<Piece>,
    follower: Follower,
}

impl Feed {
    /// Goes on after event `after` where the log still has what followed, else begins with a snapshot.
    pub(super) async fn open(
        app: &App,
        scope: Scope,
        subject: Subject,
        after: Option<i64>,
    ) -> ApiResult<Self> {
        let rows = app.library.rows();
        if let Subject::Track(id) = subject {
            rows.track(scope, id).await?;
        }
        let topic = subject.topic(scope);
        let name = subject.name();
        // Before the snapshot is taken: what happens meanwhile is in it, and is told again.
        let last = rows.last_seq(scope, &topic.name()).await?;
        if let Some(after) = after
            && is_in_log(app, scope, topic, after, last).await?
        {
            let follower = app.library.follow(scope, topic, after);
            return Ok(Self { name, first: None, follower });
        }
        let data = snapshot(app, scope, subject).await?;
        let first = Some(Piece::Snapshot { topic: name.clone(), seq: last, data });
        Ok(Self { name, first, follower: app.library.follow(scope, topic, last) })
    }

    pub(super) async fn next(&mut self) -> ApiResult<Piece> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let Event { seq, kind, payload, .. } = self.follower.next().await?;
        Ok(Piece::Event { topic: self.name.clone(), seq, kind, payload })
    }
}

/// Whether everything after event `after` can still be told.
async fn is_in_log(app: &App, scope: Scope, topic: Topic, after: i64, last: i64) -> ApiResult<bool> {
    if after == last {
        return Ok(true);
    }
    if !(0..last).contains(&after) {
        return Ok(false);
    }
    let events = app.library.rows().events(scope, &topic.name(), after).await?;
    Ok(events.first().is_some_and(|event| event.seq == after + 1))
}

async fn snapshot(app: &App, scope: Scope, subject: Subject) -> ApiResult<Value> {
    let rows = app.library.rows();
    match subject {
        Subject::Library => Ok(json!({"tracks": rows.count_tracks(scope).await?})),
        Subject::Track(id) => {
            let track: TrackView = rows.track(scope, id).await?.into();
            let query = JobQuery { track: Some(id), ..JobQuery::default() };
            let jobs: Vec<JobView> = rows.jobs(scope, &query).await?.into_iter().map(Into::into).collect();
            Ok(json!({"track": track, "jobs": jobs}))
        }
    }
}
