"""The one DuckDB of an engine, what it may take of the machine, and its errors in our words."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Iterator

import duckdb

from framework.engines.embedded.reading import NO_MEMORY
from framework.engines.embedded.watched import PROGRESS
from framework.errors import LandfeedError, MachineError
from framework.machine import machine_error, memory

__all__ = ["Database"]

_SHARE, _LEAST = 8, 512 << 20
"""DuckDB may hold an eighth of the machine's memory, and so many bytes at least; more goes to the spill folder."""
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE)
"""Errors of the system that DuckDB hands on as texts."""


class Database:
    """Starts when a connection is first asked for. Safe for threads."""

    def __init__(self, spill: str, memory_limit: int | None = None) -> None:
        """`memory_limit` is in bytes; without it a share of the machine's memory is taken."""
        self._spill, self._memory = spill, memory_limit or max(memory() // _SHARE, _LEAST)
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None

    @contextlib.contextmanager
    def connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own."""
        try:
            with contextlib.closing(self._connected()) as connection:
                yield connection
        except duckdb.Error as error:
            raise self._told(error) from error

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _connected(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._database is None:
                self._database = duckdb.connect(config=_settings(self._spill, self._memory))
                self._database.execute("SET GLOBAL TimeZone = 'UTC'")
                self._database.execute("SET lock_configuration = true")
            return self._database.cursor()

    def _told(self, error: duckdb.Error) -> LandfeedError:
        said = str(error)
        number = next((number for number in _NUMBERS if os.strerror(number) in said), None)
        if NO_MEMORY in said:
            number = errno.ENOMEM
        if number is not None:
            return machine_error(OSError(number, os.strerror(number)), os.path.dirname(self._spill))
        if isinstance(error, duckdb.OutOfMemoryException):
            return MachineError(
                f"DuckDB has not enough memory ({said.splitlines()[0]})",
                "load fewer files at a time (source.max_files_per_batch), or free space in the temporary folder; "
                "files stay in landing and are loaded by the next run",
            )
        return LandfeedError(f"DuckDB: {error}", code="engine")


def _settings(spill: str, memory_limit: int) -> dict[str, str | bool | int | float | list[str]]:
    """No statement fetches code, or takes a Python variable for a table; what is spilled leaves half of the disk."""
    return {
        "memory_limit": f"{memory_limit} B",
        "temp_directory": spill,
        "max_temp_directory_size": f"{shutil.disk_usage(spill).free // 2} B",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
        "allowed_configs": PROGRESS,
    }
