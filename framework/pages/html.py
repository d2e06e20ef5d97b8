"""HTML: text that is safe, and the parts that all pages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

__all__ = ["badge", "moment", "more", "number", "page", "place", "section", "table", "text"]


def text(value: object) -> str:
    """A value as HTML text; nothing is a dash."""
    return "–" if value is None or value == "" else escape(str(value), quote=True)  # noqa: RUF001


def place(path: str) -> str:
    """A path, which may be broken between its folders."""
    return f"<code>{text(path).replace('/', '/<wbr>')}</code>"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"  # noqa: RUF001


def moment(at: datetime | None) -> str:
    """A time to the minute, in UTC."""
    if at is None:
        return "–"  # noqa: RUF001
    utc = at.astimezone(UTC)
    return f'<time datetime="{utc.isoformat(timespec="seconds")}">{utc:%Y-%m-%d %H:%M}</time>'


def badge(state: str) -> str:
    """A state as a word with a colour, which says nothing more."""
    return f'<span class="badge {text(state)}">{text(state)}</span>'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[str] = (), caption: str = "") -> str:
    """A table of HTML cells; the first cell of a row is its header. It scrolls by itself where it is too wide; on
    a phone rows become blocks, whose cells have the names of their columns from the style."""
    marks = [' class="n"' if column in numeric else "" for column in columns]
    head = "".join(f'<th scope="col"{mark}>{text(c)}</th>' for c, mark in zip(columns, marks, strict=True))
    body = []
    for row in rows:
        first, *others = row
        cells = "".join(f"<td{mark}>{cell}</td>" for cell, mark in zip(others, marks[1:], strict=True))
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    names = ";".join(f"--c{n}:'{text(column)}'" for n, column in enumerate(columns, 1) if n > 1)
    told = f"<caption>{text(caption)}</caption>" if caption else ""
    label = text(caption or ", ".join(columns))
    inside = f'<table style="{names}">{told}<thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{inside}</div>'


def more(count: int) -> str:
    """That so many rows of a list are not shown."""
    return f"<p>And {count:,} more.</p>" if count > 0 else ""


def section(title: str, *content: str) -> str:
    """A part of a page; nothing where it has no content."""
    inside = "".join(content)
    return f"<section><h2>{text(title)}</h2>{inside}</section>" if inside else ""


def page(title: str, content: str, root: str, about: str, refresh: int | None = None) -> str:
    """A whole page. `root` leads to the site's folder, `about` says when and of what it is; a page that is served loads
    itself again every `refresh` seconds."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{again}'
        f'<title>{text(title)}</title><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="{root}assets/style.css">'
        f'<script src="{root}assets/script.js" defer></script></head>'
        '<body><a class="skip" href="#content">To the content</a><header><nav aria-label="Site">'
        f'<a href="{root}index.html">Landfeed</a></nav>'
        '<button type="button" id="theme" hidden>Dark or light</button></header>'
        f'<main id="content">{content}</main><footer>{text(about)}</footer></body></html>\n'
    )
