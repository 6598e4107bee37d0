//! `sfa serve`: a library over HTTP, until it is stopped.

use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};
use sfa_core::library::WorkerOptions;
use sfa_server::http::{Rates, ServeOptions, Server};
use sfa_server::mail::MailOptions;
use tracing::Level;

use super::library::{Place, stopped};
use super::{Context, Exit};

/// Jobs get this long to stop by themselves, after which they are given back.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// Listen here; 0.0.0.0:4000 lets other machines in
    #[arg(long, env = "SFA_LISTEN", default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// The address that browsers show, where a proxy stands in front. With https, cookies are sent encrypted only
    #[arg(long, env = "SFA_PUBLIC_URL", value_name = "URL", value_parser = origin)]
    public_url: Option<String>,

    /// Proxies that may say where a request comes from, as addresses or networks, separated by commas
    #[arg(long, env = "SFA_TRUSTED_PROXIES", value_delimiter = ',', value_name = "LIST", value_parser = network)]
    trusted_proxies: Vec<ipnet::IpNet>,

    /// What sends mail: smtp://user:password@mail.example.org (with STARTTLS), smtps://…, file:FOLDER, or log: for the log.
    /// Needs --mail-from and --public-url
    #[arg(
        long,
        env = "SFA_MAIL_URL",
        value_name = "URL",
        hide_env_values = true,
        requires_all = ["mail_from", "public_url"]
    )]
    mail_url: Option<String>,

    /// Who mail is from, such as "Studio <studio@example.org>"
    #[arg(long, env = "SFA_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,

    /// Let anybody make an account
    #[arg(long, env = "SFA_OPEN_REGISTRATION", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    open_registration: bool,

    /// Requests a minute of each user: from a browser, from a program, and such that cost much
    #[arg(long, env = "SFA_RATES", default_value = "120,60,10", value_name = "N,N,N", value_parser = rates)]
    rates: Rates,

    /// The largest file that may be uploaded, in megabytes
    #[arg(long, env = "SFA_MAX_UPLOAD_MB", default_value_t = 2048, value_name = "MB")]
    max_upload_mb: u32,

    /// Do no jobs here; `sfa worker` does them
    #[arg(long, env = "SFA_NO_WORKER", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_worker: bool,

    /// What is logged to standard error
    #[arg(long, env = "SFA_LOG", value_enum, default_value = "info", value_name = "LEVEL")]
    log: LogLevel,

    /// Log in JSON
    #[arg(long, env = "SFA_LOG_JSON", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    log_json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    /// What went wrong
    Error,
    /// And what is odd
    Warn,
    /// And every request
    Info,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Exit> {
    start_log(arguments.log, arguments.log_json);
    let mut options = ServeOptions::default();
    options.listen = arguments.listen;
    options.public_url.clone_from(&arguments.public_url);
    options.trusted_proxies.clone_from(&arguments.trusted_proxies);
    options.open_registration = arguments.open_registration;
    options.rates = arguments.rates;
    options.mail = arguments
        .mail_url
        .clone()
        .zip(arguments.mail_from.clone())
        .map(|(url, from)| MailOptions { url, from });
    options.most_upload_bytes = u64::from(arguments.max_upload_mb) << 20;
    arguments.place.with(context, async |library| {
        let server = Server::start(library.clone(), options.clone()).await?;
        let worker = match arguments.no_worker {
            true => None,
            false => Some(library.start_worker(WorkerOptions::default()).await?),
        };
        context.terminal.print(format!("listening on http://{}", server.address()));
        if let Some(token) = server.set_up_token() {
            context.terminal.print(format!("there is no admin yet; the set-up token is {token}"));
        }
        let is_encrypted = arguments.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        if !is_encrypted && !server.address().ip().is_loopback() {
            context.terminal.note(
                "other machines can connect, and passwords travel as they are; have a proxy encrypt, and name its \
                 address with --public-url https://…",
            );
        }
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

fn start_log(level: LogLevel, as_json: bool) {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    if as_json {
        log.json().flatten_event(true).init();
    } else {
        log.with_ansi(console::colors_enabled_stderr()).init();
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
