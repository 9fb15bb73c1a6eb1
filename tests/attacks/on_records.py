"""Attacks on the records of batches, files and tags: each of their columns, one at a time."""

from __future__ import annotations

from ledger.model.digest import FileContents, file_digest
from tests.attacks.attack import Act, Attack, Seen, Unseen, anywhere, verify
from tests.attacks.on_events import sql
from tests.attacks.scene import Scene
from tests.attacks.shell import edit_untyped, unguarded

NO_DIGEST = "printf('%064d', 0) || ''"
NO_HEX = "replace(printf('%064d', 0), '0', 'z')"
BATCH = ("batch 4", "heads")
FILE = ("file delta/interactions_delta_202502.csv (batch 4)", "file-records")

BATCHES = {
    "batch": ("99 ", ("storage table files", "storage")),
    "month": ("202503", BATCH),
    "recorded_at": ("'2025-01-01T00:00:00.000000Z'", ("batch 4", "seals")),
    "reason": ("'two calls were missing'", BATCH),
    "gap": ("1", BATCH),
    "late": ("1", BATCH),
    "correction": ("0", BATCH),
    "events": ("5", BATCH),
    "root": (NO_DIGEST, ("batch 4", "roots")),
    "head": (NO_DIGEST, BATCH),
    "seal": (NO_DIGEST, ("batch 4", "seals")),
}
FILES = {
    "file": ("99", ("event delta/interactions_delta_202502.csv:2", "events")),
    "batch": ("3", ("batch 3", "roots")),
    "table_name": ("'agents'", ("event delta/interactions_delta_202502.csv", "events")),
    "month": ("202503", FILE),
    "kind": ("'initial'", FILE),
    "name": ("'delta/other.csv'", ("file delta/other.csv (batch 4)", "file-records")),
    "sha256": (NO_DIGEST, FILE),
    "bytes": ("7", FILE),
    "rows": ("3", FILE),
    "first_event": ("202502000000006", ("event delta/interactions_delta_202502.csv:3", "events")),
    "last_event": ("202502000000007", FILE),
    "supersedes": ("NULL", FILE),
    "digest": (NO_DIGEST, FILE),
}


def of_tag(name: str) -> tuple[str, str]:
    """How a tag is reported that is not as it was given."""
    return f"tag {name}", "tags"


TAGS = {
    "tag": ("7", ("tag signed", "records")),
    "name": ("'sealed'", of_tag("sealed")),
    "as_of": ("202501", of_tag("signed")),
    "batch": ("1", of_tag("signed")),
    "tagged_at": ("'2025-01-01T00:00:00.000000Z'", of_tag("signed")),
    "seal": (NO_DIGEST, of_tag("signed")),
}
WHICH = {
    "batches": ("batch = 4", BATCHES),
    "files": ("batch = 4", FILES),
    "tags": ("name = 'signed'", TAGS),
}


def edits() -> list[Attack]:
    """Each column of the record of a batch, of a file and of a tag."""
    return [
        anywhere(
            f"`{column}` of `{table}` edited",
            sql(f"UPDATE {table} SET {column} = {value} WHERE {which}"),
            *first,
        )
        for table, (which, columns) in WHICH.items()
        for column, (value, first) in columns.items()
    ]


def untyped(table: str, assignment: str) -> Act:
    """Put a value of another type into a record."""
    return lambda scene: edit_untyped(scene.ledger, table, f"UPDATE {table} SET {assignment}")


