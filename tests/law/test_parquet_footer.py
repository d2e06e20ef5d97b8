"""What the footer and the pages of a Parquet file say, read from its bytes: as pyarrow tells it, or a sentence."""

from __future__ import annotations

import io
from contextlib import suppress
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from framework.law.records import BrokenFile
from framework.law.records.parquet_footer import chunks
from framework.law.records.parquet_pages import counted
from tests.claims import listing

TABLE = pa.table(
    {
        "a": list(range(1000)),
        "list": [[1, 2]] * 1000,
        "struct": [{"x": "y", "z": None}] * 1000,
        "truth": [True, None] * 500,
        "map": pa.array([[("k", 1)]] * 1000, pa.map_(pa.string(), pa.int32())),
    }
).replace_schema_metadata({"about": "a table"})


def parquet(**options: object) -> io.BytesIO:
    out = io.BytesIO()
    pq.write_table(TABLE, out, row_group_size=300, **options)
    return out


@pytest.mark.parametrize(
    "options", [{}, {"write_page_index": True}, {"compression": "zstd", "sorting_columns": [pq.SortingColumn(0)]}]
)
def test_as_pyarrow_tells_it(options: dict[str, object]) -> None:
    out = parquet(**options)
    groups = pq.ParquetFile(out).metadata
    every = [groups.row_group(index) for index in range(groups.num_row_groups)]
    columns = [[group.column(at) for at in range(group.num_columns)] for group in every]
    assert [[(each.values, each.unpacked, each.packed) for each in group] for group in chunks(out)] == [
        [(each.num_values, each.total_uncompressed_size, each.total_compressed_size) for each in group]
        for group in columns
    ]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"PAR1" * 3, b"x" * 40])
def test_no_footer(content: bytes) -> None:
    with pytest.raises(BrokenFile, match="not a complete Parquet file"):
        chunks(io.BytesIO(content))


def test_damaged_footers_give_figures_or_a_sentence() -> None:
    dice, content = Random(1), parquet().getvalue()
    length = int.from_bytes(content[-8:-4], "little")
    for _ in range(1000):
        changed = bytearray(content[-8 - length :])
        for _ in range(dice.choice((1, 1, 2, 8))):
            changed[dice.randrange(length)] = dice.randrange(256)
        with suppress(BrokenFile):
            assert all(each.values >= 0 for group in chunks(io.BytesIO(changed)) for each in group)


@pytest.mark.parametrize(
    "options",
    [
        {"data_page_size": 100},
        {"data_page_version": "2.0", "compression": "zstd"},
        {"use_dictionary": False, "compression": "gzip"},
        {"write_page_checksum": True, "write_page_index": True, "compression": "none"},
    ],
)
def test_pages_say_what_the_footer_says(options: dict[str, object]) -> None:
    out = parquet(**options)
    assert counted(out, chunks(out)) == chunks(out)


def test_pages_may_say_more() -> None:
    out = listing(100_000, said=10)
    assert [chunk.values for group in chunks(out) for chunk in group] == [10]
    assert [chunk.values for group in counted(out, chunks(out)) for chunk in group] == [100_000]


def test_pages_are_looked_at_in_their_order() -> None:
    """A stream that is unpacked on the way begins anew for each step back; the file is larger than what it holds at
    hand, and its footer names the last chunks first."""
    table = pa.table({"a": Random(1).sample(range(1 << 40), 400_000)})
    content, steps = io.BytesIO(), []
    pq.write_table(table, content, row_group_size=10_000, use_dictionary=False)

    class Steps(io.BufferedReader):
        def seek(self, offset: int, whence: int = 0) -> int:
            steps.append(offset - self.tell() if whence == io.SEEK_SET else 0)
            return super().seek(offset, whence)

    groups = chunks(content)[::-1]
    with Steps(content) as stream:
        assert counted(stream, groups) == groups
    assert len([step for step in steps if step < -(1 << 10)]) == 1


def test_damaged_pages_give_figures_or_a_sentence() -> None:
    dice, content = Random(1), parquet().getvalue()
    for _ in range(500):
        changed = bytearray(content)
        for _ in range(dice.choice((1, 2, 8, 64))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        with suppress(BrokenFile):
            file = io.BytesIO(changed)
            assert all(each.values >= 0 for group in counted(file, chunks(file)) for each in group)
