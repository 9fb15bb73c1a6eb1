"""The commands that show that a ledger and what it gave are as they were."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands import DATA, Ran, run_ledger

HEAD = "66fc45dbee6b80832f9d14f1b02861ad8c0dd07a93d1a26a4c7648896fcff59b"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample deliveries, recorded and projected."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(DATA, folder / "data")
    assert run_ledger("ingest", cwd=folder).code == 0
    assert run_ledger("project", cwd=folder).code == 0
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(recorded, tmp_path / "copy")
    return tmp_path / "copy"


def tamper(folder: Path, script: str) -> None:
    """Change the ledger of a folder as anybody can who may write there."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.executescript(script)


EDIT = """
DROP TRIGGER agents_events_no_update;
UPDATE agents_events SET full_name = 'Somebody' WHERE event_id = 202501000000003;
"""


def test_verify_says_that_nothing_anchors_a_ledger(recorded: Path) -> None:
    ran = run_ledger("verify", cwd=recorded)
    assert ran.code == 0
    assert ran.out == f"3 batches, 62 events, head {HEAD}\ninternally consistent; not anchored.\n"


def test_the_receipt_that_ingest_prints_is_that_of_the_ledger(tmp_path: Path) -> None:
    ingested = run_ledger("ingest", "--data-dir", DATA, cwd=tmp_path)
    (line,) = [one for one in ingested.out.splitlines() if one.startswith("receipt ")]
    receipt = run_ledger("receipt", cwd=tmp_path)
    assert json.loads(line.removeprefix("receipt ")) == json.loads(receipt.out)
    assert json.loads(receipt.out)["head"] == HEAD


def test_each_month_has_its_receipt_in_json(tmp_path: Path) -> None:
    ran = run_ledger("ingest", "--data-dir", DATA, "--json", cwd=tmp_path)
    months = json.loads(ran.out)["months"]
    assert [month["receipt"]["events"] for month in months] == [27, 44, 62]
    for month in months:
        assert month["receipt"]["head"] == month["batch"]["head"]
    again = run_ledger("ingest", "--data-dir", DATA, "--json", cwd=tmp_path)
    assert [month["receipt"] for month in json.loads(again.out)["months"]] == [None] * 3


def test_a_receipt_and_the_sources_anchor_a_ledger(folder: Path) -> None:
    assert run_ledger("receipt", "--out", "receipt.json", cwd=folder).code == 0
    ran = run_ledger("verify", "--receipt", "receipt.json", "--sources", "data", cwd=folder)
    assert ran.code == 0
    assert "anchored by a receipt up to batch 3, compared with the 11 delivered files" in ran.out


def test_an_older_receipt_says_how_far_it_goes(folder: Path) -> None:
    (folder / "ledger.db").unlink()
    run_ledger("ingest", "--months", "202502", cwd=folder)
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    run_ledger("ingest", cwd=folder)
    ran = run_ledger("verify", "--receipt", "receipt.json", cwd=folder)
    assert ran.code == 0
    assert "anchored by a receipt up to batch 2 of 3" in ran.out


@pytest.mark.parametrize("quick", [[], ["--quick"]])
def test_what_was_changed_is_named_and_exits_with_6(folder: Path, quick: list[str]) -> None:
    tamper(folder, EDIT)
    ran = run_ledger("verify", *quick, cwd=folder)
    assert ran.code == 6
    place = "initial/agents.csv:4 (event 202501000000003, batch 1)"
    assert f"event {place}: it is not as it was recorded" in ran.out
    assert "the trigger" not in ran.out
    assert "ledger.db is not as it was recorded; the first of" in ran.err


def test_what_was_changed_is_told_as_data(folder: Path) -> None:
    tamper(folder, EDIT)
    ran = run_ledger("verify", "--quick", "--json", cwd=folder)
    assert ran.code == 6
    faults = json.loads(ran.out)["result"]["faults"]
    assert [fault["kind"] for fault in faults] == ["object", "event"]


