//! Random secrets, and the hashes that are kept of them.

use std::fmt;
use std::str::FromStr;

use super::{LibraryError, LibraryErrorKind};

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
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        PREFIX.to_owned() + &digits
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
