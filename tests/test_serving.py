"""The ledger in a browser: what its pages say, what they refuse, and that they only read."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from ledger import Ledger, Snapshot
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.csv_reader import FIELD_LIMIT
from ledger.model.presentation import plain
from ledger.web import functions, limits
from ledger.web.app import make_datasette
from ledger.web.database import LedgerFile
from ledger.web.guard import guarded
from ledger.web.limits import LONGEST_VALUE
from ledger.web.metadata import DATABASE, SETTINGS
from tests.commands import DATA, LEDGER, environment, invoke_ledger
from tests.strategies import small_file, write_data_folder
from tests.test_store import FOREIGN, killed_while_writing

PORT = 8001
HOSTILE = "<script>document.title='x'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    Ledger(path).project()
    return path


@pytest.fixture
def db(tmp_path: Path, recorded: Path) -> Path:
    """A ledger of all sample data, alone in a folder whose name needs care in an address."""
    folder = tmp_path / "a?mode=rw&b%20#c"
    folder.mkdir()
    return Path(shutil.copy(recorded, folder / "ledger.db"))


@contextmanager
def served(db: Path) -> Iterator[Callable[..., httpx.Response]]:
    """What answers to a path, as at the port, in this process."""
    datasette = make_datasette(db)
    transport = httpx.ASGITransport(app=guarded(datasette.app(), PORT))

    def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            base = f"http://127.0.0.1:{PORT}"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())

    try:
        yield get
    finally:
        datasette.executor.shutdown()
        datasette.get_database(DATABASE).close()


@pytest.fixture
def get(db: Path) -> Iterator[Callable[..., httpx.Response]]:
    with served(db) as asked:
        yield asked


Get = Callable[..., httpx.Response]


def rows(get: Get, path: str) -> list[dict[str, Any]]:
    answer = get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


# What is there


def test_the_start_page_leads_to_pages_that_are_there(get: Get) -> None:
    page = get("/")
    assert page.status_code == 200
    assert "as of 202503, batch 3" in page.text
    links = set(re.findall(r'(?:href|action|formaction)="(/[^"]*)"', page.text))
    assert len(links) > 20
    for link in links:
        assert get(link).status_code == 200, link


def test_the_start_page_says_what_to_do_where_no_projection_is_stored(tmp_path: Path) -> None:
    db = tmp_path / "ledger.db"
    Ledger(db).ingest(DATA)
    with served(db) as get:
        assert "<code>ledger project</code>" in get("/").text
        assert get("/ledger/interactions").status_code == 200


def test_the_start_page_says_where_the_projection_is_not_the_latest(db: Path, get: Get) -> None:
    assert "not the latest" not in get("/").text
    Ledger(db).project("202502")
    assert "not the latest" in get("/").text


def test_what_is_internal_is_hidden_and_the_rest_described(get: Get) -> None:
    tables = {table["name"]: table for table in get("/ledger.json").json()["tables"]}
    shown = {name for name, table in tables.items() if not table["hidden"]}
    ours = {name for table in SUPPORT.tables for name in (table.name, table.events)}
    assert shown == {*ours, "batches", "files", "tags"}
    page = get("/ledger/interactions").text
    for column in SUPPORT.table("interactions").columns:
        assert column.description.replace("'", "&#39;") in page


def test_events_have_facets_and_lead_to_the_history_and_the_file(get: Get) -> None:
    answer = get("/ledger/events.json").json()
    assert set(answer["facet_results"]) == {"table_name", "month", "action"}
    months = answer["facet_results"]["month"]["results"]
    assert {one["value"]: one["count"] for one in months} == {202501: 27, 202502: 17, 202503: 18}
    assert get("/ledger/events.json?month=202502").json()["filtered_table_rows_count"] == 17
    page = get("/ledger/events?month=202502").text
    assert 'href="/ledger/history?table=agents&amp;key=A007"' in page
    assert 'href="/ledger/files/' in page
    for table in SUPPORT.tables:
        facets = get(f"/ledger/{table.events}.json").json()["facet_results"]
        assert set(facets) == {"month", "action"}


def test_a_row_leads_to_its_history(get: Get) -> None:
    page = get("/ledger/interactions/INT1003").text
    assert '"/ledger/history?table=interactions&amp;key=INT1003"' in page
    assert "history of this record" not in get("/ledger/files/1").text


# The answers are those of the command line


def test_a_history_is_that_of_the_command(db: Path, get: Get) -> None:
    told = json.loads(invoke_ledger("history", "interactions", "INT1003", "--json", db=db).out)
    expected = [
        (event["source"]["file"], event["verdict"], *change.values())
        for event in told["events"]
        for change in event["changes"]
    ]
    found = rows(get, "/ledger/history.json?table=interactions&key=INT1003&_shape=array")
    names = ("file", "verdict", "column", "before", "after")
    assert [tuple(row[name] for name in names) for row in found] == expected


def test_an_event_without_changes_has_a_line(tmp_path: Path) -> None:
    for month in (None, 202502):
        row = ("A1", "Ada") if month is None else ("update", "A1", "Ada")
        write_data_folder(tmp_path / "data", [small_file("agents", month, row)])
    Ledger(tmp_path / "ledger.db").ingest(tmp_path / "data")
    with served(tmp_path / "ledger.db") as get:
        found = rows(get, "/ledger/history.json?table=agents&key=A1&_shape=array")
    assert [(row["action"], row["column"]) for row in found][-1] == ("update", None)


@pytest.mark.parametrize("place", ["month=2025-02", "month=2025-02&center=Boston+MA+NE"])
def test_an_explanation_adds_up_to_the_figure(place: str, get: Get) -> None:
    figure, *parts = rows(get, f"/ledger/explain.json?{place}&_shape=array")
    assert figure["part"] == "the figure"
    assert {part["part"] for part in parts} == {"interaction"}
    for measure in ("total_interactions", "total_calls", "total_call_duration"):
        assert sum(part[measure] for part in parts) == pytest.approx(figure[measure])


def test_an_explanation_says_why_a_name_is_unknown(tmp_path: Path) -> None:
    start = "2025-01-14T15:20:00Z"
    write_data_folder(
        tmp_path / "data",
        [
            small_file("contact_centers", None, ("CC1", "Boston")),
            small_file("agents", None, ("A1", "Ada")),
            small_file("service_categories", None, ("CAT1", "Bills", "Billing")),
            small_file(
                "interactions",
                None,
                ("INT1", start, "phone", "CAT1", "A1", "CC9", start),
                ("INT2", start, "phone", "", "A1", "CC1", start),
            ),
        ],
    )
    db = tmp_path / "ledger.db"
    Ledger(db).ingest(tmp_path / "data", initial_month="202501")
    command = ("explain", "--month", "2025-01", "--format", "csv")
    told = list(csv.DictReader(io.StringIO(invoke_ledger(*command, db=db).out)))
    with served(db) as get:
        found = rows(get, "/ledger/explain.json?month=2025-01&_shape=array")[1:]
    assert [row["interaction_id"] for row in found] == [row["interaction"] for row in told]
    for row, expected in zip(found, told, strict=True):
        for name in ("contact_center_named_by", "department_named_by"):
            assert row[name]
            # A reason is told there with the key before it.
            assert expected[name].endswith(row[name])


def test_a_bridge_leads_from_opening_to_closing(db: Path, get: Get) -> None:
    found = rows(get, "/ledger/bridge.json?from=202501&to=202503&_shape=array")
    total = plain(Ledger(db).compare("202501", "202503").bridge().total)
    of_all = [row for row in found if row["of"] == "all"]
    assert [row["step"] for row in of_all] == [
        "opening", *(step["kind"] for step in total["steps"]), "closing"
    ]  # fmt: skip
    for measure in ("total_interactions", "total_calls", "total_call_duration"):
        *before, closing = [row[measure] for row in of_all]
        assert sum(before) == pytest.approx(closing)
        assert closing == total["closing"][measure]
    assert {row["of"] for row in found} == {"all", "row"}


def test_causes_and_findings_are_those_of_the_commands(db: Path, get: Get) -> None:
    for page, command in (
        ("causes?from=202501&to=202503", ("bridge", "--from", "202501", "--to", "202503")),
        ("findings?x=", ("check",)),
    ):
        told = csv.reader(io.StringIO(invoke_ledger(*command, "--format", "csv", db=db).out))
        found = list(csv.reader(io.StringIO(get(f"/ledger/{page.replace('?', '.csv?')}").text)))
        assert len(found) > 1
        assert sorted(found[1:]) == sorted(list(told)[1:])


@pytest.mark.parametrize("edition", [{}, {"as_of": "202502"}, {"as_of": "202501", "known_at": "1"}])
@pytest.mark.parametrize("table", [table.name for table in SUPPORT.tables])
def test_a_state_is_that_which_is_exported(
    table: str, edition: dict[str, str], db: Path, get: Get, tmp_path: Path
) -> None:
    Ledger(db).at(**edition).export(tmp_path, tables=[table])
    exported = (tmp_path / f"{table}_final.csv").read_text(encoding="utf-8")
    query = "&".join(f"{name}={value}" for name, value in edition.items())
    found = get(f"/ledger/state_{table}.csv?{query}").text
    assert _numbers(found) == _numbers(exported)


def _numbers(text: str) -> list[list[str]]:
    """The cells of a CSV; an export writes 14 for what is 14.0."""
    return [[cell.removesuffix(".0") for cell in row] for row in csv.reader(io.StringIO(text))]


def test_a_state_and_a_list_are_given_in_stretches(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "ENTRIES", 5)
    keys: list[str] = []
    while some := rows(
        get,
        f"/ledger/state_interactions.json?as_of=202502&after={keys[-1] if keys else ''}"
        "&_shape=array",
    ):
        assert len(some) <= 5
        keys += [row["interaction_id"] for row in some]
    monkeypatch.undo()
    whole = rows(get, "/ledger/state_interactions.json?as_of=202502&_shape=array")
    assert keys == [row["interaction_id"] for row in whole]
    monkeypatch.setattr(functions, "ENTRIES", 2)
    first, second = (
        rows(get, f"/ledger/explain.json?month=2025-02&skip={skip}&_shape=array")[1:]
        for skip in ("0", "2")
    )
    assert len(first) == len(second) == 2
    assert first != second


# What is refused


@pytest.mark.parametrize("format", ["", ".json", ".csv"])
@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("history{}?table=interactions&key=NOPE", "has the key &#39;NOPE&#39;"),
        ("history{}?table=nothing&key=A", "there is no table &#39;nothing&#39;"),
        ("state_agents{}?as_of=209901", "the ledger holds the months 202501 to 202503"),
        ("findings{}?known_at=9", "there is no batch 9; the ledger holds 1 to 3"),
        ("findings{}?skip=-1", "what to skip is a number"),
        ("bridge{}?from=202501&to=x", "is no batch, no moment"),
        ("explain{}?month=2025-02&measure=x", "there is no measure"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    question: str, message: str, format: str, get: Get, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = get(f"/ledger/{question.format(format)}")
    assert answer.status_code == 400
    if format:
        assert message.replace("&#39;", "'") in answer.json()["error"]
    else:
        assert message in answer.text
        assert (
            f'action="/ledger/{question.partition("{")[0]}"' in answer.text or "state_" in question
        )
    assert not capfd.readouterr().err


def test_a_question_that_is_not_asked_yet_has_no_answer_and_no_error(get: Get) -> None:
    for question in ("history", "explain", "bridge", "causes"):
        assert rows(get, f"/ledger/{question}.json?_shape=array") == []


def test_a_damaged_ledger_is_told(db: Path, get: Get) -> None:
    with db.open("r+b") as file:
        file.truncate(5 * 4096)
    answer = get("/")
    assert answer.status_code == 400
    assert "damaged" in answer.text


def test_a_journal_that_is_left_while_it_is_served_is_told_and_not_acted_on(
    db: Path, get: Get, tmp_path: Path
) -> None:
    assert get("/").status_code == 200
    journal = db.with_name(f"{db.name}-journal")
    hot = killed_while_writing(Path(shutil.copy(db, tmp_path / "other.db")))
    for content in (hot.with_name("other.db-journal").read_bytes(), None):
        if content:
            journal.write_bytes(content)
        else:
            journal.unlink()
            journal.mkdir()
        page = get("/ledger/agents_events.json")
        assert page.status_code == 400
        assert str(journal) in page.json()["error"]
        assert journal.exists()


def test_a_mistake_in_sql_of_ones_own_is_told_on_the_page_alone(
    get: Get, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "no such table: none" in get("/ledger?sql=select+*+from+none").text
    assert not capfd.readouterr().err


@pytest.mark.parametrize(
    "sql", ["delete from tags", "update batches set reason = 1", "attach 'x' as y", "vacuum"]
)
def test_sql_of_ones_own_only_reads(sql: str, db: Path, get: Get) -> None:
    before = db.read_bytes()
    assert get(f"/ledger?sql={sql.replace(' ', '+')}").status_code == 400
    assert db.read_bytes() == before
    assert [path.name for path in db.parent.iterdir()] == ["ledger.db"]


def test_not_even_the_connection_can_write(db: Path) -> None:
    file = LedgerFile(make_datasette(db), db)
    for write in (False, True):
        connection = file.connect(write=write)
        with closing(connection), pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM projection_of")


def test_a_view_planted_in_the_file_cannot_call_the_functions(db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("CREATE VIEW planted AS SELECT ledger_history('agents', 'A001', '', '')")
    with served(db) as get:
        assert "unsafe use of ledger_history" in get("/ledger/planted").text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    db = hostile(tmp_path)
    with served(db) as get:
        for page in (
            *("/", "/ledger/contact_centers", "/ledger/support_report", "/ledger/events"),
            *("/ledger/history?table=contact_centers&key=CC1", "/ledger/explain?month=2025-01"),
            *("/ledger/state_contact_centers", "/-/dashboards/report"),
            f"/ledger/explain?month=2025-01&center={HOSTILE}",
            f"/ledger/history?table={HOSTILE}&key={HOSTILE}",
        ):
            text = get(page).text
            assert "<script>document" not in text, page
            assert "<img" not in text, page
        assert "&lt;script&gt;" in get("/ledger/support_report").text


def hostile(folder: Path) -> Path:
    """A ledger with a contact centre whose name is HTML, and whose key is too."""
    key = "K<b onclick=alert(1)>"
    row = ["INT1", "2025-01-14T15:20:00Z", "phone", "CAT1", key, "CC1", "2025-01-14T15:20:00Z"]
    write_data_folder(
        folder / "data",
        [
            small_file("contact_centers", None, ("CC1", HOSTILE, HOSTILE), (key, HOSTILE)),
            small_file("agents", None, (key, HOSTILE, "CC1", "2020-01-01", "CAT1")),
            small_file("service_categories", None, ("CAT1", HOSTILE, HOSTILE)),
            small_file("interactions", None, row),
        ],
    )
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder / "data", initial_month="202501")
    ledger.project()
    return ledger.path


# Whom it answers


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_it_answers_by_the_names_of_this_machine(host: str, get: Get) -> None:
    assert get("/", host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "localhost:1",
        f"127.0.0.1.nip.io:{PORT}",
    ],
)
def test_it_refuses_every_other_name(host: str, get: Get) -> None:
    for path in ("/", "/ledger/events.json", "/-/static/app.css"):
        answer = get(path, host=host)
        assert answer.status_code == 421
        assert "202501" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        },
        {"sec-fetch-site": "new-word"},
        {"sec-fetch-site": "none", "origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8002"},
        {"origin": f"http://localhost:{PORT}"},
        {"origin": f"http://127.0.0.1:{PORT}.evil.example"},
    ],
)
def test_it_refuses_what_a_page_of_another_origin_asks(headers: dict[str, str], get: Get) -> None:
    for path in ("/", "/ledger.json?sql=select+202501", "/-/static/app.css"):
        answer = get(path, **headers)
        assert answer.status_code == 403, path
        assert "202501" not in answer.text
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": f"http://127.0.0.1:{PORT}"},
        {"host": f"localhost:{PORT}", "origin": f"http://localhost:{PORT}"},
    ],
)
def test_it_answers_the_user_and_its_own_pages(headers: dict[str, str], get: Get) -> None:
    assert get("/", **headers).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_it_answers_to_reading_alone(method: str, get: Get) -> None:
    assert get("/ledger", method=method).status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/ledger/events", "/-/dashboards/report", "/nothing", "/-/static/app.css"]
)
def test_every_answer_is_kept_on_this_machine(path: str, get: Get) -> None:
    headers = get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("unsafe-eval" in policy) == path.startswith("/-/dashboards")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_the_file_itself_is_not_handed_out(get: Get) -> None:
    assert get("/ledger.db").status_code == 403
    assert get("/-/settings.json").json()["allow_download"] is False


def test_nothing_but_the_ledger_is_served(get: Get) -> None:
    assert [database["name"] for database in get("/-/databases.json").json()] == ["ledger"]


# While others record


def test_what_is_recorded_meanwhile_is_shown(db: Path, get: Get, tmp_path: Path) -> None:
    assert get("/ledger/events.json").json()["filtered_table_rows_count"] == 62
    write_data_folder(
        tmp_path / "more", [small_file("contact_centers", 202504, ("add", "CC99", "New"))]
    )
    ran = invoke_ledger("ingest", "--data-dir", tmp_path / "more", db=db)
    assert ran.code == 0, ran.err
    assert get("/ledger/events.json").json()["filtered_table_rows_count"] == 63
    assert "202501 to 202504" in get("/").text
    assert [path.name for path in db.parent.iterdir()] == ["ledger.db"]


def test_who_records_while_pages_are_read_is_not_kept_waiting(
    db: Path, get: Get, tmp_path: Path
) -> None:
    ended = threading.Event()
    answers: list[int] = []

    def read() -> None:
        while not ended.is_set():
            answers.append(get("/ledger/events").status_code)
            answers.append(get("/ledger/bridge?from=202501&to=202503").status_code)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for month in range(202504, 202510):
            file = small_file("contact_centers", month, ("add", f"CC{month}", "New"))
            write_data_folder(tmp_path / "more", [file])
            ran = invoke_ledger("ingest", "--data-dir", tmp_path / "more", db=db)
            assert ran.code == 0, ran.err
    finally:
        ended.set()
        reader.join()
    assert set(answers) == {200}
    assert len(Ledger(db).log()) == 9


def test_pages_are_not_kept_by_the_browser(get: Get) -> None:
    assert get("/ledger/events").headers["cache-control"] == "no-cache"


def test_a_csv_is_streamed_to_its_end_and_has_no_limit(get: Get) -> None:
    assert SETTINGS["max_csv_mb"] == 0
    text = get("/ledger/events.csv?_stream=1").text
    assert len(text.splitlines()) == 63


def test_a_query_of_ones_own_ends_in_time(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "with+recursive+n(i)+as+(select+1+union+all+select+i%2B1+from+n)+select+max(i)+from+n"
    monkeypatch.setitem(SETTINGS, "sql_time_limit_ms", 50)
    with served(db) as asked:
        answer = asked(f"/ledger.csv?sql={endless}")
        assert answer.status_code == 400
        assert "took longer than" in answer.json()["error"]
        assert asked(f"/ledger?sql={endless}").status_code == 400
    monkeypatch.undo()
    assert SETTINGS["sql_time_limit_ms"] > 1000
    assert SETTINGS["facet_time_limit_ms"] > 1000


def test_an_answer_of_the_ledger_may_take_longer_than_a_query_once(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SETTINGS, "sql_time_limit_ms", 100)
    monkeypatch.setattr("ledger.web.database.QUERY_SECONDS", 0.1)
    monkeypatch.setattr(functions, "STEPS", 10)
    history = Snapshot.history

    def slow(*arguments: Any, **options: Any) -> Any:
        threading.Event().wait(0.2)
        return history(*arguments, **options)

    monkeypatch.setattr(Snapshot, "history", slow)
    each = (
        "select+length(ledger_history('interactions',key,'',''))+from+events+where+key+like+'INT%'"
    )
    with served(db) as get:
        assert rows(get, "/ledger/history.json?table=interactions&key=INT1003&_shape=array")
        assert get(f"/ledger.json?sql={each}").status_code == 400


# What a query may take

HUGE = "printf('%.*c', 16000000, 'x')"
ROWS = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) "


@pytest.mark.parametrize(
    "sql",
    [
        "select length(zeroblob(1000000000))",
        f"select length(replace({HUGE}, 'x', 'yy'))",
        f"select length({HUGE} || {HUGE})",
        f"{ROWS} select length(group_concat(printf('%.*c', 1000, 'x'))) from n",
        f"{ROWS} select length(json_group_array(printf('%.*c', 1000, 'x'))) from n",
    ],
)
@pytest.mark.parametrize("format", ["", ".json", ".csv"])
def test_a_value_has_a_limited_length(sql: str, format: str, get: Get) -> None:
    answer = get(f"/ledger{format}?{urlencode({'sql': sql})}")
    assert answer.status_code == 400
    assert f"{LONGEST_VALUE:,} bytes" in answer.text


def test_the_longest_cell_is_shown_with_its_history(tmp_path: Path) -> None:
    longest = "x" * FIELD_LIMIT
    file = small_file("contact_centers", None, ("CC1", longest, longest))
    write_data_folder(tmp_path / "data", [file])
    Ledger(tmp_path / "ledger.db").ingest(tmp_path / "data", initial_month="202501")
    with served(tmp_path / "ledger.db") as get:
        found = rows(get, "/ledger/history.json?table=contact_centers&key=CC1&_shape=array")
    assert longest in [row["after"] for row in found]


@pytest.mark.parametrize(
    "sql",
    [
        f"{ROWS} select printf('%.*c', 1000000, 'x') from n",
        f"{ROWS} select zeroblob(1000000) from n",
        f"{ROWS} select {', '.join(['i'] * 1000)} from n",
    ],
)
def test_the_rows_of_an_answer_are_limited_together(
    sql: str, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_ANSWER", 10_000_000)
    answer = get(f"/ledger.json?{urlencode({'sql': sql})}")
    assert answer.status_code == 400
    assert "rows have more than" in answer.json()["error"]
    assert get("/ledger/events.json").status_code == 200


def test_a_query_that_sqlite_cannot_end_ends_the_process(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(limits, "STEP_SECONDS", 0.05)
    monkeypatch.setattr(limits, "end_process", ended.set)
    sql = "select trim(printf('%.*c', 30000, 'x'), printf('%.*c', 30000, 'y') || 'x')"
    get(f"/ledger.json?{urlencode({'sql': sql})}")
    assert ended.is_set()


def test_an_answer_of_the_ledger_is_no_such_query(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    history = Snapshot.history

    def slow(*arguments: Any, **options: Any) -> Any:
        assert not ended.wait(2)
        return history(*arguments, **options)

    monkeypatch.setattr(limits, "STEP_SECONDS", 1)
    monkeypatch.setattr(limits, "end_process", ended.set)
    monkeypatch.setattr(Snapshot, "history", slow)
    assert rows(get, "/ledger/history.json?table=interactions&key=INT1003&_shape=array")
    assert not ended.is_set()


# The command


@pytest.mark.parametrize(("make", "message"), FOREIGN)
def test_what_is_no_ledger_is_told_before_anything_is_served(
    make: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    db = tmp_path / "ledger.db"
    make(db)
    ran = invoke_ledger("serve", db=db)
    assert ran.code == 5
    assert message in ran.err


def test_a_missing_ledger_is_wrong_usage_and_is_not_made(tmp_path: Path) -> None:
    ran = invoke_ledger("serve", db=tmp_path / "ledger.db")
    assert ran.code == 2
    assert "there is no ledger" in ran.err
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_named(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasette", None)
    ran = invoke_ledger("serve", db=db)
    assert ran.code == 2
    assert "pip install 'month-ledger[serve]'" in ran.err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_wrong_usage(port: str, db: Path) -> None:
    assert invoke_ledger("serve", "--port", port, db=db).code == 2


def test_a_port_in_use_is_told(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = invoke_ledger("serve", "--port", port, db=db)
    assert ran.code == 2
    assert f"port {port} is in use" in ran.err


@contextmanager
def running(db: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address at which a process of its own serves a ledger."""
    command = [str(LEDGER), "serve", "--port", "0", "--db", str(db), *options]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr
        try:
            line = process.stderr.readline()
            while "http://" not in line:
                assert line, "it ended"
                line = process.stderr.readline()
            yield re.findall(r"http://127\.0\.0\.1:\d+/", line)[0], process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