def test_an_event_is_proved_without_the_ledger(folder: Path) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    ran = run_ledger("prove", "interactions", "INT1003", "--out", "proof.json", cwd=folder)
    assert (ran.code, ran.out) == (0, "")
    (folder / "ledger.db").unlink()
    ran = run_ledger("verify-proof", "proof.json", "receipt.json", "--json", cwd=folder)
    assert ran.code == 0
    facts = json.loads(ran.out)
    assert (facts["interaction_id"], facts["action"], facts["line"]) == ("INT1003", "update", 2)
    text = (folder / "proof.json").read_text(encoding="utf-8")
    (folder / "proof.json").write_text(text.replace('"14"', '"4"'), encoding="utf-8")
    ran = run_ledger("verify-proof", "proof.json", "receipt.json", cwd=folder)
    assert ran.code == 6
    assert "the event of the proof is not part of that ledger" in ran.err


def test_a_record_that_nothing_counts_for_cannot_be_proved(recorded: Path) -> None:
    ran = run_ledger("prove", "agents", "NOBODY", cwd=recorded)
    assert ran.code == 2
    assert "no event of agents 'NOBODY' counts as of 202503" in ran.err


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_a_report_is_computed_again_without_the_ledger(folder: Path, format: str) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    ran = run_ledger("report", "--format", format, "--proof", "proof.json", cwd=folder)
    assert ran.code == 0
    (folder / "ledger.db").unlink()
    report = f"report/support_report.{format}"
    anchors = ("--receipt", "receipt.json", "--sources", "data")
    ran = run_ledger("verify-report", report, "proof.json", *anchors, cwd=folder)
    assert ran.code == 0
    assert "give as of 202503, batch 3; anchored by a receipt up to batch 3." in ran.out
    ran = run_ledger("verify-report", report, "proof.json", "--sources", "data", cwd=folder)
    assert (ran.code, "not anchored: that these files were recorded" in ran.out) == (0, True)


@pytest.mark.parametrize("receipt", [[], ["--receipt", "receipt.json"]])
def test_a_report_and_its_proof_forged_alike_are_not_proved(
    folder: Path, receipt: list[str]
) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    run_ledger("report", "--proof", "proof.json", cwd=folder)
    path = folder / "report" / "support_report.csv"
    text = path.read_text(encoding="utf-8").replace("Billing,2,2,27", "Billing,2,2,22")
    path.write_text(text, encoding="utf-8", newline="")
    proof = json.loads((folder / "proof.json").read_bytes())
    (row,) = [row for row in proof["rows"] if row[1:] == ["Boston MA NE", "Billing", 2, 2, 27.0]]
    row[5] = 22.0
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    ran = run_ledger("verify-report", path, "proof.json", *receipt, cwd=folder)
    assert (ran.code, ran.out) == (6, "")
    assert "is not proved: " in ran.err
    assert "add the delivered files (--sources DIR)" in ran.err
    assert ("and the proof with the receipt up to batch 3" in ran.err) == bool(receipt)
    ran = run_ledger("verify-report", path, "proof.json", *receipt, "--json", cwd=folder)
    result = json.loads(ran.out)["result"]
    assert (ran.code, result["proved"], result["anchored"]) == (6, False, False)
    assert (result["receipt"], result["compared"]) == (3 if receipt else None, None)
    anchors = (*receipt, "--sources", "data")
    ran = run_ledger("verify-report", path, "proof.json", *anchors, cwd=folder)
    assert (ran.code, "row 4, total_call_duration: '22'" in ran.out) == (6, True)


