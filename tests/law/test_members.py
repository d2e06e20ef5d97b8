"""Members that structs have in files and not in the schema, and types that grow by them."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from framework.feed import Format, NewColumns, SchemaContract
from framework.law.additions import added_by, added_columns, brought, with_added
from framework.law.headers import seen
from framework.law.layout import Layout, Rejected, typed_layout
from framework.law.members import grown, grows, lacks, members_of_type, members_of_value, new_members, with_member
from framework.law.records import READERS
from framework.names import Added
from framework.types import parse_type
from tests.feeds import column, made_feed

ADD = SchemaContract(NewColumns.ADD)
USER = "struct<name:string,home:struct<city:string>>"
FEED = made_feed(
    column("id", "int"), column("who", USER, source_names=("user",)), column("lines", "array<struct<no:int>>"),
    schema_contract=ADD,
)  # fmt: skip


def opened(*records: object, limit: int | None = None) -> Layout | Rejected:
    limits = FEED.source.limits if limit is None else replace(FEED.source.limits, columns=limit)
    feed = replace(FEED, source=replace(FEED.source, limits=limits))
    text = "".join(f"{json.dumps(record)}\n" for record in records)
    return READERS[Format.JSON].open(io.BytesIO(text.encode()), "utf-8", feed)[0]


def test_members_of_values_at_any_depth() -> None:
    value = {"name": 1, "home": {"city": "X", "zip": "1"}, "vip": {"a": 1}}
    assert [*members_of_value(value, parse_type(USER))] == [("home", "zip"), ("vip",)]
    assert [*members_of_value([{"no": 1}, {"qty": 1}, 3, None], parse_type("array<struct<no:int>>"))] == [("qty",)]
    assert [*members_of_value({"k": {"a": 1}, "l": 2}, parse_type("map<string,struct<b:int>>"))] == [("a",)]
    assert [*members_of_value({"a": {"b": 1}}, parse_type("struct<a:string>"))] == []


def test_members_of_types_at_any_depth() -> None:
    there = parse_type("struct<a:int,b:array<struct<c:int,d:date>>,e:map<string,struct<f:int>>>")
    wanted = parse_type("struct<b:array<struct<c:int>>,e:map<string,struct<g:int>>>")
    assert [*members_of_type(there, wanted)] == [("a",), ("b", "d"), ("e", "f")]


@pytest.mark.parametrize(
    ("path", "lacking_"),
    [(("vip",), True), (("home", "zip"), True), (("NAME",), False), (("vat-no",), False), (("a.b",), False),
     (("name", "first"), False), (("office", "zip"), False)],
)  # fmt: skip
def test_what_a_type_may_get(path: tuple[str, ...], lacking_: bool) -> None:
    assert lacks(parse_type(USER), path) is lacking_


def test_a_type_grows_at_the_end_of_its_structs() -> None:
    assert str(with_member(parse_type("array<struct<no:int>>"), ("qty",))) == "array<struct<no:int,qty:string>>"
    more = parse_type("struct<home:struct<zip:int,city:int>,Name:int,vip:int>")
    assert str(grown(parse_type(USER), more)) == "struct<name:string,home:struct<city:string,zip:string>,vip:string>"
    assert grown(parse_type("string"), more) == parse_type("string")


@pytest.mark.parametrize(
    ("there", "wanted", "does"),
    [
        ("struct<a:int>", "struct<a:int,b:string>", True),
        ("struct<a:int,b:int>", "struct<c:int,a:int,d:date,b:int>", True),
        ("array<struct<a:struct<b:int>>>", "array<struct<a:struct<b:int,c:int>>>", True),
        ("map<string,struct<a:int>>", "map<string,struct<a:int,b:int>>", True),
        ("struct<a:int>", "struct<a:int>", False),
        ("struct<a:int>", "struct<a:bigint,b:int>", False),
        ("struct<a:int,b:int>", "struct<b:int,a:int,c:int>", False),
        ("struct<a:int,b:int>", "struct<a:int,c:int>", False),
        ("map<int,struct<a:int>>", "map<string,struct<a:int,b:int>>", False),
        ("int", "bigint", False),
        ("binary", "string", False),
    ],
)
def test_when_a_type_grows_into_another(there: str, wanted: str, does: bool) -> None:
    assert grows(there, parse_type(wanted)) is does


def test_new_members_with_what_stands_before_them() -> None:
    there, wanted = "struct<b:array<struct<x:int>>>", "struct<a:int,b:array<struct<x:int,y:date>>,c:int>"
    found = [(path, str(type_), before) for path, type_, before in new_members(parse_type(there), parse_type(wanted))]
    assert found == [(("a",), "int", None), (("b", "element", "y"), "date", "x"), (("c",), "int", "b")]


def test_json_members_become_columns_types_and_are_told() -> None:
    first = opened({"id": 1, "user": {"vip": True, "VIP": 1, "a-b": 2}}, {"id": 2, "lines": [{"no": 1, "qty": 2}]})
    (who, lines) = brought(FEED, [first])
    assert who == Added("who", f"{USER[:-1]},vip:string>", "user")
    assert lines == Added("lines", "array<struct<no:int,qty:string>>", "lines")
    told = seen(with_added(FEED, (who, lines)), first, "utf-8", header=False)
    assert (told.added, told.ignored) == (("who.vip", "lines.qty"), ("who.VIP", "who.a-b"))


def test_typed_members_become_columns_types() -> None:
    types = [parse_type("int"), parse_type("struct<name:string,age:int>"), None]
    layout = typed_layout(FEED, ["id", "user", "lines"], types)
    assert brought(FEED, [layout]) == (Added("who", f"{USER[:-1]},age:string>", "user"),)


def test_they_pass_from_batch_to_batch_and_may_be_declared() -> None:
    layout = opened({"id": 1, "user": {"vip": True}})
    feed = with_added(FEED, brought(FEED, [layout]))
    assert brought(feed, [layout]) == ()
    (again,) = added_columns(feed)
    assert added_by(feed, FEED, ()) == (again,)  # staging has it, whatever became of the file
    assert with_added(feed, [again]) == feed
    assert seen(feed, layout, "utf-8", header=False).added == ("who.vip",)
    declared = replace(FEED, columns=tuple(replace(each, declared=None) for each in feed.columns))
    assert with_added(declared, [again]) == declared
    other = replace(FEED, schema_contract=SchemaContract())
    assert with_added(other, [again]) == other


def test_a_file_may_not_have_too_many() -> None:
    found = opened({"id": 1, "user": {f"m{number}": 1 for number in range(4)}}, limit=3)
    assert isinstance(found, Rejected)
    assert "columns of the file have 4 more members; 3 may be (limits.columns)" in found.reason
