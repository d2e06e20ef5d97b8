"""Whatever happens to the machine at whatever moment: after it has passed, all is as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from tests.recovery.test_kill import prepare
from tests.recovery.test_lost_tables import cut, last_entry, zeros
from tests.recovery.test_sick_machine import OLD, small_disk
from tests.support import HEADER, Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")

FAULTS = (
    *("kill", "term", "interrupt twice", "stop", "clock", "file size", "descriptors", "memory", "torn"),
    *("full tables", "full archive", "full landing", "full tmp"),
)
TABLES: tuple[str, ...] = ("analytics.activity", "analytics.old", "_landfeed.batches", "_landfeed.files")
TABLES += ("analytics.activity__staging", "analytics.activity__quarantine")
TOLD = {"batches": "batches", "files": "files", "activity__quarantine": "activity, bad"}
"""Of the tables that lose what is of no consequence elsewhere, which a warning tells, what is then shorter."""
TEARS = {"empty": lambda path: cut(path, b""), "half": cut, "zeros": zeros}
HANGS = "hangs"
PLENTY = 100
"""Seconds for a process, on a machine that does other things too."""


def prepared(root: str) -> Project:
    """A day is loaded; the next one has landed, with all that may be in a file, in two feeds."""
    project = prepare(root)
    project.feed("old", OLD)
    rows = (f"{number},événement,2026-01-01\n" for number in range(3_000))
    project.land("old", "a.csv", (HEADER + "".join(rows)).encode("cp1252"))
    project.land("old", "b.csv", (HEADER + "1,jeté,2026-01-02\nx,mauvais,2026-01-02\n").encode("cp1252"))
    return project


def state(project: Project) -> dict[str, Any]:
    """Everything that must not depend on what happened: no times, run ids, or folder names with dates."""
    figures = "state, feed, rows_read, rows_staged, rows_quarantined, inserted, updated, unchanged, stale"
    names = "state, feed, parse_filename(file), rows_read, rows_staged"
    found: dict[str, Any] = {
        "archive": sorted(
            (re.sub(r"[0-9-]{10}/[0-9a-f]{16}", "…", name), digest(project.path("archive", name)))
            for name in project.files("archive")
        ),
        "landing": project.files("landing"),
        "batches": sorted({row for row in project.rows("_landfeed.batches", figures) if row[0] == "archived"}),
        "files": sorted({row for row in project.rows("_landfeed.files", names) if row[0] in ("archived", "rejected")}),
    }
    for feed in ("activity", "old"):
        found[feed] = project.rows(f"analytics.{feed}")
        found[f"{feed}, bad"] = project.rows(f"analytics.{feed}__quarantine", "_line, _record, _errors")
    return found


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def digest(path: str) -> str:
    return hashlib.sha256(read(path)).hexdigest()


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], float]:
    """What an undisturbed run leaves, and its seconds."""
    project = prepared(os.fspath(tmp_path_factory.mktemp("twin")))
    process = project.start("run", script="tests/recovery/disturbed.py", FAULT="none", AT="-1")
    _, errors = process.communicate(timeout=PLENTY)
    assert process.returncode == 3, errors
    found = re.search(r"seconds: ([\d.]+)", errors)
    assert found is not None
    return state(project), float(found.group(1))


def disturbed(project: Project, fault: str, at: float, on: str) -> str:
    """A run to which the fault happens, which has ended; what it said."""
    script = "tests/recovery/disturbed.py"
    process = project.start(
        "run", script=script, FAULT=fault.split()[0] if on else fault, AT=str(at), ON=on, TMPDIR=project.path("tmp")
    )
    if fault == "stop" and stopped(process):
        assert project.cli("run").code in (0, 1, 3)
        process.send_signal(signal.SIGCONT)
    try:
        out, errors = process.communicate(timeout=PLENTY if fault != "memory" else PLENTY / 4)
    except subprocess.TimeoutExpired:  # a thread of Python's that gets no memory for its first step is waited for
        process.kill()
        out, errors = process.communicate()
        return f"{HANGS}\n{out}\n{errors}"
    assert "Traceback" not in errors, errors
    assert "report it" not in out + errors, out + errors
    return f"{process.returncode}\n{out}\n{errors}"


def stopped(process: subprocess.Popen[str]) -> bool:
    """Wait until a process is stopped, or has ended."""
    while process.poll() is None:
        with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as status:
            if status.read().rpartition(")")[2].split()[0] == "T":
                return True
        time.sleep(0.01)
    return False


def torn(project: Project, dice: Random) -> tuple[str, bytes, bytes] | None:
    """Tear the last entry of a table's log; where it is, what it held and what it holds."""
    folder = project.path("tables", *dice.choice(TABLES).split("."))
    if not os.path.isdir(folder):
        return None
    path = last_entry(folder)
    content = read(path)
    dice.choice(list(TEARS.values()))(path)
    return path, content, read(path)


def recovered(project: Project, tear: tuple[str, bytes, bytes] | None) -> list[str]:
    """Run until there is nothing to do; what was warned of. A table that is told to be lost is put back."""
    warnings: list[str] = []
    for _ in range(4):
        run = project.cli("run")
        warnings += [warning for feed in run.document["feeds"] for warning in feed["warnings"]]
        if run.document["status"] == "nothing_to_do":
            break
        errors = [
            error for error in [run.document.get("error"), *(feed["error"] for feed in run.document["feeds"])] if error
        ]
        if errors:
            assert tear is not None, errors
            assert "table" in errors[0]["message"], errors
            put_back(*tear)
            tear = None
    if tear is not None and os.path.exists(tear[0]) and read(tear[0]) == tear[2]:
        put_back(*tear)  # there was nothing to do for this table's feed, which then looks at no table
    return warnings


def put_back(path: str, content: bytes, _: bytes) -> None:
    with open(path, "wb") as entry:
        entry.write(content)


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(200))
def test_a_fault_at_a_moment(seed: int, tmp_path: os.PathLike[str], twin: tuple[dict[str, Any], float]) -> None:
    dice, fault = Random(seed), FAULTS[seed % len(FAULTS)]
    wanted, seconds = twin
    with ExitStack() as stack:
        root = os.path.join(tmp_path, "project")
        on = os.path.join(root, fault.split()[1]) if fault.startswith("full ") else ""
        if on:
            stack.enter_context(small_disk(on, "8m"))
        project = prepared(root)
        os.makedirs(project.path("tmp"), exist_ok=True)
        said = disturbed(project, fault, dice.uniform(0, seconds), on)
        if on and os.path.exists(filler := os.path.join(on, ".filler")):
            os.unlink(filler)
        tear = torn(project, dice) if fault == "torn" else None
        warnings = recovered(project, tear)
        found = state(project)
    other = {name: (found[name], wanted[name]) for name in wanted if found[name] != wanted[name]}
    if tear is not None and any(tear[0].split("/_delta_log")[0] in warning for warning in warnings):
        other.pop(TOLD.get(os.path.basename(os.path.dirname(os.path.dirname(tear[0]))), ""), None)
    assert not other, f"{fault}: {other}\n{warnings}\n{said}"
    assert fault == "memory" or not said.startswith(HANGS), said
