//! Posting over HTTP, to addresses that may be posted to.

use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use crible_core::Timestamp;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::address::{Network, is_public};
use crate::outbox::{Failure, Kind};

/// How requests are made.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// How long a request may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
    /// Networks that may be posted to though they are not public, and without encryption.
    pub allow: Vec<Network>,
}

impl Default for HttpSettings {
    /// Fifteen seconds, public addresses only.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(15), allow: Vec::new() }
    }
}

/// A URL that cannot be posted to. It is not shown: it may hold what only the receiver should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL to post to: expected http or https, a host, and no user name")]
pub struct BadUrl;

/// A URL to post to. It follows no redirects and uses no proxy.
pub struct Http {
    agent: Agent,
    uri: Uri,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

/// Connections that wait for the next request.
const IDLE: usize = 64;

/// Most bytes of an answer that are read, so that the connection can be used again.
const ANSWER: u64 = 65_536;

impl Http {
    /// Posts to this URL.
    ///
    /// # Errors
    /// The URL is none.
    pub fn new(url: &str, settings: &HttpSettings) -> Result<Self, BadUrl> {
        let uri: Uri = url.parse().map_err(|_| BadUrl)?;
        let scheme = uri.scheme_str().ok_or(BadUrl)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(BadUrl)?;
        let named = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if !matches!(scheme, "http" | "https") || named || host.contains('%') {
            return Err(BadUrl);
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(settings.timeout))
            .max_idle_connections(IDLE)
            .max_idle_connections_per_host(IDLE)
            .max_idle_age(Duration::from_secs(5))
            .max_response_header_size(65_536)
            .user_agent(concat!("crible/", env!("CARGO_PKG_VERSION")))
            .build();
        let guard = Guard { allow: settings.allow.clone(), inner: DefaultResolver::default() };
        Ok(Self { agent: Agent::with_parts(config, DefaultConnector::default(), guard), uri })
    }

    /// Posts a body. A status of 200 to 299 alone is success, whatever comes after it.
    ///
    /// # Errors
    /// What went wrong.
    pub fn post(&self, headers: &[(&str, &str)], body: &[u8], now: Timestamp) -> Result<(), Failure> {
        let mut request = self.agent.post(&self.uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(body).map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let after = response.headers().get("retry-after").and_then(|value| retry_after(value.to_str().ok()?, now));
        // What it says does not matter. An answer that breaks off ends the connection, not the success.
        let _ = response.body_mut().with_config().limit(ANSWER).read_to_vec();
        let kind = match status {
            200..=299 => return Ok(()),
            410 => Kind::Gone,
            429 => Kind::TooMany,
            408 | 504 => Kind::TimedOut,
            _ => Kind::Again,
        };
        Err(Failure { kind, after, why: format!("status {status}") })
    }
}

/// Seconds, or a time as HTTP writes it.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let then = httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Duration::from_micros(u64::try_from(now.0).ok()?);
    Some(then.saturating_sub(now))
}

/// In words of ours: those of the library may hold the URL.
fn failure(error: &ureq::Error) -> Failure {
    let again = |why: &str| Failure::new(Kind::Again, why);
    match error {
        ureq::Error::Timeout(_) => Failure::new(Kind::TimedOut, "no answer in time"),
        ureq::Error::Io(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            Failure::new(Kind::TimedOut, "no answer in time")
        }
        ureq::Error::Io(error) => again(&format!("connection: {}", error.kind())),
        ureq::Error::HostNotFound => again("no such host"),
        ureq::Error::Other(error) if error.is::<Refused>() => again(&error.to_string()),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => again("encryption failed"),
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => Failure::new(Kind::Never, "no valid request"),
        ureq::Error::LargeResponseHeader(..) => again("the head of the answer is too long"),
        _ => again("no valid answer"),
    }
}

/// An address that must not be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error("the address is not public")]
    Private,
    #[error("no encryption to a public address")]
    Plain,
}

/// Looks names up and lets through the addresses that may be connected to. What it returns is what is connected to, so
/// a name that changes between check and use changes nothing.
#[derive(Debug)]
struct Guard {
    allow: Vec<Network>,
    inner: DefaultResolver,
}

impl Resolver for Guard {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let encrypted = uri.scheme_str() == Some("https");
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut let_through = self.empty();
        let mut refused = None;
        for address in found.iter() {
            if self.allow.iter().any(|network| network.contains(address.ip())) {
                let_through.push(*address);
            } else if !is_public(address.ip()) {
                refused = Some(Refused::Private);
            } else if encrypted {
                let_through.push(*address);
            } else {
                refused = Some(Refused::Plain);
            }
        }
        // One private address among public ones is an attack or a mistake: nothing is sent.
        match refused {
            Some(refused) => Err(ureq::Error::Other(Box::new(refused))),
            None => Ok(let_through),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for good in ["https://hooks.example/a?b=c", "http://127.0.0.1:8080/", "https://[::1]/x"] {
            assert!(Http::new(good, &HttpSettings::default()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example",
            "ftp://x/",
            "https://",
            "https://u:p@x/",
            "/path",
            "file:///etc/passwd",
            "http://a b/",
        ] {
            assert!(Http::new(bad, &HttpSettings::default()).is_err(), "{bad}");
        }
        let http = Http::new("https://hooks.example/secret", &HttpSettings::default()).unwrap();
        assert!(!format!("{http:?}").contains("secret"));
    }

    #[test]
    fn when_to_come_back() {
        let now: Timestamp = "2026-11-30T08:00:00Z".parse().unwrap();
        let seconds = |value| retry_after(value, now).map(|after| after.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Mon, 30 Nov 2026 08:02:00 GMT"), Some(120));
        assert_eq!(seconds("Mon, 30 Nov 2026 07:00:00 GMT"), Some(0));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!([seconds(""), seconds("-1"), seconds("soon")], [None; 3]);
    }

    #[test]
    fn private_addresses_are_refused_before_anything_is_sent() {
        // Nothing listens there; a connection that was tried would be refused by the system instead.
        for url in [
            "http://127.0.0.1:1/",
            "https://169.254.169.254/latest",
            "http://[::1]:1/",
            "http://localhost:1/",
            "http://0x7f.1:1/",
        ] {
            let failure = Http::new(url, &HttpSettings::default()).unwrap().post(&[], b"", Timestamp(0)).unwrap_err();
            assert!(["the address is not public", "no such host"].contains(&&*failure.why), "{url}: {failure:?}");
        }
        let failure = Http::new("http://8.8.8.8/", &HttpSettings::default()).unwrap().post(&[], b"", Timestamp(0));
        assert_eq!(failure.unwrap_err().why, "no encryption to a public address");
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let settings = HttpSettings { allow, ..HttpSettings::default() };
        let failure = Http::new("http://127.0.0.1:1/", &settings).unwrap().post(&[], b"", Timestamp(0)).unwrap_err();
        assert_eq!(failure.why, "connection: connection refused");
    }
}
