"""Attacks on what was recorded: events, and the marks by which they are found."""

from __future__ import annotations

from tests.attacks.attack import Act, Attack, anywhere
from tests.attacks.scene import Scene
from tests.attacks.shell import edit, edit_untyped

I4 = 202502000000005
"""The last but two of the corrected calls of February, on line 2 of its file."""

A1 = "event initial/agents.csv:2 (event 202501000000001, batch 1)"
CALL = f"event delta/interactions_delta_202502.csv:2 (event {I4}, batch 4)"
LINE_OF_NONE = f"event delta/interactions_delta_202502.csv:9 (event {I4}, batch 4)"
GONE = f"event delta/interactions_delta_202502.csv (event {I4}, batch 4)"


def sql(script: str) -> Act:
    """Run statements with nothing in the way."""
    return lambda scene: edit(scene.ledger, script)


def change(column: str, value: str) -> Act:
    """Put a value into a column of a call."""
    return sql(f"UPDATE interactions_events SET {column} = {value} WHERE event_id = {I4}")


def untyped(column: str, value: str) -> Act:
    """The same, while the table takes values of any type."""
    statement = f"UPDATE interactions_events SET {column} = {value} WHERE event_id = {I4}"
    return lambda scene: edit_untyped(scene.ledger, "interactions_events", statement)


def exchange_tables(scene: Scene) -> None:
    """Exchange the cells of the first rows of two tables that look the same."""
    centers, categories = "contact_centers_events", "service_categories_events"
    edit(
        scene.ledger,
        f"""
        CREATE TEMP TABLE kept AS SELECT * FROM {centers} WHERE event_id = 202501000000003;
        UPDATE {centers} SET (contact_center_id, contact_center_name, location) =
            (SELECT category_id, category_name, department FROM {categories} LIMIT 1)
            WHERE event_id = 202501000000003;
        UPDATE {categories} SET (category_id, category_name, department) =
            (SELECT contact_center_id, contact_center_name, location FROM kept)
            WHERE event_id = (SELECT min(event_id) FROM {categories})
        """,
    )


def move_to_another_table(scene: Scene) -> None:
    """Take a row out of a table, and put it into another one under its own number."""
    edit(
        scene.ledger,
        """
        INSERT INTO service_categories_events
            (event_id, file, line, action, category_id, category_name, department)
        SELECT event_id, file, line, action, contact_center_id, contact_center_name, location
        FROM contact_centers_events WHERE event_id = 202501000000003;
        DELETE FROM contact_centers_events WHERE event_id = 202501000000003
        """,
    )


SWAP_NUMBERS = f"""
UPDATE interactions_events SET event_id = 1 WHERE event_id = {I4};
UPDATE interactions_events SET event_id = {I4} WHERE event_id = {I4 + 1};
UPDATE interactions_events SET event_id = {I4 + 1} WHERE event_id = 1
"""

REPLACE = f"""
INSERT OR REPLACE INTO interactions_events (event_id, file, line, action, interaction_id, channel)
SELECT event_id, file, line, action, interaction_id, 'email' FROM interactions_events
WHERE event_id = {I4}
"""

ADDED = "INSERT INTO agents_events (event_id, file, line, action, agent_id) VALUES ({}, 1, 2, {})"

