"""How far the engine is in a large file is told while it reads it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest

from framework.engines.embedded.watched import PROGRESS, watched
from framework.feed import Archive, Column, Feed, Format, Quarantine, Source, Target
from framework.names import Table
from framework.opening import SourceFile, open_piece
from framework.storages.local import LocalStorage
from framework.types import Scalar

TABLE = Table("s.t")
ROWS = 420_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceFile:
    path = os.fspath(tmp_path_factory.mktemp("large") / "large.csv")
    with open(path, "w", encoding="utf-8") as out:
        out.write("id\n" + "".join(f"{number:020}\n" for number in range(ROWS)))
    storage = LocalStorage()
    file = storage.head(path)
    assert file is not None
    return SourceFile(file, storage, os.path.dirname(path))


@contextmanager
def asked(source: SourceFile) -> Iterator[set[int]]:
    """What the file tells meanwhile."""
    told, done = set[int](), threading.Event()

    def ask() -> None:
        while not done.wait(0.001):
            told.add(source.bytes_read)

    thread = threading.Thread(target=ask)
    thread.start()
    yield told
    done.set()
    thread.join()


def test_by_the_law(source: SourceFile) -> None:
    columns = (Column("id", Scalar("string"), ("id",)),)
    feed = Feed("f", Source("/", Format.CSV), columns, Target(TABLE, TABLE), Quarantine(TABLE), Archive("/", "/"))
    piece = open_piece(feed, 0, source)
    assert source.bytes_read == 0  # to open a file is not to read it
    half = [source.bytes_read for index, _ in enumerate(piece.records(feed, piece.layout)) if index == ROWS // 2]  # type: ignore[arg-type]
    assert 0.4 < half[0] / source.file.size < 0.6
    assert source.bytes_read == source.file.size


def test_by_duckdb(source: SourceFile) -> None:
    with duckdb.connect(config={"allowed_configs": PROGRESS, "threads": 1}) as db:
        db.execute("SET lock_configuration = true")
        with asked(source) as told, watched(db, [source]):
            db.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{source.file.path}', all_varchar = true)")
        assert any(0 < number < source.file.size for number in told)
        assert source.bytes_read == source.file.size  # the connection is asked no more, and what is read stays read


def test_a_statement_that_fails_keeps_its_error(source: SourceFile) -> None:
    with duckdb.connect(config={"allowed_configs": PROGRESS}) as db:
        db.execute("BEGIN")
        with pytest.raises(duckdb.ConversionException), watched(db, [source]):
            db.execute("SELECT 'x'::INTEGER")
        db.execute("ROLLBACK")
