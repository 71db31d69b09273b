-- Recordings. BYTEA is PostgreSQL's; SQLite keeps a blob in a column of any type as it is.
CREATE TABLE segment (
    id TEXT PRIMARY KEY,
    stream TEXT NOT NULL,
    began_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    codec TEXT NOT NULL,
    mime TEXT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    pictures BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    first_time BIGINT NOT NULL,
    camera_ms BIGINT,
    follows BIGINT NOT NULL DEFAULT 0,
    has_event BIGINT NOT NULL DEFAULT 0,
    is_local BIGINT NOT NULL DEFAULT 1,
    is_remote BIGINT NOT NULL DEFAULT 0,
    init BYTEA NOT NULL,
    fragments BYTEA NOT NULL
);
-- What is deleted first is what is oldest: without the second index that is a scan of every row.
CREATE INDEX segment_of_stream ON segment (stream, began_ms, ended_ms, bytes, has_event);
CREATE INDEX segment_by_age ON segment (has_event, began_ms, stream, bytes);
CREATE INDEX segment_open ON segment (id) WHERE ended_ms IS NULL;

-- Boxes of one segment's samples, packed in columns; they may outlive the video.
CREATE TABLE segment_boxes (
    segment_id TEXT PRIMARY KEY,
    stream TEXT NOT NULL,
    began_ms BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    data BYTEA NOT NULL
);
CREATE INDEX segment_boxes_by_age ON segment_boxes (began_ms, stream);

-- What was seen in each minute, for a day's timeline.
CREATE TABLE seen_minute (
    stream TEXT NOT NULL,
    minute BIGINT NOT NULL,
    label TEXT NOT NULL,
    samples BIGINT NOT NULL,
    best DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (stream, minute, label)
);
