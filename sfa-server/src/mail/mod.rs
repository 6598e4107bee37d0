//! Mail that the server sends: what carries it, and how it is told which.

mod folder;
mod log;
mod smtp;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use sfa_core::library::{LibraryError, LibraryErrorKind, LibraryResult};
use uuid::Uuid;

/// How mail is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct MailOptions {
    /// "smtp://user:password@mail.example.org" for a server that is spoken to over TLS, begun by STARTTLS,
    /// "smtps://…" for one that speaks nothing else, "smtp://localhost?tls=none" in the clear; "file:FOLDER" for a folder of
    /// `.eml` files; "log:" for the log, which then holds links that open accounts.
    pub url: String,
    /// Who mail is from, for example "Studio <studio@example.org>".
    pub from: String,
}

impl fmt::Debug for MailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may hold a password.
        f.debug_struct("MailOptions").field("from", &self.from).finish_non_exhaustive()
    }
}

/// A mail in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address that it goes to.
    pub to: String,
    /// What it is about, in a line.
    pub subject: String,
    /// What it says.
    pub text: String,
}

/// Why a mail was not sent.
#[derive(Debug)]
pub struct MailError {
    /// What went wrong, without what the mail says.
    pub message: String,
    /// Whether trying again is of no use.
    pub is_final: bool,
}

/// Carries mail away. What it says when it fails contains no part of the mail.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Sends a mail, and returns when somebody else has become responsible for it.
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}

impl MailOptions {
    /// What carries mail so.
    ///
    /// # Errors
    /// `Invalid` for an address of another kind, or a sender that is none.
    pub fn carrier(&self) -> LibraryResult<Arc<dyn Mail>> {
        let from: Mailbox = self.from.parse().map_err(|error| {
            invalid(format!("--mail-from: {error}; it looks like \"Studio <studio@example.org>\""))
        })?;
        let (scheme, rest) = self.url.split_once(':').unwrap_or_default();
        match scheme {
            "smtp" | "smtps" => Ok(Arc::new(smtp::Smtp::at(&self.url, from)?)),
            "file" if !rest.is_empty() => Ok(Arc::new(folder::Folder { path: PathBuf::from(rest), from })),
            "log" if rest.is_empty() => Ok(Arc::new(log::Log)),
            _ => {
                let message =
                    "--mail-url: it looks like smtp://user:password@mail.example.org, file:FOLDER or log:";
                Err(invalid(message.to_owned()))
            }
        }
    }
}

/// A letter as it travels.
fn message(from: &Mailbox, letter: &Letter) -> Result<Message, MailError> {
    let hopeless = |error: &dyn fmt::Display| MailError {
        message: format!("a mail cannot be written: {error}"),
        is_final: true,
    };
    let to = letter.to.parse().map_err(|error| hopeless(&error))?;
    let id = format!("<{}@{}>", Uuid::now_v7().simple(), from.email.domain());
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .message_id(Some(id))
        // Nobody's absence is to answer it.
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|error| hopeless(&error))
}

fn invalid(message: String) -> LibraryError {
    LibraryError::new(LibraryErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> MailOptions {
        MailOptions { url: url.to_owned(), from: "Studio <studio@example.org>".to_owned() }
    }

    #[test]
    fn what_is_no_way_to_send_mail_is_refused_without_repeating_its_password() {
        let long = "smtp://ann:canary@mail.example.org?tls=maybe";
        for wrong in ["", "mail.example.org", "file:", "log:x", "pop://mail.example.org", "smtp://", long] {
            let error = options(wrong).carrier().err().unwrap_or_else(|| panic!("{wrong} is refused"));
            assert_eq!(error.kind(), LibraryErrorKind::Invalid);
            assert!(
                error.to_string().contains("--mail-url") && !error.to_string().contains("canary"),
                "{error}"
            );
        }
        let nobody = MailOptions { from: "nobody".to_owned(), ..options("log:") };
        assert!(nobody.carrier().err().unwrap().to_string().contains("--mail-from"));
        assert!(!format!("{:?}", options(long)).contains("canary"));
    }

    #[test]
    fn a_letter_cannot_smuggle_in_headers() {
        let from: Mailbox = "studio@example.org".parse().unwrap();
        let letter = Letter {
            to: "ann@example.org".to_owned(),
            subject: "Hello\r\nBcc: ben@example.org".to_owned(),
            text: "Grüße".to_owned(),
        };
        let written = String::from_utf8(message(&from, &letter).unwrap().formatted()).unwrap();
        let (headers, _) = written.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc:")), "{headers}");
        let twice = Letter { to: "ann@example.org, ben@example.org".to_owned(), ..letter };
        assert!(message(&from, &twice).unwrap_err().is_final);
    }
}
