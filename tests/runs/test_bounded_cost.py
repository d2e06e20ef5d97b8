"""A file of a megabyte, whatever is in it, costs seconds and some hundred MB, and a good file beside it is loaded."""

from __future__ import annotations

import gzip
import json
import random
import re

import pytest

from tests.claims import LARGE
from tests.large_trouble import LARGEST, NAMED, some_large_file
from tests.support import ACTIVITY, Project
from tests.typed_files import WRITERS
from tests.workbooks import workbook

_SECONDS, _BYTES = 15, 600 << 20
"""Of processor time, which other processes on the machine lengthen little, and of memory."""
_QUICK = ("quotes_not_closed.csv", "commas.csv")
_ROW = {"user_id": "7", "event": "good", "event_time": "2026-01-01"}
_GOOD: dict[str, str | bytes] = {
    "csv": "user_id,event,event_time\n7,good,2026-01-01\n",
    "json": '{"user_id": 7, "event": "good", "event_time": "2026-01-01"}\n',
    "xml": "<r><row><user_id>7</user_id><event>good</event><event_time>2026-01-01</event_time></row></r>",
    "fixed_width": "7 good 2026-01-01\n",
    "excel": workbook({"A": [[*_ROW], [*_ROW.values()]]}),
    **{name: written(dict.fromkeys(_ROW, "string"), [_ROW]) for name, written in WRITERS.items()},
}
_PLACES = {"user_id": (1, 2), "event": (3, 5), "event_time": (8, 10)}


def run_beside_a_good_file(project: Project, name: str, content: bytes) -> tuple[float, int]:
    """What a run of the file and a good one took: seconds and bytes. The good one's row is in the target."""
    kind = name.removesuffix(".gz").rsplit(".", 1)[1]
    text = ACTIVITY.format(name="activity").replace("format: csv", f"format: {kind}")
    if kind == "fixed_width":
        for column, (start, width) in _PLACES.items():
            text = re.sub(rf"{column}: (\w+)\n", rf"{column}: {{type: \1, start: {start}, width: {width}}}\n", text)
    project.feed("activity", text)
    project.land("activity", f"1_{name}", content)
    project.land("activity", f"2_good.{kind}", _GOOD[kind])
    process = project.start("run", script="tests/runs/measured.py", MEASURED=project.path("used.json"))
    try:
        _, said = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode in (0, 3), said
    assert ("7", "good") in project.rows("analytics.activity", "user_id, event")
    assert not project.files("landing/activity")
    with open(project.path("used.json"), encoding="utf-8") as used:
        seconds, memory = json.load(used)
    return seconds, memory


@pytest.mark.parametrize("name", _QUICK)
def test_files_that_took_minutes(project: Project, name: str) -> None:
    seconds, memory = run_beside_a_good_file(project, name, NAMED[name])
    assert seconds < _SECONDS
    assert memory < _BYTES


@pytest.mark.torture
@pytest.mark.parametrize("name", sorted(NAMED.keys() - set(_QUICK)))
def test_files_that_took_long(project: Project, name: str) -> None:
    seconds, memory = run_beside_a_good_file(project, name, NAMED[name])
    assert seconds < _SECONDS
    assert memory < _BYTES


@pytest.mark.torture
@pytest.mark.parametrize("name", LARGE)
def test_files_that_claim_to_be_large(project: Project, name: str) -> None:
    content = LARGE[name]()
    assert len(content) <= LARGEST
    seconds, memory = run_beside_a_good_file(project, name, content)
    assert seconds < _SECONDS
    assert memory < _BYTES


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(60))
def test_any_file(project: Project, seed: int) -> None:
    name, content = some_large_file(random.Random(seed))
    assert len(content) <= LARGEST
    seconds, memory = run_beside_a_good_file(project, name, content)
    assert seconds < _SECONDS
    assert memory < _BYTES


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_packed_file_is_read_no_further_than_it_may_be_large(project: Project, kind: str) -> None:
    with open(project.path("pipelines_config", "environments", "local.yml"), "a", encoding="utf-8") as environment:
        environment.write("limits: {unpacked: 3 MB}\n")
    good = str(_GOOD[kind]).splitlines(keepends=True)
    bomb = gzip.compress(("".join(good[:-1]) + good[-1] * 2_000_000).encode(), 1)
    seconds, _ = run_beside_a_good_file(project, f"bomb.{kind}.gz", bomb)
    assert seconds < _SECONDS / 3
    assert any(name.endswith("bomb." + kind + ".gz") and "_rejected" in name for name in project.files("archive"))
