"""From a header to columns, and why a file is refused because of its header."""

from __future__ import annotations

from typing import Any

import pytest

from framework.feed import CsvOptions, Feed, MissingColumns, NewColumns, SchemaContract
from framework.law.headers import ignored
from framework.law.layout import Field, Kind, Layout, Rejected, csv_layout, json_layout
from tests.feeds import column, made_feed


def fields(found: Layout | Rejected) -> dict[str, int]:
    assert isinstance(found, Layout), found
    return dict(found.fields)


def reason(found: Layout | Rejected) -> str:
    assert isinstance(found, Rejected), found
    return found.reason


FEED = made_feed(column("id", "int"), column("name", source_names=("name", "full name")))


def with_contract(**contract: Any) -> Feed:
    return made_feed(*FEED.columns, schema_contract=SchemaContract(**contract))


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (["id", "name"], {"id": 0, "name": 1}),
        (["name", "id"], {"id": 1, "name": 0}),
        (["ID", "Full Name"], {"id": 0, "name": 1}),
        (["\ufeffid", " name\t"], {"id": 0, "name": 1}),
        ([" \ufeff id", "name"], {"id": 0, "name": 1}),
        (["full name", "name", "id"], {"id": 2, "name": 1}),
        (["extra", "id"], {"id": 1}),
        (["", "id", ""], {"id": 1}),
    ],
)
def test_columns_are_found_by_name(header: list[str], wanted: dict[str, int]) -> None:
    layout = csv_layout(FEED, header)
    assert fields(layout) == wanted
    assert isinstance(layout, Layout)
    assert len(layout.names) == len(header)
    assert [layout.index(name) for name in ("id", "name", "no")] == [wanted["id"], wanted.get("name"), None]


def test_without_a_header_the_order_of_the_schema_counts() -> None:
    feed = made_feed(column("id"), column("day", "date", from_file="day"), column("x", expr="1"), column("name"))
    assert csv_layout(feed, None) == Layout(
        (Field("id", Kind.TEXT), Field("name", Kind.TEXT)), (("id", 0), ("name", 1))
    )


def test_columns_that_are_not_read_are_neither_missing_nor_new() -> None:
    feed = made_feed(
        column("id"),
        column("day", "date", from_file="day"),
        column("x", expr="1"),
        target={"keys": ("id", "day"), "sequence_by": ("x",)},
        schema_contract=SchemaContract(NewColumns.REJECT_FILE, MissingColumns.REJECT_FILE),
    )
    assert fields(csv_layout(feed, ["id"])) == {"id": 0}
    assert reason(csv_layout(feed, ["id", "day"])).startswith("the file has columns that the schema does not: 'day'")


def test_a_name_that_a_column_wants_stands_once() -> None:
    twice = "the file names 'id' more than once, or in several spellings; which is it?"
    assert reason(csv_layout(FEED, ["id", "ID", "name"])) == twice
    assert reason(json_layout(FEED, ["id", "ID"])) == twice
    assert fields(csv_layout(FEED, ["id", "x", "X "])) == {"id": 0}, "what no column wants may be as it likes"


@pytest.mark.parametrize("needed", [{"keys": ("id", "at")}, {"sequence_by": ("at",)}, {"sequence_by": ("id", "at")}])
def test_a_file_needs_keys_and_sequence(needed: dict[str, Any]) -> None:
    feed = made_feed(column("id"), column("at", "timestamp", source_names=("at", "time")), column("x"), target=needed)
    assert reason(csv_layout(feed, ["id", "x"])) == "there is no column 'at' or 'time' in the file; it has 'id', 'x'"
    assert reason(json_layout(feed, ["id", "x"])) == "there is no column 'at' or 'time' in the file; it has 'id', 'x'"
    assert fields(csv_layout(feed, ["id", "time"])) == {"id": 0, "at": 1}


def test_what_a_file_has_instead() -> None:
    assert reason(csv_layout(FEED, [])) == "there is no column 'id' in the file; it has no columns"
    eight, long = [str(number) for number in range(8)], "x" * 41
    assert reason(csv_layout(FEED, eight)).endswith("'6', '7'")
    assert reason(csv_layout(FEED, [*eight, "8"])).endswith("'6', '7' and 1 more")
    assert f"it has '{'x' * 40}…'; is the header" in reason(csv_layout(FEED, [long]))
    assert f"it has '{'x' * 40}'; is the header" in reason(csv_layout(FEED, [long[:40]]))


