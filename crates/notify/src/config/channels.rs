//! The channels of a file of settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crible_alert::Severity;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{BadConfig, Surroundings, Tells, secrets, variable};
use crate::channel::{
    Channel, CloudEvents, Email, EmailSettings, Encryption, Http, HttpSettings, Lines, Messenger, MessengerTemplate,
    Network, Signer, Slack, Webhook,
};
use crate::message::Limit;
use crate::outbox::Rate;
use crate::{ChannelName, Language, Medium, Route};

/// What every channel has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    name: ChannelName,
    kind: String,
    min_severity: Option<Severity>,
    a_second: Option<u32>,
    side_by_side: Option<usize>,
    language: Option<Language>,
    tells: Option<Tells>,
}

const COMMON: [&str; 7] = ["name", "kind", "min_severity", "a_second", "side_by_side", "language", "tells"];

/// A channel over HTTP: the URL stands in the file, or in the environment where it is a secret.
#[derive(Deserialize)]
struct Url {
    url: Option<String>,
    url_env: Option<String>,
    #[serde(default)]
    allow: Vec<String>,
    timeout_seconds: Option<u64>,
}

const URL: [&str; 4] = ["url", "url_env", "allow", "timeout_seconds"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesFile {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    secrets_env: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessengerFile {
    token_env: String,
    template: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailFile {
    host: String,
    port: Option<u16>,
    encryption: Option<String>,
    user: Option<String>,
    password_env: Option<String>,
    from: String,
    /// The bank's own people; a channel without it is for customers.
    to: Option<String>,
}

/// Kinds of channels, as an error names them.
const KINDS: &str = "file, stdout, webhook, slack, email, sms, whatsapp or messenger";

/// Reads one channel: how it is used, from which severity on, and what it is told of.
pub(super) fn read(
    mut table: toml::Table,
    source: &str,
    main: &Language,
    around: &Surroundings<'_>,
) -> Result<(Route, Severity, Tells), BadConfig> {
    let named = table.get("name").and_then(toml::Value::as_str).unwrap_or("without a name");
    let place = format!("channel {}", named.chars().take(40).flat_map(char::escape_default).collect::<String>());
    let common: Common = part(&place, take(&mut table, &COMMON))?;
    let events = CloudEvents::new(source).map_err(|error| BadConfig::new("source", error))?;
    let has_url = matches!(&*common.kind, "webhook" | "slack" | "sms" | "whatsapp" | "messenger");
    let url = if has_url { take(&mut table, &URL) } else { toml::Table::new() };
    let http = || -> Result<Http, BadConfig> { http(&place, part(&place, url)?, around) };
    let signed = |table: toml::Table, http: Http| -> Result<Arc<dyn Channel>, BadConfig> {
        let signed: Signed = part(&place, table)?;
        let signer = Signer::new(secrets(&place, &signed.secrets_env, around)?);
        let signer = signer.map_err(|error| BadConfig::new(&place, error))?;
        Ok(Arc::new(Webhook::new(http, signer, events.clone())))
    };
    let name = common.name;
    let mut route = match &*common.kind {
        "stdout" => {
            let Nothing {} = part(&place, table)?;
            Route::for_the_bank(name, Arc::new(Lines::stream(std::io::stdout(), events)))
        }
        "file" => {
            let LinesFile { path } = part(&place, table)?;
            let lines = Lines::file(&path, events);
            let lines = lines.map_err(|error| BadConfig::new(&place, format!("{}: {error}", path.display())))?;
            // Lines are written one after the other.
            Route { side_by_side: 1, ..Route::for_the_bank(name, Arc::new(lines)) }
        }
        "webhook" => Route::for_the_bank(name, signed(table, http()?)?),
        "sms" => Route::for_customers(name, signed(table, http()?)?, Medium::Sms),
        "whatsapp" => Route::for_customers(name, signed(table, http()?)?, Medium::Whatsapp),
        "slack" => {
            let Nothing {} = part(&place, table)?;
            let rate = Rate { a_second: 1, burst: 5 };
            let route = Route::for_the_bank(name, Arc::new(Slack::new(http()?)));
            Route { limit: Limit::SLACK, rate, side_by_side: 1, ..route }
        }
        "messenger" => {
            let file: MessengerFile = part(&place, table)?;
            let token = variable(&place, &file.token_env, around)?;
            let template = file.template.map(|name| MessengerTemplate { name });
            Route::for_customers(name, Arc::new(Messenger::new(http()?, token, template)), Medium::Messenger)
        }
        "email" => email(&place, name, part(&place, table)?, around)?,
        other => {
            let other: String = other.chars().take(40).flat_map(char::escape_default).collect();
            return Err(BadConfig::new(place, format!("kind `{other}`: expected {KINDS}")));
        }
    };
    route.language = common.language.unwrap_or_else(|| main.clone());
    if let Some(a_second) = common.a_second {
        if a_second == 0 {
            return Err(BadConfig::new(place, "a_second 0: expected at least 1"));
        }
        route.rate = Rate { a_second, burst: a_second };
    }
    if let Some(side_by_side) = common.side_by_side {
        if !(1..=256).contains(&side_by_side) {
            return Err(BadConfig::new(place, format!("side_by_side {side_by_side}: expected 1 to 256")));
        }
        route.side_by_side = side_by_side;
    }
    let usual = if route.medium.is_some() { Severity::High } else { Severity::Low };
    // People read cases, machines read alerts.
    let tells = if matches!(&*common.kind, "slack" | "email") { Tells::Cases } else { Tells::Alerts };
    if route.medium.is_some() && common.tells.is_some() {
        return Err(BadConfig::new(place, "tells: a customer is asked about alerts; expected a channel for the bank"));
    }
    Ok((route, common.min_severity.unwrap_or(usual), common.tells.unwrap_or(tells)))
}

/// Takes fields out of a table.
fn take(table: &mut toml::Table, names: &[&str]) -> toml::Table {
    names.iter().filter_map(|name| Some(((*name).to_owned(), table.remove(*name)?))).collect()
}

fn part<T: DeserializeOwned>(place: &str, table: toml::Table) -> Result<T, BadConfig> {
    table.try_into().map_err(|error: toml::de::Error| BadConfig::new(place, error.message()))
}

fn http(place: &str, file: Url, around: &Surroundings<'_>) -> Result<Http, BadConfig> {
    let url = match (file.url, file.url_env) {
        (Some(url), None) => url,
        (None, Some(name)) => variable(place, &name, around)?,
        _ => return Err(BadConfig::new(place, "expected either url or url_env")),
    };
    let allow: Result<Vec<Network>, _> = file.allow.iter().map(|network| network.parse()).collect();
    let mut settings =
        HttpSettings { allow: allow.map_err(|error| BadConfig::new(place, error))?, ..HttpSettings::default() };
    if let Some(seconds) = file.timeout_seconds {
        // A delivery is taken for two minutes.
        if !(1..=60).contains(&seconds) {
            return Err(BadConfig::new(place, format!("timeout_seconds {seconds}: expected 1 to 60")));
        }
        settings.timeout = Duration::from_secs(seconds);
    }
    Http::new(&url, &settings).map_err(|error| BadConfig::new(place, error))
}

fn email(place: &str, name: ChannelName, file: EmailFile, around: &Surroundings<'_>) -> Result<Route, BadConfig> {
    let (encryption, port) = match file.encryption.as_deref() {
        None | Some("starttls") => (Encryption::StartTls, 587),
        Some("implicit") => (Encryption::Implicit, 465),
        Some("none") => (Encryption::None, 25),
        Some(other) => {
            let other: String = other.chars().take(40).flat_map(char::escape_default).collect();
            return Err(BadConfig::new(place, format!("encryption `{other}`: expected starttls, implicit or none")));
        }
    };
    let login = match (file.user, file.password_env) {
        (Some(user), Some(name)) => Some((user, variable(place, &name, around)?)),
        (None, None) => None,
        _ => return Err(BadConfig::new(place, "expected both user and password_env, or neither")),
    };
    let for_customers = file.to.is_none();
    let settings = EmailSettings {
        host: file.host,
        port: file.port.unwrap_or(port),
        encryption,
        login,
        from: file.from,
        to: file.to,
        timeout: Duration::from_secs(15),
    };
    let email = Arc::new(Email::new(&settings).map_err(|error| BadConfig::new(place, error))?);
    let rate = Rate { a_second: 20, burst: 20 };
    Ok(if for_customers {
        Route::for_customers(name, email, Medium::Email)
    } else {
        Route { rate, side_by_side: 4, ..Route::for_the_bank(name, email) }
    })
}
