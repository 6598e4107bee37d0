//! What `sfa serve` bears: a real server on a filled library, and clients that cost next to nothing.
//!
//! ```text
//! cargo build --release --workspace --bin sfa --bin load
//! target/release/load target/release/sfa [WORDS]
//! ```
//!
//! On SQLite, and on PostgreSQL where that is installed. WORDS choose measurements: full, bare, offered, sockets, streams,
//! logins, start. Prints one line of JSON for each. Everything runs on the same machine; nothing else should.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command-line tool")]

mod bare;
mod house;
mod lists;
mod others;
#[allow(dead_code, reason = "the library's tests use the rest")]
#[path = "../../../../sfa-core/tests/library/postgres.rs"]
mod postgres;
mod wire;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use sfa_core::library::Scope;

use house::{House, Person, Place};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Songs of a list.
const PAGE: i64 = 20;
const FILE_BYTES: usize = 10_000_000;

/// How long things took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn summary(&self) -> Value {
        let mut sorted: Vec<f64> = self.0.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
            sorted.get(place).map(|time| (time * 100.0).round() / 100.0)
        };
        json!({"count": sorted.len(), "p50_ms": at(0.5), "p99_ms": at(0.99), "most_ms": at(1.0)})
    }
}

/// What is measured of one library.
struct Desk<'a> {
    program: &'a Path,
    words: &'a [String],
    place: Place,
    people: Vec<Person>,
    file: String,
}

impl Desk<'_> {
    fn wants(&self, word: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|wanted| wanted == word)
    }

    fn say(&self, word: &str, found: Value) {
        println!("{}", json!({"database": self.place.name, "measured": word, "found": found}));
    }

    fn serve(&self) -> Result<House, Failure> {
        House::serve(self.program, &self.place)
    }

    async fn measure(&self) -> Result<(), Failure> {
        let first = &self.people[0];
        if self.wants("start") {
            self.say("start", others::start(self.program, &self.place)?);
        }
        if self.wants("full") {
            self.say("full", lists::full_load(&self.serve()?, &first.cookie).await?);
        }
        if self.wants("bare") {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("bare").arg(&self.place.folder).arg(first.scope.user.to_string());
            command.args(&self.place.database_url);
            self.say("bare", lists::full_load(&House::start(command)?, &first.cookie).await?);
        }
        if self.wants("offered") {
            self.say("offered", lists::offered(&self.serve()?, &first.cookie).await?);
        }
        if self.wants("streams") {
            self.say("streams", others::streams(&self.serve()?, first, &self.file).await?);
        }
        if self.wants("logins") {
            self.say("logins", others::logins(&self.serve()?, first).await?);
        }
        if self.wants("sockets") {
            self.say("sockets", others::sockets(&self.serve()?, &self.people).await?);
        }
        Ok(())
    }
}

async fn run(program: &Path, words: &[String]) -> Result<(), Failure> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let folder = tempfile::tempdir()?;
    let server = postgres::Server::start();
    let mut places = vec![Place { name: "SQLite", folder: folder.path().join("sqlite"), database_url: None }];
    match &server {
        Some(server) => {
            server.create("load");
            let database_url = Some(server.url("load"));
            places.push(Place { name: "PostgreSQL", folder: folder.path().join("postgres"), database_url });
        }
        None => eprintln!("PostgreSQL is not installed: it is left out"),
    }
    for place in places {
        let (people, file) = place.fill(others::PEOPLE, FILE_BYTES).await?;
        Desk { program, words, place, people, file }.measure().await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [word, folder, user, url @ ..] if word == "bare" => match user.parse() {
            Ok(user) => {
                let place = Place { name: "bare", folder: folder.into(), database_url: url.first().cloned() };
                bare::serve(&place, Scope::of(user)).await
            }
            Err(error) => Err(Failure::from(error)),
        },
        [program, words @ ..] => run(Path::new(program), words).await,
        [] => Err("say which program: load target/release/sfa".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}
