"""Numbers as people write them: a table for the law and both engines, and random texts on which all must agree."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import duckdb
import pytest

from framework.feed import Negative, Numbers
from framework.law.dialects import DUCKDB, SPARK
from framework.law.values import plain_number, plain_number_sql

LEADING, TRAILING, PARENTHESES = Negative
ALL = (LEADING, TRAILING, PARENTHESES)
ITALIAN = Numbers(",", ".", ALL, "€% ")
FRENCH = Numbers(",", " ", (LEADING,), " €")
SWISS = Numbers(".", "'", (LEADING, TRAILING))
SAP = Numbers(".", "", (LEADING, TRAILING))
ENGLISH = Numbers(".", ",", (LEADING, PARENTHESES), "$ ")
STRANGE = Numbers("|", "^", ALL, "*]\\[")

TABLE: list[tuple[Numbers, dict[str, str], list[str]]] = [
    (
        ITALIAN,
        {
            "1.234,56": "1234.56",
            "12,5": "12.5",
            "0,5": "0.5",
            ",5": ".5",
            "5,": "5.",
            "1234": "1234",
            "-1.234": "-1234",
            "1.234-": "-1234",
            "(1.234,50)": "-1234.50",
            "( 1 )": "-1",
            "€ 1.234,56": "1234.56",
            "-€ 3": "-3",
            "€ -3": "-3",
            "\u22123": "-3",
            "12,5 %": "12.5",
            "12,5\u00a0€": "12.5",
            " 7 ": "7",
            "1,5e-3": "1.5e-3",
            "-1,5E+3": "-1.5E+3",
            "+4": "4",
            "4+": "4",
            "1.23.456": "123456",
            "NaN": "NaN",
            "-infinity": "-infinity",
        },
        [
            "1.23",
            "12.34.56",
            "1234.567",
            "1,234,567",
            "--1",
            "-1-",
            "(-1)",
            "(1",
            "1)",
            "",
            "€",
            "1 234",
            "1.2345",
            "e5",
        ],
    ),
    (
        FRENCH,
        {"1 234,5": "1234.5", "1\u00a0234\u202f567": "1234567", "1\u2009234,00 €": "1234.00", "-1 234": "-1234"},
        ["1.5", "1234 -", "(1)", "1  234", "12 34"],
    ),
    (SWISS, {"1'234.50": "1234.50", "1\u2019234": "1234", "3-": "-3"}, ["1'23", "1,5", "(3)"]),
    (SAP, {"1250.00-": "-1250.00", "3.10": "3.10", "-3": "-3"}, ["1,250.00-", "3 -"]),
    (ENGLISH, {"1,234.5": "1234.5", "($1,234.50)": "-1234.50", "12,34,567": "1234567"}, ["1.234,5", "3-", "1,23"]),
    (STRANGE, {"1^234|5": "1234.5", "[7]": "7", "\\7-": "-7"}, ["1.5", "1,234"]),
]
CASES = [
    (numbers, text, wanted)
    for numbers, good, bad in TABLE
    for text, wanted in [*good.items(), *((b, None) for b in bad)]
]
SIGNS = "0123456789" * 3 + ".,' -+()€%$eE^|\u2212\u00a0\u202f\u2019\t[]\\xN"


def random_texts(seed: int, number: int) -> list[str]:
    """Texts that look like numbers, in all spellings at once."""
    random = Random(seed)
    found = []
    for _ in range(number):
        whole = random.choice(("1", "12", "123", "1.234", "1,234", "1 234", "12.34.567", "1'234'567", "0"))
        text = whole + random.choice(("", ",5", ".5", "|5", ",50", ".")) + random.choice(("", "", "", "e2", "E-12"))
        text = random.choice(("{}", "-{}", "{}-", "({})", "+{}", "€ {}", "{} %", "-$ {}", "{}\u00a0€")).format(text)
        for _ in range(random.choice((0, 0, 1, 2))):
            at = random.randrange(len(text) + 1)
            text = text[:at] + random.choice(("", random.choice(SIGNS))) + text[at + random.choice((0, 1)) :]
        found.append(text)
    return found


def by_duckdb(texts: Sequence[str], numbers: Numbers) -> list[Any]:
    query = f"SELECT {plain_number_sql('x', numbers, DUCKDB)} FROM (SELECT unnest(?::VARCHAR[]) AS x)"
    with duckdb.connect() as connection:
        return [value for (value,) in connection.execute(query, [list(texts)]).fetchall()]


@pytest.mark.parametrize(("numbers", "text", "wanted"), CASES)
def test_the_table(numbers: Numbers, text: str, wanted: str | None) -> None:
    assert plain_number(text, numbers) == wanted


@pytest.mark.parametrize("numbers", [case[0] for case in TABLE])
def test_duckdb(numbers: Numbers) -> None:
    texts = [text for _, text, _ in CASES] + random_texts(1, 3000)
    expected = [plain_number(text, numbers) for text in texts]
    found = by_duckdb(texts, numbers)
    assert [each for each in zip(texts, found, expected, strict=True) if each[1] != each[2]] == []
    assert sum(value is not None for value in expected) > 100


@pytest.mark.spark
def test_spark(spark: Any) -> None:
    texts = [text for _, text, _ in CASES] + random_texts(2, 3000)
    every = [case[0] for case in TABLE]
    frame = spark.createDataFrame([(text,) for text in texts], "x string")
    rows = frame.selectExpr(
        *(f"{plain_number_sql('x', each, SPARK)} AS v{n}" for n, each in enumerate(every))
    ).collect()
    for number, numbers in enumerate(every):
        expected = [plain_number(text, numbers) for text in texts]
        differing = [
            each for each in zip(texts, (row[number] for row in rows), expected, strict=True) if each[1] != each[2]
        ]
        assert differing == []
