"""World: opens what an environment names, an engine, storages, leases and the ledger. Imports late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from framework.control import Control
from framework.engine import Engine
from framework.environment import Durability, EngineName, Environment
from framework.errors import LandfeedError, cannot_load
from framework.feed import Feed
from framework.keeping import Keeping, Kept
from framework.leases import Leases
from framework.ledger import Ledger
from framework.plan.world import World
from framework.storage import Storage
from framework.storages import kind_of, open_leases, open_storage

__all__ = ["open_ledger", "open_world"]


@contextmanager
def open_world(
    environment: Environment,
    environ: Mapping[str, str],
    run_id: str,
    clock: Callable[[], datetime],
    hide: Callable[[str], str] = str,
) -> Iterator[tuple[World, Leases]]:
    """The environment, ready to work with; closed at the end. Raises MissingDependency with the command
    that installs what is missing."""
    engine = _open_engine(environment, environ)
    storages: dict[str, Storage] = {}

    def storage(feed: Feed) -> Storage:
        kind = kind_of(feed.source.path)
        if kind not in storages:
            storages[kind] = open_storage(feed.source.path, environment, environ)
        return storages[kind]

    try:
        # Leases that last tell where a runner died before it had written what it gathered; a catalog has none.
        root, keeping = environment.root, _open_keeping(environment)
        ledger = open_ledger(environment, environ, keeping)
        world = World(engine, storage, ledger, environment.engine.value, run_id, clock, root, hide, keeping)
        yield world, open_leases(environment, environ)
    finally:
        engine.close()


def open_ledger(environment: Environment, environ: Mapping[str, str], keeping: Keeping | None = None) -> Ledger:
    """The ledger of the environment. Raises LandfeedError when what it needs is not installed."""
    try:
        control = _open_control(environment, environ)
    except ImportError as error:
        raise cannot_load(environment.engine, error) from error
    return Ledger(control, environment.control, keeping, gathers=environment.root is not None)


def _open_engine(environment: Environment, environ: Mapping[str, str]) -> Engine:
    match environment.engine:
        case EngineName.EMBEDDED:
            return _open_embedded(environment, environ)
        case EngineName.SPARK:
            return _open_spark(environment, environ)


def _open_embedded(environment: Environment, environ: Mapping[str, str]) -> Engine:
    try:
        from framework.engines.delta_storage import storage_options
        from framework.engines.embedded import EmbeddedEngine

        if environment.root is None:
            raise LandfeedError("engine: embedded needs tables.root", "set tables.root to a folder", code="engine")
        options, memory = storage_options(environment, environ), environment.memory_limit
        return EmbeddedEngine(environment.root, options, memory_limit=memory)
    except ImportError as error:
        raise cannot_load(EngineName.EMBEDDED, error) from error


def _open_spark(environment: Environment, environ: Mapping[str, str]) -> Engine:
    try:
        from framework.engines.spark import SparkEngine
    except ImportError as error:
        raise cannot_load(EngineName.SPARK, error) from error
    return SparkEngine(environment, environ)


def _open_control(environment: Environment, environ: Mapping[str, str]) -> Control:
    """Below a root delta-rs serves every engine, so that a run with nothing to do starts neither DuckDB nor Spark."""
    if environment.root is None:
        from framework.engines.spark.catalog import CatalogTables
        from framework.engines.spark.control import CatalogControl
        from framework.engines.spark.session import open_session

        return CatalogControl(CatalogTables(lambda: open_session(environment, environ), environment.catalog or ""))
    from framework.engines.control import DeltaControl
    from framework.engines.delta import DeltaTables
    from framework.engines.delta_storage import storage_options

    return DeltaControl(DeltaTables(environment.root, storage_options(environment, environ)))


def _open_keeping(environment: Environment) -> Keeping:
    root = environment.root
    if root is None or kind_of(root) != "local":
        return Kept()
    from framework.engines.delta import DeltaTables
    from framework.engines.keeping import LocalKeeping

    return LocalKeeping(DeltaTables(root, {}), sync=environment.durability is Durability.SYNC)