@pytest.mark.parametrize(
    ("sep", "header", "hint"),
    [
        (",", ["id;name"], "; is the separator ';' and not ',' (source.options.sep)?"),
        (";", ["id,name"], "; is the separator ',' and not ';' (source.options.sep)?"),
        (",", ["id\tname"], "; is the separator '\\t' and not ',' (source.options.sep)?"),
        (",", ["id|name"], "; is the separator '|' and not ',' (source.options.sep)?"),
        ("|", ["id name"], "; is the header further down (source.until_header: true)?"),
        (",", ["a,b"], "; is the header further down (source.until_header: true)?"),
        (",", ["a;b", "c"], ""),
    ],
)
def test_another_separator_is_guessed(sep: str, header: list[str], hint: str) -> None:
    feed = made_feed(*FEED.columns, source={"csv": CsvOptions(sep=sep)})
    had = ", ".join(map(repr, header))
    assert reason(csv_layout(feed, header)) == f"there is no column 'id' in the file; it has {had}{hint}"


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        (["Order ID", "name"], "; is 'Order ID' the column order_id (schema.order_id.source_name)?"),
        (["ORDERID"], "; is 'ORDERID' the column order_id (schema.order_id.source_name)?"),
        (["Order ID", "order-id"], ""),  # which of them?
        (["", "-"], ""),
        (["7", "Ann"], "; is this a row, and the file has no header (source.options.header: false)?"),
        (["7", "Ann", "x"], ""),
        (["seven", "Ann"], ""),
        (["Name"], ""),
        (["Orders of today"], "; is the header further down (source.until_header: true)?"),
        (['{"order_id":7}'], "; is it a JSON file (source.format: json)?"),
        (['<?xml version="1.0"?>'], "; is it an XML file (source.format: xml)?"),
        (["\x00\x01order_id", "name"], "; is it a text file?"),
    ],
)
def test_what_may_be_wrong_with_a_file_without_its_key_is_asked(header: list[str], hint: str) -> None:
    feed = made_feed(column("order_id", "bigint"), column("name"), target={"keys": ("order_id",)})
    had = ", ".join(map(repr, header))
    assert reason(csv_layout(feed, header)) == f"there is no column 'order_id' in the file; it has {had}{hint}"


def test_missing_columns() -> None:
    assert fields(csv_layout(FEED, ["id"])) == {"id": 0}
    strict = with_contract(missing_columns=MissingColumns.REJECT_FILE)
    assert fields(csv_layout(strict, ["id", "name"])) == {"id": 0, "name": 1}
    assert reason(csv_layout(strict, ["id"])).startswith(
        "there is no column 'name' or 'full name' in the file (schema_c"
    )


def test_keys_of_json_that_no_column_wants_are_ignored_and_make_no_other_layout() -> None:
    layout = json_layout(FEED, ["id", "odd", "name"])
    assert ignored(layout) == ("odd",)
    assert layout == json_layout(FEED, ["id", "name"])


def test_a_name_that_no_column_wants_is_ignored_once() -> None:
    assert ignored(csv_layout(FEED, ["id", "odd", "name", "odd"])) == ("odd",)


@pytest.mark.parametrize("policy", NewColumns)
def test_new_columns(policy: NewColumns) -> None:
    feed, header = with_contract(new_columns=policy), ["new", "id", "name", "full name"]
    assert fields(csv_layout(feed, ["id", "Full Name"])) == {"id": 0, "name": 1}
    if policy is NewColumns.REJECT_FILE:
        assert reason(csv_layout(feed, header)).startswith(
            "the file has columns that the schema does not: 'new', 'full n"
        )
    else:
        assert fields(csv_layout(feed, header)) == {"id": 1, "name": 2}


def test_keys_of_json_in_several_spellings() -> None:
    assert fields(json_layout(FEED, ["Id", "x", "X"])) == {"id": 0}, "what no column needs may be as it likes"
    assert reason(json_layout(FEED, ["id", "FULL NAME", "Full name"])).startswith("the file names 'FULL NAME' more")
