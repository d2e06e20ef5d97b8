"""Landfeed in a process that kills itself with SIGKILL at its n-th boundary (environment KILL_AT, from 0).

A boundary lies before and after every write that lasts: each Delta commit and each move of a file.
With KILL_AT=-1 nothing is killed and the number of boundaries is written to stderr at the end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import deltalake

from framework.cli import main
from framework.engines import control, delta
from framework.engines.embedded import replacing, writing
from framework.storages.local import LocalStorage

KILL_AT = int(os.environ["KILL_AT"])
passed = 0


def boundary() -> None:
    global passed
    if passed == KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    passed += 1


def around(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        boundary()
        result = function(*args, **kwargs)
        boundary()
        return result

    return call


for module in (control, delta, replacing, writing):
    module.write_deltalake = around(deltalake.write_deltalake)  # type: ignore[attr-defined]
deltalake.DeltaTable.create = around(deltalake.DeltaTable.create)  # type: ignore[method-assign]
deltalake.DeltaTable.create_write_transaction = around(  # type: ignore[method-assign]
    deltalake.DeltaTable.create_write_transaction
)
deltalake.table.TableMerger.execute = around(deltalake.table.TableMerger.execute)  # type: ignore[method-assign]
LocalStorage.move = around(LocalStorage.move)  # type: ignore[method-assign]

try:
    main()
finally:
    sys.stderr.write(f"boundaries: {passed}\n")
