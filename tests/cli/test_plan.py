"""`plan` in a few lines a feed, however many files and columns there are."""

from __future__ import annotations

import gzip
import os
import time

from tests.cli import text
from tests.support import ACTIVITY, HEADER, Project

ROW = "1,login,2026-01-01T00:00:00\n"
WIDE = """\
feed: wide
source: {{path: '${{landing}}/wide/', format: csv}}
schema:
{columns}
target: {{table: a.wide, keys: [c0]}}
"""


def test_a_plan_names_a_few_files_and_counts_the_others(project: Project) -> None:
    for number in range(5):
        project.land("activity", f"{number}.csv", HEADER + ROW)
        project.land("activity", f"{number}.tmp", "")
    project.land("activity", ".hidden", "")
    assert text(project, "plan").stdout.replace(project.root, "") == (
        "activity\n"
        "  5 pending (265 bytes): 0.csv, 1.csv, 2.csv and 2 more\n"
        "  1 skipped, the name begins with . or _: .hidden\n"
        "  5 skipped, the name is that of an unfinished upload: 0.tmp, 1.tmp, 2.tmp and 2 more\n"
        "  stage    5 file(s) into analytics.activity__staging\n"
        "  create   analytics.activity: user_id bigint, event string, event_time timestamp\n"
        "  merge    into analytics.activity by user_id\n"
        "  archive  5 file(s) to /archive/activity/\n"
    )
    assert text(project, "run").exit_code == 0
    assert text(project, "plan").stdout.splitlines()[-1] == "  nothing to do"


def test_a_plan_tells_what_headers_lack_and_bring(project: Project) -> None:
    """… of packed files and of JSON too, and which files will be rejected; nothing is moved or written."""
    project.land("activity", "0.csv", HEADER + ROW)
    assert text(project, "run").exit_code == 0
    project.land("activity", "1.csv", "user_id,event_time,odd\n1,2026-01-01,x\n")
    project.land("activity", "2.csv", "user_id,event_time\n1,2026-01-01\n")
    project.land("activity", "3.csv.gz", gzip.compress(b"user_id,event,event_time,odd\n1,a,2026-01-01,x\n"))
    project.land("activity", "4.csv", "user,event,event_time\n1,a,2026-01-01\n")
    warnings = project.cli("plan").feed["warnings"]
    assert warnings[0].startswith("1.csv will be rejected: 'event', which the file before had, is gone, and 'odd' has")
    assert warnings[1].startswith("4.csv will be rejected: there is no column 'user_id' in the file")
    assert warnings[2:] == [
        "column 'event' is missing in 1 file: NULL or the default there",
        "column 'odd' is ignored in 1 file: not in the schema",
    ]
    assert "  warning: column 'odd' is ignored in 1 file: not in the schema\n" in text(project, "plan").stdout
    files = {file["file"].rsplit("/", 1)[-1]: file["status"] for file in project.cli("run").feed["files"]}
    assert files == {"1.csv": "rejected", "2.csv": "archived", "3.csv.gz": "archived", "4.csv": "rejected"}


def test_sql_is_shown_when_it_is_asked_for(project: Project) -> None:
    project.land("activity", "1.csv", HEADER + ROW)
    assert {step["sql"] for step in project.cli("plan").feed["steps"]} == {None}
    steps = {step["kind"]: step["sql"] for step in project.cli("plan", "--sql").feed["steps"]}
    assert steps["create_table"].startswith("CREATE TABLE analytics.activity (user_id bigint,")
    assert "SELECT" in steps["stage"]
    assert "SELECT" in steps["merge"]
    assert steps["archive"] is None
    said = text(project, "plan", "--sql").stdout
    assert "      SELECT" in said
    assert "SELECT" not in text(project, "plan").stdout


def test_a_feed_of_many_columns_is_planned_in_no_time(project: Project) -> None:
    columns = "\n".join(f"  c{number}: decimal(12,2)" for number in range(200))
    project.feed("wide", WIDE.format(columns=columns))
    project.land("wide", "1.csv", ",".join(f"c{number}" for number in range(200)) + "\n")
    text(project, "plan", "wide")  # what is imported late is there
    started = time.process_time()
    said = text(project, "plan", "wide")
    assert time.process_time() - started < 1
    assert len(said.stdout.splitlines()) == 6
    assert max(len(line) for line in said.stdout.splitlines()) < 200


def test_what_no_longer_fits_is_told_without_a_file(project: Project) -> None:
    """A type, a column, a table's name, a feed that is gone: before the next file comes."""
    project.land("activity", "a.csv", HEADER + "1,login,2026-01-01\n")
    assert project.cli("run").code == 0
    whole = ACTIVITY.format(name="activity")
    assert project.cli("plan").feed["warnings"] == []
    project.feed("activity", whole.replace("event: string", "event: int"))
    found = project.cli("plan")
    assert (found.code, found.feed["error"]["code"]) == (1, "schema")
    assert project.cli("run").document["status"] == "nothing_to_do"
    project.feed("activity", whole.replace("event: string", "what: string"))
    told = " ".join(project.cli("plan").feed["warnings"])
    assert "column event of analytics.activity is not in the feed" in told
    assert "column what is new" in told
    project.feed("activity", whole.replace("table: analytics.activity", "table: shop.activity"))
    (told,) = project.cli("plan").feed["warnings"]
    assert "shop.activity was not loaded yet; analytics.activity was" in told
    assert "rebuild activity --swap" in told
    os.remove(project.path("pipelines_config", "feeds", "activity.yml"))
    project.feed("other", ACTIVITY.format(name="other"))
    assert project.cli("plan").document["removed"] == [{"feed": "activity", "table": "analytics.activity"}]
    assert project.cli("plan", "other").document["removed"] == []
