"""Additions: which columns files bring to a feed, what they are called, what becomes of them from batch to batch."""

from __future__ import annotations

from dataclasses import replace

from framework.batch import FileOutcome, Manifest, Seen
from framework.feed import Feed, MissingColumns, NewColumns, SchemaContract
from framework.law.additions import added_by, added_columns, brought, lacking, laid_out, with_added
from framework.law.layout import Layout, Rejected, csv_layout, json_layout, typed_layout
from framework.names import Added, File
from framework.types import Scalar
from tests.feeds import column, made_feed

ADD = SchemaContract(NewColumns.ADD)
FEED = made_feed(
    column("id", "int"), column("mail", source_names=("E-Mail", "Mail")), column("day", from_file="day"),
    schema_contract=ADD,
)  # fmt: skip


def new(*headers: tuple[str, ...], feed: Feed = FEED, there: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, ...]]:
    found = brought(feed, [csv_layout(feed, header) for header in headers], there)
    return [(each.name, each.type, each.source_name) for each in found]


def test_a_new_name_of_any_file_is_a_column_of_texts() -> None:
    assert new(("id", "city"), ("id", "CITY ", "land")) == [("city", "string", "city"), ("land", "string", "land")]


def test_names_become_such_as_a_table_takes() -> None:
    assert new(("id", "vat no", "a,b", "vat_no")) == [
        ("vat_no", "string", "vat no"),
        ("a_b", "string", "a,b"),
        ("vat_no_2", "string", "vat_no"),
    ]


def test_no_column_is_called_as_landfeed_s_own_or_as_one_of_the_schema() -> None:
    header = ("id", "_source_file", "__START_AT", "_deleted_at", "_change", "day", "mail")
    assert [name for name, *_ in new(header)] == ["file_source_file", "__START_AT_2", "_deleted_at_2", "_change_2"]


def test_what_cannot_be_told_apart_or_has_no_name_is_left_out() -> None:
    assert new(("id", "x", "X", "", " ", "y")) == [("y", "string", "y")]


def test_a_column_that_the_table_has_keeps_its_name_and_type() -> None:
    there = (("id", "int"), ("City", "date"), ("blob", "binary"), ("tags", "array<string>"))
    assert new(("id", "city", "blob", "tags"), there=there) == [
        ("City", "date", "city"),
        ("blob_2", "string", "blob"),
        ("tags_2", "string", "tags"),
    ]


def test_rejected_files_and_other_contracts_add_nothing() -> None:
    assert new(("city",)) == []
    assert new(("id", "city"), feed=replace(FEED, schema_contract=SchemaContract())) == []
    added = [Added("city", "string", "city")]
    assert with_added(replace(FEED, schema_contract=SchemaContract(NewColumns.REJECT_FILE)), added).columns[3:] == ()


def test_the_wider_feed_reads_the_files_as_if_its_schema_had_the_columns() -> None:
    layout = csv_layout(FEED, ("city", "Mail", "id", "vat no"))
    feed = with_added(FEED, brought(FEED, [layout]))
    wider = laid_out(feed, layout)
    assert isinstance(wider, Layout)
    assert wider.fields == (("id", 2), ("mail", 1), ("city", 0), ("vat_no", 3))
    again = csv_layout(feed, ("city", "Mail", "id", "vat no"))
    assert again == wider
    assert laid_out(feed, wider) == wider
    assert laid_out(feed, Rejected("no")) == Rejected("no")
    assert brought(feed, [again]) == ()


def test_every_kind_of_file_keeps_what_it_brings() -> None:
    for layout in (
        json_layout(FEED, ("id", "city", "a.b"), ()),
        typed_layout(FEED, ("id", "city", "a.b"), (Scalar("int"), Scalar("date"), None)),
    ):
        feed = with_added(FEED, brought(FEED, [layout]))
        wider = laid_out(feed, layout)
        assert isinstance(wider, Layout)
        assert wider.names == ("id", "city", "a.b")
        assert wider.fields == (("id", 0), ("city", 1), ("a.b", 2))


def test_a_way_into_a_field_does_not_bring_the_field() -> None:
    feed = made_feed(column("id", "int"), column("city", source_names=("address.city",)), schema_contract=ADD)
    layout = json_layout(feed, ("id", "address", "x"), (("address", "city"),))
    assert [each.name for each in brought(feed, [layout])] == ["x"]


def test_a_file_with_more_names_than_a_file_may_have_is_rejected() -> None:
    feed = made_feed(schema_contract=ADD)
    feed = replace(feed, source=replace(feed.source, limits=replace(feed.source.limits, columns=4)))
    assert isinstance(json_layout(feed, ("id", "a", "b", "c")), Layout)
    refused = json_layout(feed, ("id", "a", "b", "c", "d"))
    assert isinstance(refused, Rejected)
    assert refused.reason == "the records of the file have 5 names; a file may have 4 (limits.columns)"


def test_a_column_that_the_schema_has_by_now_is_no_added_one() -> None:
    added = [Added("vat_no", "string", "vat no"), Added("city", "string", "city")]
    wider = replace(FEED, columns=(*FEED.columns, column("vat", "bigint", source_names=("VAT  No",))))
    assert added_columns(with_added(wider, added)) == (added[1],)
    assert added_columns(with_added(with_added(FEED, added), added)) == tuple(added)


def test_files_need_not_have_what_others_have_added() -> None:
    contract = SchemaContract(NewColumns.ADD, MissingColumns.REJECT_FILE)
    feed = with_added(replace(FEED, schema_contract=contract), [Added("city", "string", "city")])
    assert isinstance(csv_layout(feed, ("id", "Mail")), Layout)
    assert isinstance(csv_layout(feed, ("id", "city")), Rejected)


def test_of_files_that_are_rejected_nothing_is_added() -> None:
    before = with_added(FEED, [Added("old", "string", "old")])
    feed = with_added(before, [Added("city", "string", "city"), Added("bad", "string", "bad")])
    files = [
        FileOutcome(File("/l/1", "1", 1, 1, 1), seen=Seen(added=("city",))),
        FileOutcome(File("/l/2", "2", 1, 1, 1), rejected="all rows are bad", seen=Seen(added=("bad",))),
    ]
    assert [each.name for each in added_by(feed, before, files)] == ["old", "city"]


def test_what_ignores_every_null_ignores_those_of_added_columns() -> None:
    for ignored, then in ((("mail", "day"), ("mail", "day", "x")), (("mail",), ("mail",)), ((), ())):
        feed = replace(FEED, target=replace(FEED.target, ignore_null_updates=ignored))
        assert with_added(feed, [Added("x", "string", "x")]).target.ignore_null_updates == then


def test_added_columns_are_lacking_where_files_do_not_have_them() -> None:
    text = '{"landfeed":1,"feed":"f","seq":1,"batch_id":"b","staged_at":"2026-01-01T00:00:00+00:00","files":[]}'
    manifest = Manifest.from_json(text)
    assert manifest is not None
    assert manifest.added == ()
    file = FileOutcome(File("/l/1", "1", 1, 1, 1), seen=Seen(missing=("mail",), added=("y",)))
    both = (Added("x", "string", "x"), Added("y", "string", "Y"))
    manifest = replace(manifest, outcomes=(file,), added=both)
    assert lacking(manifest) == {"mail", "x"}
    grown = Added("lines", "array<struct<no:int>>", "lines")
    assert lacking(replace(manifest, added=(*both, grown))) == {"mail", "x"}  # that files need not have its members
    kept = Manifest.from_json(manifest.to_json(files=False))
    assert kept is not None
    assert kept.added == both
