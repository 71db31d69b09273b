-- Object storage. Where an event's pictures are: 0 on this machine alone, 1 in object storage too, 2 there alone.
ALTER TABLE event ADD COLUMN picture_place BIGINT NOT NULL DEFAULT 0;
CREATE INDEX event_picture_here ON event (id, ended_ms, picture_bytes) WHERE picture_place = 0 AND picture_bytes > 0;
CREATE INDEX event_picture_copied ON event (id) WHERE picture_place = 1;

CREATE INDEX segment_here ON segment (id, is_local, began_ms, bytes) WHERE is_remote = 0 AND ended_ms IS NOT NULL;
CREATE INDEX segment_copied ON segment (id) WHERE is_remote = 1 AND is_local = 1;

-- Objects whose rows are gone, until object storage has let go of them.
CREATE TABLE doomed_object (key TEXT PRIMARY KEY);
