"""What every engine does, verb by verb: the same bodies for each, and over Spark Connect too.

The figures and rows of three days are written down here once. Engines are driven directly (`driving`), and what
they leave is read by neither's own code. A test that only looks at the three days shares them with the others.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from framework.batch import Batch, Manifest
from framework.errors import Conflict, LandfeedError, PolicyError, SourceChanged
from framework.feed import AllBad, Feed
from framework.names import File, Rows, Table
from framework.plan.targets import staged_otherwise
from tests.engines.driving import FIRST_DAY, Drive, Staged, reasons

pytestmark = [pytest.mark.connect, pytest.mark.rarely]
ENGINES = ["embedded", pytest.param("spark", marks=pytest.mark.spark)]

FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema:
  id: bigint
  name: string
  at: timestamp
target: {{table: s.{name}, keys: [id], sequence_by: at, audit_columns: {audit}}}
"""
HEADER = "id,name,at\n"


def feed_of(drive: Drive, name: str, *, audit: str = "false", more: str = "") -> Feed:
    """The feed of most tests, with columns more (as YAML lines of the schema)."""
    return drive.feed(FEED.format(name=name, audit=audit).replace("target:", f"{more}target:"))


def lines(*rows: tuple[object, str, int]) -> str:
    """A file of rows (id, name, day of January)."""
    return HEADER + "".join(f"{key},{name},2026-01-{day:02}\n" for key, name, day in rows)


