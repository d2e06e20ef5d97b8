"""Commands for the days after the first load: test, replay, rebuild, maintain."""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as Xml
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NoReturn

import click

from framework.cli.options import Request, clock, common, common_with, given, opened
from framework.cli.say import figures, print_json, say_report
from framework.cli.signals import StopSignals
from framework.cli.streams import put, say, tell
from framework.cli.told import Teller, telling
from framework.environment import EngineName
from framework.names import Status

if TYPE_CHECKING:
    from framework.leases import Leases
    from framework.loader import Project
    from framework.plan.world import World
    from framework.report import FeedReport, RunReport
    from framework.runs.cases import Result
    from framework.runs.rebuild import Rebuilt
    from framework.runs.replay import Replayed
    from framework.runs.upkeep import Looked

__all__ = ["maintain", "rebuild", "replay", "test"]

_TESTS = "The folder of the cases.  [default: tests, beside the configuration folder]"
_QUARANTINED = "Records of the quarantine that the feed accepts now, each once; all, or those of --batch or --file."
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
    from framework.runs.cases import find_cases
    from framework.runs.casetest import run_case
    from framework.runs.world import open_world

    project = request.project()
    environment = replace(project.environment, engine=EngineName(engine))
    folder = given(tests) or os.path.join(environment.project, "tests")
    cases = find_cases(folder, project.feeds, given(case))
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


@click.command()
@click.option("--batch", metavar="ID", default=None, help="Files that this batch loaded.")
@click.option("--file", metavar="FILE", default=None, help="This file: its path in the archive, or the end of it.")
@click.option("--since", metavar="TIME", default=None, help="Files that were loaded since this day or time (UTC).")
@click.option("--all", "every", is_flag=True, help="All files in the archive.")
@click.option("--quarantined", is_flag=True, help=_QUARANTINED)
@click.option("--force", is_flag=True, help="Also without sequence_by, where old files then count as the newest.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for a busy feed.")
@click.option("--run-id", default=None, help="The id of this run in the control tables.")
@common
def replay(
    request: Request,
    batch: str | None,
    file: str | None,
    since: str | None,
    every: bool,
    quarantined: bool,
    force: bool,
    wait: float,
    run_id: str | None,
) -> None:
    """Load files of the archive again, as deliveries of their old order; they stay in the archive. Rows that are not
    newer than those in the target change nothing. Or, when a feed was mended, the records of its quarantine."""
    from framework.runs.options import Options
    from framework.runs.replay import Selection, moment
    from framework.runs.replay import replay as again

    batch, file, since = given(batch), given(file), given(since)
    if quarantined:
        if since or every:
            raise click.UsageError("of the quarantine all records are taken, or those of one --batch or --file")
        _quarantined(request, batch, file, given(run_id), force=force, wait=wait)
    if [bool(batch), bool(file), bool(since), every].count(True) != 1:
        raise click.UsageError("say which files: one of --batch, --file, --since and --all, or --quarantined")
    try:
        selection = Selection(batch, file, moment(since) if since else None, force)
    except ValueError as error:
        raise click.BadParameter(f"{since} is no day or time like 2026-01-31", param_hint="--since") from error
    with _replaying(request, given(run_id)) as at:
        jobs, on_feed = at.project.environment.jobs, at.teller.hearing(at.project)
        options = Options(wait=wait, jobs=jobs, on_feed=on_feed, stopping=at.stopping.is_set)
        reports, replayed = again(at.project.feeds, at.world, at.leases, selection, options)
        report = at.tell(reports)
    if request.as_json:
        print_json(report.as_dict() | {"deliveries": [each.as_dict() for each in replayed]})
    else:
        _say_deliveries(replayed)
        say_report(report)
    sys.exit(report.exit_code)


def _say_deliveries(replayed: Sequence[Replayed]) -> None:
    for each in replayed:
        files = f"{len(each.delivery.files):,} file(s)"
        what = figures(each.rows) if each.changed else ": nothing changed"
        tell(f"{each.feed}: {each.delivery.at:%Y-%m-%d %H:%M} batch {each.delivery.batch_id}, {files}{what}")


@dataclass(frozen=True, slots=True)
class _Replaying:
    """What a replay works with, until it is to stop."""

    project: Project
    world: World
    leases: Leases
    teller: Teller
    signals: StopSignals
    stopping: threading.Event

    def tell(self, reports: Sequence[FeedReport]) -> RunReport:
        return self.teller.tell(reports, self.signals.number, self.project, self.world)


@contextmanager
def _replaying(request: Request, run_id: str | None) -> Iterator[_Replaying]:
    identity, stopping = run_id or uuid.uuid4().hex[:16], threading.Event()
    with (
        StopSignals() as signals,
        telling(request, identity, "replay") as teller,
        opened(request, identity) as (project, world, leases),
    ):
        signals.stop_with(stopping.set)
        yield _Replaying(project, world, leases, teller, signals, stopping)


