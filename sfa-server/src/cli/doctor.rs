//! `sfa doctor`: what is well and what is not, and how to mend it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use console::Style;
use serde::Serialize;
use sfa_core::Studio;
use sfa_core::audio::separate::python::PythonOptions;
use sfa_core::library::{Library, LibraryConfig, LibraryResult};

use super::library::Place;
use super::{Context, Exit, open_files};

/// Less free disk than this will soon be none.
const LITTLE_BYTES: u64 = 5 << 30;
/// Clocks of a database and its nodes that are further apart make links and sessions end at odd times.
const CLOCKS_APART_MS: i64 = 2000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// Where `sfa serve` is to listen
    #[arg(long, env = "SFA_LISTEN", default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Print one line of JSON per finding on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    /// It works, but not all of it, or not for long.
    Warn,
    Fail,
}

/// What was looked at, what was found, and what to do about it.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    verdict: Verdict,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, message: message.into(), mend: None }
    }

    fn warn(name: &'static str, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, message: message.into(), mend: Some(mend.into()) }
    }

    fn fail(name: &'static str, message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, message: message.into(), mend: Some(mend.into()) }
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    arguments.place.run(context, async || {
        let config = arguments.place.config()?;
        let mut findings = vec![program(), folder(&config.folder)];
        // A doctor makes nothing that was not there.
        if config.is_there() {
            findings.extend(library(config).await);
        } else {
            let message = format!("there is none in {} yet", config.folder.display());
            findings.push(Finding::ok("library", message + "; the first command that needs one makes it"));
        }
        findings.extend([
            models(context),
            tool(
                "ffmpeg",
                Path::new("ffmpeg"),
                "-version",
                "reads what is read otherwise, and writes MP3 and AAC",
            ),
            python(),
            port(arguments.listen),
            connections(open_files::most()),
        ]);
        findings.iter().for_each(|finding| show(context, finding, arguments.json));
        let is_well = findings.iter().all(|finding| finding.verdict != Verdict::Fail);
        Ok(if is_well { Exit::Success } else { Exit::SomeFailed })
    })
}

fn show(context: &Context, finding: &Finding, as_json: bool) {
    if as_json {
        context.terminal.print(serde_json::to_string(finding).expect("a finding is plain data"));
        return;
    }
    let (word, style) = match finding.verdict {
        Verdict::Ok => ("ok", Style::new().green()),
        Verdict::Warn => ("warn", Style::new().yellow()),
        Verdict::Fail => ("FAIL", Style::new().red().bold()),
    };
    // Padded first: colours have no width.
    let word = style.apply_to(format!("{word:<5}"));
    context.terminal.print(format!("{word} {:<9} {}", finding.name, finding.message));
    if let Some(mend) = &finding.mend {
        context.terminal.print(format!("{:<15} {mend}", ""));
    }
}

fn program() -> Finding {
    let system = sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let message = format!(
        "sfa {} on {system}, {}, {threads} processors",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    );
    Finding::ok("program", message)
}

fn folder(folder: &Path) -> Finding {
    // Before it is made, what it will be made in counts.
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let name = folder.display();
    if let Err(error) = tempfile::tempfile_in(there) {
        let mend = "give it to the user that runs this, or name another with --data";
        return Finding::fail("folder", format!("{name} cannot be written: {error}"), mend);
    }
    match fs4::available_space(there) {
        Ok(free) if free < LITTLE_BYTES => {
            let message = format!("{name} can be written, but only {} MB are free", free >> 20);
            Finding::warn("folder", message, "make room: nothing is taken in when the disk is full")
        }
        Ok(free) => Finding::ok("folder", format!("{name} can be written, {} GB are free", free >> 30)),
        Err(error) => Finding::warn("folder", format!("{name}: {error}"), "look how much disk is free"),
    }
}

