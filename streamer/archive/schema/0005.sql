-- Alerts: where a rule was met by an event, once each event. The id is a UUIDv7 of when: its order is that of time.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    event_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    label TEXT NOT NULL,
    outcome TEXT NOT NULL,
    outlets TEXT NOT NULL,
    ends TEXT NOT NULL
);
CREATE UNIQUE INDEX alert_of_event ON alert (event_id, rule);
CREATE INDEX alert_of_rule ON alert (rule, id, stream, label, outcome);
CREATE INDEX alert_of_stream ON alert (stream, id);

-- Rules that were made by the API, in the configuration's words.
CREATE TABLE alert_rule (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_ms BIGINT NOT NULL
);

CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    until_ms BIGINT NOT NULL,
    rule TEXT,
    stream TEXT,
    made_by TEXT NOT NULL,
    made_ms BIGINT NOT NULL
);

-- What outlets are to be told, in this order a stream. One that was given up has died_ms, and waits for a person.
CREATE TABLE outbox (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    outlet TEXT NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT,
    event TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    queued_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    died_ms BIGINT
);
-- From stream to stream by the first, however many wait; the others find what there is no room for.
CREATE INDEX outbox_of_stream ON outbox (outlet, stream, number) WHERE died_ms IS NULL;
CREATE INDEX outbox_waiting ON outbox (outlet, number) WHERE died_ms IS NULL;
CREATE INDEX outbox_dead ON outbox (outlet, number, died_ms) WHERE died_ms IS NOT NULL;
CREATE INDEX outbox_by_death ON outbox (died_ms) WHERE died_ms IS NOT NULL;
CREATE INDEX outbox_by_id ON outbox (id);

-- The last number given: none is given twice, or a letter that was told could be taken for one that was not.
CREATE TABLE outbox_number (last BIGINT NOT NULL);
INSERT INTO outbox_number (last) VALUES (0);

-- Kept running: counting a hundred thousand with each event takes longer than writing it.
CREATE TABLE outlet_sum (
    outlet TEXT PRIMARY KEY,
    waiting BIGINT NOT NULL DEFAULT 0,
    dead BIGINT NOT NULL DEFAULT 0,
    lost BIGINT NOT NULL DEFAULT 0
);
