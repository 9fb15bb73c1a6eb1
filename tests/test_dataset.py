"""A description of a data set is checked when it is made: its names enter SQL."""

from __future__ import annotations

import pytest

from ledger.dataset import (
    Column,
    DataSet,
    LocalMonth,
    SecondsBetween,
    Summary,
    Table,
    Type,
)
from ledger.errors import WrongUsage

KEY = Column("place_id", "The key.")
AT = Column("at", "A moment.", Type.TIMESTAMP)
UNTIL = Column("until", "Another.", Type.TIMESTAMP)
MINUTES = Column("minutes", "A number.", Type.NUMBER)
PLACES = Table(
    "places",
    (KEY, Column("near", "The next one.", references="places"), AT, UNTIL, MINUTES),
    (LocalMonth("month", "at"), SecondsBetween("seconds", "at", "until")),
)
BAD_NAMES = ["", "Name", "1st", "_x", "a b", "a;b", 'a"b', "a-b", "é", "a\n", "drop table--"]


def data_set(
    *tables: Table, summaries: tuple[Summary, ...] = (), views: tuple[str, ...] = ()
) -> DataSet:
    return DataSet("test", "A test", "UTC", tables, summaries, views)


def test_a_table_tells_its_names() -> None:
    assert PLACES.key == "place_id"
    assert PLACES.events == "places_events"
    assert PLACES.column_names == ("place_id", "near", "at", "until", "minutes")
    assert PLACES.typed_columns == (AT, UNTIL, MINUTES)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_plain_word_is_refused(name: str) -> None:
    summary = Summary("totals", "SELECT 1")
    with pytest.raises(ValueError, match="cannot be a name"):
        Table(name, (KEY,))
    with pytest.raises(ValueError, match="cannot be a name"):
        Table("places", (KEY, Column(name, "")))
    with pytest.raises(ValueError, match="cannot be a name"):
        Table("places", (KEY, AT), (LocalMonth(name, "at"),))
    with pytest.raises(ValueError, match="cannot be a name"):
        data_set(PLACES, views=(name,))
    with pytest.raises(ValueError, match="cannot be a name"):
        data_set(PLACES, summaries=(summary, Summary(name, "SELECT 1")))


@pytest.mark.parametrize("name", ["action", "event_id", "file", "line", "month", "place_id"])
def test_a_delivered_column_cannot_have_the_name_of_another(name: str) -> None:
    with pytest.raises(ValueError, match="different names"):
        Table("places", (KEY, Column(name, "")))


def test_a_derived_column_cannot_have_the_name_of_another() -> None:
    with pytest.raises(ValueError, match="different names"):
        Table("places", (KEY, AT), (LocalMonth("at", "at"),))


@pytest.mark.parametrize(
    "derived",
    [
        LocalMonth("local", "minutes"),
        LocalMonth("local", "missing"),
        SecondsBetween("seconds", "at", "minutes"),
        SecondsBetween("seconds", "place_id", "at"),
    ],
)
def test_what_is_derived_comes_from_timestamps(derived: LocalMonth | SecondsBetween) -> None:
    with pytest.raises(ValueError, match="derived from timestamps"):
        Table("places", (KEY, AT, MINUTES), (derived,))


def test_a_key_is_text() -> None:
    with pytest.raises(ValueError, match="must be text"):
        Table("places", (MINUTES, AT))


def test_a_delivered_number_is_of_the_type_number() -> None:
    with pytest.raises(ValueError, match="type number"):
        Table("places", (KEY, Column("count", "", Type.INTEGER)))


def test_tables_summaries_and_views_need_different_names() -> None:
    with pytest.raises(ValueError, match="different names"):
        data_set(PLACES, PLACES)
    with pytest.raises(ValueError, match="different names"):
        data_set(PLACES, views=("places",))
    with pytest.raises(ValueError, match="different names"):
        data_set(PLACES, summaries=(Summary("report", ""),), views=("report",))


def test_a_reference_needs_its_table() -> None:
    with pytest.raises(ValueError, match="a table to refer to"):
        data_set(Table("visits", (KEY, Column("place", "", references="places"))))


def test_a_table_is_found_by_its_name() -> None:
    visits = Table("visits", (KEY, Column("place", "", references="places")))
    assert data_set(visits, PLACES).table("places") is PLACES


def test_a_table_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(WrongUsage, match=r"there is no table 'place'; the tables are places"):
        data_set(PLACES).table("place")
