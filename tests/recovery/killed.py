"""Landfeed in a process that kills itself with SIGKILL at its n-th boundary (environment KILL_AT, from 0).

A boundary lies before and after every write that lasts (see `boundaries`).
With KILL_AT=-1 nothing is killed and the number of boundaries is written to stderr at the end.
"""

from __future__ import annotations

import os
import signal
import sys

from framework.cli import main
from tests.recovery.boundaries import watch_writes

KILL_AT = int(os.environ["KILL_AT"])
passed = 0


def boundary() -> None:
    global passed
    if passed == KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    passed += 1


watch_writes(boundary)

try:
    main()
finally:
    sys.stderr.write(f"boundaries: {passed}\n")
