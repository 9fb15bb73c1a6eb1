-- The ledger's file, as one reads it from top to bottom:
--
--   1. what was recorded      batches ─┬─ files ─┬─ <table>_events      append-only: the truth
--                             tags                                      append-only: names
--   2. how it was read        event_marks, readings, clock              derived, can be rebuilt
--   3. a state computed       projection_of, projection_rows, <table>,  derived, can be rebuilt
--      from it                support_totals, support_readings,
--                             support_report
--
-- Everything is made together with the file and never altered: `ledger project` only deletes and
-- inserts rows of part 3, so that the text of this schema can be verified at any time.
--
-- Words: a *file* is one delivered CSV file, a *batch* the files of one month recorded together,
-- an *event* one row of a file. Months are numbers, YYYYMM. Digests are 64 hexadecimal digits.

PRAGMA application_id = 1279543122;  -- "LDGR"
PRAGMA user_version = 4;


-- 1. What was recorded ---------------------------------------------------------------------------

-- The unit of commit: a batch is here whole or not at all.
CREATE TABLE batches (
    batch       INTEGER PRIMARY KEY CHECK (batch >= 1),
    month       INTEGER NOT NULL CHECK (month / 100 BETWEEN 1900 AND 9999
                                        AND month % 100 BETWEEN 1 AND 12),
    recorded_at TEXT    NOT NULL CHECK (recorded_at GLOB '????-??-??T??:??:??.??????Z'),
    reason      TEXT    CHECK (reason <> ''),
    gap         INTEGER NOT NULL CHECK (gap IN (0, 1)),         -- a month before it is missing
    late        INTEGER NOT NULL CHECK (late IN (0, 1)),        -- later months were there already
    correction  INTEGER NOT NULL CHECK (correction IN (0, 1)),  -- in the place of a recorded file
    events      INTEGER NOT NULL CHECK (events >= 0),
    root        TEXT    NOT NULL CHECK (length(root) = 64),     -- of the tree over its events
    head        TEXT    NOT NULL CHECK (length(head) = 64),     -- binds all contents up to here
    seal        TEXT    NOT NULL CHECK (length(seal) = 64)      -- binds times and names as well
) STRICT;

-- A file that supersedes another takes its place from this batch on; the events of the other stay
-- and no longer count. A retraction supersedes a file with nothing in its place.
CREATE TABLE files (
    file        INTEGER PRIMARY KEY CHECK (file >= 1),
    batch       INTEGER NOT NULL REFERENCES batches (batch),
    table_name  TEXT    NOT NULL,
    month       INTEGER NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('initial', 'delta', 'retraction')),
    name        TEXT    NOT NULL,
    sha256      TEXT    CHECK (length(sha256) = 64),
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    rows        INTEGER NOT NULL CHECK (rows >= 0),
    first_event INTEGER,
    last_event  INTEGER,
    supersedes  INTEGER UNIQUE REFERENCES files (file) CHECK (supersedes < file),
    digest      TEXT    NOT NULL CHECK (length(digest) = 64),  -- of this record
    CHECK (CASE WHEN rows = 0 THEN first_event IS NULL AND last_event IS NULL
                -- IS, for a check that gives NULL lets everything pass.
                ELSE first_event / 1000000000 IS month AND last_event / 1000000000 IS month
                     AND last_event - first_event + 1 IS rows END),
    CHECK (CASE WHEN kind = 'retraction' THEN sha256 IS NULL AND rows = 0 AND supersedes IS NOT NULL
                ELSE sha256 IS NOT NULL END)
) STRICT;

-- Names for editions: a month as it was known after a batch.
CREATE TABLE tags (
    tag       INTEGER PRIMARY KEY CHECK (tag >= 1),
    name      TEXT    NOT NULL UNIQUE CHECK (name GLOB '[A-Za-z]*'),
    as_of     INTEGER NOT NULL,
    batch     INTEGER NOT NULL REFERENCES batches (batch),
    tagged_at TEXT    NOT NULL CHECK (tagged_at GLOB '????-??-??T??:??:??.??????Z'),
    seal      TEXT    NOT NULL CHECK (length(seal) = 64)  -- binds all tags up to here
) STRICT;

