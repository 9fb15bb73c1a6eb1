"""The files of a data folder are found, ordered and opened; none is passed over in silence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import InputRefused, Month, WrongUsage
from ledger.delivery.discovery import (
    CHUNK,
    Delivery,
    OpenDelivery,
    digest_of,
    earliest_delta,
    find_deliveries,
    read_names,
)
from ledger.model.dataset import Column, DataSet, Kind, Table

VISITS = Table("visits", (Column("visit_id", "The key."),))
PLACES = Table("places", (Column("place_id", "The key."),))
PLACES_DELTA = Table("places_delta", (Column("place_id", "The key."),))
DATA = DataSet("test", "A test", "UTC", (VISITS, PLACES, PLACES_DELTA))

SECONDS_TO_WAIT = 5

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for kind in Kind:
        (tmp_path / "data" / kind).mkdir(parents=True)
    return tmp_path / "data"


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"x\n")


def found(folder: Path) -> list[str]:
    return [
        delivery.path.relative_to(folder).as_posix() for delivery in find_deliveries(folder, DATA)
    ]


def refused(folder: Path) -> list[tuple[str, str, str]]:
    """Name, code and message of each problem with the files of a folder."""
    with pytest.raises(InputRefused) as error:
        find_deliveries(folder, DATA)
    return [(Path(p.path).name, p.code, p.message) for p in error.value.problems]


def refused_names(*paths: Path) -> list[tuple[str, str, str]]:
    """The same of files given one by one."""
    with pytest.raises(InputRefused) as error:
        read_names(paths, DATA)
    return [(p.path, p.code, p.message) for p in error.value.problems]


# What a name says --------------------------------------------------------------------------------


def test_a_name_tells_table_kind_and_month(data: Path) -> None:
    initial, delta = data / "initial" / "places.csv", data / "delta" / "visits_delta_202503.csv"
    assert read_names([initial, delta], DATA) == [
        Delivery(initial, PLACES, Kind.INITIAL, None),
        Delivery(delta, VISITS, Kind.DELTA, Month(202503)),
    ]


def test_a_name_is_taken_for_the_longest_table_that_it_fits() -> None:
    (delivery,) = read_names([Path("places_delta_delta_202503.csv")], DATA)
    assert delivery.table is PLACES_DELTA
    (delivery,) = read_names([Path("places_delta.csv")], DATA)
    assert (delivery.table, delivery.kind) == (PLACES_DELTA, Kind.INITIAL)


def test_a_file_is_named_alike_on_every_machine() -> None:
    paths = [Path("/a/b/visits.csv"), Path("elsewhere/visits_delta_202503.csv")]
    names = [delivery.name for delivery in read_names(paths, DATA)]
    assert names == ["initial/visits.csv", "delta/visits_delta_202503.csv"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("visit.csv", "visits.csv"),
        ("VISITS.CSV", "visits.csv"),
        ("visits.CSV", "visits.csv"),
        ("Places.csv", "places.csv"),
        ("plcaes.csv", "places.csv"),
        ("visits_delta_2025-03.csv", "visits_delta_YYYYMM.csv"),
        ("visits_202503.csv", "visits_delta_YYYYMM.csv"),
        ("visits_delta_202503.CSV", "visits_delta_YYYYMM.csv"),
        ("visits_delta_202503 (1).csv", "visits_delta_YYYYMM.csv"),
        ("place_delta_202503.csv", "places_delta_YYYYMM.csv"),
        ("visits_delta_٢٠٢٥٠٣.csv", "visits_delta_YYYYMM.csv"),
    ],
)
def test_a_name_that_fits_no_table_is_refused_with_the_nearest_one(
    data: Path, name: str, nearest: str
) -> None:
    put(data, "initial/places.csv", f"delta/{name}")
    message = f"the name fits no table; the nearest is {nearest}"
    assert refused(data) == [(name, "unknown-file", message)]
    path = data / "delta" / name
    assert refused_names(path) == [(str(path), "unknown-file", message)]


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20))
@settings(deadline=None)
def test_any_other_name_is_refused_with_a_name_that_fits(text: str) -> None:
    ((_, code, message),) = refused_names(Path("delta", f"{text}.csvx"))
    assert code == "unknown-file"
    assert message.startswith("the name fits no table; the nearest is ")


@pytest.mark.parametrize("month", ["202500", "202513", "189912", "000000"])
def test_a_name_with_a_month_that_is_none_is_refused(data: Path, month: str) -> None:
    name = f"visits_delta_{month}.csv"
    put(data, f"delta/{name}")
    ((path, code, message),) = refused(data)
    assert (path, code) == (name, "unknown-file")
    assert f"{month!r} is not a month" in message


# A data folder -----------------------------------------------------------------------------------


def test_files_come_by_month_and_then_as_the_tables_are_described(data: Path) -> None:
    put(
        data,
        *("delta/visits_delta_202503.csv", "delta/places_delta_202503.csv"),
        *("delta/visits_delta_202412.csv", "delta/places_delta_202411.csv"),
        *("initial/places.csv", "initial/visits.csv"),
    )
    assert found(data) == [
        "initial/visits.csv",
        "initial/places.csv",
        "delta/places_delta_202411.csv",
        "delta/visits_delta_202412.csv",
        "delta/visits_delta_202503.csv",
        "delta/places_delta_202503.csv",
    ]


def test_hidden_files_and_other_suffixes_are_left_alone(data: Path) -> None:
    put(
        data,
        *("initial/visits.csv", "initial/.visits.csv", "initial/._places.csv", "initial/README"),
        *("delta/visits_delta_202503.csv.gz", "delta/.DS_Store", "delta/notes.txt", "delta/.csv"),
        *("delta/visits_delta_202503.csv~", "other.csv"),
    )
    (data / "delta" / "old").mkdir()
    put(data, "delta/old/visits_delta_202503.csv")
    assert found(data) == ["initial/visits.csv"]


@pytest.mark.parametrize("missing", Kind)
def test_one_of_the_two_folders_is_enough(data: Path, missing: Kind) -> None:
    put(data, "initial/visits.csv", "delta/visits_delta_202503.csv")
    for path in (data / missing).iterdir():
        path.unlink()
    (data / missing).rmdir()
    (name,) = found(data)
    assert not name.startswith(missing)


def test_a_file_in_the_wrong_folder_is_refused(data: Path) -> None:
    put(data, "initial/visits_delta_202503.csv", "delta/places.csv", "initial/visits.csv")
    assert refused(data) == [
        ("visits_delta_202503.csv", "unknown-file",
         "a file of this name belongs in the folder delta"),
        ("places.csv", "unknown-file", "a file of this name belongs in the folder initial"),
    ]  # fmt: skip


def test_all_files_that_do_not_belong_are_told_at_once(data: Path) -> None:
    put(
        data,
        "initial/visit.csv",
        "initial/visits_delta_202503.csv",
        "delta/visits_delta_202599.csv",
    )
    assert [name for name, _, _ in refused(data)] == [
        "visit.csv",
        "visits_delta_202503.csv",
        "visits_delta_202599.csv",
    ]


def test_a_folder_that_is_not_there_or_has_no_files_is_wrong_usage(data: Path) -> None:
    with pytest.raises(WrongUsage, match="there is no folder"):
        find_deliveries(data / "nowhere", DATA)
    with pytest.raises(WrongUsage, match="no CSV files in"):
        find_deliveries(data, DATA)
    put(data, "visits.csv")
    with pytest.raises(WrongUsage, match="there is no folder"):
        find_deliveries(data / "visits.csv", DATA)
    with pytest.raises(WrongUsage, match="no CSV files in"):
        find_deliveries(data, DATA)


def test_a_folder_whose_name_is_too_long_is_refused(data: Path) -> None:
    (problem,) = refused(data / ("x" * 5000))
    assert problem[1:] == ("unreadable-folder", "the folder cannot be read: File name too long")


def test_a_folder_that_cannot_be_listed_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    (problem,) = refused(data)
    assert problem == (
        "initial",
        "unreadable-folder",
        "the folder cannot be read: Permission denied",
    )


# Files given one by one --------------------------------------------------------------------------


def test_a_file_given_singly_may_lie_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "inbox" / "visits_delta_202503.csv"
    assert [delivery.path for delivery in read_names([path], DATA)] == [path]


def test_files_given_singly_come_in_the_order_of_recording() -> None:
    given_names = ["places_delta_202503.csv", "visits_delta_202503.csv", "places.csv"]
    paths = [Path(name) for name in given_names]
    assert [delivery.path for delivery in read_names(paths, DATA)] == paths[::-1]


def test_a_file_given_twice_counts_once(data: Path) -> None:
    put(data, "initial/visits.csv")
    path = data / "initial" / "visits.csv"
    again = data / "delta" / ".." / "initial" / "visits.csv"
    link = data / "visits.csv"
    link.symlink_to(path)
    assert [d.path for d in read_names([path, path, again, link], DATA)] == [path]


def test_two_files_of_the_same_table_and_month_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / "visits.csv", tmp_path / "b" / "visits.csv"
    for path in (one, two):
        path.parent.mkdir()
        path.write_bytes(b"the same bytes")
    message = f"delivers the same table and month as {one}"
    assert refused_names(one, two) == [(str(two), "same-delivery", message)]


def test_an_extract_and_a_delta_of_a_table_are_not_the_same() -> None:
    paths = [Path("visits.csv"), Path("visits_delta_202503.csv"), Path("visits_delta_202504.csv")]
    assert len(read_names(paths, DATA)) == 3


@pytest.mark.parametrize("names", [["visits_delta_202504.csv"], ["visits.csv"], []])
def test_the_earliest_delta_is_that_of_the_whole_folder(data: Path, names: Sequence[str]) -> None:
    put(data, "initial/visits.csv", "initial/places_delta_202401.csv")
    put(data, *(f"delta/visits_delta_{month}.csv" for month in (202504, 202503, 202502)))
    put(data, "delta/.visits_delta_202402.csv", "delta/visits_delta_202403.txt", "delta/odd.csv")
    paths = [data / ("delta" if "delta" in name else "initial") / name for name in names]
    expected = Month(202502) if names else None
    assert earliest_delta(read_names(paths, DATA), DATA) == expected


def test_the_earliest_delta_is_found_from_within_a_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(data, "initial/visits.csv", "delta/visits_delta_202503.csv")
    monkeypatch.chdir(data / "initial")
    assert earliest_delta(read_names([Path("visits.csv")], DATA), DATA) == Month(202503)


def test_files_elsewhere_speak_for_themselves_alone(tmp_path: Path) -> None:
    put(tmp_path, "visits_delta_202502.csv", "visits_delta_202503.csv", "visits.csv")
    paths = [tmp_path / "visits.csv", tmp_path / "visits_delta_202503.csv"]
    assert earliest_delta(read_names(paths, DATA), DATA) == Month(202503)
    assert earliest_delta(read_names(paths[:1], DATA), DATA) is None


# Opening -----------------------------------------------------------------------------------------


def refused_opening(path: Path) -> tuple[str, str]:
    with pytest.raises(InputRefused) as error:
        list(OpenDelivery(path).chunks())
    (problem,) = error.value.problems
    assert problem.path == str(path)
    return problem.code, problem.message


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_hashed_is_what_is_read(tmp_path: Path, size: int) -> None:
    path = tmp_path / "visits.csv"
    path.write_bytes(os.urandom(size))
    delivery = OpenDelivery(path)
    content = b"".join(delivery.chunks())
    assert content == path.read_bytes()
    assert delivery.size == size
    assert delivery.sha256 == sha256(content).hexdigest() == digest_of(path)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7, 9 * CHUNK])
def test_the_beginning_of_a_file_has_a_digest_of_its_own(tmp_path: Path, size: int) -> None:
    content = bytes(range(251)) * (3 * CHUNK // 251)
    path = tmp_path / "places.csv"
    path.write_bytes(content)
    assert digest_of(path, size) == sha256(content[:size]).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_hashed_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_bytes(b"a" * 2 * CHUNK)
    delivery = OpenDelivery(path)
    chunks = delivery.chunks()
    content = next(chunks)
    path.write_bytes(b"b" * 2 * CHUNK + b"c")
    content += b"".join(chunks)
    assert content == b"a" * CHUNK + b"b" * CHUNK + b"c"
    assert delivery.size == len(content)
    assert delivery.sha256 == sha256(content).hexdigest()


def test_a_file_that_is_replaced_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    path, other = tmp_path / "visits.csv", tmp_path / "other.csv"
    path.write_bytes(b"a" * 2 * CHUNK)
    other.write_bytes(b"b" * 2 * CHUNK)
    delivery = OpenDelivery(path)
    chunks = delivery.chunks()
    content = next(chunks)
    other.replace(path)
    assert content + b"".join(chunks) == b"a" * 2 * CHUNK


@needs_fifos
def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    os.mkfifo(path)
    told: list[tuple[str, str]] = []
    # In a thread of its own, for where it is waited for, that is for ever.
    thread = Thread(target=lambda: told.append(refused_opening(path)), daemon=True)
    thread.start()
    thread.join(SECONDS_TO_WAIT)
    assert told == [("not-a-file", "this is not a regular file")]


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.mkdir()
    assert refused_opening(path) == ("not-a-file", "this is not a regular file")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there are no devices")
def test_a_device_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.symlink_to("/dev/zero")
    assert refused_opening(path) == ("not-a-file", "this is not a regular file")


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"content")
    (tmp_path / "visits.csv").symlink_to("there")
    assert digest_of(tmp_path / "visits.csv") == sha256(b"content").hexdigest()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, message = refused_opening(tmp_path / "visits.csv")
    assert code == "unreadable-file"
    assert message == "the file cannot be read: No such file or directory"


def test_a_link_that_leads_to_itself_is_refused(data: Path) -> None:
    path = data / "initial" / "visits.csv"
    path.symlink_to(path)
    assert found(data) == ["initial/visits.csv"]
    code, message = refused_opening(path)
    assert code == "unreadable-file"
    assert "symbolic links" in message
