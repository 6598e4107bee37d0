//! A line to a PostgreSQL server that can be held: nothing comes through, and nobody is told.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Failure;

/// The name of a server's socket in its folder.
pub(crate) const SOCKET: &str = ".s.PGSQL.5432";

pub(crate) struct Partition {
    folder: tempfile::TempDir,
    is_held: Arc<AtomicBool>,
}

impl Partition {
    /// A line to the server whose socket is in this folder.
    pub(crate) fn before(server: &Path) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join(SOCKET))?;
        let is_held = Arc::new(AtomicBool::new(false));
        let (target, held): (PathBuf, _) = (server.join(SOCKET), Arc::clone(&is_held));
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(server) = UnixStream::connect(&target) else { continue };
                let (Ok(to_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                for (from, to) in [(client, to_server), (server, to_client)] {
                    let held = Arc::clone(&held);
                    thread::spawn(move || pump(from, to, &held));
                }
            }
        });
        Ok(Self { folder, is_held })
    }

    /// Where a database of this name is at this end of the line.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://sfa@localhost/{database}?host={}", self.folder.path().display())
    }

    pub(crate) fn hold(&self, held: bool) {
        self.is_held.store(held, Ordering::Relaxed);
    }
}

fn pump(mut from: UnixStream, mut to: UnixStream, held: &AtomicBool) {
    let mut bytes = [0; 1 << 14];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while held.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}