@pytest.fixture(scope="module", params=ENGINES)
def drive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """An engine over a root of its own, for all tests of this file; each test has a feed of its own."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    made = Drive(request.param, os.fspath(tmp_path_factory.mktemp(request.param)))
    yield made
    made.close()


# Three days of a feed, which many tests look at


@dataclass(frozen=True, slots=True)
class Day:
    """What a batch was made of, gave and left behind."""

    files: tuple[File, ...]
    staged: tuple[Staged, Sequence[tuple[Any, ...]]]
    merged: tuple[Rows, int]
    target: Sequence[tuple[Any, ...]]
    commits: Sequence[str]
    """All commits so far."""

    @property
    def rows(self) -> dict[str, Rows]:
        """The figures of each file that was not rejected."""
        return {outcome.file.name: outcome.rows for outcome in self.staged[0].manifest.loaded}


DAYS = [
    {
        "a.csv": lines((1, "one", 3), (2, "two", 3), ("x", "no number", 3), (2, "two later", 4)),
        "b.csv": lines((3, "three", 3), (4, "", 3)) + ",no key,2026-01-03\n5,ragged\n",
        "c.csv": "name\nno key column\n",
        "d.csv": "",
    },
    {
        "e.csv": lines((1, "one anew", 5), (2, "two too late", 1), (6, "six", 5), ("y", "bad", 5)),
        "f.csv": lines((3, "three", 3), (4, "four", 5), (6, "six too early", 4)),
    },
    {"g.csv": lines((3, "three", 3), (2, "two too late", 2))},
]


@dataclass(frozen=True, slots=True)
class Story:
    drive: Drive
    feed: Feed
    days: Sequence[Day]


@pytest.fixture(scope="module")
def story(drive: Drive) -> Story:
    feed, days = feed_of(drive, "story", audit="true"), []
    for seq, contents in enumerate(DAYS, 1):
        files = tuple(drive.land(feed, name, text) for name, text in contents.items())
        staged, merged = drive.load(feed, seq, files)
        at_rest = staged, drive.rows(feed.target.staging, "id, name, split_part(_source_file, '/', -1) f")
        target = drive.rows(feed.target.table, "id, name, split_part(_source_file, '/', -1) f")
        days.append(Day(files, at_rest, (merged.rows, merged.version), target, drive.commits(feed)))
    return Story(drive, feed, days)


def test_the_figures_of_each_file(story: Story) -> None:
    assert story.days[0].rows == {
        "a.csv": Rows(read=4, staged=2, quarantined=1, deduplicated=1),
        "b.csv": Rows(read=4, staged=2, quarantined=2),
    }
    assert story.days[1].rows == {
        "e.csv": Rows(read=4, staged=3, quarantined=1),
        "f.csv": Rows(read=3, staged=2, deduplicated=1),
    }
    assert story.days[2].rows == {"g.csv": Rows(read=2, staged=2)}


def test_files_that_cannot_be_read_are_rejected_with_a_reason(story: Story) -> None:
    rejected = {outcome.file.name: outcome.rejected for outcome in story.days[0].staged[0].manifest.rejected}
    assert rejected == {
        "c.csv": "there is no column 'id', 'at' in the file; it has 'name'",
        "d.csv": "the file is empty (0 bytes)",
    }


def test_staging_holds_the_rows_that_count(story: Story) -> None:
    assert story.days[0].staged[1] == [
        ("1", "one", "a.csv"),
        ("2", "two later", "a.csv"),
        ("3", "three", "b.csv"),
        ("4", None, "b.csv"),
    ]
    assert [row[0] for row in story.days[1].staged[1]] == ["1", "2", "3", "4", "6"]
    assert [row[0] for row in story.days[2].staged[1]] == ["2", "3"]


def test_staging_tells_which_batch_it_holds(story: Story) -> None:
    """… and since when."""
    day = story.days[2]
    audit = story.drive.rows(story.feed.target.staging, "_batch_id, CAST(_loaded_at AS DATE) d")
    assert audit == [(day.staged[0].manifest.batch_id, "2026-01-03")] * 2


def test_bad_rows_are_in_the_quarantine_with_their_reasons(story: Story) -> None:
    assert reasons(story.drive, story.feed) == [
        ("a.csv", "4", "x,no number,2026-01-03", "bad_value", "id"),
        ("b.csv", "4", ",no key,2026-01-03", "null_key", "id"),
        ("b.csv", "5", "5,ragged", "malformed_record", None),
        ("e.csv", "5", "y,bad,2026-01-05", "bad_value", "id"),
    ]


def test_the_quarantine_tells_feed_and_batch(story: Story) -> None:
    found = story.drive.rows(story.feed.quarantine.table, "CAST(_quarantined_at AS DATE) d, _feed, _batch_id")
    ids = [day.staged[0].manifest.batch_id for day in story.days]
    assert found == [("2026-01-01", "story", ids[0])] * 3 + [("2026-01-02", "story", ids[1])]


def test_a_first_load_inserts_everything(story: Story) -> None:
    staged = story.days[0].staged[0].manifest.rows
    assert story.days[0].merged[0] == replace(staged, inserted=4)
    assert story.days[0].target == story.days[0].staged[1]


def test_rows_are_counted_by_what_they_did(story: Story) -> None:
    staged = story.days[1].staged[0].manifest.rows
    assert story.days[1].merged[0] == replace(staged, inserted=1, updated=2, unchanged=1, stale=1)


def test_the_target_holds_the_newest_row_of_each_key(story: Story) -> None:
    """… and says from which file it came: what changed nothing leaves no trace."""
    assert story.days[1].target == [
        ("1", "one anew", "e.csv"),
        ("2", "two later", "a.csv"),
        ("3", "three", "b.csv"),
        ("4", "four", "f.csv"),
        ("6", "six", "e.csv"),
    ]


def test_a_batch_that_changes_nothing(story: Story) -> None:
    staged = story.days[2].staged[0].manifest.rows
    assert story.days[2].merged[0] == replace(staged, unchanged=1, stale=1)
    assert story.days[2].target == story.days[1].target


@pytest.mark.parametrize("day", [0, 1, 2])
def test_the_manifest_is_in_the_commits(story: Story, day: int) -> None:
    """Staging's with the files, the target's with the figures of its merge; those of earlier days too."""
    drive, feed, seq = story.drive, story.feed, day + 1
    staged, (rows, version) = story.days[day].staged[0], story.days[day].merged
    assert drive.manifest(feed, feed.target.staging, seq) == (staged.manifest, staged.version)
    found = drive.manifest(feed, feed.target.table, seq)
    assert found is not None
    assert (found[0].batch_id, found[0].rows, found[0].outcomes, found[1]) == (
        staged.manifest.batch_id,
        rows,
        (),
        version,
    )
    quarantined = drive.manifest(feed, feed.quarantine.table, seq)
    assert (quarantined[0] if quarantined else None) == (staged.manifest if staged.manifest.rows.quarantined else None)
    assert staged.manifest.staged_at.day == FIRST_DAY.day + day


def test_tables_know_the_last_batch_of_a_feed(story: Story) -> None:
    drive, feed = story.drive, story.feed
    tables = (feed.target.staging, feed.quarantine.table, feed.target.table)
    states = [drive.state(feed, table) for table in tables]
    assert [state.seq if state else None for state in states] == [3, 2, 3]
    assert [state.version if state else None for state in states] == [drive.version(table) for table in tables]
    target = states[2]
    assert target is not None
    assert target.columns[:3] == (("id", "bigint"), ("name", "string"), ("at", "timestamp"))
    assert [drive.engine.state(table, "another") for table in tables] != [None] * 3
    assert [state.seq for table in tables if (state := drive.engine.state(table, "another"))] == [None] * 3


def test_what_is_not_there(drive: Drive) -> None:
    feed = feed_of(drive, "never")
    assert drive.state(feed, feed.target.table) is None
    assert drive.manifest(feed, feed.target.table, 1) is None
    assert drive.engine.preview(feed.target.table, 5) is None
    drive.discard(feed, "0123456789abcdef")
    drive.add_columns(feed.target.table, more="int")
    assert drive.state(feed, feed.target.table) is None


def test_a_preview_shows_values_as_text(story: Story) -> None:
    found = story.drive.engine.preview(story.feed.target.table, 2)
    assert found is not None
    assert found.columns[:2] == ("id", "name")
    assert [row[:2] for row in found.rows] == [("1", "one anew"), ("2", "two later")]


def test_a_batch_without_a_good_row(drive: Drive) -> None:
    """Staging is empty then, the target is there and empty, and the batch counts."""
    feed = feed_of(drive, "nothing_good")
    feed = replace(feed, quarantine=replace(feed.quarantine, all_bad=AllBad.LOAD))
    staged, merged = drive.load(feed, 1, [drive.land(feed, "1.csv", lines(("x", "a", 1), ("y", "b", 1)))])
    assert staged.manifest.rows == merged.rows == Rows(read=2, quarantined=2)
    assert (drive.rows(feed.target.staging), drive.rows(feed.target.table)) == ([], [])
    assert len(reasons(drive, feed)) == 2
    staged, merged = drive.load(feed, 2, [drive.land(feed, "2.csv", lines(("z", "c", 1)))])
    assert merged.rows == Rows(read=1, quarantined=1)
    state = drive.state(feed, feed.target.table)
    assert state is not None
    assert state.seq == 2
    _, merged = drive.load(feed, 3, [drive.land(feed, "3.csv", lines((1, "d", 1)))])
    assert merged.rows.inserted == 1


def test_a_file_of_bad_rows_only_is_rejected(drive: Drive) -> None:
    """Its rows are in no table, and the other files of the batch are loaded."""
    feed = feed_of(drive, "all_bad")
    files = [
        drive.land(feed, "1.csv", lines(("x", "a", 1), ("y", "b", 1))),
        drive.land(feed, "2.csv", lines((1, "c", 1))),
    ]
    staged, merged = drive.load(feed, 1, files)
    assert [outcome.rejected is not None for outcome in staged.manifest.outcomes] == [True, False]
    assert merged.rows == Rows(read=1, staged=1, inserted=1)
    assert reasons(drive, feed) == []


def test_limits_reject_a_file_or_stop_the_batch(drive: Drive) -> None:
    """A rejected file's rows, good and bad, are nowhere; a batch that is stopped leaves nothing at all."""
    contents = {
        "good.csv": lines((1, "a", 1), ("x", "b", 1)),
        "bad.csv": lines((2, "c", 1), ("y", "d", 1), ("z", "", 1)),
    }
    feed = drive.feed(FEED.format(name="limited", audit="false") + "quarantine: {max_bad_rows: 1}\n")
    staged = drive.stage(feed, 1, [drive.land(feed, name, text) for name, text in contents.items()])
    (rejected,) = staged.manifest.rejected
    assert (rejected.file.name, rejected.rows) == ("bad.csv", Rows())
    assert "2 bad rows" in (rejected.rejected or "")
    assert [row[0] for row in reasons(drive, feed)] == ["good.csv"]
    assert drive.rows(feed.target.staging, "id") == [("1",)]
    text = FEED.format(name="stopped", audit="false") + "quarantine: {max_bad_rows: 1, on_exceed: fail}\n"
    feed = drive.feed(text)
    with pytest.raises(PolicyError):
        drive.stage(feed, 1, [drive.land(feed, name, text) for name, text in contents.items()])
    assert drive.state(feed, feed.quarantine.table) is None
    state = drive.state(feed, feed.target.staging)
    assert state is None or state.seq is None


