//! Alerts into a store: those of a run, and those of files.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use crible_alert::wire;
use crible_case::{Facts, Received};
use crible_core::EntityId;
use crible_ingest::FileReport;
use crible_notify::config::Config;
use crible_store::{Kept, Store, Taken};

use crate::alerts::on_the_wire;
use crate::args::{AlertsArgs, AlertsCommand, StoreArgs};
use crate::notify::NotifyArgs;
use crate::store::{block_on, now, say};
use crate::terminal::json;

/// Alerts of a file that are taken in with one transaction.
const AT_ONCE: usize = 4_096;

/// The store that a run writes alerts and cases to.
pub(crate) struct CaseStore {
    runtime: tokio::runtime::Runtime,
    store: Store,
    config: Option<Config>,
}

impl CaseStore {
    /// Opens it, where one is named: a run should not end in a store that refuses.
    pub(crate) fn open(args: &StoreArgs, notify: &NotifyArgs) -> Result<Option<Self>> {
        if args.url().is_none() {
            return Ok(None);
        }
        let config = notify.read()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("cannot wait for the store")?;
        let store = runtime.block_on(args.make())?;
        Ok(Some(Self { runtime, store, config }))
    }

    /// Whether customers are asked, who know the other side by its name.
    pub(crate) fn asks_customers(&self) -> bool {
        self.config.as_ref().is_some_and(Config::asks_customers)
    }

    /// Writes alerts of these files, all or none, and says what became of them. `merchant` is what a customer knows a
    /// counterparty by.
    pub(crate) fn take(
        &self,
        alerts: &[crible_alert::Alert],
        files: &[FileReport],
        merchant: impl Fn(EntityId) -> Option<String>,
    ) -> Result<()> {
        let merchant = |alert: &wire::Alert| merchant(alert.counterparty.as_ref()?.parse().ok()?);
        let facts = alerts.iter().map(|alert| Ok(Facts::new(on_the_wire(alert, files), None)?));
        let facts = facts.collect::<Result<Vec<_>>>()?;
        let taken = self.runtime.block_on(take_in(&self.store, self.config.as_ref(), facts, merchant))?;
        self.runtime.block_on(self.store.close());
        say(&told(&taken, &self.store));
        Ok(())
    }
}

/// Alerts, cases and what is to be sent about them, all or none.
async fn take_in(
    store: &Store,
    config: Option<&Config>,
    facts: Vec<Facts>,
    merchant: impl Fn(&wire::Alert) -> Option<String>,
) -> Result<Vec<Taken>> {
    let mut txn = store.begin(now()).await?;
    let taken = match config {
        Some(config) => crible_dispatch::take_in(&mut txn, config, facts, merchant).await?,
        None => {
            let intake = txn.intake().await?;
            txn.take_in(&intake, facts).await?
        }
    };
    txn.commit().await?;
    Ok(taken)
}

fn told(taken: &[Taken], store: &Store) -> String {
    let count = |is: &dyn Fn(&Taken) -> bool| taken.iter().filter(|taken| is(taken)).count();
    let opened = count(&|taken| matches!(taken.received, Received::Opened(_)));
    let joined = count(&|taken| matches!(taken.received, Received::Joined(_) | Received::Quiet(_)));
    let known = count(&|taken| taken.kept == Some(Kept::Known));
    let kept = count(&|taken| taken.kept.as_ref().is_some_and(|kept| *kept != Kept::Known));
    format!(
        "cases: {opened} opened, {joined} alerts joined one, {known} alerts were known, nobody is to be told of {kept}; \
         see crible cases list --store {}",
        store.address()
    )
}

/// `crible alerts`.
pub(crate) fn run(args: &AlertsArgs) -> Result<ExitCode> {
    block_on(async {
        let mut out = io::stdout().lock();
        match &args.command {
            AlertsCommand::List { limit, skip } => {
                let store = args.store.open().await?;
                for (_, facts) in store.read(now()).await?.alerts(*skip, *limit).await? {
                    writeln!(out, "{}", json(&facts.alert().to_line()?))?;
                }
            }
            AlertsCommand::Show { alert } => {
                let store = args.store.open().await?;
                let mut reader = store.read(now()).await?;
                let case = reader.case_of(*alert).await?.with_context(|| format!("there is no alert {alert}"))?;
                let facts = reader.alert(*alert).await?;
                let facts = facts.with_context(|| format!("alert {alert} of case {case} is erased"))?;
                writeln!(out, "{}", json(&facts.alert().to_line()?))?;
                say(&format!("case {case}"));
            }
            AlertsCommand::Import { files, notify } => {
                let config = notify.read()?;
                let store = args.store.make().await?;
                for file in files {
                    let taken = import(&store, config.as_ref(), file).await?;
                    say(&told(&taken, &store));
                }
                store.close().await;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn import(store: &Store, config: Option<&Config>, file: &Path) -> Result<Vec<Taken>> {
    let reader: Box<dyn BufRead> = match file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(BufReader::new(File::open(file).with_context(|| format!("{}", file.display()))?)),
    };
    let (mut taken, mut part) = (Vec::new(), Vec::new());
    for (number, line) in reader.lines().enumerate() {
        let at = || format!("{}, line {}", file.display(), number + 1);
        let line = line.with_context(at)?;
        if line.trim().is_empty() {
            continue;
        }
        let alert = wire::Alert::from_line(&line).map_err(|error| bad(&at(), &error))?;
        part.push(Facts::new(alert, None).map_err(|error| bad(&at(), &error))?);
        if part.len() == AT_ONCE {
            taken.extend(take_in(store, config, std::mem::take(&mut part), |_| None).await?);
        }
    }
    // Alerts hold pseudonyms, and nothing that a customer would know.
    taken.extend(take_in(store, config, part, |_| None).await?);
    Ok(taken)
}

fn bad(at: &str, error: &dyn std::error::Error) -> crible_store::Error {
    crible_store::Error::Rule(format!("{at}: {error}"))
}
