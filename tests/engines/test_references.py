"""Columns whose values are to be among those of another table: the same on both engines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import duckdb
import pytest

from framework.batch import Checked
from framework.engines.embedded.known import may_shuffle
from framework.engines.embedded.sql import select_rows, table_columns
from framework.errors import PolicyError
from framework.law.layout import own_layout
from framework.law.records import READERS
from framework.names import Rows
from tests.engines.driving import Drive, Staged
from tests.support import REPOSITORY

pytestmark = [pytest.mark.engines, pytest.mark.rarely]

COUNTRIES = """\
feed: countries
source: {path: "${landing}/countries/", format: csv}
schema: {code: string, number: int, "a`name": string, since: date}
target: {table: ref.countries, mode: append}
"""
KNOWN = "code,number,a`name,since\nIT,1,Italia,1946-06-02\nDE,2,Deutschland,1949-05-23\nDE,,,\n,7,,\n"
FEED = """\
feed: referring
source: {path: "${landing}/referring/", format: csv}
schema:
  id: bigint
  country: {type: string, exists_in: {table: ref.countries, column: code}}
  name: {type: string, exists_in: {table: ref.countries, column: "a`name", action: drop}}
  number: {type: bigint, exists_in: {table: ref.countries, column: number, action: warn}}
  since: {type: date, mask: {method: redact}, exists_in: {table: ref.countries, column: since}}
  upper: {type: string, expr: "upper(name)"}
checks:
  - {name: positive, expr: "id > 0", action: quarantine}
quarantine: {all_bad: load}
target: {table: t.referring, keys: [id]}
"""
ROWS = """\
id,country,name,number,since
1,IT,Italia,1,1946-06-02
2,,,,
3,it,Italia,1,1946-06-02
4,FR,Nowhere,9,
5,DE,Nowhere,2,
6,DE,Deutschland,99,1949-05-23
7,IT,Italia,1,2000-01-01
-8,XX,Italia,1,
1,DE,Italia,7,
9,"",,,
"""


ORDERED = """\
feed: ordered
source: {path: "${landing}/ordered/", format: csv}
schema: {id: bigint, code: {type: string, exists_in: {table: ref.countries, column: code}}}
target: {table: t.ordered, keys: [id]}
"""


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Drive, Staged]]:
    drive = Drive(engine, os.fspath(tmp_path_factory.mktemp("referring")))
    countries = drive.feed(COUNTRIES)
    drive.load(countries, 1, [drive.land(countries, "1.csv", KNOWN)])
    feed = drive.feed(FEED)
    staged, _ = drive.load(feed, 1, [drive.land(feed, "1.csv", ROWS)])
    yield drive, staged
    drive.close()


def test_the_rows_that_are_loaded(loaded: tuple[Drive, Staged]) -> None:
    drive, staged = loaded
    assert staged.manifest.rows == Rows(read=10, staged=3, quarantined=5, filtered=1, deduplicated=1)
    rows = drive.rows(drive.feed(FEED).target.table, "id, country, name, number")
    assert sorted(rows) == [("1", "DE", "Italia", "7"), ("2", None, None, None), ("6", "DE", "Deutschland", "99")]


def test_the_reasons(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    listed = "list_transform(_errors, lambda e: e.code || ' ' || coalesce(e.\"column\", '') || ' ' || e.message)"
    found = drive.rows(drive.feed(FEED).quarantine.table, f"_line, {listed} AS c")
    no_code = "check_failed country there is no such code in ref.countries"
    assert sorted((line, told.replace("'", "")) for line, told in found) == [
        ("11", f"[{no_code}]"),
        ("4", f"[{no_code}]"),
        ("5", f"[{no_code}]"),
        ("8", "[check_failed since there is no such since in ref.countries]"),
        ("9", f"[check_failed  the check positive is not true, {no_code}]"),
    ]


def test_what_came_of_the_checks(loaded: tuple[Drive, Staged]) -> None:
    _, staged = loaded
    assert staged.manifest.checks == (
        Checked("positive", "row", "quarantine", 1, None, False),
        Checked("exists_in_country", "row", "quarantine", 4, None, False),
        Checked("exists_in_name", "row", "drop", 2, None, False),
        Checked("exists_in_number", "row", "warn", 2, None, False),
        Checked("exists_in_since", "row", "quarantine", 1, None, False),
    )


def test_rows_that_are_all_known(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    feed = drive.feed(FEED.replace("referring", "clean"))
    staged, _ = drive.load(feed, 1, [drive.land(feed, "1.csv", "id,country,number\n1,IT,2\n2,,\n")])
    assert staged.manifest.rows == Rows(read=2, staged=2)
    assert all(checked.passed for checked in staged.manifest.checks)


def test_one_that_stops_the_feed(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    feed = drive.feed(FEED.replace("referring", "stopping").replace("column: code", "column: code, action: fail"))
    with pytest.raises(PolicyError) as raised:
        drive.stage(feed, 1, [drive.land(feed, "1.csv", ROWS)])
    assert "the check exists_in_country failed in 4 rows: country is a code of ref.countries" in raised.value.message
    assert "(1.csv: country = it; 1.csv: country = FR; 1.csv: country = XX)" in raised.value.message
    assert drive.manifest(feed, feed.target.staging, 1) is None


@pytest.mark.embedded
@pytest.mark.torture
def test_rows_stay_in_order_where_the_values_have_no_room(
    loaded: tuple[Drive, Staged], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two million rows against five million values in 200 MB: the join writes some of both to disk."""
    drive, _ = loaded
    feed = drive.feed(ORDERED)
    with duckdb.connect() as db:
        db.execute("SET memory_limit = '200MB'; SET threads = 2")
        db.execute("SET temp_directory = ?", [os.fspath(tmp_path_factory.mktemp("spill"))])
        db.execute("CREATE TEMP TABLE exists_in_code AS SELECT 'k' || i AS value FROM range(5000000) AS r(i)")
        db.execute(f"CREATE TEMP TABLE batch ({table_columns(feed)})")
        fields = "i::VARCHAR AS f0, 'k' || (7 * i) AS f1, 0 AS _file, 1 AS _bytes, 0 AS _quotes"
        source = f"SELECT {fields} FROM range(2000000) AS r(i)"
        layout = own_layout(feed, READERS[feed.source.format].kind)
        query = select_rows(feed, layout, source, [(0, "1.csv")], {}, ordered=may_shuffle(db, feed))
        db.execute(f"INSERT INTO batch {query}")
        moved = "count(CASE WHEN v0 <> rowid THEN 1 END)"
        assert db.execute(f"SELECT count(*), count(_texts), {moved} FROM batch").fetchone() == (2000000, 1285714, 0)