# The same batch again, an older one, and others at the same time


def test_merged_twice_is_merged_once(story: Story) -> None:
    """The second one is told what the first one did."""
    drive, feed, last = story.drive, story.feed, story.days[-1]
    before = drive.version(feed.target.table)
    again = drive.merge(feed, last.staged[0])
    assert (again.rows, again.version) == last.merged
    assert drive.version(feed.target.table) == before


def test_feeds_that_share_a_target_find_their_own_batches(drive: Drive) -> None:
    """Of the same number, in tables that hold both: one feed's is no other's, also where a process has died between
    the two merges."""
    one, other = feed_of(drive, "shares"), feed_of(drive, "shares_too")
    other = replace(other, target=replace(other.target, table=one.target.table), quarantine=one.quarantine)
    first = drive.stage(one, 1, [drive.land(one, "1.csv", lines((1, "one", 1), ("x", "bad", 1)))])
    second = drive.stage(other, 1, [drive.land(other, "1.csv", lines((2, "two", 1), ("y", "bad", 1), ("z", "bad", 1)))])
    drive.prepare(one)
    merged = drive.merge(one, first)
    assert drive.manifest(other, one.target.table, 1) is None
    state = drive.state(other, one.target.table)
    assert (state.seq if state else 0) is None
    died = drive.another()
    rows = died.merge(other, second)
    died.close()
    assert (rows.rows.inserted, drive.rows(one.target.table, "id")) == (1, [("1",), ("2",)])
    for feed, staged, version in ((one, first, merged.version), (other, second, rows.version)):
        found = drive.manifest(feed, one.target.table, 1)
        assert found is not None
        assert (found[0].batch_id, found[0].batch.feed, found[1]) == (staged.manifest.batch_id, feed.name, version)
        bad = drive.manifest(feed, one.quarantine.table, 1)
        assert bad is not None
        assert bad[0] == staged.manifest
    drive.discard(other, second.manifest.batch_id)
    assert [row[1] for row in reasons(drive, one)] == ["3"]