/// Opens the library, as every command does.
async fn library(config: LibraryConfig) -> Vec<Finding> {
    let where_rows = if config.database_url.is_some() { "PostgreSQL" } else { "SQLite" };
    let where_files = if config.storage_url.is_some() { "an object store" } else { "the folder" };
    let library = match Studio::new().open(config).await {
        Ok(library) => library,
        Err(error) => {
            let mend =
                "see that database and store are reachable and that this program is not older than they are";
            return vec![Finding::fail("library", error.to_string(), mend)];
        }
    };
    let answer = |name, found: LibraryResult<()>, message: String, mend: &str| match found {
        Ok(()) => Finding::ok(name, message),
        Err(error) => Finding::fail(name, error.to_string(), mend),
    };
    vec![
        answer(
            "database",
            library.reach().await,
            format!("rows are in {where_rows}, and its tables are those of this version"),
            "see that the database is up and lets this user in",
        ),
        answer(
            "storage",
            library.files().probe().await,
            format!("files are in {where_files}, which keeps what it is given"),
            "use a store that creates a name only where it is free, and a key that may read, write and delete",
        ),
        clock(&library).await,
    ]
}

async fn clock(library: &Library) -> Finding {
    let here = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    match library.rows().clock_ms().await {
        Ok(there) => {
            let apart_ms = (i64::try_from(here).unwrap_or(i64::MAX) - there).abs();
            let message = format!("this machine and the database are {apart_ms} ms apart");
            if apart_ms <= CLOCKS_APART_MS {
                Finding::ok("clock", message)
            } else {
                Finding::warn("clock", message, "have both set their clocks by the network (NTP)")
            }
        }
        Err(error) => Finding::fail("clock", error.to_string(), "see that the database is up"),
    }
}

fn models(context: &Context) -> Finding {
    let store = match context.studio.models() {
        Ok(store) => store,
        Err(error) => return Finding::fail("models", error.to_string(), "set SFA_MODELS_DIR"),
    };
    let ready: Vec<&str> = store.status().iter().filter(|bag| bag.ready).map(|bag| bag.name).collect();
    if ready.is_empty() {
        let message = format!("none in {}: songs are separated in preview quality", store.folder().display());
        return Finding::warn("models", message, "sfa models pull htdemucs");
    }
    Finding::ok("models", format!("{} in {}", ready.join(", "), store.folder().display()))
}

/// A program of somebody else's, which is of use where it is.
fn tool(name: &'static str, program: &Path, asked: &str, use_of_it: &str) -> Finding {
    match first_line(program, &[asked]) {
        Some(line) => Finding::ok(name, line),
        None => Finding::warn(
            name,
            format!("{} is not there", program.display()),
            format!("install it if you need it: it {use_of_it}"),
        ),
    }
}

fn python() -> Finding {
    let programs = PythonOptions::default().interpreters();
    let look = "import importlib.util as u, platform as p; \
                print('Python', p.python_version(), 'with demucs' if u.find_spec('demucs') else 'without demucs')";
    let found = programs.iter().find_map(|program| first_line(program, &["-c", look]));
    let missing = || format!("{} is not there", programs[0].display());
    Finding::ok("python", found.unwrap_or_else(missing) + "; only --engine python needs it")
}

fn first_line(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().filter(|_| output.status.success()).map(|line| line.trim().to_owned())
}

fn port(listen: SocketAddr) -> Finding {
    match TcpListener::bind(listen) {
        Ok(_) => Finding::ok("port", format!("{listen} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::warn(
            "port",
            format!("something listens on {listen} already"),
            "if that is not this server, name another address with --listen",
        ),
        Err(error) => {
            Finding::fail("port", format!("{listen}: {error}"), "name another address with --listen")
        }
    }
}

fn connections(most: Option<u64>) -> Finding {
    let limit = most.map_or_else(|| "any number of".to_owned(), |most| most.to_string());
    let message = format!("{limit} files and connections may be open at once");
    if most.is_none_or(|most| most >= open_files::ENOUGH) {
        return Finding::ok("limits", message);
    }
    let mend = format!(
        "a server that many follow wants {} of them: LimitNOFILE= of systemd, nofile of a container, ulimit -Hn of a shell",
        open_files::ENOUGH
    );
    Finding::warn("limits", message, mend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_leaves_no_room_for_all_connections_is_told() {
        assert_eq!(connections(None).verdict, Verdict::Ok);
        assert_eq!(connections(Some(open_files::ENOUGH)).verdict, Verdict::Ok);
        let little = connections(Some(4096));
        assert_eq!(little.verdict, Verdict::Warn);
        assert!(little.message.starts_with("4096 ") && little.mend.unwrap().contains("LimitNOFILE"));
    }
}
