"""Figures in sentences."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: `1 call`, `2 calls`."""
    return f"{count:d} {noun if count == 1 else plural or f'{noun}s'}"


def listed(names: Iterable[object]) -> str:
    """Names in a sentence: `A`, `A and B`, `A, B and C`."""
    *others, last = map(str, names)
    return f"{', '.join(others)} and {last}" if others else last


def visible(text: str) -> str:
    """A text without control characters, which could break a table or command a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def visible_lines(text: str) -> str:
    """As `visible`, of a text of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def to_the_second(timestamp: str) -> str:
    """A recorded timestamp for people: `2025-04-01T09:30:00Z`."""
    return f"{timestamp[:19]}Z"
