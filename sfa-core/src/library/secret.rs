//! Random secrets, and the hashes that are kept of them.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::str::FromStr;

use tempfile::NamedTempFile;

use super::{LibraryError, LibraryErrorKind, LibraryResult};
use crate::hex::hex;

const PREFIX: &str = "sfa_";

/// 32 random bytes that prove who somebody is: a session, a link by mail, a token of a program.
///
/// The text starts with `sfa_`, so that scanners find leaked ones. It shows in no debug output, and the library keeps
/// its [`SecretHash`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

/// What is kept of a [`Secret`]: enough to recognise it, not to make it.
///
/// A plain BLAKE3 hash, since a secret is random: guessing one of 2^256 is not made slower by a slow hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretHash(String);

impl Secret {
    /// A new one, from the system's source of randomness.
    ///
    /// # Panics
    /// Where the system has none.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("this system has a source of randomness");
        Self(bytes)
    }

    /// The text to be handed out, once.
    pub fn reveal(&self) -> String {
        PREFIX.to_owned() + &hex(&self.0)
    }

    /// What to keep.
    pub fn hash(&self) -> SecretHash {
        SecretHash(blake3::hash(&self.0).to_hex().to_string())
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = LibraryError;

    fn from_str(text: &str) -> Result<Self, LibraryError> {
        text.strip_prefix(PREFIX)
            .and_then(|digits| blake3::Hash::from_hex(digits).ok())
            .map(|bytes| Self(*bytes.as_bytes()))
            .ok_or_else(|| {
                let message = "a secret is \"sfa_\" and 64 hexadecimal digits";
                LibraryError::new(LibraryErrorKind::Invalid, message)
            })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl SecretHash {
    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The secrets in a file, one in each line; the file is made, readable by its owner alone and with one secret in it, where
/// there is none.
pub(super) fn kept_in(path: &Path) -> LibraryResult<Vec<Secret>> {
    let failed = |error| LibraryError::storage(path, error);
    if !path.exists() {
        match written(path, &[Secret::random()])?.persist_noclobber(path) {
            Ok(_) => {}
            // Another process was first.
            Err(error) if path.exists() => drop(error),
            Err(error) => return Err(failed(error.error)),
        }
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    text.trim().lines().map(|line| line.trim().parse()).collect()
}

/// Puts a new secret before those in a file.
pub(super) fn add_to(path: &Path) -> LibraryResult<()> {
    let mut secrets = kept_in(path)?;
    secrets.insert(0, Secret::random());
    let file = written(path, &secrets)?;
    file.as_file().sync_all().map_err(|error| LibraryError::storage(path, error))?;
    file.persist(path).map_err(|error| LibraryError::storage(path, error.error))?;
    Ok(())
}

/// A temporary file beside `path`, which its owner alone can read.
fn written(path: &Path, secrets: &[Secret]) -> LibraryResult<NamedTempFile> {
    let failed = |error| LibraryError::storage(path, error);
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    for secret in secrets {
        writeln!(file, "{}", secret.reveal()).map_err(failed)?;
    }
    Ok(file)
}

pub(super) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks_exact(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_as_it_was_revealed_and_hides_otherwise() {
        let secret = Secret::random();
        let text = secret.reveal();
        assert_eq!(text.len(), 68);
        assert_eq!(text.parse::<Secret>().unwrap(), secret);
        assert_ne!(secret, Secret::random());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert!(!text.contains(secret.hash().as_str()));
        for wrong in ["", "sfa_", &text[1..], &text[..67], &format!("{text}0"), &text.replace("sfa_", "sfb_")]
        {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong}");
        }
    }
}