-- One table of events for each table of the data set, its cells as delivered (spaces and tabs
-- round a cell taken off, blank as NULL). `event_id` is YYYYMM · 10⁹ + n, n counting the rows
-- recorded for the month from 1. It is the place in replay order, whatever the order of arrival,
-- and as the primary key also the order on disk: a month is one range of it. `file` has no foreign
-- key: a file is recorded when its last row is read, and the check would then read all events.
-- The index carries the rowid, so it alone answers which event is a key's last.

CREATE TABLE agents_events (
    event_id          INTEGER PRIMARY KEY CHECK (event_id % 1000000000 > 0),
    month             INTEGER GENERATED ALWAYS AS (event_id / 1000000000) VIRTUAL,
    file              INTEGER NOT NULL CHECK (file >= 1),
    line              INTEGER NOT NULL CHECK (line >= 2),
    action            TEXT    NOT NULL
                      CHECK (action = 'add' OR action = 'update' OR action = 'delete'),
    agent_id          TEXT    NOT NULL CHECK (agent_id <> ''),
    full_name         TEXT,
    contact_center_id TEXT,
    hire_date         TEXT,
    category_id       TEXT
) STRICT;

CREATE INDEX agents_events_by_key ON agents_events (agent_id);

CREATE TABLE contact_centers_events (
    event_id            INTEGER PRIMARY KEY CHECK (event_id % 1000000000 > 0),
    month               INTEGER GENERATED ALWAYS AS (event_id / 1000000000) VIRTUAL,
    file                INTEGER NOT NULL CHECK (file >= 1),
    line                INTEGER NOT NULL CHECK (line >= 2),
    action              TEXT    NOT NULL
                        CHECK (action = 'add' OR action = 'update' OR action = 'delete'),
    contact_center_id   TEXT    NOT NULL CHECK (contact_center_id <> ''),
    contact_center_name TEXT,
    location            TEXT
) STRICT;

CREATE INDEX contact_centers_events_by_key ON contact_centers_events (contact_center_id);

CREATE TABLE service_categories_events (
    event_id      INTEGER PRIMARY KEY CHECK (event_id % 1000000000 > 0),
    month         INTEGER GENERATED ALWAYS AS (event_id / 1000000000) VIRTUAL,
    file          INTEGER NOT NULL CHECK (file >= 1),
    line          INTEGER NOT NULL CHECK (line >= 2),
    action        TEXT    NOT NULL
                  CHECK (action = 'add' OR action = 'update' OR action = 'delete'),
    category_id   TEXT    NOT NULL CHECK (category_id <> ''),
    category_name TEXT,
    department    TEXT
) STRICT;

CREATE INDEX service_categories_events_by_key ON service_categories_events (category_id);

CREATE TABLE interactions_events (
    event_id                   INTEGER PRIMARY KEY CHECK (event_id % 1000000000 > 0),
    month                      INTEGER GENERATED ALWAYS AS (event_id / 1000000000) VIRTUAL,
    file                       INTEGER NOT NULL CHECK (file >= 1),
    line                       INTEGER NOT NULL CHECK (line >= 2),
    action                     TEXT    NOT NULL
                               CHECK (action = 'add' OR action = 'update' OR action = 'delete'),
    interaction_id             TEXT    NOT NULL CHECK (interaction_id <> ''),
    timestamp                  TEXT,
    channel                    TEXT,
    category_id                TEXT,
    agent_id                   TEXT,
    contact_center_id          TEXT,
    interaction_start          TEXT,
    agent_resolution_timestamp TEXT,
    interaction_end            TEXT,
    call_duration_minutes      TEXT,
    satisfaction_rating        TEXT
) STRICT;

CREATE INDEX interactions_events_by_key ON interactions_events (interaction_id);

