"""Where references lead: to columns of tables that are there, of a type whose values can be equal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.errors import LandfeedError
from framework.feed import Check, CheckAction, Feed, Reference
from framework.law.batch_checks import sample_columns
from framework.law.references import refuse_unknown
from framework.names import Table
from framework.types import Scalar
from tests.feeds import made_feed

COLUMNS = (("code", "string"), ("number", "int"), ("share", "decimal(5,2)"))


def referring(among: str, type_: str = "string") -> Feed:
    feed = made_feed(name="orders")
    column = replace(feed.columns[0], name="country", type=Scalar(type_), source_names=("country",))
    reference = Reference("country", Table("ref.countries"), among)
    check = Check("exists_in_country", "country is known", CheckAction.QUARANTINE, exists_in=reference)
    return replace(feed, columns=(*feed.columns, column), checks=(check,))


@pytest.mark.parametrize(("among", "type_"), [("code", "string"), ("number", "int"), ("number", "bigint")])
def test_one_that_can_be_looked_up(among: str, type_: str) -> None:
    refuse_unknown(referring(among, type_), {"ref.countries": COLUMNS})


@pytest.mark.parametrize(
    ("among", "type_", "there", "message", "hint"),
    [
        (
            "code",
            "string",
            {"ref.country": COLUMNS},
            "the check exists_in_country needs the table ref.countries, which is not there",
            "load that table first, or correct schema.country.exists_in",
        ),
        (
            "Code",
            "string",
            {"ref.countries": COLUMNS},
            "the check exists_in_country needs the column Code, and ref.countries has none",
            "it has: code, number, share; correct schema.country.exists_in",
        ),
        (
            "number",
            "string",
            {"ref.countries": COLUMNS},
            "the check exists_in_country compares string with number of ref.countries, which is int",
            "give the column country the type int",
        ),
        (
            "share",
            "bigint",
            {"ref.countries": COLUMNS},
            "the check exists_in_country compares bigint with share of ref.countries, which is decimal(5,2)",
            "give the column country the type decimal(5,2)",
        ),
    ],
)
def test_one_that_leads_nowhere(
    among: str, type_: str, there: dict[str, tuple[tuple[str, str], ...]], message: str, hint: str
) -> None:
    with pytest.raises(LandfeedError) as raised:
        refuse_unknown(referring(among, type_), there)
    assert raised.value.message == f"feed orders: {message}"
    assert raised.value.hint == hint
    assert raised.value.code == "reference"


def test_what_is_shown_of_a_row_without_one() -> None:
    feed = referring("code")
    assert sample_columns(feed, feed.checks[0]) == ["country"]
