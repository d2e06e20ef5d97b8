"""Landfeed in a process that something happens to: FAULT, AT seconds after all is imported (environment)."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

import framework.cli.options
import framework.engines.embedded
import framework.runs.run
from framework.cli import main

FAULT, AT, ON = os.environ["FAULT"], float(os.environ["AT"]), os.environ.get("ON", "")
FILLER = ".filler"
_PIECE = 4096


def fill() -> None:
    """Nothing more can be written to the file system of the folder ON, not even to what is open."""
    with open(os.path.join(ON, FILLER), "wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(_PIECE))


def limit(kind: int, most: int) -> None:
    resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def memory_in_use() -> int:
    with open("/proc/self/statm", encoding="ascii") as figures:
        return int(figures.read().split()[0]) * resource.getpagesize()


class EarlierClock(datetime):
    """The time of day, `behind` the true one."""

    behind = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) - cls.behind


def happen() -> None:
    match FAULT:
        case "kill" | "torn":
            os.kill(os.getpid(), signal.SIGKILL)
        case "term":
            os.kill(os.getpid(), signal.SIGTERM)
        case "interrupt twice":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGINT)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "full":
            fill()
        case "file size":
            limit(resource.RLIMIT_FSIZE, 2000)
        case "descriptors":
            limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")))
        case "memory":
            limit(resource.RLIMIT_AS, memory_in_use() + (1 << 20))
        case "clock":
            EarlierClock.behind = timedelta(days=3 * 365)


framework.cli.options.datetime = EarlierClock  # type: ignore[attr-defined]
if AT >= 0:
    timer = threading.Timer(AT, happen)
    timer.daemon = True
    timer.start()
began = time.monotonic()
try:
    main()
finally:
    sys.stderr.write(f"seconds: {time.monotonic() - began}\n")
