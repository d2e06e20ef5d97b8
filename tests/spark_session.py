"""The Spark session of the tests, one in each process that has some of Spark, as the Spark engine starts it.

With LANDFEED_SPARK=connect it is a session of Spark Connect, whose server is a process of its own.

Queries are interpreted: there are many and they are small, and to compile one costs more than to run it. Tests of
what compiled queries give ask for the fixture `compiled`.
"""

from __future__ import annotations

import fcntl
import glob
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
_START_SECONDS = 300
_INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
_COMPILED = {
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.adaptive.enabled": "true",
}

NO_CONNECTOR = "there is no jars/gcs-connector.jar, and `make gcs-connector` did not make it (it needs Maven)"


def required(what: str) -> bool:
    """Whether LANDFEED_REQUIRE (a comma list) says that tests of this must not be skipped."""
    return what in os.environ.get("LANDFEED_REQUIRE", "").split(",")


def over_connect() -> bool:
    return os.environ.get("LANDFEED_SPARK") == "connect"


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session; tests are skipped without Java or pyspark unless LANDFEED_REQUIRE names spark."""
    needed = {"Java": shutil.which("java"), "pyspark": importlib.util.find_spec("pyspark")}
    missing = [name for name, found in needed.items() if found is None]
    if missing and not required("spark"):
        pytest.skip(f"there is no {' and no '.join(missing)}")
    from framework.engines.spark.session import open_session
    from framework.environment import EngineName, Environment

    environment = Environment("tests", EngineName.SPARK, "/", root="/")
    with tempfile.TemporaryDirectory(prefix="landfeed-spark-") as folder:
        with open(os.path.join(folder, "spark-defaults.conf"), "w", encoding="utf-8") as defaults:
            print(f"spark.sql.warehouse.dir {folder}/warehouse", file=defaults)
        os.environ["SPARK_CONF_DIR"] = folder
        os.environ["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1"  # small tables never earn what C2 costs
        if over_connect():
            with connect_server(folder) as address:
                os.environ["SPARK_REMOTE"] = address
                session = open_session(environment, os.environ)
                yield session
                session.stop()
                del os.environ["SPARK_REMOTE"]
        else:
            with _starting():
                session = open_session(environment, os.environ)
            _set(session, _INTERPRETED)
            yield session
            session.stop()


@pytest.fixture
def compiled(spark: Any) -> Iterator[None]:
    """Queries are compiled, as they are outside of tests."""
    before = {name: spark.conf.get(name) for name in _INTERPRETED}
    _set(spark, _COMPILED)
    yield
    _set(spark, before)


def _set(session: Any, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        session.conf.set(name, value)


@contextmanager
def _starting() -> Iterator[None]:
    """One process of the tests at a time: the first one fetches Delta Lake's jars, and Ivy, which does it, has no
    place for two."""
    folder = os.path.expanduser("~/.ivy2.5.2")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "landfeed-tests.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def connect_server(folder: str, python: str = sys.executable) -> Iterator[str]:
    """A Spark Connect server with Delta Lake, at an address on this machine, whose executors run this Python."""
    home = os.path.dirname(importlib.util.find_spec("pyspark").origin or "")  # type: ignore[union-attr]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        **_INTERPRETED,
    }
    command = [os.path.join(home, "bin", "spark-submit"), "--master", "local[2]", "--class", _SERVER]
    command += ["--packages", _delta_package(), *(f"--conf={name}={value}" for name, value in settings.items())]
    [jar] = glob.glob(os.path.join(home, "jars", "spark-connect_*.jar"))
    log = os.path.join(folder, "connect.log")
    environ = {**os.environ, "PYSPARK_PYTHON": python, "SPARK_HOME": home}
    with ExitStack() as closing, open(log, "wb") as out:
        with _starting():
            server = closing.enter_context(subprocess.Popen([*command, jar], stdout=out, stderr=out, env=environ))
            closing.callback(server.kill)
            _wait(port, server, log)
        yield f"sc://127.0.0.1:{port}"


def _delta_package() -> str:
    """The Maven coordinates of the installed Delta Lake, as delta-spark gives them to a session."""
    from delta import configure_spark_with_delta_pip
    from pyspark.sql import SparkSession

    builder = configure_spark_with_delta_pip(SparkSession.Builder())
    package: str = builder._options["spark.jars.packages"]
    return package


def _wait(port: int, server: subprocess.Popen[bytes], log: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    with open(log, encoding="utf-8", errors="replace") as said:
        pytest.fail(f"the Spark Connect server did not start:\n{said.read()[-2000:]}")
