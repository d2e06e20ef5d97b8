"""Whatever a file holds, the embedded engine reads the records that the law reads."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from random import Random

import duckdb
import pytest

from framework.engines.embedded.reading import Reader, survey
from framework.feed import Archive, Column, CsvOptions, Feed, Format, Quarantine, Source, Target
from framework.law.layout import Layout, Rejected
from framework.names import Table
from framework.opening import SourceFile, open_piece
from framework.storages.local import LocalStorage
from framework.types import Scalar
from tests.trouble import ENCODINGS, some_file

TABLE = Table("s.t")
Records = tuple[str | None, list[tuple[str | None, ...]], list[tuple[int | None, str, str]]]
"""Why a file is rejected, its rows, and its malformed records: line, text, what is wrong."""


def feed(format_: Format, encoding: str, options: CsvOptions) -> Feed:
    columns = tuple(Column(name, Scalar("string"), (name,)) for name in ("a", "b"))
    source = Source("/in/", format_, encodings=(encoding,), csv=options)
    return Feed("any", source, columns, Target(TABLE, TABLE), Quarantine(TABLE), Archive("/a/", "/r/"))


def by_law(of: Feed, index: int, source: SourceFile) -> Records:
    piece = open_piece(of, index, source)
    if isinstance(piece.layout, Rejected):
        return piece.layout.reason, [], []
    rows: list[tuple[str | None, ...]] = []
    malformed: list[tuple[int | None, str, str]] = []
    for record in piece.records(of, piece.layout):
        if record.no_row:
            continue
        if record.fields is None:
            malformed.append((record.line, record.raw, str(record.error)))
        else:
            rows.append(texts(piece.layout, record.fields))
    return None, rows, malformed


def texts(layout: Layout, fields: tuple[str | None, ...]) -> tuple[str | None, ...]:
    at = [layout.index(name) for name in ("a", "b")]
    return tuple(None if index is None else fields[index] for index in at)


def by_duckdb(of: Feed, sources: list[SourceFile], folder: str) -> tuple[list[Records], int]:
    """What the engine reads, and how many files the law did not have to read."""
    with duckdb.connect() as db:
        pieces = [open_piece(of, *each, partial(survey, db)) for each in enumerate(sources)]
        files = Reader(db, of, folder).read(pieces)
        rows: dict[int, list[tuple[str | None, ...]]] = {}
        for index, *values in db.execute('SELECT "_file", v0, v1 FROM batch ORDER BY "_file", rowid').fetchall():
            rows.setdefault(index, []).append(tuple(values))
        broken: dict[int, list[tuple[int | None, str, str]]] = {}
        for index, line, record, why in db.execute("SELECT * FROM broken ORDER BY rowid").fetchall():
            broken.setdefault(index, []).append((line, record, why))
    found: list[Records] = [(file.rejected, rows.get(file.index, []), broken.get(file.index, [])) for file in files]
    return found, sum(file.rejected is None and not file.by_law for file in files)


def compare(folder: Path, format_: Format, encoding: str, options: CsvOptions, seeds: range) -> int:
    """Read a file of each seed both ways."""
    of, storage = feed(format_, encoding, options), LocalStorage()
    sources = []
    for seed in seeds:
        path = os.fspath(folder / f"{seed}.txt")
        with open(path, "wb") as out:
            out.write(some_file(Random(f"{seed} {format_} {encoding}"), format_, encoding))
        file = storage.head(path)
        assert file is not None
        sources.append(SourceFile(file, storage, os.fspath(folder)))
    found, fast = by_duckdb(of, sources, os.fspath(folder))
    for seed, source, records in zip(seeds, sources, found, strict=True):
        assert (seed, records) == (seed, by_law(of, seed - seeds.start, source))
    return fast


OPTIONS = {
    Format.CSV: [
        CsvOptions(),
        CsvOptions(quote="'", escape="'"),
        CsvOptions(sep=";"),
        CsvOptions(header=False),
        CsvOptions(quote=None),
    ],
    Format.JSON: [CsvOptions()],
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_a_few_files(tmp_path: Path, format_: Format, encoding: str) -> None:
    each = 100 // len(OPTIONS[format_])
    for number, options in enumerate(OPTIONS[format_]):
        fast = compare(tmp_path, format_, encoding, options, range(number * each, number * each + each))
        assert fast or (format_ is Format.JSON and encoding != "utf-8")


@pytest.mark.parametrize(
    ("value", "text", "fast"),
    [
        ('{"x":1,"x":2}', '{"x":2}', False),
        ('[{"y":{"x":1,"x":2}}]', '[{"y":{"x":2}}]', False),
        (r'{"\u0078":1,"x":2}', '{"x":2}', False),
        ('{"x":1,"y":2}', '{"x":1,"y":2}', True),
        ('["x","x"]', '["x","x"]', True),
    ],
)
def test_of_a_key_that_stands_twice_within_a_value_the_last_one_counts(
    tmp_path: Path, value: str, text: str, fast: bool
) -> None:
    """… in values of every type, and only such files are read more slowly."""
    of, storage, path = feed(Format.JSON, "utf-8", CsvOptions()), LocalStorage(), tmp_path / "a.json"
    path.write_text('{"a":"first","b":"one"}\n{"a":"second","b":' + value + "}\n")
    file = storage.head(os.fspath(path))
    assert file is not None
    (records,), fast_ones = by_duckdb(of, [SourceFile(file, storage, os.fspath(tmp_path))], os.fspath(tmp_path))
    assert records == (None, [("first", "one"), ("second", text)], [])
    assert bool(fast_ones) == fast


def up_to(end: int) -> bytes:
    """A file of which a separator too many is the byte before this one."""
    return b"a,b\n1," + b"x" * (end - 7) + b",\n2,y\n"


@pytest.mark.parametrize(
    ("content", "line", "row"),
    [
        (b"a,b\n1,x\n2,y,", 3, ("1", "x")),
        (b"a,b\r\n1,x\r\n2,y,\r\n", 3, ("1", "x")),
        (b"a,b\r\n1,x\r\n2,y,", 3, ("1", "x")),
        (b'a,b\n"1",x\n2,"y",\n', 3, ("1", "x")),
        (up_to(1 << 20), 2, ("2", "y")),
        (up_to((1 << 20) + 1), 2, ("2", "y")),
    ],
    ids=["last line", "CRLF", "last line of CRLF", "quotes", "first MiB", "second MiB"],
)
def test_one_separator_too_many(tmp_path: Path, content: bytes, line: int, row: tuple[str, str]) -> None:
    """DuckDB reads such a record, without its last and empty field."""
    of, storage, path = feed(Format.CSV, "utf-8", CsvOptions()), LocalStorage(), tmp_path / "a.csv"
    path.write_bytes(content)
    file = storage.head(os.fspath(path))
    assert file is not None
    (records,), fast = by_duckdb(of, [SourceFile(file, storage, os.fspath(tmp_path))], os.fspath(tmp_path))
    assert (records[0], records[1], [(at, why) for at, _, why in records[2]]) == (
        None,
        [row],
        [(line, "3 fields instead of 2")],
    )
    assert not fast


@pytest.mark.torture
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_many_files(tmp_path: Path, format_: Format, encoding: str) -> None:
    each = 2000 // len(OPTIONS[format_])
    for number, options in enumerate(OPTIONS[format_]):
        compare(tmp_path, format_, encoding, options, range(1000 + number * each, 1000 + number * each + each))


def test_files_that_are_read_once_more_for_want_of_memory_have_their_bad_records_once(tmp_path: Path) -> None:
    """Together they take more memory than there is, each alone does not."""
    of, storage, sources = feed(Format.CSV, "utf-8", CsvOptions(comment="#")), LocalStorage(), []
    for name in ("0.csv", "1.csv", "2.csv"):
        path = os.fspath(tmp_path / name)
        with open(path, "w", encoding="utf-8") as out:
            out.write("a,b\nbroken\n")
            out.writelines(f"{number},{number:0300}\n" for number in range(40_000))
        file = storage.head(path)
        assert file is not None
        sources.append(SourceFile(file, storage, os.fspath(tmp_path)))
    with duckdb.connect(config={"memory_limit": "80MB", "temp_directory": "", "threads": 1}) as db:
        Reader(db, of, os.fspath(tmp_path)).read([open_piece(of, *each) for each in enumerate(sources)])
        query = "SELECT _file, count(*) FROM {} GROUP BY _file ORDER BY _file"
        assert db.execute(query.format("broken")).fetchall() == [(0, 1), (1, 1), (2, 1)]
        assert db.execute(query.format("batch")).fetchall() == [(0, 40_000), (1, 40_000), (2, 40_000)]
