"""Fields that have their places in lines: told by the blanks that stand between them in every line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from framework.feed import Format, Source
from framework.infer.feeds import any_feed
from framework.infer.names import looks_like_names
from framework.infer.sample import Sample
from framework.law.records import Record
from framework.law.records.text import lines_of

__all__ = ["Place", "Places", "fixed_rows", "places_of"]

_LEAST = 3
"""Lines without which nothing is told."""
_WIDEST = 10_000
_SOURCE = Source("", Format.TEXT)


@dataclass(frozen=True, slots=True)
class Place:
    """A field: its name, its first character (from 1), and how many."""

    name: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where the fields are, the lines before the first record of each sample, and whether lines end before the last
    field does."""

    fields: tuple[Place, ...]
    skips: tuple[int, ...]
    short: bool


def places_of(samples: Sequence[Sample], encodings: Sequence[str]) -> Places | None:
    """None where the lines have no columns of blanks in common."""
    used: list[bool] = []
    firsts: list[Record] = []
    count, shortest = 0, _WIDEST
    for sample, encoding in zip(samples, encodings, strict=True):
        for number, record in enumerate(_lines(sample, encoding)):
            line = record.raw
            if record.fields is None or "\t" in line or len(line) > _WIDEST:
                return None
            firsts += [record] if not number else []
            used += [False] * (len(line) - len(used))
            for at, letter in enumerate(line):
                used[at] = used[at] or letter != " "
            count, shortest = count + 1, min(shortest, len(line))
    spans = _spans(used)
    if len(firsts) < len(samples) or count < _LEAST * len(samples) or len(spans) < 2 or shortest <= spans[1][0]:
        return None
    names = [firsts[0].raw[start:end].strip() for start, end in spans]
    same = len({record.raw.rstrip() for record in firsts}) == 1
    named = same and all(names) and looks_like_names(names) and len({*names}) == len(names)
    fields = (
        Place(names[at] if named else f"c{at + 1}", start + 1, end - start) for at, (start, end) in enumerate(spans)
    )
    skips = tuple(record.line if named else 0 for record in firsts)
    return Places(tuple(fields), skips, shortest < spans[-1][1])


def _spans(used: Sequence[bool]) -> list[tuple[int, int]]:
    """From where to before where each field stands: its letters, with the blanks behind them."""
    starts = [at for at, is_used in enumerate(used) if is_used and (at == 0 or not used[at - 1])]
    ends = [*starts[1:], len(used)]
    return list(zip(starts, ends, strict=True))


def _lines(sample: Sample, encoding: str) -> Iterator[Record]:
    """The lines of a sample that are not empty."""
    with sample.stream() as stream, closing(lines_of(stream, encoding, any_feed(_SOURCE))) as lines:
        yield from (line for line in lines if line.raw.strip())


def fixed_rows(sample: Sample, encoding: str, skip: int, places: Sequence[Place]) -> Iterator[tuple[str | None, ...]]:
    """The fields of the lines of a sample, as the law takes them."""
    for record in _lines(sample, encoding):
        if record.line > skip:
            ends = ((each.start - 1, each.start - 1 + each.width) for each in places)
            yield tuple(record.raw[start:end].rstrip(" \t") or None for start, end in ends)
