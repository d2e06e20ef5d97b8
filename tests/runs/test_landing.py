"""What landing folders hold: one listing for the feeds of a bucket, and when there are several."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from framework.engines.control import DeltaControl
from framework.engines.delta import DeltaTables
from framework.feed import Archive, Feed, Format, Quarantine, Source, Target
from framework.ledger import Ledger
from framework.names import File, Skipped, Table
from framework.runs.landing import Landing
from framework.storages.memory import MemoryStorage

ROOT = "mem://bucket/landing/"
ARCHIVE = "mem://bucket/archive/"


class Listed(MemoryStorage):
    """Memory that remembers what it was asked to list."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def list(
        self, folder: str, *, recursive: bool, tell: Callable[[Skipped], object] = lambda _: None
    ) -> Iterator[File]:
        self.asked.append(folder)
        yield from super().list(folder, recursive=recursive, tell=tell)


NOW = datetime(2026, 11, 26, tzinfo=UTC)


def feed(name: str, path: str | None = None, *, recursive: bool = False, archive: str = ARCHIVE) -> Feed:
    table = Table(f"a.{name}")
    return Feed(
        name,
        Source(path or f"{ROOT}{name}/", Format.CSV, recursive=recursive),
        (),
        Target(table, table.suffixed("__staging")),
        Quarantine(table.suffixed("__quarantine")),
        Archive(f"{archive}{name}/", f"{archive}_rejected/{name}/"),
    )


@pytest.fixture
def storage() -> Listed:
    return Listed()


@pytest.fixture
def ledger(tmp_path: os.PathLike[str]) -> Ledger:
    return Ledger(DeltaControl(DeltaTables(os.fspath(tmp_path), {})), "_landfeed")


def pending(landing: Landing, feeds: Sequence[Feed]) -> dict[str, list[str]]:
    return {feed.name: [file.name for file in landing.listing(feed).pending] for feed in feeds}


def test_feeds_below_one_folder_are_listed_once(storage: Listed, ledger: Ledger) -> None:
    feeds = [feed("a"), feed("b", recursive=True), feed("c", f"{ROOT}deep/er/c/"), feed("empty")]
    for name in ("a/1.csv", "a/not/here.csv", "b/1.csv", "b/day/2.csv", "deep/er/c/3.csv", "nobody/4.csv", "ab/5.csv"):
        storage.write(ROOT + name, b"x")
    landing = Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW)
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": ["1.csv", "day/2.csv"], "c": ["3.csv"], "empty": []}
    assert storage.asked == [ROOT]


def test_feeds_of_the_same_folder_share_its_files(storage: Listed, ledger: Ledger) -> None:
    feeds = [feed("a", ROOT), feed("b", ROOT), feed("inner", f"{ROOT}inner/")]
    storage.write(f"{ROOT}1.csv", b"x")
    storage.write(f"{ROOT}inner/2.csv", b"x")
    landing = Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW)
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": ["1.csv"], "inner": ["2.csv"]}
    assert storage.asked == [ROOT]


def test_an_archive_or_tables_are_not_listed_on_the_way(storage: Listed, ledger: Ledger) -> None:
    """Above them, the feeds' folders are listed group by group."""
    apart = [feed("x", "mem://bucket/in/x/"), feed("y", "mem://bucket/in/y/"), feed("z", "mem://bucket/other/z/")]
    for feeds, keep_out in (
        (apart, []),
        ([feed(f.name, f.source.path, archive="mem://x/") for f in apart], ["mem://bucket/tables"]),
    ):
        storage.asked.clear()
        pending(Landing(feeds, lambda _: storage, ledger, keep_out, clock=lambda: NOW), feeds)
        assert storage.asked == ["mem://bucket/in/", "mem://bucket/other/z/"]


def test_a_whole_bucket_is_listed_when_nothing_else_is_in_it(storage: Listed, ledger: Ledger) -> None:
    feeds = [feed("a", "mem://bucket/a/", archive="mem://old/"), feed("b", "mem://bucket/b/", archive="mem://old/")]
    pending(Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW), feeds)
    assert storage.asked == ["mem://bucket/"]


def test_one_feed_and_feeds_of_different_buckets_are_listed_by_themselves(storage: Listed, ledger: Ledger) -> None:
    feeds = [feed("a", "mem://one/in/"), feed("b", "mem://two/in/")]
    pending(Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW), feeds)
    pending(Landing(feeds[:1], lambda _: storage, ledger, clock=lambda: NOW), feeds[:1])
    assert storage.asked == ["mem://one/in/", "mem://two/in/", "mem://one/in/"]


def test_a_folder_of_mostly_foreign_objects_is_left(storage: Listed, ledger: Ledger) -> None:
    """After ten thousand of them, and ten for each file of a feed, each feed's own folder is listed."""
    feeds = [feed("a"), feed("b")]
    for name in feeds:
        storage.write(f"{name.source.path}1.csv", b"x")
    for number in range(10_020):
        storage.write(f"{ROOT}backup/{number}", b"")
    landing = Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW)
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": ["1.csv"]}
    assert storage.asked == [ROOT], "two files of feeds make up for twenty"
    storage.write(f"{ROOT}backup/one more", b"")
    storage.asked.clear()
    landing = Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW)
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": ["1.csv"]}
    assert storage.asked == [ROOT, f"{ROOT}a/", f"{ROOT}b/"]


def test_what_was_worked_on_is_not_pending_and_what_is_looked_at_again_is_new(storage: Listed, ledger: Ledger) -> None:
    feeds = [feed("a"), feed("b")]
    first, _ = (storage.write(f"{ROOT}a/{number}.csv", b"x") for number in range(2))
    landing = Landing(feeds, lambda _: storage, ledger, clock=lambda: NOW)
    landing.worked_on(feeds[0], landing.listing(feeds[0]).pending[:1])
    storage.write(f"{ROOT}b/late.csv", b"x")
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": []}
    landing.look_again(feeds[1])
    assert pending(landing, feeds) == {"a": ["1.csv"], "b": ["late.csv"]}
    assert first.path == f"{ROOT}a/0.csv"
    assert storage.asked == [ROOT, f"{ROOT}b/"]
