"""Reads the files of the package that are no Python: SQL, and the templates of pages.

Of `.sql` files that hold several statements as templates, each part starts at a line
`-- part: NAME`; what stands before the first one is for the reader. Names of tables and columns are
filled in for `$names`: they come from the validated description of a data set. Values are never
pasted.
"""

from __future__ import annotations

from functools import cache
from pkgutil import get_data
from string import Template


def part(file: str, name: str, /, **names: str) -> str:
    """Fill in a part of a file of the package, without its comments.

    Args:
        file: `replay.sql`, say.
        name: of the part.
        names: what to put for each `$name`.
    """
    return _parts(file)[name].substitute(names)


def packaged_text(file: str) -> str:
    """The text of a file of the package, `schema.sql` or `support/page/report.html`."""
    content = get_data("ledger", file)
    if content is None:
        raise FileNotFoundError(file)
    return content.decode()


@cache
def _parts(file: str) -> dict[str, Template]:
    _, *parts = packaged_text(file).split("-- part: ")
    named = (part.partition("\n") for part in parts)
    return {name: Template(_without_comments(body)) for name, _, body in named}


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--")).strip()
