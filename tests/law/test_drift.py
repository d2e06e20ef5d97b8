"""Drift: which differences between files are told, once, with what was done about them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from framework.batch import FileOutcome, Manifest, Seen
from framework.errors import LandfeedError
from framework.feed import Feed, MissingColumns, NewColumns, SchemaContract
from framework.law.drift import change_in_words, file_changes
from framework.law.fitting import refuse_other_types
from framework.law.layout import Rejected, renamed
from framework.names import ChangeKind, File, SchemaChange, Table
from tests.feeds import column, made_feed

FEED = made_feed(column("id", "bigint"), column("name"), column("mail", source_names=("E-Mail", "Mail")))


def outcome(name: str, rejected: str | None = None, **seen: Any) -> FileOutcome:
    return FileOutcome(File(f"/l/{name}", name, 1, 2, 3), rejected=rejected, seen=Seen(**seen))


def told(feed: Feed, *outcomes: FileOutcome, before: Seen | None = None) -> list[tuple[object, ...]]:
    found = file_changes(feed, outcomes, before)
    return [
        (each.file and each.file[3:], str(each.kind), each.column, each.was, each.now, each.action) for each in found
    ]


def test_what_every_file_has_or_lacks_is_told_of_the_first() -> None:
    files = [outcome(name, missing=("name",), ignored=("x", "y")) for name in ("1", "2")]
    first = [
        ("1", "missing_column", "name", "string", None, "set_null"),
        ("1", "new_column", "x", None, None, "ignore"),
        ("1", "new_column", "y", None, None, "ignore"),
    ]
    assert told(FEED, *files) == first
    assert told(FEED, *files, before=files[0].seen) == []
    assert told(FEED, *files, before=Seen(ignored=("y",))) == first[:2]


def test_what_was_there_meanwhile_is_told_again() -> None:
    lacks, has = outcome("1", missing=("name",)), outcome("2")
    again = replace(lacks, file=File("/l/3", "3", 1, 2, 3))
    kinds = [each[:3] for each in told(FEED, lacks, has, again)]
    assert kinds == [("1", "missing_column", "name"), ("3", "missing_column", "name")]


def test_a_rejected_file_is_told_of_with_what_it_was_rejected_for() -> None:
    files = [
        outcome("1", header=("id", "name", "E-Mail")),
        outcome("2", "…", lacks=("id",)),
        outcome("3", "…", brings=("x", "y")),
        outcome("4", "…", lacks=("mail",), brings=("address",)),
        outcome("5", "too many bad rows"),
    ]
    assert told(FEED, *files) == [
        ("2", "missing_column", "id", "bigint", None, "reject_file"),
        ("3", "new_column", "x", None, None, "reject_file"),
        ("3", "new_column", "y", None, None, "reject_file"),
        ("4", "renamed?", "mail", "E-Mail", "address", "reject_file"),
    ]


def test_the_action_is_that_of_the_contract() -> None:
    contract = SchemaContract(NewColumns.IGNORE, MissingColumns.KEEP)
    (change,) = told(replace(FEED, schema_contract=contract), outcome("1", missing=("name",)))
    assert change[-1] == "keep"


def test_of_very_many_the_rest_is_counted() -> None:
    found = told(FEED, outcome("1", ignored=tuple(f"c{number}" for number in range(2_500))))
    assert len(found) == 1_001
    assert found[-1][:3] == (None, "new_column", "(and 1500 more changes)")


def test_what_may_be_the_other_is_known_by_both_names() -> None:
    found = renamed(FEED, ("id", "name", "address"), ("id", "name", "Mail"))
    assert isinstance(found, Rejected)
    assert (found.lacks, found.brings) == (("mail",), ("address",))


def test_a_manifest_keeps_changes_and_older_ones_have_none() -> None:
    text = '{"landfeed":1,"feed":"f","seq":1,"batch_id":"b","staged_at":"2026-01-01T00:00:00+00:00","files":[]'
    written = '{"kind":"added","column":"x","now":"int","action":"a","z":1}'
    earlier = Manifest.from_json(text + "}")
    later = Manifest.from_json(f'{text},"changes":[{{"kind":"vanished","column":"x"}},{written}]}}')
    assert earlier is not None
    assert later is not None
    assert earlier.changes == ()
    assert later.changes == (SchemaChange(None, ChangeKind.ADDED, "x", None, "int", "a"),)


@pytest.mark.parametrize(
    ("staged", "there"),
    [
        ("double", "int"),
        ("timestamp", "date"),
        ("decimal(12,4)", "decimal(12,2)"),
        ("bigint", "int"),
        ("int", "string"),
    ],
)
def test_other_types_are_refused_whatever_a_writer_would_make_of_them(staged: str, there: str) -> None:
    with pytest.raises(
        LandfeedError, match=re.escape(f"column v of s.t is {there}, and the staged rows have {staged}")
    ):
        refuse_other_types(Table("s.t"), ["v"], [("k", "int"), ("v", staged)], [("K", "int"), ("V", there)])


def test_only_what_is_written_is_compared() -> None:
    refuse_other_types(Table("s.t"), ["v"], [("v", "int"), ("w", "int")], [("V", "int"), ("w", "date"), ("x", "int")])
    refuse_other_types(Table("s.t"), ["v"], [("v", "int")], [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SchemaChange("/a.csv", ChangeKind.NEW_COLUMN, "x", None, None, "rescue"), "rescued into _rescued_data"),
        (SchemaChange("/a.csv", ChangeKind.NEW_COLUMN, "x", None, "string", "add"), "x is not in the schema: loaded"),
        (SchemaChange("/a.csv", ChangeKind.NEW_COLUMN, "x", None, None, "reject_file"), "the file is rejected"),
        (SchemaChange("/a.csv", ChangeKind.MISSING_COLUMN, "x", "int", None, "keep"), "rows keep what they have"),
        (SchemaChange("/a.csv", ChangeKind.MISSING_COLUMN, "x", "int", None, "set_null"), "x is missing: NULL or"),
        (SchemaChange("/a.csv", ChangeKind.RENAMED, "x", "X", "Y", "reject_file"), "x (X) is missing and Y has come"),
        (SchemaChange(None, ChangeKind.ADDED, "x", None, "int", "add_column"), "x was added as int"),
        (SchemaChange(None, ChangeKind.WIDENED, "x", "int", "bigint", "widen"), "x became bigint, it was int"),
        (SchemaChange(None, ChangeKind.KEYS, "a", "[a]", "[a, b]", "refuse"), "keys are [a, b], the target was loaded"),
    ],
)
def test_every_change_has_a_sentence(change: SchemaChange, said: str) -> None:
    assert said in change_in_words(change.as_dict())
    assert change_in_words(change.as_dict() | {"kind": "split"}) == f"split: {change.column}"
