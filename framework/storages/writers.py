"""Who else has a local file open: a file that is still being written must not be read as if it were whole."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import signal
from typing import Final

__all__ = ["open_for_writing"]

_BEING_WRITTEN: Final = {errno.EAGAIN, errno.EBUSY}


def open_for_writing(descriptor: int) -> bool:
    """Whether some process of this machine has the file open for writing; False where the system cannot tell.

    Linux gives a read lease only on a file that nobody has open for writing (fcntl(2), F_SETLEASE). The lease is
    let go at once; whoever opens the file in between waits that long, and the signal that would say so is one
    that is passed over by default.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # the default, SIGIO, would end the process
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in _BEING_WRITTEN  # others: no lease on this file system, or not for this user
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
