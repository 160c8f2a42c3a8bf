CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE keys (id BIGINT PRIMARY KEY, owner TEXT UNIQUE, wrapped BYTES, erased_at BIGINT);

CREATE TABLE log (
    seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL, operation BIGINT UNIQUE,
    body TEXT NOT NULL, hash BYTES NOT NULL
);

CREATE TABLE alerts (
    id TEXT PRIMARY KEY, case_id BIGINT NOT NULL, at BIGINT NOT NULL, severity TEXT NOT NULL, tail DOUBLE PRECISION NOT NULL,
    key_id BIGINT, sealed BYTES
);
CREATE INDEX alerts_case ON alerts (case_id);

CREATE TABLE cases (
    id BIGINT PRIMARY KEY, status TEXT NOT NULL, is_open BIGINT NOT NULL, owner TEXT, rank BIGINT NOT NULL,
    tail DOUBLE PRECISION NOT NULL, opened BIGINT NOT NULL, changed BIGINT NOT NULL, due BIGINT, alerts BIGINT NOT NULL,
    unseen BIGINT NOT NULL, proposed BIGINT NOT NULL, disposition TEXT, tags TEXT NOT NULL, key_id BIGINT, sealed BYTES
);
CREATE INDEX cases_rank ON cases (is_open, rank DESC, tail, id);
CREATE INDEX cases_changed ON cases (is_open, changed);

CREATE TABLE case_events (
    case_id BIGINT NOT NULL, operation BIGINT NOT NULL, bulk BIGINT, PRIMARY KEY (case_id, operation)
);
CREATE INDEX case_events_bulk ON case_events (bulk);

CREATE TABLE case_keys (name TEXT NOT NULL, case_id BIGINT NOT NULL, PRIMARY KEY (name, case_id));
CREATE INDEX case_keys_case ON case_keys (case_id);

CREATE TABLE labels (
    case_id BIGINT NOT NULL, txn TEXT NOT NULL, source TEXT NOT NULL, known_at BIGINT NOT NULL, class TEXT NOT NULL,
    PRIMARY KEY (case_id, txn, source, known_at)
);

CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));

CREATE TABLE outbox (
    id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, person TEXT, about TEXT NOT NULL, key_id BIGINT,
    body BYTES, created BIGINT NOT NULL, due BIGINT NOT NULL, attempts BIGINT NOT NULL, claims BIGINT NOT NULL,
    leased_until BIGINT, state TEXT NOT NULL, why TEXT, settled BIGINT
);
CREATE INDEX outbox_due ON outbox (state, channel, due, id);
CREATE INDEX outbox_person ON outbox (person);

CREATE TABLE channels (name TEXT PRIMARY KEY, health TEXT NOT NULL);

CREATE TABLE streams (
    subject TEXT NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL, person TEXT, key_id BIGINT, body BYTES,
    seq BIGINT NOT NULL, PRIMARY KEY (subject, number)
);
CREATE INDEX streams_person ON streams (person);
