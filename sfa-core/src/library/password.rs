//! Passwords, and the slow hashes that are kept of them.
//!
//! A hash takes 19 MiB and some tens of milliseconds, on purpose. It is computed away from the threads that answer
//! requests, and only so many at once: who tries passwords in masses waits, and nobody else does.

use std::sync::Arc;

use argon2::password_hash::PasswordHasher as _;
use argon2::{Argon2, PasswordHash, PasswordVerifier as _};
use tokio::sync::Semaphore;

use super::{LibraryError, LibraryErrorKind, LibraryResult};

const SHORTEST_CHARS: usize = 12;
const LONGEST_BYTES: usize = 256;

/// Compared with where there is no hash, so that an unknown address takes as long as a wrong password. It was made of
/// no password.
const STAND_IN: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBub2JvZHkgYXQgYWxs\
                        $bm9ib2R5IGtub3dzIGEgcGFzc3dvcmQgZm9yIHRoaXM";

/// Makes slow hashes of passwords and compares passwords with them. Clones share the limit of hashes at once.
#[derive(Debug, Clone)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
}

impl Passwords {
    /// At most `at_once` hashes are computed at any moment.
    pub fn new(at_once: usize) -> Self {
        Self { at_once: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// The hash to keep, by Argon2id, with its salt.
    ///
    /// # Errors
    /// `Invalid` for less than 12 characters or more than 256 bytes.
    pub async fn hash(&self, password: &str) -> LibraryResult<String> {
        if password.chars().count() < SHORTEST_CHARS || password.len() > LONGEST_BYTES {
            let message = format!(
                "a password has at least {SHORTEST_CHARS} characters and at most {LONGEST_BYTES} bytes"
            );
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        let password = password.to_owned();
        let hash = self.slowly(move || {
            Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        hash.await?.map_err(|error| internal("a password could not be hashed", error))
    }

    /// Whether `hash` was made of this password. Takes as long, and says no, where there is none.
    ///
    /// # Errors
    /// `Internal` for what is no hash.
    pub async fn matches(&self, password: &str, hash: Option<&str>) -> LibraryResult<bool> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or(STAND_IN).to_owned();
        // Longer than any password is no password, and is not worth the work.
        let password = if password.len() > LONGEST_BYTES { String::new() } else { password.to_owned() };
        let matches = self.slowly(move || {
            let hash = PasswordHash::new(&hash)?;
            match Argon2::default().verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        });
        let matches = matches.await?.map_err(|error: argon2::password_hash::Error| {
            internal("what is kept of a password cannot be read", error)
        })?;
        Ok(matches && is_known)
    }

    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> LibraryResult<T> {
        // Held by the work itself: who does not wait for it any more makes no room for more of it.
        let permit = Arc::clone(&self.at_once).acquire_owned().await;
        let working = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        working.await.map_err(|error| internal("a password could not be worked on", error))
    }
}

fn internal(message: &str, error: impl std::error::Error + Send + Sync + 'static) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Internal, message).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery";

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let passwords = Passwords::new(2);
        let hash = passwords.hash(PASSWORD).await.unwrap();
        assert!(passwords.matches(PASSWORD, Some(&hash)).await.unwrap());
        for wrong in ["correct horse batterz", "", &"x".repeat(100_000)] {
            assert!(!passwords.matches(wrong, Some(&hash)).await.unwrap(), "{wrong:.20}");
        }
        assert_ne!(hash, passwords.hash(PASSWORD).await.unwrap(), "each has its own salt");
    }

    #[tokio::test]
    async fn nobody_s_hash_costs_the_same_work_and_matches_nothing() {
        let passwords = Passwords::new(2);
        assert!(!passwords.matches(PASSWORD, None).await.unwrap());
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&passwords.hash(PASSWORD).await.unwrap()), cost(STAND_IN));
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused() {
        let passwords = Passwords::new(1);
        for wrong in ["", "elevenchars", &"x".repeat(257)] {
            let error = passwords.hash(wrong).await.unwrap_err();
            assert_eq!(error.kind(), LibraryErrorKind::Invalid);
        }
        assert!(passwords.hash("äöüäöüäöüäöü").await.is_ok(), "characters count, not bytes");
        let error = passwords.matches(PASSWORD, Some("no hash")).await.unwrap_err();
        assert_eq!(error.kind(), LibraryErrorKind::Internal);
    }
}
