//! Which library, and calls on it from the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sfa_core::Studio;
use sfa_core::library::{Library, LibraryConfig, LibraryError, LibraryErrorKind};

use super::super::{Context, Exit, step};

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of the library; SFA_DATA_DIR says so for every call
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,

    /// A PostgreSQL database for the rows, postgres://…; SFA_DATABASE_URL says so for every call
    #[arg(long, value_name = "URL", global = true)]
    database_url: Option<String>,

    /// An object store for the files, s3://bucket/folder?endpoint=…; SFA_STORAGE_URL says so for every call. Its keys
    /// come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    #[arg(long, value_name = "URL", global = true)]
    storage_url: Option<String>,
}

impl Place {
    fn config(&self) -> Result<LibraryConfig, LibraryError> {
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
        Ok(config)
    }

    /// Opens the library and does `work` on it, until it is done or Ctrl-C is pressed.
    pub(crate) fn with<T>(
        &self,
        context: &Context,
        work: impl AsyncFnOnce(&Library) -> Result<T, LibraryError>,
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
        let result = runtime.block_on(async {
            let library = Studio::new().open(self.config()?).await?;
            // Where this program cannot be found again, the work is done in this process.
            let library = match step::program() {
                Some(program) => library.with_children(program),
                None => library,
            };
            work(&library).await
        });
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
