"""What expressions ask of rows: both engines compute, leave out, quarantine, warn and stop alike."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator

import pytest

from framework.batch import Checked
from framework.engine import Where
from framework.errors import LandfeedError, PolicyError
from framework.names import Rows
from tests.engines.driving import Drive, Staged

pytestmark = pytest.mark.engines

FEED = """\
feed: asked
source: {path: "${landing}/asked/", format: csv, files: "{n:int}.csv", timezone: Europe/Rome}
schema:
  id: bigint
  name: {type: string, required: true}
  email: {type: string, mask: {method: sha256}, pattern: "@"}
  tax: {type: string, mask: {method: hmac_sha256, key: pepper}}
  pin: {type: string, mask: {method: last, keep: 2}}
  note: {type: string, mask: {method: redact}}
  amount: decimal(12,2)
  parts: int
  at: {type: timestamp, not_in_future: true}
  number: {type: int, from_file: n}
  hour: {type: int, expr: "hour(at)"}
  each: {type: double, expr: "amount / parts"}
  domain: {type: string, expr: "split_part(email, '@', 2)"}
  origin: {type: string, expr: "regexp_extract(_source_file, r'(\\\\w+[.]csv)$')"}
filter: "name <> 'TEST' and number = 1"
checks:
  - {name: small, expr: "amount < 1000", action: warn}
  - {name: positive, expr: "amount > 0", action: quarantine}
  - {name: even, expr: "parts % 2 = 0", action: quarantine}
  - {name: known, expr: "tax is not null", action: drop}
  - {name: some, expr: "count(*) > 1 and max(email) = 'zoe@example.com'", scope: batch, action: fail}
  - {name: cheap, expr: "sum(amount) < 100", scope: batch, action: warn}
quarantine: {all_bad: load}
target: {table: t.asked, keys: [id], sequence_by: at}
"""
FIRST = """\
id,name,email,tax,pin,note,amount,parts,at
1,Ann,ann@example.com,T1,12345,n,10.50,2,2025-07-01 10:00:00
2,TEST,t@example.com,T2,1,n,1,0,2025-07-01
3,Bob,bob@example.com,T3,,n,-5,3,2025-07-01
4,Eve,eve@example.com,T4,9,n,5,0,2025-07-01
5,Kim,kim@example.com,,1234,n,5,2,2025-07-01
6,,no,T6,1234,n,-5,2,2025-07-01
7,Lea,lea@example.com,T7,1234,n,7,2,2999-07-01
8,Zoe,zoe@example.com,T8,77,,2000,4,2025-07-01
1,Ann,ann@example.org,T1,12346,n,11.50,2,2025-07-02
9,,t@example.com,T9,1,n,1,2,2025-07-01
"""
SECOND = "id,name,email,tax,pin,note,amount,parts,at\n20,Tom,tom@example.com,T20,1,n,1,2,2025-07-01\n"
CLEAR = ["ann@example", "zoe@example", "eve@example", "bob@example", "kim@example", "12345", "12346", "T20"]


@pytest.fixture(scope="module")
def loaded(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Drive, Staged]]:
    drive = Drive(engine, os.fspath(tmp_path_factory.mktemp("asked")))
    feed = drive.feed(FEED)
    files = [drive.land(feed, "1.csv", FIRST), drive.land(feed, "2.csv", SECOND)]
    staged, _ = drive.load(feed, 1, files)
    yield drive, staged
    drive.close()


def test_the_figures(loaded: tuple[Drive, Staged]) -> None:
    _, staged = loaded
    first, second = (outcome.rows for outcome in staged.manifest.outcomes)
    assert first == Rows(read=10, staged=2, quarantined=6, filtered=1, deduplicated=1)
    assert second == Rows(read=1, filtered=1)


def test_the_target(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    sha = hashlib.sha256(b"ann@example.org").hexdigest()
    mac = hmac.new(b"pepper", b"T1", "sha256").hexdigest()
    rows = drive.rows(drive.feed(FEED).target.table)
    assert rows[0][:6] == ("1", "Ann", sha, mac, "***46", "***")
    assert rows[0][10:] == ("0", "5.75", "example.org", "1.csv")
    assert (rows[1][0], *rows[1][4:6]) == ("8", "**", None)


def test_the_reasons(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    table = drive.feed(FEED).quarantine.table
    codes = "list_transform(_errors, lambda e: e.code || ' ' || coalesce(e.\"column\", e.message))"
    found = [(line, listed.replace("'", "")) for line, listed in drive.rows(table, f"_line, {codes} AS c")]
    assert sorted(found, key=lambda row: int(row[0])) == [
        ("3", "[bad_value each]"),  # columns are computed before the filter is asked
        ("4", "[check_failed the check positive is not true, check_failed the check even is not true]"),
        ("5", "[bad_value each]"),
        ("7", "[missing_required name, pattern_mismatch email]"),
        ("8", "[check_failed the check not_in_future_at is not true]"),
        ("11", "[missing_required name]"),
    ]


def test_what_came_of_the_checks(loaded: tuple[Drive, Staged]) -> None:
    _, staged = loaded
    assert staged.manifest.checks == (
        Checked("small", "row", "warn", 1, None, False),
        Checked("positive", "row", "quarantine", 1, None, False),
        Checked("even", "row", "quarantine", 1, None, False),
        Checked("known", "row", "drop", 1, None, False),
        Checked("not_in_future_at", "row", "quarantine", 1, None, False),
        Checked("some", "batch", "fail", None, "2, zoe@example.com", True),
        Checked("cheap", "batch", "warn", None, "2011.50", False),
    )


STOPPED = """\
feed: stopped
source: {path: "${landing}/stopped/", format: csv}
schema:
  id: bigint
  name: {type: string, mask: {method: sha256}}
  amount: int