-- All events in one list, without their cells.
CREATE VIEW events AS
SELECT event_id, 'agents' AS table_name, agent_id AS key, month, action, file, line
FROM agents_events
UNION ALL
SELECT event_id, 'contact_centers' AS table_name, contact_center_id AS key, month, action, file, line
FROM contact_centers_events
UNION ALL
SELECT event_id, 'service_categories' AS table_name, category_id AS key, month, action, file, line
FROM service_categories_events
UNION ALL
SELECT event_id, 'interactions' AS table_name, interaction_id AS key, month, action, file, line
FROM interactions_events;

-- Append-only. The triggers on INSERT are needed because INSERT OR REPLACE, where a row with the
-- same key is there, deletes it without firing the triggers on DELETE.
CREATE TRIGGER batches_no_update BEFORE UPDATE ON batches
BEGIN SELECT raise(ABORT, 'batches is append-only'); END;
CREATE TRIGGER batches_no_delete BEFORE DELETE ON batches
BEGIN SELECT raise(ABORT, 'batches is append-only'); END;
CREATE TRIGGER batches_no_replace BEFORE INSERT ON batches
WHEN EXISTS (SELECT 1 FROM batches WHERE batch = NEW.batch)
BEGIN SELECT raise(ABORT, 'batches is append-only'); END;

CREATE TRIGGER batches_in_time BEFORE INSERT ON batches
WHEN NEW.recorded_at <= (SELECT max(recorded_at) FROM batches)
BEGIN SELECT raise(ABORT, 'recorded_at must increase'); END;

CREATE TRIGGER files_no_update BEFORE UPDATE ON files
BEGIN SELECT raise(ABORT, 'files is append-only'); END;
CREATE TRIGGER files_no_delete BEFORE DELETE ON files
BEGIN SELECT raise(ABORT, 'files is append-only'); END;
CREATE TRIGGER files_no_replace BEFORE INSERT ON files
WHEN EXISTS (SELECT 1 FROM files WHERE file = NEW.file)
BEGIN SELECT raise(ABORT, 'files is append-only'); END;

CREATE TRIGGER files_no_second_successor BEFORE INSERT ON files
WHEN EXISTS (SELECT 1 FROM files WHERE supersedes = NEW.supersedes)
BEGIN SELECT raise(ABORT, 'a file can be superseded once'); END;

CREATE TRIGGER tags_no_update BEFORE UPDATE ON tags
BEGIN SELECT raise(ABORT, 'tags is append-only'); END;
CREATE TRIGGER tags_no_delete BEFORE DELETE ON tags
BEGIN SELECT raise(ABORT, 'tags is append-only'); END;
CREATE TRIGGER tags_no_replace BEFORE INSERT ON tags
WHEN EXISTS (SELECT 1 FROM tags WHERE tag = NEW.tag OR name = NEW.name)
BEGIN SELECT raise(ABORT, 'tags is append-only'); END;

CREATE TRIGGER agents_events_no_update BEFORE UPDATE ON agents_events
BEGIN SELECT raise(ABORT, 'agents_events is append-only'); END;
CREATE TRIGGER agents_events_no_delete BEFORE DELETE ON agents_events
BEGIN SELECT raise(ABORT, 'agents_events is append-only'); END;
CREATE TRIGGER agents_events_no_replace BEFORE INSERT ON agents_events
WHEN EXISTS (SELECT 1 FROM agents_events WHERE event_id = NEW.event_id)
BEGIN SELECT raise(ABORT, 'agents_events is append-only'); END;

CREATE TRIGGER contact_centers_events_no_update BEFORE UPDATE ON contact_centers_events
BEGIN SELECT raise(ABORT, 'contact_centers_events is append-only'); END;
CREATE TRIGGER contact_centers_events_no_delete BEFORE DELETE ON contact_centers_events
BEGIN SELECT raise(ABORT, 'contact_centers_events is append-only'); END;
CREATE TRIGGER contact_centers_events_no_replace BEFORE INSERT ON contact_centers_events
WHEN EXISTS (SELECT 1 FROM contact_centers_events WHERE event_id = NEW.event_id)
BEGIN SELECT raise(ABORT, 'contact_centers_events is append-only'); END;

