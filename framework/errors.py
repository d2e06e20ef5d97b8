"""What can go wrong, as values (`Problem`, `Failure`) and as exceptions.

The exception tree::

    LandfeedError                a step cannot go on; carries code, message and hint     exit 1
    ├── ConfigError              the configuration is wrong; carries every Problem        exit 2
    ├── PolicyError              data broke a policy that says "fail"                     exit 3
    ├── SourceChanged            files were replaced while they were being read           retried
    ├── Conflict                 another writer committed first; the whole step is redone retried
    ├── Busy                     another runner works on this feed                        exit 0
    ├── MissingDependency        an engine or client that is not installed                exit 1
    ├── MachineError             the machine let Landfeed's own work fail; no file's fault exit 1
    └── StorageError             a file or folder cannot be reached                       exit 1
        ├── SetAside             files that cannot be read now; the others go on          exit 1
        └── FileGone             the file is no longer there at the expected version

Foreign exceptions are translated where they arise (`engines`, `storages`), never further up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Busy",
    "ConfigError",
    "Conflict",
    "Failure",
    "FileGone",
    "LandfeedError",
    "MachineError",
    "MissingDependency",
    "PolicyError",
    "Problem",
    "SetAside",
    "SourceChanged",
    "StorageError",
    "cannot_load",
    "expected",
    "starved",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration, at its place.

    `file` is relative to the config folder, `line` and `column` count from 1, `path` is the key
    path in the file (`target.keys[0]`), `hint` says what to do. `feed` names the feed that is hit
    when the mistake stands in a file shared by several (a defaults file).
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str | None = None
    feed: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        subject = f"{self.path}: " if self.path else ""
        return f"{where}: {subject}{self.message}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work, as reports show it: a stable code, a sentence, what to do."""

    code: str
    message: str
    hint: str | None = None


class LandfeedError(Exception):
    """A step cannot go on. `message` says what is wrong, `hint` what to do about it."""

    code = "error"

    def __init__(self, message: str, hint: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def hide(self, hidden: Callable[[str], str]) -> None:
        """Take out of its sentences what is to stand nowhere."""
        self.message = hidden(self.message)
        self.hint = self.hint and hidden(self.hint)
        self.args = (self.message,)

    @property
    def failure(self) -> Failure:
        return Failure(self.code, self.message, self.hint)


class ConfigError(LandfeedError):
    """The configuration is wrong; `problems` holds everything that is, in file and line order."""

    code = "config"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class PolicyError(LandfeedError):
    """Data broke a policy whose action is to fail the feed; `checked` is what came of the batch's checks."""

    code = "policy"
    checked: tuple[Any, ...] = ()


class SourceChanged(LandfeedError):
    """Some files were replaced or removed between listing and reading; `paths` names them."""

    code = "source_changed"

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        super().__init__(f"{len(self.paths)} file(s) changed while they were being read")


class Conflict(LandfeedError):
    """Another writer committed to the same table first. Redoing the whole step is safe."""

    code = "conflict"


class Busy(LandfeedError):
    """Another runner holds this feed."""

    code = "busy"


class MissingDependency(LandfeedError):
    """A package that this environment needs is not installed."""

    code = "missing_dependency"


class MachineError(LandfeedError):
    """Landfeed's own work failed: a full disk, a limit of the process, a missing right. Whatever file it was busy
    with has nothing to do with it."""

    code = "machine"


class StorageError(LandfeedError):
    """A file or a folder cannot be reached."""

    code = "storage"


class SetAside(StorageError):
    """Files that cannot be read at this moment, with the reason by path. Nothing is said of what is in them: they
    stay where they are, and the others go on without them."""

    code = "set_aside"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        told = "; ".join(f"{path}: {reason}" for path, reason in self.reasons.items())
        super().__init__(told, "the file stays where it is and is tried again in the next run")


class FileGone(StorageError):
    """The file is no longer there at the version that was listed."""

    code = "file_gone"


def cannot_load(engine: str, error: ImportError) -> LandfeedError:
    """A package that is not there; or one that is, and that the system does not let in."""
    if isinstance(error, ModuleNotFoundError):
        package = str(error.name).partition(".")[0]
        return MissingDependency(f"engine: {engine} needs the package {package}", f"pip install 'landfeed[{engine}]'")
    if starved(error):
        return expected(error)
    hint = f"pip install --force-reinstall 'landfeed[{engine}]'"
    return MissingDependency(f"engine: {engine} cannot be loaded: {error}", hint)


_STARVED = ("failed to map segment", "annot allocate memory", "can't start new thread")
"""What is said where there is no memory: by who loads a library, and by who starts a thread."""


def starved(error: BaseException) -> bool:
    """Whether an error says that the process has no more memory, or may have no more threads. What another thread could
    not load of Landfeed itself has names missing."""
    if type(error) is ImportError and str(error.name).partition(".")[0] == __package__:
        return True
    if isinstance(error, ImportError | RuntimeError):
        return any(said in str(error) for said in _STARVED)
    return isinstance(error, MemoryError)


def expected(error: Exception) -> LandfeedError:
    """The error as it may be told. A defect becomes one that asks to be reported; it stops the feed that it is
    met in, and no other."""
    if isinstance(error, LandfeedError):
        return error
    if starved(error):
        return MachineError(
            "the system gives this process no more memory, or no more threads",
            "raise its limits (ulimit -v, -u), or take fewer --jobs; what is not done yet is done by the next run",
        )
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return MachineError(
            f"the system refused what was to be done: {error.strerror}{where}",
            "check permissions, free space and limits (ulimit -a); what is not done yet is done by the next run",
        )
    return LandfeedError(f"{type(error).__name__}: {error}", "please report it", code="internal")
