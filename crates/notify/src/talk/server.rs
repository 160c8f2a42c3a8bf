//! The door for what people write: a gateway posts it here, signed, and takes the answer back to them.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use super::conversation::{Cases, Conversation, Incoming, TalkError};
use crate::channel::{HEADERS, Verifier};
use crate::{Address, Clock, Medium};

/// Longest message, in bytes.
const MOST_BYTES: usize = 16_384;

struct Door<L, C> {
    conversation: Arc<Conversation<L, C>>,
    verifier: Verifier,
}

/// A message as a gateway posts it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    medium: Medium,
    from: Address,
    text: String,
}

/// `POST /inbound` with `{"medium": "sms", "from": "+33…", "text": "…"}`, signed after Standard Webhooks. It answers
/// 200 with `{"reply": "…"}`, 401 where no signature is right, 409 where the message came before, 400 where it is none,
/// and 503 where it could not be taken and has to come again.
pub fn router<L: Cases, C: Clock>(conversation: Arc<Conversation<L, C>>, verifier: Verifier) -> Router {
    Router::new()
        .route("/inbound", post(inbound::<L, C>))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(Arc::new(Door { conversation, verifier }))
}

/// Serves until `stop` is done; what came in by then is answered.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn inbound<L: Cases, C: Clock>(State(door): State<Arc<Door<L, C>>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        // Of two, nobody knows which was checked.
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    };
    let values = HEADERS.map(header);
    if let Err(error) = door.verifier.check(values, &body, door.conversation.now()) {
        return refuse(StatusCode::UNAUTHORIZED, &error.to_string());
    }
    let posted: Posted = match serde_json::from_slice(&body) {
        Ok(posted) => posted,
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "expected an object with medium, from and text"),
    };
    let id = values[0].unwrap_or_default().to_owned();
    let incoming = Incoming { id, medium: posted.medium, from: posted.from, text: posted.text };
    match door.conversation.receive(&incoming).await {
        Ok(exchange) => Json(json!({ "reply": exchange.reply })).into_response(),
        Err(TalkError::Replayed) => refuse(StatusCode::CONFLICT, "this message came before"),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "try again"),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
