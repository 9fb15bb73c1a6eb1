"""Attacks by somebody who knows all of `ledger`, and computes every digest anew."""

from __future__ import annotations

import shutil
from functools import partial

from ledger import Ledger
from tests.attacks.attack import Act, Attack, Outcome, Seen, Unseen, anywhere, verify
from tests.attacks.on_events import I4
from tests.attacks.rewriting import Connection, recompute, renumber, rewrite
from tests.attacks.scene import (
    APRIL,
    CORRECTED,
    CORRECTED_AGAIN,
    FEBRUARY,
    INITIAL,
    LATE,
    MARCH,
    Scene,
)
from tests.attacks.shell import edit, unguarded
from tests.strategies import COLUMNS, write_data_folder

AGREES = Unseen("whoever rewrites all of it leaves a ledger that agrees with itself")
NOT_DELIVERED = Unseen("no delivery tells of it")
AS_DELIVERED = Unseen("every delivered row is where it was")
APPENDED = Unseen(
    "it is a sound batch after those that the receipt knows",
    told="anchored by a receipt up to batch 6 of 7",
)
RECEIPT = Seen("receipt receipt.json", "receipts")
CALL = "source sources/delta/interactions_delta_202502.csv"


def rewritten(
    name: str,
    change: Act | str,
    sources: Outcome = NOT_DELIVERED,
    receipt: Outcome = RECEIPT,
    alone: Outcome = AGREES,
) -> Attack:
    """An attack after which the ledger agrees with itself."""
    act = partial(_rewrite, change) if isinstance(change, str) else change
    return Attack(name, act, alone, receipt, sources, verify)


def _rewrite(script: str, scene: Scene) -> None:
    rewrite(scene.ledger, script)


def nonsense(name: str, script: str, first: str, check: str) -> Attack:
    """An attack whose digests are right, and whose records cannot be those of a ledger."""

    def act(scene: Scene) -> None:
        rewrite(scene.ledger, script, project=False)

    return anywhere(name, act, first, check)


def take_out_an_event(scene: Scene) -> None:
    """Delete an event, and close the gap."""

    def change(connection: Connection) -> None:
        connection.execute(f"DELETE FROM interactions_events WHERE event_id = {I4 + 1}")
        renumber(connection)

    rewrite(scene.ledger, change)


def put_back_an_old_copy(scene: Scene) -> None:
    shutil.copy(scene.folder / "old.db", scene.ledger)


def cut_the_tail(scene: Scene, batch: int) -> None:
    """Remove the batches after one, with all that belongs to them."""

    def change(connection: Connection) -> None:
        later = "(SELECT file FROM files WHERE batch > ?)"
        for table in COLUMNS:
            connection.execute(f"DELETE FROM {table}_events WHERE file IN {later}", (batch,))
        for table in ("tags", "files", "batches"):
            connection.execute(f"DELETE FROM {table} WHERE batch > ?", (batch,))

    rewrite(scene.ledger, change, project=batch > 0)


def remove_all(scene: Scene) -> None:
    cut_the_tail(scene, 0)
    edit(
        scene.ledger,
        "DELETE FROM projection_of; DELETE FROM agents; DELETE FROM interactions;"
        "DELETE FROM contact_centers; DELETE FROM service_categories;"
        "DELETE FROM support_totals; DELETE FROM support_readings;"
        "DELETE FROM projection_rows",
    )


def rebuild_from_altered_files(scene: Scene) -> None:
    """Record everything again, with one amount changed in a file that counts."""
    scene.ledger.unlink()
    ledger, folder = Ledger(scene.ledger), scene.folder / "altered"
    ledger.ingest(files=write_data_folder(folder, INITIAL), initial_month="202501")
    ledger.ingest(files=write_data_folder(folder, FEBRUARY))
    ledger.ingest(files=write_data_folder(folder, MARCH))
    ledger.tag("first")
    (path,) = write_data_folder(folder, [CORRECTED])
    path.write_bytes(path.read_bytes().replace(b",8,", b",800,"))
    ledger.ingest(files=[path], correct="a call was missing")
    ledger.ingest(files=write_data_folder(folder, [LATE]), late=True)
    ledger.retract("agents", "202503", "it was not meant for us")
    ledger.tag("signed")
    ledger.project()


