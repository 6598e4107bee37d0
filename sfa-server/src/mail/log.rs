//! Mail in the log, for trying things out: whoever reads the log can use the links in it.

use async_trait::async_trait;

use super::{Letter, Mail, MailError};

pub(super) struct Log;

#[async_trait]
impl Mail for Log {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        tracing::info!(to = letter.to, subject = letter.subject, "mail: {}", letter.text);
        Ok(())
    }
}
