//! `crible consent`: what people agree to, where they are reached, what they hold.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use crible_case::Settings;
use crible_dispatch::Post;
use crible_notify::consent::Profile;
use crible_notify::message::LastDigits;
use crible_notify::people::{HandleKey, People};
use crible_notify::{Address, Medium, Person, Purpose, SystemClock};
use crible_store::StoreKey;

use super::args::{ConsentArgs, ConsentCommand};
use crate::store::{block_on, say};

/// The people of a store.
pub(super) type StoredPeople = People<Post<SystemClock>, SystemClock>;

/// The key that addresses are hashed with is made of the store's.
pub(super) fn handle_key(key: &StoreKey) -> HandleKey {
    HandleKey::new(key.derived("addresses"))
}

/// Runs it.
pub(crate) fn run(args: &ConsentArgs) -> Result<ExitCode> {
    block_on(async {
        // Who may be written to is known before the first alert.
        let (store, key) = match args.command {
            ConsentCommand::Show { .. } => args.store.open_with_key().await?,
            _ => args.store.make_with_key().await?,
        };
        let post = Post::new(store.clone(), Settings::default(), SystemClock);
        let people = People::new(post, SystemClock, handle_key(&key));
        done(&people, &args.command).await?;
        store.close().await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn done(people: &StoredPeople, command: &ConsentCommand) -> Result<()> {
    match command {
        ConsentCommand::Show { person, json } => show(people, *person, *json).await?,
        ConsentCommand::OptIn { person, medium, purpose, source } => {
            people.opt_in(*person, *medium, *purpose, *source).await?;
        }
        ConsentCommand::Withdraw { person, medium, purpose, source } => {
            people.withdraw(*person, *medium, *purpose, *source).await?;
        }
        ConsentCommand::Address { person, medium, source } => {
            // Not an argument: others on the machine see those.
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).context("standard input")?;
            let address = line.trim().parse::<Address>().context("standard input")?;
            people.link(*person, *medium, address, *source).await?;
        }
        ConsentCommand::Code { person } => {
            let mut source = File::open("/dev/urandom").context("the system's source of randomness")?;
            let mut drawn = Vec::new();
            for _ in 0..16 {
                let mut bytes = [0; 16];
                source.read_exact(&mut bytes).context("the system's source of randomness")?;
                drawn.push(bytes);
            }
            // More than are ever drawn.
            let code = people.issue(*person, || drawn.pop().unwrap_or_default()).await?;
            writeln!(io::stdout(), "{code}")?;
            say("valid for ten minutes; the person writes LINK and the code from the address that is to be linked");
        }
        ConsentCommand::Account { person, account, gave_up: true, .. } => people.gave_up(*person, *account).await?,
        ConsentCommand::Account { person, account, digits, .. } => {
            people.holds(*person, *account, last_digits(digits.as_deref())?).await?;
        }
        ConsentCommand::Person { person, language, zone } => {
            if let Some(language) = language {
                people.speaks(*person, language.clone()).await?;
            }
            if let Some(zone) = zone {
                people.lives(*person, *zone).await?;
            }
        }
        ConsentCommand::Balance { account, amount, at, digits } => {
            people.balance(*account, *amount, *at, last_digits(digits.as_deref())?).await?;
        }
    }
    Ok(())
}

/// Read here and not by the parser of arguments, which says back what it cannot read: that may be a whole card number.
fn last_digits(text: Option<&str>) -> Result<Option<LastDigits>> {
    text.map(str::parse).transpose().context("--digits")
}

/// What a person agreed to. Addresses are not shown: that there is one is.
async fn show(people: &StoredPeople, person: Person, json: bool) -> Result<()> {
    let history = people.history(person).await?;
    let mut out = io::stdout().lock();
    if json {
        for entry in &history {
            let mut entry = serde_json::to_value(entry)?;
            if let Some(address) = entry.get_mut("address") {
                *address = "(private)".into();
            }
            writeln!(out, "{entry}")?;
        }
        return Ok(());
    }
    let profile = Profile::of(&history);
    for medium in Medium::ALL {
        for purpose in Purpose::ALL {
            if let Some((since, source)) = profile.consent(*medium, *purpose) {
                writeln!(out, "{medium}, {purpose}: since {since}, by {source}")?;
            }
        }
        if profile.address(*medium).is_some() {
            writeln!(out, "{medium}: an address is known")?;
        }
    }
    for account in profile.accounts() {
        writeln!(out, "account {account}")?;
    }
    writeln!(out, "{} entries; --json shows them", history.len())?;
    Ok(())
}
