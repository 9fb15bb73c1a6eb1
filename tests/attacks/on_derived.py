"""Attacks on what was computed: readings, local time, the stored projection."""

from __future__ import annotations

from tests.attacks.attack import Attack, anywhere
from tests.attacks.on_events import sql

READINGS = "derived readings of event 202501000000008 of initial/interactions.csv"
CLOCK = {
    "utc_hour": ("'2025-01-20T99'", "derived clock 2025-01-20T08"),
    "from_minute": ("'01'", "derived clock 2025-01-20T08"),
    "until_minute": ("'59'", "derived clock 2025-01-20T08"),
    "local_hour": ("'2025-01-20T09'", "derived clock 2025-01-20T08"),
    "minute_shift": ("1", "derived clock 2025-01-20T08"),
    "utc_offset": ("'-04:00'", "derived clock 2025-01-20T08"),
    "epoch_hour": ("epoch_hour + 1", "derived clock 2025-01-20T08"),
}
KEYS = {
    "agents": ("agent_id", "A1", "full_name = 'Anna'"),
    "contact_centers": ("contact_center_id", "C1", "contact_center_name = 'Austin'"),
    "service_categories": ("category_id", "K1", "department = 'Sales'"),
    "interactions": ("interaction_id", "I4", "call_duration_minutes = 99"),
}
SUMMARIES = {"support_totals": "micro_minutes = 1", "support_readings": "interactions = 9"}


def derived(name: str, script: str, first: str, check: str = "projection") -> Attack:
    """An attack on what `--quick` leaves out."""
    return anywhere(name, sql(script), first, check, quick=False)


def on_tables() -> list[Attack]:
    """A row changed, added, removed, in each table of the projection."""
    attacks = []
    for table, (key, value, assignment) in KEYS.items():
        row = f"WHERE {key} = '{value}'"
        named = f"derived {table} {value}"
        stray = f"derived {table} Z9"
        renamed = f"UPDATE {table} SET {key} = 'Z9' {row}"
        attacks += [
            derived(f"`{table}`: a row changed", f"UPDATE {table} SET {assignment} {row}", named),
            derived(f"`{table}`: a row removed", f"DELETE FROM {table} {row}", named),
            derived(f"`{table}`: a row added", f"INSERT INTO {table} ({key}) VALUES ('Z9')", stray),
            derived(f"`{table}`: a key changed", renamed, named),
            derived(f"`{table}`: emptied", f"DELETE FROM {table}", f"derived {table} "),
        ]
    for table, assignment in SUMMARIES.items():
        one = f"rowid = (SELECT min(rowid) FROM {table})"
        named = f"derived {table}"
        twice = f"INSERT INTO {table} SELECT * FROM {table} WHERE {one}"
        attacks += [
            derived(
                f"`{table}`: a row changed", f"UPDATE {table} SET {assignment} WHERE {one}", named
            ),
            derived(f"`{table}`: a row removed", f"DELETE FROM {table} WHERE {one}", named),
            derived(f"`{table}`: a row twice", twice, named),
        ]
    return attacks


DERIVED_ATTACKS: list[Attack] = [
    derived(
        "`event_id` of `readings` edited",
        "UPDATE readings SET event_id = 7 WHERE event_id = 202501000000008",
        READINGS,
        "typed-values",
    ),
    derived(
        "`column_name` of `readings` edited",
        "UPDATE readings SET column_name = 'channel' WHERE column_name = 'timestamp'",
        READINGS,
        "typed-values",
    ),
    derived(
        "`value` of `readings` edited",
        "UPDATE readings SET value = '2025-02-20T08:00:00Z' WHERE column_name = 'timestamp'",
        READINGS,
        "typed-values",
    ),
    derived(
        "`value` of `readings` taken away",
        "UPDATE readings SET value = NULL",
        READINGS,
        "typed-values",
    ),
    derived(
        "`code` of `readings` edited",
        "UPDATE readings SET code = 'converted' WHERE code <> 'converted'",
        "derived readings of event 202501000000009",
        "typed-values",
    ),
    derived(
        "a reading removed",
        "DELETE FROM readings WHERE code <> 'converted'",
        "derived readings of event 202501000000009",
        "typed-values",
    ),
    derived(
        "a reading of a regular cell added",
        "INSERT INTO readings VALUES (202502000000005, 'call_duration_minutes', 1.0, 'converted')",
        "derived readings of event 202502000000005",
        "typed-values",
    ),
    derived(
        "a reading of no event added",
        "INSERT INTO readings VALUES (7, 'timestamp', NULL, 'bad-timestamp')",
        "derived readings of event 7",
        "typed-values",
    ),
    *(
        derived(
            f"`{column}` of `clock` edited",
            f"UPDATE clock SET {column} = {value} WHERE utc_hour = '2025-01-20T08'",
            first,
            "local-time",
        )
        for column, (value, first) in CLOCK.items()
    ),
    derived(
        "local time edited where nothing happened",
        "UPDATE clock SET utc_offset = '-04:00' WHERE utc_hour = '2025-01-20T23'",
        "derived clock 2025-01-20T23",
        "local-time",
    ),
    derived(
        "an hour of local time removed",
        "DELETE FROM clock WHERE utc_hour = '2025-01-20T08'",
        "derived clock 2025-01-20T08",
        "local-time",
    ),
    derived(
        "a day of local time added",
        "INSERT INTO clock SELECT '2031' || substr(utc_hour, 5), from_minute, until_minute, "
        "local_hour, minute_shift, utc_offset, epoch_hour FROM clock LIMIT 1",
        "derived clock 2031",
        "local-time",
    ),
    derived(
        "the projection called one of another month",
        "UPDATE projection_of SET as_of = 202501",
        "derived agents A2",
        "projection",
    ),
    derived(
        "the projection called one of another batch",
        "UPDATE projection_of SET batch = 3",
        "derived agents A3",
        "projection",
    ),
    derived(
        "the projection called one of no month",
        "UPDATE projection_of SET as_of = 209912",
        "derived projection_of",
        "projection",
    ),
    derived(
        "the projection called one of no batch",
        "UPDATE projection_of SET batch = 99",
        "derived projection_of",
        "projection",
    ),
    derived(
        "the projection called one of another month besides",
        "INSERT INTO projection_of (one, as_of, batch) VALUES (0, 202501, 1)",
        "derived projection_of",
        "projection",
    ),
    derived(
        "the projection called none", "DELETE FROM projection_of", "derived agents", "projection"
    ),
    derived(
        "the rows of a projected table counted otherwise",
        "UPDATE projection_rows SET rows = rows + 1 WHERE table_name = 'agents'",
        "derived projection_rows",
        "projection",
    ),
    derived(
        "the rows of a projected table not counted",
        "DELETE FROM projection_rows WHERE table_name = 'agents'",
        "derived projection_rows",
        "projection",
    ),
    *on_tables(),
    derived(
        "a text that is no UTF-8 in a table of the projection",
        "UPDATE agents SET full_name = CAST(x'c1ff' AS TEXT)",
        "derived agents A1",
        "projection",
    ),
]