def test_an_older_batch_is_refused(story: Story) -> None:
    drive, feed, before = story.drive, story.feed, story.drive.version(story.feed.target.table)
    with pytest.raises(LandfeedError) as refused:
        drive.merge(feed, story.days[0].staged[0])
    assert refused.value.code == "superseded"
    assert drive.version(feed.target.table) == before


@pytest.mark.parametrize("others", [0, 20_001], ids=["small", "large"])
def test_a_key_that_the_target_has_twice_is_named(drive: Drive, others: int) -> None:
    """Before anything is written, also where a batch is too large for its cases to be told first; when one of the
    rows is gone the batch is merged."""
    feed = feed_of(drive, f"key_twice_{others}")
    drive.load(feed, 1, [drive.land(feed, "1.csv", lines((1, "a", 1), (2, "b", 1)))])
    drive.write(feed.target.table, id="1")
    staged = drive.stage(
        feed, 2, [drive.land(feed, "2.csv", lines((1, "c", 2), *((9 + n, "", 1) for n in range(others))))]
    )
    before = drive.version(feed.target.table)
    with pytest.raises(LandfeedError, match=f"{feed.target.table} has 2 rows with the key id = 1, ") as refused:
        drive.merge(feed, staged)
    assert refused.value.code == "key_twice"
    assert drive.version(feed.target.table) == before
    drive.write(feed.target.table, id="CASE WHEN name = 'a' THEN 1 ELSE 2 END")
    rows = drive.merge(feed, staged).rows
    assert (rows.inserted, rows.updated, rows.unchanged) == (others, 1, 0)


