//! How often somebody may ask.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sfa_core::library::UserId;

use super::error::{ApiError, ApiResult};
use super::options::Rates;

/// Names that are remembered before those that have nothing to wait for are forgotten.
const FORGET_AT: usize = 10_000;

/// So many at once, and after that as many in each `period`, evenly.
///
/// Of each name only the time is kept at which it would have all of its allowance again.
pub(super) struct Limiter<K> {
    most: u32,
    step: Duration,
    whole_again: Mutex<HashMap<K, Instant>>,
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) most: u32,
    pub(super) left: u32,
}

impl<K: Hash + Eq> Limiter<K> {
    pub(super) fn new(most: u32, period: Duration) -> Self {
        let most = most.max(1);
        Self { most, step: period / most, whole_again: Mutex::default() }
    }

    /// Takes one, where there is one left; else says how long to wait.
    pub(super) fn take(&self, name: K) -> Result<Allowance, Duration> {
        self.take_at(name, Instant::now())
    }

    /// Fails where there is none left, and takes none.
    pub(super) fn peek(&self, name: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let names = self.whole_again.lock().unwrap_or_else(PoisonError::into_inner);
        match names.get(name) {
            Some(whole_again) => self.after(*whole_again, now).map(|_| ()),
            None => Ok(()),
        }
    }

    fn take_at(&self, name: K, now: Instant) -> Result<Allowance, Duration> {
        let mut names = self.whole_again.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= FORGET_AT {
            names.retain(|_, whole_again| *whole_again > now);
        }
        let whole_again = names.entry(name).or_insert(now);
        *whole_again = self.after(*whole_again, now)?;
        let used = whole_again.duration_since(now).as_nanos().div_ceil(self.step.as_nanos().max(1));
        let left = self.most.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        Ok(Allowance { most: self.most, left })
    }

    /// When one would have all again that takes one now.
    fn after(&self, whole_again: Instant, now: Instant) -> Result<Instant, Duration> {
        let next = whole_again.max(now) + self.step;
        let latest = now + self.step * self.most;
        if next <= latest { Ok(next) } else { Err(next - latest) }
    }
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    User(UserId),
    Network(IpAddr),
}

impl Who {
    /// An address as it is counted: one who has an IPv6 address has at least 2^64 of them.
    pub(super) fn at(address: IpAddr) -> Self {
        Self::Network(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() >> 64 << 64).into(),
        })
    }
}

/// Every limit of the server.
pub(super) struct Limits {
    pub(super) browser: Limiter<Who>,
    pub(super) program: Limiter<Who>,
    pub(super) heavy: Limiter<Who>,
    /// Cookies and tokens that open nothing. Pages of other sites can send none, and so lock nobody out.
    pub(super) guesses: Limiter<Who>,
    /// Wrong passwords from one network, whosever.
    wrong_by_network: Limiter<Who>,
    /// Wrong passwords for one account from one network.
    wrong_by_both: Limiter<(String, Who)>,
    /// Wrong passwords for one account from anywhere.
    wrong_by_account: Limiter<String>,
    /// Mail to one address that one network asked for.
    mail_by_both: Limiter<(String, Who)>,
    /// Mail to one address.
    mail_by_address: Limiter<String>,
}