def test_a_link_behind_the_receipt_takes_no_row_out_of_a_report(folder: Path) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    run_ledger("report", "--proof", "proof.json", cwd=folder)
    proof = json.loads((folder / "proof.json").read_bytes())
    invented = json.loads((folder / "proof.json").read_bytes())["chain"][-1]
    last = invented["files"][-1]
    last["contents"].update(file=last["contents"]["file"] + 1, sha256="0" * 64, supersedes=None)
    invented.update(files=[last], events=last["contents"]["rows"])
    invented["recorded_at"] = "2999-01-01T00:00:00.000000Z"
    invented["contents"]["batch"] = 4
    proof["chain"].append(invented)
    (folder / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    anchors = ("--receipt", "receipt.json", "--sources", "data")
    ran = run_ledger(
        "verify-report", "report/support_report.csv", "proof.json", *anchors, cwd=folder
    )
    assert (ran.code, ran.out) == (6, "")
    assert f"records that no ledger has: file {last['name']} (batch 4)" in ran.err


@pytest.mark.parametrize("document", ["receipt", "proof", "event"])
@pytest.mark.parametrize("forged", ["twice", "deep"])
def test_a_document_of_two_meanings_or_without_a_bottom_is_refused(
    folder: Path, document: str, forged: str
) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    run_ledger("report", "--proof", "proof.json", cwd=folder)
    run_ledger("prove", "interactions", "INT1003", "--out", "event.json", cwd=folder)
    path = folder / f"{document}.json"
    text = path.read_text(encoding="utf-8")
    name = {"receipt": "head", "proof": "as_of", "event": "month"}[document]
    value = "1" if forged == "twice" else "[" * 100_000 + "]" * 100_000
    path.write_text(text.replace(f'"{name}":', f'"{name}": {value}, "{name}":', 1))
    verify = ["verify --receipt receipt.json"]
    proof = ["verify-proof event.json receipt.json"]
    report = ["verify-report report/support_report.csv proof.json --receipt receipt.json"]
    commands = {"receipt": verify + proof + report, "proof": report, "event": proof}[document]
    says = f"has the name '{name}' twice" if forged == "twice" else "is nested too deeply"
    for command in commands:
        ran = run_ledger(*command.split(), cwd=folder)
        assert (ran.code, ran.out) == (2, "")
        assert f"Error: {document}.json is no " in ran.err
        assert says in ran.err


def test_the_events_of_a_receipt_are_checked_by_every_command(folder: Path) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    run_ledger("report", "--proof", "proof.json", cwd=folder)
    run_ledger("prove", "interactions", "INT1003", "--out", "event.json", cwd=folder)
    receipt = json.loads((folder / "receipt.json").read_bytes())
    (folder / "receipt.json").write_text(json.dumps({**receipt, "events": 2}), encoding="utf-8")
    report = ("verify-report", "report/support_report.csv", "proof.json", "--sources", "data")
    for command in (
        ("verify", "--receipt", "receipt.json"),
        ("verify-proof", "event.json", "receipt.json"),
        (*report, "--receipt", "receipt.json"),
    ):
        ran = run_ledger(*command, cwd=folder)
        assert (ran.code, "2 events" in ran.err or "the receipt 2:" in ran.err) == (6, True)


def test_the_changed_cell_of_a_report_is_named(folder: Path) -> None:
    run_ledger("report", "--proof", "proof.json", cwd=folder)
    path = folder / "report" / "support_report.csv"
    text = path.read_text(encoding="utf-8").replace(
        "Boston MA NE,Billing,2,2,27", "X,Billing,2,3,27"
    )
    path.write_text(text, encoding="utf-8", newline="")
    for anchors in ((), ("--sources", "data")):
        ran = run_ledger("verify-report", path, "proof.json", *anchors, cwd=folder)
        assert ran.code == 6
        assert "row 4, contact_center_name: 'X', by" in ran.out
        assert "row 4, total_calls: '3', by" in ran.out


def test_a_backup_is_a_whole_ledger(folder: Path) -> None:
    ran = run_ledger("backup", "copy.db", cwd=folder)
    assert ran.code == 0
    assert ran.out == f"copy.db: 3 batches, 62 events, verified\nhead {HEAD}\n"
    assert run_ledger("report", "--db", "copy.db", cwd=folder).code == 0
    ran = run_ledger("backup", "copy.db", cwd=folder)
    assert ran.code == 2
    assert "copy.db is there already; name another file" in ran.err


def test_no_backup_is_made_of_a_ledger_that_was_changed(folder: Path) -> None:
    tamper(folder, EDIT)
    ran = run_ledger("backup", "copy.db", cwd=folder)
    assert ran.code == 6
    assert "no backup is made, for the ledger is not as it was recorded" in ran.err
    assert sorted(path.name for path in folder.iterdir()) == ["data", "ledger.db"]


def test_more_faults_than_are_kept_are_told_as_more(folder: Path) -> None:
    tamper(folder, "".join(f"CREATE VIEW planted_{n} AS SELECT 1;" for n in range(101)))
    ran = run_ledger("verify", "--quick", cwd=folder)
    assert ran.code == 6
    assert "the first of 100 faults or more: view planted_0" in ran.err


def test_a_ledger_that_lacks_a_batch_is_told_and_no_bug(folder: Path) -> None:
    tamper(
        folder,
        """
        DROP TRIGGER batches_no_update;
        PRAGMA foreign_keys = OFF;
        UPDATE batches SET batch = 9 WHERE batch = 3;
        """,
    )
    # The stored projection is of that batch.
    for command in (("report",), ("report", "--known-at", "3"), ("status",)):
        ran = run_ledger(*command, cwd=folder)
        assert ran.code == 2
        assert "there is no batch 3; see: ledger verify" in ran.err
    assert run_ledger("verify", cwd=folder).code == 6


def forge(folder: Path, *commands: tuple[str, ...]) -> None:
    """Write a report and its proof from another ledger of the same files."""
    run_ledger("ingest", "--db", "forged.db", "--data-dir", "data", cwd=folder)
    for command in commands:
        assert run_ledger(*command, "--db", "forged.db", cwd=folder).code == 0
    run_ledger("report", "--db", "forged.db", "--proof", "forged.json", cwd=folder)


def verify_forged(folder: Path, *anchors: str) -> Ran:
    report = "report/support_report.csv"
    return run_ledger("verify-report", report, "forged.json", *anchors, cwd=folder)


def test_a_retraction_that_the_proof_alone_claims_proves_no_report(folder: Path) -> None:
    run_ledger("receipt", "--out", "receipt.json", cwd=folder)
    forge(folder, ("retract", "interactions", "202503", "--reason", "invented"))
    ran = verify_forged(folder, "--sources", "data")
    assert (ran.code, ran.out) == (6, "")
    assert "delta/interactions_delta_202503.csv" in ran.err
    assert "--receipt" in ran.err
    ran = verify_forged(folder, "--sources", "data", "--receipt", "receipt.json")
    assert ran.code in (2, 6)


def test_a_retraction_after_the_month_of_the_report_leaves_out_nothing(folder: Path) -> None:
    forge(folder, ("retract", "interactions", "202503", "--reason", "a later month"))
    run_ledger(
        *("report", "--as-of", "202502", "--db", "forged.db", "--proof", "forged.json"), cwd=folder
    )
    assert verify_forged(folder, "--sources", "data").code == 0


@pytest.mark.parametrize("into", ["data/earlier/delta", "data"])
def test_a_file_that_the_proof_alone_puts_in_the_place_of_another_proves_no_report(
    folder: Path, into: str
) -> None:
    name = "interactions_delta_202503.csv"
    other = folder / into / name
    other.parent.mkdir(parents=True, exist_ok=True)
    lines = (folder / "data" / "delta" / name).read_bytes().splitlines(keepends=True)
    other.write_bytes(b"".join(lines[:-1]))
    correction = ("ingest", str(other), "--correct", "--reason", "invented")
    forge(folder, correction)
    ran = verify_forged(folder, "--sources", "data")
    assert (ran.code, ran.out) == (6, "")
    assert f"delta/{name}" in ran.err
    assert "--receipt" in ran.err


def test_the_file_that_a_placed_one_superseded_need_not_be_bound(folder: Path) -> None:
    name = "interactions_delta_202503.csv"
    placed = folder / "data" / "delta" / name
    earlier = folder / "data" / "earlier" / name
    earlier.parent.mkdir()
    lines = placed.read_bytes().splitlines(keepends=True)
    content = placed.read_bytes()
    placed.write_bytes(b"".join(lines[:-1]))
    earlier.write_bytes(placed.read_bytes())
    run_ledger("ingest", "--db", "forged.db", "--data-dir", "data", cwd=folder)
    placed.write_bytes(content)
    forge(folder, ("ingest", str(placed), "--correct", "--reason", "true"))
    assert verify_forged(folder, "--sources", "data").code == 0


def test_in_a_folder_without_initial_and_delta_every_file_must_count(folder: Path) -> None:
    flat = folder / "flat"
    flat.mkdir()
    for path in (folder / "data").glob("[di][en]*/*.csv"):
        (flat / path.name).write_bytes(path.read_bytes())
    forge(folder)
    assert verify_forged(folder, "--sources", "flat").code == 0
    forge(folder, ("retract", "agents", "202503", "--reason", "invented"))
    ran = verify_forged(folder, "--sources", "flat")
    assert (ran.code, "flat/agents_delta_202503.csv" in ran.err) == (6, True)
