"""Feeds that are inferred from files of every format load all rows of them, and hold no value of them."""

from __future__ import annotations

import io
import os

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.infer import Sample, infer
from tests.infer.habits import SECRETS, WRITTEN, habitual, written
from tests.infer.tables import Table, sample
from tests.infer.test_infer import inferred
from tests.support import Project

PREAMBLE = "Report\nRun: today\n\nid;amount\n1;1.234,50\n2;-3,00\nTRAILER;2\n"


def loads_every_row(folder: str, found: list[Table]) -> None:
    """All tables as feeds of one project, loaded by the embedded engine."""
    project = Project(folder)
    for number, table in enumerate(found):
        name = f"feed_{number:03}"
        project.feed(name, infer([sample(table)], name=name).text)
        project.land(name, table.name, table.content)
    result = project.cli("run")
    assert result.document.get("problems") is None, result.document
    for number, (table, feed) in enumerate(zip(found, result.document["feeds"], strict=True)):
        rows = feed["rows"]
        figures = (feed["status"], rows["read"] - rows["filtered"], rows["quarantined"])
        with open(project.path(f"pipelines_config/feeds/feed_{number:03}.yml"), encoding="utf-8") as file:
            text = file.read()
        assert figures == ("succeeded", table.rows, 0), (table, feed, text)


@given(found=st.tuples(*WRITTEN.values(), *WRITTEN.values(), *WRITTEN.values()).map(list))
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
def test_files_of_every_format_load_whole(tmp_path_factory: pytest.TempPathFactory, found: list[Table]) -> None:
    loads_every_row(os.fspath(tmp_path_factory.mktemp("project")), found)


@pytest.mark.torture
@given(found=st.lists(habitual(), min_size=24, max_size=24))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_files_of_every_format_load_whole(tmp_path_factory: pytest.TempPathFactory, found: list[Table]) -> None:
    loads_every_row(os.fspath(tmp_path_factory.mktemp("project")), found)


@pytest.mark.parametrize("kind", ["preamble", "xml", "fixed_width", "excel", "text", "zip", "parquet", "avro", "orc"])
def test_no_value_of_a_sample_stands_in_the_feed(kind: str) -> None:
    name, content = written(kind)
    text = infer([Sample(name, lambda: io.BytesIO(content))]).text
    assert [each for each in SECRETS if each in text] == []


def test_lines_before_the_header_and_behind_the_records() -> None:
    source = inferred(PREAMBLE)["source"]
    assert (source["skip_lines"], source["trailer"]) == (3, {"starts_with": "TRAILER", "count": 2})
    assert source["numbers"] == {"decimal": ",", "group": "."}
    assert "skip_lines" not in inferred("id;x\n1;2\n", PREAMBLE, names=("a.csv", "b.csv"))["source"]
    assert inferred("id;amount\n1;2\n", PREAMBLE, names=("a.csv", "b.csv"))["source"]["until_header"] is True


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (("1,50", "-2"), {"decimal": ","}),
        (("1.234,5", "2,5"), {"decimal": ",", "group": "."}),
        (("1 234,5", "2,5"), {"decimal": ",", "group": " "}),
        (("1,234.5", "2"), {"group": ","}),
        (("1'234.5", "2.5"), {"group": "'"}),
        (("5.00-", "2.5"), {"negative": ["trailing"]}),
        (("(5.00)", "-2.5"), {"negative": ["leading", "parentheses"]}),
        (("€ 5.00", "3"), {"strip": "€ "}),
        (("12 %", "3.5 %"), {"strip": "% "}),
        (("1.5", "2.5"), None),
        (("1,234", "5"), None),
        (("007,5",), None),
    ],
)
def test_how_numbers_are_written(values: tuple[str, ...], numbers: object) -> None:
    rows = "".join(f"{number}\t{value}\tx\n" for number, value in enumerate(values))
    found = inferred(f"id\tx\ty\n{rows}")
    own = found["schema"]["x"] if isinstance(found["schema"]["x"], dict) else found["source"]
    assert own.get("numbers") == numbers


def test_rows_that_end_with_a_separator_between_other_lines() -> None:
    source = inferred("Report\nid|amount|name\n1|1,50|a|\n2|2,50||\nTotal|x\n")["source"]
    assert (source["skip_lines"], source["short_rows"]) == (1, "fill")
    assert (source["trailer"], source["options"]) == ({"starts_with": "Total"}, {"sep": "|"})


def test_a_total_that_is_as_wide_as_the_records() -> None:
    source = inferred("No;Day;Amount;Note\n1;01.02.2026;1,50;\n2;02.02.2026;2,50;x\nSumme;;4,00;\n")["source"]
    assert source["trailer"] == {"starts_with": "Summe"}
    assert "trailer" not in inferred("Name;Day;Note\nTax;;x\nTotal;01.02.2026;\n")["source"]  # a record like others


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_header_that_begins_as_xml_does(encoding: str) -> None:
    assert inferred("<Ó8;id\n1;2\n".encode(encoding))["source"]["format"] == "csv"
    assert inferred("<r><i a='1'/><i a='2'/></r>".encode(encoding), names=("a.xml",))["source"]["format"] == "xml"


def test_columns_that_write_numbers_differently() -> None:
    schema = inferred("id;a;b\n1;1,5;2.5\n2;1,25;3.5\n")["schema"]
    assert schema["a"] == {"type": "decimal(18,2)", "numbers": {"decimal": ","}}
    assert schema["b"] == "decimal(18,2)"


def test_where_the_records_of_documents_are() -> None:
    answer = '{"count": 2, "items": [{"id": 1}, {"id": 2}]}'
    assert inferred(answer, names=("a.json",))["source"]["records"] == "items"
    order = '{"id": 1, "customer": "x", "lines": [{"no": 1}, {"no": 2}]}'
    assert inferred(order, names=("a.json",))["schema"]["lines"] == "array<struct<no:bigint>>"
    text = infer([sample(Table("a.json", order.encode(), 1))]).text
    assert "# records: lines   (if each file is one answer, and the rows are there)" in text
    xml = "<f><about><at/></about><items><i><id>1</id></i><i><id>2</id></i></items></f>"
    found = inferred(xml, names=("a.xml",))
    assert (found["source"]["records"], found["schema"]) == ("items", {"id": "bigint"})


def test_fields_at_places() -> None:
    found = inferred("id   name   \n1    ann    \n2    bob b. \n", names=("a.txt",))
    assert (found["source"]["format"], found["source"]["skip_lines"]) == ("fixed_width", 1)
    assert found["schema"] == {
        "id": {"type": "bigint", "start": 1, "width": 5},
        "name": {"type": "string", "start": 6, "width": 7},
    }
    commas = "340  2033-03-02 12,82 a\n9760 1996-08-01 119,3 b\n13   2001-05-04 54,51 c\n"
    assert inferred(commas, names=("a.txt",))["source"]["format"] == "fixed_width"
    lines = inferred("one line\nanother\nand more words\n", names=("a.log",))
    assert (lines["source"]["format"], lines["schema"]) == ("text", {"value": "string"})


def test_members_of_an_archive() -> None:
    name, content = written("zip")
    found = yaml.safe_load(infer([Sample(name, lambda: io.BytesIO(content))]).text)
    assert (found["source"]["files"], found["schema"]["id"], "members" in found["source"]) == ("*.zip", "bigint", False)
