//! How long it takes to write alerts into cases, and to list them: `intake DATABASE ALERTS`.

use std::error::Error;
use std::time::Instant;

use crible_alert::{ModelId, Severity, wire};
use crible_case::{Action, CaseId, Facts, Order};
use crible_core::{EntityId, Timestamp, TxnId};
use crible_store::{CaseFilter, Store, StoreKey};

fn alert(n: u64, accounts: u64) -> Result<Facts, Box<dyn Error>> {
    let account = EntityId::from_pseudorandom(1 + n % accounts);
    let counterparty = EntityId::from_pseudorandom(1_000_000 + n % 5_000);
    let transaction = TxnId(u128::from(n) << 64 | 7);
    let at = Timestamp(1_717_200_000_000_000 + n as i64 * 30 * Timestamp::SECOND);
    let severity = Severity::ALL[(n % 3) as usize];
    let id = crible_alert::AlertId::of(transaction);
    let reason = |i: u32| wire::Reason {
        feature: format!("column_{i}"),
        text: format!("$412.00 is {i} times what this account usually pays ($44)"),
        value: Some(412.5),
        typical: Some(44.0),
        share: 0.2,
    };
    let alert = wire::Alert {
        schema: wire::SCHEMA.to_owned(),
        id,
        transaction: transaction.to_string(),
        account: account.to_string(),
        counterparty: Some(counterparty.to_string()),
        at: at.to_string(),
        amount: wire::Amount { value: "-412.00".to_owned(), currency: "USD".to_owned() },
        score: 6.25,
        tail: 0.0004,
        severity,
        rank: 3,
        day: "2024-06-01".to_owned(),
        reasons: (0..5).map(reason).collect(),
        looks_like: Some("an account being emptied".to_owned()),
        ring: None,
        model: ModelId(7),
        source: Some(wire::Source { feed: "sparkov".to_owned(), file: "export.csv".to_owned(), row: n }),
        payments: Vec::new(),
        note: None,
    };
    Ok(Facts::new(alert, None)?)
}

#[expect(clippy::disallowed_methods, reason = "times are shown to a person")]
fn now() -> Instant {
    Instant::now()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, alerts] = &arguments[..] else { return Err("expected DATABASE ALERTS".into()) };
    let alerts: u64 = alerts.parse()?;
    let facts = (0..alerts).map(|n| alert(n, alerts / 2 + 1)).collect::<Result<Vec<_>, _>>()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let at = Timestamp(1_800_000_000_000_000);
        let start = now();
        let store = Store::open(url, &StoreKey::new([7; 32]), at).await?;
        println!("open      {:>8.1} ms", start.elapsed().as_secs_f64() * 1e3);
        for what in ["write", "again"] {
            let facts = facts.clone();
            let start = now();
            let mut txn = store.begin(at).await?;
            let intake = txn.intake().await?;
            txn.take_in(&intake, facts).await?;
            txn.commit().await?;
            println!("{what:<9} {:>8.1} ms for {alerts} alerts", start.elapsed().as_secs_f64() * 1e3);
        }
        let start = now();
        let mut reader = store.read(at).await?;
        let rows = reader.cases(&CaseFilter::default(), 0, 50).await?;
        let all = reader.count_cases(&CaseFilter::default()).await?;
        println!("list      {:>8.1} ms for {} of {all} cases", start.elapsed().as_secs_f64() * 1e3, rows.len());
        drop(reader);
        let start = now();
        let mut txn = store.begin(at).await?;
        let settings = txn.settings().await?;
        let order = Order::new("ana".parse()?, at);
        txn.act(&settings, &order, CaseId(1), &Action::Note("seen".parse()?)).await??;
        txn.commit().await?;
        println!("act       {:>8.1} ms", start.elapsed().as_secs_f64() * 1e3);
        let start = now();
        let verified = store.read(at).await?.verify().await??;
        println!("verify    {:>8.1} ms for {} entries", start.elapsed().as_secs_f64() * 1e3, verified.entries);
        Ok(())
    })
}
