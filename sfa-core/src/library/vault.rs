//! Secrets that have to be read again, such as the keys of other services: AES-256-GCM, by keys that are not in the
//! database.

use std::fmt;
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{
    Actor, Library, LibraryError, LibraryErrorKind, LibraryResult, Scope, SealedSecret, Secret, secret,
};
use crate::hex::hex;

const CONTEXT: &str = "sound-forge-alchemy 2026 vault";
const KEYS_FILE: &str = "vault.keys";
const LONGEST_BYTES: usize = 8 << 10;

/// Where the keys of the vault come from.
#[derive(Clone)]
pub(super) enum VaultKeys {
    /// The one in use first, then those before it.
    Given(Vec<Secret>),
    /// The same, one in each line. It is read each time, so that a rotation is noticed while a server runs.
    File(PathBuf),
}

/// One key.
struct Key {
    id: String,
    key: LessSafeKey,
}

impl VaultKeys {
    /// From `secrets`; where there is none from a file in `folder`, which is made at first.
    pub(super) fn of_library(folder: &Path, secrets: Vec<Secret>) -> Self {
        if secrets.is_empty() { Self::File(folder.join(KEYS_FILE)) } else { Self::Given(secrets) }
    }

    fn keys(&self) -> LibraryResult<Vec<Key>> {
        let secrets = match self {
            Self::Given(secrets) => secrets.clone(),
            Self::File(path) => secret::kept_in(path)?,
        };
        secrets.iter().map(Key::new).collect()
    }

    fn seal(&self, scope: Scope, name: &str, value: &str) -> LibraryResult<(String, String)> {
        let key = self.keys()?.into_iter().next().ok_or_else(|| internal("the vault has no key"))?;
        let sealed = key.seal(scope, name, value)?;
        Ok((key.id, sealed))
    }

    fn open(&self, secret: &SealedSecret) -> LibraryResult<String> {
        let key = self.keys()?.into_iter().find(|key| key.id == secret.key_id).ok_or_else(|| {
            let message = format!(
                "the secret {:?} was sealed by the key {}, which is not among the keys of the vault; give that too",
                secret.name, secret.key_id
            );
            LibraryError::new(LibraryErrorKind::Invalid, message)
        })?;
        key.open(secret)
    }
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKeys")
    }
}

impl Key {
    fn new(secret: &Secret) -> LibraryResult<Self> {
        let bytes = blake3::derive_key(CONTEXT, secret.expose());
        let unbound = UnboundKey::new(&AES_256_GCM, &bytes);
        let unbound = unbound.map_err(|_| internal("a key of the vault cannot be used"))?;
        Ok(Self { id: blake3::hash(&bytes).to_hex()[..8].to_owned(), key: LessSafeKey::new(unbound) })
    }

    fn seal(&self, scope: Scope, name: &str, value: &str) -> LibraryResult<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| internal("this system has no source of randomness"))?;
        let mut bytes = value.as_bytes().to_vec();
        let place = Aad::from(self.place(scope, name));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut bytes)
            .map_err(|_| internal("a secret could not be sealed"))?;
        Ok(hex(&nonce) + &hex(&bytes))
    }

    fn open(&self, secret: &SealedSecret) -> LibraryResult<String> {
        let damaged = || {
            let message = format!("the secret {:?} is damaged; give it again", secret.name);
            LibraryError::new(LibraryErrorKind::Database, message)
        };
        let mut bytes = secret::bytes_of_hex(&secret.sealed).ok_or_else(damaged)?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(damaged)?;
        let place = Aad::from(self.place(secret.scope, &secret.name));
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, place, sealed).map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec()).map_err(|_| damaged())
    }

    /// What a secret is bound to: moved to another row it cannot be opened.
    fn place(&self, scope: Scope, name: &str) -> String {
        format!("{}\n{}\n{name}", self.id, scope.user)
    }
}

impl Library {
    /// Keeps a secret of the user's, instead of one of this name. Names have 1 to 160 characters, secrets up to 8 KiB.
    ///
    /// # Errors
    /// `Invalid` for a name or a secret that is not of this kind.
    pub async fn put_secret(
        &self,
        actor: &Actor,
        scope: Scope,
        name: &str,
        value: &str,
    ) -> LibraryResult<()> {
        if name.trim().is_empty() || value.is_empty() || value.len() > LONGEST_BYTES {
            let message = "a secret has a name and 1 to 8192 bytes";
            return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
        }
        let (key_id, sealed) = self.vault_keys().seal(scope, name, value)?;
        self.rows().put_sealed(actor, scope, name, &key_id, &sealed).await
    }

