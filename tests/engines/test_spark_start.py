"""How Spark is come to, as far as it needs no Java."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from framework.engines.spark.session import local_settings
from tests.support import HEADER, REPOSITORY, Project

AT_ONCE = """
import sys, threading
sys.setswitchinterval(1e-6)
from framework.engines.spark.session import import_pyspark
failed, start = [], threading.Barrier(16)
def first():
    start.wait()
    try:
        import_pyspark()
        from pyspark.sql import SQLContext, SparkSession, functions
        from pyspark.errors import PySparkException
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=first) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit("\\n".join(failed) or None)
"""

LOST = """
import socket, threading
from framework.engines.spark.session import open_session
from framework.environment import EngineName, Environment
from framework.errors import MissingDependency
try:
    open_session(Environment("dev", EngineName.SPARK, "/", root="/"), {"JAVA_HOME": "/nowhere"})
except MissingDependency:
    from py4j.java_gateway import GatewayClient, GatewayParameters
    from py4j.protocol import ERROR
    server = socket.create_server(("127.0.0.1", 0))
    def hang_up():
        while True:
            server.accept()[0].close()
    threading.Thread(target=hang_up, daemon=True).start()
    client = GatewayClient(gateway_parameters=GatewayParameters(port=server.getsockname()[1]))
    print(client.send_command("a command\\n") == ERROR)
"""


def test_a_java_that_goes_is_told_by_an_error_alone() -> None:
    """py4j would write a traceback of it besides."""
    pytest.importorskip("pyspark")
    done = subprocess.run([sys.executable, "-c", LOST], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@pytest.mark.parametrize(("engine", "package"), [("spark", "pyspark"), ("embedded", "duckdb")])
def test_an_engine_that_is_not_installed_is_told_in_a_sentence(tmp_path: Path, engine: str, package: str) -> None:
    """… with the command that installs it."""
    project = Project(str(tmp_path), "activity", engine=engine)
    project.land("activity", "a.csv", HEADER + "1,a,2026-01-01\n")
    script = f"import sys; sys.modules[{package!r}] = None\nfrom framework.cli import main\nmain()"
    command = [sys.executable, "-c", script, "--config", project.path("pipelines_config"), "--output", "json"]
    done = subprocess.run([*command, "run"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    error = document["error"] if "error" in document else document["feeds"][0]["error"]
    assert (done.returncode, error["code"]) == (1, "missing_dependency"), done.stderr
    assert error["message"] == f"engine: {engine} needs the package {package}"
    assert error["hint"] == f"pip install 'landfeed[{engine}]'"


def test_threads_that_need_spark_for_the_first_time_at_once() -> None:
    """pyspark half imported by one thread is an ImportError in another."""
    pytest.importorskip("pyspark")
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_leave_no_file_behind() -> None:
    """The pools are told by a file of the package, not by one that is written at each start."""
    before = set(os.listdir(tempfile.gettempdir()))
    pools = local_settings()["spark.scheduler.allocation.file"]
    assert "FAIR" in Path(pools).read_text(encoding="utf-8")
    assert {name for name in set(os.listdir(tempfile.gettempdir())) - before if name.endswith(".xml")} == set()
