use serde_json::json;

use super::{Channel, Http, Letter};
use crate::outbox::{Failure, Kind};

/// An incoming webhook of Slack. It has no way to tell it the key: a delivery whose answer is lost comes twice.
#[derive(Debug)]
pub struct Slack(Http);

impl Slack {
    /// Posts there. The URL is what lets one post: it is as secret as a password.
    pub fn new(http: Http) -> Self {
        Self(http)
    }
}

impl Channel for Slack {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let text = format!("*{}*\n{}", escaped(&letter.subject), escaped(&letter.text));
        let body = json!({ "text": text, "unfurl_links": false, "unfurl_media": false }).to_string();
        match self.0.post(&[("content-type", "application/json")], body.as_bytes(), letter.at) {
            // Slack's words for a message that it will never take.
            Err(Failure { kind: Kind::Again, why, .. }) if why == "status 400" => Err(Failure::new(Kind::Never, why)),
            // No such workspace or webhook any more.
            Err(Failure { kind: Kind::Again, why, .. }) if why == "status 404" => Err(Failure::new(Kind::Gone, why)),
            result => result,
        }
    }
}

/// Slack's three characters that have a meaning.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
