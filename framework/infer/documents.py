"""Where the records of documents are: in the document itself, or in a field or an element that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from xml.parsers import expat

from framework.infer.sample import Sample
from framework.law.records import BrokenFile
from framework.law.records.documents import documents
from framework.names import Limits

__all__ = ["json_records", "xml_records"]

_AROUND = 12
"""Fields beside its records that an answer of a server may have."""
_ENVELOPE = frozenset((
    "count", "total", "totalcount", "total_count", "size", "page", "pages", "pagesize", "page_size", "per_page",
    "limit", "offset", "next", "previous", "prev", "cursor", "nextcursor", "next_cursor", "has_more", "hasmore",
    "links", "_links", "meta", "metadata", "status", "success", "ok", "error", "errors", "message", "code",
    "version", "timestamp", "generated", "generated_at", "created_at", "date", "time", "took", "timed_out",
    "request_id", "requestid", "api", "schema", "type", "kind", "context", "@context", "@odata.context",
    "@odata.count", "@odata.nextlink", "odata.metadata",
))  # fmt: skip
_CHUNK = 1 << 16
_LOOKED_AT = 16 << 20
"""Bytes of an XML file by which its records are told."""


def json_records(samples: Sequence[Sample], encodings: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The field of the only document of each sample that holds its records, None where documents are records
    themselves; and fields that could be it."""
    paths = [_array_of(sample, encoding) for sample, encoding in zip(samples, encodings, strict=True)]
    found = {path for path, _ in paths}
    if len(found) != 1 or None in found:
        return None, ()
    (path,) = found
    assert path is not None  # noqa: S101 (it is not among them)
    return (path, ()) if all(sure for _, sure in paths) else (None, (path,))


def _array_of(sample: Sample, encoding: str) -> tuple[str | None, bool]:
    """The way to the only array of objects in the only document of a sample, and whether all else there is only about
    them."""
    first: dict[str, Any] | None = None
    with sample.stream() as stream:
        for number, document in enumerate(documents(stream, encoding, Limits().record, ())):
            if number or document.value is None:
                return None, False
            first = document.value
    arrays = list(_arrays(first or {}, ()))
    if len(arrays) != 1:
        return None, False
    ((path, holder),) = arrays
    beside = {name.lower() for name in holder if name != path[-1]} | (
        {*map(str.lower, first or {})} - {path[0].lower()}
    )
    return ".".join(path), len(beside) <= _AROUND and beside <= _ENVELOPE


def _arrays(value: Mapping[str, Any], way: tuple[str, ...]) -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
    found: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
    for name, member in value.items():
        if "." in name or not name:
            continue
        if isinstance(member, list) and member and all(isinstance(item, dict) for item in member):
            found.append(((*way, name), value))
        elif isinstance(member, dict) and len(way) < 2:
            found += _arrays(member, (*way, name))
    return found


def xml_records(samples: Sequence[Sample]) -> str | None:
    """The element below which the records of each sample are, None for the outermost one. Raises BrokenFile."""
    found = {_holder(sample) for sample in samples}
    return found.pop() if len(found) == 1 else None


class _Stop(Exception):
    pass


def _holder(sample: Sample) -> str | None:
    """The element with the most children of one name, if the outermost one has several kinds or only one of them."""
    open_: list[str] = []
    children: dict[tuple[str, ...], Counter[str]] = {}

    def start(tag: str, _: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if open_:
            children.setdefault(tuple(open_), Counter())[name] += 1
        open_.append(name)

    def end(_: str) -> None:
        open_.pop()

    def refused(*_: Any) -> None:
        raise BrokenFile("the file has a DOCTYPE, which is never read; send it without")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, refused
    with sample.stream() as stream:
        read = 0
        try:
            while read < _LOOKED_AT and (chunk := stream.read(_CHUNK)):
                parser.Parse(chunk, False)
                read += len(chunk)
        except expat.ExpatError as error:
            raise BrokenFile(f"the file is no well-formed XML ({error})") from error
    return _most_repeated(children)


def _most_repeated(children: Mapping[tuple[str, ...], Counter[str]]) -> str | None:
    top = next((way for way in children if len(way) == 1), None)
    if top is None or max(children[top].values()) > 1:
        return None
    names = Counter(way[-1] for way in children)
    repeated = [
        (kinds.total(), way)
        for way, kinds in children.items()
        if len(kinds) == 1 and kinds.total() > 1 and names[way[-1]] == 1 and way[-1] != top[0] and len(way) < 4
    ]
    if not repeated:
        return None
    _, way = max(repeated, key=lambda each: (each[0], -len(each[1])))
    return way[-1]