def record_again(scene: Scene) -> None:
    """Record the same files in the same order: the contents are the same, and the times are not."""
    scene.ledger.unlink()
    ledger, folder = Ledger(scene.ledger), scene.folder / "again"
    ledger.ingest(files=write_data_folder(folder, INITIAL), initial_month="202501")
    ledger.ingest(files=write_data_folder(folder, FEBRUARY))
    ledger.ingest(files=write_data_folder(folder, MARCH))
    ledger.ingest(files=write_data_folder(folder, [CORRECTED]), correct="a call was missing")
    ledger.ingest(files=write_data_folder(folder, [LATE]), late=True)
    ledger.retract("agents", "202503", "it was not meant for us")


def append_delta(scene: Scene) -> None:
    Ledger(scene.ledger).ingest(
        files=write_data_folder(scene.folder / "forged", [APRIL]), allow_gap=True
    )


def append_correction(scene: Scene) -> None:
    files = write_data_folder(scene.folder / "forged", [CORRECTED_AGAIN])
    Ledger(scene.ledger).ingest(files=files, correct="the name was wrong")


def append_retraction(scene: Scene) -> None:
    Ledger(scene.ledger).retract("interactions", "202503", "it was not meant for us")


def append_tag(scene: Scene) -> None:
    Ledger(scene.ledger).tag("third", known_at=1)


def exchange_batches(scene: Scene) -> None:
    """Let the late file come before the correction."""

    def change(connection: Connection) -> None:
        for table in ("batches", "files"):
            for old, new in ((4, 99), (5, 4), (99, 5)):
                connection.execute(f"UPDATE {table} SET batch = {new} WHERE batch = {old}")
        for old, new in ((11, 99), (12, 11), (99, 12)):
            connection.execute(f"UPDATE files SET file = {new} WHERE file = {old}")
            for table in ("interactions", "service_categories"):
                update = f"UPDATE {table}_events SET file = {new} WHERE file = {old}"
                connection.execute(update)
        times = [at for (at,) in connection.execute("SELECT recorded_at FROM batches")]
        for batch, at in enumerate(sorted(times), start=1):
            connection.execute("UPDATE batches SET recorded_at = ? WHERE batch = ?", (at, batch))
        for table in ("interactions", "service_categories"):
            move = f"UPDATE {table}_events SET event_id = event_id + 500 WHERE file = ?"
            connection.execute(move, (12 if table == "interactions" else 11,))
        renumber(connection)

    rewrite(scene.ledger, change)


def keep_the_projection(scene: Scene) -> None:
    """Rewrite a cell and all digests, and leave the projection as it was."""
    with unguarded(scene.ledger) as connection:
        connection.execute(
            f"UPDATE interactions_events SET channel = 'email' WHERE event_id = {I4}"
        )
        recompute(connection)


def moved(month: int, to: int) -> str:
    """Statements that move all of a month."""
    by = (to - month) * 10**9
    events = [
        f"UPDATE {table}_events SET event_id = event_id + {by} WHERE month = {month}"
        for table in COLUMNS
    ]
    files = f"""UPDATE files SET month = {to}, first_event = first_event + {by},
        last_event = last_event + {by} WHERE month = {month}"""
    batches = f"UPDATE batches SET month = {to} WHERE month = {month}"
    return ";".join([*events, files, batches])


MOVE_MARCH = moved(202503, 202504)
MOVE_EXTRACT = moved(202501, 202412)