    /// A secret of the user's, for whoever sends it where it belongs. It goes into no log and no answer.
    ///
    /// # Errors
    /// `NotFound` where there is none of this name, `Invalid` where its key is missing.
    pub async fn secret(&self, scope: Scope, name: &str) -> LibraryResult<String> {
        let found = self.rows().sealed(scope).await?.into_iter().find(|secret| secret.name == name);
        self.vault_keys().open(&found.ok_or_else(|| LibraryError::not_found("secret", name))?)
    }

    /// Seals every secret anew, by a new key, and says how many. Where keys are in the library's folder a new one is made;
    /// where they are given, the first of them is used. Servers may run meanwhile.
    ///
    /// # Errors
    /// `Invalid` where the key of a secret is missing: those before it are sealed anew, and calling again goes on.
    pub async fn rotate_vault(&self, actor: &Actor) -> LibraryResult<usize> {
        let keys = self.vault_keys();
        if let VaultKeys::File(path) = keys {
            secret::add_to(path)?;
        }
        let current = keys.keys()?.into_iter().next().ok_or_else(|| internal("the vault has no key"))?.id;
        let mut count = 0;
        loop {
            let old = self.rows().sealed_otherwise(&current).await?;
            if old.is_empty() {
                break;
            }
            for secret in old {
                let (key_id, sealed) = keys.seal(secret.scope, &secret.name, &keys.open(&secret)?)?;
                self.rows().reseal(&secret, &key_id, &sealed).await?;
                count += 1;
            }
        }
        let changes = serde_json::json!({"after": {"key": current, "secrets": count}});
        self.rows().record_act(actor, "vault.rotate", "vault", &current, changes).await?;
        Ok(count)
    }
}

fn internal(message: &str) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Internal, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::UserId;

    fn sealed(keys: &VaultKeys, scope: Scope, name: &str) -> SealedSecret {
        let (key_id, sealed) = keys.seal(scope, name, "sk-canary").unwrap();
        SealedSecret { scope, name: name.to_owned(), key_id, sealed, changed_at_ms: 0 }
    }

    #[test]
    fn a_secret_is_opened_where_it_was_put_and_nowhere_else() {
        let keys = VaultKeys::Given(vec![Secret::random()]);
        let secret = sealed(&keys, Scope::of(UserId::random()), "openai");
        assert_eq!(keys.open(&secret).unwrap(), "sk-canary");
        assert!(!secret.sealed.contains("canary"));
        let elsewhere = [
            SealedSecret { scope: Scope::of(UserId::random()), ..secret.clone() },
            SealedSecret { name: "anthropic".to_owned(), ..secret.clone() },
            SealedSecret {
                sealed: secret.sealed.replacen(&secret.sealed[30..32], "zz", 1),
                ..secret.clone()
            },
            SealedSecret { sealed: secret.sealed[..20].to_owned(), ..secret.clone() },
        ];
        for moved in elsewhere {
            assert_eq!(keys.open(&moved).unwrap_err().kind(), LibraryErrorKind::Database);
        }
        let last = secret.sealed.len() - 1;
        for at in [0, 23, 24, last] {
            let mut digits = secret.sealed.clone().into_bytes();
            digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
            let changed = SealedSecret { sealed: String::from_utf8(digits).unwrap(), ..secret.clone() };
            assert!(keys.open(&changed).is_err(), "digit {at}");
        }
        assert_ne!(sealed(&keys, secret.scope, "openai").sealed, secret.sealed, "no two are alike");
    }

    #[test]
    fn without_its_key_a_secret_says_which_one_it_needs() {
        let (old, new) = (Secret::random(), Secret::random());
        let secret = sealed(&VaultKeys::Given(vec![old.clone()]), Scope::of(UserId::random()), "openai");
        assert!(VaultKeys::Given(vec![new.clone(), old]).open(&secret).is_ok());
        let error = VaultKeys::Given(vec![new]).open(&secret).unwrap_err();
        assert!(error.to_string().contains(&secret.key_id) && !error.to_string().contains("canary"));
    }

    #[test]
    fn keys_in_a_file_are_added_to_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = VaultKeys::of_library(folder.path(), Vec::new());
        let secret = sealed(&keys, Scope::of(UserId::random()), "openai");
        secret::add_to(&folder.path().join(KEYS_FILE)).unwrap();
        assert_eq!(keys.open(&secret).unwrap(), "sk-canary");
        assert_ne!(sealed(&keys, secret.scope, "openai").key_id, secret.key_id);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder.path().join(KEYS_FILE).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
