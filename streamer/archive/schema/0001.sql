-- Events. Times are UTC in milliseconds since 1970; ids are UUIDv7, so that their order is the order they began in.
CREATE TABLE event (
    id TEXT PRIMARY KEY,
    stream TEXT NOT NULL,
    label TEXT NOT NULL,
    class_id BIGINT NOT NULL,
    tracker_id BIGINT NOT NULL,
    model TEXT NOT NULL,
    version BIGINT NOT NULL,
    began_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    began_pts DOUBLE PRECISION NOT NULL,
    last_pts DOUBLE PRECISION NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    box TEXT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    zones TEXT NOT NULL,
    marks TEXT NOT NULL,
    boxes TEXT NOT NULL DEFAULT '[]',
    picture_bytes BIGINT NOT NULL DEFAULT 0,
    review TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    bookmarked BIGINT NOT NULL DEFAULT 0,
    reviewed_by TEXT NOT NULL DEFAULT '',
    reviewed_ms BIGINT,
    made BIGINT NOT NULL,
    changed BIGINT NOT NULL
);
-- What is filtered by stands in the index, so that a page of few among many reads no rows in vain.
CREATE INDEX event_by_id ON event (id, stream, label, score, review, bookmarked);
CREATE INDEX event_of_stream ON event (stream, id, label, score, review, bookmarked);
CREATE INDEX event_of_label ON event (label, id, stream, score, review, bookmarked);
CREATE INDEX event_changed ON event (changed);
CREATE INDEX event_going_on ON event (id) WHERE ended_ms IS NULL;
CREATE INDEX event_reviewed ON event (review, id) WHERE review <> '';
CREATE INDEX event_bookmarked ON event (id) WHERE bookmarked = 1;

CREATE TABLE event_zone (
    zone TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (zone, event_id)
);
CREATE INDEX event_zone_of_event ON event_zone (event_id);
