//! `sfa serve`: a library over HTTP, until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use sfa_core::library::{LibraryError, LibraryErrorKind, WorkerOptions};
use sfa_server::http::{OidcOptions, Rates, ServeOptions, Server, Tls};
use sfa_server::mail::MailOptions;

use super::library::{Place, stopped};
use super::log::Log;
use super::nightly::Nightly;
use super::{Context, Exit, open_files};

/// Jobs get this long to stop by themselves, after which they are given back.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// Listen here; 0.0.0.0:4000 lets other machines in
    #[arg(long, env = "SFA_LISTEN", default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// Encrypt connections, with a certificate that is made once and kept in the data folder unless one is given
    #[arg(long, env = "SFA_TLS", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    tls: bool,

    /// Encrypt connections with the certificate in this file (PEM), followed by those of who signed it
    #[arg(long, env = "SFA_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,

    /// The private key of that certificate (PEM)
    #[arg(long, env = "SFA_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,

    /// Tell Prometheus how the server is, at /metrics of this address: whoever reaches it may read that
    #[arg(long, env = "SFA_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,

    /// The address that browsers show, where a proxy stands in front. With https, cookies are sent encrypted only
    #[arg(long, env = "SFA_PUBLIC_URL", value_name = "URL", value_parser = origin)]
    public_url: Option<String>,

    /// Proxies that may say where a request comes from, as addresses or networks, separated by commas
    #[arg(long, env = "SFA_TRUSTED_PROXIES", value_delimiter = ',', value_name = "LIST", value_parser = network)]
    trusted_proxies: Vec<ipnet::IpNet>,

    /// What sends mail: smtp://user:password@mail.example.org (with STARTTLS), smtps://…, file:FOLDER, or log: for the log.
    /// Needs --mail-from and --public-url
    #[arg(long, env = "SFA_MAIL_URL", value_name = "URL", requires_all = ["mail_from", "public_url"])]
    mail_url: Option<String>,

    /// Who mail is from, such as "Studio <studio@example.org>"
    #[arg(long, env = "SFA_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,

    /// Let people sign in who have an account at this OpenID provider, such as `https://login.example.org/realms/home`; it has
    /// to send them back to PUBLIC-URL/api/v1/oidc/callback. Needs --oidc-client-id and --public-url
    #[arg(long, env = "SFA_OIDC_ISSUER", value_name = "URL", requires_all = ["oidc_client_id", "public_url"])]
    oidc_issuer: Option<String>,

    /// What this server is called there
    #[arg(long, env = "SFA_OIDC_CLIENT_ID", value_name = "NAME")]
    oidc_client_id: Option<String>,

    /// What it proves that with, unless it is a public client
    #[arg(long, env = "SFA_OIDC_CLIENT_SECRET", value_name = "SECRET")]
    oidc_client_secret: Option<String>,

    /// The file that has it instead
    #[arg(
        long,
        env = "SFA_OIDC_CLIENT_SECRET_FILE",
        value_name = "FILE",
        conflicts_with = "oidc_client_secret"
    )]
    oidc_client_secret_file: Option<PathBuf>,

    /// Let anybody make an account
    #[arg(long, env = "SFA_OPEN_REGISTRATION", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    open_registration: bool,

    /// Requests a minute of each user: from a browser, from a program, and such that cost much
    #[arg(long, env = "SFA_RATES", default_value = "120,60,10", value_name = "N,N,N", value_parser = rates)]
    rates: Rates,

    /// The largest file that may be uploaded, in megabytes
    #[arg(long, env = "SFA_MAX_UPLOAD_MB", default_value_t = 2048, value_name = "MB")]
    max_upload_mb: u32,

    /// Do no jobs here; `sfa worker` does them
    #[arg(long, env = "SFA_NO_WORKER", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    no_worker: bool,

    #[command(flatten)]
    nightly: Nightly,

    #[command(flatten)]
    log: Log,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    let log = arguments.log.start(context)?;
    open_files::raise();
    let mut options = ServeOptions::default();
    options.listen = arguments.listen;
    options.public_url.clone_from(&arguments.public_url);
    options.metrics_listen = arguments.metrics_listen;
    options.trusted_proxies.clone_from(&arguments.trusted_proxies);
    options.open_registration = arguments.open_registration;
    options.rates = arguments.rates;
    options.mail = arguments
        .mail_url
        .clone()
        .zip(arguments.mail_from.clone())
        .map(|(url, from)| MailOptions { url, from });
    options.journal = log.journal.clone();
    options.most_upload_bytes = u64::from(arguments.max_upload_mb) << 20;
    arguments.place.with(context, async |library| {
        options.tls = arguments.tls()?;
        options.oidc = arguments.oidc()?;
        let server = Server::start(library.clone(), options.clone()).await?;
        let worker = match arguments.no_worker {
            true => None,
            false => Some(library.start_worker(arguments.worker()).await?),
        };
        context.terminal.print(format!("listening on {}", server.url()));
        if let Some(token) = server.set_up_token() {
            context.terminal.print(format!("there is no admin yet; the set-up token is {token}"));
        }
        arguments.warn(context, &server, &options);
        stopped(context).await;
        context.terminal.note("stopping");
        let working = async {
            if let Some(worker) = worker {
                worker.shutdown(GRACE).await;
            }
        };
        tokio::join!(server.shutdown(), working);
        Ok(Exit::Success)
    })
}

