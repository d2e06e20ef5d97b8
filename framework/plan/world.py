"""World: what the steps of a plan are carried out with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from framework.engine import Engine
from framework.feed import Feed
from framework.keeping import Keeping, Kept
from framework.ledger import Ledger
from framework.storage import Storage

__all__ = ["World"]


@dataclass(frozen=True, slots=True)
class World:
    """What a run works with. `clock` gives the time in UTC, `storage` serves landing and archive, `tables` is
    the folder of the tables where they have one, `hide` takes secrets out of what is stored or shown of errors,
    `keeping` looks after the tables' files."""

    engine: Engine
    storage: Callable[[Feed], Storage]
    ledger: Ledger
    engine_name: str
    run_id: str
    clock: Callable[[], datetime]
    tables: str | None = None
    hide: Callable[[str], str] = str
    keeping: Keeping = field(default_factory=Kept)
