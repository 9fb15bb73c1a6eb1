"""Fills in the HTML templates of the package; values from data are escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from ledger.store.sql import packaged_text


def render(folder: str, template: str, style: str, values: Mapping[str, Any]) -> str:
    """Fill in a template as a page that has everything it needs, and may load nothing.

    Args:
        folder: of the package, with the template and the templates that it includes.
        template: the file; `style` and `policy` are values for its head.
        style: the file with its style sheet.
        values: by name. All texts are escaped.

    Returns:
        the page.
    """
    # Slow to import, and an extra.
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FunctionLoader(lambda name: packaged_text(f"{folder}/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    sheet = packaged_text(f"{folder}/{style}")
    environment.filters["drawing"] = Markup
    return environment.get_template(template).render(
        **values, style=Markup(sheet), policy=_policy(sheet)
    )


def _policy(sheet: str) -> str:
    """The policy by which nothing is loaded or run, and only the style of the page applies."""
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
