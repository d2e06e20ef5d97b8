"""A sample: a file to learn from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from framework.names import Limits
from framework.opening import Compression, member_stream, members, unpacked

__all__ = ["Sample", "taken_apart"]


@dataclass(frozen=True, slots=True)
class Sample:
    """`name` is the file's own name, without folders; `opened` gives its bytes as they are stored. `member` is what it
    is called in the archive of that name, None for a file that is none of an archive."""

    name: str
    opened: Callable[[], BinaryIO]
    member: str | None = None

    @property
    def shown(self) -> str:
        """What it is called in messages."""
        return self.name if self.member is None else f"{self.name}!{self.member}"

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Its bytes, unpacked as its name says."""
        with self.opened() as opened:
            if self.member is not None:
                size = opened.seek(0, io.SEEK_END)
                with member_stream(opened, self.member, size, Limits()) as content:
                    yield content
                return
            size = opened.seek(0, io.SEEK_END)
            opened.seek(0)
            with unpacked(opened, Compression.of(self.name), size, Limits()) as content:
                yield content


def taken_apart(samples: Sequence[Sample]) -> tuple[list[Sample], str | None]:
    """The samples, with the members of archives in the place of these, and the pattern of the members that are files of
    the commonest kind, where some are not. Raises BrokenFile."""
    found: list[Sample] = []
    inside: list[Sample] = []
    for sample in samples:
        if Compression.of(sample.name) is not Compression.ZIP:
            found.append(sample)
            continue
        with sample.opened() as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(0)
            names = [each.name for each in members(stream, size, None, Limits())]
        inside += [Sample(sample.name, sample.opened, name) for name in names]
    endings = [_ending(each.member or "") for each in inside]
    common = max(dict.fromkeys(endings), key=endings.count, default="")
    if not common or len(set(endings)) == 1:
        return [*found, *inside], None
    chosen = [each for each, ending in zip(inside, endings, strict=True) if ending == common]
    return [*found, *chosen], f"*{common}"


def _ending(name: str) -> str:
    base = name.rsplit("/", 1)[-1]
    return "." + base.rsplit(".", 1)[-1] if "." in base else ""
