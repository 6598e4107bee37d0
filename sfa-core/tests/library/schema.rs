//! Both databases end with the same tables.
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

use std::collections::BTreeSet;

use sfa_core::library::SqliteStore;
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};

use crate::postgres;

/// What the search of one database needs and the other does by an index.
fn is_shared(table: &str) -> bool {
    !table.starts_with("search_") && !table.starts_with("sqlite_") && !table.starts_with("_sqlx")
}

/// What a column holds, by the name of its type in either database. Truths are numbers in one of them.
fn kind(name: &str) -> &'static str {
    match name.to_lowercase().as_str() {
        "text" => "text",
        "integer" | "bigint" | "boolean" => "number",
        "real" | "double precision" => "fraction",
        other => panic!("a type that only one database has: {other}"),
    }
}

async fn of_sqlite() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("library.sqlite");
    SqliteStore::open(&path).await.unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let mut schema = BTreeSet::new();
    let columns = sqlx::query(
        "select m.name as owner, c.name, c.type as kind, c.\"notnull\" = 1 or c.pk > 0 as is_needed, c.pk \
         from sqlite_schema m, pragma_table_info(m.name) c where m.type = 'table'",
    );
    for row in columns.fetch_all(&mut connection).await.unwrap() {
        let owner: String = row.get("owner");
        if is_shared(&owner) {
            let (name, is_needed) = (row.get::<String, _>("name"), row.get::<bool, _>("is_needed"));
            schema.insert(format!("{owner}.{name} {} {}", kind(row.get("kind")), needed(is_needed)));
        }
    }
    let indexes = sqlx::query(
        "select m.name as owner, l.\"unique\" = 1 as is_unique, l.partial = 1 as is_partial, \
         (select group_concat(coalesce(i.name, 'expression'), ',') from \
            (select name from pragma_index_info(l.name) order by seqno) i) as columns \
         from sqlite_schema m, pragma_index_list(m.name) l where m.type = 'table'",
    );
    for row in indexes.fetch_all(&mut connection).await.unwrap() {
        let owner: String = row.get("owner");
        if is_shared(&owner) {
            let columns: String = row.get("columns");
            schema.insert(index(&owner, &columns, row.get("is_unique"), row.get("is_partial")));
        }
    }
    let references = sqlx::query(
        "select m.name as owner, f.\"from\" as name, f.\"table\" as target, lower(f.on_delete) as end \
         from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.type = 'table'",
    );
    for row in references.fetch_all(&mut connection).await.unwrap() {
        let owner: String = row.get("owner");
        if is_shared(&owner) {
            schema.insert(reference(&owner, row.get("name"), row.get("target"), row.get("end")));
        }
    }
    // A number that is the row's own has no index of its own.
    schema.insert(index("audit_log", "seq", true, false));
    schema
}

async fn of_postgres(url: &str) -> BTreeSet<String> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut schema = BTreeSet::new();
    let columns = sqlx::query(
        "select table_name::text as owner, column_name::text as name, data_type::text as kind, \
         is_nullable = 'NO' as is_needed from information_schema.columns where table_schema = 'public'",
    );
    for row in columns.fetch_all(&mut connection).await.unwrap() {
        let owner: String = row.get("owner");
        if is_shared(&owner) {
            let (name, is_needed) = (row.get::<String, _>("name"), row.get::<bool, _>("is_needed"));
            schema.insert(format!("{owner}.{name} {} {}", kind(row.get("kind")), needed(is_needed)));
        }
    }
    let indexes = sqlx::query(
        "select t.relname::text as owner, i.relname::text as name, x.indisunique as is_unique, \
         x.indpred is not null as is_partial, \
         (select string_agg(coalesce(a.attname::text, 'expression'), ',' order by k.place) \
            from unnest(x.indkey) with ordinality as k (number, place) \
            left join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number and k.number > 0) as columns \
         from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid \
         join pg_namespace n on n.oid = t.relnamespace where n.nspname = 'public'",
    );
    for row in indexes.fetch_all(&mut connection).await.unwrap() {
        let (owner, name): (String, String) = (row.get("owner"), row.get("name"));
        if is_shared(&owner) && is_shared(&name) {
            let columns: String = row.get("columns");
            schema.insert(index(&owner, &columns, row.get("is_unique"), row.get("is_partial")));
        }
    }
    let references = sqlx::query(
        "select t.relname::text as owner, a.attname::text as name, f.relname::text as target, \
         case c.confdeltype when 'c' then 'cascade' when 'n' then 'set null' else 'no action' end as \"end\" \
         from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class f on f.oid = c.confrelid \
         join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1] where c.contype = 'f'",
    );
    for row in references.fetch_all(&mut connection).await.unwrap() {
        let owner: String = row.get("owner");
        schema.insert(reference(&owner, row.get("name"), row.get("target"), row.get("end")));
    }
    schema
}

fn needed(is_needed: bool) -> &'static str {
    if is_needed { "needed" } else { "optional" }
}

fn index(owner: &str, columns: &str, is_unique: bool, is_partial: bool) -> String {
    let unique = if is_unique { "unique " } else { "" };
    let partial = if is_partial { " of some rows" } else { "" };
    format!("{owner} {unique}index on {columns}{partial}")
}

fn reference(owner: &str, name: &str, target: &str, end: &str) -> String {
    format!("{owner}.{name} refers to {target}, on its end {end}")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_end_in_the_same_schema() {
    let Some(server) = postgres::Server::start() else {
        eprintln!("skipped: there is no PostgreSQL here");
        return;
    };
    drop(server.database().await);
    let (here, there) = (of_sqlite().await, of_postgres(&server.url("library")).await);
    assert!(here.len() > 150, "{here:#?}");
    let only_here: Vec<_> = here.difference(&there).collect();
    let only_there: Vec<_> = there.difference(&here).collect();
    assert!(
        only_here.is_empty() && only_there.is_empty(),
        "only in SQLite: {only_here:#?}, only in PostgreSQL: {only_there:#?}"
    );
}
