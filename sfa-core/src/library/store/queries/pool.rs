//! Connections that are used again at once.
//!
//! The driver's own pool asks every connection that comes back whether it lives: a second round trip for each statement,
//! which for most of ours is the larger part of their cost. Here a connection that has just answered a statement is trusted,
//! and waits for the next one; whatever else may have happened to it, it takes the way through the driver's pool.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{
    Connection as _, Either, Error, Execute, Executor, Pool, Result, SqlSafeStr as _, SqlStr, Transaction,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BEGIN, Connection, Database};
use crate::library::store::TRUSTED;

type Row = <Database as sqlx::Database>::Row;
type QueryResult = <Database as sqlx::Database>::QueryResult;
type Statement = <Database as sqlx::Database>::Statement;
type TypeInfo = <Database as sqlx::Database>::TypeInfo;

/// Connections to the database, and those among them that nobody uses now.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: Pool<Database>,
    /// One for each connection: who has none waits here, and the driver's pool always has one left for who has.
    places: Arc<Semaphore>,
    shelf: Arc<Shelf>,
}

/// Connections that nobody uses, the one that was used last at the end.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<Idle>>);

#[derive(Debug)]
struct Idle {
    connection: PoolConnection<Database>,
    since: Instant,
}

/// A connection that is in use.
pub(crate) struct Lease {
    connection: PoolConnection<Database>,
    place: OwnedSemaphorePermit,
}

/// A transaction, which is undone unless it is committed.
pub(crate) struct Open {
    transaction: Transaction<'static, Database>,
    _place: OwnedSemaphorePermit,
}

impl Shelf {
    fn locked(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        // A library may be dropped when its runtime is gone already, where the driver's pool takes nothing back.
        for idle in self.locked().drain(..) {
            drop(idle.connection.leak());
        }
    }
}

impl Connections {
    /// Up to `most` connections of `pool`, which has at least as many.
    pub(crate) fn new(pool: Pool<Database>, most: u32) -> Self {
        let places = Arc::new(Semaphore::new(most as usize));
        Self { pool, places, shelf: Arc::default() }
    }

    /// The driver's pool behind them.
    pub(crate) fn pool(&self) -> &Pool<Database> {
        &self.pool
    }

    /// How many there are, and how many of those nobody uses.
    pub(crate) fn counted(&self) -> (u32, u32) {
        let idle = self.pool.num_idle() + self.shelf.locked().len();
        (self.pool.size(), u32::try_from(idle).unwrap_or(u32::MAX))
    }

    /// A connection for several statements.
    pub(crate) async fn lease(&self) -> Result<Lease> {
        let limit = self.pool.options().get_acquire_timeout();
        let place = tokio::time::timeout(limit, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_| Error::PoolTimedOut)?
            .map_err(|_| Error::PoolClosed)?;
        let connection = match self.trusted() {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(Lease { connection, place })
    }

    /// One that answered a moment ago. Where there is none, the others go back to the driver's pool.
    fn trusted(&self) -> Option<PoolConnection<Database>> {
        let mut idle = self.shelf.locked();
        match idle.pop()? {
            last if last.since.elapsed() <= TRUSTED => Some(last.connection),
            _ => {
                idle.clear();
                None
            }
        }
    }

    /// Takes back a connection that has just answered. One that is dropped instead is asked whether it lives.
    pub(crate) fn keep(&self, Lease { connection, place }: Lease) {
        if !connection.is_in_transaction() {
            self.shelf.locked().push(Idle { connection, since: Instant::now() });
        }
        drop(place);
    }

    pub(crate) async fn begin(&self) -> Result<Open> {
        self.begin_with(BEGIN).await
    }

    pub(crate) async fn begin_with(&self, statement: &'static str) -> Result<Open> {
        let Lease { connection, place } = self.lease().await?;
        let transaction = Transaction::begin(connection, Some(statement.into_sql_str())).await?;
        Ok(Open { transaction, _place: place })
    }
}

impl<'p> Executor<'p> for &'p Connections {
    type Database = Database;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<QueryResult, Row>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Database>,
    {
        let answer = async move {
            let mut lease = self.lease().await?;
            let steps: Vec<_> = lease.connection.fetch_many(query).try_collect().await?;
            self.keep(lease);
            Ok::<_, Error>(stream::iter(steps.into_iter().map(Ok)))
        };
        stream::once(answer).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<Row>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Database>,
    {
        Box::pin(async move {
            let mut lease = self.lease().await?;
            let row = lease.connection.fetch_optional(query).await?;
            self.keep(lease);
            Ok(row)
        })
    }

    fn prepare_with<'e>(
        self,
        statement: SqlStr,
        parameters: &'e [TypeInfo],
    ) -> BoxFuture<'e, Result<Statement>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(statement, parameters)
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Open {
    pub(crate) async fn commit(self) -> Result<()> {
        self.transaction.commit().await
    }

    pub(crate) async fn rollback(self) -> Result<()> {
        self.transaction.rollback().await
    }
}

impl Deref for Open {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}
