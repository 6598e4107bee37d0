//! Encryption: whose certificate, and how a connection begins.

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use sfa_core::library::{LibraryError, LibraryErrorKind, LibraryResult};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// Who does not come to an agreement in this time is not spoken to.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The first byte of every handshake.
const HANDSHAKE: u8 = 0x16;
const NOT_ENCRYPTED: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 44\r\n\
    connection: close\r\n\r\nthis port is encrypted; ask it with https://";

const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";
const AUTHORITY: &str = "authority.pem";
/// Devices of one maker refuse certificates that are valid for more than 825 days.
const VALID: Duration = Duration::from_secs(800 * DAY_SECS);
/// A certificate of ours this old is made anew.
const RENEWED_AFTER: Duration = Duration::from_secs(770 * DAY_SECS);
const DAY_SECS: u64 = 24 * 3600;

/// Whose certificate a server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// One that it makes itself and keeps in this folder, for this machine's names and addresses. Devices trust it that
    /// have been given the file `authority.pem`.
    SelfSigned {
        /// Where the files are.
        folder: PathBuf,
    },
    /// One that somebody else has signed: files in PEM.
    Given {
        /// The certificate, followed by those between it and its authority.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

impl Tls {
    /// Whether clients can be expected to believe the certificate.
    pub(super) fn is_trusted(&self) -> bool {
        matches!(self, Self::Given { .. })
    }

    /// What begins encrypted connections, of a server at `listen` that browsers know as `public_url`.
    pub(super) fn acceptor(
        &self,
        listen: SocketAddr,
        public_url: Option<&str>,
    ) -> LibraryResult<TlsAcceptor> {
        let (certificate, key) = match self {
            Self::Given { certificate, key } => (certificate.clone(), key.clone()),
            Self::SelfSigned { folder } => {
                make_where_needed(folder, || names(listen, public_url))?;
                (folder.join(CERTIFICATE), folder.join(KEY))
            }
        };
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            invalid(format!("{}: {error}; it has to be a file in PEM", path.display()))
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
            .and_then(|certificates| certificates.collect())
            .map_err(|error| unreadable(&certificate, &error))?;
        let secret = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&key, &error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, secret));
        let mut config = config.map_err(|error: rustls::Error| {
            invalid(format!("{} with {} cannot be used: {error}", certificate.display(), key.display()))
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Comes to an agreement with a client, or not, which is its business.
pub(super) async fn begin(acceptor: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let agreeing = async {
        let mut first = [0];
        if stream.peek(&mut first).await.ok()? == 1 && first[0] != HANDSHAKE {
            refuse(stream).await;
            return None;
        }
        acceptor.accept(stream).await.ok()
    };
    tokio::time::timeout(HANDSHAKE_TIME, agreeing).await.ok().flatten()
}

/// Says to somebody who speaks plainly that this is not the way.
async fn refuse(mut stream: TcpStream) {
    let mut request = [0; 1024];
    // What is left unread would make the system throw the answer away.
    let _answered_all_the_same = stream.read(&mut request).await;
    stream.write_all(NOT_ENCRYPTED).await.ok();
    stream.shutdown().await.ok();
}

/// Makes a certificate where there is none in the folder, or an old one.
fn make_where_needed(folder: &Path, names: impl FnOnce() -> Vec<String>) -> LibraryResult<()> {
    let made_at = std::fs::metadata(folder.join(CERTIFICATE)).and_then(|file| file.modified());
    let age = made_at.ok().map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    if age.is_some_and(|age| age < RENEWED_AFTER) {
        return Ok(());
    }
    let files = make(names()).map_err(|error| invalid(format!("no certificate can be made: {error}")))?;
    std::fs::create_dir_all(folder).map_err(|error| LibraryError::storage(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        let failed = |error| LibraryError::storage(&path, error);
        // A temporary file is readable by its owner alone.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.persist(&path).map_err(|error| LibraryError::storage(&path, error.error))?;
    }
    Ok(())
}

/// An authority of its own signs the certificate, since devices can be told to trust one of those only. Its key is
/// forgotten at once: it will never sign anything else. The certificate comes last: it says that all are there.
fn make(names: Vec<String>) -> Result<[(&'static str, String); 3], rcgen::Error> {
    let (from, until) = (SystemTime::now() - Duration::from_secs(DAY_SECS), SystemTime::now() + VALID);
    let mut about_authority = CertificateParams::default();
    about_authority.distinguished_name.push(DnType::CommonName, "Sound Forge Alchemy on this machine");
    about_authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    about_authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    (about_authority.not_before, about_authority.not_after) = (from.into(), until.into());
    let authority = CertifiedIssuer::self_signed(about_authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut about = CertificateParams::new(names)?;
    about.distinguished_name.push(DnType::CommonName, "Sound Forge Alchemy");
    about.is_ca = IsCa::ExplicitNoCa;
    about.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    about.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    about.use_authority_key_identifier_extension = true;
    (about.not_before, about.not_after) = (from.into(), until.into());
    let certificate = about.signed_by(&key, &authority)?;
    let chain = certificate.pem() + &authority.pem();
    Ok([(KEY, key.serialize_pem()), (AUTHORITY, authority.pem()), (CERTIFICATE, chain)])
}

/// Whatever this machine may be called by those who reach it.
fn names(listen: SocketAddr, public_url: Option<&str>) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Some(host) = sysinfo::System::host_name().ok().filter(|host| !host.is_empty()) {
        names.extend([format!("{host}.local"), host]);
    }
    let networks = sysinfo::Networks::new_with_refreshed_list().ok();
    let addresses = networks.iter().flat_map(|networks| networks.values());
    let addresses = addresses.flat_map(|network| network.ip_networks()).map(|network| network.addr);
    let others = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_link_local(),
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    };
    names.extend(addresses.chain([listen.ip()]).filter(others).map(|address| address.to_string()));
    let host = public_url.and_then(|url| url.split("//").nth(1)).map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    });
    names.extend(host.map(|host| host.trim_matches(['[', ']']).to_owned()));
    names.sort_unstable();
    names.dedup();
    names
}

fn invalid(message: String) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        make_where_needed(folder.path(), || vec!["localhost".to_owned()]).unwrap();
        let first = [CERTIFICATE, KEY, AUTHORITY].map(read);
        make_where_needed(folder.path(), || panic!("there is one")).unwrap();
        assert_eq!(first, [CERTIFICATE, KEY, AUTHORITY].map(read));
        assert!(!first[0].contains("PRIVATE") && !first[2].contains("PRIVATE"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder.path().join(KEY).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        std::fs::remove_file(folder.path().join(CERTIFICATE)).unwrap();
        make_where_needed(folder.path(), || vec!["localhost".to_owned()]).unwrap();
        assert_ne!(first[1], read(KEY), "what was begun is begun anew");
    }

    #[test]
    fn a_server_is_known_by_all_its_names() {
        let names = names(([192, 0, 2, 7], 4000).into(), Some("https://songs.example.org:8443"));
        for name in ["localhost", "127.0.0.1", "::1", "192.0.2.7", "songs.example.org"] {
            assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
        }
        assert!(make(names).is_ok());
    }

    #[test]
    fn what_is_no_certificate_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("songs.pem");
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nxx").unwrap();
        for given in [path.clone(), folder.path().join("none.pem")] {
            let tls = Tls::Given { certificate: given.clone(), key: path.clone() };
            let error = tls.acceptor(([127, 0, 0, 1], 0).into(), None).err().expect("it is none");
            assert_eq!(error.kind(), LibraryErrorKind::Invalid);
            assert!(error.to_string().contains(given.to_str().unwrap()), "{error}");
        }
    }
}
