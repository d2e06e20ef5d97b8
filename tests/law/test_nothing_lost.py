"""Whatever bytes a file has, every word of it is in the text of one record, and of no other."""

from __future__ import annotations

import io
from collections import Counter
from random import Random

import pytest

from framework.feed import CsvOptions, Feed, Format, Span
from framework.law.layout import Rejected
from framework.law.records import READERS
from tests.feeds import column, made_feed
from tests.trouble import ENCODINGS, MARK, some_file

OPTIONS = {
    Format.CSV: [
        CsvOptions(),
        CsvOptions(quote="'", escape="'"),
        CsvOptions(escape="\\"),
        CsvOptions(sep=";"),
        CsvOptions(sep=",,"),
        CsvOptions(header=False),
        CsvOptions(quote=None),
        CsvOptions(multiLine=False),
    ],
    Format.JSON: [CsvOptions()],
}


def feed(format_: Format, encoding: str, options: CsvOptions) -> Feed:
    source = {"format": format_, "encodings": (encoding,), "csv": options}
    return made_feed(column("a"), column("b"), source=source, target={"keys": ()})


def lost(of: Feed, content: bytes) -> tuple[Counter[str], Counter[str]] | None:
    """The words of a file that are in no record, and those that are in one more often than in the file; None for one
    that is rejected."""
    encoding, reader = of.source.encodings[0], READERS[of.source.format]
    try:
        layout, header = reader.open(io.BytesIO(content), encoding, of)
    except UnicodeError:
        return None
    if isinstance(layout, Rejected):
        return None
    records = list(reader.records(io.BytesIO(content), encoding, of, layout))
    wanted = Counter(MARK.findall(content.decode(encoding, "replace")))
    if header is not None:
        wanted -= Counter(MARK.findall(header.raw))
    found = Counter(word for record in records for word in MARK.findall(record.raw))
    if of.source.format is Format.CSV:
        for record in records:
            if record.fields is not None:
                assert MARK.findall(record.raw) == MARK.findall("\n".join(filter(None, record.fields)))
    return wanted - found, found - wanted


def feed_of_lines(format_: Format, encoding: str) -> Feed:
    columns = [column("value")] if format_ is Format.TEXT else [column("a", span=Span(1, 4))]
    return made_feed(*columns, source={"format": format_, "encodings": (encoding,)}, target={"keys": ()})


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", [Format.TEXT, Format.FIXED_WIDTH])
def test_words_of_files_of_lines(format_: Format, encoding: str) -> None:
    of = feed_of_lines(format_, encoding)
    for seed in range(200):
        content = some_file(Random(f"{seed}"), Format.CSV, encoding, marked=True)
        assert lost(of, content) == (Counter(), Counter()), (seed, content)


def check(format_: Format, encoding: str, files: int) -> None:
    """Read so many files, some with each of the options."""
    read = 0
    for options in OPTIONS[format_]:
        of = feed(format_, encoding, options)
        for seed in range(files // len(OPTIONS[format_])):
            content = some_file(Random(f"{seed} {options}"), format_, encoding, marked=True)
            found = lost(of, content)
            assert found in (None, (Counter(), Counter())), (seed, options, content)
            read += found is not None
    assert read > files / 2


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_words_of_files(format_: Format, encoding: str) -> None:
    check(format_, encoding, 200)


@pytest.mark.torture
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("format_", OPTIONS)
def test_words_of_many_files(format_: Format, encoding: str) -> None:
    check(format_, encoding, 20_000)
