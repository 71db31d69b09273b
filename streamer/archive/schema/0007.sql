-- The number of the newest change of an event: none is given twice, though the newest event was removed.
CREATE TABLE event_change (last BIGINT NOT NULL);
INSERT INTO event_change (last) SELECT COALESCE(MAX(changed), 0) FROM event;

-- One replica's files that are to be brought to object storage, or are there too, however many the others have.
CREATE INDEX segment_here_of ON segment (replica, id) WHERE is_remote = 0 AND ended_ms IS NOT NULL AND replica IS NOT NULL;
CREATE INDEX segment_copied_of ON segment (replica, id) WHERE is_remote = 1 AND is_local = 1 AND replica IS NOT NULL;
