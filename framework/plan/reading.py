"""Reading: a batch's files are opened, and what they bring that the schema does not have is taken into account; and
when they are read it is checked that they are still the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from framework.batch import FileOutcome
from framework.engine import TableState
from framework.errors import LandfeedError, SourceChanged
from framework.feed import Feed
from framework.law.additions import brought, laid_out, with_added
from framework.law.modes import change_of
from framework.opening import Piece, Ways, open_batch
from framework.steps import Stage
from framework.storage import Storage

__all__ = ["check_read", "opened", "with_brought"]


def opened(
    step: Stage, storage: Storage, folder: str, ways: Ways, target: TableState | None
) -> tuple[Stage, list[Piece]]:
    """The batch's opened files, and the step for a feed that has the columns which they add. Raises SourceChanged and
    SetAside."""
    pieces = open_batch(step.feed, step.batch.files, storage, folder, ways)
    feed, pieces = with_brought(step.feed, pieces, target)
    return (step if feed is step.feed else replace(step, feed=feed, survivor=change_of(feed).survivor)), pieces


def with_brought(feed: Feed, pieces: Iterable[Piece], target: TableState | None) -> tuple[Feed, list[Piece]]:
    """The feed with the columns that opened files add, and the files as they are read by it."""
    pieces = list(pieces)
    new = brought(feed, [piece.layout for piece in pieces], target.columns if target is not None else ())
    if not new:
        return feed, pieces
    feed = with_added(feed, new)
    return feed, [replace(piece, layout=laid_out(feed, piece.layout)) for piece in pieces]


def check_read(storage: Storage, step: Stage, pieces: Sequence[Piece], outcomes: Sequence[FileOutcome]) -> None:
    """Check that the files that were read in place are still the ones in landing, and that the figures add up."""
    read = dict.fromkeys(piece.source.file.landed for piece in pieces if piece.source.may_have_changed)
    heads = ((file, storage.head(file.path)) for file in read)
    changed = [file.path for file, head in heads if head is None or head.identity != file.identity]
    if changed:
        raise SourceChanged(changed)
    for outcome in outcomes:
        if not outcome.rows.stage_balances:
            raise LandfeedError(
                f"feed {step.feed.name}, file {outcome.file.path}: the row figures do not add up: {outcome.rows}",
                "this is a defect in Landfeed: nothing was written, please report it",
                code="conservation",
            )
