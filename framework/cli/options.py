"""What all commands have in common: their options as a `Request`, what they open, and how an error ends them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from framework.cli.cover import cover
from framework.cli.logs import LOG
from framework.cli.say import print_json, say_problems
from framework.cli.streams import say
from framework.errors import ConfigError, LandfeedError, expected, starved

if TYPE_CHECKING:
    from framework.leases import Leases
    from framework.loader import Project
    from framework.plan.world import World

__all__ = [
    "Request",
    "anywhere",
    "clock",
    "common",
    "common_with",
    "complete_environments",
    "complete_feeds",
    "errors",
    "given",
    "logged",
    "opened",
    "project_options",
    "request_of",
]


_LESS = "On stderr only warnings and errors."
_MORE = "On stderr also what is done, file by file; each line with the time and the id of the run."
_LOG_FORMAT = "Lines on stderr as texts, or each as a JSON document with the id of the run."


@dataclass(frozen=True, slots=True)
class Request:
    """What the options common to all commands say."""

    config: str
    env: str
    feeds: tuple[str, ...]
    tags: tuple[str, ...]
    output: str = "text"

    @property
    def as_json(self) -> bool:
        return self.output == "json"

    def project(self) -> Project:
        from framework.loader import load_project

        project = load_project(self.config, self.env, environ=os.environ, feeds=self.feeds, tags=self.tags)
        cover(project.secrets)
        return project


def given(value: str | None) -> str | None:
    """A scheduler passes parameters that are empty or unresolved `{{…}}`; they count as not given."""
    text = (value or "").strip()
    return None if not text or (text.startswith("{{") and text.endswith("}}")) else value


def request_of(params: dict[str, Any]) -> Request:
    root = click.get_current_context().find_root().params
    feeds = [name for value in params.pop("feeds", ()) if given(value) for name in value.replace(",", " ").split()]
    tags = [tag for tag in params.pop("tag", ()) if given(tag)]
    output = params.pop("output", None) or root["output"]
    log_format = params.pop("log_format", None) or root["log_format"]
    less, more = (params.pop(name, False) or root[name] for name in ("less", "more"))
    LOG.begin(as_json=log_format == "json", quiet=less, verbose=more)
    config, env = project_options({name: given(params.pop(name, None)) or root[name] for name in ("config", "env")})
    return Request(config, env, tuple(feeds), tuple(tags), output)


def project_options(options: dict[str, Any]) -> tuple[str, str]:
    """--config and --env, or what holds when they are not given."""
    env = given(options["env"]) or given(os.environ.get("LANDFEED_ENV")) or "local"
    return given(options["config"]) or "pipelines_config", env


def _config_of(context: click.Context) -> str:
    """The configuration folder of a command line that is still being written."""
    options = (context.params.get("config"), context.find_root().params.get("config"))
    return next((found for option in options if (found := given(option))), "pipelines_config")


def complete_feeds(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The names of feeds that begin like this, without those that stand there already."""
    from framework.loader import feed_names

    there = context.params.get("feeds") or ()
    return [name for name in feed_names(_config_of(context)) if name.startswith(begun) and name not in there]


def complete_environments(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The names of environments that begin like this."""
    from framework.loader import environment_names

    return [name for name in environment_names(_config_of(context)) if name.startswith(begun)]


def anywhere(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the project, understood after the command too; there they count more."""
    for decorate in (
        click.option("--env", default=None, help="The environment's name.", shell_complete=complete_environments),
        click.option("--config", default=None, help="The configuration folder."),
    ):
        command = decorate(command)
    return command


def logged(command: Callable[..., None]) -> Callable[..., None]:
    """What stderr holds."""
    for decorate in (
        click.option("--log-format", type=click.Choice(["text", "json"]), default=None, help=_LOG_FORMAT),
        click.option("-v", "more", is_flag=True, help=_MORE),
        click.option("-q", "less", is_flag=True, help=_LESS),
    ):
        command = decorate(command)
    return command


def common(command: Callable[..., None]) -> Callable[..., None]:
    """FEED …, --tag, --output, --config and --env, as a `Request` in the first argument; errors become exit codes."""
    return common_with("text", "json")(command)


def common_with(*outputs: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As `common`, for a command that can give these outputs."""
    return lambda command: _common(command, outputs)


def _common(command: Callable[..., None], outputs: Sequence[str]) -> Callable[..., None]:
    def invoke(**params: Any) -> None:
        request = request_of(params)
        with errors(as_json=request.as_json, config=request.config):
            command(request, **params)

    invoke.__doc__, invoke.__name__ = command.__doc__, command.__name__
    invoke.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for decorate in (
        anywhere,
        logged,
        click.option("--output", type=click.Choice(outputs), default=None, help="What stdout holds."),
        click.option("--tag", multiple=True, help="Only feeds with this tag."),
        click.argument("feeds", nargs=-1, metavar="[FEED]...", shell_complete=complete_feeds),
    ):
        invoke = decorate(invoke)
    return invoke


def clock() -> datetime:
    return datetime.now(UTC)


@contextmanager
def opened(request: Request, run_id: str = "") -> Iterator[tuple[Project, World, Leases]]:
    from framework.runs.world import open_world

    LOG.run_id = run_id
    project = request.project()
    with open_world(project.environment, os.environ, run_id, clock, project.secrets.hide) as (world, leases):
        yield project, world, leases


@contextmanager
def errors(*, as_json: bool, config: str, indent: int | None = 2) -> Iterator[None]:
    """Every error ends in a sentence on stderr, a document on stdout if asked for, and an exit code."""
    try:
        yield
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "problems": [asdict(problem) for problem in error.problems]}, indent)
        say_problems(error.problems, config)
        sys.exit(2)
    except Exception as error:
        if not isinstance(error, LandfeedError) and not starved(error):
            raise
        failure = expected(error).failure
        if as_json:
            print_json({"status": "failed", "exit_code": 1, "error": asdict(failure)}, indent)
        say(f"error: {failure.message}")
        if failure.hint:
            say()
            say(f"hint: {failure.hint}")
        sys.exit(1)
