"""What a person would ask about bad values is asked, and is the way to have them loaded."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.feed import Feed, Format, Numbers
from framework.infer import advice
from framework.law.values import parse, plain_number
from framework.names import Reason
from tests.feeds import column, made_feed
from tests.support import Project

FORMAT, NUMBERS = "is c written {} (schema.c.format)?", "is c written otherwise (schema.c.numbers: {})?"


def asked(type_: str, value: str | None, code: str = "bad_value", **source: object) -> tuple[str, ...]:
    return advice(feed(type_, **source), [Reason(code, "c", 1, value, 2, "m")])


def feed(type_: str, **source: object) -> Feed:
    return made_feed(column("id", "int"), column("c", type_), source=source)


@pytest.mark.parametrize(
    ("type_", "value", "question"),
    [
        ("date", "31.01.2026", FORMAT.format("dd.MM.yyyy")),
        ("date", "01/02/2026", FORMAT.format("dd/MM/yyyy or MM/dd/yyyy")),
        ("date", "5-Jan-26", None),
        ("date", "05-JAN-26", FORMAT.format("dd-MMM-yy")),
        ("date", "20260131", FORMAT.format("yyyyMMdd")),
        ("date", "2026-01-31 10:00:00", FORMAT.format("yyyy-MM-dd HH:mm:ss")),
        ("timestamp", " 31.01.2026 10:00 ", FORMAT.format("dd.MM.yyyy HH:mm")),
        ("timestamp_ntz", "01/31/2026", FORMAT.format("MM/dd/yyyy")),
        ("timestamp", "1735689600", FORMAT.format("epoch_seconds")),
        ("timestamp", "1735689600123", FORMAT.format("epoch_millis")),
        ("timestamp", "2026-02-30", None),
        ("date", "31.02.2026", None),
        ("decimal(12,2)", "1.234,56", NUMBERS.format('{decimal: ",", group: "."}')),
        ("double", "0,5", NUMBERS.format('{decimal: ","}')),
        ("int", "1 234 567", NUMBERS.format('{decimal: ",", group: " "}')),
        ("decimal(13,2)", " 1250.00-", NUMBERS.format("{negative: [trailing]}")),
        ("decimal(9,2)", "(1.50)", NUMBERS.format("{negative: [parentheses]}")),
        ("decimal(9,2)", "€ 1.50", NUMBERS.format('{strip: "€ "}')),
        ("decimal(12,2)", "1,234", None),
        ("decimal(9,1)", "1.239", None),
        ("int", "12.5", None),
        ("int", "seven", None),
        ("int", "N/A", "does 'N/A' stand for no value (source.null_values)?"),
        ("date", "-", "does '-' stand for no value (source.null_values)?"),
        ("boolean", "perhaps", None),
        ("array<int>", "1", None),
        ("int", "", None),
    ],
)
def test_what_is_asked_of_a_value(type_: str, value: str, question: str | None) -> None:
    assert asked(type_, value) == (() if question is None else (question,))


def test_what_is_asked_would_mend_it() -> None:
    for type_, value in (("date", "01/02/2026"), ("timestamp", "1735689600123"), ("double", "0,5"), ("int", "1 000")):
        (question,) = asked(type_, value)
        if (found := re.search("numbers: (.*)\\)", question)) is not None:
            plain = plain_number(value, Numbers(**yaml.safe_load(found[1])))
            assert plain is not None
            parse(plain, column("c", type_).type)
        else:
            formats = question.removeprefix("is c written ").split(" (")[0].split(" or ")
            for pattern in formats:
                parse(value, column("c", type_).type, formats=(pattern,))


def test_nothing_is_asked_where_no_key_would_help() -> None:
    assert asked("double", "0,5", format=Format.JSON) == ()
    assert asked("int", None) == ()
    assert asked("int", "N/A", code="not_accepted") == ()
    assert advice(feed("int"), [Reason("bad_value", "gone", 1, "0,5", 2, "m")]) == ()


@given(value=st.text(st.sampled_from("0123456789.,-/: +()'€%eETZ\u00a0\u0663\x00JanPM") | st.characters(), max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_may_be_a_bad_value(value: str) -> None:
    for type_ in (
        "tinyint",
        "bigint",
        "decimal(5,2)",
        "float",
        "double",
        "date",
        "timestamp",
        "timestamp_ntz",
        "boolean",
    ):
        assert all(question.endswith(")?") for question in asked(type_, value))


def test_a_question_is_asked_once() -> None:
    reasons = [Reason("bad_value", "c", 1, f"{day}.01.2026", 2, "m") for day in (30, 31)]
    assert advice(feed("date"), [*reasons, Reason("null_key", "id", 1, None, 2, "m")]) == (FORMAT.format("dd.MM.yyyy"),)


def test_a_run_asks_and_what_it_asks_for_loads_the_file(project: Project) -> None:
    text = (
        "feed: f\nsource: {{path: '${{landing}}/f/', format: csv, options: {{sep: ;}}{source}}}\n"
        "schema: {{id: int, day: {day}, amount: 'decimal(9,2)', n: {n}}}\ntarget: {{table: s.f, keys: [id]}}\n"
    )
    project.feed("f", text.format(source="", day="date", n="int"))
    project.land("f", "a.csv", "id;day;amount;n\n1;31.01.2026;1,50;N/A\n")
    report = project.cli("run", "f").feed
    assert report["status"] == "rejected"
    assert sorted(report["hints"]) == [
        "does 'N/A' stand for no value (source.null_values)?",
        'is amount written otherwise (schema.amount.numbers: {decimal: ","})?',
        "is day written dd.MM.yyyy (schema.day.format)?",
    ]
    mended = text.format(source=', null_values: ["", "N/A"]', day="{type: date, format: dd.MM.yyyy}", n="int").replace(
        "'decimal(9,2)'", "{type: 'decimal(9,2)', numbers: {decimal: ','}}"
    )
    project.feed("f", mended)
    project.land("f", "a.csv", "id;day;amount;n\n1;31.01.2026;1,50;N/A\n")
    assert project.cli("run", "f").feed["hints"] == []
    assert project.rows("s.f") == [("1", "2026-01-31", "1.50", None)]