CREATE TRIGGER service_categories_events_no_update BEFORE UPDATE ON service_categories_events
BEGIN SELECT raise(ABORT, 'service_categories_events is append-only'); END;
CREATE TRIGGER service_categories_events_no_delete BEFORE DELETE ON service_categories_events
BEGIN SELECT raise(ABORT, 'service_categories_events is append-only'); END;
CREATE TRIGGER service_categories_events_no_replace BEFORE INSERT ON service_categories_events
WHEN EXISTS (SELECT 1 FROM service_categories_events WHERE event_id = NEW.event_id)
BEGIN SELECT raise(ABORT, 'service_categories_events is append-only'); END;

CREATE TRIGGER interactions_events_no_update BEFORE UPDATE ON interactions_events
BEGIN SELECT raise(ABORT, 'interactions_events is append-only'); END;
CREATE TRIGGER interactions_events_no_delete BEFORE DELETE ON interactions_events
BEGIN SELECT raise(ABORT, 'interactions_events is append-only'); END;
CREATE TRIGGER interactions_events_no_replace BEFORE INSERT ON interactions_events
WHEN EXISTS (SELECT 1 FROM interactions_events WHERE event_id = NEW.event_id)
BEGIN SELECT raise(ABORT, 'interactions_events is append-only'); END;


-- 2. How it was read -----------------------------------------------------------------------------

-- For each stretch of at most 4096 events of a file, from `first_event` on: the first eight bytes
-- of the hash of each of them. They bind nothing, since whoever changes an event can change them
-- too; where the root of a batch does not agree, they tell which event it is.
CREATE TABLE event_marks (
    first_event INTEGER PRIMARY KEY,
    marks       BLOB    NOT NULL CHECK (length(marks) % 8 = 0)
) STRICT;

-- Cells that a plain CAST does not surely read as their column's type: a timestamp with another
-- offset, a number of many digits, or no value at all. `value` is canonical text or a REAL, NULL
-- where there is none; `code` says why.
CREATE TABLE readings (
    event_id    INTEGER NOT NULL,
    column_name TEXT    NOT NULL,
    value       ANY     CHECK (value <> ''),
    code        TEXT    NOT NULL,
    PRIMARY KEY (event_id, column_name)
) STRICT, WITHOUT ROWID;

-- What to write in local time (America/New_York) for each stretch of an hour of UTC, for the days
-- that occur. `minute_shift` is added to the UTC minute; `epoch_hour` counts from 1970.
CREATE TABLE clock (
    utc_hour     TEXT    NOT NULL,  -- 2025-02-05T13
    from_minute  TEXT    NOT NULL,  -- 00
    until_minute TEXT    NOT NULL,  -- 60: the end of the hour
    local_hour   TEXT    NOT NULL,  -- 2025-02-05T08
    minute_shift INTEGER NOT NULL,
    utc_offset   TEXT    NOT NULL,  -- -05:00
    epoch_hour   INTEGER NOT NULL,
    PRIMARY KEY (utc_hour, from_minute)
) STRICT, WITHOUT ROWID;


-- 3. A state computed from it --------------------------------------------------------------------

-- The as-of month and the last batch taken into account; no row before the first `project`.
CREATE TABLE projection_of (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    as_of INTEGER NOT NULL,
    batch INTEGER NOT NULL
) STRICT;

-- How many rows each of its tables has.
CREATE TABLE projection_rows (
    table_name TEXT    PRIMARY KEY,
    rows       INTEGER NOT NULL CHECK (rows >= 0)
) STRICT, WITHOUT ROWID;

-- The tables as of that month. Times are local, ISO 8601 with the offset
-- (2025-02-28T20:30:00-05:00); `month` is the local month of interaction_start (2025-02), and
-- `utc_month` the one that it has in UTC, as `timestamp_utc_month` is that of timestamp.

