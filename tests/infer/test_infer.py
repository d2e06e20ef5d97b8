"""An inferred feed validates, and loads every row of its samples."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.errors import LandfeedError
from framework.feed import Feed
from framework.infer import infer
from framework.law.layout import Rejected
from framework.law.records import READERS
from framework.law.values import parse, plain_number
from framework.loader import check_project, load_project
from framework.types import Scalar
from tests.infer.tables import Table, sample, tables
from tests.support import Project


def loaded_feed(project: Project, text: str, name: str) -> Feed:
    """The feed of a text; fails with what is wrong in it."""
    project.write(f"pipelines_config/feeds/{name}.yml", text)
    _, problems = check_project(project.path("pipelines_config"), "local", environ={})
    assert problems == (), text
    return load_project(project.path("pipelines_config"), "local", environ={}).feeds[0]


def breaks_nothing(feed: Feed, table: Table) -> None:
    """Every record of the table is one, and every value one of its column's type; keys and sequences are there."""
    reader = READERS[feed.source.format]
    rows = 0
    (encoding,) = [each for each in feed.source.encodings if decodes(table.content, each)][:1]
    layout, _ = reader.open(io.BytesIO(table.content), encoding, feed)
    assert not isinstance(layout, Rejected), layout
    for record in reader.records(io.BytesIO(table.content), encoding, feed, layout):
        assert record.fields is not None, record.error
        rows += 1
        for column in feed.columns:
            index = layout.index(column.name)
            text = record.fields[index] if index is not None else None
            null = text is None or text in feed.source.null_values
            if column.type != Scalar("string") and text is not None:
                null = text.strip(" \t\r\n") in (*feed.source.null_values, "")
                if not null:
                    plain = text if column.numbers is None else plain_number(text, column.numbers)
                    parse(plain or "", column.type, formats=column.formats)
            needed = {*feed.target.keys, *feed.target.sequence_by}
            assert not null or column.name not in needed or feed.target.null_keys == "match", column.name
    assert rows == table.rows


def decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True


@given(table=tables())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_tables_break_no_law(tmp_path_factory: pytest.TempPathFactory, table: Table) -> None:
    feed = infer([sample(table)], name="found", header=True)
    project = Project(os.fspath(tmp_path_factory.mktemp("project")))
    breaks_nothing(loaded_feed(project, feed.text, "found"), table)


def loads_every_row(folder: str, found: list[Table]) -> None:
    """All tables as feeds of one project, loaded by the embedded engine."""
    project = Project(folder)
    for number, table in enumerate(found):
        feed = infer([sample(table)], name=f"feed_{number}", header=True)
        project.feed(feed.name, feed.text)
        project.land(feed.name, table.name, table.content)
    result = project.cli("run")
    for table, feed in zip(found, result.document["feeds"], strict=True):
        figures = (feed["status"], feed["rows"]["read"], feed["rows"]["quarantined"])
        assert figures == ("succeeded", table.rows, 0), (table, feed)


@given(found=st.lists(tables(), min_size=10, max_size=10))
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_tables_load_whole(tmp_path_factory: pytest.TempPathFactory, found: list[Table]) -> None:
    loads_every_row(os.fspath(tmp_path_factory.mktemp("project")), found)


