"""Where the files of a merged batch go, each as its feed says, over a storage in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from framework.batch import Batch, FileOutcome, Manifest
from framework.errors import LandfeedError, StorageError
from framework.feed import ArchiveAction, Feed
from framework.keeping import Kept
from framework.names import File, Rows, Table
from framework.plan.archiving import Moves, archive_files, archive_folder, secure
from framework.storages.memory import MemoryStorage
from tests.feeds import made_feed

LANDING, ARCHIVE, REJECTED = "/landing/orders/", "/archive/orders/", "/archive/_rejected/orders/"
NOW = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
REPLACED = "the file was replaced in landing; the new version is pending"
REMOVED = "the file was removed from landing"


def feed_of(action: ArchiveAction = ArchiveAction.MOVE) -> Feed:
    return made_feed(archive={"on_success": action})


def landed(storage: MemoryStorage, *names: str) -> list[File]:
    written = (storage.write(LANDING + name, name.encode()) for name in names)
    return [replace(file, name=name) for file, name in zip(written, names, strict=True)]


def manifest_of(files: Sequence[File], *rejected: str) -> Manifest:
    outcomes = [FileOutcome(file, rejected="it is empty" if file.name in rejected else None) for file in files]
    return Manifest.of(Batch("orders", 1, tuple(files)), NOW, outcomes, 0)


def paths(storage: MemoryStorage) -> list[str]:
    return sorted(file.path for file in storage.list("/", recursive=True))


def test_a_batch_has_a_folder_of_its_day_and_its_own() -> None:
    manifest = manifest_of(landed(MemoryStorage(), "a"))
    assert archive_folder(ARCHIVE, manifest) == f"{ARCHIVE}2026-01-31/{manifest.batch_id}/"


def test_files_are_moved_with_their_folders_and_rejected_ones_elsewhere() -> None:
    storage = MemoryStorage()
    files = landed(storage, "a", "x/a", "bad")
    manifest = manifest_of(files, "bad")
    to = f"2026-01-31/{manifest.batch_id}/"
    moves = archive_files(feed_of(), storage, manifest)
    where = [f"{ARCHIVE}{to}a", f"{ARCHIVE}{to}x/a", f"{REJECTED}{to}bad"]
    assert moves == Moves(dict(zip(files, where, strict=True)), {files[2]: "it is empty"})
    assert paths(storage) == sorted(where)
    assert archive_files(feed_of(), storage, manifest) == moves, "a second time comes to the same"


@pytest.mark.parametrize(
    ("action", "stays", "archived"),
    [
        (ArchiveAction.MOVE, False, True),
        (ArchiveAction.COPY, True, True),
        (ArchiveAction.DELETE, False, False),
        (ArchiveAction.KEEP, True, False),
    ],
)
def test_each_action(action: ArchiveAction, stays: bool, archived: bool) -> None:
    """A rejected file leaves landing whatever the feed says of good ones: it would be rejected again and again."""
    storage = MemoryStorage()
    good, bad = landed(storage, "good", "bad")
    manifest = manifest_of([good, bad], "bad")
    to = f"2026-01-31/{manifest.batch_id}/"
    moves = archive_files(feed_of(action), storage, manifest)
    assert moves.moved == {good: f"{ARCHIVE}{to}good" if archived else None, bad: f"{REJECTED}{to}bad"}
    assert moves.reasons == {bad: "it is empty"}
    wanted = [good.path] * stays + [f"{ARCHIVE}{to}good"] * archived + [f"{REJECTED}{to}bad"]
    assert paths(storage) == sorted(wanted)


@pytest.mark.parametrize("action", [ArchiveAction.MOVE, ArchiveAction.COPY, ArchiveAction.DELETE])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_is_another_one_by_now(action: ArchiveAction, replaced: bool) -> None:
    """One that is gone is as good as deleted, where that is what was to be done."""
    storage = MemoryStorage()
    (file,) = landed(storage, "a")
    storage.delete(file)
    if replaced:
        storage.write(file.path, b"another")
    moves = archive_files(feed_of(action), storage, manifest_of([file]))
    gone = None if action is ArchiveAction.DELETE else REMOVED
    assert moves.moved == {file: None}
    assert moves.reasons.get(file) == (REPLACED if replaced else gone)
    assert paths(storage) == ([file.path] if replaced else [])


def test_a_rejected_file_that_is_another_one_by_now_keeps_its_reason() -> None:
    storage = MemoryStorage()
    (file,) = landed(storage, "bad")
    storage.delete(file)
    assert archive_files(feed_of(), storage, manifest_of([file], "bad")) == Moves({file: None}, {file: "it is empty"})


def test_a_file_that_cannot_be_moved_stops_no_other() -> None:
    """Something else stands where it is to go."""
    storage = MemoryStorage()
    files = landed(storage, "a", "b")
    manifest = manifest_of(files)
    taken = archive_folder(ARCHIVE, manifest) + "a"
    storage.write(taken, b"something else")
    moves = archive_files(feed_of(), storage, manifest)
    assert moves.moved == {files[1]: archive_folder(ARCHIVE, manifest) + "b"}
    (error,) = moves.failed.values()
    assert (list(moves.failed), error.code) == ([files[0]], "archive_exists")
    assert storage.read(taken) == b"something else"
    assert storage.read(files[0].path) == b"a"


def test_a_batch_of_no_files() -> None:
    assert archive_files(feed_of(), MemoryStorage(), manifest_of([])) == Moves()


class Growing(MemoryStorage):
    """Somebody goes on writing to a file that was moved; `back` says whether it can go back then."""

    back = True

    def move(self, file: File, destination: str, *, root: str | None = None) -> bool:
        if destination.startswith(LANDING):
            if not self.back:
                raise StorageError("it is in use")
            return super().move(file, destination, root=root)
        moved = super().move(file, destination, root=root)
        if file.name == "a":
            self.write(destination, b"a and more")
        return moved


@pytest.mark.parametrize("back", [True, False])
def test_a_file_that_grows_after_it_was_read_goes_back_to_landing(back: bool) -> None:
    storage = Growing()
    storage.back = back
    files = landed(storage, "a", "b")
    manifest = manifest_of(files)
    to = archive_folder(ARCHIVE, manifest)
    moves = archive_files(feed_of(), storage, manifest)
    assert moves.moved == {files[0]: None if back else f"{to}a", files[1]: f"{to}b"}
    said = "it grew from 1 to 10 bytes after it was read"
    more = (
        "; it is back in landing, and pending" if back else ", and cannot go back to landing: copy it there when it is "
    )
    assert moves.reasons == {files[0]: said + more + ("" if back else "complete")}
    assert storage.read(files[0].path if back else f"{to}a") == b"a and more"


def test_objects_in_buckets_do_not_change_and_are_not_looked_at_again() -> None:
    storage = Growing()
    (file,) = landed(storage, "a")
    feed = made_feed(archive={"path": "gs://bucket/orders/"})
    to = archive_folder("gs://bucket/orders/", manifest_of([file])) + "a"
    assert archive_files(feed, storage, manifest_of([file])) == Moves({file: to})


# What must be so before files leave landing


class Keeps(Kept):
    """Tells what it was asked, and that a table is damaged."""

    def __init__(self, damaged: Table | None = None) -> None:
        self.damaged, self.secured = damaged, list[tuple[str, str, int, bool]]()

    def damage(self, table: Table) -> str | None:
        return f"table {table} is damaged" if table == self.damaged else None

    def secure(self, table: Table, feed: str, seq: int, *, data: bool = True) -> None:
        self.secured.append((table.name, feed, seq, data))


@pytest.mark.parametrize("quarantined", [0, 1])
def test_tables_are_secured_before_files_leave(quarantined: int) -> None:
    manifest = replace(manifest_of(landed(MemoryStorage(), "a")), rows=Rows(read=9, quarantined=quarantined))
    keeps = Keeps()
    secure(feed_of(), keeps, manifest)
    quarantine = [("shop.orders__quarantine", "orders", 1, True)] * quarantined
    assert keeps.secured == [
        ("shop.orders", "orders", 1, True),
        *quarantine,
        ("shop.orders__staging", "orders", 1, False),
    ]


@pytest.mark.parametrize("table", ["shop.orders", "shop.orders__quarantine"])
def test_files_stay_while_a_table_is_damaged(table: str) -> None:
    manifest = replace(manifest_of(landed(MemoryStorage(), "a")), rows=Rows(quarantined=1))
    with pytest.raises(LandfeedError, match=rf"^feed orders: table {table} is damaged$") as error:
        secure(feed_of(), Keeps(Table(table)), manifest)
    assert error.value.code == "table_damaged"
    assert "shop.orders__staging" in (error.value.hint or "")