RECORD_ATTACKS: list[Attack] = [
    *edits(),
    anywhere(
        "a flag made 5, which is as true as 1",
        sql("UPDATE batches SET correction = 5 WHERE batch = 4"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a head that is no hexadecimal number",
        sql(f"UPDATE batches SET head = {NO_HEX}"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a seal of a tag that is none",
        sql(f"UPDATE tags SET seal = {NO_HEX}"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a reason that is no UTF-8",
        sql("UPDATE batches SET reason = CAST(x'c1ff' AS TEXT) WHERE batch = 4"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a name of a file that is no UTF-8",
        sql("UPDATE files SET name = CAST(x'c1ff' AS TEXT) WHERE batch = 4"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a blob in the place of a head",
        untyped("batches", "head = x'00ff'"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a text in the place of a month",
        untyped("batches", "month = 'May'"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "NULL in the place of a month",
        untyped("files", "month = NULL"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a text in the place of an event",
        untyped("files", "first_event = 'first'"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "a text in the place of a number of rows",
        untyped("files", "rows = 'three'"),
        "storage ledger.db",
        "storage",
    ),
    anywhere(
        "the record of a batch deleted",
        sql("DELETE FROM batches WHERE batch = 3"),
        "storage table files",
        "storage",
    ),
    anywhere(
        "the record of the last batch deleted",
        sql("DELETE FROM batches WHERE batch = 6"),
        "storage table files",
        "storage",
    ),
    anywhere(
        "the record of a file deleted",
        sql("DELETE FROM files WHERE batch = 2"),
        "storage table files",
        "storage",
    ),
    anywhere(
        "the record of a retraction deleted",
        sql("DELETE FROM files WHERE kind = 'retraction'"),
        "batch 6",
        "heads",
    ),
    anywhere(
        "the record of a file of no batch added",
        sql(
            "INSERT INTO files SELECT 99, 99, table_name, month, kind, name, sha256, bytes,"
            " 0, NULL, NULL, NULL, digest FROM files WHERE batch = 4"
        ),
        "storage table files",
        "storage",
    ),
    anywhere(
        "the record of a file added to a batch",
        sql(
            "INSERT INTO files SELECT 99, batch, table_name, month, kind, name, sha256, bytes,"
            " 0, NULL, NULL, NULL, digest FROM files WHERE batch = 4"
        ),
        "file delta/interactions_delta_202502.csv (batch 4)",
        "file-records",
    ),
    anywhere(
        "the record of a batch added",
        sql(
            "INSERT INTO batches SELECT 7, month, '2999-01-01T00:00:00.000000Z', reason, gap, "
            "late, correction, 0, root, head, seal FROM batches WHERE batch = 4"
        ),
        "batch 7",
        "roots",
    ),
    anywhere(
        "the records of two batches exchanged",
        sql(
            "UPDATE batches SET batch = 99 WHERE batch = 4;"
            "UPDATE batches SET batch = 4 WHERE batch = 5;"
            "UPDATE batches SET batch = 5 WHERE batch = 99"
        ),
        "batch 4",
        "roots",
    ),
    anywhere(
        "the records of two files exchanged",
        sql(
            "UPDATE files SET file = 99 WHERE file = 1;"
            "UPDATE files SET file = 1 WHERE file = 2;"
            "UPDATE files SET file = 2 WHERE file = 99"
        ),
        "event initial/contact_centers.csv:2",
        "events",
    ),
    anywhere(
        "a name and its digest edited", lambda scene: rename_and_digest(scene), "batch 4", "seals"
    ),
    anywhere(
        "the record of the first tag deleted",
        sql("DELETE FROM tags WHERE tag = 1"),
        "tag signed",
        "tags",
    ),
    anywhere(
        "a tag added",
        sql(
            "INSERT INTO tags SELECT 3, 'third', as_of, batch, tagged_at, seal FROM tags "
            "WHERE tag = 2"
        ),
        "tag third",
        "tags",
    ),
    anywhere(
        "a tag of no batch added",
        sql(
            "INSERT INTO tags SELECT 3, 'third', as_of, 99, tagged_at, seal FROM tags WHERE tag = 2"
        ),
        "storage table tags",
        "storage",
    ),
    Attack(
        "the record of the last tag deleted",
        sql("DELETE FROM tags WHERE tag = 2"),
        Unseen("the tags before it are as they were given"),
        Seen("receipt receipt.json", "receipts"),
        Unseen("the deliveries know of no tags"),
        verify,
    ),
]


def rename_and_digest(scene: Scene) -> None:
    """Give a file another name, and its record the digest that belongs to it."""
    with unguarded(scene.ledger) as connection:
        query = """
            SELECT file, table_name, month, kind, sha256, bytes, rows, first_event, last_event,
                   supersedes FROM files WHERE batch = 4
        """
        (row,) = connection.execute(query).fetchall()
        digest = file_digest(FileContents(*row), "delta/other.csv")
        update = "UPDATE files SET name = 'delta/other.csv', digest = ? WHERE batch = 4"
        connection.execute(update, (digest,))
