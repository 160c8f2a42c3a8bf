//! Single transactions, and the key that their pseudonyms are made with.

use std::path::PathBuf;

use crible_core::{Amount, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId};
use crible_ingest::{Domain, Key as IngestKey};
use pyo3::prelude::*;
use pyo3::types::PyInt;

use crate::fail::{setting, value};

/// One transaction: what an engine observes.
///
/// Parameters
/// ----------
/// id
///     A whole number below 2^128, a UUID, or 32 hexadecimal digits. The same id is the same payment.
/// time
///     A datetime, a text of ISO 8601, or whole microseconds since 1970. Without a zone it is UTC.
/// account, counterparty, device, address
///     Pseudonyms of 16 hexadecimal digits, as `Key` makes them.
/// amount, balance_before
///     In major units of the currency, as a text, a `Decimal` or a number; what leaves the account is negative.
/// currency
///     A code of ISO 4217.
/// category, channel, country
///     Words of the feed, such as a merchant category code, "online" and "US".
/// latitude, longitude
///     Degrees, both or none.
///
/// Raises
/// ------
/// ValueError
///     One of them is none of these; what is no pseudonym is not said back.
///
/// Examples
/// --------
/// >>> from crible import Key, Payment
/// >>> key = Key("a key of thirty-two letters or so")
/// >>> account = key.account("DE02 1203 0000 0000 2020 51")
/// >>> shop = key.counterparty("GADGETS ONLINE STORE")
/// >>> payment = Payment(1, "2025-01-31T12:00:00Z", account, "-412.00", "EUR", counterparty=shop)
/// >>> payment.amount, payment.currency, payment.micros
/// ('-412.00', 'EUR', 1738324800000000)
#[pyclass(frozen, module = "crible._crible", from_py_object)]
#[derive(Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) txn: Transaction,
}

/// Microseconds since 1970 of a whole number of them, a text or a datetime.
pub(crate) fn micros(time: &Bound<'_, PyAny>) -> PyResult<i64> {
    if time.is_instance_of::<PyInt>() {
        return time.extract();
    }
    time.py().import("crible._times")?.call_method1("micros", (time,))?.extract()
}

/// What is no pseudonym may be an identifier, which must not be said back into a log.
fn entity(what: &str, text: &str) -> PyResult<EntityId> {
    let bits = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
    bits.and_then(EntityId::new).ok_or_else(|| {
        value(format!(
            "{what}: expected a pseudonym of 16 hexadecimal digits, as crible.Key(…).account(…) makes of an identifier"
        ))
    })
}

fn reference(id: &Bound<'_, PyAny>) -> PyResult<TxnId> {
    if id.is_instance_of::<PyInt>() {
        return id.extract().map(TxnId);
    }
    let text: String = id.str()?.extract::<String>()?.replace('-', "");
    let bits = (text.len() == 32).then(|| u128::from_str_radix(&text, 16).ok()).flatten();
    bits.map(TxnId).ok_or_else(|| value("id: expected 32 hexadecimal digits, a UUID or a whole number below 2^128"))
}