def test_a_batch_is_staged_once(drive: Drive) -> None:
    """A second time is refused, and leaves what was staged first, which is merged."""
    feed = feed_of(drive, "twice")
    files = [drive.land(feed, "a.csv", lines((1, "a", 1), ("x", "b", 1)))]
    staged = drive.stage(feed, 1, files)
    with pytest.raises(Conflict, match="feed twice: another runner staged it at the same time"):
        drive.stage(feed, 1, files)
    assert drive.manifest(feed, feed.target.staging, 1) == (staged.manifest, staged.version)
    assert reasons(drive, feed) == [("a.csv", "3", "x,b,2026-01-01", "bad_value", "id")]
    assert drive.rows(feed.target.staging, "id") == [("1",)]
    drive.prepare(feed)
    assert drive.merge(feed, staged).rows.inserted == 1
    assert drive.rows(feed.target.table, "id") == [("1",)]


def test_what_comes_in_place_of_an_opened_file_is_not_read(drive: Drive) -> None:
    """… also when the file is back before anybody looks."""
    feed = feed_of(drive, "swapped")
    kept, file = (drive.land(feed, name, lines((1, name, 1))) for name in ("kept.csv", "swapped.csv"))
    secret, away = f"{file.path}.secret", f"{file.path}.away"
    with open(secret, "w", encoding="utf-8") as out:
        out.write(lines((2, "secret", 1)))

    def swap() -> None:
        os.rename(file.path, away)
        os.symlink(secret, file.path)

    with pytest.raises(SourceChanged) as raised:
        drive.stage(feed, 1, [kept, file], opened=swap, meanwhile=lambda: os.replace(away, file.path))
    assert raised.value.paths == (file.path,)
    assert drive.manifest(feed, feed.target.staging, 1) is None
    assert "secret" not in {name for (name,) in drive.rows(feed.target.staging, "name")}


def test_of_two_that_stage_at_the_same_time_one_is_refused(drive: Drive) -> None:
    """Another runner stages other files as the same batch while this one reads: the first one has it whole."""
    feed = feed_of(drive, "staged_by_two")
    ours, theirs = (drive.land(feed, name, lines((1, name, 1))) for name in ("ours.csv", "theirs.csv"))
    drive.load(feed, 1, [drive.land(feed, "before.csv", lines((2, "before", 1)))])
    other, staged = drive.another(), []
    with pytest.raises(Conflict, match="feed staged_by_two: another runner staged it at the same time"):
        drive.stage(feed, 2, [ours], meanwhile=lambda: staged.append(other.stage(feed, 2, [theirs])))
    (first,) = staged
    assert other.merge(feed, first).rows == replace(first.manifest.rows, inserted=1)
    assert drive.rows(feed.target.table, "id, name") == [("1", "theirs.csv"), ("2", "before")]
    other.close()


