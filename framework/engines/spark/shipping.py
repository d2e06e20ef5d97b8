"""Shipping: this package on its way to Spark's executors, which run the law's readers.

On Databricks the wheel is there already: a job's environment is that of its executors too. Elsewhere a zip file of the
package goes with the session. What else the readers need cannot be shipped: pyarrow for all of them, and the libraries
of Avro, ORC, Excel and zstd for these, have to be installed where executors run.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import threading
import weakref
import zipfile
from collections.abc import Mapping
from functools import cache
from typing import Any

import framework

__all__ = ["Shipping", "packed"]

_MOMENT = (1980, 1, 1, 0, 0, 0)


class Shipping:
    """Sees to it that executors can import this package."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._there = "DATABRICKS_RUNTIME_VERSION" in environ

    def to(self, session: Any) -> None:
        """Ship the package, if this session has not got it yet."""
        with _lock:
            if not self._there and session not in _shipped:
                session.addArtifacts(_of_this_process(), pyfile=True)
                _shipped.add(session)


_lock = threading.Lock()
_shipped = weakref.WeakSet[Any]()
"""Sessions that have it; several engines of this process may have the same one."""


@cache
def _of_this_process() -> str:
    """The zip file, which stays as long as this process: a local Spark looks at it again with each job."""
    folder = tempfile.mkdtemp(prefix="landfeed-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return packed(folder)


def packed(folder: str) -> str:
    """The path of a zip file with this package's modules, named after what it holds."""
    root = os.path.dirname(os.path.abspath(framework.__file__))
    path, digest = os.path.join(folder, "landfeed.zip"), hashlib.sha256()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(_modules(root)):
            with open(os.path.join(root, name), "rb") as module:
                content = module.read()
            digest.update(b"%s\0%s\0" % (name.encode(), content))
            archive.writestr(zipfile.ZipInfo(f"framework/{name}", _MOMENT), content)
    os.rename(path, named := os.path.join(folder, f"landfeed-{digest.hexdigest()[:16]}.zip"))
    return named


def _modules(root: str) -> list[str]:
    found = ((at, name) for at, _, names in os.walk(root) for name in names if name.endswith(".py"))
    return [os.path.relpath(os.path.join(at, name), root) for at, name in found]
