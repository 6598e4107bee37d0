//! The queue against a model of it: long random sequences of everything that can happen to jobs, in any order,
//! with after every step the row of the touched job compared with what the model says.
//!
//! A failure names its seed; `SFA_SEED=N cargo test -p sfa-core --test library interleavings` repeats it, and
//! `SFA_STEPS=N` makes the sequences longer.

use std::time::Duration;

use sfa_core::library::{
    Change, Claim, Fence, Heartbeat, JobId, JobState, LibraryErrorKind, Outcome, SqliteStore, Verdict,
    WorkerId,
};

use crate::{Desk, claim, job, kind_of};

const MAX_ATTEMPTS: i64 = 3;

/// What the rules say about one job.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Model {
    id: JobId,
    state: JobState,
    attempt: i64,
    lease: i64,
    cancel: bool,
    /// Whether its worker will not be heard of any more.
    silent: bool,
}

impl Model {
    fn end(&mut self, state: JobState) {
        self.state = state;
    }

    fn fail(&mut self, is_final: bool) {
        self.state = match () {
            () if self.cancel => JobState::Cancelled,
            () if is_final || self.attempt == MAX_ATTEMPTS => JobState::Discarded,
            () => JobState::Retryable,
        };
    }

    fn put_back(&mut self, state: JobState) {
        if self.cancel {
            self.state = JobState::Cancelled;
        } else {
            (self.state, self.attempt) = (state, self.attempt - 1);
        }
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        // A linear congruential generator: its high bits are good enough to choose by.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }
}

#[tokio::test]
async fn the_queue_follows_its_model() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let steps = number("SFA_STEPS").unwrap_or(1500);
    let seeds = number("SFA_SEED").map_or(0..4, |seed| seed..seed + 1);
    for seed in seeds {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("library.sqlite")).await.unwrap();
        let desk = Desk::over(std::sync::Arc::new(store)).await;
        let mut random = Random(seed);
        let mut models: Vec<Model> = Vec::new();
        let mut fences: Vec<Fence> = Vec::new();
        for step in 0..steps {
            let touched = act(&desk, &mut random, &mut models, &mut fences).await;
            for index in touched {
                let (model, row) =
                    (models[index], desk.database.job(desk.ann, models[index].id).await.unwrap());
                let found = (row.state, row.attempt, row.run_lease);
                assert_eq!(
                    found,
                    (model.state, model.attempt, model.lease),
                    "seed {seed}, step {step}: {model:?}"
                );
                assert_eq!(row.finished_at_ms.is_some(), row.state.is_final(), "seed {seed}, step {step}");
            }
        }
    }
}