def test_another_writer_commits_between(drive: Drive) -> None:
    """Its commits and ours are never mixed: a merge that meets one changes nothing and is done again."""
    feed = feed_of(drive, "contended")
    drive.load(feed, 1, [drive.land(feed, "1.csv", lines(*((key, "old", 1) for key in range(20))))])
    staged = drive.stage(feed, 2, [drive.land(feed, "2.csv", lines(*((key, "new", 2) for key in range(10, 30))))])
    stop, merged, conflicts = threading.Event(), None, 0

    def write() -> None:
        while not stop.is_set():
            drive.write(feed.target.table, name="CASE WHEN id = 7 THEN 'theirs' ELSE name END")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while merged is None:
            try:
                merged = drive.merge(feed, staged)
            except Conflict:
                conflicts += 1
                stop.set()
                writer.join()
    finally:
        stop.set()
        writer.join()
    assert conflicts == 1
    assert merged.rows == replace(staged.manifest.rows, inserted=10, updated=10)
    expected = {str(key): "new" if key >= 10 else "theirs" if key == 7 else "old" for key in range(30)}
    assert dict(drive.rows(feed.target.table, "id, name")) == expected


# A process that dies between two commits


@pytest.mark.parametrize("day", [pytest.param(0, marks=pytest.mark.local_spark), 1])
def test_a_crash_after_any_commit_is_made_good(story: Story, tmp_path: os.PathLike[str], day: int) -> None:
    """Whatever a batch has committed when its process dies: once the next one has done the rest, all is as without."""
    done, before = story.days[day], story.days[day - 1].commits if day else []
    expected = reasons_of(story, day)
    for survived in range(len(before), len(done.commits)):
        folder = os.path.join(tmp_path, str(survived))
        world = story.drive.crashed(story.feed, done.commits[:survived], folder)
        staged, merged = world.resume(story.feed, day + 1, done.files)
        assert staged.manifest == done.staged[0].manifest
        assert merged.rows == done.merged[0], done.commits[:survived]
        assert world.rows(story.feed.target.table, "id, name, split_part(_source_file, '/', -1) f") == done.target
        assert reasons(world, story.feed) == expected
        world.close()


def test_a_crash_between_staging_and_target_needs_no_second_staging(story: Story, tmp_path: os.PathLike[str]) -> None:
    """What the next process needs, it finds in staging."""
    done, feed = story.days[1], story.feed
    targets = [path for path in done.commits if not is_of(feed.target.table, path)]
    world = story.drive.crashed(feed, [*story.days[0].commits, *targets], os.fspath(tmp_path))
    found = world.manifest(feed, feed.target.staging, 2)
    assert found is not None
    assert world.merge(feed, Staged(*found, ())).rows == done.merged[0]
    assert world.rows(feed.target.table, "id, name, split_part(_source_file, '/', -1) f") == done.target
    world.close()


def test_an_orphan_in_the_quarantine_is_discarded(story: Story, tmp_path: os.PathLike[str]) -> None:
    """The process died after the quarantine's commit, and the files are not to be loaded any more."""
    done, feed = story.days[1], story.feed
    before = story.days[0].commits
    quarantined = [path for path in done.commits if is_of(feed.quarantine.table, path)]
    world = story.drive.crashed(feed, sorted({*before, *quarantined}), os.fspath(tmp_path))
    state = world.state(feed, feed.quarantine.table)
    assert state is not None
    assert state.seq == 2
    world.discard(feed, done.staged[0].manifest.batch_id)
    assert reasons(world, feed) == reasons_of(story, 0)
    world.discard(feed, done.staged[0].manifest.batch_id)
    staged, merged = world.load(feed, 3, [done.files[1]])
    assert (staged.manifest.rows.staged, merged.rows.inserted) == (3, 1)
    world.close()


