"""The command line. The only place that prints, exits, or looks at clock and environment.

Data goes to stdout, everything else to stderr. Engines are imported by the commands that need one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any, assert_never

import click

from framework import __version__
from framework.errors import ConfigError, LandfeedError, Problem

if TYPE_CHECKING:
    from framework.events import Event
    from framework.execute import World
    from framework.leases import Leases
    from framework.loader import Project
    from framework.plan import Task
    from framework.report import FeedReport, RunReport

__all__ = ["landfeed", "main"]

_SLOW_SECONDS = 1.0
"""Work that takes longer shows a progress display on a terminal."""
_FILES_NAMED = 5
"""More files that are seen at once are counted."""
_QUIET = "Seconds for which a file must not have changed before it is loaded."
_INTERVAL = "Seconds between looks into buckets, Volumes and other folders that tell of no changes."


@dataclass(frozen=True, slots=True)
class _Request:
    """What the options common to all commands say."""

    config: str
    env: str
    feeds: tuple[str, ...]
    tags: tuple[str, ...]
    as_json: bool

    def project(self) -> Project:
        from framework.loader import load_project

        return load_project(self.config, self.env, environ=os.environ, feeds=self.feeds, tags=self.tags)


def _given(value: str | None) -> str | None:
    """A scheduler passes parameters that are empty or unresolved `{{…}}`; they count as not given."""
    text = (value or "").strip()
    return None if not text or (text.startswith("{{") and text.endswith("}}")) else value


def _request(params: dict[str, Any]) -> _Request:
    root = click.get_current_context().find_root().params
    feeds = [name for value in params.pop("feeds", ()) if _given(value) for name in value.replace(",", " ").split()]
    tags = [tag for tag in params.pop("tag", ()) if _given(tag)]
    as_json = (params.pop("output", None) or root["output"]) == "json"
    config, env = _project_options(root)
    return _Request(config, env, tuple(feeds), tuple(tags), as_json)


def _project_options(root: dict[str, Any]) -> tuple[str, str]:
    """--config and --env, or what holds when they are not given."""
    env = _given(root["env"]) or _given(os.environ.get("LANDFEED_ENV")) or "local"
    return _given(root["config"]) or "pipelines_config", env


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """FEED …, --tag and --output, as a `_Request` in the first argument; errors become exit codes."""

    def invoke(**params: Any) -> None:
        request = _request(params)
        with _errors(as_json=request.as_json):
            command(request, **params)

    invoke.__doc__, invoke.__name__ = command.__doc__, command.__name__
    invoke.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for decorate in (
        click.option("--output", type=click.Choice(["text", "json"]), default=None, help="What stdout holds."),
        click.option("--tag", multiple=True, help="Only feeds with this tag."),
        click.argument("feeds", nargs=-1, metavar="[FEED]..."),
    ):
        invoke = decorate(invoke)
    return invoke


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", default="pipelines_config", show_default=True, help="The configuration folder.")
@click.option("--env", default="local", envvar="LANDFEED_ENV", show_default=True, help="The environment's name.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="What stdout holds.")
@click.version_option(__version__, prog_name="landfeed")
def landfeed(config: str, env: str, output: str) -> None:
    """Files that land in a folder or bucket become correct Delta tables, one YAML file a feed."""


# Checking and explaining


@landfeed.command()
@_common
def validate(request: _Request) -> None:
    """Check everything that can be known from the files. No engine, no network."""
    from framework.loader import check_project

    feeds, problems = check_project(
        request.config, request.env, environ=os.environ, feeds=request.feeds, tags=request.tags
    )
    if request.as_json:
        _print_json({"ok": not problems, "feeds": feeds, "problems": [asdict(problem) for problem in problems]})
    elif problems:
        _say_problems(problems)
    else:
        print(f"{feeds} feed(s) checked, nothing wrong")
    sys.exit(2 if problems else 0)


@landfeed.command()
@click.argument("kind", type=click.Choice(["feed", "environment", "defaults"]), default="feed")
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from framework.loader import Kind, schema_text

    print(schema_text(Kind(kind)), end="")


@landfeed.command()
@click.option("--no-engine", is_flag=True, help="Leave out the SQL, so that no engine needs to start.")
@_common
def plan(request: _Request, no_engine: bool) -> None:
    """Show what `run` would do now: files in order, tables to make, SQL. Writes nothing."""
    from framework.explain import explain, explain_text
    from framework.observe import observe
    from framework.plan import compile_plan
    from framework.run import landing_of

    with _opened(request) as (project, world, _):
        documents, landing = [], landing_of(project.feeds, world)
        for feed in project.feeds:
            listing = landing.listing(feed)
            facts = observe(feed, world.storage(feed), world.ledger, world.engine, listing)
            compiled = compile_plan(feed, facts)
            documents.append(explain(compiled, listing, (lambda *_: None) if no_engine else world.engine.sql))
    if request.as_json:
        _print_json({"feeds": documents})
        return
    for document in documents:
        print("\n".join(explain_text(document)))


@landfeed.command("show-config")
@_common
def show_config(request: _Request) -> None:
    """Print feeds as they are after defaults, each value with the file and line it comes from."""
    from framework.loader import annotated, merged_tree, origins

    if not request.feeds:
        raise click.UsageError("name at least one feed")
    trees = [merged_tree(request.config, request.env, name, environ=os.environ) for name in request.feeds]
    if request.as_json:
        documents = [
            [{"path": path, "value": node.raw, "file": node.file, "line": node.line} for path, node in origins(tree)]
            for tree in trees
        ]
        _print_json({"feeds": [{"feed": name, "values": v} for name, v in zip(request.feeds, documents, strict=True)]})
        return
    print("\n---\n".join("\n".join(annotated(tree)) for tree in trees))


@landfeed.command()
@click.argument("name")
@click.option("--path", help="The folder where files land.  [default: ${landing}/NAME/]")
@click.option("--format", type=click.Choice(["csv", "json"]), help="The files' format.  [default: csv]")
@click.option("--column", "columns", multiple=True, metavar="NAME:TYPE", help="A column; may be given several times.")
@click.option("--key", "keys", multiple=True, help="A key column.  [default: the first column]")
@click.option("--sequence-by", help="The column that tells the newer of two rows.")
@click.option("--table", help="The target table.  [default: main.NAME]")
def new(name: str, columns: tuple[str, ...], keys: tuple[str, ...], **answers: str | None) -> None:
    """Write a commented feed file from a few answers, asked for on a terminal, and check it."""
    from framework.loader import check_project, new_feed

    def answer(option: str, question: str, default: str) -> str:
        given = answers.get(option)
        if given is None and sys.stdin.isatty():
            given = click.prompt(question, default=default)
        return given or default

    if not name.isidentifier():  # it becomes a file name; what else it must be is checked with the feed
        raise click.BadParameter("a feed's name has lower-case letters, digits and underscores", param_hint="NAME")
    config, env = _project_options(click.get_current_context().find_root().params)
    file = os.path.join(config, "feeds", f"{name}.yml")
    path = answer("path", "The folder where files land", f"${{landing}}/{name}/")
    format_ = answer("format", "The files' format (csv, json)", "csv")
    if not columns and sys.stdin.isatty():
        columns = tuple(click.prompt("Columns, as in id:bigint, name:string").split(","))
    parsed = [column.strip().partition(":") for column in columns or ("id:bigint", "updated_at:timestamp")]
    typed = {column.strip(): type_.strip() or "string" for column, _, type_ in parsed}
    names = list(typed)
    key = keys or tuple(answer("", "The key column", names[0]).split(","))
    default = next((column for column, type_ in typed.items() if type_ in ("timestamp", "date")), "")
    text = new_feed(
        name,
        path=path,
        format=format_,
        columns=typed,
        table=answer("table", "The target table", f"main.{name}"),
        keys=[each.strip() for each in key],
        sequence_by=answer("sequence_by", "The column that tells the newer of two rows", default) or None,
        schema=_schema_path(file),
    )
    with _errors(as_json=False):
        try:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "x", encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            raise LandfeedError(f"{file} cannot be written: {error.strerror}", "take another name") from error
        _, problems = check_project(config, env, environ=os.environ)
        mine = [problem for problem in problems if problem.file == f"feeds/{name}.yml"]
        if mine:
            os.remove(file)
            raise ConfigError(mine)
    print(f"{file} is written; check it, then: landfeed plan {name}")


def _schema_path(file: str) -> str | None:
    """The feed schema as a path from the feed file, when the project has it."""
    schema_file = os.path.join("framework", "schemas", "feed.schema.json")
    return os.path.relpath(schema_file, os.path.dirname(file)) if os.path.exists(schema_file) else None


@landfeed.command()
@click.option("--out", metavar="DIR", help="The folder of databricks.yml.  [default: the project folder]")
@click.option("--name", help="The bundle's name.  [default: the one that it has, or landfeed]")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
@click.option("--output", type=click.Choice(["text", "json"]), default=None, help="What stdout holds.")
def bundle(out: str | None, name: str | None, check: bool, **params: Any) -> None:
    """Write the Databricks bundle: each environment with a `databricks` block is a target."""
    from framework.databricks import State, compare, make_bundle, unwatched, write
    from framework.loader import load_targets

    request = _request(params)
    with _errors(as_json=request.as_json):
        projects = load_targets(request.config, environ=os.environ)
        folder = _given(out) or os.path.dirname(os.path.abspath(request.config))
        if name is not None and not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise LandfeedError(f"'{name}' cannot be a bundle's name", "use letters, digits, _, . and -", code="bundle")
        wanted = make_bundle(projects, request.config, folder, name)
        states = compare(folder, wanted)
        if not check:
            write(folder, wanted)
        notes = unwatched(projects)
    targets = [project.environment.name for project in projects]
    changed = [file for file, state in states.items() if state is not State.UP_TO_DATE]
    if request.as_json:
        written = [] if check else changed
        files = [{"file": file, "state": str(states[file]), "written": file in written} for file in states]
        _print_json({"ok": not (check and changed), "targets": targets, "files": files, "notes": notes})
    else:
        for file in changed:
            print(f"{file}: {states[file] if check else 'written'}")
        if not changed:
            print("the bundle is up to date")
    for note in notes:
        _say(f"note: {note}")
    if check and changed:
        _say(f"\nhint: update with: landfeed --config {request.config} bundle" + (f" --out {out}" if out else ""))
    sys.exit(1 if check and changed else 0)


# Working


_LOCATION_HELP = "Where files arrived: only feeds there are staged. merge and archive finish all that is staged."


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    for decorate in (
        click.option("--jobs", type=click.IntRange(min=1), default=None, help="Feeds at the same time."),
        click.option("--fail-fast", is_flag=True, help="Start no further feed after one has failed."),
        click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for a busy feed."),
        click.option("--run-id", default=None, help="The id of this run in the control tables."),
        click.option("--trigger-location", metavar="LOCATION", default=None, help=_LOCATION_HELP),
    ):
        command = decorate(command)
    return command


@landfeed.command()
@_run_options
@_common
def run(request: _Request, **options: Any) -> None:
    """Stage, merge and archive what has landed."""
    from framework.plan import ALL_TASKS

    _work(request, ALL_TASKS, **options)


@landfeed.command()
@_run_options
@_common
def stage(request: _Request, **options: Any) -> None:
    """The first task of `run`: read what has landed into staging."""
    from framework.plan import Task

    _work(request, frozenset({Task.STAGE}), **options)


@landfeed.command()
@_run_options
@_common
def merge(request: _Request, **options: Any) -> None:
    """The second task of `run`: merge what is staged into the target."""
    from framework.plan import Task

    _work(request, frozenset({Task.MERGE}), **options)


@landfeed.command()
@_run_options
@_common
def archive(request: _Request, **options: Any) -> None:
    """The third task of `run`: move what is merged out of landing."""
    from framework.plan import Task

    _work(request, frozenset({Task.ARCHIVE}), **options)


def _work(
    request: _Request,
    tasks: frozenset[Task],
    *,
    jobs: int | None,
    fail_fast: bool,
    wait: float,
    run_id: str | None,
    trigger_location: str | None,
) -> None:
    from framework.places import narrowed
    from framework.plan import Task
    from framework.progress import Progress
    from framework.report import RunReport
    from framework.run import Options, run_feeds

    started = time.perf_counter()
    identity = _given(run_id) or uuid.uuid4().hex[:16]
    with _opened(request, identity) as (project, world, leases), Progress(sys.stderr, _SLOW_SECONDS) as progress:
        options = Options(tasks, jobs or project.environment.jobs, wait, fail_fast, progress.feed)
        location = _given(trigger_location) if Task.STAGE in tasks else None
        feeds = run_feeds(narrowed(project.feeds, location), world, leases, options)
    report = RunReport(identity, project.environment.engine.value, time.perf_counter() - started, tuple(feeds))
    if request.as_json:
        _print_json(report.as_dict())
    else:
        _say_report(report)
    sys.exit(report.exit_code)


@landfeed.command()
@click.option("--quiet", type=click.FloatRange(min=0), default=1.0, show_default=True, help=_QUIET)
@click.option("--interval", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help=_INTERVAL)
@click.option("--once", is_flag=True, help="Load what is there, then exit with the exit code of `run`.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Feeds at the same time.")
@_common
def watch(request: _Request, quiet: float, interval: float, once: bool, jobs: int | None) -> None:
    """Stay, and load files as they arrive. With `--output json` every line is a document."""
    from framework.watch import Settings, Watch

    with (
        _StopSignals() as signals,
        _errors(as_json=request.as_json, indent=None),
        _opened(request, uuid.uuid4().hex[:16]) as (project, world, leases),
    ):
        if not project.feeds and not once:
            raise LandfeedError("there is no feed to watch", "write one, or enable one (enabled: true)")
        settings = Settings(quiet, interval, jobs or project.environment.jobs, once)
        watching = Watch(project.feeds, world, leases, settings, _say_event_json if request.as_json else _say_event)
        signals.stop_with(watching.stop)
        code = watching.run()
    sys.exit(code)


class _StopSignals:
    """The first SIGTERM or Ctrl-C asks for a stop, the second one ends the process at once. Only the main
    thread takes signals."""

    def __init__(self) -> None:
        self._asked = False
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> _StopSignals:
        numbers = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
        self._before = {number: signal.signal(number, self._handle) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop_with(self, stop: Callable[[], None]) -> None:
        """What a stop is; done now if it has been asked for already."""
        self._stop = stop
        if self._asked:
            stop()

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            os._exit(128 + number)
        self._asked = True
        if self._stop is not None:
            self._stop()


# Looking


@landfeed.command()
@_common
def status(request: _Request) -> None:
    """Show for each feed what is pending, unfinished and loaded."""
    from framework.views import status as view

    with _opened(request) as (project, world, _):
        document = view(project.feeds, world)
    if request.as_json:
        _print_json(document)
        return
    rows = []
    for feed in document["feeds"]:
        last, unfinished = feed["last_batch"] or {}, feed["unfinished_batch"] or {}
        row = [feed["feed"], feed["pending_files"], unfinished.get("state"), last.get("recorded_at")]
        rows.append([*row, last.get("rows_read"), last.get("rows_quarantined"), feed["target_version"]])
    _print_table(["feed", "pending", "unfinished", "last load", "rows", "quarantined", "version"], rows)


@landfeed.command()
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Batches to show.")
@click.option("--files", is_flag=True, help="Show the files of these batches.")
@_common
def history(request: _Request, limit: int, files: bool) -> None:
    """Show the batches of the feeds, newest first."""
    from framework import views

    with _opened(request) as (project, world, _):
        batches = views.history([feed.name for feed in project.feeds], world, limit)
        listed = views.history_files([batch["batch_id"] for batch in batches], world) if files else None
    if request.as_json:
        _print_json({"batches": batches} | ({"files": listed} if listed is not None else {}))
        return
    shown = ["recorded_at", "feed", "batch_id", "state", "files", "rows_read", "rows_quarantined"]
    shown += ["inserted", "updated", "unchanged", "stale"]
    _print_table(shown, [[batch[name] for name in shown] for batch in batches])
    if listed is not None:
        names = ["batch_id", "file", "state", "rows_read", "moved_to", "reason"]
        _print_table(names, [[file[name] for name in names] for file in listed])


@landfeed.command()
@click.option("--staging", is_flag=True, help="The staging table instead of the target.")
@click.option("--quarantine", is_flag=True, help="The quarantine table instead of the target.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Rows to show.")
@_common
def show(request: _Request, staging: bool, quarantine: bool, limit: int) -> None:
    """Show the first rows of the feeds' target tables."""
    with _opened(request) as (project, world, _):
        tables = []
        for feed in project.feeds:
            table = feed.target.staging if staging else feed.quarantine.table if quarantine else feed.target.table
            tables.append((feed.name, table, world.engine.preview(table, limit)))
    if request.as_json:
        documents = []
        for name, table, rows in tables:
            listed = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows] if rows else None
            documents.append({"feed": name, "table": table.name, "rows": listed})
        _print_json({"feeds": documents})
        return
    for _, table, rows in tables:
        if rows is None:
            print(f"{table}: there is no such table yet")
        else:
            _print_table(list(rows.columns), [list(row) for row in rows.rows])


