"""Generate the small tables of a data folder: agents, contact centres, categories."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Sequence
from pathlib import Path

AGENTS = 500
CENTERS = 20
LAST_CATEGORY = 40
"""The last category is rare, and deleted by the third delta."""

Row = tuple[str, ...]

_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_CITIES, _DEPARTMENTS = _TEXTS["cities"], _TEXTS["departments"]
_FIRST, _LAST, _ODD = (_TEXTS[f"{kind}_names"] for kind in ("first", "last", "odd"))
_HEADERS = {
    "agents": "agent_id,full_name,contact_center_id,hire_date,category_id",
    "contact_centers": "contact_center_id,contact_center_name,location",
    "service_categories": "category_id,category_name,department",
}


def extract_files(seed: int) -> dict[str, list[str]]:
    """Return the lines of the initial extract, by table."""
    rows = {
        "agents": [_agent(number, seed) for number in range(AGENTS)],
        "contact_centers": [_center(number) for number in range(CENTERS)],
        "service_categories": [_category(number) for number in range(LAST_CATEGORY)],
    }
    return {table: [_HEADERS[table], *map(_line, rows[table])] for table in rows}


def month_files(seed: int, place: int, month: int) -> dict[str, list[str]]:
    """Return the lines of the deltas of a month, by table; the first month has the place 1.

    One agent moves each month. In every third month one joins, and the one who joined before
    leaves. Now and then a centre is renamed, and a category moves to another department.
    """
    rows = {"agents": [(*_agent(place * 37 % AGENTS, seed + place), "update")]}
    if place % 3 == 0:
        newest = AGENTS + place // 3
        rows["agents"].append((*_agent(newest - 1, seed), "add"))
        if newest > AGENTS + 1:
            rows["agents"].append((f"A{newest - 1:04}", "", "", "", "", "delete"))
    if place % 12 == 2:
        rows["contact_centers"] = [(*_center(place // 12 * 7 % CENTERS, f" {month}"), "update")]
    if place % 6 == 3:
        moved = place * 5 % (LAST_CATEGORY - 1)
        rows["service_categories"] = [(*_category(moved, place), "update")]
    if place == 3:
        rows["service_categories"].append((f"CAT{LAST_CATEGORY:02}", "", "", "delete"))
    return {table: [f"{_HEADERS[table]},action", *map(_line, rows[table])] for table in rows}


def _agent(number: int, seed: int) -> Row:
    """Return an agent; another seed changes the centre and the category, not the name."""
    # Two in 500 have odd names, whose texts CSV has to quote or encode.
    last = _ODD[number // 200 % len(_ODD)] if number % 200 == 99 else _LAST[number % len(_LAST)]
    hired = f"{2012 + number % 10}-{1 + number % 12:02}-{1 + number % 28:02}"
    name = f"{_FIRST[number // 7 % len(_FIRST)]} {last}"
    center, category = (number + seed) % CENTERS, (number * 7 + seed) % (LAST_CATEGORY - 1)
    return f"A{number + 1:04}", name, f"CC{center + 1:02}", hired, f"CAT{category + 1:02}"


def _center(number: int, suffix: str = "") -> Row:
    city, state = _CITIES[number].rsplit(maxsplit=1)
    return f"CC{number + 1:02}", f"{city} {state}{suffix}", f"{city}, {state}"


def _category(number: int, shift: int = 0) -> Row:
    department = _DEPARTMENTS[(number + shift) % len(_DEPARTMENTS)]
    return f"CAT{number + 1:02}", f"Topic {number + 1}, general", department


def _line(row: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(row)
    return written.getvalue()
