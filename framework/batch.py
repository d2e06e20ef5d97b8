"""Batch and Manifest: what one pass stages and merges together, and the record that travels with its commits.

A manifest is the metadata of the staging commit that it describes, and of the quarantine and target
commits of the same batch (target commits leave the files out). So the moment the data is durable, so
is what it consists of, and recovery never depends on a second write.

The sequence number `seq` counts the batches of a feed. It is the version of the Delta transaction
`landfeed/<feed>` in the staging, quarantine and target tables, which makes each of these commits
happen exactly once and in order: a target that has seen batch 7 refuses batch 6.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from framework.names import Added, ChangeKind, File, Reason, Rows, SchemaChange

__all__ = ["Batch", "Checked", "FileOutcome", "Manifest", "Seen", "transaction_id"]


def transaction_id(feed: str) -> str:
    """The Delta `appId` under which the batches of a feed commit."""
    return f"landfeed/{feed}"


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one feed that are staged and merged together, in the order in which they count."""

    feed: str
    seq: int
    files: tuple[File, ...]

    @property
    def id(self) -> str:
        """The same files after the same predecessor give the same id, in any order, also after a crash."""
        digest = hashlib.sha256(f"{self.feed}\0{self.seq}".encode())
        for file in sorted(self.files):
            digest.update(f"\0{file.path}\0{file.version}\0{file.size}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a file was seen to be when it was opened: the schema's columns that it does not have, its own that were
    ignored, its header (empty without one), its encoding, and columns of texts that are numbers in it. `lacks` and
    `brings` are the columns for which it is rejected: those that it does not have, and those that it should not;
    `added` those of its columns that the schema does not have and the target gets (`Added`)."""

    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    encoding: str = ""
    numbers: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What reading one file gave: its row figures, or the reason why the whole file is rejected; why rows of it are
    bad, the most frequent reasons first; what it was seen to be."""

    file: File
    rows: Rows = Rows()
    rejected: str | None = None
    reasons: tuple[Reason, ...] = ()
    seen: Seen = Seen()


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one check of a batch: in how many rows it failed (None for one of the whole batch), the values that
    a check of the whole batch found, as text, and whether it passed."""

    check: str
    scope: str
    action: str
    rows_failed: int | None
    value: str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """The durable record of a staged batch. `staged_at` is also the rows' `_loaded_at`, in UTC; `options` are those
    by which the files were read, `loaded_as` what the target must be of for batches to follow each other (the feed's
    mode, keys, …), `picture` the newest snapshot that was applied, `checks` what came of the
    batch's checks, `changes` what is different from the file, or the target, before, `added` the
    columns that this batch or one before has added to the schema's."""

    batch: Batch
    batch_id: str
    staged_at: datetime
    outcomes: tuple[FileOutcome, ...]
    rows: Rows
    seconds: float = 0.0
    options: Mapping[str, Any] = field(default_factory=dict)
    loaded_as: Mapping[str, Any] = field(default_factory=dict)
    picture: str | None = None
    checks: tuple[Checked, ...] = ()
    changes: tuple[SchemaChange, ...] = ()
    added: tuple[Added, ...] = ()

    @classmethod
    def of(
        cls,
        batch: Batch,
        staged_at: datetime,
        outcomes: Iterable[FileOutcome],
        seconds: float,
        options: Mapping[str, Any] | None = None,
        checks: Iterable[Checked] = (),
    ) -> Manifest:
        """The manifest whose row figures are the sums over its files."""
        outcomes = tuple(outcomes)
        rows = sum((outcome.rows for outcome in outcomes), Rows())
        return cls(batch, batch.id, staged_at, outcomes, rows, seconds, options or {}, checks=tuple(checks))

    @property
    def rejected(self) -> tuple[FileOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.rejected is not None)

    @property
    def loaded(self) -> tuple[FileOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.rejected is None)

    def merged(self, rows: Rows) -> Manifest:
        """The manifest of the target commit: the batch's figures with the outcome of its merge."""
        return replace(self, rows=rows)

    def without_files(self) -> Manifest:
        """The manifest of a table that only needs to know the batch."""
        return replace(self, outcomes=())

    def to_json(self, *, files: bool = True) -> str:
        """One line of JSON; `files=False` leaves the files out, for commits that only need the figures."""
        document = {
            "landfeed": 1,
            "feed": self.batch.feed,
            "seq": self.batch.seq,
            "batch_id": self.batch_id,
            "staged_at": self.staged_at.isoformat(),
            "seconds": self.seconds,
            "rows": asdict(self.rows),
            "files": [
                {"file": _written(outcome.file), "rows": _figures(outcome.rows), "rejected": outcome.rejected}
                for outcome in self.outcomes
            ]
            if files
            else [],
            "reasons": {
                outcome.file.path: [asdict(reason) for reason in outcome.reasons]
                for outcome in (self.outcomes if files else ())
                if outcome.reasons
            },
            "headers": _headers(self.outcomes) if files else [],
            "options": dict(self.options) if files else {},
            "loaded_as": dict(self.loaded_as),
            "picture": self.picture,
            "checks": [asdict(each) for each in self.checks] if files else [],
            "changes": [asdict(each) for each in self.changes] if files else [],
            "added": [asdict(each) for each in self.added],
        }
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> Manifest | None:
        """The manifest in a commit's metadata; None for anybody else's metadata."""
        try:
            document = json.loads(text or "")
        except ValueError:
            return None
        if not isinstance(document, dict) or document.get("landfeed") != 1:
            return None
        reasons = document.get("reasons", {})
        seen = {index: _seen(entry) for entry in document.get("headers", []) for index in entry["files"]}
        outcomes = tuple(
            replace(
                outcome,
                reasons=tuple(map(_reason, reasons.get(outcome.file.path, ()))),
                seen=seen.get(index, Seen()),
            )
            for index, outcome in enumerate(map(_outcome, document["files"]))
        )
        files = tuple(dict.fromkeys(outcome.file.landed for outcome in outcomes))
        batch = Batch(document["feed"], document["seq"], files)
        staged_at = datetime.fromisoformat(document["staged_at"])
        rows = _rows(document.get("rows", {}))
        seconds, options = document.get("seconds", 0.0), document.get("options", {})
        checks = tuple(map(_checked, document.get("checks", ())))
        changes = tuple(_change(each) for each in document.get("changes", ()) if each.get("kind") in _KINDS)
        loaded_as, picture = document.get("loaded_as", {}), document.get("picture")
        added = tuple(Added(each["name"], each["type"], each["source_name"]) for each in document.get("added", ()))
        told = (seconds, options, loaded_as, picture, checks, changes, added)
        return cls(batch, document["batch_id"], staged_at, outcomes, rows, *told)


def _figures(rows: Rows) -> dict[str, int]:
    """The figures of a file, by name; those that are missing are zero."""
    return {name: figure for name, figure in asdict(rows).items() if figure}


def _rows(figures: Mapping[str, int]) -> Rows:
    """Row figures by name. Names that a newer version added are passed over."""
    return Rows(**{each.name: figures.get(each.name, 0) for each in fields(Rows)})


def _reason(document: Mapping[str, Any]) -> Reason:
    """A reason by name. Names that a newer version added are passed over."""
    return Reason(**{each.name: document[each.name] for each in fields(Reason) if each.name in document})


def _checked(document: Mapping[str, Any]) -> Checked:
    """A check's result by name. Names that a newer version added are passed over."""
    found: dict[str, Any] = {each.name: document.get(each.name) for each in fields(Checked)}
    return Checked(**found)


_KINDS = frozenset(ChangeKind)


def _change(document: Mapping[str, Any]) -> SchemaChange:
    """A change by name. Names that a newer version added are passed over."""
    found: dict[str, Any] = {each.name: document.get(each.name) for each in fields(SchemaChange)}
    return SchemaChange(**found | {"kind": ChangeKind(found["kind"])})


def _outcome(document: Any) -> FileOutcome:
    """One file of a manifest, by name; the first version wrote a list instead."""
    if isinstance(document, list):
        path, name, version, size, modified, figures, rejected = document
        return FileOutcome(File(path, name, version, size, modified), Rows(*figures), rejected)
    return FileOutcome(_file(document["file"]), _rows(document.get("rows", {})), document.get("rejected"))


def _written(file: File) -> dict[str, object]:
    """A file, and for a member of an archive that one."""
    own = {each.name: getattr(file, each.name) for each in fields(File) if each.name != "container"}
    return own if file.container is None else own | {"container": _written(file.container)}


def _file(document: Mapping[str, Any]) -> File:
    within = document.get("container")
    own = (document["path"], document["name"], document["version"], document["size"], document.get("modified", 0))
    return File(*own, container=None if within is None else _file(within))


def _headers(outcomes: Iterable[FileOutcome]) -> list[dict[str, object]]:
    """What files were seen to be, once for all files (by position) that are alike."""
    alike: dict[Seen, list[int]] = {}
    for index, outcome in enumerate(outcomes):
        if outcome.seen != Seen():
            alike.setdefault(outcome.seen, []).append(index)
    told = ({name: value for name, value in asdict(seen).items() if value} for seen in alike)
    return [each | {"files": files} for each, files in zip(told, alike.values(), strict=True)]


def _seen(document: Mapping[str, Any]) -> Seen:
    """By name; names that a newer version added are passed over."""
    names = ("missing", "ignored", "header", "numbers", "lacks", "brings", "added")
    missing, ignored, header, *rest = (tuple(document.get(name, ())) for name in names)
    return Seen(missing, ignored, header, document.get("encoding", ""), *rest)
