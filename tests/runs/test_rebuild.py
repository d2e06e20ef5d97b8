"""`landfeed rebuild`: under an unchanged YAML it gives what is there; under another one what that says; and swaps."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support import HEADER, Project

KILLED = "tests/recovery/killed.py"
DELETES = "apply_as_deletes: \"op = 'D'\", except_columns: op"
MODES = {
    "hard": f"keys: [k], sequence_by: n, {DELETES}",
    "soft": f"keys: [k], sequence_by: n, {DELETES}, delete_mode: soft",
    "truncates": f"keys: [k], sequence_by: n, {DELETES}, apply_as_truncates: \"op = 'T'\"",
    "history": f"keys: [k], sequence_by: [n, m], scd_type: 2, {DELETES}",
    "tracked": f"keys: [k], sequence_by: n, scd_type: 2, track_columns: [a], audit_columns: true, {DELETES}",
    "last_wins": "keys: [k]",
    "keeps": "keys: [k], sequence_by: n, ignore_null_updates: true",
    "append": "mode: append, partition_by: [k]",
    "insert_only": "mode: insert_only, keys: [k]",
    "overwrite": "mode: overwrite, overwrite_by: [k]",
    "pictures": "mode: snapshot, scd_type: 2, keys: [k], snapshot: {by: day, max_deletes: 1}",
}
FEED = """\
feed: {name}
source: {{path: "${{landing}}/{name}/", format: csv, files: "{{day:int}}_*.csv"}}
schema: {{k: int, n: int, m: int, op: string, a: string, b: {{type: string, description: What it is}}}}
target: {{table: s.{name}, {more}}}
"""


def everything(project: Project, name: str) -> dict[str, Any]:
    """What a feed's tables hold, but for what tells of batches."""
    table = project.table(f"s.{name}")
    assert table is not None
    columns = [f.name for f in table.schema().fields if f.name not in ("_source_file", "_batch_id", "_loaded_at")]
    return {
        "target": project.rows(f"s.{name}", ", ".join(f'"{each}"' for each in columns)),
        "remembered": project.rows(f"s.{name}__cdc", "k, _sequence, _change"),
        "comments": [f.metadata.get("comment") for f in table.schema().fields],
    }


def land(project: Project, modes: Sequence[str], dice: random.Random, day: int) -> None:
    for name in modes:
        for part in "ab"[: dice.choice((1, 2))]:
            rows = []
            for key in dice.sample(range(8), 6) if name in ("pictures", "overwrite") else dice.choices(range(8), k=6):
                op = dice.choice("UUUUDT" if name == "truncates" else "UUUD")
                a, b = dice.choice(("x", "y", "")), dice.choice(("x", "y", ""))
                rows.append(f"{key},{dice.randrange(9)},{dice.randrange(3)},{op},{a},{b}\n")
            if name == "pictures" and part == "b":
                continue
            bad = "" if name in ("pictures", "overwrite") else "bad,,,,,\n"
            project.land(name, f"{day}_{part}.csv", "k,n,m,op,a,b\n" + "".join(rows) + bad)


def project_of(root: str, modes: Sequence[str]) -> Project:
    project = Project(root)
    for name in modes:
        project.feed(name, FEED.format(name=name, more=MODES[name]))
    return project


def check_the_law(root: str, modes: Sequence[str], seed: int, days: int) -> None:
    """A rebuild under an unchanged YAML equals the target; and what comes after a swap does what it would have."""
    dice = random.Random(seed)
    project = project_of(root, modes)
    for day in range(1, days):
        land(project, modes, dice, day)
        assert project.cli("run").code == 0
    before = {name: everything(project, name) for name in modes}
    found = project.cli("rebuild", *modes)
    assert found.code == 0
    for each in found.document["feeds"]:
        assert each["difference"] == {"missing": [], "too_many": [], "changed": []}, each["feed"]
        assert each["rows_before"] == each["rows_after"]
    assert {name: everything(project, name) for name in modes} == before
    assert all(each["swapped"] for each in project.cli("rebuild", "--swap", *modes).document["feeds"])
    assert {name: everything(project, name) for name in modes} == before
    assert not any(re.search("rebuild.*json", name) for name in project.files("tables"))
    assert project.cli("run").document["status"] == "nothing_to_do"

    twin = project_of(os.path.join(root, "twin"), modes)
    dice = random.Random(seed)
    for day in range(1, days):
        land(twin, modes, dice, day)
        twin.cli("run")
    state = dice.getstate()
    for each in (project, twin):
        dice.setstate(state)
        land(each, modes, dice, days)
        assert each.cli("run").code == 0
    for name in modes:
        assert everything(project, name) == everything(twin, name), name


@pytest.mark.parametrize("modes", [["history", "append"], ["soft", "pictures"]])
def test_the_law(modes: Sequence[str], tmp_path: os.PathLike[str]) -> None:
    check_the_law(os.fspath(tmp_path), modes, 1, 3)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(2, 12))
def test_the_law_often(seed: int, tmp_path: os.PathLike[str]) -> None:
    check_the_law(os.fspath(tmp_path), list(MODES), seed, 7)


@pytest.fixture
def days(project: Project) -> Project:
    """Two days, on the first of which a row does not fit."""
    for day in (1, 2):
        rows = f"1,day{day},2026-01-0{day}\n2.5,day{day},2026-01-0{day}\n"
        project.land("activity", f"{day}.csv", HEADER + rows)
        assert project.cli("run").code == 0
    return project


