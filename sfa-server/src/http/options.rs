//! What can be decided about a server.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;

use super::{Journal, Tls};
use crate::mail::MailOptions;

/// How a server behaves towards the network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeOptions {
    /// Where it listens. Default: 127.0.0.1:4000, which this machine alone reaches.
    pub listen: SocketAddr,
    /// The address that browsers show, for example `https://songs.example.org`, where it is another than the one they
    /// are connected to, as behind a proxy. With https, cookies travel encrypted only.
    pub public_url: Option<String>,
    /// Encrypts all connections. Default: none are, as where a proxy does that.
    pub tls: Option<Tls>,
    /// Where whoever measures the server reads how it is, at `/metrics`: whoever reaches that address may, so that it
    /// is best one of this machine. Default: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The proxies in front of it: what they say about where a request comes from is believed, and nobody else.
    /// Default: none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether anybody may make an account. Default: no, admins make them.
    pub open_registration: bool,
    /// Requests that are answered in a minute.
    pub rates: Rates,
    /// The largest file that may be uploaded. Default: 2 GiB.
    pub most_upload_bytes: u64,
    /// What sends mail. Default: nothing does.
    pub mail: Option<MailOptions>,
    /// Who else vouches for people. Default: nobody does.
    pub oidc: Option<OidcOptions>,
    /// What followers of the log are shown. Default: nothing.
    pub journal: Journal,
    /// How long a password counts that was given, or a link that was followed, for what is dangerous. Default: 15 min.
    pub proof_time: Duration,
    /// How soon open sockets notice what other nodes have revoked; what this one revokes they notice at once. Default:
    /// 15 s.
    pub round_time: Duration,
    /// How long a request may take; for files, how long nothing may come of them. Default: 30 s.
    pub request_time: Duration,
    /// How long open requests may go on after the server was asked to stop. Default: 10 s.
    pub drain_time: Duration,
}

/// Who vouches for people, and how this server is known there.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcOptions {
    /// The address of the provider, as its tokens name it.
    pub issuer: String,
    /// What this server is called there.
    pub client_id: String,
    /// What it proves that with; a public client has none.
    pub client_secret: Option<String>,
}

impl fmt::Debug for OidcOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, client_id, .. } = self;
        let mut shown = f.debug_struct("OidcOptions");
        shown.field("issuer", issuer).field("client_id", client_id).finish_non_exhaustive()
    }
}

/// Requests per minute, for each account; for each network address where nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// From browsers, and from nobody in particular. Default: 120.
    pub browser: u32,
    /// From programs with a token. Default: 60.
    pub program: u32,
    /// That cost the machine much, such as a separation or the hash of a password. Default: 10.
    pub heavy: u32,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000),
            public_url: None,
            tls: None,
            metrics_listen: None,
            trusted_proxies: Vec::new(),
            open_registration: false,
            rates: Rates::default(),
            most_upload_bytes: 2 << 30,
            mail: None,
            oidc: None,
            journal: Journal::default(),
            proof_time: Duration::from_secs(15 * 60),
            round_time: Duration::from_secs(15),
            request_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self { browser: 120, program: 60, heavy: 10 }
    }
}

impl ServeOptions {
    /// Whether browsers reach it over an encrypted connection.
    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some() || self.is_public_encrypted()
    }

    /// Whether browsers are to insist on encryption from now on. With a certificate that they do not believe it would
    /// shut them out.
    pub(super) fn insists_on_encryption(&self) -> bool {
        self.tls.as_ref().is_some_and(Tls::is_trusted) || self.is_public_encrypted()
    }

    fn is_public_encrypted(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}
