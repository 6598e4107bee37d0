//! What has happened to a job, from what its row, its errors and its events still tell.

use serde::Serialize;

use super::{Job, JobState};

/// Progress is told again after so many percent.
const STEP: i64 = 10;

/// A job that is told to wait so soon after it was made was just made.
const SAME_MS: i64 = 1000;

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JobMoment {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub kind: JobMomentKind,
    /// How far it was, 0 to 100, where that is known.
    pub progress: Option<i64>,
    /// What went wrong, or what it was doing.
    pub text: Option<String>,
}

/// What can happen to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobMomentKind {
    /// It was put into the queue, or put back into it.
    Queued,
    /// A worker began with it. Only the last beginning is remembered.
    Started,
    /// It was further.
    Progressed,
    /// An attempt failed.
    Failed,
    /// It waits for its next attempt, or was put off.
    PutOff,
    /// It is done.
    Completed,
    /// It was stopped on request.
    Cancelled,
    /// It failed for good.
    Discarded,
}

impl JobMomentKind {
    /// What comes to be with a state.
    const fn of(state: JobState) -> Self {
        match state {
            JobState::Available => Self::Queued,
            JobState::Scheduled | JobState::Retryable => Self::PutOff,
            JobState::Executing => Self::Started,
            JobState::Completed => Self::Completed,
            JobState::Cancelled => Self::Cancelled,
            JobState::Discarded => Self::Discarded,
        }
    }
}

/// What an event has told of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Progress { progress: i64, stage: String },
    State(JobState),
}

/// All of it in order of time. Events are about songs only and are forgotten after a week; what the row says is always
/// there.
pub(crate) fn timeline(
    job: &Job,
    started_at_ms: Option<i64>,
    errors: Vec<(i64, String)>,
    told: Vec<(i64, Told)>,
) -> Vec<JobMoment> {
    let plain = |at_ms, kind| JobMoment { at_ms, kind, progress: None, text: None };
    let mut moments = vec![plain(job.created_at_ms, JobMomentKind::Queued)];
    moments.extend(started_at_ms.map(|at_ms| plain(at_ms, JobMomentKind::Started)));
    for (at_ms, text) in errors {
        moments.push(JobMoment { text: Some(text), ..plain(at_ms, JobMomentKind::Failed) });
    }
    let mut last = (i64::MIN, String::new());
    for (at_ms, told) in told {
        match told {
            Told::Progress { progress, stage } => {
                // A new attempt begins at the beginning.
                let is_news = progress < last.0 || progress - last.0.max(0) >= STEP || stage != last.1;
                if is_news || last.0 == i64::MIN {
                    let text = Some(stage.clone()).filter(|stage| !stage.is_empty());
                    let progressed = plain(at_ms, JobMomentKind::Progressed);
                    moments.push(JobMoment { progress: Some(progress), text, ..progressed });
                    last = (progress, stage);
                }
            }
            // The row says when it was made and ended.
            Told::State(state) if state.is_final() => {}
            Told::State(JobState::Available) if at_ms - job.created_at_ms < SAME_MS => {}
            Told::State(state) => moments.push(plain(at_ms, JobMomentKind::of(state))),
        }
    }
    moments.extend(job.finished_at_ms.map(|at_ms| plain(at_ms, JobMomentKind::of(job.state))));
    moments.sort_by_key(|moment| (moment.at_ms, moment.kind));
    moments
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use JobMomentKind::{Discarded, Failed, Progressed, PutOff, Queued, Started};

    fn job(state: &str, finished_at_ms: Value) -> Job {
        let id = "01977a3e-7c00-7000-8000-000000000000";
        serde_json::from_value(json!({
            "id": id, "user": id, "queue": "q", "kind": "k", "args": {}, "track": null, "batch": null, "state": state,
            "priority": 3, "run_at_ms": 10, "attempt": 2, "max_attempts": 2, "run_lease": 2, "progress": 0, "stage": "",
            "cancel_requested": false, "requires": [], "error": null, "created_at_ms": 10,
            "finished_at_ms": finished_at_ms,
        }))
        .unwrap()
    }

    fn kinds(moments: &[JobMoment]) -> Vec<(i64, JobMomentKind)> {
        moments.iter().map(|moment| (moment.at_ms, moment.kind)).collect()
    }

    #[test]
    fn what_waits_was_only_queued() {
        assert_eq!(kinds(&timeline(&job("available", Value::Null), None, vec![], vec![])), [(10, Queued)]);
    }

    #[test]
    fn attempts_that_fail_and_the_end_are_told_in_order() {
        let errors = vec![(30, "first".to_owned()), (60, "second".to_owned())];
        let told = vec![
            (10, Told::State(JobState::Available)),
            (30, Told::State(JobState::Retryable)),
            (60, Told::State(JobState::Discarded)),
        ];
        let moments = timeline(&job("discarded", json!(60)), Some(50), errors, told);
        let expected =
            [(10, Queued), (30, Failed), (30, PutOff), (50, Started), (60, Failed), (60, Discarded)];
        assert_eq!(kinds(&moments), expected);
        assert_eq!(moments[4].text.as_deref(), Some("second"));
    }

    #[test]
    fn progress_is_told_in_steps_and_by_stages() {
        let progress = |percent: i64, stage: &str| {
            (20 + percent, Told::Progress { progress: percent, stage: stage.to_owned() })
        };
        let told = vec![
            progress(1, ""),
            progress(2, ""),
            progress(10, ""),
            progress(11, ""),
            progress(12, "encode"),
            progress(13, "encode"),
            progress(23, "encode"),
            progress(3, "encode"),
        ];
        let moments = timeline(&job("executing", Value::Null), Some(15), vec![], told);
        let progressed: Vec<_> =
            moments.iter().filter(|moment| moment.kind == Progressed).map(|moment| moment.progress).collect();
        assert_eq!(progressed, [Some(1), Some(3), Some(11), Some(12), Some(23)]);
        assert_eq!(moments.last().unwrap().text.as_deref(), Some("encode"));
    }
}
