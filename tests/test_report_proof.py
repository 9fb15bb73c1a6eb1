"""Published reports: held to the delivered files, for every edition, and to the last cell."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, VerificationFailed, WrongUsage, verify_report
from ledger.integrity.documents import write_document
from tests.attacks.on_documents import supersede
from tests.attacks.scene import Scene, call, prepare, read, write
from tests.chronicle import Plan, chronicle_of, few_examples, plans
from tests.strategies import DeliveredFile, small_file, write_data_folder

FORMATS = ("csv", "json", "parquet")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


def read_rows(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [*csv.reader(file)]


def write_rows(path: Path, rows: list[list[str]]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@given(plans(), st.data())
@settings(few_examples, max_examples=15)
def test_the_report_of_any_edition_is_what_the_files_give(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle:
        ledger, folder = chronicle.ledger, chronicle.folder
        for as_of, batch in data.draw(
            st.lists(st.sampled_from(chronicle.editions()), max_size=3, unique=True)
            if chronicle.editions()
            else st.just([])
        ):
            names = data.draw(st.sampled_from(("as-is", "as-was")))
            report = ledger.at(str(as_of), known_at=batch).report(names=names)
            proof, receipt = folder / "proof.json", folder / "receipt.json"
            write_document(proof, ledger.at(report.edition.name).prove_report(report))
            write_document(receipt, ledger.receipt())
            for format in FORMATS:
                path = (
                    ledger.at(report.edition.name)
                    .write_report(report, folder / "report", format=format)
                    .path
                )
                result = verify_report(path, proof, receipt=receipt, sources=folder)
                assert result.differences == ()
                assert (result.rows, result.anchored) == (len(report.rows), True)
            rows = read_rows(folder / "report" / "support_report.csv")
            if rows[1:]:
                place = data.draw(st.integers(1, len(rows) - 1))
                column = data.draw(st.integers(0, 5))
                rows[place][column] += "1"
                write_rows(folder / "report" / "support_report.csv", rows)
                for sources in (None, folder):
                    result = verify_report(
                        folder / "report" / "support_report.csv", proof, sources=sources
                    )
                    told = result.differences[0]
                    assert told.startswith(f"row {place}, {rows[0][column]}: ")
                    assert repr(rows[place][column]) in told


def test_what_a_report_is_held_to_is_said(scene: Scene) -> None:
    def verdict(**anchors: Path) -> str:
        return verify_report(scene.report(), scene.report_proof, **anchors).verdict

    agrees = "the report is not proved: its rows agree with its proof as of 202503, batch 6, "
    missing = "but nothing binds its figures; add the delivered files (--sources DIR)"
    assert verdict() == f"{agrees}{missing} and a receipt (--receipt FILE)"
    assert verdict(receipt=scene.receipt) == (
        f"{agrees}and the proof with the receipt up to batch 6, {missing}"
    )
    given_by = "what 9 delivered files give as of 202503, batch 6"
    retracted = scene.sources / "delta" / "agents_delta_202503.csv"
    assert verdict(sources=scene.sources) == (
        f"the report is not proved: its rows are {given_by}, but the proof leaves out {retracted}, "
        "and nothing binds that; add a receipt (--receipt FILE)"
    )
    assert verdict(sources=scene.sources, receipt=scene.receipt) == (
        f"the report is {given_by}; anchored by a receipt up to batch 6"
    )
    retracted.unlink()
    assert verdict(sources=scene.sources) == (
        f"the report is {given_by}; not anchored: that these files were recorded is claimed by the "
        "proof alone"
    )


@pytest.mark.parametrize("with_sources", [False, True])
@pytest.mark.parametrize("with_receipt", [False, True])
def test_only_the_files_prove_a_report_and_only_a_receipt_anchors_these(
    scene: Scene, with_sources: bool, with_receipt: bool
) -> None:
    (scene.sources / "delta" / "agents_delta_202503.csv").unlink()
    result = verify_report(
        scene.report(),
        scene.report_proof,
        sources=scene.sources if with_sources else None,
        receipt=scene.receipt if with_receipt else None,
    )
    assert (result.differences, result.batches) == ((), 6)
    assert (result.proved, result.anchored) == (with_sources, with_sources and with_receipt)
    assert (result.compared, result.receipt) == (
        9 if with_sources else None,
        6 if with_receipt else None,
    )


def test_what_is_behind_the_receipt_is_not_used_and_said_to_be_so(scene: Scene) -> None:
    proof = read(scene.report_proof)
    supersede(proof)
    write(scene.report_proof, proof)
    result = verify_report(
        scene.report(), scene.report_proof, receipt=scene.receipt, sources=scene.sources
    )
    assert (result.proved, result.anchored, result.receipt, result.batches) == (True, True, 6, 7)
    assert result.verdict.endswith("; anchored by a receipt up to batch 6 of 7")


def test_an_older_receipt_anchors_a_report_of_its_batch(scene: Scene) -> None:
    ledger, older = Ledger(scene.ledger), scene.folder / "old-receipt.json"
    report = ledger.at(known_at=3).report()
    write_document(scene.report_proof, ledger.at(report.edition.name).prove_report(report))
    path = ledger.at(report.edition.name).write_report(report, scene.folder / "report").path
    result = verify_report(path, scene.report_proof, receipt=older, sources=scene.sources)
    assert (result.anchored, result.receipt, result.batches) == (True, 3, 6)


def test_names_that_are_those_of_each_month_are_said(scene: Scene) -> None:
    ledger = Ledger(scene.ledger)
    report = ledger.at().report(names="as-was")
    write_document(scene.report_proof, ledger.at(report.edition.name).prove_report(report))
    ledger.at(report.edition.name).write_report(report, scene.folder / "report")
    result = verify_report(
        scene.report(), scene.report_proof, sources=scene.sources, receipt=scene.receipt
    )
    assert "batch 6, with the names of each row's month; anchored" in result.verdict


@pytest.fixture
def safe(tmp_path: Path) -> Scene:
    """A scene with a report of centres whose names are formulas, made safe for spreadsheets."""
    header = ("contact_center_id", "contact_center_name", "location")
    centers = DeliveredFile(
        "contact_centers", None, header, (("C1", "=1", ""), ("C2", "Austin", ""))
    )
    calls = small_file(
        "interactions",
        None,
        call("I1", "03", 1, "", "C1", "12"),
        call("I2", "03", 2, "", "C2", "3"),
    )
    scene = Scene(tmp_path)
    write_data_folder(scene.sources, [centers, calls])
    ledger = Ledger(scene.ledger)
    ledger.ingest(scene.sources, initial_month="202502")
    report = ledger.at().report()
    write_document(scene.report_proof, ledger.at(report.edition.name).prove_report(report))
    ledger.at(report.edition.name).write_report(
        report, tmp_path / "report", spreadsheet_safe=True, bom=True
    )
    return scene


def test_a_report_made_safe_for_spreadsheets_is_told_as_such(safe: Scene) -> None:
    ledger = Ledger(safe.ledger)
    for sources in (None, safe.sources):
        result = verify_report(safe.report(), safe.report_proof, sources=sources)
        assert result.differences == ()
        assert result.apostrophes == 1
        assert "batch 1, but for an apostrophe before 1 text" in result.verdict
    exact = (
        (latest := ledger.at()).write_report(latest.report(), safe.folder / "report", bom=True).path
    )
    result = verify_report(exact, safe.report_proof)
    assert (result.differences, result.apostrophes) == ((), 0)
    assert "apostrophe" not in result.verdict


@pytest.mark.parametrize(
    ("place", "column", "value", "told"),
    [
        (1, 3, "2", "row 1, total_interactions: '2', by its proof '1'"),
        (2, 2, "'Unknown", "row 2, department: \"'Unknown\", by its proof 'Unknown'"),
        (2, 1, "'Austin", "row 2, contact_center_name: \"'Austin\", by its proof 'Austin'"),
        (1, 1, "''=1", "row 1, contact_center_name: \"''=1\", by its proof '=1'"),
    ],
)
def test_any_other_change_of_a_report_made_safe_is_named_alone(
    safe: Scene, place: int, column: int, value: str, told: str
) -> None:
    path = safe.report()
    rows = read_rows(path)
    rows[place][column] = value
    write_rows(path, rows)
    result = verify_report(path, safe.report_proof)
    assert result.differences == (told,)


def test_in_another_format_an_apostrophe_is_a_change(safe: Scene) -> None:
    ledger = Ledger(safe.ledger)
    path = (
        (latest := ledger.at())
        .write_report(latest.report(), safe.folder / "report", format="json")
        .path
    )
    path.write_text(path.read_text().replace('"=1"', '"\'=1"'))
    result = verify_report(path, safe.report_proof)
    assert result.differences == ("row 1, contact_center_name: \"'=1\", by its proof '=1'",)


def test_a_report_in_which_the_apostrophe_makes_two_names_one_is_known(safe: Scene) -> None:
    ledger = Ledger(safe.ledger)
    same = small_file("contact_centers", 202503, ["update", "C2", "'=1"])
    ledger.ingest(files=write_data_folder(safe.folder / "more", [same]))
    report = ledger.at().report()
    write_document(safe.report_proof, ledger.at(report.edition.name).prove_report(report))
    for safely in (True, False):
        path = (
            ledger.at(report.edition.name)
            .write_report(report, safe.folder / "report", spreadsheet_safe=safely)
            .path
        )
        result = verify_report(path, safe.report_proof)
        assert (result.differences, result.apostrophes) == ((), int(safely))


def test_an_empty_report_is_one(tmp_path: Path, scene: Scene) -> None:
    ledger = Ledger(tmp_path / "empty.db")
    ledger.ingest(files=[scene.sources / "initial" / "agents.csv"], initial_month="202501")
    report = ledger.at().report()
    write_document(tmp_path / "proof.json", ledger.at(report.edition.name).prove_report(report))
    for format in FORMATS:
        path = (
            ledger.at(report.edition.name)
            .write_report(report, tmp_path / "report", format=format)
            .path
        )
        result = verify_report(path, tmp_path / "proof.json", sources=scene.sources)
        assert (result.rows, result.differences) == (0, ())


UNREADABLE: dict[str, bytes] = {
    "empty.csv": b"",
    "latin.csv": b"month,caf\xe9\n",
    "long.csv": b"x" * 200_000,
    "quote.csv": b'month,"a',
    "marked.csv": b"\xef\xbb\xbfmonth,contact_center_name\n",
    "empty.json": b"",
    "deep.json": b"[" * 100_000,
    "object.json": b"{}",
    "numbers.json": b"[1, 2]",
    "different.json": b'[{"month": "2025-01"}, {"months": "2025-02"}]',
    "twice.json": b'[{"month": "2025-01", "month": "2025-02"}]',
    "twice within.json": b'[{"month": [{"a": 1, "\\u0061": 2}]}]',
    "huge.json": b'[{"month": 1' + b"0" * 5000 + b"}]",
    "empty.parquet": b"",
    "garbage.parquet": b"PAR1" + b"garbage" * 9 + b"PAR1",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_as_a_report_fails_with_a_sentence(scene: Scene, name: str) -> None:
    path = scene.folder / name
    path.write_bytes(UNREADABLE[name])
    with pytest.raises(VerificationFailed, match=r"cannot be read as what it is called|columns"):
        verify_report(path, scene.report_proof)


def test_a_damaged_parquet_file_never_ends_in_a_traceback(scene: Scene) -> None:
    path = scene.report("parquet")
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            verify_report(path, scene.report_proof)
        except VerificationFailed as error:
            assert str(path) in str(error)  # noqa: PT017


def test_files_that_are_not_there_are_told(scene: Scene) -> None:
    missing = scene.folder / "none.csv"
    with pytest.raises(WrongUsage, match="cannot be read: No such file"):
        verify_report(missing, scene.report_proof)
    with pytest.raises(WrongUsage, match=r"has none of the suffixes \.csv, \.json, \.parquet"):
        verify_report(scene.folder / "report.xlsx", scene.report_proof)
    with pytest.raises(WrongUsage, match="there is no folder"):
        verify_report(scene.report(), scene.report_proof, sources=scene.folder / "none")


HUGE = 10**30


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("as_of",), HUGE),
        (("batch",), HUGE),
        (("chain", 0, "contents", "month"), HUGE),
        (("chain", 0, "contents", "month"), 202513),
        (("chain", 0, "contents", "month"), -1),
        (("chain", 0, "contents", "batch"), HUGE),
        (("chain", 0, "contents", "batch"), -1),
        (("chain", 0, "events"), HUGE),
        (("chain", 0, "recorded_at"), ""),
        (("chain", 0, "files", 0, "contents", "bytes"), HUGE),
        (("chain", 0, "files", 0, "contents", "bytes"), -1),
        (("chain", 0, "files", 0, "contents", "file"), HUGE),
        (("chain", 0, "files", 0, "contents", "month"), 0),
        (("chain", 0, "files", 0, "contents", "first_event"), HUGE),
        (("chain", 0, "files", 0, "contents", "first_event"), 1),
        (("chain", 0, "files", 0, "contents", "kind"), "other"),
        (("chain", 0, "files", 0, "contents", "table"), "payments"),
        (("chain", 0, "files", 0, "contents", "sha256"), "x"),
        (("chain", 0, "files", 0, "contents", "supersedes"), 99),
        (("chain", 0, "files"), []),
        (("chain",), []),
        (("rows",), [[]]),
    ],
)
def test_a_proof_that_no_ledger_gives_fails_with_a_sentence(
    scene: Scene, place: tuple[Any, ...], value: Any
) -> None:
    proof = read(scene.report_proof)
    part = proof
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    write(scene.report_proof, proof)
    with pytest.raises((VerificationFailed, WrongUsage)):
        verify_report(
            scene.report(), scene.report_proof, receipt=scene.receipt, sources=scene.sources
        )
    try:
        result = verify_report(scene.report(), scene.report_proof, sources=scene.sources)
    except (VerificationFailed, WrongUsage):
        return
    # Without a receipt, what the proof leaves out is missed where the report needs it.
    assert result.differences
