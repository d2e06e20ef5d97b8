"""Old workbooks (.xls), read by a process of their own, which may have no more memory and time than their bytes are
worth. The library believes what such a file says of itself: two cells in opposite corners are all that lie between.

This module is both: `rows_apart` starts the process and reads its lines, which `main`, in that process, writes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from framework.law.layout import Rejected
from framework.law.records.excel_cells import cell_text, sheet_rows
from framework.law.records.record import BrokenFile
from framework.machine import library, own_work
from framework.names import Limits

__all__ = ["rows_apart"]

_MEMORY, _PER_BYTE = 400 << 20, 16
"""Bytes of memory that the process may have, and those for each byte of the file."""
_SECONDS, _BYTES_A_SECOND = 10, 100_000
"""Of processor time, and of how many bytes each further second is."""
_BY_OTHERS = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT}
"""How a process ends that the system or somebody ended, and not its limits."""


def rows_apart(
    content: bytes, wanted: str | int | None, limits: Limits
) -> Iterator[tuple[int, Sequence[Any]]] | Rejected:
    """The rows of a sheet with their numbers; moments are texts. Raises BrokenFile, MachineError, MissingDependency,
    and MemoryError where the machine, and not the file's share of it, is too small."""
    library("python_calamine", "excel")
    lines = _Lines(content, wanted, 2 * limits.record)
    said = lines.next()
    if "rejected" in said:
        return Rejected(said["rejected"])
    if "broken" in said:
        raise BrokenFile(said["broken"])
    return ((row["line"], row["cells"]) for row in iter(lines.next, {}))


class _Lines:
    """What the process says, an object a line; an empty one is the last."""

    def __init__(self, content: bytes, wanted: str | int | None, longest: int) -> None:
        self._longest = longest
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        command = [sys.executable, "-P", "-m", __name__, json.dumps(wanted), str(len(content))]
        with own_work(tempfile.gettempdir()), tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            self._process = subprocess.Popen(
                command,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                process_group=0,  # Ctrl-C is this process's to hear of
            )
        self._is_limited = self._read() == b"limited\n"

    def __del__(self) -> None:
        if process := getattr(self, "_process", None):
            process.kill()
            process.wait()
            process.stdout.close()

    def next(self) -> dict[str, Any]:
        """Raises BrokenFile and MemoryError."""
        line = self._read()
        if line.endswith(b"\n"):
            said: dict[str, Any] = json.loads(line)
            return said
        if len(line) > self._longest:
            raise BrokenFile("a row of the old workbook is longer than two records may be (limits.record)")
        if not self._is_limited or self._process.wait() in _BY_OTHERS:
            raise MemoryError
        raise BrokenFile("reading the old workbook takes more memory or time than its size allows: save it as .xlsx")

    def _read(self) -> bytes:
        out: IO[bytes] | None = self._process.stdout
        return out.readline(self._longest + 1) if out else b""


def main(wanted: str | int | None, size: int) -> None:
    """Write the rows of the sheet of the workbook on stdin."""
    _say("limited" if _limit(size) else "as it is")
    sys.stdout.flush()
    try:
        rows = sheet_rows(sys.stdin.buffer.read(), wanted)
    except BrokenFile as error:
        _say(json.dumps({"broken": str(error)}))
        return
    if isinstance(rows, Rejected):
        _say(json.dumps({"rejected": rows.reason}))
        return
    _say(json.dumps({"rows": True}))
    for line, cells in rows:
        _say(json.dumps({"line": line, "cells": cells}, default=cell_text))
    _say("{}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _limit(size: int) -> bool:
    """Take no more than a file of so many bytes is worth. Whether it is for these limits that this process ends, and
    not for narrower ones that it was given."""
    seconds = _SECONDS + size // _BYTES_A_SECOND
    limited = True
    for what, most in ((resource.RLIMIT_AS, _MEMORY + _PER_BYTE * size), (resource.RLIMIT_CPU, seconds)):
        soft, hard = resource.getrlimit(what)
        if soft != resource.RLIM_INFINITY and soft < most:
            limited = False
        else:
            resource.setrlimit(what, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limited


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