@pytest.mark.torture
@given(found=st.lists(tables(), min_size=10, max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_random_tables_load_whole(tmp_path_factory: pytest.TempPathFactory, found: list[Table]) -> None:
    loads_every_row(os.fspath(tmp_path_factory.mktemp("project")), found)


def inferred(
    *texts: str | bytes, names: tuple[str, ...] = ("orders.csv",), header: bool | None = None
) -> dict[str, Any]:
    """The feed of samples, as plain data."""
    contents = [text.encode() if isinstance(text, str) else text for text in texts]
    found = [Table(name, content, 0) for name, content in zip(names, contents, strict=True)]
    feed: dict[str, Any] = yaml.safe_load(infer([sample(table) for table in found], header=header).text)
    return feed


def column(*values: str, name: str = "x") -> Any:
    """What is found of a column with these values."""
    rows = "".join(f"{number};{value}\n" for number, value in enumerate(values))
    return inferred(f"id;{name}\n{rows}")["schema"][name]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (("1", "-2", "3.0"), "decimal(18,2)"),
        (("1", "-2"), "bigint"),
        (("12345678901234567890",), "decimal(38,2)"),
        (("1.234567",), "decimal(18,6)"),
        (("1e5", "2"), "double"),
        (("NaN", "1"), "double"),
        (("007", "008"), "string"),
        (("+391234", "1"), "string"),
        (("true", "false"), "boolean"),
        (("Y", "N"), "boolean"),
        (("Y", "Y"), "string"),
        (("1,5", "2,25"), "decimal(18,2)"),
        (("1,234", "2,345"), "string"),
        (("", ""), "string"),
        (("2026-01-31", ""), "date"),
        (("2026-01-31", "2026-01-31 10:00"), "timestamp"),
        (("2026-02-30",), "string"),
        (("31.01.2026", "1.2.2026"), {"type": "date", "format": "d.M.yyyy"}),
        (("31/01/2026", "01/02/2026"), {"type": "date", "format": "dd/MM/yyyy"}),
        (("01/31/2026", "01/02/2026"), {"type": "date", "format": "MM/dd/yyyy"}),
        (("31/01/2026", "01/31/2026"), "string"),
        (("2026-01-31", "31.01.2026"), {"type": "date", "format": ["yyyy-MM-dd", "dd.MM.yyyy"]}),
        (("31-Jan-26",), {"type": "date", "format": "dd-MMM-yy"}),
        (("31.01.2026 10:15",), {"type": "timestamp", "format": "dd.MM.yyyy HH:mm"}),
        (("January 31, 2026",), {"type": "date", "format": "MMMM d, yyyy"}),
        (("20260131",), "bigint"),
    ],
)
def test_types(values: tuple[str, ...], found: Any) -> None:
    assert column(*values) == found


def test_digits_are_days_where_the_name_says_so() -> None:
    assert column("20260131", "20260201", name="order_date") == {"type": "date", "format": "yyyyMMdd"}
    assert column("20260131", "1", name="order_date") == "bigint"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("id;name\n1;a,b\n2;c,d\n", {"options": {"sep": ";"}}),
        ("id\tname\n1\ta\n", {"options": {"sep": "\t"}}),
        ("id,name\n1,'a,b'\n2,c\n", {"options": {"quote": "'", "escape": "'"}}),
        ('id,name\n1,"a\\",b"\n2,c\n', {"options": {"escape": "\\"}}),
        ("# made by x\nid,name\n1,a\n", {"options": {"comment": "#"}}),
        ("1,a\n2,b\n", {"options": {"header": False}}),
        ("red,a\nblue,b\nred,c\n", {"options": {"header": False}}),
        ("(5,80)\n(1932,61)\n", {"options": {"header": False}}),
        ("country,0-14,15-64,65+\nIT,1,2,3\n", {}),
        ("id,n\n1,2\nN/A,3\n4,NULL\n", {"null_values": ["", "N/A", "NULL"]}),
        ("id,name\n1,\u00e4\n".encode("cp1252"), {"encoding": ["utf-8", "windows-1252"]}),
        ("id,name\n1,\u20ac\n".encode("utf-16"), {"encoding": ["utf-16"]}),
        ("id,name\n1,a\n".encode("utf-16-le"), {"encoding": ["utf-16-le"]}),
    ],
)
def test_how_files_are_written(text: str | bytes, source: dict[str, Any]) -> None:
    found = inferred(text)["source"]
    assert {key: found.get(key) for key in ("options", "null_values", "encoding") if key in found} == source


@pytest.mark.parametrize(
    ("text", "keys", "sequence"),
    [
        ("name,order_id,updated_at\na,1,2026-01-01\nb,2,2026-01-01\n", ["order_id"], "updated_at"),
        ("a,b\n1,1\n1,2\n2,1\n", ["a", "b"], None),
        ("a,b,c\n1,1,1\n1,1,2\n1,2,1\n2,1,1\n", ["a", "b", "c"], None),
        ("id,code\n1,a\n,b\n", ["code"], None),
        ("id,version\n1,3\n2,4\n", ["id"], "version"),
        ("id,birth_date\n1,2000-01-01\n2,2001-01-01\n", ["id"], None),
        ("id,updated_at\n1,2026-01-01\n2,\n", ["id"], None),
    ],
)
def test_keys_and_sequence(text: str, keys: list[str], sequence: str | None) -> None:
    target = inferred(text)["target"]
    assert (target["keys"], target.get("sequence_by")) == (keys, sequence)


def test_without_anything_unique_rows_are_only_added() -> None:
    text = infer([sample(Table("a.csv", b"kind\nx\nx\ny\n", 0))], header=True).text
    assert "no column is unique" in text
    assert yaml.safe_load(text)["target"] == {"table": "main.a", "mode": "append"}


