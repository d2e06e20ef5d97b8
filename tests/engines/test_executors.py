"""What Spark's executors do with files, without Spark: a task that was pickled, over Arrow batches."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from framework.engines.executors import FACT, Task, as_away, open_files, opened_pieces, read_files
from framework.engines.spark.shipping import packed
from framework.errors import SourceChanged
from framework.feed import CsvOptions, Feed, Format
from framework.law.layout import Layout, Rejected
from framework.opening import Piece, SourceFile
from framework.storages.local import LocalStorage
from tests.engines.test_trouble import OPTIONS, Records, by_law, feed
from tests.trouble import ENCODINGS, some_file


def handed(sources: Sequence[SourceFile]) -> Iterator[pa.RecordBatch]:
    """Files as Spark hands them over."""
    for source in sources:
        with open(source.file.path, "rb") as stream:
            yield pa.record_batch([[f"file:{source.file.path}"], [stream.read()]], names=["path", "content"])


def by_id(sources: Sequence[SourceFile]) -> Iterator[pa.RecordBatch]:
    """Files that are to be opened."""
    yield pa.record_batch([pa.array(range(len(sources)), pa.int64())], names=["id"])


Way = Callable[[Sequence[SourceFile]], Iterable[pa.RecordBatch]]


def away(task: Task) -> Task:
    """As another process gets it."""
    sent: Task = pickle.loads(pickle.dumps(task))  # noqa: S301
    return sent


def by_executors(of: Feed, sources: Sequence[SourceFile], way: Way) -> list[Records]:
    task = Task(of, dict(enumerate(sources)), tuple(range(len(sources))))
    rows = pa.Table.from_batches(open_files(away(task), way(sources))).to_pylist()
    pieces = opened_pieces(rows)
    return [by_executor(of, pieces[index][0], source, way) for index, source in enumerate(sources)]


def by_executor(of: Feed, piece: Piece, source: SourceFile, way: Way) -> Records:
    layout = piece.layout
    if isinstance(layout, Rejected):
        return layout.reason, [], []
    task = Task(of, {piece.index: source}, (piece.index,), pieces={piece.index: piece}, layout=layout)
    *rows, last = pa.Table.from_batches(read_files(away(task), way([source]))).to_pylist()
    fact = json.loads(last[FACT])
    assert [row[FACT] for row in rows] == [None] * fact["read"]
    assert (fact["file"], [row["_block"] for row in rows]) == (piece.index, list(range(fact["read"])))
    if "rejected" in fact:
        return fact["rejected"], [], []
    good = [texts(layout, row) for row in rows if row["_why"] is None]
    bad = [(row["_line"], row["_record"], row["_why"]) for row in rows if row["_why"] is not None]
    return None, good, bad


def texts(layout: Layout, row: dict[str, Any]) -> tuple[str | None, ...]:
    at = [layout.index(name) for name in ("a", "b")]
    return tuple(None if index is None else row[f"f{index}"] for index in at)


def landed(folder: Path, name: str, content: bytes) -> SourceFile:
    (folder / name).write_bytes(content)
    storage = LocalStorage()
    file = storage.head(os.fspath(folder / name))
    assert file is not None
    return SourceFile(file, storage, os.fspath(folder))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_records_are_those_of_the_law(tmp_path: Path, format_: Format, encoding: str) -> None:
    for number, options in enumerate(OPTIONS[format_]):
        of = feed(format_, encoding, options)
        seeds = [f"{seed} {number} {format_} {encoding}" for seed in range(30)]
        files = [(f"{number}{each}.txt", some_file(Random(seed), format_, encoding)) for each, seed in enumerate(seeds)]
        sources = [landed(tmp_path, name, content) for name, content in files]
        expected = [by_law(of, index, source) for index, source in enumerate(sources)]
        assert by_executors(of, sources, handed) == expected
        assert by_executors(of, sources, by_id) == expected


@pytest.mark.parametrize("way", [handed, by_id])
def test_members_of_an_archive(tmp_path: Path, way: Way) -> None:
    """Each is unpacked again where it is read."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("in/b.csv", "a,b\n1,2\n3\n")
        archive.writestr("a.csv", "b,a\n2,1\n")
        archive.writestr("x.csv.gz", "")
    of, source = feed(Format.CSV, "utf-8", CsvOptions()), landed(tmp_path, "z.zip", content.getvalue())
    rows = pa.Table.from_batches(open_files(away(Task(of, {0: source}, (0,))), way([source]))).to_pylist()
    assert content.getvalue() not in rows[0]["_piece"]
    found = {}
    for index, piece in enumerate(opened_pieces(rows)[0]):
        mine = replace(as_away(piece, source), index=0)
        found[index] = (mine.source.file.name, by_executor(of, mine, mine.source, by_id))
    (a, of_a), (b, of_b), (x, of_x) = found.values()
    assert (a, of_a) == ("z.zip!a.csv", (None, [("1", "2")], []))
    assert (b, of_b[:2], [bad[:2] for bad in of_b[2]]) == ("z.zip!in/b.csv", (None, [("1", "2")]), [(3, "3")])
    assert (x, of_x[0]) == ("z.zip!x.csv.gz", "'x.csv.gz' in the zip archive is an archive or a packed file itself")


def test_a_file_that_is_another_one_by_then(tmp_path: Path) -> None:
    of, source = feed(Format.CSV, "utf-8", CsvOptions()), landed(tmp_path, "a.csv", b"a,b\n1,2\n")
    task = Task(of, {7: source}, (7,))
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    for way in (handed, by_id):
        rows = pa.Table.from_batches(open_files(away(task), way([source]))).to_pylist()
        with pytest.raises(SourceChanged) as raised:
            opened_pieces(rows)
        assert raised.value.paths == (source.file.path,)


def test_what_is_shipped_reads_files_by_itself(tmp_path: Path) -> None:
    """A zip file with this package and pyarrow are enough: nothing else that is installed here is imported."""
    of, source = feed(Format.JSON, "utf-8", CsvOptions()), landed(tmp_path, "a.json", b'{"a":1,"b":[2]}\n{"a":\n')
    rows = pa.Table.from_batches(open_files(Task(of, {0: source}, (0,)), by_id([source]))).to_pylist()
    pieces = {index: piece for index, [piece] in opened_pieces(rows).items()}
    layout = pieces[0].layout
    assert isinstance(layout, Layout)
    task = Task(of, {0: source}, (0,), pieces=pieces, layout=layout)
    (tmp_path / "task").write_bytes(pickle.dumps(task))
    shipped = packed(os.fspath(tmp_path))
    assert zipfile.ZipFile(shipped).testzip() is None
    script = (
        "import sys, pickle\n"
        "class Only:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('deltalake', 'duckdb', 'yaml', 'sqlglot', 'tenacity', 'click', 'pyspark'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Only())\n"
        f"sys.path.insert(0, {shipped!r})\n"
        "import pyarrow as pa\n"
        "from framework.engines.executors import read_files\n"
        f"task = pickle.load(open({os.fspath(tmp_path / 'task')!r}, 'rb'))\n"
        "batch = pa.record_batch([pa.array([0], pa.int64())], names=['id'])\n"
        "import framework; assert framework.__file__.startswith(sys.path[0])\n"
        "print(pa.Table.from_batches(read_files(task, [batch])).num_rows)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("3\n", "")