EVENT_ATTACKS: list[Attack] = [
    anywhere("a cell edited", change("contact_center_id", "'C1'"), CALL, "events"),
    anywhere(
        "a number written otherwise", change("call_duration_minutes", "'8.0'"), CALL, "events"
    ),
    anywhere("a cell made blank", change("call_duration_minutes", "NULL"), CALL, "events"),
    anywhere("NULL made an empty text", change("satisfaction_rating", "''"), CALL, "events"),
    anywhere("NULL made a blank", change("satisfaction_rating", "' '"), CALL, "events"),
    anywhere("a blank put after a cell", change("channel", "'phone '"), CALL, "events"),
    anywhere("a NUL put after a cell", change("channel", "'phone' || char(0)"), CALL, "events"),
    anywhere(
        "a letter exchanged for one that looks alike", change("channel", "'phоne'"), CALL, "events"
    ),
    anywhere("a key edited", change("interaction_id", "'I9'"), CALL, "events"),
    anywhere("a line edited", change("line", "9"), LINE_OF_NONE, "events"),
    anywhere("the file of an event edited", change("file", "1"), CALL, "events"),
    anywhere("an action edited", change("action", "'update'"), CALL, "events"),
    anywhere("an action made one that there is not", change("action", "'destroy'"), CALL, "events"),
    anywhere(
        "text that is no UTF-8",
        change("channel", "CAST(x'c1ff' AS TEXT)"),
        f"event delta/interactions_delta_202502.csv (event {I4}, batch 4)",
        "events",
    ),
    anywhere(
        "a blob of the same bytes",
        untyped("channel", "CAST(channel AS BLOB)"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a blob in the place of a time",
        untyped("interaction_start", "x'00ff'"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "an integer in the place of a text",
        untyped("call_duration_minutes", "8"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a text in the place of a line", untyped("line", "'two'"), "storage ledger.db", "storage"
    ),
    anywhere(
        "NULL in the place of a line", untyped("line", "NULL"), "storage ledger.db", "storage"
    ),
    anywhere(
        "an event deleted",
        sql(f"DELETE FROM interactions_events WHERE event_id = {I4}"),
        GONE,
        "events",
    ),
    anywhere(
        "the last event of a file deleted",
        sql("DELETE FROM interactions_events WHERE event_id = 202502000000008"),
        "event delta/interactions_delta_202502.csv (event 202502000000008, batch 4)",
        "events",
    ),
    anywhere(
        "all events of a file deleted",
        sql(
            "DELETE FROM interactions_events WHERE file = (SELECT max(file) FROM "
            "interactions_events)"
        ),
        GONE,
        "events",
    ),
    anywhere(
        "the only event of a file deleted",
        sql("DELETE FROM contact_centers_events WHERE event_id > 202502000000000"),
        "event delta/contact_centers_delta_202503.csv (event 202503000000002, batch 3)",
        "events",
    ),
    anywhere(
        "an event added behind the last",
        sql(ADDED.format(202503000000099, "'add', 'A9'")),
        "event agents_events 202503000000099, with line 2",
        "stray-events",
    ),
    anywhere(
        "an event added between two months",
        sql(ADDED.format(202501000000999, "'add', 'A9'")),
        "event agents_events 202501000000999",
        "stray-events",
    ),
    anywhere(
        "an event added at the highest number there is",
        sql(ADDED.format(2**63 - 1, "'delete', 'A1'")),
        "event agents_events 9223372036854775807",
        "stray-events",
    ),
    anywhere(
        "an event added at a negative number",
        sql(ADDED.format(-5, "'delete', 'A1'")),
        "event agents_events -5",
        "stray-events",
    ),
    anywhere(
        "two events exchanged",
        sql(SWAP_NUMBERS),
        f"event delta/interactions_delta_202502.csv:3 (event {I4}, batch 4)",
        "events",
    ),
    anywhere(
        "an event moved to another month",
        sql(f"UPDATE interactions_events SET event_id = 202503000000099 WHERE event_id = {I4}"),
        GONE,
        "events",
    ),
    anywhere("a row replaced by INSERT OR REPLACE", sql(REPLACE), CALL, "events"),
    anywhere(
        "rows exchanged between two tables",
        exchange_tables,
        "event initial/contact_centers.csv:2 (event 202501000000003, batch 1)",
        "events",
    ),
    anywhere(
        "a row moved to another table",
        move_to_another_table,
        "event initial/contact_centers.csv (event 202501000000003, batch 1)",
        "events",
    ),
    anywhere(
        "a mark of an event edited",
        sql(
            "UPDATE event_marks SET marks = zeroblob(length(marks)) "
            "WHERE first_event = 202501000000001"
        ),
        "derived event_marks",
        "leaf-prefixes",
    ),
    anywhere(
        "a stretch of marks removed",
        sql("DELETE FROM event_marks WHERE first_event = 202501000000001"),
        "derived event_marks",
        "leaf-prefixes",
    ),
    anywhere(
        "a stretch of marks moved",
        sql("UPDATE event_marks SET first_event = 7 WHERE first_event = 202501000000001"),
        "derived event_marks",
        "leaf-prefixes",
    ),
    anywhere(
        "marks of no event added",
        sql("INSERT INTO event_marks (first_event, marks) VALUES (7, zeroblob(8))"),
        "derived event_marks",
        "stray-prefixes",
    ),
    anywhere(
        "a stretch of no marks added",
        sql("INSERT INTO event_marks (first_event, marks) VALUES (7, x'')"),
        "derived event_marks",
        "stray-prefixes",
    ),
    anywhere(
        "a cell and its mark edited",
        sql(
            f"UPDATE interactions_events SET channel = 'email' WHERE event_id = {I4};"
            "UPDATE event_marks "
            "SET marks = CAST(x'0011223344556677' || substr(marks, 9) AS BLOB) "
            f"WHERE first_event = {I4}"
        ),
        CALL,
        "events",
    ),
]
