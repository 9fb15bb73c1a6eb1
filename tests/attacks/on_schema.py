"""Attacks on the ledger's file: what it is made of, and what its schema says."""

from __future__ import annotations

from tests.attacks.attack import Act, Attack, Refused, Unseen, anywhere, verify
from tests.attacks.scene import Scene
from tests.attacks.shell import edit, rewrite_schema, shell

MALFORMED = "storage ledger.db"


def script(text: str) -> Act:
    """Run statements in a plain shell."""

    def act(scene: Scene) -> None:
        with shell(scene.ledger) as connection:
            connection.executescript(text)

    return act


def schema(statement: str) -> Act:
    """Change `sqlite_schema` itself."""
    return lambda scene: rewrite_schema(scene.ledger, statement)


def reword(name: str, before: str, after: str) -> Act:
    """Change the text of an object."""
    statement = "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?"
    return lambda scene: rewrite_schema(scene.ledger, statement, before, after, name)


def pages_exchanged(one: str, two: str) -> Act:
    """Exchange where the contents of two objects are."""
    return schema(f"""
        UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema
            WHERE name IN ('{one}', '{two}')) - rootpage WHERE name IN ('{one}', '{two}')
    """)


def index_on_another_column(scene: Scene) -> None:
    """Let an index be filled from another column, and say that it is of the right one."""
    script("""
        DROP INDEX agents_events_by_key;
        CREATE INDEX agents_events_by_key ON agents_events (full_name);
    """)(scene)
    reword("agents_events_by_key", "full_name", "agent_id")(scene)


def header(place: int, value: bytes) -> Act:
    """Put bytes into the file's header (https://sqlite.org/fileformat2.html)."""

    def act(scene: Scene) -> None:
        content = bytearray(scene.ledger.read_bytes())
        content[place : place + len(value)] = value
        scene.ledger.write_bytes(content)

    return act


def refused(name: str, act: Act, code: int, says: str) -> Attack:
    """An attack after which there is no ledger to be verified."""
    outcome = Refused(code, says)
    return Attack(name, act, outcome, outcome, outcome, verify)


def harmless(name: str, act: Act, why: str) -> Attack:
    """What changes the file and nothing that is in it."""
    outcome = Unseen(why)
    return Attack(name, act, outcome, outcome, outcome, verify)


