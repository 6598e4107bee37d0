//! Which store an address means.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};
use object_store::prefix::PrefixStore;
use reqwest::Url;

use super::Storage;
use crate::library::{LibraryConfig, LibraryError, LibraryErrorKind, LibraryResult};

/// What opens a store.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageKeys {
    /// The name of the key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

impl fmt::Debug for StorageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageKeys").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// A store that is silent longer than this is said not to answer.
const RETRY_LIMIT: Duration = Duration::from_secs(30);
const RETRIES: usize = 5;
const EXAMPLE: &str = "s3://bucket/folder?endpoint=https://storage.example.org&region=eu-central-1";

const FILES_FOLDER: &str = "files";

impl Storage {
    /// The store of the library that is where `config` says.
    pub(crate) async fn of_library(config: &LibraryConfig) -> LibraryResult<Self> {
        match &config.storage_url {
            Some(url) => Self::at(url, config.storage_keys.as_ref()).await,
            None => Self::local(&config.folder.join(FILES_FOLDER)),
        }
    }

    /// The store at `url`: "s3://bucket/folder", followed by `?endpoint=…` for one that is not Amazon's, `region=…`,
    /// and `virtual_hosted_style_request=true` where buckets are host names. Without `keys` they come from
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or from the machine's role; never from the address.
    ///
    /// # Errors
    /// `Invalid` for an address that cannot be used; `Storage` when the store cannot be reached or is not safe, see
    /// [`probe`](Self::probe).
    pub async fn at(url: &str, keys: Option<&StorageKeys>) -> LibraryResult<Self> {
        let url = Url::parse(url).map_err(|error| invalid(format!("this is no address: {error}")))?;
        if url.scheme() != "s3" {
            return Err(invalid(format!("{:?} is not a kind of store", url.scheme())));
        }
        let bucket = url.host_str().filter(|bucket| !bucket.is_empty());
        let bucket = bucket.ok_or_else(|| invalid("the address names no bucket"))?;
        // Fails where a provider is installed already, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: RETRY_LIMIT,
                ..RetryConfig::default()
            });
        if let Some(keys) = keys {
            builder = builder
                .with_access_key_id(&keys.access_key_id)
                .with_secret_access_key(&keys.secret_access_key);
        }
        for (name, value) in url.query_pairs() {
            let key = option(&name)?;
            if key == AmazonS3ConfigKey::Endpoint {
                builder = builder.with_allow_http(value.starts_with("http://"));
            }
            builder = builder.with_config(key, value);
        }
        let store = builder.build().map_err(|error| invalid(error.to_string()))?;
        let storage = Self::over(Arc::new(PrefixStore::new(store, url.path())));
        storage.probe().await?;
        Ok(storage)
    }
}

/// What an address may say.
fn option(name: &str) -> LibraryResult<AmazonS3ConfigKey> {
    let key = AmazonS3ConfigKey::from_str(name).ok();
    let allowed = [
        AmazonS3ConfigKey::Endpoint,
        AmazonS3ConfigKey::Region,
        AmazonS3ConfigKey::VirtualHostedStyleRequest,
    ];
    key.filter(|key| allowed.contains(key)).ok_or_else(|| {
        invalid(format!(
            "{name:?} cannot stand in the address of a store; endpoint, region and \
             virtual_hosted_style_request can"
        ))
    })
}

fn invalid(message: impl Into<String>) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, format!("{}; an example: {EXAMPLE}", message.into()))
}
