//! Secrets that have to be read again.

use async_trait::async_trait;

use crate::library::{Actor, LibraryResult, Scope};

/// A secret as it is kept: sealed, by a key that is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Whose.
    pub scope: Scope,
    /// What it is called.
    pub name: String,
    /// Which key opens it.
    pub key_id: String,
    /// What that key opens.
    pub sealed: String,
    /// When it was last given, in milliseconds since 1970.
    pub changed_at_ms: i64,
}

/// Sealed secrets of users. Who puts and removes them is written into the audit log in the same transaction.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Keeps a secret, instead of one of this name.
    async fn put_sealed(
        &self,
        actor: &Actor,
        scope: Scope,
        name: &str,
        key_id: &str,
        sealed: &str,
    ) -> LibraryResult<()>;
    /// The user's secrets by their names.
    async fn sealed(&self, scope: Scope) -> LibraryResult<Vec<SealedSecret>>;
    /// Removes a secret.
    async fn remove_sealed(&self, actor: &Actor, scope: Scope, name: &str) -> LibraryResult<()>;
    /// Secrets of all users that another key than this one opens, at most 100.
    async fn sealed_otherwise(&self, key_id: &str) -> LibraryResult<Vec<SealedSecret>>;
    /// Replaces what is kept of a secret, unless that has become something else meanwhile.
    async fn reseal(&self, old: &SealedSecret, key_id: &str, sealed: &str) -> LibraryResult<()>;
}
