//! `crible report`: the cases of a store as one page of HTML.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use crible_alert::wire;
use crible_case::{CaseId, Desk, Phase};
use crible_core::{Class, LabelEvent};
use crible_report::{Case, Label, Page};
use crible_store::{CaseFilter, Store};

use crate::args::ReportArgs;
use crate::case_page::money;
use crate::output::{self, Output};
use crate::progress::Stages;
use crate::setup::options;
use crate::store::{block_on, now, say};

/// Cases that are read together: memory is bounded by it.
const AT_ONCE: usize = 500;

/// Runs it.
pub(crate) fn run(args: &ReportArgs) -> Result<ExitCode> {
    let files = crible_ingest::files(&args.with);
    let mut inputs: Vec<(&str, &Path)> = files.iter().map(|file| ("the input", file.as_path())).collect();
    inputs.extend(args.read.key_file.as_deref().map(|key| ("the key", key)));
    let store = args.store.url();
    inputs.extend(store.as_deref().map(|store| ("the store", Path::new(store))));
    output::check(&[("the report", Some(args.out.as_path()))], &inputs)?;
    let page = block_on(async {
        let store = args.store.open().await?;
        let page = page(&store, args).await;
        store.close().await;
        page
    })?;
    let names = names(&page, args)?;
    let html = crible_report::write(&page, |pseudonym| names.get(pseudonym).cloned())?;
    let cannot = || format!("cannot write to {}", args.out.display());
    let output = Output::create(&args.out).with_context(cannot)?;
    let mut out = output.writer().with_context(cannot)?;
    out.write_all(html.as_bytes()).and_then(|()| out.flush()).with_context(cannot)?;
    drop(out);
    output.persist()?;
    say(&format!("{} cases in {}", page.cases.len(), args.out.display()));
    Ok(ExitCode::SUCCESS)
}

async fn page(store: &Store, args: &ReportArgs) -> Result<Page> {
    let mut filter = CaseFilter::default();
    (filter.all, filter.severity, filter.tag) = (args.all, args.severity, args.tag.clone());
    let mut reader = store.read(now()).await?;
    let settings = reader.settings().await?;
    let listed: Vec<CaseId> = reader.cases(&filter, 0, args.limit).await?.into_iter().map(|row| row.id).collect();
    let all = reader.count_cases(&filter).await?;
    let mut cases = Vec::with_capacity(listed.len());
    for part in listed.chunks(AT_ONCE) {
        let desk = reader.desk(&settings, &part.iter().copied().collect()).await?;
        cases.extend(part.iter().filter_map(|case| shown(&desk, *case)));
    }
    Ok(Page {
        title: args.title.clone().unwrap_or_else(|| "Fraud cases".to_owned()),
        made: now().to_string(),
        left_out: all.saturating_sub(cases.len() as u64),
        cases,
    })
}

/// A case for the page; `None` where nothing is left of it.
fn shown(desk: &Desk, id: CaseId) -> Option<Case> {
    let state = desk.case(id)?.state()?;
    let status = match &state.phase {
        Phase::Closed { closing, .. } => format!("closed as {}", closing.disposition),
        Phase::Merged { into } => format!("merged into case {into}"),
        Phase::Live | Phase::Waiting { .. } => state.status().as_str().to_owned(),
    };
    let facts = desk.facts_of(id);
    // Of several labels of a payment, that of the analyst comes after that of the customer.
    let known: BTreeMap<String, Class> =
        desk.labels(id).iter().map(|label: &LabelEvent| (label.transaction.to_string(), label.class)).collect();
    let label = |facts: &&crible_case::Facts| {
        let class = known.get(&facts.alert().transaction)?;
        Some(Label { severity: facts.severity(), fraud: *class == Class::Fraud })
    };
    let labels = facts.iter().filter_map(label).collect();
    let alerts: Vec<wire::Alert> = facts
        .iter()
        // What rules, lists and answers made of it.
        .map(|facts| wire::Alert { severity: facts.severity(), ..facts.alert().clone() })
        .collect();
    Some(Case {
        number: id.0,
        status,
        owner: state.owner.as_ref().map(|owner| owner.as_str().to_owned()),
        at_risk: money(&desk.at_risk(id)),
        alerts,
        labels,
    })
}

/// What the pseudonyms of the page stand for in the files that the user has.
fn names(page: &Page, args: &ReportArgs) -> Result<HashMap<String, String>> {
    if args.with.is_empty() {
        return Ok(HashMap::new());
    }
    let alerts = page.cases.iter().flat_map(|case| &case.alerts);
    let wanted: BTreeSet<String> =
        alerts.flat_map(|alert| [Some(alert.account.clone()), alert.counterparty.clone()]).flatten().collect();
    let wanted: Vec<String> = wanted.into_iter().collect();
    let options = options(&args.read)?;
    let stages = Stages::default();
    let stage = stages.begin("reading");
    let reach = |p: crible_ingest::Progress| stage.reach(p.bytes_read, p.bytes_total);
    let revealed = crible_ingest::reveal(&args.with, &options, &wanted, &reach)?;
    let names: HashMap<String, String> = revealed
        .into_iter()
        .filter_map(|one| Some((one.pseudonym, crible_ingest::plain(&one.identifier?).into_owned())))
        .collect();
    let missing = wanted.iter().filter(|pseudonym| !names.contains_key(*pseudonym)).count();
    if missing > 0 {
        say(&format!(
            "{missing} of {} accounts and counterparties are not in these files under this key: they stay pseudonyms",
            wanted.len()
        ));
    }
    Ok(names)
}
