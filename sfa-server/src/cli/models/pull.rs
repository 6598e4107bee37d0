//! `sfa models pull`: the question, the bar, and what is said on the way.

use std::io::{BufRead, IsTerminal};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::json;
use sfa_core::Error;
use sfa_core::audio::separate::demucs::bags::Bag;
use sfa_core::models::{BagStatus, LICENCE_STATEMENT, ModelStore, PullEvent, PullOptions};

use super::{Context, Exit, bags, failed, megabytes};

pub(super) fn run(
    context: &Context,
    store: &ModelStore,
    names: &[String],
    yes: bool,
    options: &PullOptions,
    json: bool,
) -> Result<Exit, Exit> {
    let bags = bags(context, store, names)?;
    if !options.offline && bags.iter().any(|bag| store.needs_pull(bag)) && !store.licence_accepted() {
        ask(context, yes)?;
        store.accept_licence().map_err(|error| failed(context, &error))?;
    }
    let mut exit = Exit::Success;
    for bag in bags {
        match pull(context, store, bag, options) {
            Ok(status) if json => context.terminal.print(json!(status).to_string()),
            Ok(status) => {
                status.files().for_each(|file| context.terminal.print(file.path.display().to_string()))
            }
            Err(error) if error.is_cancelled() => {
                context
                    .terminal
                    .note("stopped: the next pull goes on from here, `sfa models rm` removes what is here");
                return Err(Exit::Interrupted);
            }
            Err(error) => {
                if json {
                    context.terminal.print(failure(bag, &error));
                }
                // The other models may still come.
                exit = failed(context, &error);
            }
        }
    }
    Ok(exit)
}

fn pull(
    context: &Context,
    store: &ModelStore,
    bag: &'static Bag,
    options: &PullOptions,
) -> Result<BagStatus, Error> {
    let terminal = &context.terminal;
    let bar = terminal.transfer_bar(bag.name);
    let watch = context.watch.forward_to(move |progress| bar.show(progress));
    store.pull(bag, options, &watch, &mut |event| match event {
        PullEvent::AlreadyThere(file) => terminal.note(format!("already there: {}", file.path.display())),
        PullEvent::Fetching { url, resumed_bytes: 0 } => terminal.note(format!("fetching {url}")),
        PullEvent::Fetching { url, resumed_bytes } => {
            terminal.note(format!("going on with {url} after {}", megabytes(resumed_bytes)));
        }
        PullEvent::StartedOver { url } => {
            terminal.note(format!("{url} has changed or cannot be gone on with: from the start again"));
        }
        PullEvent::Interrupted { error } => terminal.note(format!("{}: trying again", error.message())),
        PullEvent::SourceFailed { url, error, next } => {
            let then = next.map(|next| format!("; trying {next}")).unwrap_or_default();
            terminal.note(format!("{url}: {}{then}", error.message()));
        }
        PullEvent::Fetched(file) => {
            let checked = super::verdict(file).trim_end();
            terminal.note(format!("fetched, {checked}, {}", megabytes(file.bytes)));
        }
        _ => {}
    })
}

/// Shows what is known of the licence, and goes on only with a yes.
fn ask(context: &Context, yes: bool) -> Result<(), Exit> {
    context.terminal.note(format!("{LICENCE_STATEMENT}\n"));
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        context.terminal.fail("there is nobody to ask without a terminal: --yes accepts the statement above");
        return Err(Exit::Usage);
    }
    context.terminal.note("Fetch them all the same? [y/N]");
    match answer(context) {
        Some(answer) if is_yes(&answer) => Ok(()),
        Some(_) => {
            context.terminal.note("not accepted: nothing was fetched");
            Err(Exit::SomeFailed)
        }
        None => Err(Exit::Interrupted),
    }
}

/// A line from the terminal; `None` when stopped before it came.
fn answer(context: &Context) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    // Reading a line cannot be interrupted: a thread waits for it, and ends with the program if none comes.
    std::thread::spawn(move || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok();
        sender.send(line).ok();
    });
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => return Some(line),
            Err(RecvTimeoutError::Disconnected) => return Some(String::new()),
            Err(RecvTimeoutError::Timeout) if context.watch.is_stopped() => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

fn failure(bag: &Bag, error: &Error) -> String {
    let error = json!({ "kind": error.kind().name(), "message": error.to_string() });
    json!({ "name": bag.name, "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(["y\n", "Y", " yes\r\n", "YES"].into_iter().all(is_yes));
        assert!(["", "\n", "n", "no", "yep", "why"].into_iter().all(|answer| !is_yes(answer)));
    }
}
