-- A cluster. On which replica's disk the file lies; NULL: on that of the service that was alone.
ALTER TABLE segment ADD COLUMN replica TEXT;
ALTER TABLE event ADD COLUMN replica TEXT;
CREATE INDEX segment_of_replica ON segment (replica, has_event, began_ms) WHERE replica IS NOT NULL;
CREATE INDEX event_of_replica ON event (replica, id) WHERE replica IS NOT NULL;

-- Files whose rows another replica removed, until the one that has them has let go of them.
CREATE TABLE doomed_file (replica TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (replica, key));

-- Which replica tells an outlet, and until when unless it says so again: milliseconds of the database's clock.
CREATE TABLE outlet_lease (
    outlet TEXT PRIMARY KEY,
    replica TEXT NOT NULL,
    until_ms BIGINT NOT NULL
);
