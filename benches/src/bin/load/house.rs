//! A real `sfa serve` with a filled library, and people who are signed in.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sfa_core::Studio;
use sfa_core::library::{
    Actor, AnalysisSummary, Blob, Change, Library, LibraryConfig, NewSession, NewTrack, NewUser, Passwords,
    Role, Scope, Secret, SessionId, TrackId, UserId,
};

use crate::Failure;

/// Songs of everybody.
const TRACKS: usize = 20;
/// Songs of the one whose lists are asked for.
const MANY_TRACKS: usize = 2000;
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const EMAIL: &str = "user0@example.org";

/// Where a library is.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) database_url: Option<String>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) scope: Scope,
    pub(crate) cookie: String,
    pub(crate) track: TrackId,
}

impl Place {
    pub(crate) async fn open(&self) -> Result<Library, Failure> {
        let mut config = LibraryConfig::in_folder(&self.folder);
        config.database_url.clone_from(&self.database_url);
        Ok(Studio::new().open(config).await?)
    }

    /// Makes the library: people with songs, and a file of so many bytes of the first of them.
    pub(crate) async fn fill(
        &self,
        people: usize,
        file_bytes: usize,
    ) -> Result<(Vec<Person>, String), Failure> {
        let library = self.open().await?;
        let staged = library.files().stage_bytes(&vec![7; file_bytes]).await?;
        library.rows().reserve_blob(staged.blob()).await?;
        let file = library.files().publish(staged).await?;
        let hash = Passwords::new(1).hash(PASSWORD).await?;
        let mut found = Vec::new();
        for number in 0..people {
            let id = UserId::random();
            let user = NewUser {
                id,
                name: format!("User {number}"),
                email: Some(format!("user{number}@example.org")),
                role: Role::Pro,
                password_hash: Some(hash.clone()),
            };
            library.rows().add_user(&Actor::at_the_machine(id), &user).await?;
            let mut changes = Vec::new();
            let mut track = TrackId::random();
            let (count, blob) = if number == 0 { (MANY_TRACKS, Some(&file)) } else { (TRACKS, None) };
            for place in 0..count {
                track = TrackId::random();
                changes.extend(song(track, number, place, blob.filter(|_| place == 0)));
            }
            library.apply(Scope::of(id), changes).await?;
            let secret = Secret::random();
            let session = NewSession {
                id: SessionId::random(),
                user: id,
                secret: secret.hash(),
                lifetime: Duration::from_secs(24 * 3600),
                address: "127.0.0.1".to_owned(),
                agent: "load".to_owned(),
            };
            library.rows().open_session(&session).await?;
            let cookie = format!("cookie: sfa={}", secret.reveal());
            found.push(Person { scope: Scope::of(id), cookie, track });
        }
        Ok((found, file.hash))
    }
}

/// A song as it looks when it was worked on.
fn song(id: TrackId, person: usize, place: usize, blob: Option<&Blob>) -> [Change; 3] {
    let made_up = || Blob { hash: format!("{person:032x}{place:032x}"), size_bytes: 9_000_000 };
    let track = NewTrack {
        id,
        title: format!("Song number {place} (Extended Mix)"),
        artist: Some(format!("Artist {}", place % 50)),
        album: Some(format!("Album {}", place % 200)),
        file_name: format!("{place} - song (extended mix).mp3"),
        blob: blob.cloned().unwrap_or_else(made_up),
    };
    let summary = AnalysisSummary {
        bpm: Some(100.0 + place as f64 / 16.0),
        key: Some("A minor".to_owned()),
        camelot: Some("8A".to_owned()),
        energy: Some(1 + place as i64 % 10),
        lufs: Some(-9.5),
    };
    [
        Change::AddTrack(track),
        Change::SetDuration(id, 240_000 + place as i64),
        Change::ReplaceAnalysis { track: id, summary, document: "{}".to_owned() },
    ]
}

/// A server. It is killed with this value.
pub(crate) struct House {
    process: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it said that it listens.
    pub(crate) start_time: Duration,
}

impl House {
    pub(crate) fn serve(program: &Path, place: &Place) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-worker", "--log", "warn", "--data"]);
        command.arg(&place.folder).args(["--rates", "1000000000,1000000000,1000000000"]);
        command.env_remove("SFA_DATABASE_URL");
        if let Some(url) = &place.database_url {
            command.env("SFA_DATABASE_URL", url);
        }
        Self::start(command)
    }

    /// Runs a program that says where it listens.
    pub(crate) fn start(mut command: Command) -> Result<Self, Failure> {
        let started = Instant::now();
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let printed = process.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(printed).lines();
        let address = loop {
            let line = lines.next().ok_or("the server ended before it listened")??;
            if let Some(address) = line.split("listening on http://").nth(1) {
                break address.trim().parse()?;
            }
        };
        let start_time = started.elapsed();
        // Whatever it still says is read, so that it never waits.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, address, start_time })
    }

    /// Processor time that it has taken.
    pub(crate) fn busy(&self) -> Result<Duration, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: u64 =
            fields.get(11).ok_or("stat")?.parse::<u64>()? + fields.get(12).ok_or("stat")?.parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Memory that it holds, in KiB.
    pub(crate) fn memory_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
