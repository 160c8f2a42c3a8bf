use std::fmt;

use crible_core::Timestamp;
use serde_json::json;

use super::{Channel, Http, Letter};
use crate::outbox::{Failure, Kind};

/// Facebook Messenger. Within 24 hours of what the person wrote it takes any text; after that an approved utility
/// template, and nothing else.
pub struct Messenger {
    http: Http,
    token: String,
    template: Option<Template>,
}

/// A utility template that Meta has approved for the page: its body has one parameter, the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: String,
}

impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messenger").field("template", &self.template).finish_non_exhaustive()
    }
}

/// How long a text may be sent after the person wrote. A minute less than Meta allows, since the clocks are two.
const WINDOW: i64 = Timestamp::DAY - 60 * Timestamp::SECOND;

impl Messenger {
    /// Posts to the page's `messages`, with its token.
    pub fn new(http: Http, token: String, template: Option<Template>) -> Self {
        Self { http, token, template }
    }
}

impl Channel for Messenger {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let Some(to) = &letter.to else {
            return Err(Failure::new(Kind::Never, "Messenger reaches customers only"));
        };
        let recipient = json!({ "id": to.address.reveal() });
        let open = to.wrote.is_some_and(|wrote| letter.at.0.saturating_sub(wrote.0) < WINDOW);
        let body = match &self.template {
            _ if open => {
                json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": { "text": letter.text } })
            }
            Some(template) => json!({
                "recipient": recipient,
                "messaging_type": "UTILITY",
                "message": { "template": {
                    "name": template.name,
                    "language": { "code": letter.language.without_region().as_str() },
                    "components": [{ "type": "body", "parameters": [{ "type": "text", "text": letter.text }] }],
                } },
            }),
            None => {
                let why = "the person wrote more than 24 hours ago, and there is no approved template";
                return Err(Failure::new(Kind::Never, why));
            }
        };
        let authorization = format!("Bearer {}", self.token);
        let headers = [("content-type", "application/json"), ("authorization", &*authorization)];
        self.http.post(&headers, body.to_string().as_bytes(), letter.at)
    }
}
