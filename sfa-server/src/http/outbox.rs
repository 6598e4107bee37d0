//! Mail that requests ask for, written and sent by tasks of their own.
//!
//! A request only leaves an errand here. Who has an account is found out when the errand is done, so that no answer, and
//! no time that an answer takes, depends on it.

use std::sync::Arc;
use std::time::Duration;

use sfa_core::library::{
    Actor, Library, LibraryErrorKind, LibraryResult, NewToken, NewUser, Role, Secret, TokenId, TokenPurpose,
    User, UserId, UserStatus,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::error::{ApiError, ApiResult};
use crate::mail::{Letter, Mail};

/// Errands that wait; who comes then is asked to come again.
const MOST_WAITING: usize = 256;
/// Errands that are done at once.
const AT_ONCE: usize = 4;
/// Pauses between the tries of one.
const PAUSES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(120)];
/// How long a link counts.
const LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);
const LINK_MINUTES: u64 = LINK_LIFETIME.as_secs() / 60;

/// What is to be mailed.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    /// A link that signs in, where the address is an account's.
    SignIn { email: String },
    /// The same; where it is nobody's, an account is made for it first.
    Register { name: String, email: String, from: String },
    /// A link that sets a new password, where the address is an account's.
    ResetPassword { email: String },
    /// A link that makes an address that of an account.
    ChangeEmail { user: UserId, email: String },
    /// That something was done to an account.
    Tell { email: String, what: &'static str },
}

/// Takes errands.
pub(super) struct Outbox(mpsc::Sender<Errand>);

impl Outbox {
    /// Starts doing errands on the current runtime, until `stopping`.
    pub(super) fn open(
        library: Library,
        mail: Arc<dyn Mail>,
        public_url: String,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let (sender, errands) = mpsc::channel(MOST_WAITING);
        tokio::spawn(work(Arc::new(Writer { library, mail, public_url }), errands, stopping));
        Self(sender)
    }

    pub(super) fn post(&self, errand: Errand) -> ApiResult<()> {
        self.0.try_send(errand).map_err(|_| {
            let message = "too much mail is waiting to be sent; try again";
            ApiError::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).after(60)
        })
    }
}

async fn work(writer: Arc<Writer>, mut errands: mpsc::Receiver<Errand>, mut stopping: watch::Receiver<bool>) {
    let mut doing = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = doing.join_next(), if !doing.is_empty() => {}
            errand = errands.recv(), if doing.len() < AT_ONCE => {
                let Some(errand) = errand else { break };
                let writer = Arc::clone(&writer);
                doing.spawn(async move { writer.run(errand).await });
            }
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
}

struct Writer {
    library: Library,
    mail: Arc<dyn Mail>,
    public_url: String,
}

impl Writer {
    async fn run(&self, errand: Errand) {
        let mut pauses = PAUSES.into_iter();
        loop {
            let (reason, is_final) = match self.letter(&errand).await {
                Ok(None) => return,
                Ok(Some(letter)) => match self.mail.send(&letter).await {
                    Ok(()) => return,
                    Err(error) => (error.message, error.is_final),
                },
                Err(error) => (error.to_string(), error.kind() != LibraryErrorKind::Database),
            };
            match pauses.next().filter(|_| !is_final) {
                Some(pause) => {
                    tracing::warn!("a mail waits {} s: {reason}", pause.as_secs());
                    tokio::time::sleep(pause).await;
                }
                None => return tracing::error!("a mail was not sent: {reason}"),
            }
        }
    }