# Printing


@contextmanager
def _opened(request: _Request, run_id: str = "") -> Iterator[tuple[Project, World, Leases]]:
    from framework.world import open_world

    project = request.project()
    with open_world(project.environment, os.environ, run_id, lambda: datetime.now(UTC)) as (world, leases):
        yield project, world, leases


@contextmanager
def _errors(*, as_json: bool, indent: int | None = 2) -> Iterator[None]:
    """Every error ends in a sentence on stderr, a document on stdout if asked for, and an exit code."""
    try:
        yield
    except ConfigError as error:
        if as_json:
            _print_json({"ok": False, "problems": [asdict(problem) for problem in error.problems]}, indent)
        _say_problems(error.problems)
        sys.exit(2)
    except LandfeedError as error:
        if as_json:
            _print_json({"status": "failed", "exit_code": 1, "error": asdict(error.failure)}, indent)
        _say(f"error: {error.message}")
        if error.hint:
            _say(f"\nhint: {error.hint}")
        sys.exit(1)


def _print_json(document: dict[str, Any], indent: int | None = 2) -> None:
    print(json.dumps(document, indent=indent, ensure_ascii=True), flush=True)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for people; values are shown as they are, NULL as a hyphen."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[index]) for line in [list(columns), *cells]) for index in range(len(columns))]
    for line in [list(columns), ["─" * width for width in widths], *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    text = "-" if value is None else str(value)
    return text.encode("unicode_escape").decode() if not text.isprintable() else text


def _say(line: str) -> None:
    print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)


