"""Makes the small tables of a data folder: agents, contact centres, categories, their changes."""

from __future__ import annotations

AGENTS = 500
CENTERS = 20
LAST_CATEGORY = 40
"""The last category is rare, and deleted by the third delta."""

_CITIES = (
    *("Atlanta GA", "Boston MA", "Richmond VA", "Québec QC", "San José CA", "Albany NY"),
    *("Mayagüez PR", "Tulsa OK", "Doña Ana NM", "Fargo ND", "Reno NV", "Provo UT", "Macon GA"),
    *("Salem OR", "Waco TX", "Butte MT", "Dover DE", "Akron OH", "Flint MI", "Lincoln NE"),
)
_DEPARTMENTS = (
    *("Billing", "Technical Support", "Orders", "Customer Accounts", "Sales, new"),
    *("Field Service", 'The "Gold" Desk'),
)
_FIRST = (
    "Marisol",
    "Devon",
    "Renaud",
    "Priya",
    "Kwame",
    "Nadia",
    "Łukasz",
    "Aoife",
    "Tomás",
    "Mei",
)
_LAST = ("Trembeck", "Castellane", "Ashdowne", "Quillstone", "Farrow", "Béchamont", "Oyelaran")
_ODD = ("O'Rellick, Jr.", 'de "Witt"', "Þórsdóttir", "李小龍", "Müller-Lüdenscheidt")
_HEADERS = {
    "agents": "agent_id,full_name,contact_center_id,hire_date,category_id",
    "contact_centers": "contact_center_id,contact_center_name,location",
    "service_categories": "category_id,category_name,department",
}
_ADDED_EVERY = 3


def extract_files(seed: int) -> dict[str, str]:
    """The files of the initial extract, by name."""
    rows = {
        "agents": [agent(number, seed) for number in range(AGENTS)],
        "contact_centers": [_center(number) for number in range(CENTERS)],
        "service_categories": [_category(number) for number in range(LAST_CATEGORY)],
    }
    return {f"{table}.csv": _file(_HEADERS[table], lines) for table, lines in rows.items()}


def month_files(seed: int, place: int, month: int) -> dict[str, str]:
    """The deltas of a month, the first of which has the place 1, by name.

    An agent moves each month; now and then one comes, and goes with the next; centres get other
    names in the second and each twelfth month after it, and categories other departments.
    """
    agents = [(*agent(place * 37 % AGENTS, seed + place), "update")]
    if place % _ADDED_EVERY == 0:
        newest = AGENTS + place // _ADDED_EVERY
        agents.append((*agent(newest - 1, seed), "add"))
        if newest > AGENTS + 1:
            agents.append((f"A{newest - 1:04}", "", "", "", "", "delete"))
    rows = {"agents": agents}
    if place % 12 == 2:
        chosen = place // 12 * 7 % CENTERS
        rows["contact_centers"] = [(*_center(chosen, f" {month}"), "update")]
    if place % 6 == 3:
        moved = place * 5 % (LAST_CATEGORY - 1)
        rows["service_categories"] = [(*_category(moved, place), "update")]
        if place == 3:
            rows["service_categories"].append((f"CAT{LAST_CATEGORY:02}", "", "", "delete"))
    return {
        f"{table}_delta_{month}.csv": _file(f"{_HEADERS[table]},action", lines)
        for table, lines in rows.items()
    }


def agent(number: int, seed: int) -> tuple[str, ...]:
    """An agent; another seed moves it to another centre and category, its name stays."""
    # Two in 500 have odd names, in whose texts the traps of CSV lie.
    last = _ODD[number // 200 % len(_ODD)] if number % 200 == 99 else _LAST[number % len(_LAST)]
    hired = f"{2012 + number % 10}-{1 + number % 12:02}-{1 + number % 28:02}"
    name = f"{_FIRST[number // 7 % len(_FIRST)]} {last}"
    center, category = (number + seed) % CENTERS, (number * 7 + seed) % (LAST_CATEGORY - 1)
    return f"A{number + 1:04}", name, f"CC{center + 1:02}", hired, f"CAT{category + 1:02}"


def _center(number: int, suffix: str = "") -> tuple[str, ...]:
    city = _CITIES[number]
    place = f"{city[:-3]}, {city[-2:]}"
    return f"CC{number + 1:02}", f"{city}{suffix}", place


def _category(number: int, shift: int = 0) -> tuple[str, ...]:
    department = _DEPARTMENTS[(number + shift) % len(_DEPARTMENTS)]
    return f"CAT{number + 1:02}", f"Topic {number + 1}, general", department


def _file(header: str, rows: list[tuple[str, ...]]) -> str:
    return "".join(f"{line}\n" for line in [header, *(",".join(map(_cell, row)) for row in rows)])


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text
