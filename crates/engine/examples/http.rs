//! The engine behind an axum handler: `cargo run --release -p crible --example http` starts it on a free port of the
//! loopback interface, sends it one payment, prints the answer, and ends.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
mod common;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use common::Named;
use crible::alert::{Severity, Threshold};
use crible::core::{Amount, Currency, Timestamp, Transaction};
use crible::{Engine, Pipeline};
use crible_pseudonym::Key;
use serde_json::{Value, json};

struct Service {
    key: Key,
    /// One lock: a verdict takes microseconds, and payments have an order.
    pipeline: Mutex<Pipeline<Threshold>>,
}

async fn observe(State(service): State<Arc<Service>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let Some(payment) = payment(&body, &service.key) else {
        let expected = "id, account, counterparty, currency (texts), at_seconds, amount_minor (whole numbers)";
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": format!("expected {expected}") })));
    };
    // The pipeline is whole after any error, and it does not panic: a poisoned lock protects nothing broken.
    let mut pipeline = service.pipeline.lock().unwrap_or_else(PoisonError::into_inner);
    match pipeline.observe(&payment, None) {
        Ok((observed, alerts)) => {
            let reasons: Vec<String> = observed.explain(3).into_iter().map(|reason| reason.text).collect();
            let alert = alerts.first().map(|alert| alert.id);
            (StatusCode::OK, Json(json!({ "verdict": observed.verdict(), "reasons": reasons, "alert": alert })))
        }
        // A payment older than one before it.
        Err(refused) => (StatusCode::CONFLICT, Json(json!({ "error": refused.to_string() }))),
    }
}

fn payment(body: &Value, key: &Key) -> Option<Transaction> {
    let number = |name: &str| body.get(name)?.as_i64();
    let text = |name: &str| body.get(name)?.as_str();
    let amount = Amount::new(number("amount_minor")?, Currency::new(text("currency")?.as_bytes())?);
    let at = Timestamp::from_seconds(number("at_seconds")?);
    let (id, account, counterparty) = (text("id")?, text("account")?, text("counterparty")?);
    Some(Named { id, at, account, counterparty, amount }.transaction(key))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let history = common::history()?;
    let mut pipeline = Pipeline::new(Engine::builder().fit(&history)?, Threshold::new(Severity::Medium));
    pipeline.warm_up(&history)?;
    common::warn_if_cold(pipeline.engine());
    let service = Service { key: common::key()?, pipeline: Mutex::new(pipeline) };
    let app = Router::new().route("/observe", post(observe)).with_state(Arc::new(service));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let last = history.times().last().map_or(0, |at| at.0 / Timestamp::SECOND);
    let body = json!({
        "id": "p1", "at_seconds": last + 60, "account": "card 7", "counterparty": "Far Away Gold",
        "amount_minor": -950_000,
        "currency": "USD",
    });
    let sent = tokio::task::spawn_blocking(move || send(address, &body.to_string())).await??;
    println!("{sent}");
    if !sent.starts_with("HTTP/1.1 200") {
        return Err("the handler refused a payment".into());
    }
    Ok(())
}

/// What a client does, by hand so that the example needs none.
fn send(address: SocketAddr, body: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let head = "POST /observe HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json";
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn it_runs() {
    main().unwrap();
}