FIRST = """\
feed: first
source: {{path: "${{landing}}/first/", format: csv}}
{first}
target: {{table: t.first, mode: append}}
"""
SHOWN = """\
feed: shown
source: {{path: "${{landing}}/shown/", format: csv}}
{schema}
  id: bigint
target: {{table: t.shown, keys: [id]}}
"""
OTHER = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv}}
schema: {{{column}: {{type: {type}}}}}
target: {{table: {table}, mode: append}}
"""
OTHERS = (("known_countries", "crm.countries", "code", "string"), ("products", "shop.products", "id", "bigint"))


def test_the_examples_of_the_docs(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    with open(os.path.join(REPOSITORY, "docs", "expressions.md"), encoding="utf-8") as stream:
        first, schema = re.findall(r"```yaml\n(schema:\n.*?)\n```", stream.read(), re.DOTALL)
    feed = drive.feed(FIRST.format(first=first))
    text = "status,email,amount,parts\nA,a@X.org,10.00,3\nTEST,a@x.org,1,1\nA,a@x.org,1,0\nA,a@x.org,-1,1\n"
    staged, _ = drive.load(feed, 1, [drive.land(feed, "1.csv", text)])
    assert staged.manifest.rows == Rows(read=4, staged=1, quarantined=2, filtered=1)
    assert drive.rows(feed.target.table, "each, domain, loaded_from") == [("3.33", "x.org", "1.csv")]
    for name, table, column, type_ in OTHERS:
        other = drive.feed(OTHER.format(name=name, table=table, column=column, type=type_))
        drive.load(other, 1, [drive.land(other, "1.csv", f"{column}\n1\n")])
    feed = drive.feed(SHOWN.format(schema=schema))
    staged, _ = drive.load(feed, 1, [drive.land(feed, "1.csv", "id,country,product\n1,1,1\n2,2,1\n3,1,2\n4,,\n")])
    assert staged.manifest.rows == Rows(read=4, staged=3, quarantined=1)
    assert [checked.rows_failed for checked in staged.manifest.checks] == [1, 1]
