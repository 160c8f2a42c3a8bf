//! The engine behind an axum handler: `cargo run --release -p crible --example http` starts it on a free port of the loopback
//! interface, sends it one payment, prints the answer, and ends.
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
use crible::Engine;
use crible::core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};
use serde_json::{Value, json};

/// One lock: a verdict takes microseconds, and payments have an order.
type Shared = Arc<Mutex<Engine>>;

async fn observe(State(engine): State<Shared>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let Some(payment) = payment(&body) else {
        let expected =
            "id, at_seconds, account and counterparty (pseudonyms, whole numbers above 0), amount_minor, currency";
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": format!("expected {expected}") })));
    };
    // The engine is whole after any error, and it does not panic: a poisoned lock protects nothing broken.
    let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
    match engine.observe(&payment) {
        Ok(verdict) => {
            let reasons: Vec<String> = engine.explain_last(&payment, 3).into_iter().map(|reason| reason.text).collect();
            (
                StatusCode::OK,
                Json(json!({ "score": verdict.score.raw, "tail": verdict.score.tail, "reasons": reasons })),
            )
        }
        // A payment older than one before it.
        Err(late) => (StatusCode::CONFLICT, Json(json!({ "error": late.to_string() }))),
    }
}

fn payment(body: &Value) -> Option<Transaction> {
    let number = |key: &str| body.get(key)?.as_i64();
    let pseudonym = |key: &str| EntityId::new(body.get(key)?.as_u64()?);
    let currency = Currency::new(body.get("currency")?.as_str()?.as_bytes())?;
    let id = TxnId(body.get("id")?.as_u64()?.into());
    let at = Timestamp::from_seconds(number("at_seconds")?);
    let payment = Transaction::new(id, at, pseudonym("account")?, Amount::new(number("amount_minor")?, currency));
    Some(payment.at_counterparty(pseudonym("counterparty")?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let history = common::history()?;
    let mut engine = Engine::builder().fit(&history)?;
    engine.replay(&history, |_, _| Ok::<_, crible::Error>(()))?;
    let app = Router::new().route("/observe", post(observe)).with_state(Arc::new(Mutex::new(engine)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let last = history.times().last().map_or(0, |at| at.0 / Timestamp::SECOND);
    let body = json!({
        "id": 1, "at_seconds": last + 60, "account": 7, "counterparty": 99, "amount_minor": -950_000, "currency": "USD",
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
