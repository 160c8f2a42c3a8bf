use super::Alert;

/// Names of the columns of [`csv_record`].
pub const CSV_HEADER: [&str; 22] = [
    "id",
    "day",
    "rank",
    "severity",
    "score",
    "tail",
    "transaction",
    "account",
    "counterparty",
    "at",
    "amount",
    "currency",
    "reason_1",
    "reason_2",
    "reason_3",
    "looks_like",
    "model",
    "feed",
    "file",
    "row",
    "payments",
    "note",
];

/// An alert as one flat record, unquoted: its first three reasons as sentences, what it lacks as empty text.
pub fn csv_record(alert: &Alert) -> [String; 22] {
    let reason = |i: usize| alert.reasons.get(i).map(|r| r.text.clone()).unwrap_or_default();
    let (feed, file, row) = match &alert.source {
        Some(source) => (source.feed.clone(), source.file.clone(), source.row.to_string()),
        None => Default::default(),
    };
    [
        alert.id.to_string(),
        alert.day.clone(),
        alert.rank.to_string(),
        alert.severity.as_str().to_owned(),
        // Debug writes a small number with an exponent, where Display would write three hundred zeros.
        format!("{:?}", alert.score),
        format!("{:?}", alert.tail),
        alert.transaction.clone(),
        alert.account.clone(),
        alert.counterparty.clone().unwrap_or_default(),
        alert.at.clone(),
        alert.amount.value.clone(),
        alert.amount.currency.clone(),
        reason(0),
        reason(1),
        reason(2),
        alert.looks_like.clone().unwrap_or_default(),
        alert.model.to_string(),
        feed,
        file,
        row,
        alert.payments.len().max(1).to_string(),
        alert.note.clone().unwrap_or_default(),
    ]
}
