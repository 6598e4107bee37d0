//! How the tables came to be, step by step: the same numbers for both databases.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::library::{LibraryError, LibraryErrorKind, LibraryResult};

/// One step: its number, what it is for, and its statements for SQLite and for PostgreSQL.
type Step = (i64, &'static str, &'static str, &'static str);

const STEPS: [Step; 9] = [
    (1, "library", include_str!("sqlite/0001_library.sql"), include_str!("postgres/0001_library.sql")),
    (2, "accounts", include_str!("sqlite/0002_accounts.sql"), include_str!("postgres/0002_accounts.sql")),
    (3, "search", include_str!("sqlite/0003_search.sql"), include_str!("postgres/0003_search.sql")),
    (5, "lists", include_str!("sqlite/0005_lists.sql"), include_str!("postgres/0005_lists.sql")),
    (6, "safety", include_str!("sqlite/0006_safety.sql"), include_str!("postgres/0006_safety.sql")),
    (10, "packages", include_str!("sqlite/0010_packages.sql"), include_str!("postgres/0010_packages.sql")),
    (11, "cues", include_str!("sqlite/0011_cues.sql"), include_str!("postgres/0011_cues.sql")),
    (
        12,
        "identities",
        include_str!("sqlite/0012_identities.sql"),
        include_str!("postgres/0012_identities.sql"),
    ),
    (13, "upkeep", include_str!("sqlite/0013_upkeep.sql"), include_str!("postgres/0013_upkeep.sql")),
];

pub(super) fn sqlite() -> Migrator {
    migrator(|&(version, name, sqlite, _)| (version, name, sqlite))
}

pub(super) fn postgres() -> Migrator {
    migrator(|&(version, name, _, postgres)| (version, name, postgres))
}

/// The steps as they were when `version` was the last one.
///
/// # Errors
/// `Database` for one that this program does not know.
pub(super) fn postgres_until(version: i64) -> LibraryResult<Migrator> {
    if !STEPS.iter().any(|&(known, ..)| known == version) {
        let message =
            format!("its tables are of step {version}, which a newer version of this program knows");
        return Err(LibraryError::new(LibraryErrorKind::Database, message));
    }
    let all = postgres();
    let steps = all.iter().filter(|step| step.version <= version).cloned();
    Ok(Migrator::with_migrations(steps.collect()))
}

fn migrator(pick: impl Fn(&Step) -> (i64, &'static str, &'static str)) -> Migrator {
    let migration = |step| {
        let (version, name, statements) = pick(step);
        Migration::new(version, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.iter().map(migration).collect())
}
