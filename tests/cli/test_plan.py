"""`plan` in a few lines a feed, however many files and columns there are."""

from __future__ import annotations

import time

from tests.cli import text
from tests.support import HEADER, Project

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
