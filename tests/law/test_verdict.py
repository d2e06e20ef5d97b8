"""What becomes of a file: its figures at, below and above the limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.batch import FileOutcome, Seen
from framework.errors import LandfeedError, PolicyError
from framework.feed import AllBad, Archive, Column, Feed, Format, MembersOnError, OnExceed, Quarantine, Source, Target
from framework.law.verdict import Figures, conserved, judge, most_frequent
from framework.names import File, Reason, Rows, Table
from framework.types import Scalar

TABLE = Table("s.t")
FEED = Feed(
    "t",
    Source("/landing/t/", Format.CSV),
    (Column("id", Scalar("int"), ("id",)),),
    Target(TABLE, TABLE.suffixed("__staging"), keys=("id",)),
    Quarantine(TABLE.suffixed("__quarantine")),
    Archive("/archive/t/", "/archive/_rejected/t/"),
)
FIRST = Reason("bad_value", "id", 2, "x", 3, "not an int")


def limited(
    max_bad_rows: int | None = None,
    max_bad_ratio: float | None = None,
    all_bad: AllBad = AllBad.REJECT_FILE,
    on_exceed: OnExceed = OnExceed.REJECT_FILE,
) -> Feed:
    return replace(FEED, quarantine=Quarantine(TABLE, max_bad_rows, max_bad_ratio, all_bad, on_exceed))


def file(name: str = "a.csv") -> File:
    return File(f"/landing/t/{name}", name, 1, 1, 1)


def why(feed: Feed, read: int, bad: int, filtered: int = 0) -> str | None:
    return judge(feed, [Figures(file(), read, bad, filtered)]).rejected[0]


@pytest.mark.parametrize(("bad", "reason"), [(0, None), (2, None), (3, "3 bad rows are more than")])
def test_at_most_so_many_bad_rows(bad: int, reason: str | None) -> None:
    found = why(limited(max_bad_rows=2), 10, bad)
    assert found is None if reason is None else (found or "").startswith(reason)


@pytest.mark.parametrize(("read", "bad", "over"), [(10, 1, False), (10, 2, True), (0, 0, False), (100, 10, False)])
def test_at_most_such_a_share_of_bad_rows(read: int, bad: int, over: bool) -> None:
    found = why(limited(max_bad_ratio=0.1), read, bad)
    assert (found is not None) is over
    assert not over or found == "2 bad rows of 10 are more than quarantine.max_bad_ratio (0.1)"


def test_no_bad_row_is_allowed_where_none_is() -> None:
    assert why(limited(max_bad_rows=0), 5, 0) is None
    assert why(limited(max_bad_rows=0), 5, 1) is not None


@pytest.mark.parametrize(
    ("read", "bad", "filtered", "reason"),
    [
        (3, 3, 0, "all 3 rows are bad (quarantine.all_bad)"),
        (1, 1, 0, "the only row is bad (quarantine.all_bad)"),
        (3, 2, 1, "all 2 rows are bad (quarantine.all_bad)"),
        (3, 2, 0, None),
        (0, 0, 0, None),
        (2, 0, 2, None),
    ],
)
def test_a_file_of_which_every_row_is_bad(read: int, bad: int, filtered: int, reason: str | None) -> None:
    assert why(FEED, read, bad, filtered) == reason
    assert why(limited(all_bad=AllBad.LOAD), read, bad, filtered) is None
    assert why(limited(max_bad_rows=9, max_bad_ratio=1), read, bad, filtered) == reason


def test_the_reason_names_the_first_of_the_rows_reasons() -> None:
    judged = judge(FEED, [Figures(file(), 2, 2, reasons=(FIRST,))])
    assert judged.rejected == ("all 2 rows are bad (quarantine.all_bad); bad_value in id (not an int: 'x', line 3)",)


def test_the_feed_fails_instead_of_the_file() -> None:
    with pytest.raises(PolicyError, match=r"feed t, file /landing/t/a.csv: the only row is bad") as raised:
        why(limited(on_exceed=OnExceed.FAIL), 1, 1)
    assert raised.value.hint == "nothing was loaded; mend the file, or raise the limits under `quarantine`"


def test_a_file_that_cannot_be_read_fails_no_feed() -> None:
    judged = judge(limited(on_exceed=OnExceed.FAIL), [Figures(file(), 2, 2, unreadable="not UTF-8")])
    assert (judged.rejected, judged.refused) == (("not UTF-8",), ())


def test_what_is_told_of_the_files() -> None:
    good, mixed, bad = (file(f"{name}.csv") for name in ("good", "mixed", "bad"))
    figures = [Figures(good, 3), Figures(mixed, 5, 2, 1, (FIRST,)), Figures(bad, 1, 1, reasons=(FIRST,))]
    judged = judge(FEED, figures)
    assert judged.refused == (2,)
    outcomes = judged.outcomes([2, 2, 0], [1, 0, 0])
    assert outcomes[0] == FileOutcome(good, Rows(read=3, staged=2, deduplicated=1))
    assert outcomes[1] == FileOutcome(mixed, Rows(read=5, staged=2, quarantined=2, filtered=1), reasons=(FIRST,))
    assert outcomes[2] == FileOutcome(bad, rejected=judged.rejected[2], reasons=(FIRST,))
    assert all(outcome.rows.stage_balances for outcome in outcomes)


def test_reasons_are_few_and_the_most_frequent_come_first() -> None:
    reasons = [Reason("bad_value", f"c{n}", n, "x", n, "not an int") for n in range(1, 8)]
    again = Reason("bad_value", "c2", 9, "y", 50, "not an int")
    found = most_frequent([*reasons, again])
    assert [(reason.column, reason.rows) for reason in found] == [
        ("c2", 11),
        ("c7", 7),
        ("c6", 6),
        ("c5", 5),
        ("c4", 4),
    ]
    assert (found[0].value, found[0].line) == ("x", 2)


def test_of_reasons_that_are_as_frequent_the_first_one_comes_first_in_whatever_order_they_are_counted() -> None:
    reasons = [
        Reason("bad_value", "b", 1, "x", 2, "not an int"),
        Reason("malformed_record", None, 1, None, 3, "2 fields instead of 1"),
        Reason("null_key", "a", 1, None, 3, "a key column must have a value"),
        Reason("bad_value", "c", 1, "x", None, "not an int"),
    ]
    assert most_frequent(reversed(reasons)) == most_frequent(reasons) == tuple(reasons)


def test_what_was_written_is_held_against_what_was_decided() -> None:
    conserved(FEED, "staged", 3, 3)
    with pytest.raises(LandfeedError, match="feed t: 3 rows were to be quarantined and 2 were") as raised:
        conserved(FEED, "quarantined", 3, 2)
    assert raised.value.code == "conservation"


def test_an_archive_is_rejected_with_a_member_of_it() -> None:
    """… or only that one; and the header of what is rejected is that of no file before."""
    archive = replace(file("a.zip"), name="in/a.zip")
    members = [archive.member(name, 1) for name in ("a.csv", "b.csv", "c.csv")]
    seen = [Seen(header=(name, "x")) for name in ("id", "id", "nr")]
    figures = [
        Figures(members[0], 3, seen=seen[0]),
        Figures(members[1], unreadable="torn"),
        Figures(members[2], 2, seen=seen[1]),
        Figures(file("z.csv"), 2, seen=seen[2]),
    ]
    other = "in/a.zip!b.csv in the same archive is rejected (source.members_on_error)"
    assert judge(FEED, figures).rejected == (other, "torn", other, None)
    only = replace(FEED, source=replace(FEED.source, members_on_error=MembersOnError.REJECT_MEMBERS))
    first, second, third, last = judge(only, figures).rejected
    assert (first, second, third) == (None, "torn", None)
    assert (last or "").startswith("'id', which the file before had, is gone, and 'nr' has come")
    assert judge(FEED, figures[1:2]).rejected == ("torn",)
