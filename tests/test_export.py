"""Files written, and read back by somebody else's reader."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, LedgerError, StorageFailed, WrongUsage
from ledger.model.dataset import Column, Type
from ledger.model.tabular import Tabular, Values
from ledger.outputs.manifest import MANIFEST
from tests import written_tables
from tests.commands import DATA
from tests.written_tables import TABLE_FORMATS

ZONE = "America/New_York"
COLUMNS = (
    Column("id", "A key."),
    Column("text", "A text."),
    Column("day", "A day.", Type.DATE),
    Column("moment", "A moment.", Type.TIMESTAMP),
    Column("number", "A number.", Type.NUMBER),
    Column("count", "A count.", Type.INTEGER),
)

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1
).filter(lambda text: text == text.strip(" \t"))
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0).astimezone(ZoneInfo(ZONE)).isoformat()
)
rows_of_values = st.lists(
    st.tuples(
        texts,
        st.none() | texts,
        st.none() | st.dates().map(date.isoformat),
        st.none() | moments,
        st.none() | st.floats(-(2.0**62), 2.0**62),
        st.none() | st.integers(-(2**62), 2**62),
    ),
    max_size=8,
)


def write(rows: list[Any], format: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        table = Tabular("table", COLUMNS, rows)
        (file,) = written_tables.write(Path(folder), [table], format)
        return file.path.read_bytes()


def typed(row: list[str]) -> tuple[Any, ...]:
    read: tuple[Any, ...] = (str, str, str, str, float, int)
    return tuple(convert(cell) if cell else None for convert, cell in zip(read, row, strict=True))


@settings(deadline=None)
@given(rows=rows_of_values)
def test_csv_reads_back_equal(rows: list[Any]) -> None:
    content = write(rows, "csv").decode()
    header, *read = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert header == [column.name for column in COLUMNS]
    assert [typed(row) for row in read] == rows


@settings(deadline=None)
@given(rows=rows_of_values)
def test_json_reads_back_equal(rows: list[Any]) -> None:
    read = json.loads(write(rows, "json"))
    assert [tuple(record.values()) for record in read] == rows
    assert all(list(record) == [column.name for column in COLUMNS] for record in read)


@settings(deadline=None)
@given(rows=rows_of_values)
def test_parquet_reads_back_equal(rows: list[Any]) -> None:
    table = pq.read_table(io.BytesIO(write(rows, "parquet")))
    assert [str(field.type) for field in table.schema] == [
        "string",
        "string",
        "date32[day]",
        f"timestamp[us, tz={ZONE}]",
        "double",
        "int64",
    ]
    read = [
        (key, text, day and day.isoformat(), moment and moment.isoformat(), number, count)
        for key, text, day, moment, number, count in zip(
            *(column.to_pylist() for column in table.columns), strict=True
        )
    ]
    assert read == rows


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_the_same_rows_give_the_same_bytes(format: str) -> None:
    row = ("a", "b", "2025-01-01", "2025-01-01T00:00:00-05:00", 1.5, 2)
    assert write([row] * 3, format) == write([row] * 3, format)


@pytest.mark.parametrize(("number", "text"), [(14.0, "14"), (14.5, "14.5"), (-0.1, "-0.1")])
def test_a_whole_number_has_no_point_in_texts(number: float, text: str) -> None:
    row = ("a", None, None, None, number, None)
    assert write([row], "csv").splitlines()[1] == f"a,,,,{text},".encode()
    assert f'"number": {text},' in write([row], "json").decode()


def failing_rows() -> Iterator[Values]:
    yield ("a", None, None, None, None, None)
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_a_failure_leaves_the_earlier_export_whole(tmp_path: Path, format: str) -> None:
    sound = Tabular("one", COLUMNS, [("a", None, None, None, None, None)])
    written_tables.write(tmp_path, [sound], format, manifest=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    failing = [Tabular("one", COLUMNS, []), Tabular("two", COLUMNS, failing_rows())]
    with pytest.raises(StorageFailed, match="No space left"):
        written_tables.write(tmp_path, failing, format, manifest=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_disk_that_fails_between_two_files_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def fail_at_the_manifest(path: Path, target: Path) -> Path:
        if path.name == MANIFEST:
            raise OSError(5, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", fail_at_the_manifest)
    with pytest.raises(StorageFailed, match="unchanged"):
        written_tables.write(tmp_path, [], manifest=True)
    with pytest.raises(StorageFailed, match="1 new file took the place of what was there before;"):
        written_tables.write(tmp_path, [Tabular("one", COLUMNS, [])], manifest=True)


def test_a_folder_in_the_place_of_one_file_leaves_all_the_others(tmp_path: Path) -> None:
    (tmp_path / "two.csv").mkdir()
    (tmp_path / "one.csv").write_text("mine")
    tables = [Tabular("one", COLUMNS, []), Tabular("two", COLUMNS, [])]
    with pytest.raises(StorageFailed, match="is a folder there; what was there before"):
        written_tables.write(tmp_path, tables)
    assert (tmp_path / "one.csv").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "two.csv"]


def test_a_symbolic_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "table.csv").symlink_to(outside)
    written_tables.write(folder, [Tabular("table", COLUMNS, [])])
    assert outside.read_text() == "mine"
    assert not (folder / "table.csv").is_symlink()


@settings(deadline=None, max_examples=40)
@given(names=st.lists(texts, min_size=1, max_size=5))
def test_any_text_survives_from_delivery_to_export(names: list[str]) -> None:
    rows = [[f"CC{number}", name, ""] for number, name in enumerate(names)]
    header = ["contact_center_id", "contact_center_name", "location"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        source = folder / "contact_centers.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        ledger = Ledger(folder / "ledger.db")
        ledger.ingest(files=[source], initial_month="202501")
        for format in TABLE_FORMATS:
            ledger.at().export(folder, format=format, tables=["contact_centers"])
        exported = folder / "contact_centers_final"
        text = exported.with_suffix(".csv").read_bytes().decode()
        from_csv = [row[1] for row in csv.reader(io.StringIO(text, newline=""))][1:]
        content = json.loads(exported.with_suffix(".json").read_text(encoding="utf-8"))
        from_json = [row["contact_center_name"] for row in content]
        column = pq.read_table(exported.with_suffix(".parquet"))["contact_center_name"]
        assert from_csv == from_json == column.to_pylist() == names


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger of all sample data."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    ledger.ingest(DATA)
    return ledger


class TestOfTheLedger:
    def test_the_three_formats_have_the_same_rows_in_the_order_of_the_key(
        self, ledger: Ledger, tmp_path: Path
    ) -> None:
        for format in TABLE_FORMATS:
            ledger.at().export(tmp_path, format=format)
        for table in ledger.dataset.tables:
            name = f"{table.name}_final"
            from_json = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
            text = (tmp_path / f"{name}.csv").read_text(encoding="utf-8")
            from_csv = list(csv.DictReader(io.StringIO(text, newline="")))
            from_parquet = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
            keys = [row[table.key] for row in from_json]
            assert keys == sorted(keys)
            assert from_csv == [
                {k: "" if v is None else str(v) for k, v in row.items()} for row in from_json
            ]
            assert from_json == [
                {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()}
                for row in from_parquet
            ]

    def test_the_manifest_tells_what_the_files_are(self, ledger: Ledger, tmp_path: Path) -> None:
        done = ledger.at("202502").export(tmp_path)
        manifest = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
        assert (manifest["asOf"], manifest["batch"]) == ("202502", 3)
        assert len(manifest["resources"]) == len(done.files) == 4
        for resource in manifest["resources"]:
            content = (tmp_path / resource["path"]).read_bytes()
            rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
            assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            assert resource["bytes"] == len(content)
            assert resource["rows"] == len(rows) - 1
            assert [field["name"] for field in resource["schema"]["fields"]] == rows[0]
            assert resource["schema"]["primaryKey"] == rows[0][:1]

    @pytest.mark.parametrize("format", TABLE_FORMATS)
    def test_the_stored_projection_and_one_built_aside_export_the_same_bytes(
        self, ledger: Ledger, tmp_path: Path, format: str
    ) -> None:
        copy = Ledger(shutil.copy(ledger.path, tmp_path / "copy.db"))
        copy.project("202502")
        copy.at("202502").export(tmp_path / "stored", format=format)
        copy.project("202503")
        copy.at("202502").export(tmp_path / "aside", format=format)
        for file in (tmp_path / "stored").iterdir():
            assert file.read_bytes() == (tmp_path / "aside" / file.name).read_bytes()

    def test_what_is_not_there_is_wrong_usage(self, ledger: Ledger, tmp_path: Path) -> None:
        for wrong in ({"format": "xml"}, {"tables": ["agent"]}):
            with pytest.raises(WrongUsage):
                ledger.at().export(tmp_path, **wrong)
        with pytest.raises(WrongUsage):
            ledger.at("209901")
        assert list(tmp_path.iterdir()) == []

    def test_all_errors_have_one_root(self, ledger: Ledger) -> None:
        with pytest.raises(LedgerError):
            ledger.project("190001")