def test_a_process_serves_until_it_is_interrupted(db: Path) -> None:
    with running(db) as (url, process):
        with urllib.request.urlopen(f"{url}ledger/agents.json") as answer:
            assert json.load(answer)["filtered_table_rows_count"] == 8
        request = urllib.request.Request(url, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="421"):
            urllib.request.urlopen(request)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "Stopped.\n"
    assert [path.name for path in db.parent.iterdir()] == ["ledger.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="a signal of POSIX")
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_process_ends_at_once_while_a_query_runs(
    sent: signal.Signals, code: int, db: Path
) -> None:
    # One step of SQLite's, which nothing interrupts.
    sql = "select trim(printf('%.*c', 1000000, 'x'), printf('%.*c', 1000000, 'y') || 'x')"
    with running(db) as (url, process), socket.socket() as asked:
        asked.connect(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])))
        path = f"/ledger.json?{urlencode({'sql': sql})}"
        asked.sendall(f"GET {path} HTTP/1.1\r\nHost: {url[7:-1]}\r\n\r\n".encode())
        # The next request is answered when the query has begun.
        with urllib.request.urlopen(f"{url}ledger/agents.json") as answer:
            assert answer.status == 200
        process.send_signal(sent)
        process.communicate(timeout=8)
    assert process.returncode == code


def test_a_query_that_needs_much_memory_leaves_the_process_alive(db: Path) -> None:
    many = ", ".join([HUGE] * 100)
    with running(db) as (url, _):
        path = f"{url}ledger.json?{urlencode({'sql': f'select {many}'})}"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(path)
        assert refused.value.code == 400
        assert "memory" in json.load(refused.value)["error"]
        with urllib.request.urlopen(f"{url}ledger/agents.json") as answer:
            assert json.load(answer)["filtered_table_rows_count"] == 8
