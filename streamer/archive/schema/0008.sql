-- Which claim to a stream is the newest by which a replica runs it: when the bucket was made that has it, and its number.
-- What begins later at a replica whose claim is older is not kept.
CREATE TABLE stream_claim (
    stream TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    since_ms BIGINT NOT NULL
);
