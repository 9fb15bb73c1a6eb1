"""Odd texts come back exactly, and odd values as what they are or as none."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.surviving import changed_texts
from tests.corpus.texts import ODD_TEXTS
from tests.corpus.values import ODD_VALUES, misread_values


def test_every_odd_text_comes_back_exactly(tmp_path: Path) -> None:
    assert len(ODD_TEXTS) > 300
    assert list(changed_texts(tmp_path)) == []


def test_every_odd_value_is_read_or_told(tmp_path: Path) -> None:
    assert len(ODD_VALUES) > 100
    assert list(misread_values(tmp_path)) == []