def reasons_of(story: Story, day: int) -> list[tuple[Any, ...]]:
    """What the quarantine holds after a day."""
    names = {file.name for each in story.days[: day + 1] for file in each.files}
    return [row for row in reasons(story.drive, story.feed) if row[0] in names]


def is_of(table: Table, commit: str) -> bool:
    return commit.startswith(os.path.join(*table.parts, "_delta_log"))


# Columns


def test_columns_are_added_once(drive: Drive) -> None:
    """… and old rows hold NULL in them; a feed without them goes on as before."""
    feed = feed_of(drive, "grows")
    drive.load(feed, 1, [drive.land(feed, "1.csv", lines((1, "a", 1), (3, "c", 1)))])
    wider = feed_of(drive, "grows", more="  note: string\n  amount: 'decimal(9,2)'\n")
    for _ in range(2):
        drive.prepare(wider)
    drive.prepare(feed)
    state = drive.state(feed, feed.target.table)
    assert state is not None
    assert state.columns[3:] == (("note", "string"), ("amount", "decimal(9,2)"))
    text = "id,name,at,note,amount\n1,a,2026-01-01,x,\n2,b,2026-01-01,,1.5\n"
    _, merged = drive.load(wider, 2, [drive.land(wider, "2.csv", text)])
    assert (merged.rows.inserted, merged.rows.updated) == (1, 1)
    assert drive.rows(feed.target.table, "id, note, amount") == [
        ("1", "x", None),
        ("2", None, "1.50"),
        ("3", None, None),
    ]
    _, merged = drive.load(feed, 3, [drive.land(feed, "3.csv", lines((1, "a", 1)))])
    assert merged.rows.unchanged == 1


TYPES = [
    *("string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp"),
    *("timestamp_ntz", "decimal(9,2)", "decimal(38,0)", "array<bigint>", "map<string,date>"),
    "struct<a:int,b:array<struct<c:timestamp>>>",
]


def test_staging_has_the_columns_of_the_schema(drive: Drive) -> None:
    """… in its types, which is how it is known that it holds what the feed says now."""
    more = "".join(f"  c{index}: '{type_}'\n" for index, type_ in enumerate(TYPES))
    feed = feed_of(drive, "typed", more=more)
    for seq, rows in enumerate((lines((1, "a", 1)), HEADER + "x,bad,2026-01-01\n2,b,2026-01-01\n"), 1):
        staged = drive.stage(feed, seq, [drive.land(feed, f"{seq}.csv", rows)])
        state = drive.state(feed, feed.target.staging)
        assert state is not None
        assert (state.version, state.columns) == (staged.version, staged.columns)
        assert staged_otherwise(feed, staged.manifest, state.columns) is None
        assert state.columns[3:-3] == tuple((f"c{index}", type_) for index, type_ in enumerate(TYPES))


def test_a_column_that_another_writer_added_in_other_letters(drive: Drive) -> None:
    """Table columns ignore case: it is the feed's column, and stays as it is written."""
    feed = feed_of(drive, "letters")
    drive.load(feed, 1, [drive.land(feed, "1.csv", lines((1, "a", 1)))])
    drive.add_columns(feed.target.table, Note="string")
    wider = feed_of(drive, "letters", more="  note: string\n")
    drive.prepare(wider)
    state = drive.state(feed, feed.target.table)
    assert state is not None
    assert [name for name, _ in state.columns] == ["id", "name", "at", "Note"]
    for day, inserted in ((2, 1), (3, 0)):
        text = "id,name,at,note\n1,a,2026-01-01,x\n2,b,2026-01-01,y\n"
        _, merged = drive.load(wider, day, [drive.land(wider, f"{day}.csv", text)])
        assert (merged.rows.inserted, merged.rows.updated) == (inserted, inserted), "the second time is the same again"
    assert drive.rows(feed.target.table, "id, Note") == [("1", "x"), ("2", "y")]


