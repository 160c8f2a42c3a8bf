//! `crible cases`: what people do about cases.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use crible_case::{Action, Bulk, CaseId, OperationId, Order, SettingsText};
use crible_core::Timestamp;
use crible_store::{CURRENT, CaseFilter, Store, kind};

use crate::args::{ByArgs, CasesArgs, CasesCommand, ListArgs, OnCases};
use crate::case_page;
use crate::store::{block_on, now, say};
use crate::terminal::json;

/// Something could not be done; the rest was.
const SOME_REFUSED: u8 = 1;

pub(crate) fn run(args: &CasesArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        let done = command(&store, &args.command).await;
        store.close().await;
        done
    })
}

async fn command(store: &Store, command: &CasesCommand) -> Result<ExitCode> {
    let until = |length: crible_core::Window| Timestamp(now().0.saturating_add(length.0));
    match command {
        CasesCommand::List(args) => list(store, args).await,
        CasesCommand::Show { case, json } => show(store, *case, *json).await,
        CasesCommand::Assign { on, to, release } => {
            let to = match to {
                Some(to) => to.clone(),
                None => on.by.user()?,
            };
            act(store, on, if *release { Action::Release } else { Action::Assign(to) }).await
        }
        CasesCommand::Wait { on, until } => act(store, on, Action::Wait { until: *until }).await,
        CasesCommand::Resume(on) => act(store, on, Action::Resume).await,
        CasesCommand::Close { on, disposition, note, quiet_for } => {
            let (disposition, note, quiet_until) = (*disposition, note.clone(), quiet_for.map(until));
            act(store, on, Action::Close { disposition, note, quiet_until }).await
        }
        CasesCommand::Confirm(on) => act(store, on, Action::Confirm).await,
        CasesCommand::Reject(on) => act(store, on, Action::Reject).await,
        CasesCommand::Reopen(on) => act(store, on, Action::Reopen).await,
        CasesCommand::Note { text, on } => act(store, on, Action::Note(text.clone())).await,
        CasesCommand::Due { on, at } => act(store, on, Action::Due(*at)).await,
        CasesCommand::Tag { tag, on, off } => {
            act(store, on, if *off { Action::Untag(tag.clone()) } else { Action::Tag(tag.clone()) }).await
        }
        CasesCommand::Split { case, alerts, by } => {
            one(store, by, *case, Action::Split(alerts.iter().copied().collect())).await
        }
        CasesCommand::Merge { case, into, by } => one(store, by, *case, Action::Merge(*into)).await,
        CasesCommand::Undo { case, operation, bulk, by } => undo(store, *case, *operation, *bulk, by).await,
        CasesCommand::Labels => labels(store).await,
        CasesCommand::Settings { file, by } => settings(store, file.as_deref(), by).await,
        CasesCommand::Erase { pseudonym, by } => {
            let mut txn = store.begin(now()).await?;
            let settings = txn.settings().await?;
            let erased = txn.erase(&settings, *pseudonym, &by.user()?).await?;
            txn.commit().await?;
            store.scrub().await?;
            say(&format!(
                "erased: {} alerts in {} cases, {} deliveries; backups made before have them still",
                erased.alerts, erased.cases, erased.deliveries
            ));
            Ok(ExitCode::SUCCESS)
        }
        CasesCommand::Purge { older_than, by } => {
            let settings = store.read(now()).await?.settings().await?;
            let before = Timestamp(now().0.saturating_sub(older_than.0));
            let gone = store.remove_before(&settings, before, &by.user()?, now()).await?;
            store.scrub().await?;
            say(&format!("removed: {gone} cases that are done since before {before}"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(store: &Store, args: &ListArgs) -> Result<ExitCode> {
    let mut filter = CaseFilter::default();
    (filter.all, filter.status, filter.severity) = (args.all, args.status, args.severity);
    (filter.owner, filter.tag, filter.overdue) = (args.owner.clone(), args.tag.clone(), args.overdue);
    let mut reader = store.read(now()).await?;
    let rows = reader.cases(&filter, args.skip, args.limit).await?;
    let mut out = io::stdout().lock();
    if args.json {
        for row in &rows {
            writeln!(out, "{}", json(&case_page::row_json(row).to_string()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let all = reader.count_cases(&filter).await?;
    out.write_all(case_page::table(&rows, all, args.skip, now()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &Store, case: CaseId, as_json: bool) -> Result<ExitCode> {
    let mut reader = store.read(now()).await?;
    let settings = reader.settings().await?;
    let desk = reader.desk_of(&settings, case).await?;
    let mut out = io::stdout().lock();
    if as_json {
        let shown = case_page::json(&desk, case).with_context(|| format!("there is no case {case}"))?;
        writeln!(out, "{}", json(&shown.to_string()))?;
    } else {
        let page = case_page::text(&desk, case, now()).with_context(|| format!("there is no case {case}"))?;
        out.write_all(page.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(store: &Store, by: &ByArgs, case: CaseId, action: Action) -> Result<ExitCode> {
    let order = Order::new(by.user()?, now());
    let mut txn = store.begin(now()).await?;
    let settings = txn.settings().await?;
    let operation = txn.act(&settings, &order, case, &action).await??;
    txn.commit().await?;
    say(&format!("case {case}: done, operation {operation}"));
    Ok(ExitCode::SUCCESS)
}

/// The same about all of these cases.
async fn act(store: &Store, on: &OnCases, action: Action) -> Result<ExitCode> {
    if let [case] = on.cases[..] {
        return one(store, &on.by, case, action).await;
    }
    let order = Order::new(on.by.user()?, now());
    let mut txn = store.begin(now()).await?;
    let settings = txn.settings().await?;
    let cases: BTreeSet<CaseId> = on.cases.iter().copied().collect();
    let bulk = txn.act_on_all(&settings, &order, &cases, &action).await??;
    txn.commit().await?;
    Ok(told(&bulk))
}

fn told(bulk: &Bulk) -> ExitCode {
    for (case, operation) in &bulk.done {
        say(&format!("case {case}: done, operation {operation}"));
    }
    for (case, why) in &bulk.skipped {
        say(&format!("case {case}: left alone: {why}"));
    }
    if let Some((_, first)) = bulk.done.first() {
        say(&format!("to take all of it back: crible cases undo --bulk {first}"));
    }
    if bulk.skipped.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(SOME_REFUSED) }
}

async fn undo(
    store: &Store,
    case: Option<CaseId>,
    operation: Option<OperationId>,
    bulk: Option<OperationId>,
    by: &ByArgs,
) -> Result<ExitCode> {
    let order = Order::new(by.user()?, now());
    let mut txn = store.begin(now()).await?;
    let settings = txn.settings().await?;
    if let Some(first) = bulk {
        let bulk = txn.undo_bulk(&settings, &order, first).await??;
        txn.commit().await?;
        return Ok(told(&bulk));
    }
    let target = match (operation, case) {
        (Some(operation), _) => operation,
        (None, Some(case)) => {
            let desk = txn.desk_of(&settings, case).await?;
            let found = desk.case(case).with_context(|| format!("there is no case {case}"))?;
            found.last_action().with_context(|| format!("nobody did anything to case {case} that counts"))?
        }
        (None, None) => anyhow::bail!("what is to be taken back? expected a case, --operation N or --bulk N"),
    };
    let undo = txn.undo(&settings, &order, target).await??;
    txn.commit().await?;
    say(&format!("operation {target} is taken back by operation {undo}"));
    Ok(ExitCode::SUCCESS)
}

async fn labels(store: &Store) -> Result<ExitCode> {
    let mut out = io::stdout().lock();
    for label in store.read(now()).await?.labels().await? {
        writeln!(out, "{}", serde_json::to_string(&label)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn settings(store: &Store, file: Option<&std::path::Path>, by: &ByArgs) -> Result<ExitCode> {
    let Some(file) = file else {
        let set: Option<SettingsText> = store.read(now()).await?.record(kind::SETTINGS, CURRENT).await?;
        io::stdout().lock().write_all(toml::to_string(&set.unwrap_or_default())?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    let set: SettingsText = crate::rules::toml_file(file)?;
    set.read().map_err(|error| crible_store::Error::Rule(format!("{}: {error}", file.display())))?;
    let user = by.user()?;
    let mut txn = store.begin(now()).await?;
    txn.put(kind::SETTINGS, CURRENT, &set, user.as_str()).await?;
    txn.commit().await?;
    Ok(ExitCode::SUCCESS)
}
