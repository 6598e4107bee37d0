//! Copies of all rows as text, read in one transaction that sees one moment, and their way back into an empty database.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::PostgresStore;
use super::queries::{failed, migration_failed};
use crate::library::store::migrations;
use crate::library::{Blob, DatabaseKind, LibraryError, LibraryErrorKind, LibraryResult, RowsCopy};

/// Every table of ours with its columns.
const TABLES: &str = "select cast(c.relname as text), string_agg(cast(a.attname as text), ', ' order by a.attnum) \
    from pg_class c join pg_attribute a on a.attrelid = c.oid \
    where c.relnamespace = cast(current_schema() as regnamespace) and c.relkind = 'r' \
        and c.relname <> '_sqlx_migrations' and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' \
    group by c.relname order by c.relname";
/// Which table refers to which.
const REFERENCES: &str = "select cast(child.relname as text), cast(parent.relname as text) \
    from pg_constraint k join pg_class child on child.oid = k.conrelid join pg_class parent on parent.oid = k.confrelid \
    where k.contype = 'f' and child.relnamespace = cast(current_schema() as regnamespace) and child.oid <> parent.oid";
/// Columns that the database numbers by itself.
const NUMBERED: &str = "select cast(table_name as text), cast(column_name as text) \
    from information_schema.columns where table_schema = current_schema() and is_identity = 'YES'";
const ANY_TABLE: &str = "select exists (select 1 from pg_class \
    where relnamespace = cast(current_schema() as regnamespace) and relkind in ('r', 'p'))";
/// What was noted of where the rows are from.
const ORIGIN: &str = "select obj_description(to_regclass('_sqlx_migrations'))";
/// A large library takes longer than any other statement may.
const NO_LIMIT: &str = "set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0";

/// Writes the rows of one moment into `folder`.
pub(super) async fn copy_rows(rows: &PostgresStore, folder: &Path) -> LibraryResult<RowsCopy> {
    let begin = "begin isolation level repeatable read read only";
    let mut moment = rows.writer.begin_with(begin).await.map_err(failed)?;
    sqlx::raw_sql(NO_LIMIT).execute(&mut *moment).await.map_err(failed)?;
    let tables: Vec<(String, String)> =
        sqlx::query_as(TABLES).fetch_all(&mut *moment).await.map_err(failed)?;
    let references: Vec<(String, String)> =
        sqlx::query_as(REFERENCES).fetch_all(&mut *moment).await.map_err(failed)?;
    let mut files = Vec::new();
    for (table, columns) in in_order(tables, &references) {
        let file = format!("{:02}-{table}.copy", files.len());
        write_table(&mut moment, &table, &columns, &folder.join(&file)).await?;
        files.push(file);
    }
    let migration = sqlx::query_scalar("select max(version) from _sqlx_migrations");
    let migration = migration.fetch_one(&mut *moment).await.map_err(failed)?;
    let blobs: Vec<(String, i64)> = sqlx::query_as("select hash, size_bytes from blobs order by hash")
        .fetch_all(&mut *moment)
        .await
        .map_err(failed)?;
    moment.rollback().await.map_err(failed)?;
    let blobs = blobs.into_iter().map(|(hash, size_bytes)| Blob { hash, size_bytes }).collect();
    Ok(RowsCopy { database: DatabaseKind::Postgres, migration, files, blobs })
}

/// The tables in an order in which none refers to a later one.
fn in_order(tables: Vec<(String, String)>, references: &[(String, String)]) -> Vec<(String, String)> {
    let mut left: BTreeMap<String, String> = tables.into_iter().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |table: &String| {
            references.iter().any(|(child, parent)| child == table && left.contains_key(parent))
        };
        let free =
            left.keys().find(|table| !waits(table)).or(left.keys().next()).cloned().unwrap_or_default();
        ordered.extend(left.remove_entry(&free));
    }
    ordered
}

async fn write_table(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    path: &Path,
) -> LibraryResult<()> {
    let unwritten = |error| LibraryError::storage(path, error);
    let mut file = tokio::fs::File::create_new(path).await.map_err(unwritten)?;
    file.write_all(format!("{table} ({columns})\n").as_bytes()).await.map_err(unwritten)?;
    let statement = format!("copy {table} ({columns}) to stdout");
    let mut rows = connection.copy_out_raw(&statement).await.map_err(failed)?;
    while let Some(part) = rows.try_next().await.map_err(failed)? {
        file.write_all(&part).await.map_err(unwritten)?;
    }
    file.sync_all().await.map_err(unwritten)
}

