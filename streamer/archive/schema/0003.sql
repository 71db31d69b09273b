-- Which classes, zones and lines the events of some streams have is read from name to name, and not through all of them.
CREATE INDEX event_class_of_stream ON event (stream, label);

ALTER TABLE event_zone ADD COLUMN of_stream TEXT NOT NULL DEFAULT '';
UPDATE event_zone SET of_stream = COALESCE((SELECT stream FROM event WHERE event.id = event_zone.event_id), '');
CREATE INDEX event_zone_of_stream ON event_zone (of_stream, zone);

-- Lines that things of an event went over.
CREATE TABLE event_line (
    line TEXT NOT NULL,
    event_id TEXT NOT NULL,
    of_stream TEXT NOT NULL,
    PRIMARY KEY (line, event_id)
);
CREATE INDEX event_line_of_event ON event_line (event_id);
CREATE INDEX event_line_of_stream ON event_line (of_stream, line);
