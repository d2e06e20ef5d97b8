"""Landfeed in a process that writes down what it does to the files below a folder (environment ROOT, TRACE).

At every boundary (see `boundaries`) and before every sync it is looked what has become other since the last one; so
each state is known that a power cut could leave.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import threading
from typing import Any

from framework.cli import main
from tests.recovery.boundaries import watch_writes

TRACE, ROOT = os.environ["TRACE"], os.environ["ROOT"]
lock, fsync = threading.Lock(), os.fsync


def tree() -> dict[str, tuple[int, int, int]]:
    found = {}
    for at, _, names in os.walk(ROOT):
        for path in (os.path.join(at, name) for name in names):
            status = os.stat(path)
            found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


class Trace:
    """The steps so far, and the tree at the last one."""

    def __init__(self) -> None:
        self.seen, self.steps = tree(), 0
        self.kept: dict[int, str] = {}
        """Where the bytes of a file are kept, whatever names and times it has."""

    def note(self, synced: str | None = None) -> None:
        now = tree()
        made: dict[str, str] = {}
        for path in (path for path, identity in now.items() if self.seen.get(path) != identity):
            file, *_ = now[path]
            if file not in self.kept or not filecmp.cmp(self.kept[file], path, shallow=False):
                self.kept[file] = os.path.join(TRACE, f"{self.steps}-{len(made)}")
                shutil.copy2(path, self.kept[file])
            made[path] = self.kept[file]
        step = {"made": made, "gone": [path for path in self.seen if path not in now], "synced": synced}
        with open(os.path.join(TRACE, "steps"), "a", encoding="utf-8") as out:
            out.write(json.dumps(step) + "\n")
        self.seen, self.steps = now, self.steps + 1


trace = Trace()


def boundary() -> None:
    with lock:
        trace.note()


def traced_fsync(descriptor: Any) -> None:
    with lock:
        trace.note(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)


os.fsync = traced_fsync  # type: ignore[assignment]
watch_writes(boundary)
try:
    main()
finally:
    boundary()