def _quarantined(
    request: Request, batch: str | None, file: str | None, run_id: str | None, *, force: bool, wait: float
) -> NoReturn:
    from framework.runs.bad_records import Chosen
    from framework.runs.options import Options
    from framework.runs.quarantined import replay_quarantined

    with _replaying(request, run_id) as at:
        options, chosen = Options(wait=wait, stopping=at.stopping.is_set), Chosen(batch, file)
        reports, resolved = replay_quarantined(at.project.feeds, at.world, at.leases, chosen, options, force=force)
        report = at.tell(reports)
    if request.as_json:
        print_json(report.as_dict() | {"quarantined": [each.as_dict() for each in resolved]})
    else:
        say_report(report)
        for each in resolved:
            tell(f"{each.feed}: {each.loaded:,} record(s) of the quarantine loaded, {each.left:,} still bad")
            for reason in each.reasons:
                say(f"  {reason.rows} bad row{'s' if reason.rows > 1 else ''}: {reason}")
    sys.exit(report.exit_code)


@click.command()
@click.option("--swap", is_flag=True, help="Put the new table into the place of the old one, in one commit.")
@click.option("--force", is_flag=True, help="Swap although files that were loaded are not in the archive any more.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for a busy feed.")
@common
def rebuild(request: Request, swap: bool, force: bool, wait: float) -> None:
    """Make the target of a feed anew from its archive, by the YAML as it is now, beside the old one
    (<target>__rebuild), and tell how they differ."""
    from framework.engines.memory import MemoryControl
    from framework.runs.options import Options
    from framework.runs.rebuild import rebuild as anew

    if not request.feeds:
        raise click.UsageError("name the feeds whose targets are to be made anew")
    with opened(request, uuid.uuid4().hex[:16]) as (project, world, leases):
        made = [
            anew(f, world, leases, MemoryControl(), Options(wait=wait), swap=swap, force=force) for f in project.feeds
        ]
    if request.as_json:
        print_json({"feeds": [each.as_dict() for each in made]})
    for each in made if not request.as_json else ():
        _say_rebuilt(each, swap=swap)
    from framework.report import RunReport

    sys.exit(max(RunReport("", "", 0.0, (each.report,)).exit_code for each in made))


def _say_rebuilt(made: Rebuilt, *, swap: bool) -> None:
    from framework.report import RunReport

    say_report(RunReport("", "", 0.0, (made.report,)))
    before = "no table" if made.rows_before is None else f"{made.rows_before:,} rows"
    tell(f"  {made.table}: {made.rows or 0:,} rows from {made.deliveries:,} deliveries; before: {before}")
    for what, columns in (("new columns", made.columns_new), ("columns that are gone", made.columns_gone)):
        if columns:
            tell(f"  {what}: {', '.join(columns)}")
    if made.difference:
        for line in made.difference.told:
            tell(f"  {line}")
    elif made.difference is not None:
        tell("  the rows are the same")
    elif made.rows_before is not None and made.report.error is None:
        tell("  there are too many rows to compare them one by one")
    if made.swapped is not None:
        tell(f"  swapped: version {made.swapped} of the target has the new rows")
    elif not swap and made.report.error is None:
        say(f"to put it into the old one's place: landfeed rebuild {made.report.feed} --swap")


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for a busy feed.")
@common
def maintain(request: Request, dry_run: bool, wait: float) -> None:
    """Keep tables and folders small: write small files together, delete files of tables that no version of the last
    days needs, and bad rows and archived files that are older than the feeds' `retention`. Safe beside runs."""
    from framework.runs.upkeep import maintain as look_after
    from framework.runs.upkeep import maintain_control

    with opened(request, uuid.uuid4().hex[:16]) as (project, world, leases):
        looked = list(look_after(project.feeds, world, leases, wait, dry_run=dry_run))
        looked.append(maintain_control(project.environment.control, world, dry_run=dry_run))
    if request.as_json:
        print_json({"dry_run": dry_run, "feeds": [each.as_dict() for each in looked]})
    for each in looked if not request.as_json else ():
        _say_looked(each, dry_run=dry_run)
    sys.exit(1 if any(each.status is Status.FAILED for each in looked) else 0)


def _say_looked(looked: Looked, *, dry_run: bool) -> None:
    tell(f"{looked.feed}: {looked.status}" + (" (dry run)" if dry_run else ""))
    for name, done in looked.tables.items():
        if done.compacted:
            tell(f"  {name}: {done.compacted:,} small files written together")
        if done.deleted:
            size = "" if done.deleted_bytes is None else f" ({done.deleted_bytes:,} bytes)"
            tell(f"  {name}: {done.deleted:,} files deleted that no version needs{size}")
        if done.log_entries:
            tell(f"  {name}: {done.log_entries:,} old entries of its log deleted")
    if looked.quarantine_rows:
        tell(f"  {looked.quarantine_rows:,} old rows of the quarantine deleted")
    if looked.archive_files:
        tell(f"  {len(looked.archive_files):,} old files of the archive deleted ({looked.archive_bytes:,} bytes)")
    if looked.error:
        say(f"  error: {looked.error.message}")
        if looked.error.hint:
            say(f"  hint: {looked.error.hint}")


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
