//! Stores to test with.

use crible_case::{Action, CaseId, Disposition, OperationId, Order, Refusal, Settings};
use crible_core::{EntityId, Timestamp};
use crible_store::{Store, StoreKey, Txn};

use crate::{alerts, postgres};

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

pub(crate) fn now(minutes: i64) -> Timestamp {
    alerts::minute(minutes)
}

pub(crate) fn entity(bits: u64) -> EntityId {
    EntityId::new(bits).unwrap()
}

/// An address of which there is no store yet, of each kind of database.
pub(crate) fn each_address(test: impl AsyncFn(String)) {
    let folder = tempfile::tempdir().unwrap();
    block_on(test(folder.path().join("alerts.db").display().to_string()));
    if let Some(url) = postgres::database() {
        block_on(test(url));
    }
}

/// An empty store of each kind.
pub(crate) fn each_store(test: impl AsyncFn(Store)) {
    each_address(async |url| {
        let store = Store::open(&url, &key(), now(0)).await.unwrap();
        test(store.clone()).await;
        store.close().await;
    });
}

/// A transaction at a minute.
pub(crate) async fn begin(store: &Store, minutes: i64) -> Txn {
    store.begin(now(minutes)).await.unwrap()
}

/// Takes in alerts, and commits.
pub(crate) async fn receive(store: &Store, minutes: i64, came: &[alerts::Came]) -> Vec<CaseId> {
    let mut txn = begin(store, minutes).await;
    let facts = came.iter().map(|came| came.facts()).collect();
    let received = txn.receive(&Settings::default(), facts).await.unwrap();
    txn.commit().await.unwrap();
    received.into_iter().map(|(_, became)| became.case()).collect()
}

/// Does something about a case as `ana`, and commits.
pub(crate) async fn act(store: &Store, minutes: i64, case: CaseId, action: &Action) -> Result<OperationId, Refusal> {
    let order: Order = alerts::order("ana", minutes);
    let mut txn = begin(store, minutes).await;
    let done = txn.act(&Settings::default(), &order, case, action).await.unwrap();
    txn.commit().await.unwrap();
    done
}

pub(crate) fn note(text: &str) -> Action {
    Action::Note(text.parse().unwrap())
}

pub(crate) fn close(disposition: Disposition) -> Action {
    Action::Close { disposition, note: None, quiet_until: None }
}

/// Runs a statement behind the store's back.
pub(crate) async fn tamper(store: &Store, statement: &'static str) {
    sqlx::any::install_drivers(&[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER]).unwrap_or(());
    let address = store.address();
    let url = if address.starts_with("postgres") { address } else { format!("sqlite://{address}") };
    let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let changed = sqlx::query(statement).execute(&mut db).await.unwrap().rows_affected();
    assert!(changed > 0, "{statement}");
    sqlx::Connection::close(db).await.unwrap();
}