impl Arguments {
    fn worker(&self) -> WorkerOptions {
        let mut options = WorkerOptions::default();
        self.nightly.set(&mut options);
        options
    }

    fn tls(&self) -> Result<Option<Tls>, LibraryError> {
        Ok(match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Tls::Given { certificate: certificate.clone(), key: key.clone() })
            }
            (None, None) if self.tls => {
                Some(Tls::SelfSigned { folder: self.place.config()?.folder.join("tls") })
            }
            (None, None) => None,
            _ => {
                let message =
                    "a certificate is of no use without its key: give both --tls-cert and --tls-key";
                return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
            }
        })
    }

    fn oidc(&self) -> Result<Option<OidcOptions>, LibraryError> {
        let (Some(issuer), Some(client_id)) = (self.oidc_issuer.clone(), self.oidc_client_id.clone()) else {
            return Ok(None);
        };
        let client_secret = match &self.oidc_client_secret_file {
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).map_err(|error| LibraryError::storage(file, error))?;
                Some(text.trim().to_owned())
            }
            None => self.oidc_client_secret.clone(),
        };
        Ok(Some(OidcOptions { issuer, client_id, client_secret }))
    }

    /// Says what the operator should know about who can read along.
    fn warn(&self, context: &Context, server: &Server, options: &ServeOptions) {
        let is_public_encrypted = self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        match &options.tls {
            Some(Tls::SelfSigned { folder }) => context.terminal.note(format!(
                "browsers warn of the certificate, until they are told to trust {}",
                folder.join("authority.pem").display()
            )),
            None if !is_public_encrypted && !server.address().ip().is_loopback() => context.terminal.note(
                "other machines can connect, and passwords travel as they are; encrypt with --tls, or have a proxy \
                 do it and name its address with --public-url https://…",
            ),
            _ => {}
        }
        if let Some(address) = server.metrics_address() {
            context.terminal.note(format!("metrics are at http://{address}/metrics"));
        }
    }
}

fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_origin = host.is_some_and(|host| {
        !host.trim_end_matches('/').is_empty() && !host.trim_end_matches('/').contains(['/', '?', '#', '@'])
    });
    if is_origin {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("it looks like https://songs.example.org".to_owned())
    }
}

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    let one = text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
    text.parse().or(one).map_err(|_| "it looks like 10.0.0.2 or 10.0.0.0/8".to_owned())
}

fn rates(text: &str) -> Result<Rates, String> {
    let numbers: Vec<u32> = text.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    match numbers[..] {
        [browser, program, heavy] if browser > 0 && program > 0 && heavy > 0 => {
            Ok(Rates { browser, program, heavy })
        }
        _ => Err("it is three numbers above 0, such as 120,60,10".to_owned()),
    }
}
