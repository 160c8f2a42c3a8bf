//! `crible rules`, `crible silence`, `crible inhibit` and `crible lists`: what has a say about alerts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use crible_alert::Severity;
use crible_case::{Hits, Inhibition, Listed, Listing, Rules, RulesText, Silence};
use crible_core::Timestamp;
use crible_store::{CURRENT, Error, Store, kind};
use serde::de::DeserializeOwned;

use crate::args::{
    InhibitArgs, InhibitCommand, ListedArgs, ListsArgs, ListsCommand, RulesArgs, RulesCommand, SilenceArgs,
    SilenceCommand, StoreArgs,
};
use crate::store::{block_on, now, say};

/// Alerts that are read at once.
const PAGE: u32 = 2_000;

/// A file of TOML, whose errors are those of what was given.
pub(crate) fn toml_file<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    let read = toml::from_str(&text).map_err(|error| Error::Rule(format!("{}: {error}", path.display())));
    Ok(read?)
}

fn checked(path: &Path) -> Result<(RulesText, Rules)> {
    let text: RulesText = toml_file(path)?;
    let rules = Rules::new(&text).map_err(|error| Error::Rule(format!("{}: {error}", path.display())))?;
    Ok((text, rules))
}

pub(crate) fn run(args: &RulesArgs) -> Result<ExitCode> {
    block_on(async {
        match &args.command {
            RulesCommand::Test { file } => test(&args.store, file).await,
            RulesCommand::Load { file, by } => {
                let ((text, rules), user) = (checked(file)?, by.user()?);
                let store = args.store.open().await?;
                let mut txn = store.begin(now()).await?;
                txn.put(kind::RULES, CURRENT, &text, user.as_str()).await?;
                txn.keep(kind::HITS, CURRENT, &Hits::new()).await?;
                txn.commit().await?;
                say(&format!("{} rules judge alerts from now on", rules.texts().count()));
                Ok(ExitCode::SUCCESS)
            }
            RulesCommand::Show => {
                let store = args.store.open().await?;
                let mut reader = store.read(now()).await?;
                let text: Option<RulesText> = reader.record(kind::RULES, CURRENT).await?;
                let hits: Option<Hits> = reader.record(kind::HITS, CURRENT).await?;
                let (text, hits) = (text.unwrap_or_default(), hits.unwrap_or_default());
                let mut out = io::stdout().lock();
                for rule in &text.rules {
                    writeln!(out, "# held {} times", hits.get(rule.name.as_str()).unwrap_or(&0))?;
                    writeln!(out, "{}", toml::to_string(&RulesText { rules: vec![rule.clone()] })?)?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    })
}

/// What rules would have done to the alerts there are.
async fn test(args: &StoreArgs, file: &Path) -> Result<ExitCode> {
    let (text, rules) = checked(file)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} rules parse, and give true or false", text.rules.len())?;
    if args.url().is_none() {
        say("no store is named: nothing was judged");
        return Ok(ExitCode::SUCCESS);
    }
    let store = args.open().await?;
    let mut reader = store.read(now()).await?;
    let (mut alerts, mut held) = (0_u64, 0_u64);
    let mut hits = vec![0_u64; text.rules.len()];
    let mut moves: BTreeMap<(Severity, Severity), u64> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = reader.alerts_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.at(), last.id()));
        for facts in &page {
            // As they came, at their own time.
            let facts = facts.clone().judged(facts.alert().severity);
            let verdict = rules.judge(&facts, facts.at());
            alerts += 1;
            held += u64::from(verdict.hold);
            verdict.hits.iter().for_each(|place| hits[*place] += 1);
            if let Some(severity) = verdict.severity {
                *moves.entry((facts.severity(), severity)).or_default() += 1;
            }
        }
    }
    writeln!(out, "of {alerts} alerts:")?;
    for (rule, hits) in text.rules.iter().zip(hits) {
        writeln!(out, "{hits:>8} {} ({})", rule.name.as_str(), rule.then.as_str())?;
    }
    for ((from, to), count) in moves {
        writeln!(out, "{count:>8} from {from} to {to}")?;
    }
    writeln!(out, "{held:>8} held")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn silence(args: &SilenceArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        match &args.command {
            SilenceCommand::Add { matcher, length, why, by } => {
                let from = now();
                let until = Timestamp(from.0.saturating_add(length.0));
                let silence = Silence { matcher: matcher.clone(), from, until, by: by.user()?, why: why.clone() };
                let silence = silence.check().map_err(|error| Error::Rule(error.to_string()))?;
                let mut txn = store.begin(from).await?;
                let known: Vec<(String, Silence)> = txn.records(kind::SILENCE).await?;
                let last = known.iter().filter_map(|(id, _)| id.parse::<u64>().ok()).max().unwrap_or(0);
                let id = (last + 1).to_string();
                txn.put(kind::SILENCE, &id, &silence, silence.by.as_str()).await?;
                txn.commit().await?;
                say(&format!("silence {id}: nobody is told about {matcher} until {until}"));
            }
            SilenceCommand::List => {
                let silences: Vec<(String, Silence)> = store.read(now()).await?.records(kind::SILENCE).await?;
                let mut out = io::stdout().lock();
                for (id, silence) in silences.iter().filter(|(_, silence)| now() < silence.until) {
                    let Silence { matcher, until, by, why, .. } = silence;
                    let line = format!("{id:>6} until {until} by {by}: {matcher} ({})", why.as_str());
                    writeln!(out, "{}", crible_ingest::plain(&line))?;
                }
            }
            SilenceCommand::End { silence: id, by } => {
                let (id, user) = (id.to_string(), by.user()?);
                let mut txn = store.begin(now()).await?;
                let silence: Option<Silence> = txn.record(kind::SILENCE, &id).await?;
                let silence = silence.filter(|silence| now() < silence.until);
                let silence = silence.with_context(|| format!("there is no silence {id} that has not ended"))?;
                txn.put(kind::SILENCE, &id, &Silence { until: now(), ..silence }, user.as_str()).await?;
                txn.commit().await?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

pub(crate) fn inhibit(args: &InhibitArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        match &args.command {
            InhibitCommand::Set { name, source, target, equal, by } => {
                let (source, target, equal) = (source.clone(), target.clone(), equal.clone());
                let inhibition = Inhibition { source, target, equal };
                crible_store::check_inhibition(&inhibition)?;
                let user = by.user()?;
                let mut txn = store.begin(now()).await?;
                txn.put(kind::INHIBITION, name.as_str(), &inhibition, user.as_str()).await?;
                txn.commit().await?;
            }
            InhibitCommand::List => {
                let all: Vec<(String, Inhibition)> = store.read(now()).await?.records(kind::INHIBITION).await?;
                let mut out = io::stdout().lock();
                for (name, Inhibition { source, target, equal }) in &all {
                    let equal: Vec<&str> = equal.iter().map(|label| label.as_str()).collect();
                    let line = format!("{name}: {source} keeps back {target}, with equal {}", equal.join(", "));
                    writeln!(out, "{}", crible_ingest::plain(&line))?;
                }
            }
            InhibitCommand::Remove { name, by } => {
                let user = by.user()?;
                let mut txn = store.begin(now()).await?;
                if !txn.remove(kind::INHIBITION, name.as_str(), user.as_str()).await? {
                    anyhow::bail!("there is no inhibition {name}");
                }
                txn.commit().await?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

pub(crate) fn lists(args: &ListsArgs) -> Result<ExitCode> {
    block_on(async {
        let store = args.store.open().await?;
        match &args.command {
            ListsCommand::Allow(listed) => list(&store, listed, Listing::Allow).await?,
            ListsCommand::Block(listed) => list(&store, listed, Listing::Block).await?,
            ListsCommand::Show => {
                let all: Vec<(String, Listed)> = store.read(now()).await?.records(kind::LISTED).await?;
                let mut out = io::stdout().lock();
                let holds = |listed: &Listed| listed.until.is_none_or(|until| now() < until);
                for (id, listed) in all.iter().filter(|(_, listed)| holds(listed)) {
                    let Listed { listing, until, by, why, .. } = listed;
                    let until = until.map_or_else(|| "for good".to_owned(), |until| format!("until {until}"));
                    let line = format!("{id} {} {until} by {by} ({})", listing.as_str(), why.as_str());
                    writeln!(out, "{}", crible_ingest::plain(&line))?;
                }
            }
            ListsCommand::Remove { pseudonym, by } => {
                let user = by.user()?;
                let mut txn = store.begin(now()).await?;
                if !txn.remove(kind::LISTED, &pseudonym.to_string(), user.as_str()).await? {
                    anyhow::bail!("{pseudonym} is on no list");
                }
                txn.commit().await?;
            }
        }
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(store: &Store, args: &ListedArgs, listing: Listing) -> Result<()> {
    let until = args.length.map(|length| Timestamp(now().0.saturating_add(length.0)));
    let listed = Listed { entity: args.pseudonym, listing, until, by: args.by.user()?, why: args.why.clone() };
    let mut txn = store.begin(now()).await?;
    txn.put(kind::LISTED, &args.pseudonym.to_string(), &listed, listed.by.as_str()).await?;
    Ok(txn.commit().await?)
}
