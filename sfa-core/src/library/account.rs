//! Who may use a library: users, the sessions they signed in with, the tokens of their programs, and what was done
//! with special rights.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secret::SecretHash;
use super::{LibraryError, LibraryErrorKind, LibraryResult, SessionId, TokenId, UserId};

/// The longest address, as in the reference of forms everywhere.
const EMAIL_LIMIT: usize = 160;

/// What a user is allowed, from little to all. What each may do stands in one table of rights, with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Own songs.
    User,
    /// And everything that costs the machine.
    Pro,
    /// And everything that costs money elsewhere.
    Enterprise,
    /// Looks after users.
    Moderator,
    /// Manages users.
    Admin,
    /// Sees every user's songs.
    PlatformAdmin,
    /// Everything.
    SuperAdmin,
    /// The program itself; nobody signs in as this.
    System,
}

/// Whether a user is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// Yes.
    Active,
    /// Not for now.
    Suspended,
    /// Not any more.
    Banned,
}

/// Names on the wire and in rows.
macro_rules! named {
    ($type:ident, $what:literal: $($value:ident = $name:literal),* $(,)?) => {
        impl $type {
            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = LibraryError;

            fn from_str(text: &str) -> Result<Self, LibraryError> {
                match text {
                    $($name => Ok(Self::$value),)*
                    _ => Err(LibraryError::new(
                        LibraryErrorKind::Invalid,
                        format!(concat!("{:?} is no ", $what, "; there are ", $("\"", $name, "\" ",)*), text)
                            .trim_end(),
                    )),
                }
            }
        }
    };
}

named!(Role, "role": User = "user", Pro = "pro", Enterprise = "enterprise", Moderator = "moderator",
    Admin = "admin", PlatformAdmin = "platform_admin", SuperAdmin = "super_admin", System = "system");
named!(UserStatus, "status": Active = "active", Suspended = "suspended", Banned = "banned");
named!(TokenPurpose, "purpose": Api = "api", SignIn = "sign_in", ChangeEmail = "change_email",
    ResetPassword = "reset_password");

impl Role {
    /// Whether a library without anybody of this kind could not be managed any more.
    pub const fn manages_users(self) -> bool {
        matches!(self, Self::Admin | Self::SuperAdmin)
    }
}

/// Somebody who has an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// Names the account.
    pub id: UserId,
    /// What to show.
    pub name: String,
    /// Where mail goes; also what is signed in with. Nobody else has it.
    pub email: Option<String>,
    /// What is allowed.
    pub role: Role,
    /// Whether it is let in.
    pub status: UserStatus,
    /// Whether mail to the address was once answered, and when, in milliseconds since 1970.
    pub confirmed_at_ms: Option<i64>,
    /// The most bytes that may be kept.
    pub quota_bytes: Option<i64>,
    /// When the account was made, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// An account to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Names the account.
    pub id: UserId,
    /// What to show, 1 to 160 characters.
    pub name: String,
    /// Where mail goes, up to 160 characters; upper and lower case are the same.
    pub email: Option<String>,
    /// What is allowed.
    pub role: Role,
    /// A slow hash of the password, salt included; without one nobody signs in by password.
    pub password_hash: Option<String>,
}

/// Who a user is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Who vouches for it, 1 to 500 characters.
    pub issuer: String,
    /// What that calls the user, 1 to 255 characters.
    pub subject: String,
}

/// Changes of an account; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserEdit {
    /// What to show, 1 to 160 characters.
    pub name: Option<String>,
    /// Where mail goes.
    pub email: Option<String>,
    /// What is allowed.
    pub role: Option<Role>,
    /// Whether it is let in. Who is not loses all sessions at once.
    pub status: Option<UserStatus>,
    /// A slow hash of a new password, salt included. All sessions and waiting links end with the old one.
    pub password_hash: Option<String>,
    /// That mail to the address was answered.
    pub is_confirmed: bool,
}

/// Which users to list, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Letters that name or address contain, in any case.
    pub search: Option<String>,
    /// Only with this role.
    pub role: Option<Role>,
    /// Only with this status.
    pub status: Option<UserStatus>,
    /// At most so many; 0 stands for 100.
    pub limit: i64,
    /// The last user of the page before.
    pub after: Option<UserId>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Session {
    /// Names the session, and opens nothing.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// Whom they act as, if they do.
    pub acting_as: Option<UserId>,
    /// The network address it was opened from.
    pub address: String,
    /// The program it was opened with, as that says.
    pub agent: String,
    /// When it was opened, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ends.
    pub expires_at_ms: i64,
    /// When a password was last given or a link followed.
    pub authenticated_at_ms: i64,
    /// When its secret was last replaced.
    pub renewed_at_ms: i64,
}

