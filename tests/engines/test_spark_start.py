"""How Spark is come to, as far as it needs no Java."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from framework.engines.spark.session import local_settings
from tests.support import REPOSITORY

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
