//! What a command that stays writes to standard error.

use clap::{Args, ValueEnum};
use sfa_server::http::Journal;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[derive(Debug, Args)]
pub(super) struct Log {
    /// What is logged to standard error
    #[arg(
        long,
        alias = "log",
        env = "SFA_LOG_LEVEL",
        value_enum,
        default_value = "info",
        value_name = "LEVEL"
    )]
    log_level: LogLevel,

    /// As lines for people, or as one JSON object a line
    #[arg(long, env = "SFA_LOG_FORMAT", value_enum, default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    /// What went wrong
    Error,
    /// And what is odd
    Warn,
    /// And every request and job
    Info,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

impl Log {
    /// Starts writing, also into the journal that this returns. Each line inside a request or a job names it.
    pub(super) fn start(&self) -> Journal {
        let level = match self.log_level {
            LogLevel::Error => Level::ERROR,
            LogLevel::Warn => Level::WARN,
            LogLevel::Info => Level::INFO,
        };
        let log = fmt::layer().with_writer(std::io::stderr).with_target(false);
        let log = match self.log_format {
            LogFormat::Json => log.json().flatten_event(true).with_span_list(false).boxed(),
            LogFormat::Text => log.with_ansi(console::colors_enabled_stderr()).boxed(),
        };
        let journal = Journal::default();
        let level = LevelFilter::from_level(level);
        tracing_subscriber::registry().with(log).with(journal.clone()).with(level).init();
        journal
    }
}