@pytest.mark.parametrize(
    ("names", "name", "files", "order"),
    [
        (("orders.csv",), "orders", "*.csv", None),
        (("Orders 2026-01-31.csv.gz",), "orders", "Orders {file_date:yyyy-MM-dd}.csv.gz", "file_date"),
        (("crm_20260131_1.csv", "crm_20260201_22.csv"), "crm", "crm_{file_date:yyyyMMdd}_*.csv", "file_date"),
        (("a_20260131101500.csv",), "a", "a_{file_time:yyyyMMddHHmmss}.csv", "file_time"),
        (("a_20260230.csv",), "a", "*.csv", None),
        (("a{b}_20260131.csv",), "a_b", "a?b?_{file_date:yyyyMMdd}.csv", "file_date"),
        (("north.csv", "south.csv"), "north", "*.csv", None),
        (("42.csv",), "feed", "*.csv", None),
    ],
)
def test_names_of_files(names: tuple[str, ...], name: str, files: str, order: str | None) -> None:
    contents = [gzip.compress(b"id,x\n1,2\n") if each.endswith(".gz") else b"id,x\n1,2\n" for each in names]
    feed = inferred(*contents, names=names)
    assert (feed["feed"], feed["source"]["files"], feed["source"].get("order_by")) == (name, files, order)


def test_several_samples_are_one_feed() -> None:
    """Columns of all files; a key may stand in several of them, but not twice in one."""
    one, two = "id,a\n1,2\n2,2\n", "ID,b\n1,x\n3,y\n"
    feed = inferred(one, two, names=("1.csv", "2.csv"))
    assert feed["schema"] == {"id": "bigint", "a": "bigint", "b": "string"}
    assert feed["target"]["keys"] == ["id"]


def test_nested_types_of_json() -> None:
    documents = [
        {"id": "a", "who": {"name": "x", "first-name": "y", "no": "01"}, "tags": [1], "mixed": [1], "at": "2026-01-31"},
        {"id": "b", "who": {"name": "x", "age": 3}, "tags": [], "mixed": "text", "at": "2026-02-01"},
    ]  # fmt: skip
    feed = inferred(json.dumps(documents), names=("a.json",))
    assert feed["source"]["format"] == "json"
    assert feed["schema"] == {
        "id": "string",
        "who": "struct<name:string,`first-name`:string,no:string,age:bigint>",
        "tags": "array<bigint>",
        "mixed": "string",
        "at": "date",
    }


def test_no_value_of_the_samples_stands_in_the_feed() -> None:
    """Headers and words for NULL do; a header that the records repeat is none."""
    secret = ["hunter2", "4711.25", "1999-12-31", "s3cret@example.com"]
    text = infer([sample(Table("a.csv", f"a,b,c,d\n{','.join(secret)}\n".encode(), 0))]).text
    documents = json.dumps({"a": secret[0], "b": {"c": secret[3]}})
    text += infer([sample(Table("a.json", documents.encode(), 0))]).text
    text += infer([sample(Table("a.csv", f"{','.join(secret)}\n".encode(), 0))]).text
    assert [each for each in secret if each in text] == []


def test_broken_records_are_told() -> None:
    found = infer([sample(Table("a.csv", b"id,x\n1,2\n2\n3,4\n", 0)), sample(Table("b.csv", b"id,x\n1,2\n", 0))])
    assert found.notes == ("a.csv: 1 record(s) are broken and would be quarantined",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.parquet", b"PAR1xxxx", "a file cannot be read: the file is not a complete Parquet file"),
        ("a.csv", b"%PDF-1.7", "a.csv is a PDF document"),
        ("a.csv", b"\x1f\x8b\x08rest", "a.csv is a gzip file"),
        ("a.csv.gz", b"no gzip", "a.csv.gz: the file is not a complete gzip file"),
        ("a.csv", b"id,id\n1,2\n", "every name stands in the header more than once"),
    ],
)
def test_what_no_feed_can_be_made_of(name: str, content: bytes, message: str) -> None:
    with pytest.raises(LandfeedError, match=re.escape(message)):
        infer([sample(Table(name, content, 0))])


def test_files_that_have_little_in_common() -> None:
    assert inferred("a,b\n1,2\n", "c,d\n1,2\n", names=("a.csv", "b.csv"))["target"]["mode"] == "append"
    with pytest.raises(LandfeedError, match="several formats: some are csv and some are json"):
        inferred("a,b\n1,2\n", '{"a": 1}', names=("a.csv", "b.json"))