OTHER = """\
feed: activity
source: {path: "${landing}/activity/", format: csv}
schema: {user_id: "decimal(5,1)", happened: {type: string, source_name: event}, event_time: timestamp}
target: {table: analytics.activity, keys: [user_id, happened], sequence_by: event_time}
"""


def test_another_key_type_and_name(days: Project) -> None:
    days.feed("activity", OTHER)
    assert days.cli("plan").document["feeds"][0]["error"]["code"] == "loaded_otherwise"
    looked = days.cli("rebuild", "activity").document["feeds"][0]
    assert (looked["columns_gone"], looked["columns_new"]) == (["event"], ["happened"])
    assert (looked["rows_before"], looked["rows_after"], looked["swapped"]) == (1, 4, None)
    assert len(days.rows("analytics.activity")) == 1
    assert days.cli("rebuild", "activity", "--swap").code == 0
    rows = days.rows("analytics.activity", "user_id, happened")
    assert rows == [("1.0", "day1"), ("1.0", "day2"), ("2.5", "day1"), ("2.5", "day2")]
    days.land("activity", "3.csv", HEADER + "1,day2,2026-01-03\n")
    assert days.cli("run").feed["rows"]["updated"] == 1
    assert days.cli("history").document["batches"][1]["files"] == 0, "the swap is a batch without files"


def test_a_lost_target_and_lost_control_tables(days: Project) -> None:
    before = days.rows("analytics.activity")
    for name in ("analytics/activity", "_landfeed/files", "_landfeed/batches"):
        os.rename(days.path("tables", name), days.path("lost-" + name.replace("/", "-")))
    assert days.cli("rebuild", "activity", "--swap").code == 0
    assert days.rows("analytics.activity") == before


def test_a_lost_warehouse(days: Project) -> None:
    before, bad = days.rows("analytics.activity"), days.rows("analytics.activity__quarantine", "_feed, _line, _record")
    assert len(bad) == 2
    os.rename(days.path("tables"), days.path("lost"))
    for _ in range(2):  # the second time it is there, and stays as it is
        assert days.cli("rebuild", "activity", "--swap").code == 0
        assert days.rows("analytics.activity") == before
        assert days.rows("analytics.activity__quarantine", "_feed, _line, _record") == bad
    batches = days.cli("quarantine", "activity", "--all").feed["batches"]
    assert [reason["rows"] for batch in batches for reason in batch["reasons"]] == [1, 1]


def test_files_that_are_not_in_the_archive_are_missed(days: Project) -> None:
    (first, _) = (name for name in days.files("archive") if name.endswith(".csv"))
    os.remove(days.path("archive", first))
    looked = days.cli("rebuild", "activity").document["feeds"][0]
    assert "1 file(s) that were loaded are not in" in looked["warnings"][0]
    refused = days.cli("rebuild", "activity", "--swap").document
    assert refused["error"]["code"] == "rebuild"
    assert days.cli("rebuild", "activity", "--swap", "--force").code == 0


def test_an_unfinished_batch_comes_first(days: Project) -> None:
    days.land("activity", "3.csv", HEADER + "7,x,2026-01-03\n")
    assert days.cli("stage").code == 0
    assert "landfeed run activity" in days.cli("rebuild", "activity", "--swap").document["error"]["hint"]
    days.cli("run")
    assert days.cli("rebuild", "activity", "--swap").document["feeds"][0]["deliveries"] == 3


def test_killed_and_rebuilt_again(tmp_path: os.PathLike[str]) -> None:
    """Wherever a swap is killed, the target is the old one or the new one; and the next one makes it whole."""
    project = Project(os.fspath(tmp_path))
    project.feed("history", FEED.format(name="history", more=MODES["history"]))
    for day in (1, 2):
        rows = f"1,{day},0,U,x{day},\n2,9,0,D,,\n2,{day},0,U,y,\n"
        project.land("history", f"{day}_a.csv", "k,n,m,op,a,b\n" + rows)
        assert project.cli("run").code == 0
    before = everything(project, "history")
    killed = 0
    for at in range(0, 60, 5):
        process = project.start("rebuild", "history", "--swap", script=KILLED, KILL_AT=str(at))
        _, errors = process.communicate(timeout=120)
        assert everything(project, "history") == before, f"boundary {at}"
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, errors
            break
        killed += 1
    assert project.cli("run").document["status"] == "nothing_to_do"
    assert killed > 3
    project.land("history", "3_a.csv", "k,n,m,op,a,b\n2,5,0,U,late,\n1,5,0,U,new,\n")
    assert project.cli("run").feed["rows"]["updated"] == 2
    assert project.cli("rebuild", "history").document["feeds"][0]["difference"]["missing"] == []


def test_a_table_in_a_catalog_is_loaded_beside(project: Project) -> None:
    """What to do is said before Spark starts."""
    project.write(
        "pipelines_config/environments/local.yml",
        "engine: spark\nvariables: {landing: ./landing, archive: ./archive}\ntables: {catalog: main}\n",
    )
    error = project.cli("rebuild", "activity").document["error"]
    assert (error["code"], "landfeed replay activity --all" in error["hint"]) == ("rebuild", True)
