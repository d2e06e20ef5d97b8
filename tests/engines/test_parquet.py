"""Whatever values Parquet files have, the embedded engine reads them by DuckDB as the law reads them."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import duckdb
import pytest

from framework.engines.embedded.reading import Reader
from framework.law.layout import Layout
from framework.names import Limits
from framework.opening import SourceFile, open_piece
from framework.storages.local import LocalStorage
from tests.law.test_searches import TYPES, feed, rows
from tests.typed_files import PARQUET, WRITERS, parquet


def by_duckdb(folder: Path, seeds: range) -> int:
    """Hold what DuckDB reads of Parquet against the law; how many files it read by itself."""
    names = [name for name, type_ in TYPES.items() if type_ != "list"]
    of, storage, sources = feed(PARQUET, names), LocalStorage(), []
    for seed in seeds:
        path = folder / f"{seed}.parquet"
        dice = Random(f"{seed} duckdb")
        path.write_bytes(WRITERS[PARQUET](TYPES, rows(dice), compression=dice.choice(["snappy", "zstd", "none"])))
        file = storage.head(os.fspath(path))
        assert file is not None
        sources.append(SourceFile(file, storage, os.fspath(folder)))
    with duckdb.connect() as db:
        pieces = [open_piece(of, *each) for each in enumerate(sources)]
        files = Reader(db, of, os.fspath(folder)).read(pieces)
        listed = ", ".join(f"v{index}" for index in range(len(names)))
        found: dict[int, list[tuple[str | None, ...]]] = {}
        for index, *values in db.execute(f'SELECT "_file", {listed} FROM batch ORDER BY "_file", rowid').fetchall():
            found.setdefault(index, []).append(tuple(values))
    for index, source in enumerate(sources):
        piece = open_piece(of, index, source)
        assert isinstance(piece.layout, Layout)
        expected = [record.fields for record in piece.records(of, piece.layout)]
        assert (index, found.get(index, [])) == (index, expected)
    return sum(not file.by_law for file in files)


def test_values_of_parquet_by_duckdb(tmp_path: Path) -> None:
    assert by_duckdb(tmp_path, range(40)) == 40


@pytest.mark.torture
def test_values_of_many_parquet_files_by_duckdb(tmp_path: Path) -> None:
    for start in range(1000, 3000, 100):
        assert by_duckdb(tmp_path, range(start, start + 100)) == 100


def test_long_texts_are_read_by_the_law(tmp_path: Path) -> None:
    """… when all rows together could have more of them than the file may become; short ones by DuckDB."""
    of, storage = feed(PARQUET, ["a"], limits=Limits(record=1000, ratio=1)), LocalStorage()
    for rows_, fast in ((3, True), (9, False)):
        path = tmp_path / f"{rows_}.parquet"
        path.write_bytes(parquet({"a": "string"}, [{"a": "x" * 600}, *[{"a": "y"}] * (rows_ - 1)]))
        file = storage.head(os.fspath(path))
        assert file is not None
        with duckdb.connect() as db:
            piece = open_piece(of, 0, SourceFile(file, storage, os.fspath(tmp_path)))
            (read,) = Reader(db, of, os.fspath(tmp_path)).read([piece])
            assert (read.by_law, read.rejected) == (not fast, None)
            assert db.execute("SELECT count(*), max(length(v0)) FROM batch").fetchall() == [(rows_, 600)]