def test_a_constraint_of_the_target_is_named(drive: Drive) -> None:
    """It is known only when rows are written; nothing is then, whether they are appended or merged."""
    feed = feed_of(drive, "constrained")
    drive.prepare(feed)
    drive.constrain(feed.target.table, "no_x", "name <> 'x'")

    def refuse(seq: int, *rows: tuple[object, str, int]) -> None:
        staged = drive.stage(feed, seq, [drive.land(feed, f"{seq}.csv", lines(*rows))])
        with pytest.raises(LandfeedError, match=r"refuses rows of this batch: they break no_x \(.*'x'\)") as raised:
            drive.merge(feed, staged)
        assert raised.value.code == "constraint"

    refuse(1, (1, "x", 1), (5, "b", 1))
    drive.load(feed, 2, [drive.land(feed, "2.csv", lines((1, "a", 1)))])
    refuse(3, (1, "x", 2), (5, "b", 1))
    assert drive.rows(feed.target.table, "id, name") == [("1", "a")]


NAMES = ["odd`name", 'quo"ted', "o'clock", "select", "größe", "back\\slash", "$dollar"]


def test_columns_with_odd_names(drive: Drive) -> None:
    """As key, as sequence, as value; on the first day and on the next ones."""
    schema = "".join(f"  {quoted(name)}: string\n" for name in NAMES)
    feed = drive.feed(
        'feed: odd\nsource: {path: "${landing}/odd/", format: csv}\nschema:\n'
        f"  {quoted('the`key')}: bigint\n  {quoted('the`time')}: timestamp\n{schema}"
        f"target: {{table: s.odd, keys: [{quoted('the`key')}], sequence_by: {quoted('the`time')}}}\n"
    )
    header = "the`key,the`time," + ",".join('"' + name.replace('"', '""') + '"' for name in NAMES) + "\n"
    for day, (key, value) in enumerate([(1, "a"), (1, "b"), (2, "c")], 1):
        text = f"{header}{key},2026-01-0{day}{f',{value}' * len(NAMES)}\n"
        bad = f"x,2026-01-0{day}{',bad' * len(NAMES)}\n"
        drive.load(feed, day, [drive.land(feed, f"{day}.csv", text + bad)])
    assert [row[2:] for row in drive.rows(feed.target.table)] == [tuple("b" * len(NAMES)), tuple("c" * len(NAMES))]
    assert {row[4] for row in reasons(drive, feed)} == {"the`key"}


def quoted(name: str) -> str:
    """A name as YAML, in quotes."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_a_table_holds_what_another_one_holds(drive: Drive) -> None:
    """Columns, types and comments too, in one commit, which carries the batch; also where there was no table."""
    feed, other = feed_of(drive, "taken"), feed_of(drive, "giving", audit="true")
    _, merged = drive.load(feed, 1, [drive.land(feed, "1.csv", lines((1, "old", 1)))])
    staged, _ = drive.load(other, 1, [drive.land(other, "1.csv", lines((2, "new", 1), (3, "new", 2)))])
    batch = Batch(feed.name, 7, ())
    manifest = Manifest.of(batch, staged.manifest.staged_at, (), 0.0)
    version = drive.take_over(feed.target.table, other.target.table, manifest)
    assert version == merged.version + 1 == drive.version(feed.target.table)
    assert drive.rows(feed.target.table) == drive.rows(other.target.table)
    state, source = drive.state(feed, feed.target.table), drive.state(other, other.target.table)
    assert state is not None
    assert source is not None
    assert (state.seq, state.columns) == (7, source.columns)
    assert drive.manifest(feed, feed.target.table, 7) == (manifest, version)
    fresh = Table("s.fresh")
    drive.take_over(fresh, other.target.table)
    assert drive.rows(fresh) == drive.rows(other.target.table)
