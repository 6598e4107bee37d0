//! One subject: how it is now, and what happens to it from then on.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sfa_core::library::{Event, Follower, Job, JobId, Scope, Topic, Track};

use super::super::jobs::JobView;
use super::super::tracks::TrackView;
use super::inspector::Inspector;
use super::subject::Subject;
use super::system::SystemWatch;
use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::ApiResult;

/// What a follower is sent.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::http) enum Piece {
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

/// The pieces of one subject in order.
pub(super) struct Feed {
    name: String,
    first: Option<Piece>,
    source: Source,
}

/// Where what happens is known from.
enum Source {
    /// The subject's own log.
    Log(Follower),
    /// The library's log, of which only a part matters.
    Part {
        log: Follower,
        of: Part,
        seq: i64,
    },
    System {
        watch: SystemWatch,
        seq: i64,
    },
    Debug {
        inspector: Inspector,
        seq: i64,
    },
}

enum Part {
    Job(JobId),
    /// With the id of the song.
    Work(JobId, Option<String>),
    Notifications,
}

impl Part {
    /// What an event of the library says about it.
    fn of(&self, event: &Event) -> Option<(String, Value)> {
        match self {
            Self::Job(id) | Self::Work(id, _) if event.kind == "jobs" => {
                let row = row_of(&event.payload["jobs"], &id.to_string())?;
                Some(("job".to_owned(), shown::<Job, JobView>(row)))
            }
            Self::Work(_, Some(track)) if event.kind == "tracks" => {
                let row = row_of(&event.payload["tracks"], track)?;
                Some(("track".to_owned(), shown::<Track, TrackView>(row)))
            }
            Self::Notifications if event.kind.starts_with("notification") => {
                Some((event.kind.clone(), event.payload.clone()))
            }
            Self::Job(_) | Self::Work(..) | Self::Notifications => None,
        }
    }
}

impl Feed {
    /// Goes on after event `after` where a log still has what followed, else begins with a snapshot.
    pub(super) async fn open(
        app: &App,
        caller: &Caller,
        subject: Subject,
        after: Option<i64>,
    ) -> ApiResult<Self> {
        subject.right(caller).make_sure(caller)?;
        let scope = caller.scope();
        let name = subject.name();
        if let Subject::Debug(_, filter) = subject {
            let (data, inspector) = Inspector::open(app, caller, filter);
            let first = Some(Piece::Snapshot { topic: name.clone(), seq: 0, data });
            return Ok(Self { name, first, source: Source::Debug { inspector, seq: 0 } });
        }
        let topic = match subject {
            Subject::Track(id) => {
                app.library.rows().track(scope, id).await?;
                Topic::Track(id)
            }
            _ => Topic::Library(scope.user),
        };
        // Before the snapshot is taken: what happens meanwhile is in it, and is told again.
        let last = app.library.rows().last_seq(scope, &topic.name()).await?;
        let has_log = matches!(subject, Subject::Library | Subject::Track(_));
        if has_log
            && let Some(after) = after
            && is_in_log(app, scope, topic, after, last).await?
        {
            let source = Source::Log(app.library.follow(scope, topic, after));
            return Ok(Self { name, first: None, source });
        }
        let data = subject.snapshot(app, scope).await?;
        let part = |of| Source::Part { log: app.library.follow(scope, topic, last), of, seq: 0 };
        let source = match subject {
            Subject::Job(id) => part(Part::Job(id)),
            Subject::Work(id) => part(Part::Work(id, data["track"]["id"].as_str().map(str::to_owned))),
            Subject::Notifications => part(Part::Notifications),
            Subject::System => {
                Source::System { watch: SystemWatch::after(app.clone(), data.clone()), seq: 0 }
            }
            _ => Source::Log(app.library.follow(scope, topic, last)),
        };
        // What has no log of its own is numbered from its snapshot on.
        let seq = if has_log { last } else { 0 };
        let first = Some(Piece::Snapshot { topic: name.clone(), seq, data });
        Ok(Self { name, first, source })
    }

    /// Waits for the next piece. A wait that is given up loses nothing.
    pub(super) async fn next(&mut self) -> ApiResult<Piece> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let (seq, kind, payload) = match &mut self.source {
            Source::Log(log) => {
                let event = log.next().await?;
                (event.seq, event.kind.clone(), payload_of(&event))
            }
            Source::Part { log, of, seq } => loop {
                let event = log.next().await?;
                if let Some((kind, payload)) = of.of(&event) {
                    *seq += 1;
                    break (*seq, kind, payload);
                }
            },
            Source::System { watch, seq } => {
                let payload = watch.next().await?;
                *seq += 1;
                (*seq, "system".to_owned(), payload)
            }
            Source::Debug { inspector, seq } => {
                let (kind, payload) = inspector.next().await;
                *seq += 1;
                (*seq, kind, payload)
            }
        };
        Ok(Piece::Event { topic: self.name.clone(), seq, kind, payload })
    }
}

fn row_of<'a>(rows: &'a Value, id: &str) -> Option<&'a Value> {
    rows.as_array()?.iter().find(|row| row["id"] == id)
}

/// What an event tells, with rows as they are shown everywhere.
fn payload_of(event: &Event) -> Value {
    let rows = |name: &str| event.payload[name].as_array().into_iter().flatten();
    match event.kind.as_str() {
        "tracks" => json!({"tracks": rows("tracks").map(shown::<Track, TrackView>).collect::<Vec<_>>()}),
        "jobs" => json!({"jobs": rows("jobs").map(shown::<Job, JobView>).collect::<Vec<_>>()}),
        _ => event.payload.clone(),
    }
}

/// A row of the library as the API shows it; one of another version as it is.
fn shown<T: DeserializeOwned, V: From<T> + Serialize>(row: &Value) -> Value {
    let view = T::deserialize(row).map(V::from).and_then(|view| serde_json::to_value(&view));
    view.unwrap_or_else(|_| row.clone())
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
