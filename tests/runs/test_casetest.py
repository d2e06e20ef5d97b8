"""`landfeed test`: cases that pass, every way in which one can fail, what is written; and the examples' own cases."""

from __future__ import annotations

import glob
import os
import xml.etree.ElementTree as Xml
from typing import Any

import pytest
from click.testing import CliRunner

from framework.cli import landfeed
from framework.law.sheets import Sheet, compare, read_sheet, sheet_text
from framework.types import parse_type
from tests.support import HEADER, REPOSITORY, Project

EXAMPLES = sorted(
    os.path.relpath(path, REPOSITORY) for path in glob.glob(os.path.join(REPOSITORY, "examples", "*", "tests"))
)


def case(project: Project, name: str = "a", **files: str) -> None:
    """A case of the feed `activity`; `__` in a name of a file is a `/`."""
    for file, text in files.items():
        project.write(f"tests/activity/{name}/{file.replace('__', '/')}.csv", text)


def told(project: Project, *arguments: str) -> tuple[int, list[str]]:
    config = project.path("pipelines_config")
    result = CliRunner().invoke(landfeed, ["--config", config, "test", *arguments])
    return result.exit_code, result.stdout.splitlines()


def result(project: Project) -> dict[str, Any]:
    (found,) = project.cli("test").document["cases"]
    assert isinstance(found, dict)
    return found


GOOD = HEADER + "1,login,2026-01-01 08:00:00\n"


@pytest.mark.parametrize("folder", EXAMPLES)
def test_the_cases_of_the_examples(folder: str) -> None:
    config = os.path.join(REPOSITORY, os.path.dirname(folder), "pipelines_config")
    found = CliRunner().invoke(landfeed, ["--config", config, "test"])
    assert (found.exit_code, "0 failed" in found.stdout) == (0, True), found.stdout


@pytest.mark.torture
@pytest.mark.spark
def test_a_case_on_spark(spark: object) -> None:
    config = os.path.join(REPOSITORY, "examples", "user_activity", "pipelines_config")
    arguments = ["--config", config, "test", "--engine", "spark", "--case", "late_event"]
    found = CliRunner().invoke(landfeed, arguments)
    assert (found.exit_code, "1 passed" in found.stdout) == (0, True), found.stdout


def test_values_are_compared_and_not_their_spelling(project: Project) -> None:
    case(project, incoming__x=GOOD, expected=HEADER + "1.0,login,2026-01-01T08:00Z\n")
    assert told(project) == (0, ["activity/a: passed", "1 case(s): 1 passed, 0 failed"])
    assert project.files("landing") == []
    assert not os.path.exists(project.path("tables"))


def test_a_difference_names_rows_and_columns(project: Project) -> None:
    case(
        project,
        incoming__x=HEADER + "1,login,2026-01-01\n2,view,2026-01-01\n4,,2026-01-01\n",
        expected="event,user_id\npurchase,1\nview,3\n,4\n",
    )
    code, lines = told(project)
    assert code == 1
    assert lines == [
        "activity/a: failed",
        "  expected.csv: 1 row missing, 1 row too many, 1 row with other values",
        "    user_id=1",
        "      event: login, expected purchase",
        "    missing: event=view, user_id=3",
        "    too many: event=view, user_id=2",
        "1 case(s): 0 passed, 1 failed",
    ]


def test_days_the_rows_before_and_the_bad_ones(project: Project) -> None:
    case(
        project,
        target=HEADER + "1,purchase,2026-01-02\n9,,2026-01-02\n",
        day1__x=HEADER + "1,login,2026-01-01\nx,bad,2026-01-01\n",
        day10__x=HEADER + "2,last,2026-01-01\n",
        day2__x=HEADER + "2,view,2026-01-01\n",
        expected="user_id,event\n1,purchase\n2,last\n9,\n",
        expected_quarantine='_line,_record,_errors\n3,"x,bad,2026-01-01",bad_value in user_id\n',
    )
    assert result(project)["differences"] == {}


