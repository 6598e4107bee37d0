//! One contract for every store that a library's files can be in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use sfa_core::library::{Blob, LibraryErrorKind, Soundness, Storage, StorageKeys};

use crate::kind_of;
use crate::s3::Server;

/// More than fits into one part of an upload in parts.
const MANY_BYTES: usize = 12 << 20;

/// Every kind of store, and what it lives in.
async fn each() -> Vec<(&'static str, Storage, Box<dyn std::any::Any>)> {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start().await;
    let keys = Server::keys();
    vec![
        ("folder", Storage::local(folder.path()).unwrap(), Box::new(folder)),
        ("memory", Storage::over(Arc::new(InMemory::new())), Box::new(())),
        ("s3", Storage::at(&server.url("studio/one"), Some(&keys)).await.unwrap(), Box::new(server)),
    ]
}

async fn put(storage: &Storage, content: &[u8]) -> Blob {
    storage.publish(storage.stage_bytes(content).await.unwrap()).await.unwrap()
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 7 % 251) as u8).collect()
}

#[tokio::test]
async fn a_content_is_kept_once_and_comes_back_whole_and_in_parts() {
    for (name, storage, _home) in each().await {
        storage.probe().await.unwrap();
        for bytes in [1_000_000, MANY_BYTES] {
            let content = content(bytes);
            let blob = put(&storage, &content).await;
            assert_eq!(blob, put(&storage, &content).await, "{name}");
            assert_eq!(blob.hash, blake3::hash(&content).to_hex().as_str());
            assert_eq!(storage.list().await.unwrap(), std::slice::from_ref(&blob), "{name}");
            assert_eq!(storage.size_bytes(&blob.hash).await.unwrap(), Some(bytes as u64));
            assert_eq!(storage.read(&blob.hash, 500..700).await.unwrap(), content[500..700]);
            assert_eq!(storage.verify(&blob.hash).await.unwrap(), Soundness::Sound);
            let desk = tempfile::tempdir().unwrap();
            let path = storage.lend(&blob.hash, desk.path(), "song.mp3").await.unwrap();
            assert_eq!(std::fs::read(path).unwrap(), content);
            assert_eq!(storage.sweep(Duration::ZERO).await.unwrap(), 0, "nothing temporary is left");
            storage.remove(&blob.hash).await.unwrap();
            storage.remove(&blob.hash).await.unwrap();
            assert_eq!(storage.verify(&blob.hash).await.unwrap(), Soundness::Missing, "{name}");
            assert_eq!(storage.size_bytes(&blob.hash).await.unwrap(), None);
            let read = storage.read(&blob.hash, 0..1).await;
            assert_eq!(kind_of(read), Some(LibraryErrorKind::NotFound), "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_is_a_content_too() {
    for (name, storage, _home) in each().await {
        let blob = put(&storage, b"").await;
        assert_eq!(
            (blob.size_bytes, storage.verify(&blob.hash).await.unwrap()),
            (0, Soundness::Sound),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_was_staged_and_left_is_swept() {
    for (name, storage, _home) in each().await {
        drop(storage.stage_bytes(&content(100)).await.unwrap());
        assert_eq!(storage.sweep(Duration::from_secs(3600)).await.unwrap(), 0, "{name}: it is young");
        assert_eq!(storage.sweep(Duration::ZERO).await.unwrap(), 1, "{name}");
        assert!(storage.list().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_leaves_nothing() {
    for (name, storage, _home) in each().await {
        let staged = storage.stage_file(Path::new("/nowhere/song.mp3")).await;
        assert_eq!(kind_of(staged), Some(LibraryErrorKind::Storage), "{name}");
        assert_eq!(storage.sweep(Duration::ZERO).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_name_that_is_no_hash_is_never_a_path() {
    for (_, storage, _home) in each().await {
        for name in ["", "../../etc/passwd", &"A".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert_eq!(kind_of(storage.read(name, 0..1).await), Some(LibraryErrorKind::Invalid), "{name}");
        }
    }
}

#[tokio::test]
async fn damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::local(folder.path()).unwrap();
    let blob = put(&storage, b"music").await;
    let file = folder.path().join("blobs").join(&blob.hash[..2]).join(&blob.hash);
    std::fs::write(file, b"noise").unwrap();
    assert_eq!(storage.verify(&blob.hash).await.unwrap(), Soundness::Damaged);
}

#[tokio::test]
async fn folders_of_one_bucket_are_stores_of_their_own() {
    let server = Server::start().await;
    let keys = Server::keys();
    let one = Storage::at(&server.url("one"), Some(&keys)).await.unwrap();
    let two = Storage::at(&server.url("two"), Some(&keys)).await.unwrap();
    let blob = put(&one, b"music").await;
    assert_eq!(two.size_bytes(&blob.hash).await.unwrap(), None);
    let again = Storage::at(&server.url("one"), Some(&keys)).await.unwrap();
    assert_eq!(again.verify(&blob.hash).await.unwrap(), Soundness::Sound);
}

#[tokio::test]
async fn wrong_addresses_and_keys_say_what_is_wrong() {
    let server = Server::start().await;
    let keys = Server::keys();
    for (address, expected) in [
        ("songs", "no address"),
        ("ftp://songs", "not a kind of store"),
        ("s3:///folder", "names no bucket"),
        ("s3://songs?secret_access_key=x", "cannot stand in the address"),
        ("s3://songs?colour=red", "cannot stand in the address"),
    ] {
        let error = Storage::at(address, Some(&keys)).await.unwrap_err();
        assert_eq!(error.kind(), LibraryErrorKind::Invalid, "{address}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let wrong = StorageKeys { secret_access_key: "wrong".to_owned(), ..keys };
    let refused = Storage::at(&server.url(""), Some(&wrong)).await.unwrap_err();
    assert_eq!(refused.kind(), LibraryErrorKind::Storage);
    assert!(!format!("{refused:?} {wrong:?}").contains("wrong\""), "secrets are not shown");
}

#[tokio::test]
async fn a_store_that_overwrites_is_refused() {
    let error = Storage::over(Arc::new(Careless(InMemory::new()))).probe().await.unwrap_err();
    assert_eq!(error.kind(), LibraryErrorKind::Storage);
    assert!(error.to_string().contains("would lose files"), "{error}");
}

/// Copies onto names that are taken, as some gateways do.
#[derive(Debug)]
struct Careless(InMemory);

impl std::fmt::Display for Careless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("careless")
    }
}

#[async_trait]
impl ObjectStore for Careless {
    async fn put_opts(
        &self,
        key: &Key,
        content: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.0.put_opts(key, content, options).await
    }

    async fn put_multipart_opts(
        &self,
        key: &Key,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Key, options: GetOptions) -> object_store::Result<GetResult> {
        self.0.get_opts(key, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, object_store::Result<Key>>,
    ) -> BoxStream<'static, object_store::Result<Key>> {
        self.0.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> object_store::Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options.with_mode(CopyMode::Overwrite)).await
    }
}