def cut(scene: Scene) -> None:
    """Cut the file off in its middle."""
    content = scene.ledger.read_bytes()
    scene.ledger.write_bytes(content[: len(content) // 2 // 4096 * 4096])


def append_garbage(scene: Scene) -> None:
    """Put bytes behind the end of the file."""
    with open(scene.ledger, "ab") as file:
        file.write(b"garbage" * 999)


def mark_free_pages(scene: Scene) -> None:
    """Write into pages that hold nothing any more."""
    edit(scene.ledger, "CREATE TABLE gone AS SELECT zeroblob(9000) AS x; DROP TABLE gone")


IGNORE = (
    "CREATE TRIGGER planted BEFORE INSERT ON interactions_events BEGIN SELECT raise(IGNORE); END"
)
ENDLESS = """
DROP TABLE batches;
CREATE VIEW batches AS
WITH RECURSIVE endless (n) AS (SELECT 1 UNION ALL SELECT n FROM endless)
SELECT n AS batch, n AS month, '' AS recorded_at, '' AS reason, n AS gap, n AS late,
       n AS correction, n AS events, '' AS root, '' AS head, '' AS seal FROM endless
"""

SCHEMA_ATTACKS: list[Attack] = [
    anywhere(
        "a trigger dropped",
        script("DROP TRIGGER files_no_update"),
        "trigger files_no_update on files",
        "schema",
    ),
    anywhere(
        "a trigger for another event",
        reword("files_no_update", "UPDATE ON", "DELETE ON"),
        "trigger files_no_update on files",
        "schema",
    ),
    anywhere(
        "a trigger planted that drops what is recorded",
        script(IGNORE),
        "trigger planted on interactions_events",
        "schema",
    ),
    anywhere(
        "a view redefined",
        script(
            "DROP VIEW support_report; CREATE VIEW support_report AS SELECT '2025-01' AS month, "
            "'Boston' AS contact_center_name, 'Money' AS department, 9 AS total_interactions, "
            "9 AS total_calls, 9.0 AS total_call_duration"
        ),
        "view support_report",
        "schema",
    ),
    anywhere(
        "a view planted over a table",
        script("CREATE VIEW planted AS SELECT 1"),
        "view planted",
        "schema",
    ),
    anywhere("a table planted", script("CREATE TABLE planted (one)"), "table planted", "schema"),
    anywhere("a table dropped", script("DROP TABLE readings"), "table readings", "schema"),
    anywhere(
        "a table of events dropped",
        script("DROP TABLE agents_events"),
        "table agents_events",
        "schema",
    ),
    anywhere(
        "a view without an end in the place of a table", script(ENDLESS), "table batches", "schema"
    ),
    anywhere(
        "statistics planted that mislead the planner",
        script("ANALYZE"),
        "table sqlite_stat1",
        "schema",
    ),
    anywhere(
        "an index dropped",
        script("DROP INDEX agents_events_by_key"),
        "index agents_events_by_key on agents_events",
        "schema",
    ),
    anywhere(
        "an index planted",
        script("CREATE INDEX planted ON agents_events (full_name)"),
        "index planted on agents_events",
        "schema",
    ),
    anywhere(
        "an index on another column",
        script(
            "DROP INDEX agents_events_by_key; "
            "CREATE INDEX agents_events_by_key ON agents_events (full_name)"
        ),
        "index agents_events_by_key on agents_events",
        "schema",
    ),
    anywhere(
        "an index on another column, its text put back",
        index_on_another_column,
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a generated column altered",
        reword("agents_events", "event_id / 1000000000) VIRTUAL", "202501) VIRTUAL"),
        "table agents_events",
        "schema",
    ),
    anywhere(
        "a check altered",
        reword("agents_events", "= 'update'", "= 'destroy'"),
        "table agents_events",
        "schema",
    ),
    anywhere(
        "a column renamed",
        reword("contact_centers", "location", "place"),
        "table contact_centers",
        "schema",
    ),
    anywhere(
        "two columns of a view's table exchanged",
        reword(
            "support_totals",
            "interactions                INTEGER NOT NULL,\n    calls ",
            "calls                INTEGER NOT NULL,\n    interactions ",
        ),
        "table support_totals",
        "schema",
    ),
    anywhere(
        "the contents of two tables exchanged",
        pages_exchanged("contact_centers_events", "service_categories_events"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "the contents of two tables of the projection exchanged",
        pages_exchanged("contact_centers", "service_categories"),
        "derived contact_centers C1",
        "projection",
        quick=False,
    ),
    anywhere(
        "the contents of two indexes exchanged",
        pages_exchanged("contact_centers_events_by_key", "service_categories_events_by_key"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a table whose contents are those of another",
        schema(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema "
            "WHERE name = 'agents') WHERE name = 'contact_centers'"
        ),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a text of the schema that is no SQL",
        reword("events", "UNION ALL", "UNION WALL"),
        MALFORMED,
        "storage",
    ),
    anywhere(
        "an object twice in the schema",
        schema("INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'events'"),
        MALFORMED,
        "storage",
    ),
    anywhere(
        "a trigger planted under the name of another",
        schema(
            "UPDATE sqlite_schema SET sql = 'CREATE TRIGGER planted BEFORE INSERT ON files "
            "BEGIN SELECT raise(IGNORE); END' WHERE name = 'files_no_update'"
        ),
        MALFORMED,
        "storage",
    ),
    refused(
        "the write-ahead log switched on",
        script("PRAGMA journal_mode = wal"),
        5,
        "its journal mode is wal",
    ),
    anywhere(
        "the encoding of texts changed in the header", header(56, b"\0\0\0\2"), MALFORMED, "storage"
    ),
    anywhere(
        "the file format changed in the header", header(44, b"\0\0\0\7"), MALFORMED, "storage"
    ),
    anywhere("the file cut off", cut, MALFORMED, "storage"),
    refused("the version changed", script("PRAGMA user_version = 9"), 5, "by a newer version"),
    refused("the version put back", script("PRAGMA user_version = 2"), 5, "before the first"),
    refused("the application changed", script("PRAGMA application_id = 9"), 5, "but not a ledger"),
    refused("the first bytes changed", header(0, b"sqlite"), 5, "this is no SQLite database"),
    refused("the file emptied", lambda scene: scene.ledger.write_bytes(b""), 5, "an empty file"),
    harmless("the file written anew by VACUUM", script("VACUUM"), "the same on other pages"),
    harmless("bytes put behind the end", append_garbage, "they are not read"),
    harmless("free pages left behind", mark_free_pages, "they hold nothing"),
]
