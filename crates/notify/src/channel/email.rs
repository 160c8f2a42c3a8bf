use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use sha2::{Digest, Sha256};

use super::{Channel, Letter};
use crate::outbox::{Failure, Kind};

/// How the way to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte; the usual port is 465.
    Implicit,
    /// From STARTTLS on, without which nothing is sent; the usual port is 587.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

/// A mail server, and who writes to whom.
#[derive(Clone)]
pub struct EmailSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub encryption: Encryption,
    /// Name and password, where it wants them.
    pub login: Option<(String, String)>,
    /// Who writes, such as `My Bank <alerts@bank.example>`.
    pub from: String,
    /// Who reads, where it is nobody that the message itself names.
    pub to: Option<String>,
    /// How long each step may take.
    pub timeout: Duration,
}

impl fmt::Debug for EmailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, encryption, timeout, .. } = self;
        f.debug_struct("EmailSettings")
            .field("host", host)
            .field("port", port)
            .field("encryption", encryption)
            .field("timeout", timeout)
            .finish_non_exhaustive()
    }
}

/// Settings of mail that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadEmail {
    /// The writer.
    #[error("the sender is no mail address")]
    From,
    /// The reader.
    #[error("the receiver is no mail address")]
    To,
    /// Encryption cannot be set up for this server.
    #[error("the mail server's name cannot be used for encryption")]
    Encryption,
}

/// Mail.
pub struct Email {
    transport: SmtpTransport,
    from: Mailbox,
    to: Option<Mailbox>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email")
    }
}

impl Email {
    /// Sends through this server.
    ///
    /// # Errors
    /// An address is none, or the server's name cannot be used for encryption.
    pub fn new(settings: &EmailSettings) -> Result<Self, BadEmail> {
        let from: Mailbox = settings.from.parse().map_err(|_| BadEmail::From)?;
        let to = settings.to.as_deref().map(str::parse).transpose().map_err(|_| BadEmail::To)?;
        let parameters = || TlsParameters::new(settings.host.clone()).map_err(|_| BadEmail::Encryption);
        let tls = match settings.encryption {
            Encryption::Implicit => Tls::Wrapper(parameters()?),
            Encryption::StartTls => Tls::Required(parameters()?),
            Encryption::None => Tls::None,
        };
        let mut builder = SmtpTransport::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout))
            .pool_config(PoolConfig::new().max_size(4).idle_timeout(Duration::from_secs(30)));
        if let Some((name, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from, to })
    }

    /// A message of which every try has the same reference and date of its own.
    fn message(&self, letter: &Letter) -> Result<Message, Failure> {
        let never = |why: &str| Failure::new(Kind::Never, why);
        let to = match (&letter.to, &self.to) {
            (Some(to), _) => to.address.reveal().parse().map_err(|_| never("no mail address"))?,
            (None, Some(to)) => to.clone(),
            (None, None) => return Err(never("nobody to write to")),
        };
        let digest = Sha256::digest(letter.key.as_str());
        let reference = format!("<{}@{}>", data_encoding::HEXLOWER.encode(&digest), self.from.email.domain());
        let date = u64::try_from(letter.at.0)
            .ok()
            .and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(at)));
        // No machine is to answer that somebody is on holiday.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone())
            .message_id(Some(reference))
            .date(date.ok_or_else(|| never("no date"))?)
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|_| never("no valid message"))
    }
}

/// Whether a server took too long. Where a socket's time to read is over, Unix says that it would block.
fn is_timeout(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        if let Some(error) = one.downcast_ref::<io::Error>() {
            return matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
        }
        cause = one.source();
    }
    false
}

impl Channel for Email {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let message = self.message(letter)?;
        let error = match self.transport.send(&message) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        // What a server says may name the receiver; its code does not.
        let why = match error.status() {
            Some(code) => format!("the server said {code}"),
            None if is_timeout(&error) => "no answer in time".to_owned(),
            None if error.is_tls() => "encryption failed".to_owned(),
            None => "no connection".to_owned(),
        };
        // No such mailbox, or not this message. Other refusals, such as of the login, are the server's and may pass.
        let rejected = |code: String| matches!(&*code, "550" | "551" | "552" | "553" | "554");
        let kind = if is_timeout(&error) {
            Kind::TimedOut
        } else if error.status().is_some_and(|code| rejected(code.to_string())) {
            Kind::Never
        } else {
            Kind::Again
        };
        Err(Failure::new(kind, why))
    }
}