@pytest.mark.parametrize(
    ("files", "sheet", "message"),
    [
        ({"incoming__x": HEADER + "x,login,2026-01-01\n1,login,2026-01-01\n"}, "expected_quarantine.csv", None),
        ({"incoming__x": "nothing,here\n1,2\n"}, "expected_rejected.csv", None),
        ({}, None, "has no files to load"),
        ({"incoming__x": GOOD, "expected": 'user_id\n"1\n'}, None, "expected.csv: line 2: a quote is not closed"),
        ({"incoming__x": GOOD, "expected": "user\n1\n"}, None, "expected.csv: there is no column user"),
        ({"incoming__x": GOOD, "target": "user\n1\n"}, None, "target.csv: the target has no column user"),
        ({"incoming__x": GOOD, "target": "user_id\none\n"}, None, "target.csv does not fit the target"),
    ],
)
def test_what_is_wrong_with_a_case(
    files: dict[str, str], sheet: str | None, message: str | None, project: Project
) -> None:
    case(project, **{"expected": HEADER + "1,login,2026-01-01\n", **files})
    found = result(project)
    assert not found["passed"]
    assert (sheet is None) == (sheet not in found["differences"])
    assert message is None or message in found["error"]


def test_a_case_without_an_expectation_asks_for_one_and_update_writes_it(project: Project) -> None:
    case(project, incoming__x=GOOD + "x,y,z\n", incoming__broken="nothing,here\n")
    assert "--update" in result(project)["hint"]
    assert told(project, "--update")[1][1:4] == [
        "  expected.csv is written",
        "  expected_quarantine.csv is written",
        "  expected_rejected.csv is written",
    ]
    assert result(project)["passed"]
    assert project.cli("test", "--update").document["cases"][0]["updated"] == []
    case(project, expected="event\nother\n")
    project.cli("test", "--update")
    with open(project.path("tests/activity/a/expected.csv"), encoding="utf-8") as file:
        assert file.read() == "event\nlogin\n", "the columns of an expectation stay those that it has"


def test_junit(project: Project) -> None:
    case(project, incoming__x=GOOD, expected=HEADER + "1,\x07,2026-01-01 08:00:00\n")
    case(project, "b", incoming__x=GOOD, expected="user_id\n1\n")
    code, lines = told(project, "--output", "junit")
    (suite,) = Xml.fromstring("\n".join(lines))  # noqa: S314 (our own)
    assert (code, suite.attrib) == (1, {"name": "activity", "tests": "2", "failures": "1"})
    failures = [each.find("failure") for each in suite]
    assert [failure is not None for failure in failures] == [True, False]
    assert failures[0] is not None
    assert "expected" in (failures[0].text or "")


def test_only_cases_of_a_name_and_none(project: Project) -> None:
    case(project, incoming__x=GOOD, expected="user_id\n1\n")
    assert [told(project, "--case", name)[1][-1].split()[0] for name in ("a", "b")] == ["1", "0"]


def test_nested_values_nulls_and_sheets() -> None:
    sheet = Sheet(("a", "b"), (("", None), ('x"y', " z"), ("1,5", "two\nlines")))
    assert read_sheet(sheet_text(sheet).encode()) == sheet
    types = {"a": parse_type("struct<x:decimal(5,2),y:array<int>>"), "b": parse_type("double")}
    one = Sheet(("a", "b"), (('{"x": 1.5, "y": [1]}', "1e1"), (None, "nan")))
    other = Sheet(("b", "a"), (("NaN", None), ("10", '{"y":[1],"x":"1.50"}')))
    assert not compare(one, other, types)
    assert compare(one, Sheet(("a", "b"), (*one.rows, one.rows[0])), types).surplus == (one.rows[0],)


REFERRING = """\
feed: activity
source: {path: "${landing}/user_activity/", format: csv}
schema:
  id: bigint
  country: {type: string, exists_in: {table: ref.countries, column: code}}
target: {table: analytics.activity, keys: [id]}
"""


def test_rows_of_a_table_into_which_checks_look(project: Project) -> None:
    project.feed("activity", REFERRING)
    files = {"incoming__x": "id,country\n1,IT\n2,XX\n", "expected": "id\n1\n"}
    case(project, **files)
    assert "has no ref.countries.csv, in which checks of the feed look for code" in result(project)["error"]
    files["expected_quarantine"] = '_line,_record,_errors\n3,"2,XX",check_failed in country\n'
    case(project, **files, **{"ref.countries": "code,name\nIT,Italia\n"})
    assert result(project)["passed"]
