//! The log of this process, as it is written: what the caller's own requests and jobs have said, or all of it for those
//! who may see how the server is.

use serde_json::{Value, json};
use sfa_core::library::UserId;
use tracing::Level;

use crate::http::App;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, ApiResult};
use crate::http::journal::{Entry, Following};
use crate::http::rights::Right;

/// Which entries: all that are named have to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// At least as grave as this.
    level: Level,
    /// What the name of the part of the program begins with.
    target: Option<String>,
    job: Option<String>,
    request: Option<String>,
}

impl Filter {
    /// From what stands behind the "?" of a topic: `level=warn&target=sfa_core&job=ID&request=ID`.
    pub(super) fn read(query: &str) -> ApiResult<Self> {
        let mut filter = Self { level: Level::TRACE, target: None, job: None, request: None };
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name {
                "level" => {
                    let levels = "the level of a log is error, warn, info, debug or trace";
                    filter.level = value.parse().map_err(|_| ApiError::invalid(levels))?;
                }
                "target" => filter.target = Some(value.to_owned()),
                "job" => filter.job = Some(value.to_owned()),
                "request" => filter.request = Some(value.to_owned()),
                _ => return Err(ApiError::invalid("a log is filtered by level, target, job and request")),
            }
        }
        Ok(filter)
    }

    fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, name| {
            wanted.as_deref().is_none_or(|wanted| entry.text(name) == Some(wanted))
        };
        entry.level <= self.level
            && self.target.as_deref().is_none_or(|target| entry.target.starts_with(target))
            && is(&self.job, "job_id")
            && is(&self.request, "request_id")
    }
}

/// Entries that a caller may see and wants to.
pub(super) struct Inspector {
    filter: Filter,
    /// Whose alone, for those who may not see all.
    own: Option<UserId>,
    following: Following,
}

impl Inspector {
    /// The right that is needed to see as much as this caller does.
    pub(super) fn right(caller: &Caller) -> Right {
        match Right::SeeSystem.make_sure(caller) {
            Ok(()) => Right::SeeSystem,
            Err(_) => Right::Read,
        }
    }

    /// What is there already, and what comes.
    pub(super) fn open(app: &App, caller: &Caller, filter: Filter) -> (Value, Self) {
        let own = (Self::right(caller) != Right::SeeSystem).then_some(caller.user.id);
        let (before, following) = app.options.journal.follow();
        let inspector = Self { filter, own, following };
        let entries = before.iter().map(|entry| &**entry).filter(|entry| inspector.shows(entry));
        let entries: Vec<&Entry> = entries.collect();
        (json!({"entries": entries}), inspector)
    }

    fn shows(&self, entry: &Entry) -> bool {
        let is_own = |user: UserId| entry.text("user_id") == Some(&user.to_string());
        self.own.is_none_or(is_own) && self.filter.takes(entry)
    }

    /// Waits for the next entry, or for that some went by unseen: its kind, and what it says.
    pub(super) async fn next(&mut self) -> (String, Value) {
        loop {
            match self.following.next().await {
                Ok(entry) if self.shows(&entry) => return ("entry".to_owned(), json!({"entry": &*entry})),
                Ok(_) => {}
                Err(missed) => return ("missed".to_owned(), json!({"entries": missed})),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(level: Level, target: &'static str, fields: Value) -> Entry {
        let Value::Object(fields) = fields else { panic!("{fields}") };
        Entry { number: 1, at_ms: 0, level, target: target.into(), message: String::new(), fields }
    }

    #[test]
    fn all_that_is_named_has_to_fit() {
        let filter = Filter::read("level=warn&target=sfa_core&job=j").unwrap();
        let takes = |level, target, job: &str| filter.takes(&entry(level, target, json!({"job_id": job})));
        assert!(takes(Level::WARN, "sfa_core::library", "j") && takes(Level::ERROR, "sfa_core", "j"));
        assert!(!takes(Level::INFO, "sfa_core", "j") && !takes(Level::WARN, "sfa_server", "j"));
        assert!(!takes(Level::WARN, "sfa_core", "k"));
        assert!(!filter.takes(&entry(Level::ERROR, "sfa_core", json!({}))));
        assert!(Filter::read("").unwrap().takes(&entry(Level::TRACE, "x", json!({}))));
        for wrong in ["level=loud", "user=x", "level"] {
            assert!(Filter::read(wrong).is_err(), "{wrong}");
        }
    }
}
