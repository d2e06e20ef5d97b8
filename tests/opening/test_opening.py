"""Opening a file: how it is packed and encoded, and which field feeds which column, or why it is rejected."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from framework.errors import SetAside, SourceChanged
from framework.feed import Archive, Column, CsvOptions, Feed, Format, Quarantine, Source, Target
from framework.law.layout import Kind, Layout, Rejected
from framework.law.records import READERS, Record
from framework.law.records.text import TextRecords
from framework.names import File, Limits, Table
from framework.opening import (
    BROKEN_FILE,
    Compression,
    Piece,
    SourceFile,
    grouped,
    open_batch,
    open_beginning,
    open_piece,
    unreadable,
)
from framework.storages.local import LocalStorage
from framework.storages.memory import MemoryStorage
from framework.types import Scalar


def feed(format_: Format = Format.CSV, encodings: tuple[str, ...] = ("utf-8",), **options: object) -> Feed:
    columns = tuple(Column(name, Scalar("string"), (name,)) for name in ("id", "name"))
    table = Table("s.t")
    return Feed(
        "any",
        Source("/in/", format_, encodings=encodings, csv=CsvOptions(**options)),  # type: ignore[arg-type]
        columns,
        Target(table, table, keys=("id",)),
        Quarantine(table),
        Archive("/a/", "/r/"),
    )


def opened(folder: Path, content: bytes, of: Feed | None = None, name: str = "f.csv") -> Piece:
    storage = MemoryStorage()
    source = SourceFile(storage.write(f"/in/{name}", content), storage, str(folder))
    return open_piece(of or feed(), 0, source)


def columns(piece: Piece) -> object:
    """Column and field name pairs, or the reason of the rejection."""
    match piece.layout:
        case Layout() as layout:
            return [(column, layout.names[index]) for column, index in layout.fields]
        case Rejected(reason):
            return reason


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"id,name\n1,a\n", [("id", "id"), ("name", "name")]),
        (b"\xef\xbb\xbf ID ,other\n", [("id", "ID")]),
        (b"\n\nname,id\n", [("id", "id"), ("name", "name")]),
        (b"", "the file is empty (0 bytes)"),
        (b"\n\n", "the file has no header"),
        (b"name\n", "there is no column 'id' in the file; it has 'name'"),
        (b"id;name\n", "there is no column 'id' in the file; it has 'id;name'; is the separator ';' and not ','"),
        (b"id,\xff\n", "the header is broken: a byte is not valid in the file's encoding (source.encoding)"),
    ],
)
def test_a_csv_file(tmp_path: Path, content: bytes, expected: object) -> None:
    found = columns(opened(tmp_path, content))
    assert found == expected or (isinstance(expected, str) and str(found).startswith(expected))


def test_a_file_without_header_is_read_by_position(tmp_path: Path) -> None:
    piece = opened(tmp_path, b"1,a\n", feed(header=False))
    assert columns(piece) == [("id", "id"), ("name", "name")]
    assert piece.header is None


def test_a_json_file_has_the_keys_of_all_its_objects(tmp_path: Path) -> None:
    piece = opened(tmp_path, b'{"id": 1}\nnot json\n{"id": 2, "NAME": "x"}\n', feed(Format.JSON), "f.json")
    assert columns(piece) == [("id", "id"), ("name", "NAME")]
    assert isinstance(piece.layout, Layout)
    assert {field.kind for field in piece.layout.record} == {Kind.JSON}
    records = list(piece.records(feed(Format.JSON), piece.layout))
    assert [(record.line, record.fields) for record in records] == [(1, ("1", None)), (2, None), (3, ("2", "x"))]


def test_a_packed_file(tmp_path: Path) -> None:
    piece = opened(tmp_path, gzip.compress(b"id,name\n1,a\n", mtime=0), name="f.csv.gz")
    assert (piece.compression, columns(piece)) == (Compression.GZIP, [("id", "id"), ("name", "name")])
    broken = opened(tmp_path, b"id,name\n1,a\n", name="f.csv.GZ")
    assert str(columns(broken)).startswith("the file is not a complete gzip file")


def test_the_first_encoding_in_which_all_of_a_file_decodes(tmp_path: Path) -> None:
    two = feed(encodings=("utf-8", "cp1252"))
    assert opened(tmp_path, "id,name\n1,ü\n".encode(), two).encoding == "utf-8"
    assert opened(tmp_path, "id,name\n1,ü\n".encode("cp1252"), two, "g.csv").encoding == "cp1252"
    assert opened(tmp_path, b"id,name\n1,\xfc\x81\n", two, "h.csv").encoding == "utf-8"


def test_a_large_file_is_opened_by_its_beginning() -> None:
    storage = MemoryStorage()
    source = SourceFile(storage.write("/in/f.csv", b"id,name\n" + b"1,x\n" * (1 << 19)), storage, "/nowhere")
    assert columns(open_beginning(feed(), 3, source)) == [("id", "id"), ("name", "name")]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    name = b"\xff.csv".decode("utf-8", "surrogateescape")
    assert "not valid UTF-8" in str(columns(opened(tmp_path, b"id\n1\n", name=name)))


def test_files_that_have_something_in_common_stay_in_order() -> None:
    assert grouped([1, 2, 3, 4, 5], lambda number: number % 2) == [[1, 3, 5], [2, 4]]


@pytest.mark.parametrize(
    ("beginning", "word"),
    [
        (b"PK\x03\x04\x14\x00....[Content_Types].xml", "Excel"),
        (b"PK\x03\x04\x14\x00....data.csv", "zip"),
        (gzip.compress(b"id\n1\n", mtime=0), "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        ("id,name\n".encode("utf-16"), "UTF-16"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "HTML"),
        (b"<html lang=en>", "HTML"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1", "Parquet"),
        (b"BZh91AY&SY", "bzip2"),
    ],
)
def test_what_a_file_is_that_is_no_text(tmp_path: Path, beginning: bytes, word: str) -> None:
    assert word in str(columns(opened(tmp_path, beginning + b"\n" * 99)))
    assert word in str(columns(opened(tmp_path, gzip.compress(beginning), name="g.csv.gz")))


@pytest.mark.parametrize("beginning", [b"PK,id\n", b"PAR,id\n", b"BZh,id\n", b"<id>,id\n"])
def test_text_that_only_begins_like_something_else(tmp_path: Path, beginning: bytes) -> None:
    assert columns(opened(tmp_path, beginning)) == [("id", "id")]


# Where the bytes come from


class Lawful:
    """An engine that has no ways of its own to open files, but for large ones."""

    def reads_in_place(self, feed: Feed, source: SourceFile) -> bool:
        del feed
        return source.file.name.startswith("large")

    def open_away(self, feed: Feed, sources: Mapping[int, SourceFile], size: int) -> Mapping[int, Sequence[Piece]]:
        del feed, sources, size
        return {}

    def survey(self, piece: Piece, feed: Feed) -> Layout | None:
        del piece, feed
        return None


def landed(folder: Path, name: str, content: bytes) -> File:
    (folder / name).write_bytes(content)
    file = LocalStorage().head(os.fspath(folder / name))
    assert file is not None
    return file


def test_a_batch_is_opened_in_order(tmp_path: Path) -> None:
    files = [landed(tmp_path, name, b"id,name\n") for name in ("b.csv", "large.csv", "a.csv")]
    pieces = open_batch(feed(), files, LocalStorage(), "/nowhere", Lawful())
    assert [(piece.index, piece.source.file, piece.in_place) for piece in pieces] == [
        (0, files[0], False),
        (1, files[1], True),
        (2, files[2], False),
    ]
    assert all(isinstance(piece.layout, Layout) for piece in pieces)


def test_all_files_of_a_batch_that_are_gone_are_told_at_once(tmp_path: Path) -> None:
    files = [landed(tmp_path, name, b"id,name\n") for name in ("a.csv", "b.csv", "large.csv", "c.csv")]
    os.remove(files[1].path)
    os.replace(files[0].path, files[2].path)
    with pytest.raises(SourceChanged) as raised:
        open_batch(feed(), files, LocalStorage(), "/nowhere", Lawful())
    assert raised.value.paths == tuple(file.path for file in files[:3])
    storage = MemoryStorage()
    gone = [storage.write(f"/in/{name}.csv", b"id,name\n") for name in "abc"]
    for file in gone[1:]:
        storage.delete(file)
    with pytest.raises(SourceChanged) as raised:
        open_batch(feed(), gone, storage, os.fspath(tmp_path), Lawful())
    assert raised.value.paths == tuple(file.path for file in gone[1:])


def test_a_path_leads_to_what_was_opened_whatever_stands_there_now(tmp_path: Path) -> None:
    source = SourceFile(landed(tmp_path, "a.csv", b"ours"), LocalStorage(), "/nowhere")
    (tmp_path / "secret").write_bytes(b"secret")
    with source.path() as path:
        os.remove(tmp_path / "a.csv")
        os.symlink("secret", tmp_path / "a.csv")
        assert Path(path).read_bytes() == Path(path).read_bytes() == b"ours", "as often as it is opened"
    assert not os.path.exists(path)
    with pytest.raises(SourceChanged), source.path():
        pass
    with pytest.raises(SourceChanged):
        source.open()


def test_copies_are_made_once_and_are_what_is_read(tmp_path: Path) -> None:
    storage = MemoryStorage()
    source = SourceFile(storage.write("/in/a.csv", b"ours"), storage, os.fspath(tmp_path))
    with source.path() as path:
        assert os.path.dirname(path) == os.fspath(tmp_path)
    storage.write("/in/a.csv", b"theirs")
    with source.open() as stream, source.path() as again:
        assert (stream.read(), again) == (b"ours", path)
    assert not source.may_have_changed


class Packed(MemoryStorage):
    """Keeps every object packed, whatever its name, as a bucket does with `Content-Encoding: gzip`."""

    def fetch(self, file: File, folder: str) -> str:
        path = super().fetch(file, folder)
        os.rename(path, f"{path}.gz")
        return f"{path}.gz"


def test_a_file_is_packed_as_its_copy_is_called(tmp_path: Path) -> None:
    storage = Packed()
    source = SourceFile(storage.write("/in/a.csv", gzip.compress(b"id,name\n")), storage, os.fspath(tmp_path))
    assert open_piece(feed(), 0, source).compression is Compression.GZIP


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(), None),
        (Limits(unpacked=3 << 20), None),
        (Limits(unpacked=(2 << 20) - 1), "unpacked the file has more than 2097151 bytes (limits.unpacked)"),
        (Limits(ratio=2), None),
        (Limits(record=1 << 18, ratio=2), "unpacked the file is more than 2 times as large (limits.ratio)"),
    ],
)
def test_what_a_packed_file_may_become(tmp_path: Path, limits: Limits, reason: str | None) -> None:
    storage = MemoryStorage()
    content = b"id,name\n" + b"".join(b"%07d\n" % number for number in range(1 << 18))
    source = SourceFile(storage.write("/in/a.csv.gz", gzip.compress(content, 1)), storage, os.fspath(tmp_path), limits)
    with (
        nullcontext() if reason is None else pytest.raises(BROKEN_FILE) as raised,
        open_piece(feed(), 0, source).stream() as stream,
    ):
        while stream.read(1 << 16):
            pass
    assert reason == (unreadable(raised.value) if raised is not None else None)


class Hungry(TextRecords):
    """A reader for whose second record, or for whose layout, there is no memory."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once = at_once

    def open(self, stream: BinaryIO, encoding: str, feed: Feed) -> tuple[Layout | Rejected, Record | None]:
        if self._at_once:
            raise MemoryError
        return super().open(stream, encoding, feed)

    def records(self, stream: BinaryIO, encoding: str, feed: Feed, layout: Layout) -> Iterator[Record]:
        yield next(super().records(stream, encoding, feed, layout))
        raise MemoryError


@pytest.mark.parametrize("at_once", [True, False])
def test_a_file_for_which_there_is_no_memory_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setitem(READERS, Format.TEXT, Hungry(at_once=at_once))
    column = Column("value", Scalar("string"), ("value",))
    text = replace(feed(Format.TEXT), columns=(column,), target=Target(Table("s.t"), Table("s.t")))

    def read() -> None:
        piece = opened(tmp_path, b"1\n2\n", text)
        assert isinstance(piece.layout, Layout)
        list(piece.records(text, piece.layout))

    with pytest.raises(SetAside) as raised:
        read()
    assert raised.value.reasons == {"/in/f.csv": "reading it takes more memory than there is; make several files of it"}
