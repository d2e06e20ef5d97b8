"""What tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings

from tests.gcs_server import NO_GO, bucket, gcs_server
from tests.spark_session import NO_CONNECTOR, compiled, over_connect, spark
from tests.support import NO_BROWSER, Project
from tests.wheels import build_wheel

__all__ = ["bucket", "compiled", "engine", "gcs_server", "project", "spark"]

# The same examples in every run of `make test`, and no time spent on explaining one that fails; others in every run of
# `make torture`.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile("same", derandomize=True, phases=PHASES, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile("same")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked `engines` runs for every engine."""
    marked = metafunc.definition.get_closest_marker
    if "engine" in metafunc.fixturenames and marked("engines"):
        engines = ["embedded"] if marked("embedded") else ["embedded", pytest.param("spark", marks=pytest.mark.spark)]
        metafunc.parametrize("engine", engines, indirect=True)


@pytest.hookimpl(tryfirst=True)  # xdist looks at the groups in this very hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spark's tests in one process, so that they share its JVM and what they load together, those marked `rarely` only
    among the long ones (over Spark Connect with the others); and how long a test may take at most."""
    for item in items:
        if item.get_closest_marker("spark"):
            item.add_marker(pytest.mark.xdist_group("spark"))
            if item.get_closest_marker("rarely") and not over_connect():
                item.add_marker(pytest.mark.torture)
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_limit(item)))


def _limit(item: pytest.Item) -> float:
    """Seconds, of a machine that does other things too: it is there for tests that never end."""
    return 3600 if item.get_closest_marker("torture") else 600


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a missing tool leaves untested is said in one line that cannot be overlooked."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for why, what in (
        (NO_GO, "Google Cloud Storage"),
        (NO_CONNECTOR, "Spark on gs://"),
        (NO_BROWSER, "pages in a browser"),
    ):
        if skipped := sum(why in reason for reason in reasons):
            line = f"NOTHING about {what} was tested ({skipped} tests skipped): {why}"
            terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that a test's project uses; the embedded one unless the test runs for others too."""
    name: str = getattr(request, "param", "embedded")
    if name == "spark":
        request.getfixturevalue("spark")
    return name


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The wheel of this code."""
    return build_wheel(os.fspath(tmp_path_factory.mktemp("wheel")))


@pytest.fixture
def project(tmp_path: os.PathLike[str], engine: str) -> Project:
    """A project with the feed of the example."""
    return Project(os.fspath(tmp_path), "activity", engine=engine)
