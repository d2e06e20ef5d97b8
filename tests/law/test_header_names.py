"""Headers to columns: names are the same that a person reads as the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import pytest

from framework.feed import (
    Archive,
    Column,
    Feed,
    Format,
    MissingColumns,
    NewColumns,
    Quarantine,
    SchemaContract,
    Source,
    Target,
)
from framework.law.layout import Layout, Rejected, csv_layout, json_layout, own_layout, same_name
from framework.law.records import READERS
from framework.names import Limits, Table
from framework.types import Scalar

TABLE = Table("s.t")
Names = tuple[str, ...]


def feed(*columns: Names, keys: Names = (), sequence: Names = (), contract: SchemaContract | None = None) -> Feed:
    """A feed whose columns are called as their first name and are found by all of them."""
    return Feed(
        "any",
        Source("/in/", Format.CSV),
        tuple(Column(names[0], Scalar("string"), names) for names in columns),
        Target(TABLE, TABLE, keys=keys, sequence_by=sequence),
        Quarantine(TABLE),
        Archive("/a/", "/r/"),
        contract or SchemaContract(),
    )


def matched(layout: Layout | Rejected) -> object:
    if isinstance(layout, Rejected):
        return layout.reason
    return {column: layout.names[index] for column, index in layout.fields}


@pytest.mark.parametrize(
    "name",
    [
        *["größe", "GRÖSSE", unicodedata.normalize("NFD", "Größe"), " größe\t", "\ufeffgröße", "gr\u00adöße"],
        *["\u00a0größe\r\n", "gr\u00f6\u017f\u017fe", "\u2009größe\u3000", "größe\u200b"],
    ],
)
def test_names_that_look_the_same(name: str) -> None:
    assert same_name(name) == same_name("größe")


def test_blanks_between() -> None:
    for name in ("customer name", "Customer\u00a0Name", "customer  name", "customer\r\nname", "CUSTOMER\tNAME"):
        assert same_name(name) == "customer name"
    assert same_name("customername") != "customer name"


@pytest.mark.parametrize("layout", [csv_layout, json_layout])
def test_columns_are_found_by_any_of_their_names(layout: Callable[[Feed, Sequence[str]], Layout | Rejected]) -> None:
    of = feed(("mail", "E-Mail", "Mail"), ("id",), ("none",))
    assert matched(layout(of, ["ID", "mail", "x"])) == {"mail": "mail", "id": "ID"}
    assert matched(layout(of, ["e-mail", "id"])) == {"mail": "e-mail", "id": "id"}


@pytest.mark.parametrize("layout", [csv_layout, json_layout])
def test_a_name_that_stands_twice(layout: Callable[[Feed, Sequence[str]], Layout | Rejected]) -> None:
    """It matters when a column wants it; and names that are columns of their own are not the same."""
    assert matched(layout(feed(("id",)), ["id", "x", "X", "x "])) == {"id": "id"}
    assert "'id' more than once" in str(matched(layout(feed(("id",)), ["id", "x", "ID"])))
    two = feed(("maße",), ("masse",))
    assert matched(layout(two, ["masse", "maße"])) == {"maße": "maße", "masse": "masse"}


def test_a_file_that_lacks_a_column() -> None:
    of = feed(("id",), ("at",), ("x",), keys=("id",), sequence=("at",))
    assert matched(csv_layout(of, ["id", "at"])) == {"id": "id", "at": "at"}
    assert "no column 'at' in the file; it has 'id'" in str(matched(csv_layout(of, ["id"])))
    assert "no column 'id'" in str(matched(csv_layout(of, ["at"])))
    strict = SchemaContract(missing_columns=MissingColumns.REJECT_FILE, new_columns=NewColumns.REJECT_FILE)
    assert "no column 'b'" in str(matched(csv_layout(feed(("a",), ("b",), contract=strict), ["a"])))
    assert "schema does not: 'c'" in str(matched(csv_layout(feed(("a",), contract=strict), ["a", "c"])))


def test_many_names() -> None:
    """A header may be wide, but not without end; of an object's keys only those count that a column wants."""
    many = [f"c{number}" for number in range(20_000)]
    assert "the header has 20000 columns" in str(matched(csv_layout(feed(("c5",)), many)))
    assert matched(csv_layout(feed(("c5",)), many[: Limits().columns])) == {"c5": "c5"}
    found = json_layout(feed(("c15",), ("c5",)), many)
    assert isinstance(found, Layout)
    assert (found.names, found.fields) == (("c5", "c15"), (("c15", 1), ("c5", 0)))


def test_a_file_with_every_column_under_its_first_name() -> None:
    of = feed(("a", "A1"), ("b",))
    for reader in READERS.values():
        assert matched(own_layout(of, reader.kind)) == {"a": "a", "b": "b"}
