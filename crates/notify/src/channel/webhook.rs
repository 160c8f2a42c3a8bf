use super::{Channel, CloudEvents, HEADERS, Http, Letter, Signer};
use crate::outbox::Failure;

/// A receiver of signed events: a system of the bank, or a gateway that carries text messages or WhatsApp.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    signer: Signer,
    events: CloudEvents,
}

impl Webhook {
    /// Posts events there, signed after Standard Webhooks. The reference that is signed is the delivery's key.
    pub fn new(http: Http, signer: Signer, events: CloudEvents) -> Self {
        Self { http, signer, events }
    }
}

impl Channel for Webhook {
    fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let body = self.events.write(letter)?;
        let [id, at, signature] = self.signer.sign(letter.key.as_str(), letter.at, &body);
        let headers = [
            ("content-type", CloudEvents::CONTENT_TYPE),
            (HEADERS[0], &*id),
            (HEADERS[1], &*at),
            (HEADERS[2], &*signature),
        ];
        self.http.post(&headers, &body, letter.at)
    }
}
