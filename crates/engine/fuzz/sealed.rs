//! Checksums find damage; what is to be found here is what malice could do behind valid ones.

use crible::core::{Amount, Currency, EntityId, Timestamp, Transaction, TxnId};

const HEADER: usize = 7 + 1 + 8 + 4;

/// The bytes after a header's length, behind a header that is right about them and names one of so many formats; a
/// model's ensemble within, which ends it, too.
pub fn sealed(bytes: &[u8], magic: &[u8; 7], formats: u8) -> Vec<u8> {
    let mut body = bytes.get(HEADER..).unwrap_or_default().to_vec();
    if let Some(start) = body.windows(8).position(|window| window == b"CRIBLEM1")
        && body.len() >= start + 12
    {
        let end = body.len() - 4;
        let inner = crc32fast::hash(&body[start..end]);
        body[end..].copy_from_slice(&inner.to_le_bytes());
    }
    let mut out = magic.to_vec();
    // The format the bytes name, where there is such a one.
    out.push(bytes.get(7).map_or(formats, |format| 1 + format.wrapping_sub(1) % formats));
    out.extend((body.len() as u64).to_le_bytes());
    out.extend(crc32fast::hash(&body).to_le_bytes());
    out.extend(body);
    out
}

/// A few payments far apart, the last at the end of time.
pub fn payments() -> impl Iterator<Item = Transaction> {
    let days = [0, 1, 2, 20_000, 20_031, 40_000];
    let times = days.map(|day| day * Timestamp::DAY).into_iter().chain([i64::MAX]);
    times.enumerate().map(|(n, at)| {
        let account = EntityId::from_pseudorandom(1 + n as u64 % 2);
        let amount = Amount::new(-1_000 * (1 + n as i64), Currency::EUR);
        Transaction::new(TxnId(n as u128), Timestamp(at), account, amount).at_counterparty(account)
    })
}
