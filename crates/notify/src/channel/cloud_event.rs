use crible_alert::wire;
use serde::Serialize;

use super::{Content, Letter};
use crate::message::CaseNotice;
use crate::outbox::{Failure, Kind};
use crate::{BadName, Medium};

/// Longest event, in bytes.
pub const MOST_BYTES: usize = 20_000;

/// Writes letters as CloudEvents 1.0, in JSON.
#[derive(Clone, Debug)]
pub struct CloudEvents {
    source: String,
}

#[derive(Serialize)]
struct Event<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'static str,
    time: String,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Message {
        medium: Option<Medium>,
        to: Option<&'a str>,
        text: &'a str,
    },
    Alert {
        alert: &'a wire::Alert,
        case: Option<u64>,
        shortened: bool,
    },
    Case {
        #[serde(flatten)]
        notice: &'a CaseNotice,
        shortened: bool,
    },
    Trouble {
        text: &'a str,
    },
}

impl CloudEvents {
    /// The media type of an event.
    pub const CONTENT_TYPE: &'static str = "application/cloudevents+json; charset=utf-8";

    /// Events of this source, a URI such as `urn:crible:my-bank`.
    ///
    /// # Errors
    /// It is no URI.
    pub fn new(source: &str) -> Result<Self, BadName> {
        let graphic = source.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if (1..=200).contains(&source.len()) && graphic {
            return Ok(Self { source: source.to_owned() });
        }
        Err(BadName::new("source", source, "a URI such as urn:crible:my-bank"))
    }

    /// A letter as an event. What an alert says less of to stay under [`MOST_BYTES`], it says so: payments of its story
    /// first, then the weakest reasons.
    ///
    /// # Errors
    /// It cannot be made short enough, or holds a number that JSON has no word for.
    pub fn write(&self, letter: &Letter) -> Result<Vec<u8>, Failure> {
        let never = |why: String| Failure::new(Kind::Never, why);
        let (kind, data) = match &letter.content {
            Content::Message => {
                let (medium, to) = letter.to.as_ref().map(|to| (to.medium, to.address.reveal())).unzip();
                ("crible.message", Data::Message { medium, to, text: &letter.text })
            }
            Content::Trouble => ("crible.trouble", Data::Trouble { text: &letter.text }),
            Content::Alert { alert, case } => {
                return Self::shortest(alert, |alert, shortened| {
                    self.event(letter, "crible.alert", Data::Alert { alert, case: *case, shortened })
                });
            }
            Content::Case(notice) => {
                return Self::shortest(&notice.alert, |alert, shortened| {
                    let notice = &CaseNotice { alert: Box::new(alert.clone()), ..CaseNotice::clone(notice) };
                    self.event(letter, "crible.case", Data::Case { notice, shortened })
                });
            }
        };
        let event = self.event(letter, kind, data)?;
        if event.len() < MOST_BYTES { Ok(event) } else { Err(never(format!("longer than {MOST_BYTES} bytes"))) }
    }

    /// An event with as much of an alert as there is room for.
    fn shortest(
        alert: &wire::Alert,
        event: impl Fn(&wire::Alert, bool) -> Result<Vec<u8>, Failure>,
    ) -> Result<Vec<u8>, Failure> {
        let never = |why: String| Failure::new(Kind::Never, why);
        let shares = alert.reasons.iter().map(|reason| reason.share);
        if [alert.score, alert.tail].into_iter().chain(shares).any(|number| !number.is_finite()) {
            return Err(never("the alert holds a number that is not finite".to_owned()));
        }
        let whole = event(alert, false)?;
        if whole.len() < MOST_BYTES {
            return Ok(whole);
        }
        let mut short = alert.clone();
        while !(short.payments.is_empty() && short.reasons.is_empty()) {
            if short.payments.is_empty() {
                short.reasons.pop();
            } else {
                short.payments.truncate(short.payments.len() / 2);
            }
            let event = event(&short, true)?;
            if event.len() < MOST_BYTES {
                return Ok(event);
            }
        }
        Err(never(format!("longer than {MOST_BYTES} bytes without its reasons")))
    }

    fn event(&self, letter: &Letter, kind: &'static str, data: Data<'_>) -> Result<Vec<u8>, Failure> {
        let event = Event {
            specversion: "1.0",
            id: letter.key.as_str(),
            source: &self.source,
            r#type: kind,
            time: letter.at.to_string(),
            datacontenttype: "application/json",
            data,
        };
        serde_json::to_vec(&event).map_err(|error| Failure::new(Kind::Never, error.to_string()))
    }
}
