"""A description of a data set is checked when it is made: its names enter SQL."""

from __future__ import annotations

import pytest

from ledger.errors import WrongUsage
from ledger.model.dataset import (
    Column,
    DataSet,
    Derived,
    Label,
    LocalMonth,
    SecondsBetween,
    Summary,
    Table,
    Type,
    UtcMonth,
    View,
)

KEY = Column("place_id", "The key.")
AT = Column("at", "A moment.", Type.TIMESTAMP)
UNTIL = Column("until", "Another.", Type.TIMESTAMP)
MINUTES = Column("minutes", "A number.", Type.NUMBER)
PLACES = Table(
    "places",
    (KEY, Column("near", "The next one.", references="places"), AT, UNTIL, MINUTES),
    (LocalMonth("month", "at"), SecondsBetween("seconds", "at", "until")),
)
NEAR = PLACES.columns[1]
MONTH = PLACES.derived[0]
BAD_NAMES = ["", "Name", "1st", "_x", "a b", "a;b", 'a"b', "a-b", "é", "a\n", "drop table--"]


def summary_of(name: str) -> Summary:
    return Summary(name, "places", (), "SELECT 1", ("place_id",), "rows", "magnitude")


def data_set(
    *tables: Table, summaries: tuple[Summary, ...] = (), views: tuple[View, ...] = ()
) -> DataSet:
    return DataSet("test", "A test", "UTC", tables, summaries, views)


def labelled(*labels: Label, month: str | None = "month") -> Table:
    """Places with labels."""
    return Table("places", (KEY, NEAR, AT), (MONTH,), month, labels)


def test_a_table_tells_its_names() -> None:
    assert PLACES.key == "place_id"
    assert PLACES.events == "places_events"
    assert PLACES.column_names == ("place_id", "near", "at", "until", "minutes")
    assert PLACES.typed_columns == (AT, UNTIL, MINUTES)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_plain_word_is_refused(name: str) -> None:
    summary = summary_of("totals")
    with pytest.raises(ValueError, match="cannot be a name"):
        Table(name, (KEY,))
    with pytest.raises(ValueError, match="cannot be a name"):
        Table("places", (KEY, Column(name, "")))
    with pytest.raises(ValueError, match="cannot be a name"):
        Table("places", (KEY, AT), (LocalMonth(name, "at"),))
    with pytest.raises(ValueError, match="cannot be a name"):
        data_set(PLACES, views=(View(name, ("place",), ("count",)),))
    for view in (View("report", (name,), ("count",)), View("report", ("place",), (name,))):
        with pytest.raises(ValueError, match="cannot be a name"):
            data_set(PLACES, views=(view,))
    with pytest.raises(ValueError, match="cannot be a name"):
        data_set(PLACES, summaries=(summary, summary_of(name)))
    with pytest.raises(ValueError, match="cannot be a name"):
        labelled(Label(name, "near", "place_id", ""))


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
        UtcMonth("utc", "minutes"),
        UtcMonth("utc", "missing"),
        SecondsBetween("seconds", "at", "minutes"),
        SecondsBetween("seconds", "place_id", "at"),
    ],
)
def test_what_is_derived_comes_from_timestamps(derived: Derived) -> None:
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
        data_set(PLACES, views=(View("places", ("place",), ("count",)),))
    with pytest.raises(ValueError, match="different names"):
        data_set(
            PLACES,
            summaries=(summary_of("report"),),
            views=(View("report", ("place",), ("count",)),),
        )


def test_a_reference_needs_its_table() -> None:
    with pytest.raises(ValueError, match="a table to refer to"):
        data_set(Table("visits", (KEY, Column("place", "", references="places"))))


@pytest.mark.parametrize("reference", ["place_id", "at", "missing"])
def test_a_label_comes_from_a_column_that_refers_to_a_table(reference: str) -> None:
    with pytest.raises(ValueError, match="a column that refers to a table"):
        labelled(Label("place_name", reference, "place_id", ""))


@pytest.mark.parametrize("column", ["at", "missing"])
def test_a_label_is_a_text_of_the_other_table(column: str) -> None:
    with pytest.raises(ValueError, match="needs a text column of places"):
        data_set(labelled(Label("place_name", "near", column, "")))


@pytest.mark.parametrize("month", [None, "at", "utc"])
def test_a_table_with_labels_needs_a_local_month(month: str | None) -> None:
    utc = UtcMonth("utc", "at")
    with pytest.raises(ValueError, match="needs a local month"):
        Table(
            "places", (KEY, NEAR, AT), (MONTH, utc), month, (Label("name", "near", "place_id", ""),)
        )


def test_a_table_without_labels_needs_no_month() -> None:
    assert labelled(month=None).month is None
    with pytest.raises(ValueError, match="needs a local month"):
        labelled(month="at")


def test_what_a_column_refers_to_is_found() -> None:
    label = Label("place_name", "near", "place_id", "")
    dataset = data_set(labelled(label), Table("visits", (KEY, Column("note", ""))))
    assert dataset.referenced(dataset.tables[0], "near") is dataset.tables[0]
    assert [dataset.place(name) for name in ("places", "visits")] == [0, 1]
    assert dataset.tables[0].references == (NEAR,)


def test_a_table_is_found_by_its_name() -> None:
    visits = Table("visits", (KEY, Column("place", "", references="places")))
    assert data_set(visits, PLACES).table("places") is PLACES


def test_a_table_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(WrongUsage, match=r"there is no table 'place'; the tables are places"):
        data_set(PLACES).table("place")
