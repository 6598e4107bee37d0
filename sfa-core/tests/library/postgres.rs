//! A real PostgreSQL server in a temporary folder, on a socket of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sfa_core::library::{Database, PostgresStore};

/// Ends with this value.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
    process: Child,
}

impl Server {
    /// Starts one, where PostgreSQL is installed.
    pub(crate) fn start() -> Option<Self> {
        let bin = find()?;
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        run(as_user(&bin.join("initdb"))
            .args(["-A", "trust", "-U", "sfa", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data));
        let process = spawn(&bin, folder.path());
        let server = Self { folder, bin, process };
        server.wait_until_it_answers();
        Some(server)
    }

    fn answers(&self) -> bool {
        self.client("pg_isready").arg("-q").status().is_ok_and(|status| status.success())
    }

    /// Where a database of this name is.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://sfa@localhost/{database}?host={}", self.folder.path().display())
    }

    /// The folder of its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Makes an empty database.
    pub(crate) fn create(&self, database: &str) {
        run(self.client("createdb").arg(database));
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, database: &str, statement: &str) {
        run(self.client("psql").args(["-q", "-d", database, "-c", statement]));
    }

    /// Ends it as a power cut would, and starts it again after `pause`.
    pub(crate) fn crash(&mut self, pause: Duration) {
        self.stop();
        std::thread::sleep(pause);
        self.process = spawn(&self.bin, self.folder.path());
        self.wait_until_it_answers();
    }

    fn stop(&mut self) {
        let data = self.folder.path().join("data");
        as_user(&self.bin.join("pg_ctl")).args(["stop", "-m", "immediate", "-D"]).arg(data).output().ok();
        self.process.wait().ok();
    }

    fn wait_until_it_answers(&self) {
        let started = Instant::now();
        while !self.answers() {
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A database on it, with its tables.
    pub(crate) async fn database(&self) -> Arc<dyn Database> {
        self.create("library");
        Arc::new(PostgresStore::open(&self.url("library")).await.unwrap())
    }

    /// Empties it. What every user has goes with the users. (Truncating makes new files and takes seconds.)
    pub(crate) fn clear(&self) {
        let tables = ["users", "blobs", "queues", "workers", "schedules", "topics"];
        let statement = tables.map(|table| format!("delete from {table};")).concat();
        self.execute("library", &statement);
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.args(["-U", "sfa", "-h"]).arg(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(bin: &Path, folder: &Path) -> Child {
    // Nothing here outlives the computer, and waiting for its disk would only take time.
    as_user(&bin.join("postgres"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-k"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The folder of the newest installed server's programs.
fn find() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> =
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    folders.sort();
    folders.into_iter().rev().find(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