CREATE TABLE agents (
    agent_id          TEXT PRIMARY KEY,
    full_name         TEXT,
    contact_center_id TEXT,
    hire_date         TEXT,
    category_id       TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_centers (
    contact_center_id   TEXT PRIMARY KEY,
    contact_center_name TEXT,
    location            TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE service_categories (
    category_id   TEXT PRIMARY KEY,
    category_name TEXT,
    department    TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE interactions (
    interaction_id             TEXT PRIMARY KEY,
    timestamp                  TEXT,
    channel                    TEXT,
    category_id                TEXT,
    agent_id                   TEXT,
    contact_center_id          TEXT,
    interaction_start          TEXT,
    agent_resolution_timestamp TEXT,
    interaction_end            TEXT,
    call_duration_minutes      REAL,
    satisfaction_rating        REAL,
    month                      TEXT,
    utc_month                  TEXT,
    timestamp_utc_month        TEXT,
    seconds_to_resolution      REAL,
    seconds_after_resolution   REAL,
    seconds_to_end             REAL
) STRICT, WITHOUT ROWID;

-- Counts and sums by month, centre and category, as keys; see support/totals.sql. `magnitude` is the
-- sum of all that went into the sums, without signs: it tells whether they are exact.
CREATE TABLE support_totals (
    month                       TEXT    NOT NULL,
    contact_center_id           TEXT,
    category_id                 TEXT,
    interactions                INTEGER NOT NULL,
    calls                       INTEGER NOT NULL,
    timed_calls                 INTEGER NOT NULL,
    micro_minutes               REAL    NOT NULL,
    resolved_calls              INTEGER NOT NULL,
    micro_seconds_to_resolution REAL    NOT NULL,
    split_calls                 INTEGER NOT NULL,
    split_micro_seconds_before  REAL    NOT NULL,
    split_micro_seconds_after   REAL    NOT NULL,
    rated_split_calls           INTEGER NOT NULL,
    tail_calls                  INTEGER NOT NULL,
    tail_micro_seconds          REAL    NOT NULL,
    rated_tail_calls            INTEGER NOT NULL,
    magnitude                   REAL    NOT NULL
) STRICT;

-- Counts and sums by centre and by the month under each reading of it; see support/readings.sql.
CREATE TABLE support_readings (
    month                       TEXT    NOT NULL,
    utc_month                   TEXT    NOT NULL,
    est_month                   TEXT    NOT NULL,
    timestamp_month             TEXT    NOT NULL,
    timestamp_utc_month         TEXT    NOT NULL,
    timestamp_est_month         TEXT    NOT NULL,
    contact_center_id           TEXT,
    interactions                INTEGER NOT NULL,
    timed_calls                 INTEGER NOT NULL,
    micro_minutes               REAL    NOT NULL,
    ended_calls                 INTEGER NOT NULL,
    micro_seconds_to_end        REAL    NOT NULL,
    resolved_calls              INTEGER NOT NULL,
    micro_seconds_to_resolution REAL    NOT NULL,
    magnitude                   REAL    NOT NULL
) STRICT;

-- The report: names as of the month of the projection, "Unknown" where there is none.
CREATE VIEW support_report AS
SELECT t.month                                          AS month,
       coalesce(c.contact_center_name, 'Unknown')       AS contact_center_name,
       coalesce(s.department, 'Unknown')                AS department,
       sum(t.interactions)                              AS total_interactions,
       sum(t.calls)                                     AS total_calls,
       sum(t.micro_minutes) / 1000000.0                 AS total_call_duration
FROM support_totals AS t
LEFT JOIN contact_centers AS c ON c.contact_center_id = t.contact_center_id
LEFT JOIN service_categories AS s ON s.category_id = t.category_id
GROUP BY t.month, coalesce(c.contact_center_name, 'Unknown'), coalesce(s.department, 'Unknown')
ORDER BY 1, 2, 3;
