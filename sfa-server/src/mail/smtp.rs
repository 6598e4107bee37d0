//! Mail by a server of mail.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use sfa_core::library::LibraryResult;

use super::{Letter, Mail, MailError, invalid, message};

/// A server that is silent longer is tried again later.
const SILENCE: Duration = Duration::from_secs(30);
const IN_THE_CLEAR: &str = "tls=none";
const ENCRYPTED: &str = "tls=required";

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Speaks to the server at `url`: encrypted, unless that says "?tls=none".
    pub(super) fn at(url: &str, from: Mailbox) -> LibraryResult<Self> {
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let url = match query {
            "" if place.starts_with("smtps:") => place.to_owned(),
            "" | ENCRYPTED => format!("{place}?{ENCRYPTED}"),
            IN_THE_CLEAR if place.starts_with("smtp:") => place.to_owned(),
            _ => {
                return Err(invalid(format!("--mail-url: what may follow the \"?\" is {IN_THE_CLEAR:?}")));
            }
        };
        // What it says of an address that cannot be used may contain it, and with it a password.
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).map_err(|_| {
            invalid("--mail-url: it looks like smtp://user:password@mail.example.org:587".to_owned())
        })?;
        Ok(Self { transport: builder.timeout(Some(SILENCE)).build(), from })
    }
}

#[async_trait]
impl Mail for Smtp {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = message(&self.from, letter)?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| MailError {
            is_final: error.is_permanent(),
            message: format!("the server of mail: {error}"),
        })
    }
}
