"""What delta-rs says when something goes wrong, in Landfeed's words."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from framework.engines.constraints import constraint_broken
from framework.errors import Conflict, LandfeedError, MachineError
from framework.machine import machine_error
from framework.names import Table

__all__ = ["translated"]

_COLOUR = re.compile(r"\x1b\[\d*m")
_NO_BUCKET = re.compile(r"bucket does not exist|NoSuchBucket")
_REFUSED = (errno.EACCES, errno.EROFS)
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, *_REFUSED)
"""Errors of the system that delta-rs hands on as texts."""
_BROKEN_CHECK = "failed validation check"
_STOPPED = "Already shut down"
"""What delta-rs says when a thread of its own has ended for want of something."""
_PERMISSION = re.compile(r"storage\.objects\.[a-z]+")


@contextmanager
def translated(table: Table, checks: Sequence[str] = ()) -> Iterator[None]:
    """Turn delta-rs' errors into Landfeed's, naming the table. A missing table stays TableNotFoundError, unless it is
    missing because its folder cannot be made. `checks` are the table's CHECK constraints: delta-rs says that one was
    broken, by which rows, and not which one."""
    try:
        yield
    except TableNotFoundError as error:
        if trouble := _refused(table, _said(error)):
            raise trouble from error
        raise
    except CommitFailedError as error:
        raise Conflict(f"another writer committed to {table} at the same time ({error})") from error
    except (DeltaError, OSError) as error:
        said = _said(error)
        raise (constraint_broken(table, checks) if _BROKEN_CHECK in said else _trouble(table, said)) from error
    except BaseException as error:
        # Its readers raise plain exceptions, as for a data file that is torn; a panic of its writers is not even one.
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise _trouble(table, _said(error)) from error


def _trouble(table: Table, said: str) -> LandfeedError:
    if _NO_BUCKET.search(said):
        hint = "check tables.root in the environment file"
        return LandfeedError(f"table {table}: there is no such bucket", hint, code="missing_folder")
    if permission := _PERMISSION.search(said):
        return LandfeedError(
            f"table {table}: the permission {permission.group()} is missing",
            "grant it on the bucket of tables.root (the role Storage Object User has it)",
            code="forbidden",
        )
    if trouble := _refused(table, said):
        return trouble
    if said.endswith(_STOPPED):
        return MachineError(
            f"table {table} cannot be written",
            "look whether the disk is full or a limit of the process is reached (ulimit -a), and whether the runner "
            "may write there; files stay in landing and are loaded by the next run",
        )
    return LandfeedError(f"table {table}: {said}", code="table")


def _refused(table: Table, said: str) -> MachineError | None:
    """The error of the system that a text of delta-rs tells of, if it does."""
    number = next((number for number in _NUMBERS if os.strerror(number) in said), None)
    if number is None:
        return None
    if number in _REFUSED:
        return MachineError(
            f"table {table} cannot be written: {os.strerror(number)}",
            "give the runner the right to write below tables.root; what is not done yet is done by the next run",
        )
    trouble = machine_error(OSError(number, os.strerror(number)), "the tables")
    return MachineError(f"table {table} cannot be written: {trouble.message}", trouble.hint)


def _said(error: BaseException) -> str:
    """What delta-rs says, which may be a tree drawn in colours, in one line."""
    lines = (line.strip(" ↳") for line in _COLOUR.sub("", str(error)).splitlines())
    return ": ".join(line for line in lines if line)