def _say_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        _say(f"{problem}" + (f"\n    hint: {problem.hint}" if problem.hint else ""))
    _say(f"\n{len(problems)} problem(s); nothing was run")


def _say_event_json(event: Event) -> None:
    _print_json({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **event.as_dict()}, indent=None)


def _say_event(event: Event) -> None:
    """A line for people. Files are named one by one while there are few."""
    from framework import events

    match event:
        case events.Started(_, feeds, quiet):
            _say(f"watching {len(feeds)} feed(s); files are loaded when they have not changed for {quiet:g} s")
        case events.Seen(feed, files):
            for file in files[:_FILES_NAMED]:
                _print_line(f"{feed}: seen {_cell(file.name)} ({file.size:,} bytes)")
            if len(files) > _FILES_NAMED:
                _print_line(f"{feed}: seen {len(files) - _FILES_NAMED} more files")
        case events.Missing(feed, folder):
            _print_line(f"{feed}: waiting for the folder {folder}")
        case events.Ended(report, retry):
            _say_feed(report, _print_line)
            if retry is not None:
                _say(f"  tried again in {retry:g} s")
        case events.Notice(message, hint):
            _say(f"{message}\n  hint: {hint}")
        case events.Stopping(working):
            _say("stopping" + (f"; finishing {', '.join(working)}" if working else ""))
        case events.Stopped():
            _say("stopped")
        case _:
            assert_never(event)


def _print_line(line: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {line}", flush=True)


def _say_report(report: RunReport) -> None:
    for feed in report.feeds:
        _say_feed(feed, print)


def _say_feed(feed: FeedReport, print_line: Callable[[str], None]) -> None:
    figures = [f"{count} {name}" for name, count in asdict(feed.rows).items() if count]
    print_line(f"{feed.feed}: {feed.status}" + (f" ({', '.join(figures)})" if figures else ""))
    for file in feed.files:
        if file.status == "rejected":
            _say(f"  {file.file}: rejected: {file.reason}")
        elif file.reason:
            _say(f"  {file.file}: {file.reason}")
    for warning in feed.warnings:
        _say(f"  warning: {warning}")
    if feed.error:
        _say(f"  error: {feed.error.message}")
        if feed.error.hint:
            _say(f"  hint: {feed.error.hint}")


def main() -> None:
    """Entry point of `landfeed` and `runner.py`. Returns when all is well: a host that calls it, as Databricks does,
    may take a SystemExit for a failure, also one of 0, and may call it in a thread, which takes no signals."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        landfeed.main(prog_name="landfeed", standalone_mode=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SystemExit as error:
        if error.code:
            raise
