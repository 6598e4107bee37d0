//! A real S3 server in this process, over a temporary folder.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use sfa_core::library::StorageKeys;

const ACCESS_KEY: &str = "test-access-key";
const SECRET_KEY: &str = "test-secret-key";
const BUCKET: &str = "songs";

/// Ends with the runtime that it was started on.
pub(crate) struct Server {
    _folder: tempfile::TempDir,
    address: std::net::SocketAddr,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = Builder::new(TokioExecutor::new());
                    // A client that hangs up is no fault.
                    server.serve_connection(TokioIo::new(socket), service).await.ok();
                });
            }
        });
        Self { _folder: folder, address }
    }

    /// The address of a store in `folder` of its bucket.
    pub(crate) fn url(&self, folder: &str) -> String {
        format!("s3://{BUCKET}/{folder}?endpoint=http://{}&region=us-east-1", self.address)
    }

    /// What opens it.
    pub(crate) fn keys() -> StorageKeys {
        StorageKeys { access_key_id: ACCESS_KEY.to_owned(), secret_access_key: SECRET_KEY.to_owned() }
    }
}