impl Limits {
    pub(super) fn new(rates: Rates) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            browser: Limiter::new(rates.browser, minute),
            program: Limiter::new(rates.program, minute),
            heavy: Limiter::new(rates.heavy, minute),
            guesses: Limiter::new(rates.browser, minute),
            wrong_by_network: Limiter::new(30, 10 * minute),
            wrong_by_both: Limiter::new(6, 5 * minute),
            wrong_by_account: Limiter::new(100, 60 * minute),
            mail_by_both: Limiter::new(5, 15 * minute),
            mail_by_address: Limiter::new(20, 60 * minute),
        }
    }

    /// Whether a password may be tried. Somebody who knows an address cannot lock its owner out: where the account
    /// was signed in to from this network (`is_known`), tries from elsewhere do not count.
    pub(super) fn may_try_password(&self, email: &str, who: Who, is_known: bool) -> ApiResult<()> {
        let verdict = self
            .wrong_by_network
            .peek(&who)
            .and_then(|()| self.wrong_by_both.peek(&(email.to_owned(), who)))
            .and_then(|()| if is_known { Ok(()) } else { self.wrong_by_account.peek(&email.to_owned()) });
        verdict.map_err(refusal)
    }

    /// Counts a mail to an address, whether somebody has an account with it or not; fails for one too many.
    pub(super) fn take_mail(&self, email: &str, who: Who) -> ApiResult<()> {
        let taken = self.mail_by_both.take((email.to_owned(), who));
        taken.and_then(|_| self.mail_by_address.take(email.to_owned())).map(|_| ()).map_err(refusal)
    }

    /// Counts a wrong password.
    pub(super) fn note_wrong_password(&self, email: &str, who: Who) {
        // Whether something is left decides the next try, not this one.
        self.wrong_by_network.take(who).ok();
        self.wrong_by_both.take((email.to_owned(), who)).ok();
        self.wrong_by_account.take(email.to_owned()).ok();
    }
}

/// Open connections of one user at once.
const MOST_PLACES: usize = 32;

/// Who has how many connections open.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<HashMap<UserId, usize>>>);

/// One of them, until it is dropped.
pub(super) struct Place {
    places: Places,
    user: UserId,
}

impl Places {
    pub(super) fn take(&self, user: UserId) -> ApiResult<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = places.entry(user).or_default();
        if *taken >= MOST_PLACES {
            let message = format!("{MOST_PLACES} connections are open; close some");
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_connections", message));
        }
        *taken += 1;
        Ok(Place { places: self.clone(), user })
    }

    /// How many are open.
    pub(super) fn taken(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = places.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                places.remove(&self.user);
            }
        }
    }
}

pub(super) fn refusal(wait: Duration) -> ApiError {
    ApiError::too_many(wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_evenly() {
        let limiter = Limiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        for left in [2, 1, 0] {
            assert_eq!(limiter.take_at("ann", start), Ok(Allowance { most: 3, left }));
        }
        assert_eq!(limiter.take_at("ann", start), Err(Duration::from_secs(20)));
        assert!(limiter.take_at("ben", start).is_ok(), "everybody has their own");
        let later = start + Duration::from_secs(20);
        assert_eq!(limiter.take_at("ann", later).map(|allowance| allowance.left), Ok(0));
        assert!(limiter.take_at("ann", later).is_err());
        let much_later = start + Duration::from_secs(3600);
        assert_eq!(limiter.take_at("ann", much_later).map(|allowance| allowance.left), Ok(2));
    }

    #[test]
    fn names_with_nothing_to_wait_for_are_forgotten() {
        let limiter = Limiter::new(1, Duration::from_secs(1));
        let start = Instant::now();
        for name in 0..FORGET_AT {
            limiter.take_at(name, start).unwrap();
        }
        limiter.take_at(FORGET_AT, start + Duration::from_secs(2)).unwrap();
        assert_eq!(limiter.whole_again.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_network_is_counted_not_each_of_its_addresses() {
        let who = |text: &str| Who::at(text.parse().unwrap());
        assert_eq!(who("2001:db8::1"), who("2001:db8::ffff:1"));
        assert_ne!(who("2001:db8::1"), who("2001:db8:0:1::1"));
        assert_ne!(who("192.0.2.1"), who("192.0.2.2"));
    }

    #[test]
    fn a_victim_is_not_locked_out_by_others() {
        let limits = Limits::new(Rates::default());
        let who = |last: u8| Who::at([192, 0, 2, last].into());
        for network in 0..20 {
            for _ in 0..6 {
                limits.note_wrong_password("ann", who(network));
            }
        }
        assert!(limits.may_try_password("ann", who(1), false).is_err());
        assert!(limits.may_try_password("ann", who(99), false).is_err(), "tries from everywhere are seen");
        assert!(limits.may_try_password("ann", who(99), true).is_ok(), "she signs in where she did before");
        assert!(limits.may_try_password("ben", who(99), false).is_ok());
    }
}
