//! Which library, and calls on it from the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use sfa_core::Studio;
use sfa_core::library::{Library, LibraryConfig, LibraryError, LibraryErrorKind};

use super::super::{Context, Exit, step};

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Read from this file what neither flags nor the environment say, instead of from sfa.toml in the data folder
    #[arg(long, env = "SFA_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// The folder of the library
    #[arg(long, env = "SFA_DATA_DIR", value_name = "DIR", global = true)]
    data: Option<PathBuf>,

    /// A PostgreSQL database for the rows, postgres://…
    #[arg(long, env = "SFA_DATABASE_URL", value_name = "URL", global = true)]
    database_url: Option<String>,

    /// An object store for the files, s3://bucket/folder?endpoint=…; its keys come from AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY
    #[arg(long, env = "SFA_STORAGE_URL", value_name = "URL", global = true)]
    storage_url: Option<String>,

    /// What links to files are signed with, the one in use first, separated by commas; the same on all machines that
    /// share a library. Without any, a file in the data folder has one
    #[arg(long, env = "SFA_SECRETS", value_name = "LIST", global = true)]
    secrets: Option<String>,

    /// What the secrets of users are encrypted with, the one in use first, separated by commas; the same on all machines
    /// that share a library. Without any, the file vault.keys in the data folder has some
    #[arg(long, env = "SFA_VAULT_SECRETS", value_name = "LIST", global = true)]
    vault_secrets: Option<String>,

    /// Fetch songs from private networks as well, whose machines whoever may import songs can then have asked
    #[arg(long, env = "SFA_ALLOW_PRIVATE_ADDRESSES", action = ArgAction::SetTrue, global = true,
        value_parser = BoolishValueParser::new())]
    allow_private_addresses: bool,
}

impl Place {
    pub(crate) fn config(&self) -> Result<LibraryConfig, LibraryError> {
        let mut config = match &self.data {
            Some(folder) => LibraryConfig::in_folder(folder),
            None => LibraryConfig::default_place()?,
        };
        if let Some(url) = &self.database_url {
            config = config.database_url(url);
        }
        if let Some(url) = &self.storage_url {
            config = config.storage_url(url);
        }
        if let Some(secrets) = &self.secrets {
            config = config.secrets(secrets)?;
        }
        if let Some(secrets) = &self.vault_secrets {
            config = config.vault_secrets(secrets)?;
        }
        Ok(config.private_addresses(self.allow_private_addresses))
    }

    /// Opens the library and does `work` on it, until it is done or Ctrl-C is pressed.
    pub(crate) fn with<T>(
        &self,
        context: &Context,
        work: impl AsyncFnOnce(&Library) -> Result<T, LibraryError>,
    ) -> Result<T, Exit> {
        self.run(context, async || {
            let library = Studio::new().open(self.config()?).await?;
            // Where this program cannot be found again, the work is done in this process.
            let library = match step::program() {
                Some(program) => library.with_children(program),
                None => library,
            };
            work(&library).await
        })
    }

    /// Does `work` that opens the library itself.
    pub(crate) fn run<T>(
        &self,
        context: &Context,
        work: impl AsyncFnOnce() -> Result<T, LibraryError>,
    ) -> Result<T, Exit> {
        let failed = |error: &LibraryError| {
            if error.kind() == LibraryErrorKind::Cancelled {
                context.terminal.note("stopped");
                return Exit::Interrupted;
            }
            context.terminal.fail(error.to_string());
            if error.kind() == LibraryErrorKind::Invalid { Exit::Usage } else { Exit::SomeFailed }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
            context.terminal.fail(format!("no threads for the library: {error}"));
            Exit::SomeFailed
        })?;
        let result = runtime.block_on(work());
        // What still runs is a read that nobody waits for.
        runtime.shutdown_background();
        result.map_err(|error| failed(&error))
    }
}

/// Returns when Ctrl-C was pressed.
pub(crate) async fn stopped(context: &Context) {
    while !context.watch.is_stopped() {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Waits for `work`, or fails with `Cancelled` when Ctrl-C is pressed.
pub(crate) async fn or_stopped<T>(
    context: &Context,
    work: impl Future<Output = Result<T, LibraryError>>,
) -> Result<T, LibraryError> {
    tokio::select! {
        result = work => result,
        () = stopped(context) => {
            Err(LibraryError::new(LibraryErrorKind::Cancelled, "stopped on request"))
        }
    }
}