CHAIN_ATTACKS: list[Attack] = [
    rewritten(
        "a cell edited, and all digests",
        f"UPDATE interactions_events SET call_duration_minutes = '99' WHERE event_id = {I4}",
        Seen(f"{CALL}:2", "delivered-files"),
    ),
    rewritten(
        "a key edited, and all digests",
        f"UPDATE interactions_events SET interaction_id = 'I9' WHERE event_id = {I4}",
        Seen(f"{CALL}:2", "delivered-files"),
    ),
    rewritten(
        "a line edited, and all digests",
        f"UPDATE interactions_events SET line = 9 WHERE event_id = {I4}",
        Seen(f"{CALL}:2", "delivered-files"),
    ),
    rewritten(
        "an action edited, and all digests",
        f"UPDATE interactions_events SET action = 'update' WHERE event_id = {I4}",
        Seen(f"{CALL}:2", "delivered-files"),
    ),
    rewritten(
        "NULL made an empty text, and all digests",
        f"UPDATE interactions_events SET satisfaction_rating = '' WHERE event_id = {I4}",
        Seen(f"{CALL}:2", "delivered-files"),
    ),
    rewritten(
        "an event taken out, and those after it moved up",
        take_out_an_event,
        Seen(f"{CALL}:3", "delivered-files"),
    ),
    rewritten(
        "the SHA-256 of a file edited",
        "UPDATE files SET sha256 = printf('%064d', 0) WHERE batch = 4",
        Seen("source delta/interactions_delta_202502.csv (batch 4)", "delivered-files"),
    ),
    rewritten(
        "the size of a file edited",
        "UPDATE files SET bytes = 7 WHERE batch = 4",
        Seen(CALL, "delivered-files"),
    ),
    rewritten("the reason of a batch edited", "UPDATE batches SET reason = 'none' WHERE batch = 4"),
    rewritten(
        "the reason of a batch taken away", "UPDATE batches SET reason = NULL WHERE batch = 4"
    ),
    *(
        rewritten(
            f"the flag `{flag}` of a batch edited",
            f"UPDATE batches SET {flag} = 1 - {flag} WHERE batch = 4",
        )
        for flag in ("gap", "late", "correction")
    ),
    rewritten(
        "a delta moved to another month",
        MOVE_MARCH,
        Seen("source delta/contact_centers_delta_202503.csv (batch 3)", "delivered-files"),
    ),
    rewritten(
        "the extract moved to another month",
        MOVE_EXTRACT,
        Unseen("an extract does not say of which month it is"),
    ),
    rewritten(
        "the time of recording edited",
        "UPDATE batches SET recorded_at = '2999-01-01T00:00:00.000000Z' WHERE batch = 6",
        receipt=RECEIPT,
    ),
    rewritten(
        "the name of a file edited",
        "UPDATE files SET name = 'delta/other.csv' WHERE batch = 4",
        receipt=RECEIPT,
    ),
    rewritten("two batches exchanged", exchange_batches, AS_DELIVERED),
    rewritten("everything recorded anew from the same files", record_again, AS_DELIVERED),
    rewritten(
        "everything recorded anew from altered files",
        rebuild_from_altered_files,
        Seen("source delta/interactions_delta_202502.csv (batch 4)", "delivered-files"),
    ),
    rewritten(
        "the last three batches cut off",
        lambda scene: cut_the_tail(scene, 3),
        Seen("source sources/delta/interactions_delta_202502.csv", "delivered-files"),
    ),
    rewritten(
        "the last batch, a retraction, cut off",
        lambda scene: cut_the_tail(scene, 5),
        Unseen("a retraction was not delivered"),
    ),
    rewritten("everything cut off", remove_all, Seen("source sources/", "delivered-files")),
    rewritten(
        "an old copy put back", put_back_an_old_copy, Seen("source sources/", "delivered-files")
    ),
    rewritten(
        "a forged delta recorded",
        append_delta,
        Seen("source delta/interactions_delta_202504.csv (batch 7)", "delivered-files"),
        APPENDED,
    ),
    rewritten(
        "a forged correction recorded",
        append_correction,
        Seen("source delta/contact_centers_delta_202503.csv (batch 7)", "delivered-files"),
        APPENDED,
    ),
    rewritten(
        "a forged retraction recorded",
        append_retraction,
        Unseen("a retraction was not delivered"),
        APPENDED,
    ),
    rewritten(
        "a forged tag given",
        append_tag,
        NOT_DELIVERED,
        Unseen("the tags that the receipt knows are there"),
    ),
    rewritten("a tag moved", "UPDATE tags SET batch = 1 WHERE tag = 1", receipt=RECEIPT),
    rewritten(
        "a tag of another name", "UPDATE tags SET name = 'sealed' WHERE tag = 2", receipt=RECEIPT
    ),
    rewritten(
        "a tag of another time",
        "UPDATE tags SET tagged_at = '2025-01-01T00:00:00.000000Z' WHERE tag = 2",
        receipt=RECEIPT,
    ),
    rewritten("all tags removed", "DELETE FROM tags", receipt=RECEIPT),
    rewritten(
        "a cell edited, and the projection left as it was",
        keep_the_projection,
        Seen(f"{CALL}:2", "delivered-files"),
        alone=Seen("derived interactions I4", "projection", quick=False),
    ),
    nonsense(
        "an event said to be of another file",
        f"UPDATE interactions_events SET file = 1 WHERE event_id = {I4}",
        f"event delta/interactions_delta_202502.csv:2 (event {I4}, batch 4)",
        "events",
    ),
    nonsense(
        "a delta called an extract of its month",
        "UPDATE files SET kind = 'initial' WHERE batch = 4",
        "file delta/interactions_delta_202502.csv (batch 4)",
        "records",
    ),
    nonsense(
        "a file of a table that there is not",
        "UPDATE files SET table_name = 'payments' WHERE file = 12",
        "file delta/agents_delta_202503.csv (batch 6)",
        "records",
    ),
    nonsense(
        "a file with events of a table that there is not",
        "UPDATE files SET table_name = 'payments' WHERE file = 11",
        "batch 5",
        "event-counts",
    ),
    nonsense(
        "a blank number of a batch",
        "UPDATE batches SET batch = 7 WHERE batch = 6; UPDATE files SET batch = 7 "
        "WHERE batch = 6; UPDATE tags SET batch = 7 WHERE batch = 6",
        "batch 7",
        "records",
    ),
    nonsense(
        "a blank number of a file",
        "UPDATE files SET file = 14 WHERE file = 12",
        "file delta/agents_delta_202503.csv (batch 6)",
        "records",
    ),
    nonsense(
        "a blank number of a tag", "UPDATE tags SET tag = 5 WHERE tag = 2", "tag signed", "records"
    ),
    nonsense(
        "a tag of no batch",
        "UPDATE tags SET batch = 99 WHERE tag = 2",
        "storage table tags",
        "storage",
    ),
    nonsense(
        "a batch recorded before the one before it",
        "UPDATE batches SET recorded_at = '2000-01-01T00:00:00.000000Z' WHERE batch = 6",
        "batch 6",
        "records",
    ),
    nonsense(
        "a batch of another month than its file",
        "UPDATE batches SET month = 202503 WHERE batch = 4",
        "file delta/interactions_delta_202502.csv (batch 4)",
        "records",
    ),
    nonsense(
        "a correction that takes nothing out of force",
        "UPDATE files SET supersedes = NULL WHERE batch = 4",
        "file delta/interactions_delta_202502.csv (batch 4)",
        "records",
    ),
    nonsense(
        "a file that takes one of another table out of force",
        "UPDATE files SET supersedes = 1 WHERE batch = 4",
        "file delta/interactions_delta_202502.csv (batch 4)",
        "records",
    ),
    nonsense(
        "a batch with another number of events",
        "UPDATE batches SET events = 99 WHERE batch = 4",
        "batch 4",
        "event-counts",
    ),
    nonsense(
        "an event that two files gave",
        "UPDATE files SET rows = 1, first_event = 202503000000001, "
        "last_event = 202503000000001, supersedes = NULL, kind = 'delta', "
        "sha256 = printf('%064d', 0) WHERE file = 12",
        "event delta/agents_delta_202503.csv",
        "events",
    ),
    nonsense(
        "a gap in the numbers of events",
        "UPDATE interactions_events SET event_id = event_id + 9 WHERE file = 10;"
        "UPDATE files SET first_event = first_event + 9, last_event = last_event + 9 "
        "WHERE file = 10",
        "file delta/interactions_delta_202502.csv (batch 4)",
        "records",
    ),
]
