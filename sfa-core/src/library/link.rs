//! Links to contents that need no sign-in: signed, for one user, for a while.
//!
//! A link carries what it allows and a keyed BLAKE3 hash of that. Whoever changes a letter of it has a link that is
//! none. Links work alike whatever store the library uses, and end at once when their key is taken away.

use std::fmt;
use std::path::Path;

use super::secret::{self, Secret};
use super::{LibraryError, LibraryErrorKind, LibraryResult, UserId};
use crate::hex::hex;

const SECRET_FILE: &str = "secret";
const CONTEXT: &str = "sound-forge-alchemy 2026 links to contents";

/// The keys that links are signed with: the first signs, all are believed.
#[derive(Clone)]
pub struct LinkKeys(Vec<LinkKey>);

#[derive(Clone)]
struct LinkKey {
    /// Says which key signed, without saying the key.
    id: String,
    key: [u8; 32],
}

/// What a link allows: reading one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The content.
    pub hash: String,
    /// On whose behalf.
    pub user: UserId,
    /// Until when, in milliseconds since 1970.
    pub expires_at_ms: i64,
    /// The name of the file that a browser saves; empty to show it instead.
    pub file_name: String,
}

impl LinkKeys {
    /// From secrets: the one in use first, then those before it whose links still count.
    ///
    /// # Errors
    /// `Invalid` for none.
    pub fn new(secrets: &[Secret]) -> LibraryResult<Self> {
        if secrets.is_empty() {
            return Err(LibraryError::new(
                LibraryErrorKind::Invalid,
                "links need a secret to be signed with",
            ));
        }
        let key = |secret: &Secret| {
            let key = blake3::derive_key(CONTEXT, secret.expose());
            LinkKey { id: blake3::hash(&key).to_hex()[..8].to_owned(), key }
        };
        Ok(Self(secrets.iter().map(key).collect()))
    }

    /// From `secrets`; or where there is none from the file `secret` in `folder`, which is made, readable by its owner
    /// alone, where there is none.
    ///
    /// # Errors
    /// `Invalid` for a file that holds none, `Storage` when it cannot be read or made.
    pub fn of_library(folder: &Path, secrets: &[Secret]) -> LibraryResult<Self> {
        if secrets.is_empty() {
            Self::new(&secret::kept_in(&folder.join(SECRET_FILE))?)
        } else {
            Self::new(secrets)
        }
    }

    /// The query of an address that allows `link`.
    pub fn sign(&self, link: &Link) -> String {
        let LinkKey { id, .. } = &self.0[0];
        let signature = self.0[0].signature(link);
        let name = hex(link.file_name.as_bytes());
        format!("u={}&exp={}&name={name}&kid={id}&sig={}", link.user, link.expires_at_ms, signature.to_hex())
    }

    /// What the address of content `hash` with this query allows at `now_ms`.
    ///
    /// # Errors
    /// `NotFound` for what was not signed by one of these keys or is over. It is not said which.
    pub fn read(&self, hash: &str, query: &str, now_ms: i64) -> LibraryResult<Link> {
        let refused = || LibraryError::new(LibraryErrorKind::NotFound, "this link is not valid or is over");
        let field = |name: &str| {
            let mut found = query.split('&').filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            // Twice the same name is how one reader is made to see what another did not check.
            found.next().filter(|_| found.next().is_none()).ok_or_else(refused)
        };
        let link = Link {
            hash: hash.to_owned(),
            user: field("u")?.parse().map_err(|_| refused())?,
            expires_at_ms: field("exp")?.parse().map_err(|_| refused())?,
            file_name: from_hex(field("name")?).ok_or_else(refused)?,
        };
        let id = field("kid")?;
        let key = self.0.iter().find(|key| key.id == id).ok_or_else(refused)?;
        let signature = blake3::Hash::from_hex(field("sig")?).map_err(|_| refused())?;
        // Hashes compare in constant time.
        if key.signature(&link) != signature || now_ms >= link.expires_at_ms {
            return Err(refused());
        }
        Ok(link)
    }
}

impl LinkKey {
    fn signature(&self, link: &Link) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let fields = [&link.hash, &link.user.to_string(), &link.expires_at_ms.to_string(), &link.file_name];
        for field in fields {
            // With its length in front, no field can lend bytes to the next.
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field.as_bytes());
        }
        hasher.finalize()
    }
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

fn from_hex(text: &str) -> Option<String> {
    String::from_utf8(secret::bytes_of_hex(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0000000000000000000000000000000000000000000000000000000000000001";

    fn keys() -> LinkKeys {
        LinkKeys::new(&[Secret::random()]).unwrap()
    }

    fn link() -> Link {
        Link {
            hash: HASH.to_owned(),
            user: UserId::random(),
            expires_at_ms: 1000,
            file_name: "Änderung & Co=1.mp3".to_owned(),
        }
    }

    #[test]
    fn a_link_is_read_as_it_was_signed_until_it_is_over() {
        let (keys, link) = (keys(), link());
        let query = keys.sign(&link);
        assert_eq!(keys.read(HASH, &query, 999).unwrap(), link);
        assert_eq!(keys.read(HASH, &query, 1000).unwrap_err().kind(), LibraryErrorKind::NotFound);
    }

    #[test]
    fn no_letter_of_a_link_can_be_changed() {
        let (keys, link) = (keys(), link());
        let query = keys.sign(&link);
        for at in 0..query.len() {
            for letter in ["0", "1", "f", "&", "=", ""] {
                let changed = format!("{}{letter}{}", &query[..at], &query[at + 1..]);
                if changed != query {
                    assert!(keys.read(HASH, &changed, 0).is_err(), "{changed}");
                }
            }
        }
        let other = HASH.replace('1', "2");
        assert!(keys.read(&other, &query, 0).is_err(), "a link is for one content");
        assert!(keys.read(HASH, &format!("{query}&u={}", UserId::random()), 0).is_err(), "no field twice");
        assert!(keys.read(HASH, "", 0).is_err() && keys.read(HASH, "u=%ff&exp=é", 0).is_err());
    }

    #[test]
    fn old_keys_are_believed_until_they_are_taken_away() {
        let (old, new) = (Secret::random(), Secret::random());
        let query = LinkKeys::new(std::slice::from_ref(&old)).unwrap().sign(&link());
        assert!(LinkKeys::new(&[new.clone(), old]).unwrap().read(HASH, &query, 0).is_ok());
        assert!(LinkKeys::new(&[new]).unwrap().read(HASH, &query, 0).is_err());
        assert!(LinkKeys::new(&[]).is_err());
    }

    #[test]
    fn the_secret_of_a_folder_is_made_once_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let query = LinkKeys::of_library(folder.path(), &[]).unwrap().sign(&link());
        assert!(LinkKeys::of_library(folder.path(), &[]).unwrap().read(HASH, &query, 0).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder.path().join(SECRET_FILE).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        std::fs::write(folder.path().join(SECRET_FILE), "short").unwrap();
        let error = LinkKeys::of_library(folder.path(), &[]).unwrap_err();
        assert_eq!(error.kind(), LibraryErrorKind::Invalid);
    }
}