#[pymethods]
impl Payment {
    #[new]
    #[pyo3(signature = (id, time, account, amount, currency, *, counterparty=None, category=None, channel=None,
        country=None, device=None, address=None, latitude=None, longitude=None, balance_before=None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        id: &Bound<'_, PyAny>,
        time: &Bound<'_, PyAny>,
        account: &str,
        amount: &Bound<'_, PyAny>,
        currency: &str,
        counterparty: Option<&str>,
        category: Option<&str>,
        channel: Option<&str>,
        country: Option<&str>,
        device: Option<&str>,
        address: Option<&str>,
        latitude: Option<f64>,
        longitude: Option<f64>,
        balance_before: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let code = Currency::new(currency.as_bytes());
        let currency =
            code.ok_or_else(|| value(format!("currency `{currency}`: expected a code of ISO 4217, such as EUR")))?;
        let money = |what: &str, amount: &Bound<'_, PyAny>| -> PyResult<Amount> {
            let text: String = amount.str()?.extract()?;
            Amount::parse(&text, currency).map_err(|error| value(format!("{what}: {error}")))
        };
        let at = Timestamp(micros(time)?);
        let mut txn = Transaction::new(reference(id)?, at, entity("account", account)?, money("amount", amount)?);
        let id = |what, text: Option<&str>| text.map(|text| entity(what, text)).transpose();
        let word = |text: Option<&str>| text.map_or(Code::NONE, Code::new);
        txn.counterparty = id("counterparty", counterparty)?;
        (txn.device, txn.address) = (id("device", device)?, id("address", address)?);
        (txn.category, txn.channel, txn.country) = (word(category), word(channel), word(country));
        txn.balance_before = balance_before.map(|amount| money("balance_before", amount)).transpose()?.map(|b| b.minor);
        txn.position = match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => {
                let position = Position::from_degrees(latitude, longitude);
                let wrong = || value(format!("position {latitude}, {longitude}: expected degrees within ±90 and ±180"));
                Some(position.ok_or_else(wrong)?)
            }
            (None, None) => None,
            _ => return Err(value("latitude and longitude: expected both or none")),
        };
        Ok(Self { txn })
    }

    #[getter]
    fn id(&self) -> String {
        self.txn.id.to_string()
    }

    #[getter]
    fn micros(&self) -> i64 {
        self.txn.at.0
    }

    #[getter]
    fn account(&self) -> String {
        self.txn.account.to_string()
    }

    #[getter]
    fn counterparty(&self) -> Option<String> {
        self.txn.counterparty.map(|id| id.to_string())
    }

    #[getter]
    fn amount(&self) -> String {
        self.txn.amount.to_string()
    }

    #[getter]
    fn currency(&self) -> String {
        self.txn.amount.currency.to_string()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.txn == other.txn
    }

    fn __hash__(&self) -> u64 {
        self.txn.id.0 as u64
    }

    fn __repr__(&self) -> String {
        let Transaction { id, at, account, amount, .. } = &self.txn;
        format!("Payment(id={id}, time={at}, account={account}, amount={amount} {})", amount.currency)
    }
}

/// The key that identifiers become pseudonyms with: those that `read` and the command make of files with the same key.
///
/// Parameters
/// ----------
/// text
///     16 bytes or more, better 32 random ones: as they are, in hexadecimal or in base64.
/// path
///     A file that holds them.
///
/// Raises
/// ------
/// ValueError
///     Both are given or none, or the key is too short.
/// FileNotFoundError
///     There is no such file.
///
/// Examples
/// --------
/// >>> from crible import Key
/// >>> one, another = Key("a key of thirty-two letters or so"), Key("another key, as long as it has to be")
/// >>> len(one.account("A000007")), one.account("A000007") == another.account("A000007")
/// (16, False)
#[pyclass(frozen, module = "crible._crible")]
pub(crate) struct Key {
    key: IngestKey,
}

#[pymethods]
impl Key {
    #[new]
    #[pyo3(signature = (text=None, *, path=None))]
    fn new(py: Python<'_>, text: Option<&str>, path: Option<PathBuf>) -> PyResult<Self> {
        let key = match (text, &path) {
            (Some(text), None) => IngestKey::from_text(text),
            (None, Some(path)) => IngestKey::from_file(path),
            _ => return Err(value("a key is a text or in a file: expected one of the two")),
        };
        key.map(|key| Self { key }).map_err(|error| setting(py, &error))
    }

    /// The name of the key, which says nothing of its secret.
    #[getter]
    fn id(&self) -> String {
        self.key.id()
    }

    /// The pseudonym of an account, card or person.
    fn account(&self, raw: &str) -> String {
        self.key.pseudonym(Domain::Party, raw.trim()).to_string()
    }

    /// The pseudonym of the other side of a payment: a merchant, or an account where `is_account`.
    #[pyo3(signature = (raw, *, is_account=false))]
    fn counterparty(&self, raw: &str, is_account: bool) -> String {
        let domain = if is_account { Domain::Party } else { Domain::Merchant };
        self.key.pseudonym(domain, raw.trim()).to_string()
    }

    /// The pseudonym of a device.
    fn device(&self, raw: &str) -> String {
        self.key.pseudonym(Domain::Device, raw.trim()).to_string()
    }

    /// The pseudonym of a network address.
    fn address(&self, raw: &str) -> String {
        self.key.pseudonym(Domain::Address, raw.trim()).to_string()
    }

    fn __repr__(&self) -> String {
        format!("Key(id={:?})", self.key.id())
    }
}
