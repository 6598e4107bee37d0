//! Keeps songs that are processed side by side out of each other's folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The folders that are being written to, each with the content hash of its song.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    taken: Mutex<HashMap<PathBuf, String>>,
    freed: Condvar,
}

/// A folder that nobody else writes to while this lives.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    claims: &'a Claims,
    folder: PathBuf,
}

impl Claims {
    /// Claims the first of `folders` that is free and that `fits`; waits while the same song is being made in
    /// a folder that would fit, since it will be finished there.
    ///
    /// `folders` must have no end.
    pub(crate) fn first_free(
        &self,
        folders: impl Iterator<Item = PathBuf> + Clone,
        blake3: &str,
        fits: impl Fn(&Path) -> bool,
    ) -> Claim<'_> {
        let mut taken = self.lock();
        loop {
            let mut same_song = false;
            let found = folders.clone().find(|folder| match taken.get(folder) {
                Some(other) => {
                    same_song = other == blake3;
                    same_song
                }
                None => fits(folder),
            });
            let folder = found.expect("there is always one more folder");
            if !same_song {
                taken.insert(folder.clone(), blake3.to_owned());
                return Claim { claims: self, folder };
            }
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, String>> {
        // A thread that panicked while it held the lock cannot have left the map half-changed.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim<'_> {
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.folder);
        self.claims.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn numbered() -> impl Iterator<Item = PathBuf> + Clone {
        (1..).map(|number| PathBuf::from(number.to_string()))
    }

    #[test]
    fn two_songs_of_one_name_get_two_folders() {
        let claims = Claims::default();
        let one = claims.first_free(numbered(), "a", |_| true);
        let two = claims.first_free(numbered(), "b", |_| true);
        assert_eq!((one.folder(), two.folder()), (Path::new("1"), Path::new("2")));
        drop(one);
        assert_eq!(claims.first_free(numbered(), "c", |_| true).folder(), Path::new("1"));
    }

    #[test]
    fn the_same_song_waits_for_its_twin() {
        let claims = Claims::default();
        let one = claims.first_free(numbered(), "a", |_| true);
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let claims = &claims;
            scope.spawn(move || {
                let twin = claims.first_free(numbered(), "a", |_| true);
                sender.send(twin.folder().to_owned()).unwrap();
            });
            assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
            drop(one);
            assert_eq!(receiver.recv().unwrap(), Path::new("1"));
        });
    }
}