/// Does one random thing, notes in the models what it should do, and says which jobs it concerns.
async fn act(
    desk: &Desk,
    random: &mut Random,
    models: &mut Vec<Model>,
    fences: &mut Vec<Fence>,
) -> Vec<usize> {
    match random.below(9) {
        0 => {
            let id = desk.enqueue(desk.ann, job()).await;
            let state = JobState::Available;
            models.push(Model { id, state, attempt: 0, lease: 0, cancel: false, silent: false });
            vec![models.len() - 1]
        }
        1 | 2 => {
            let silent = random.below(3) == 0;
            let lease = if silent { Duration::ZERO } else { Duration::from_secs(600) };
            let slots = 1 + random.below(3);
            let request = Claim { lease, ..claim("work", slots as i64) };
            let claimed = desk.database.claim(&request).await.unwrap();
            let mut touched = Vec::new();
            for job in &claimed {
                let index = models.iter().position(|model| model.id == job.id).unwrap();
                let model = &mut models[index];
                // A failed job may be claimed once its wait is over, and who knows how long a step takes.
                let waits = [JobState::Available, JobState::Scheduled, JobState::Retryable];
                assert!(waits.contains(&model.state), "{model:?} was claimed");
                (model.state, model.silent) = (JobState::Executing, silent);
                (model.attempt, model.lease) = (model.attempt + 1, model.lease + 1);
                fences.push(job.fence());
                touched.push(index);
            }
            let ready = models.iter().filter(|model| model.state == JobState::Available).count();
            assert!(claimed.len() == slots || ready == 0, "{ready} jobs were left although slots were free");
            touched
        }
        3 => {
            let Some((fence, index)) = any_fence(random, models, fences) else { return Vec::new() };
            let lease = Duration::from_secs(600);
            let beat = Heartbeat { fence, progress: 1, stage: String::new() };
            let verdict = desk.database.beat(WorkerId::random(), lease, &[beat]).await.unwrap().0[0];
            let model = &mut models[index];
            let holds = model.state == JobState::Executing && model.lease == fence.run_lease;
            let expected = match (holds, model.cancel) {
                (false, _) => Verdict::Stale,
                (true, true) => Verdict::Cancel,
                (true, false) => Verdict::Continue,
            };
            assert_eq!(verdict, expected, "{model:?}");
            model.silent &= !holds;
            vec![index]
        }
        4 | 5 => {
            let Some((fence, index)) = any_fence(random, models, fences) else { return Vec::new() };
            let outcome = match random.below(6) {
                0 | 1 => Outcome::Completed(Vec::new()),
                2 => Outcome::Failed { error: "no".to_owned(), is_final: random.below(4) == 0 },
                3 => Outcome::Snoozed { wait_ms: 0, reason: String::new() },
                4 => Outcome::Cancelled,
                _ => Outcome::Released,
            };
            let result = desk.finish(fence, outcome.clone()).await;
            let model = &mut models[index];
            if model.state != JobState::Executing || model.lease != fence.run_lease {
                assert_eq!(kind_of(result), Some(LibraryErrorKind::Conflict), "{model:?}");
                return vec![index];
            }
            result.unwrap();
            match outcome {
                Outcome::Completed(_) => model.end(JobState::Completed),
                Outcome::Cancelled => model.end(JobState::Cancelled),
                Outcome::Failed { is_final, .. } => model.fail(is_final),
                Outcome::Snoozed { .. } => model.put_back(JobState::Scheduled),
                Outcome::Released => model.put_back(JobState::Available),
            }
            vec![index]
        }
        6 => {
            // The clock counts milliseconds: let leases of nothing lie in the past.
            tokio::time::sleep(Duration::from_millis(2)).await;
            desk.database.rescue().await.unwrap();
            let lost = |model: &Model| model.state == JobState::Executing && model.silent;
            let touched: Vec<usize> = (0..models.len()).filter(|&index| lost(&models[index])).collect();
            touched.iter().for_each(|&index| models[index].fail(false));
            touched
        }
        7 => {
            let Some(index) = any(random, models.len()) else { return Vec::new() };
            let result = desk.apply(desk.ann, Change::CancelJob(models[index].id)).await;
            let model = &mut models[index];
            assert_eq!(result.is_ok(), !model.state.is_final(), "{model:?}");
            if model.state == JobState::Executing {
                model.cancel = true;
            } else if !model.state.is_final() {
                model.end(JobState::Cancelled);
            }
            vec![index]
        }
        _ => {
            let Some(index) = any(random, models.len()) else { return Vec::new() };
            let result = desk.apply(desk.ann, Change::RetryJob(models[index].id)).await;
            let model = &mut models[index];
            let may = matches!(model.state, JobState::Retryable | JobState::Discarded | JobState::Cancelled);
            assert_eq!(result.is_ok(), may, "{model:?}");
            if may {
                (model.state, model.attempt, model.cancel) = (JobState::Available, 0, false);
            }
            vec![index]
        }
    }
}

fn any(random: &mut Random, count: usize) -> Option<usize> {
    (count > 0).then(|| random.below(count))
}

/// Any claim that was ever made, and its job: old ones too.
fn any_fence(random: &mut Random, models: &[Model], fences: &[Fence]) -> Option<(Fence, usize)> {
    let fence = fences[any(random, fences.len())?];
    models.iter().position(|model| model.id == fence.job).map(|index| (fence, index))
}
