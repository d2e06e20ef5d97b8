"""The Spark session: the one that is there (Databricks, Spark Connect), or a local one, started when first needed."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from framework.engines.constraints import constraint_broken
from framework.environment import Environment, storage_emulator
from framework.errors import Conflict, LandfeedError, MissingDependency, cannot_load

__all__ = ["gcs_settings", "import_pyspark", "local_settings", "open_session", "translated"]

_CONFLICTS = ("DELTA_CONCURRENT", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")
_CONFLICT_STATE = "2D521"
_BROKEN_CHECK = re.compile(r"CHECK constraint (.+?) violated by row")
_NO_CONNECTOR = "GoogleHadoopFileSystem not found"
"""What Hadoop says about gs:// without it."""
_STARTS = 3
"""The jars come over the network the first time; those of a failed attempt that did arrive stay."""
_MICROSECONDS = ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
"""Spark's other way counts nanoseconds, and readers of 64 bits take the year 9999 for one of 1816."""
_TASKS_TO_LIST = "spark.sql.sources.parallelPartitionDiscovery.threshold"
"""Paths from which on tasks look at them, and no longer the driver."""
_POOLS = os.path.join(os.path.dirname(__file__), "pools.xml")
_importing = threading.Lock()


def import_pyspark() -> None:
    """Import what of pyspark is used here, one thread at a time: it imports its parts by each other, and a thread that
    comes in between finds them half made. Raises MissingDependency when it is not installed."""
    with _importing:
        try:
            import pyspark.errors
            import pyspark.sql
            import pyspark.sql.functions  # noqa: F401
        except ImportError as error:
            raise cannot_load("spark", error) from error


def open_session(environment: Environment, environ: Mapping[str, str]) -> Any:
    """The Spark session of this process. Raises MissingDependency when Spark or Java are not installed."""
    import_pyspark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if "DATABRICKS_RUNTIME_VERSION" in environ or "SPARK_REMOTE" in environ:
        session = SparkSession.builder.getOrCreate()
    else:
        session = SparkSession.getActiveSession() or _start_local(environment, environ)
    session.conf.set("spark.sql.session.timeZone", "UTC")  # in which local times become moments
    with suppress(PySparkException):  # serverless has few settings, and writes what other readers read anyway
        session.conf.set(*_MICROSECONDS)
    return session


def _start_local(environment: Environment, environ: Mapping[str, str]) -> Any:
    """A session on this machine's cores. Only here is Spark configured."""
    logging.getLogger().addFilter(_not_of_py4j)
    logging.getLogger("py4j").propagate = False
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        from delta import configure_spark_with_delta_pip
    except ImportError as error:
        raise cannot_load("spark", error) from error
    home = environ.get("JAVA_HOME")
    if not (os.path.exists(f"{home}/bin/java") if home else shutil.which("java")):
        where = f"JAVA_HOME is {home}, which has none" if home else "there is none on this machine"
        raise MissingDependency(f"engine: spark needs Java 17, and {where}", "apt install openjdk-17-jre-headless")
    connector = environment.gcs_connector
    if connector is None and (environment.root or "").startswith("gs://"):
        raise _no_connector(environment.root)
    if connector is not None and not os.path.isfile(connector):
        raise MissingDependency(f"gcs.connector is {connector}, and there is no such file", "run `make gcs-connector`")
    builder = configure_spark_with_delta_pip(
        SparkSession.builder.master("local[*]")
        .appName("landfeed")
        .config(map=local_settings() | gcs_settings(environment, environ))
    )
    for attempt in Retrying(
        retry=retry_if_exception_type(MissingDependency), stop=stop_after_attempt(_STARTS), reraise=True
    ):
        with attempt, tempfile.TemporaryFile() as said, _output_to(said.fileno()):
            try:
                session = builder.getOrCreate()
            except (PySparkException, RuntimeError) as error:
                said.seek(0)
                raise _not_started(said.read().decode(errors="replace"), error) from error
    session.sparkContext.setLogLevel("ERROR")
    if "PYSPARK_PYTHON" not in environ:  # executors run what the driver runs, not the first on the path
        session.sparkContext.pythonExec = sys.executable
    return session


