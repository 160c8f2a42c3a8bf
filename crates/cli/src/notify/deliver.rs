//! `crible deliver`: sends what is due, and shows what became of it.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use crible_dispatch::Post;
use crible_notify::config::Config;
use crible_notify::outbox::Health;
use crible_notify::people::People;
use crible_notify::talk::{Conversation, router, serve};
use crible_notify::{Courier, CourierError, SystemClock, Tally};
use crible_store::{DeliveryState, Store, StoreKey};

use super::args::{DeliverArgs, ListedState};
use super::consent::handle_key;
use crate::store::{now, say};

/// Runs it.
pub(crate) fn run(args: &DeliverArgs) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("cannot wait for receivers")?.block_on(async {
        if let Some(state) = args.list {
            let store = args.store.open().await?;
            list(&store, state, args.limit).await?;
        } else if !args.again.is_empty() {
            let store = args.store.open().await?;
            again(&store, &args.again).await?;
        } else if let Some(channel) = &args.enable {
            let store = args.store.open().await?;
            let mut txn = store.begin(now()).await?;
            txn.set_health(channel.as_str(), &serde_json::to_string(&Health::default())?).await?;
            txn.commit().await?;
        } else {
            // What is wrong with the settings is said before anything is sent.
            let config = args.notify.wanted()?;
            let (store, key) = args.store.open_with_key().await?;
            send(config, store, &key, args.watch).await?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(store: &Store, state: ListedState, limit: u32) -> Result<()> {
    let state = match state {
        ListedState::Pending => DeliveryState::Pending,
        ListedState::Sent => DeliveryState::Sent,
        ListedState::Dead => DeliveryState::Dead,
        ListedState::Withheld => DeliveryState::Withheld,
    };
    let mut out = io::stdout().lock();
    for delivery in store.read(now()).await?.deliveries(Some(state), limit).await? {
        let crible_store::Delivery { id, channel, about, attempts, due, why, .. } = delivery;
        let why = why.map_or(String::new(), |why| format!(": {}", crible_ingest::plain(&why)));
        writeln!(out, "{id}  {channel}  {about}  due {due}, {attempts} tries{why}")?;
    }
    Ok(())
}

async fn again(store: &Store, ids: &[i64]) -> Result<()> {
    let mut txn = store.begin(now()).await?;
    for id in ids {
        if !txn.resend(*id).await? {
            // Nothing of it is written.
            bail!("{id} is no dead delivery: `crible deliver --list dead` shows them");
        }
    }
    Ok(txn.commit().await?)
}

async fn send(config: Config, store: Store, key: &StoreKey, watch: bool) -> Result<()> {
    let cases = store.read(now()).await?.settings().await?;
    let post = || Post::new(store.clone(), cases.clone(), SystemClock);
    let (wording, settings) = (Arc::clone(&config.wording), config.settings.clone());
    let rules = settings.rules.clone();
    let courier = Courier::new(post(), post(), SystemClock, Arc::clone(&wording), settings, config.routes.clone())?;
    if !watch {
        tell_cases(&store, &config, true).await?;
        say(&told(&courier.deliver().await?));
        store.close().await;
        return Ok(());
    }
    let door = config.inbound.clone().map(|inbound| {
        let people = People::new(post(), SystemClock, handle_key(key));
        let conversation = Arc::new(Conversation::new(people, wording, rules));
        (inbound.listen, router(conversation, inbound.verifier))
    });
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let served = match door {
        None => None,
        Some((listen, app)) => {
            let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| format!("{listen}"))?;
            say(&format!("listening on {}", listener.local_addr()?));
            Some(tokio::spawn(serve(listener, app, end(stopped.clone()))))
        }
    };
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
        .context("cannot wait for signals")?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = stop.send(true);
        }
    });
    let telling = tokio::spawn(tell(store.clone(), config, stopped.clone()));
    courier.watch(end(stopped), |result| say(&reported(result))).await;
    telling.await.context("the notices about cases")?;
    if let Some(served) = served {
        served.await.context("the inbound door")??;
    }
    store.close().await;
    Ok(())
}

/// Done when the command is to end; whoever could say so being gone is the end as well.
async fn end(mut stopped: tokio::sync::watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Writes notices about cases as they become due, until it is stopped.
async fn tell(store: Store, config: Config, stopped: tokio::sync::watch::Receiver<bool>) {
    let every = config.settings.look_every;
    let mut end = std::pin::pin!(end(stopped));
    loop {
        if let Err(error) = tell_cases(&store, &config, false).await {
            say(&format!("notices about cases: {error:#}; trying again"));
        }
        tokio::select! {
            () = &mut end => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

async fn tell_cases(store: &Store, config: &Config, at_once: bool) -> Result<()> {
    // Most of the time there is nothing to write.
    let next = store.read(now()).await?.next_notice().await?;
    if next.is_none_or(|next| next > now()) {
        return Ok(());
    }
    let mut txn = store.begin(now()).await?;
    crible_dispatch::tell_cases(&mut txn, config, at_once).await?;
    Ok(txn.commit().await?)
}

fn reported(result: std::result::Result<Tally, CourierError>) -> String {
    match result {
        Ok(tally) => told(&tally),
        Err(error) => format!("{:#}; trying again", anyhow::Error::from(error)),
    }
}

fn told(tally: &Tally) -> String {
    let Tally { sent, failed, dead, withheld, postponed, unknown } = tally;
    format!(
        "{sent} sent, {failed} to be tried again, {dead} given up, {withheld} withheld, {postponed} after quiet hours, \
         {unknown} undecided"
    )
}
