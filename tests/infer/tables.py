"""Random tables, and files of them, as senders write them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from framework.infer import Sample
from framework.law.layout import same_name

__all__ = ["Table", "sample", "tables"]

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
WESTERN = st.text(st.characters(codec="cp1252", exclude_characters="\x00\r"), max_size=8)
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%Y%m%d", "%d %B %Y", "%d/%m/%y")
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M:%S.%f", "%Y%m%d%H%M%S")
NULLS = ("", "NULL", "N/A", "-")


@dataclass(frozen=True)
class Table:
    """A file: its name, its bytes, and how many rows it has."""

    name: str
    content: bytes
    rows: int


def sample(table: Table) -> Sample:
    return Sample(table.name, lambda: io.BytesIO(table.content))


def moments(formats: tuple[str, ...]) -> st.SearchStrategy[st.SearchStrategy[str]]:
    days = st.integers(0, 20_000).map(lambda days: date(1990, 1, 1) + timedelta(days=days))
    times = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-01-01"))
    return st.sampled_from(formats).map(lambda form: st.one_of(days, times).map(lambda moment: _written(moment, form)))


def _written(moment: date, form: str) -> str:
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment.isoformat())
    return at.strftime(form)


def kinds(text: st.SearchStrategy[str]) -> st.SearchStrategy[st.SearchStrategy[str]]:
    """A kind of values for a column."""
    return st.one_of(
        st.just(st.integers(-(10**25), 10**25).map(str)),
        st.just(st.integers(0, 50).map(str)),
        st.just(st.decimals(-(10**6), 10**6, places=3).map(str)),
        st.just(st.floats().map(str)),
        st.just(st.booleans().map(str)),
        st.just(st.sampled_from(["Y", "N"])),
        st.just(st.integers(0, 9999).map(lambda number: f"{number:05}")),
        st.just(st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda two: f"{two[0]},{two[1]:02}")),
        st.just(text),
        moments(DATE_FORMATS),
        moments(TIME_FORMATS),
    )


HEADERS = st.one_of(
    st.sampled_from(["id", "Order Id", "updated_at", "date", "Amount (EUR)", "_batch_id", "select", "a.b", "${x}"]),
    TEXT.map(lambda text: "".join(c for c in text if c.isprintable()).strip()).filter(bool),
)


@st.composite
def csv_files(draw: st.DrawFn) -> Table:
    """A CSV file of a few columns, with separators, quotes and encodings of all kinds."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "cp1252"]))
    text = WESTERN if encoding == "cp1252" else TEXT
    names_ = HEADERS.map(lambda header: header.encode(encoding, "replace").decode(encoding))
    headers = draw(st.lists(names_, min_size=2, max_size=6, unique_by=same_name))
    columns = [draw(kinds(text)) for _ in headers]
    nulls = [draw(st.sampled_from([None, None, *NULLS])) for _ in headers]
    rows = [
        [
            null if null is not None and draw(st.booleans()) else draw(column)
            for column, null in zip(columns, nulls, strict=True)
        ]
        for _ in range(draw(st.integers(0, 12)))
    ]
    out = io.StringIO()
    separator = draw(st.sampled_from(",;\t|"))
    writer = csv.writer(out, delimiter=separator, lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
                        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))  # fmt: skip
    writer.writerows([headers, *rows])
    return Table(draw(names("csv")), out.getvalue().encode(encoding, "replace"), len(rows))


def names(ending: str) -> st.SearchStrategy[str]:
    stems = st.sampled_from(["orders", "Orders_20260131", "42", "a{b}", "x-2026-01-31_1", "ü", "crm.customers.v2"])
    return stems.map(lambda stem: f"{stem}.{ending}")


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), TEXT, st.just("2026-01-31")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def json_files(draw: st.DrawFn) -> Table:
    """A JSON file: a line a document, or an array of them."""
    members: dict[str, st.SearchStrategy[Any]] = {
        draw(HEADERS): draw(st.sampled_from([JSON, TEXT, st.integers(0, 9), st.lists(st.integers()), st.booleans()]))
        for _ in range(draw(st.integers(1, 4)))
    }
    documents = [
        {name: draw(value) for name, value in members.items() if draw(st.integers(0, 4))}
        for _ in range(draw(st.integers(1, 6)))
    ]
    documents[0] = documents[0] or {"id": 1}
    whole = json.dumps(documents) if draw(st.booleans()) else "\n".join(map(json.dumps, documents))
    return Table(draw(names("json")), whole.encode(), len(documents))


def tables() -> st.SearchStrategy[Table]:
    return st.one_of(csv_files(), csv_files(), json_files())