def local_settings() -> dict[str, Any]:
    """What a Spark on this machine is started with; one elsewhere is configured by its owner."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.memory": f"{max(1024, min(8192, memory // 3))}m",
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -Xshare:auto",
        "spark.scheduler.mode": "FAIR",
        "spark.scheduler.allocation.file": _POOLS,
        "spark.shuffle.compress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(max(2, cores)),
        _TASKS_TO_LIST: "100000",  # a look at a file of this machine costs less than a task
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def gcs_settings(environment: Environment, environ: Mapping[str, str]) -> dict[str, str]:
    """With which a Spark that Landfeed starts reaches gs://: nothing unless `gcs.connector` names the jar.

    Sizes are plain numbers, since the connector does not read those that Hadoop presets ("64m").
    """
    if environment.gcs_connector is None:
        return {}
    hadoop = {
        "fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
        "fs.AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
        "fs.gs.block.size": "67108864",
        "fs.gs.rewrite.max.chunk.size": "536870912",
        "fs.gs.outputstream.buffer.size": "8388608",
        "fs.gs.inputstream.inplace.seek.limit": "8388608",
        "fs.gs.inputstream.min.range.request.size": "2097152",
    }
    emulator = storage_emulator(environ)
    if emulator is not None:
        hadoop |= {"fs.gs.storage.root.url": f"{emulator}/", "fs.gs.auth.type": "UNAUTHENTICATED"}
        hadoop |= {"fs.gs.project.id": environment.gcs_project or "none"}
    elif environment.gcs_credentials is not None:
        hadoop |= {"fs.gs.auth.type": "SERVICE_ACCOUNT_JSON_KEYFILE"}
        hadoop |= {"fs.gs.auth.service.account.json.keyfile": environment.gcs_credentials}
    else:
        hadoop |= {"fs.gs.auth.type": "APPLICATION_DEFAULT"}
    return {
        "spark.jars": environment.gcs_connector,
        "spark.delta.logStore.gs.impl": "io.delta.storage.GCSLogStore",
        _TASKS_TO_LIST: "32",  # as Spark has it: in a bucket each look is a request
        **{f"spark.hadoop.{name}": value for name, value in hadoop.items()},
    }


def _not_of_py4j(record: logging.LogRecord) -> bool:
    """Whether a record of the root logger may be shown: py4j, when Spark ends under it, writes a traceback there of
    the exception that it raises too, of which `translated` makes a message."""
    return f"{os.sep}py4j{os.sep}" not in record.pathname


def _no_connector(what: object) -> MissingDependency:
    return MissingDependency(
        f"engine: spark needs the connector for gs:// ({what})",
        "run `make gcs-connector`, and set gcs.connector to ./jars/gcs-connector.jar in the environment file",
    )


def _not_started(said: str, error: Exception) -> LandfeedError:
    if "unresolved dependency" in said or "download failed" in said.lower():
        return MissingDependency(
            "engine: spark needs Delta Lake's jars, and Maven Central, where they come from, was not reached",
            "start once with access to Maven Central, after which they are in ~/.ivy2.5.2",
        )
    last = next((line for line in reversed(said.splitlines()) if line.strip()), str(error))
    return LandfeedError(f"Spark did not start: {last.strip()}", "check that `java -version` says 17", code="engine")


@contextmanager
def _output_to(descriptor: int) -> Iterator[None]:
    """Send what this process and its children write elsewhere: the JVM keeps what it starts with, and what it
    says is neither data nor a message."""
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    for stream in kept:
        os.dup2(descriptor, stream)
    try:
        yield
    finally:
        for stream, before in kept.items():
            os.dup2(before, stream)
            os.close(before)


@contextmanager
def translated(what: object) -> Iterator[None]:
    """Turn Spark's errors into Landfeed's, naming the table (or whatever `what` is)."""
    import_pyspark()
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        text = str(error).strip()
        if _NO_CONNECTOR in text:
            raise _no_connector(what) from error
        condition = error.getCondition() or ""
        if broken := _BROKEN_CHECK.search(text):
            raise constraint_broken(str(what).removeprefix("table "), [broken[1]]) from error
        if condition.startswith(_CONFLICTS) or error.getSqlState() == _CONFLICT_STATE or _names_conflict(text):
            raise Conflict(f"another writer committed to {what} at the same time ({_first_line(text)})") from error
        raise LandfeedError(f"{what}: Spark: {_first_line(text)}", code="engine") from error
    except Exception as error:
        if isinstance(error, ConnectionError) or type(error).__name__ == "Py4JNetworkError":
            raise LandfeedError(
                f"{what}: Spark has ended during the run",
                "run again: what was not finished is taken up; if it happens again, look for memory (dmesg, "
                "spark.driver.memory) or in the driver's log",
                code="engine",
            ) from error
        if type(error).__module__ != "py4j.protocol":
            raise
        text = str(error)
        if broken := _BROKEN_CHECK.search(text):
            raise constraint_broken(str(what).removeprefix("table "), [broken[1]]) from error
        if _NO_CONNECTOR in text:
            raise _no_connector(what) from error
        if _names_conflict(text):
            raise Conflict(f"another writer committed to {what} at the same time") from error
        raise LandfeedError(f"{what}: Spark: {_java_message(text)}", code="engine") from error


def _names_conflict(text: str) -> bool:
    return any(f"[{condition}" in text for condition in _CONFLICTS)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else "unknown error"


def _java_message(text: str) -> str:
    """The message of the Java exception in a Py4JJavaError, whose first line only says that there was one."""
    lines = [line.strip(": ") for line in text.splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 else _first_line(text)
