//! What a command that stays writes to standard error, and tells a collector.

use clap::{Args, ValueEnum};
use sfa_core::traces::Exporter;
use sfa_server::http::{Journal, Traces};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Context, Exit};

/// What collectors call the program.
const SERVICE: &str = "sfa";

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

    /// Tell this collector of OpenTelemetry of each request and job, over HTTP, for example `http://127.0.0.1:4318`
    #[arg(long, env = "SFA_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,

    /// Headers that it wants, as name=value, separated by commas
    #[arg(long, env = "SFA_OTLP_HEADERS", value_name = "LIST", value_delimiter = ',', value_parser = header)]
    otlp_headers: Vec<(String, String)>,
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

/// What was started. What is still to be told is told before it goes.
pub(super) struct Started {
    pub(super) journal: Journal,
    exporter: Option<Exporter>,
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(exporter) = &self.exporter {
            exporter.close();
        }
    }
}

impl Log {
    /// Starts writing, also into the journal that this returns. Each line inside a request or a job names it.
    pub(super) fn start(&self, context: &Context) -> Result<Started, Exit> {
        let level = match self.log_level {
            LogLevel::Error => Level::ERROR,
            LogLevel::Warn => Level::WARN,
            LogLevel::Info => Level::INFO,
        };
        let exporter = self.exporter().map_err(|error| {
            context.terminal.fail(format!("--otlp-endpoint: {error}"));
            Exit::Usage
        })?;
        let log = fmt::layer().with_writer(std::io::stderr).with_target(false);
        let log = match self.log_format {
            LogFormat::Json => log.json().flatten_event(true).with_span_list(false).boxed(),
            LogFormat::Text => log.with_ansi(console::colors_enabled_stderr()).boxed(),
        };
        let journal = Journal::default();
        let level = LevelFilter::from_level(level);
        match exporter.clone() {
            None => tracing_subscriber::registry().with(log).with(journal.clone()).with(level).init(),
            // Traces have all requests and jobs, whatever the log has.
            Some(exporter) => tracing_subscriber::registry()
                .with(log.with_filter(level))
                .with(journal.clone().with_filter(level))
                .with(Traces::new(exporter).with_filter(LevelFilter::INFO))
                .init(),
        }
        Ok(Started { journal, exporter })
    }

    fn exporter(&self) -> sfa_core::Result<Option<Exporter>> {
        let start = |endpoint: &String| Exporter::start(endpoint, &self.otlp_headers, SERVICE);
        self.otlp_endpoint.as_ref().map(start).transpose()
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it looks like name=value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
