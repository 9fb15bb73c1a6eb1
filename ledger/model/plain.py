"""Results as JSON has them: objects, arrays, texts and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from ledger.model.periods import Month


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say: dataclasses to objects, months to `202503`."""
    from ledger.model.documents import Document

    if is_dataclass(value) and not isinstance(value, type | Month):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Document):
        return value.data()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        # As in every format of text: 14, not 14.0.
        return int(value)
    return str(value) if isinstance(value, Month | Path) else value