impl PostgresStore {
    /// What the tables of the database at `url` were filled from, as [`fill`](Self::fill) was told, or nothing known
    /// (""); `None` where it has no tables.
    ///
    /// # Errors
    /// `Database` when it cannot be reached.
    pub async fn origin(url: &str) -> LibraryResult<Option<String>> {
        let mut connection = connect(url).await?;
        if !is_used(&mut connection).await? {
            return Ok(None);
        }
        let origin: Option<String> =
            sqlx::query_scalar(ORIGIN).fetch_one(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)?;
        Ok(Some(origin.unwrap_or_default()))
    }

    /// Fills the database at `url` with the rows that [`copy_rows`](crate::library::Store::copy_rows) has written into
    /// `folder`, all or none, and notes that they are from `origin`. There must be no table in it.
    ///
    /// # Errors
    /// `Conflict` when there is one, `Database` when it cannot be reached or the copy is from a newer version of this
    /// program, `Invalid` for files that hold something else.
    pub async fn fill(url: &str, copy: &RowsCopy, folder: &Path, origin: &str) -> LibraryResult<()> {
        let mut connection = connect(url).await?;
        if is_used(&mut connection).await? {
            let message = "this database has tables already; make an empty one and name that";
            return Err(LibraryError::new(LibraryErrorKind::Conflict, message));
        }
        // What came after the copy was made changes rows too, and so has to find them.
        let steps = migrations::postgres_until(copy.migration)?;
        let mut all = connection.begin().await.map_err(failed)?;
        steps.run(&mut *all).await.map_err(migration_failed)?;
        for file in &copy.files {
            read_table(&mut all, &folder.join(file)).await?;
        }
        let numbered: Vec<(String, String)> =
            sqlx::query_as(NUMBERED).fetch_all(&mut *all).await.map_err(failed)?;
        for (table, column) in numbered {
            // Names of our own tables.
            let statement = format!(
                "select setval(pg_get_serial_sequence('{table}', '{column}'), coalesce(max({column}), 1), \
                 max({column}) is not null) from {table}"
            );
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *all).await.map_err(failed)?;
        }
        // Names of our own; a comment takes no parameters.
        let plain: String = origin.chars().filter(char::is_ascii_alphanumeric).collect();
        let note = format!("comment on table _sqlx_migrations is '{plain}'");
        sqlx::raw_sql(AssertSqlSafe(note)).execute(&mut *all).await.map_err(failed)?;
        all.commit().await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }
}

async fn connect(url: &str) -> LibraryResult<PgConnection> {
    let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("sfa");
    PgConnection::connect_with(&options).await.map_err(failed)
}

async fn is_used(connection: &mut PgConnection) -> LibraryResult<bool> {
    sqlx::query_scalar(ANY_TABLE).fetch_one(connection).await.map_err(failed)
}

async fn read_table(connection: &mut PgConnection, path: &Path) -> LibraryResult<()> {
    let unread = |error| LibraryError::storage(path, error);
    let mut file = BufReader::new(tokio::fs::File::open(path).await.map_err(unread)?);
    let mut head = String::new();
    file.read_line(&mut head).await.map_err(unread)?;
    let is_plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_ ,()".contains(letter);
    if !head.trim_end().chars().all(is_plain) {
        let message = format!("{}: this is no table", path.display());
        return Err(LibraryError::new(LibraryErrorKind::Invalid, message));
    }
    let mut table =
        connection.copy_in_raw(&format!("copy {} from stdin", head.trim_end())).await.map_err(failed)?;
    let mut sent = Ok(());
    loop {
        let part = match file.fill_buf().await {
            Ok([]) => break,
            Ok(part) => part.to_vec(),
            Err(error) => {
                sent = Err(unread(error));
                break;
            }
        };
        file.consume(part.len());
        if let Err(error) = table.send(part).await {
            sent = Err(failed(error));
            break;
        }
    }
    match sent {
        Ok(()) => table.finish().await.map(|_| ()).map_err(failed),
        Err(error) => {
            table.abort("the copy cannot be read").await.ok();
            Err(error)
        }
    }
}