checks:
  - {name: paid, expr: "amount > 0 and name <> 'x'", action: fail}
target: {table: t.stopped, keys: [id]}
"""


@pytest.mark.rarely
def test_a_check_that_stops_leaves_everything_as_it_was(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    feed = drive.feed(STOPPED)
    drive.load(feed, 1, [drive.land(feed, "1.csv", "id,name,amount\n1,Ann,5\n")])
    before = drive.rows(feed.target.table), drive.version(feed.target.table)
    bad = drive.land(feed, "2.csv", "id,name,amount\n1,Ann,6\n2,Bob,-1\n3,Eve,\n")
    with pytest.raises(PolicyError) as raised:
        drive.stage(feed, 2, [bad])
    assert "the check paid failed in 2 rows" in raised.value.message
    assert "2.csv: amount = -1; 2.csv: amount = NULL" in raised.value.message
    assert "Bob" not in raised.value.message
    assert raised.value.checked == (Checked("paid", "row", "fail", 2, None, False),)
    assert (drive.rows(feed.target.table), drive.version(feed.target.table)) == before
    assert drive.manifest(feed, feed.target.staging, 2) is None
    with pytest.raises(PolicyError, match="failed in 1 row"):  # and not the file alone, although no row of it is good
        drive.stage(feed, 2, [drive.land(feed, "3.csv", "id,name,amount\n4,Kim,0\n")])


@pytest.mark.rarely
def test_rows_are_shown_by_an_expression(loaded: tuple[Drive, Staged]) -> None:
    drive, _ = loaded
    table = drive.feed(FEED).target.table
    preview = drive.engine.preview(table, 5, where=Where("hour(at) = 0 and name like 'Z%'", "Europe/Rome"))
    assert preview is not None
    assert [row[0] for row in preview.rows] == ["8"]
    with pytest.raises(LandfeedError, match=r"--where: there is no column 'nme' \(character 1\)"):
        drive.engine.preview(table, 5, where=Where("nme = 'x'"))