    /// What an errand has to say, and to whom; to nobody, where nobody is concerned.
    async fn letter(&self, errand: &Errand) -> LibraryResult<Option<Letter>> {
        let rows = self.library.rows();
        let at = &self.public_url;
        Ok(match errand {
            Errand::SignIn { email } => match self.active(email).await? {
                Some(user) => Some(self.sign_in(&user, email, "").await?),
                None => None,
            },
            Errand::Register { name, email, from } => {
                let known = rows.user_with_email(email).await?;
                let (user, preface) = match known {
                    Some(user) if user.status != UserStatus::Active => return Ok(None),
                    Some(user) if user.confirmed_at_ms.is_some() => {
                        (user, "Somebody wanted to make an account for this address. It has one already.\n\n")
                    }
                    Some(user) => (user, ""),
                    None => (self.new_user(name, email, from).await?, ""),
                };
                Some(self.sign_in(&user, email, preface).await?)
            }
            Errand::ResetPassword { email } => match self.active(email).await? {
                Some(user) => {
                    let link = self.link(&user, email, TokenPurpose::ResetPassword, "reset-password").await?;
                    Some(letter(
                        email,
                        "A new password",
                        format!(
                            "This link lets you choose a new password at {at}. It works once, for {LINK_MINUTES} \
                             minutes:\n\n{link}\n\nIf you did not ask for it, do nothing: your password stays."
                        ),
                    ))
                }
                None => None,
            },
            Errand::ChangeEmail { user, email } => {
                let user = rows.user(*user).await?;
                let subject = "Your new address";
                Some(match rows.user_with_email(email).await? {
                    Some(_) => letter(
                        email,
                        subject,
                        format!(
                            "Somebody wanted to make this the address of an account at {at}. It has an account \
                             already, so nothing was changed."
                        ),
                    ),
                    None => {
                        let link =
                            self.link(&user, email, TokenPurpose::ChangeEmail, "confirm-email").await?;
                        letter(
                            email,
                            subject,
                            format!(
                                "This link makes this the address of your account at {at}. It works once, for \
                                 {LINK_MINUTES} minutes:\n\n{link}\n\nIf you did not ask for it, do nothing."
                            ),
                        )
                    }
                })
            }
            Errand::Tell { email, what } => Some(letter(
                email,
                "Your account was changed",
                format!(
                    "{what}\n\nThis is about your account at {at}. If it was not you, write to its admins."
                ),
            )),
        })
    }

    async fn active(&self, email: &str) -> LibraryResult<Option<User>> {
        let user = self.library.rows().user_with_email(email).await?;
        Ok(user.filter(|user| user.status == UserStatus::Active))
    }

    async fn sign_in(&self, user: &User, email: &str, preface: &str) -> LibraryResult<Letter> {
        let (at, link) = (&self.public_url, self.link(user, email, TokenPurpose::SignIn, "sign-in").await?);
        Ok(letter(
            email,
            "Sign in",
            format!(
                "{preface}This link signs you in at {at}. It works once, for {LINK_MINUTES} minutes:\n\n{link}\n\n\
                 If you did not ask for it, do nothing."
            ),
        ))
    }

    /// An account without a password: its owner chooses one, once the address has proved to be theirs.
    async fn new_user(&self, name: &str, email: &str, from: &str) -> LibraryResult<User> {
        let id = UserId::random();
        let user = NewUser {
            id,
            name: name.to_owned(),
            email: Some(email.to_owned()),
            role: Role::User,
            password_hash: None,
        };
        self.library.rows().add_user(&Actor { user: id, address: Some(from.to_owned()) }, &user).await
    }

    /// A link to a page of the studio. What it proves with stands behind the `#`, which no server is sent.
    async fn link(
        &self,
        user: &User,
        email: &str,
        purpose: TokenPurpose,
        page: &str,
    ) -> LibraryResult<String> {
        let secret = Secret::random();
        let token = NewToken {
            id: TokenId::random(),
            user: user.id,
            purpose,
            secret: secret.hash(),
            label: String::new(),
            scopes: Vec::new(),
            sent_to: Some(email.to_owned()),
            lifetime: Some(LINK_LIFETIME),
        };
        self.library.rows().add_token(&token).await?;
        Ok(format!("{}/link/{page}#{}", self.public_url, secret.reveal()))
    }
}

fn letter(to: &str, subject: &str, text: String) -> Letter {
    Letter { to: to.to_owned(), subject: format!("{subject} – Sound Forge Alchemy"), text: text + "\n" }
}