/// A session to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// Names the session.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// What opens it.
    pub secret: SecretHash,
    /// How long it lasts.
    pub lifetime: Duration,
    /// The network address.
    pub address: String,
    /// The program.
    pub agent: String,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPurpose {
    /// A program's calls, again and again.
    Api,
    /// Signing in by a link in a mail, once.
    SignIn,
    /// Proving that a new address is one's own, once.
    ChangeEmail,
    /// Setting a new password without the old one, once.
    ResetPassword,
}

/// A secret given to a program or sent by mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Token {
    /// Names the token, and opens nothing.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// What it is for.
    pub purpose: TokenPurpose,
    /// What its owner calls it.
    pub label: String,
    /// What it may do, in words of the server.
    pub scopes: Vec<String>,
    /// The address that it was sent to.
    pub sent_to: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ends, if it does.
    pub expires_at_ms: Option<i64>,
    /// When it was last used.
    pub used_at_ms: Option<i64>,
}

/// A token to be given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Names the token.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// What it is for.
    pub purpose: TokenPurpose,
    /// What it is recognised by.
    pub secret: SecretHash,
    /// What its owner calls it, up to 160 characters.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The address that it is sent to. A token that was sent to an address the user no longer has is worth nothing.
    pub sent_to: Option<String>,
    /// How long it lasts; for ever where `None`.
    pub lifetime: Option<Duration>,
}

/// Who does something with special rights, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user: UserId,
    /// The network address, where there is one.
    pub address: Option<String>,
}

impl Actor {
    /// Somebody at the machine itself.
    pub const fn at_the_machine(user: UserId) -> Self {
        Self { user, address: None }
    }
}

/// A line of the log of what was done with special rights. Lines are added, never changed or removed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Lines are numbered in their order.
    pub seq: i64,
    /// Who did it.
    pub actor: UserId,
    /// What, for example "user.suspend".
    pub action: String,
    /// To what, for example "user".
    pub target_kind: String,
    /// To which.
    pub target: String,
    /// `{"before": …, "after": …}`, without secrets.
    pub changes: Value,
    /// From where.
    pub address: Option<String>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Which lines of the audit log to read, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only this actor's.
    pub actor: Option<UserId>,
    /// Only what was done to this.
    pub target: Option<String>,
    /// Only before this number; 0 stands for the newest.
    pub before: i64,
    /// At most so many; 0 stands for 100.
    pub limit: i64,
}

/// An address for mail as it is kept and compared.
///
/// # Errors
/// `Invalid` for what cannot be one.
pub fn mail_address(text: &str) -> LibraryResult<String> {
    let address = text.trim().to_lowercase();
    let is_whole = address
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    let is_clean = !address.contains(|letter: char| {
        letter.is_whitespace() || letter.is_control() || matches!(letter, ',' | ';' | '<' | '>' | '"')
    });
    if is_whole && is_clean && address.chars().count() <= EMAIL_LIMIT {
        return Ok(address);
    }
    let message = format!("{text:?} is not an address for mail, such as ann@example.org");
    Err(LibraryError::new(LibraryErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_case_and_refused_where_they_are_none() {
        assert_eq!(mail_address(" Ann@Example.ORG ").unwrap(), "ann@example.org");
        let long = format!("{}@b", "a".repeat(160));
        for wrong in ["", "ann", "@b", "a@", "a@b@c", "a b@c", "a,b@c", "a@b;c", "a\n@b", "<a@b>", &long] {
            assert_eq!(mail_address(wrong).unwrap_err().kind(), LibraryErrorKind::Invalid, "{wrong:?}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for role in
            ["user", "pro", "enterprise", "moderator", "admin", "platform_admin", "super_admin", "system"]
        {
            assert_eq!(role.parse::<Role>().unwrap().name(), role);
        }
        let error = "root".parse::<UserStatus>().unwrap_err();
        assert_eq!(error.to_string(), "\"root\" is no status; there are \"active\" \"suspended\" \"banned\"");
    }
}
