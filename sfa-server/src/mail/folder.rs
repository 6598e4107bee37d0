//! Mail as files, for another program to send or for people to read.

use std::path::PathBuf;

use async_trait::async_trait;
use lettre::message::Mailbox;
use uuid::Uuid;

use super::{Letter, Mail, MailError, message};

pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) from: Mailbox,
}

#[async_trait]
impl Mail for Folder {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let written = message(&self.from, letter)?.formatted();
        let failed =
            |error| MailError { message: format!("{}: {error}", self.path.display()), is_final: false };
        // Names sort by the time they were given. A file has its name when it is whole.
        let name = Uuid::now_v7();
        let (hidden, path) = (self.path.join(format!(".{name}")), self.path.join(format!("{name}.eml")));
        tokio::fs::create_dir_all(&self.path).await.map_err(failed)?;
        tokio::fs::write(&hidden, written).await.map_err(failed)?;
        tokio::fs::rename(&hidden, &path).await.map_err(failed)
    }
}
