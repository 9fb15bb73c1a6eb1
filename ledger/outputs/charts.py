"""Draws charts as SVG for a page: Altair describes them, vl-convert draws them.

A drawing has no script, no style and no address. Its colours are those of the enclosing page:
texts take the colour of its text, marks the custom properties `--paper`, `--grid` and `--series-1`
to `--series-7`. The texts are measured with a font that vl-convert includes, so that the same
figures give the same bytes on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

SERIES = 7
"""The number of series that have a colour of their own."""

_WIDE, _NARROW = 680, 330
_HEIGHT = 260
_BAR_HEIGHT = 34
_DOT_HEIGHT = 13
_MOST_DOTS = 12
_FONT = "Liberation Sans"
_NAME_WIDTH = 150
_NARROW_NAME_WIDTH = 92
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart in two widths, each an `<svg>` element that is hidden from screen readers.

    Attributes:
        wide: for the screen of a computer, or paper.
        narrow: for a telephone.
    """

    wide: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a column or a bar, or a dot.

    Attributes:
        name: of the column, the bar or the line that it is part of.
        series: that it belongs to.
        value: its length, or its position.
    """

    name: str
    series: str
    value: float


@dataclass(frozen=True, slots=True)
class Level:
    """A column of a waterfall.

    Attributes:
        name: of the column.
        start: the value at which it begins; 0 for a balance.
        end: the value at which it ends.
        series: that it belongs to: balances, rises or falls.
    """

    name: str
    start: float
    end: float
    series: str


def columns(marks: Sequence[Mark], names: str, values: str) -> Drawing:
    """Upright columns, their parts on each other in the order of the series.

    Args:
        marks: in the order of the names, and in that of the series for each.
        names: the title of the names.
        values: the title of the values.
    """

    def chart(alt: Any, wide: bool) -> Any:
        angle = 0 if _few(marks, wide) else -90
        return _filled(
            alt,
            marks,
            _HEIGHT,
            x=alt.X("name:N", title=names, sort=None, axis=alt.Axis(labelAngle=angle)),
            y=alt.Y("value:Q", title=values, axis=alt.Axis(**_whole(marks))),
            order=alt.Order("order:Q"),
        )

    return _drawn(chart)


def bars(marks: Sequence[Mark], values: str) -> Drawing:
    """Bars from left to right, one below the other, their parts side by side.

    Args:
        marks: in the order of the names, and in that of the series for each.
        values: the title of the values.
    """

    def chart(alt: Any, wide: bool) -> Any:
        return _filled(
            alt,
            marks,
            _height(marks),
            y=_names(alt, wide),
            x=alt.X("value:Q", title=values),
            order=alt.Order("order:Q"),
        )

    return _drawn(chart)


def dots(marks: Sequence[Mark], series: Sequence[str], values: str) -> Drawing:
    """Every value as a dot on the line of its name; dots that would hide each other are apart.

    Args:
        marks: in the order of the names.
        series: the possible ones, one or two, in their order.
        values: the title of the values.
    """
    seen: Counter[tuple[str, float]] = Counter()
    rows = _rows(marks, series)
    for row, mark in zip(rows, marks, strict=True):
        seen[mark.name, mark.value] += 1
        row["place"] = seen[mark.name, mark.value]
    most = max(seen.values(), default=1)
    height = _DOT_HEIGHT * max(3, min(most, _MOST_DOTS) + 1)

    def chart(alt: Any, wide: bool) -> Any:
        shapes = alt.Scale(domain=[*series], range=["circle", "square"])
        return (
            alt.Chart(alt.Data(values=rows))
            .mark_point(size=46, strokeWidth=2, filled=False)
            .encode(
                y=_names(alt, wide),
                yOffset=alt.YOffset("place:Q", scale=alt.Scale(domain=[most + 1, 0])),
                x=alt.X("value:Q", title=values),
                color=_color(alt, series),
                shape=alt.Shape("series:N", scale=shapes, legend=_legend(alt, series)),
            )
            .properties(height=_height(marks, height))
        )

    return _drawn(chart)


def waterfall(levels: Sequence[Level], values: str) -> Drawing:
    """The steps that lead from one balance to another.

    Args:
        levels: the balance before, the steps, and the balance after.
        values: the title of the values.
    """

    def chart(alt: Any, wide: bool) -> Any:
        return _filled(
            alt,
            levels,
            _height(levels),
            y=_names(alt, wide),
            x=alt.X("start:Q", title=values),
            x2="end:Q",
        )

    return _drawn(chart)


Marks = Sequence[Mark] | Sequence[Level]


def _filled(alt: Any, marks: Marks, height: int, **channels: Any) -> Any:
    """Columns or bars in the colours of their series."""
    series = _series(marks)
    return (
        alt.Chart(alt.Data(values=_rows(marks, series)))
        .mark_bar(stroke="var(--paper)", strokeWidth=1)
        .encode(color=_color(alt, series), **channels)
        .properties(height=height)
    )


def _rows(marks: Marks, series: Sequence[str]) -> list[dict[str, Any]]:
    """The marks as Altair takes them, each with the place of its series."""
    order = {name: place for place, name in enumerate(series)}
    return [{**asdict(mark), "order": order[mark.series]} for mark in marks]


def _series(marks: Marks) -> list[str]:
    return list(dict.fromkeys(mark.series for mark in marks))


def _few(marks: Sequence[Mark], wide: bool) -> bool:
    """Whether the names fit below their columns."""
    return len({mark.name for mark in marks}) <= (12 if wide else 5)


def _whole(marks: Sequence[Mark]) -> dict[str, Any]:
    """The options of an axis without ticks between whole numbers, if all values are whole."""
    if all(float(mark.value).is_integer() for mark in marks):
        return {"format": ",.0f", "tickMinStep": 1}
    return {}


def _height(marks: Marks, each: int = _BAR_HEIGHT) -> int:
    return max(len({mark.name for mark in marks}), 1) * each


def _names(alt: Any, wide: bool) -> Any:
    limit = _NAME_WIDTH if wide else _NARROW_NAME_WIDTH
    return alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=limit))


def _color(alt: Any, series: Sequence[str]) -> Any:
    colors = [f"var(--series-{place + 1})" for place in range(len(series))]
    scale = alt.Scale(domain=[*series], range=colors)
    return alt.Color("series:N", scale=scale, legend=_legend(alt, series))


def _legend(alt: Any, series: Sequence[str]) -> Any:
    """The legend of the colours, one below the other; None for a single colour."""
    if len(series) < 2:
        return None
    return alt.Legend(title=None, orient="top", direction="vertical", labelLimit=0, columns=1)


def _drawn(chart: Callable[[Any, bool], Any]) -> Drawing:
    """Draw a chart in both widths."""
    import altair as alt

    return Drawing(*(_svg(alt, chart(alt, wide), wide) for wide in (True, False)))


def _svg(alt: Any, chart: Any, wide: bool) -> str:
    import vl_convert

    chart = (
        chart.properties(
            width=_WIDE if wide else _NARROW,
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            padding=2,
        )
        .configure(aria=False, background="transparent", font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            domainColor="currentColor",
            tickColor="currentColor",
            labelColor="currentColor",
            titleColor="currentColor",
            gridColor="var(--grid)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
        .configure_legend(labelColor="currentColor", labelFontSize=12, symbolSize=120)
    )
    text = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return _within_a_page(text)


def _within_a_page(svg: str) -> str:
    """Remove attributes that the page sets itself, or that its policy forbids."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        for name in ("class", "style", "role", "aria-hidden", "aria-label", "aria-roledescription"):
            element.attrib.pop(name, None)
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    return ElementTree.tostring(root, encoding="unicode")
