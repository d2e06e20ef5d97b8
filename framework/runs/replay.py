"""Replay: files of the archive are loaded again, as deliveries of their old order. They stay where they are.

A batch of archived files is a batch like others: killed anywhere, it is finished by the next run, whichever that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from framework.errors import Failure, LandfeedError
from framework.feed import Feed
from framework.law.deliveries import Delivery, as_replayed, replayable
from framework.law.discovery import Listing
from framework.leases import Leases
from framework.names import BatchState, File, Rows, Skipped, Status
from framework.plan.world import World
from framework.report import FeedReport
from framework.runs.archives import archived
from framework.runs.options import Options
from framework.runs.run import run_feeds

__all__ = ["Deliveries", "Replayed", "Selection", "moment", "replay"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries: of a batch, with a file (a path, or the end of one), since a moment; without any of these all
    of them. `force`: also where older files may take the place of newer rows."""

    batch: str | None = None
    file: str | None = None
    since: datetime | None = None
    force: bool = False

    def of(self, found: Sequence[Delivery]) -> list[Delivery]:
        """The deliveries that are meant, with the files that are."""
        chosen = [each for each in found if self.batch in (None, each.batch_id)]
        chosen = [each for each in chosen if self.since is None or each.at >= self.since]
        if self.file is None:
            return chosen
        ending = "/" + self.file.removeprefix("/")
        some = [replace(e, files=tuple(f for f in e.files if f"/{f.path}".endswith(ending))) for e in chosen]
        return [each for each in some if each.files]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A delivery that was loaded again, the batch that holds it, and what became of its rows."""

    feed: str
    delivery: Delivery
    batch_id: str
    rows: Rows

    @property
    def changed(self) -> bool:
        return bool(self.rows.inserted or self.rows.updated or self.rows.deleted)

    def as_dict(self) -> dict[str, Any]:
        files = [file.shown for file in self.delivery.files]
        about = {"feed": self.feed, "batch_id": self.delivery.batch_id, "at": self.delivery.at.isoformat()}
        return about | {"files": files, "replayed_as": self.batch_id, "rows": asdict(self.rows)}


@dataclass(slots=True)
class Deliveries:
    """Implements `framework.runs.landing.Waiting`: one delivery after the other is pending."""

    left: dict[str, list[Delivery]]
    notes: dict[str, tuple[Skipped, ...]] = field(default_factory=dict)

    def listing(self, feed: Feed) -> Listing:
        waiting = self.left.get(feed.name)
        return Listing(waiting[0].files if waiting else (), self.notes.get(feed.name, ()))

    def worked_on(self, feed: Feed, files: Iterable[File]) -> None:
        waiting, done = self.left.get(feed.name), {file.identity for file in files}
        if waiting:
            rest = tuple(file for file in waiting[0].files if file.identity not in done)
            waiting[:1] = [replace(waiting[0], files=rest)] if rest else []

    def look_again(self, feed: Feed) -> None:
        """What lies in an archive does not change; files that are gone are told when they are opened."""


def replay(
    feeds: Sequence[Feed], world: World, leases: Leases, selection: Selection, options: Options
) -> tuple[list[FeedReport], list[Replayed]]:
    """Load archived files of the feeds again. Reports come in the order of `feeds`."""
    refused: dict[str, FeedReport] = {}
    meant: dict[str, list[Delivery]] = {}
    notes: dict[str, tuple[Skipped, ...]] = {}
    for feed in feeds:
        try:
            meant[feed.name], notes[feed.name] = _meant(feed, world, selection)
        except LandfeedError as error:
            error.hide(world.hide)
            refused[feed.name] = _failed(feed, error.failure)
    going = [as_replayed(feed) for feed in feeds if feed.name not in refused]
    waiting = Deliveries({name: list(found) for name, found in meant.items()}, notes)
    reports = {report.feed: report for report in run_feeds(going, world, leases, options, waiting)}
    done = [each for feed in going for each in _replayed(feed, world, meant[feed.name])]
    return [refused.get(feed.name) or reports[feed.name] for feed in feeds], done


def _failed(feed: Feed, why: Failure) -> FeedReport:
    return FeedReport(feed.name, Status.FAILED, table=feed.target.table.name, error=why)


def _meant(feed: Feed, world: World, selection: Selection) -> tuple[list[Delivery], tuple[Skipped, ...]]:
    if not replayable(feed) and not selection.force:
        raise LandfeedError(
            f"feed {feed.name}: there is no target.sequence_by, so old files would count as the newest ones",
            f"say sequence_by, or --force if that is wanted (mode: {feed.target.mode}); or make the table anew: "
            f"landfeed rebuild {feed.name}",
            code="replay",
        )
    found, skipped = archived(feed, world.storage(feed), world.ledger)
    chosen = selection.of(found)
    if not chosen and (selection.batch or selection.file):
        raise LandfeedError(
            f"feed {feed.name}: no file in {feed.archive.path} is of {selection.batch or selection.file}",
            f"landfeed history {feed.name} --files says what was moved where; files that the feed's settings delete "
            "or leave in landing are not in the archive",
            code="replay",
        )
    return chosen, tuple(replace(skip, told=True) for skip in skipped)


def _replayed(feed: Feed, world: World, meant: Sequence[Delivery]) -> list[Replayed]:
    """What this run loaded again, by what it recorded."""
    mine = [event for event in world.ledger.batch_events(feeds=[feed.name]) if event.run_id == world.run_id]
    rows = {event.batch_id: event.rows for event in mine if event.state is BatchState.ARCHIVED}
    files: dict[str, set[str]] = {}
    for event in world.ledger.file_events(batch_ids=list(rows)) if rows else ():
        files.setdefault(event.batch_id, set()).add(event.file)
    found = []
    for batch_id in reversed(rows):  # oldest first
        for delivery in meant:
            some = tuple(file for file in delivery.files if file.shown in files.get(batch_id, ()))
            if some:
                found.append(Replayed(feed.name, replace(delivery, files=some), batch_id, rows[batch_id]))
    return found


def moment(text: str) -> datetime:
    """A day or a time as people write it, in UTC. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
