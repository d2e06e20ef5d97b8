"""Where a process that loads may be stopped: before and after every write that lasts, each Delta commit and each move
of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import deltalake

from framework.engines import control, delta
from framework.engines.embedded import replacing, widening, writing
from framework.storages.local import LocalStorage


def watch_writes(boundary: Callable[[], None]) -> None:
    """Call `boundary` at every one, from now on, in this process."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            boundary()
            result = function(*args, **kwargs)
            boundary()
            return result

        return call

    for module in (control, delta, replacing, widening, writing):
        module.write_deltalake = around(deltalake.write_deltalake)  # type: ignore[attr-defined]
    delta.create_table_with_add_actions = around(  # type: ignore[attr-defined]
        deltalake.transaction.create_table_with_add_actions
    )
    deltalake.DeltaTable.create = around(deltalake.DeltaTable.create)  # type: ignore[method-assign]
    deltalake.DeltaTable.create_write_transaction = around(  # type: ignore[method-assign]
        deltalake.DeltaTable.create_write_transaction
    )
    deltalake.table.TableAlterer.add_columns = around(  # type: ignore[method-assign]
        deltalake.table.TableAlterer.add_columns
    )
    deltalake.table.TableMerger.execute = around(deltalake.table.TableMerger.execute)  # type: ignore[method-assign]
    LocalStorage.move = around(LocalStorage.move)  # type: ignore[method-assign]
    LocalStorage.write = around(LocalStorage.write)  # type: ignore[method-assign]
    LocalStorage.copy = around(LocalStorage.copy)  # type: ignore[method-assign]
