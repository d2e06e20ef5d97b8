"""A power cut keeps what was synced, and any part of what was not: no state that it can leave loses a batch."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

import duckdb
import pytest
from deltalake.exceptions import DeltaError

from tests.recovery.test_kill import prepare
from tests.recovery.test_sick_machine import small_disk
from tests.support import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trace is read from /proc")


class Fate(StrEnum):
    """What becomes of writes that were not synced."""

    LOST = "lost"
    EMPTY = "empty"
    HALF = "half"
    SOME = "some"


@dataclass(slots=True)
class Disk:
    """Files by path, as a process sees them, and which of them a power cut leaves alone."""

    there: dict[str, str] = field(default_factory=dict)
    """Where the bytes of each path are kept."""
    safe: dict[str, str] = field(default_factory=dict)
    """The same, as it is on the disk for certain."""
    written: set[str] = field(default_factory=set)
    """Files whose bytes are on the disk, by where they are kept."""

    def step(self, step: Mapping[str, Any]) -> None:
        for path in step["gone"]:
            del self.there[path]
        self.there.update(step["made"])
        synced = step["synced"]
        if synced in self.there:
            self.written.add(self.there[synced])
        elif synced is not None:  # a folder: names in it are on the disk from now on
            for path in [path for path in self.safe if os.path.dirname(path) == synced]:
                del self.safe[path]
            self.safe.update({path: kept for path, kept in self.there.items() if os.path.dirname(path) == synced})

    def after(self, fate: Fate, seed: int) -> dict[str, bytes]:
        """What is found after a power cut: names are gone that were to go, and of new ones what fate says."""
        dice, found = Random(seed), {}
        for path, kept in self.there.items():
            with open(kept, "rb") as file:
                content = file.read()
            if self.safe.get(path) != kept or kept not in self.written:
                named = self.safe.get(path) == kept or fate is not Fate.LOST
                if not named or (fate is Fate.SOME and dice.random() < 0.4):
                    continue
                if kept not in self.written and (fate is not Fate.SOME or dice.random() < 0.6):
                    content = content[: len(content) // 2] if fate is Fate.HALF else b""
            found[path] = content
        if fate is Fate.SOME:
            for path in self.safe.keys() - self.there.keys():
                if dice.random() < 0.5:  # it was to go, and has not
                    with open(self.safe[path], "rb") as file:
                        found[path] = file.read()
        return found


def recorded(root: str, durability: str) -> tuple[Project, Disk, list[dict[str, Any]]]:
    """A project before a run, on a disk where all is synced, and the steps of the run."""
    project = prepare(os.path.join(root, "project"))
    project.write(
        "pipelines_config/environments/local.yml",
        "engine: embedded\nvariables: {landing: ./landing, archive: ./archive}\n"
        f"tables: {{root: ./tables}}\ndurability: {durability}\n",
    )
    before, trace = os.path.join(root, "before"), os.path.join(root, "trace")
    os.makedirs(trace)
    shutil.copytree(project.root, before)
    disk = Disk()
    for at, _, names in os.walk(project.root):
        for path in (os.path.join(at, name) for name in names):
            disk.there[path] = disk.safe[path] = before + path[len(project.root) :]
    disk.written = set(disk.there.values())
    process = project.start("run", script="tests/recovery/traced.py", TRACE=trace, ROOT=project.root)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 3, errors
    with open(os.path.join(trace, "steps"), encoding="utf-8") as steps:
        return project, disk, [json.loads(line) for line in steps]


def states(disk: Disk, steps: list[dict[str, Any]], seeds: range) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each different state that is looked at, with its name."""
    known: set[int] = set()
    for number, step in enumerate(steps):
        disk.step(step)
        fates = [(fate, 0) for fate in (Fate.LOST, Fate.EMPTY, Fate.HALF)] + [(Fate.SOME, seed) for seed in seeds]
        for fate, seed in fates:
            state = disk.after(fate, seed * 1000 + number)
            key = hash(frozenset(state.items()))
            if key not in known:
                known.add(key)
                yield f"step {number} of {len(steps)}, {fate} {seed}", state


def put_back(project: Project, state: Mapping[str, bytes], times: Mapping[str, int]) -> None:
    shutil.rmtree(project.root)
    for folder in ("landing/activity", "archive", "tables"):
        os.makedirs(project.path(folder))
    for path, content in state.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content)
        if path in times:
            os.utime(path, ns=(times[path], times[path]))


def loaded(project: Project) -> object:
    """What is in the tables; an error if they cannot be read. A file that was moved may be back in landing, which loads
    it once more: then its bad rows stand there twice."""
    try:
        bad = project.rows("analytics.activity__quarantine", "_line, _record")
        return project.rows("analytics.activity"), set(bad)
    except (DeltaError, duckdb.Error) as error:
        return error


def lost_states(tmp_path: os.PathLike[str], durability: str, seeds: range, every: int) -> tuple[list[str], int]:
    """The states after which a run does not bring everything back, and how many were looked at."""
    project, disk, steps = recorded(os.fspath(tmp_path), durability)
    times = {path: os.stat(kept).st_mtime_ns for path, kept in disk.there.items() if "/landing/" in path}
    wanted, lost, looked = loaded(project), [], 0
    for number, (name, state) in enumerate(states(disk, steps, seeds)):
        if number % every:
            continue
        put_back(project, state, times)
        looked += 1
        report = project.cli("run")
        found = loaded(project)
        if found != wanted:
            error = report.feed["error"]
            lost.append(f"{name}: {error['message'] if error else report.feed['status']}")
    return lost, looked


def test_no_power_cut_loses_a_batch(tmp_path: os.PathLike[str]) -> None:
    lost, looked = lost_states(tmp_path, "sync", range(1), every=16)
    assert looked >= 5
    assert lost == []


@pytest.mark.torture
def test_no_power_cut_loses_a_batch_in_any_state(tmp_path: os.PathLike[str]) -> None:
    lost, looked = lost_states(tmp_path, "sync", range(8), every=1)
    print(f"{looked} states")  # noqa: T201
    assert lost == []


def bytes_at(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_what_goes_to_another_disk_is_there_before_it_leaves_landing(tmp_path: os.PathLike[str]) -> None:
    """Whatever a power cut takes: each file is in landing, under some name, or complete and certain in the archive."""
    with small_disk(os.path.join(tmp_path, "project", "archive"), "8m"):
        project, disk, steps = recorded(os.fspath(tmp_path), "sync")
        landing, archive = project.path("landing"), project.path("archive")
        wanted = {bytes_at(kept) for path, kept in disk.there.items() if path.startswith(landing)}
        assert len(wanted) == 3
        for step in steps:
            disk.step(step)
            certain = {content for path, content in disk.after(Fate.LOST, 0).items() if path.startswith(archive)}
            there = {bytes_at(kept) for path, kept in disk.there.items() if path.startswith(landing)}
            assert wanted <= certain | there
    assert not project.files("landing")


def test_without_syncs_a_power_cut_does(tmp_path: os.PathLike[str]) -> None:
    """What the test above would find."""
    lost, _ = lost_states(tmp_path, "none", range(0), every=6)
    assert lost
