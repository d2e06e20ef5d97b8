"""Commands for the days after the first load: test."""

from __future__ import annotations

import os
import sys
import time
import xml.etree.ElementTree as Xml
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import click

from framework.cli.options import Request, common_with, given
from framework.cli.say import print_json
from framework.cli.streams import put, say, tell
from framework.environment import EngineName

if TYPE_CHECKING:
    from framework.runs.casetest import Result

__all__ = ["test"]

_TESTS = "The folder of the cases.  [default: tests, beside the configuration folder]"
_UPDATE = "Write what came out into the cases' expected files."


@click.command()
@click.option("--case", metavar="NAME", default=None, help="Only cases of this name.")
@click.option("--update", is_flag=True, help=_UPDATE)
@click.option(
    "--engine",
    type=click.Choice([str(name) for name in EngineName]),
    default="embedded",
    show_default=True,
    help="What runs them.",
)
@click.option("--tests", metavar="DIR", default=None, help=_TESTS)
@common_with("text", "json", "junit")
def test(request: Request, case: str | None, update: bool, engine: str, tests: str | None) -> None:
    """Run the feeds' own cases: what tests/FEED/CASE/incoming/ gives, against expected.csv. Touches no table of the
    environment. Exit code 1 when a case fails."""
    from framework.runs.casetest import find_cases, run_case
    from framework.runs.world import open_world

    project = request.project()
    environment = replace(project.environment, engine=EngineName(engine))
    folder = given(tests) or os.path.join(environment.project, "tests")
    cases = find_cases(folder, project.feeds, given(case))
    clock = lambda: datetime.now(UTC)  # noqa: E731
    opened = partial(open_world, environ=os.environ, run_id="test", clock=clock, hide=project.secrets.hide)
    results = []
    for each in cases:
        result = run_case(each, environment, opened, time.perf_counter, update=update)
        results.append(result)
        if request.output == "text":
            _say_result(result)
    failed = sum(not result.passed for result in results)
    if request.output == "json":
        print_json({"ok": not failed, "cases": [result.as_dict() for result in results]})
    elif request.output == "junit":
        put(_junit(results))
    else:
        tell(f"{len(results):,} case(s): {len(results) - failed:,} passed, {failed:,} failed")
    if not cases:
        say(f"hint: a case is a folder {os.path.join(folder, '<feed>', '<case>')}/ with incoming/ and expected.csv")
    sys.exit(1 if failed else 0)


def _say_result(result: Result) -> None:
    tell(f"{result.feed}/{result.case}: {'passed' if result.passed else 'failed'}")
    for name in result.updated:
        tell(f"  {name} is written")
    for line in result.told:
        tell(f"  {line}")


def _junit(results: Sequence[Result]) -> str:
    """The results as JUnit XML, in which a feed is a suite."""
    root = Xml.Element("testsuites")
    for feed, some in groupby(results, lambda result: result.feed):
        of_feed = list(some)
        failed = str(sum(not result.passed for result in of_feed))
        suite = Xml.SubElement(root, "testsuite", name=feed, tests=str(len(of_feed)), failures=failed)
        for result in of_feed:
            seconds = f"{result.seconds:.3f}"
            case = Xml.SubElement(suite, "testcase", classname=feed, name=result.case, time=seconds)
            if not result.passed:
                lines = [_allowed(line) for line in result.told]
                Xml.SubElement(case, "failure", message=lines[0]).text = "\n".join(lines)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True)


def _allowed(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c if c == "\t" or c.isprintable() else "�" for c in text)
