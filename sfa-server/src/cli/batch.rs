//! Many files, some at a time: one bad file does not stop the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sfa_core::{Error, ErrorKind, Watch};

use super::{Context, Exit};

/// What came of one file.
pub(super) enum Outcome<T> {
    Done(T),
    Failed(Error),
    /// Stopped before its turn or while at work.
    Stopped,
}

/// Runs `work` on every file, `jobs` at a time, and calls `done` with each outcome as it comes, one at a time.
///
/// Returns the outcomes in the order of `files`.
pub(super) fn run<T: Send>(
    context: &Context,
    files: &[PathBuf],
    jobs: usize,
    work: impl Fn(&Path, &Watch) -> Result<T, Error> + Sync,
    done: impl Fn(&Path, &Outcome<T>) + Sync,
) -> Vec<Outcome<T>> {
    let bar = context.terminal.batch_bar(files.len());
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<Option<Outcome<T>>>> = Mutex::new(files.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, files.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, file)) = next_file(files, &next) {
                    let outcome = one(context, file, &work);
                    let mut outcomes = outcomes.lock().expect("no thread panics while it holds this");
                    done(file, &outcome);
                    outcomes[index] = Some(outcome);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let outcomes = outcomes.into_inner().expect("no thread panics while it holds this");
    outcomes.into_iter().map(|outcome| outcome.expect("every file had its turn")).collect()
}

fn next_file<'a>(files: &'a [PathBuf], next: &AtomicUsize) -> Option<(usize, &'a PathBuf)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    files.get(index).map(|file| (index, file))
}

fn one<T>(
    context: &Context,
    file: &Path,
    work: &(impl Fn(&Path, &Watch) -> Result<T, Error> + Sync),
) -> Outcome<T> {
    if context.watch.is_stopped() {
        return Outcome::Stopped;
    }
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let bar = Arc::new(context.terminal.file_bar(&name, context.studio.claimed_duration_secs(file)));
    let watch = context.watch.forward_to({
        let bar = Arc::clone(&bar);
        move |progress| bar.show(progress)
    });
    // A fault of ours on one file must not take the others down.
    match catch_unwind(AssertUnwindSafe(|| work(file, &watch))) {
        Ok(Ok(value)) => Outcome::Done(value),
        Ok(Err(error)) if error.is_cancelled() => Outcome::Stopped,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => {
            let message = "a fault in this program on this file; please report it";
            Outcome::Failed(Error::new(ErrorKind::Internal, message))
        }
    }
}

/// Tells what failed and what was stopped, and how the command ends.
pub(super) fn conclude<T>(context: &Context, files: &[PathBuf], outcomes: &[Outcome<T>]) -> Exit {
    let failures: Vec<(&PathBuf, &Error)> = files
        .iter()
        .zip(outcomes)
        .filter_map(|(file, outcome)| match outcome {
            Outcome::Failed(error) => Some((file, error)),
            _ => None,
        })
        .collect();
    if !failures.is_empty() {
        let width =
            failures.iter().map(|(file, _)| file.display().to_string().chars().count()).max().unwrap_or(0);
        context.terminal.note("");
        context.terminal.fail(format!("{} of {} failed:", failures.len(), files.len()));
        for (file, error) in &failures {
            let name = file.display().to_string();
            context.terminal.note(format!("  {name:width$}  {}", reason(file, error)));
        }
    }
    if context.watch.is_stopped() {
        let done = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Done(_))).count();
        context.terminal.note(format!(
            "\nstopped: {done} of {} finished, nothing half-done was left behind",
            files.len()
        ));
        return Exit::Interrupted;
    }
    if failures.is_empty() { Exit::Success } else { Exit::SomeFailed }
}

/// Why a file failed; the file's own name is not said twice.
fn reason(file: &Path, error: &Error) -> String {
    match error.subject() {
        Some(subject) if subject != file.display().to_string() => error.to_string(),
        _ => error.message().to_owned(),
    }
}

/// A failure as one line for machines.
pub(super) fn failure_json(file: &Path, error: &Error) -> String {
    json!({
        "input": file.display().to_string(),
        "error": { "kind": error.kind().name(), "message": reason(file, error) },
    })
    .to_string()
}
