"""Landfeed in a process that writes down what it does to the files below a folder (environment ROOT, TRACE).

At every boundary (see `boundaries`) and before every sync it is looked what has become other since the last one; so
each state is known that a power cut could leave. Other threads go on meanwhile: a file may be gone when its turn comes.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import threading
from contextlib import suppress
from typing import Any

from framework.cli import main
from tests.recovery.boundaries import watch_writes

TRACE, ROOT = os.environ["TRACE"], os.environ["ROOT"]
lock, fsync = threading.Lock(), os.fsync


def tree() -> dict[str, tuple[tuple[int, int], int, int]]:
    """By path: which file it is (device, inode), when it was changed and its size."""
    found = {}
    for at, _, names in os.walk(ROOT):
        for path in (os.path.join(at, name) for name in names):
            with suppress(FileNotFoundError):
                status = os.stat(path)
                found[path] = ((status.st_dev, status.st_ino), status.st_mtime_ns, status.st_size)
    return found


class Trace:
    """The steps so far, and the tree at the last one."""

    def __init__(self) -> None:
        self.seen, self.steps = tree(), 0
        self.kept: dict[tuple[int, int], str] = {}
        """Where the bytes of a file are kept, whatever names and times it has."""

    def note(self, synced: str | None = None) -> None:
        try:
            self.look(synced)
        except OSError as error:  # the product would take it for an error of its own work
            raise AssertionError("the trace has a hole") from error

    def look(self, synced: str | None) -> None:
        now = tree()
        made: dict[str, str] = {}
        for path in [path for path, identity in now.items() if self.seen.get(path) != identity]:
            try:
                made[path] = self.keep(path, now[path][0], os.path.join(TRACE, f"{self.steps}-{len(made)}"))
            except FileNotFoundError:
                del now[path]
        step = {"made": made, "gone": [path for path in self.seen if path not in now], "synced": synced}
        with open(os.path.join(TRACE, "steps"), "a", encoding="utf-8") as out:
            out.write(json.dumps(step) + "\n")
        self.seen, self.steps = now, self.steps + 1

    def keep(self, path: str, file: tuple[int, int], name: str) -> str:
        """Where the bytes of a file are kept: under the name given, if they are not yet."""
        kept = self.kept.get(file)
        if kept is None or not filecmp.cmp(kept, path, shallow=False):
            shutil.copy2(path, name)
            kept = self.kept[file] = name
        return kept


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
