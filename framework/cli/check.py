"""Commands that check, explain and write configuration: validate, plan, schema, show-config, new, bundle."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import asdict
from typing import Any

import click

from framework.cli.options import Request, anywhere, common, errors, given, opened, project_options, request_of
from framework.cli.say import print_json, say_problems
from framework.cli.streams import put, say, tell
from framework.errors import ConfigError, LandfeedError

__all__ = ["bundle", "new", "plan", "schema", "show_config", "validate"]


@click.command()
@common
def validate(request: Request) -> None:
    """Check everything that can be known from the files. No engine, no network."""
    from framework.loader import check_project

    feeds, problems = check_project(
        request.config, request.env, environ=os.environ, feeds=request.feeds, tags=request.tags
    )
    if request.as_json:
        print_json({"ok": not problems, "feeds": feeds, "problems": [asdict(problem) for problem in problems]})
    elif problems:
        say_problems(problems, request.config)
    else:
        tell(f"{feeds} feed(s) checked, nothing wrong")
    sys.exit(2 if problems else 0)


@click.command()
@click.argument("kind", type=click.Choice(["feed", "environment", "defaults"]), default="feed")
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file, for editors."""
    from framework.loader import Kind, schema_text

    put(schema_text(Kind(kind)).rstrip("\n"))


@click.command()
@click.option("--sql", is_flag=True, help="Show the SQL of each step too.")
@common
def plan(request: Request, sql: bool) -> None:
    """Show what `run` would do now: pending files, tables to make or change, steps. Writes nothing."""
    from framework.plan.explain import explain_text
    from framework.runs.views import plans

    with opened(request) as (project, world, _):
        document = plans(project.feeds, world, world.engine.sql if sql else None)
    if request.as_json:
        print_json(document)
    else:
        for feed, planned in zip(project.feeds, document["feeds"], strict=True):
            for line in explain_text(planned, feed.source.path):
                tell(line)
    sys.exit(1 if any(feed["error"] for feed in document["feeds"]) else 0)


@click.command("show-config")
@common
def show_config(request: Request) -> None:
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
        print_json({"feeds": [{"feed": name, "values": v} for name, v in zip(request.feeds, documents, strict=True)]})
        return
    for number, tree in enumerate(trees):
        for line in (*["---"] * (number > 0), *annotated(tree)):
            tell(line)


@click.command()
@click.argument("name")
@click.option("--path", help="The folder where files land.  [default: ${landing}/NAME/]")
@click.option("--format", type=click.Choice(["csv", "json"]), help="The files' format.  [default: csv]")
@click.option("--column", "columns", multiple=True, metavar="NAME:TYPE", help="A column; may be given several times.")
@click.option("--key", "keys", multiple=True, help="A key column.  [default: the first column]")
@click.option("--sequence-by", help="The column that tells the newer of two rows.")
@click.option("--table", help="The target table.  [default: main.NAME]")
@anywhere
def new(name: str, columns: tuple[str, ...], keys: tuple[str, ...], **answers: str | None) -> None:
    """Write a commented feed file from a few answers, asked for on a terminal, and check it."""
    from framework.loader import check_project, new_feed

    def answer(option: str, question: str, default: str) -> str:
        said = answers.get(option)
        if said is None and sys.stdin.isatty():
            said = click.prompt(question, default=default)
        return said or default

    if not name.isidentifier():  # it becomes a file name; what else it must be is checked with the feed
        raise click.BadParameter("a feed's name has lower-case letters, digits and underscores", param_hint="NAME")
    root = click.get_current_context().find_root().params
    config, env = project_options({option: given(answers.get(option)) or root[option] for option in ("config", "env")})
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
    with errors(as_json=False, config=config):
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
    tell(f"{file} is written; check it, then: landfeed plan {name}")


def _schema_path(file: str) -> str | None:
    """The feed schema as a path from the feed file, when the project has it."""
    schema_file = os.path.join("framework", "schemas", "feed.schema.json")
    return os.path.relpath(schema_file, os.path.dirname(file)) if os.path.exists(schema_file) else None


@click.command()
@click.option("--out", metavar="DIR", help="The folder of databricks.yml.  [default: the project folder]")
@click.option("--name", help="The bundle's name.  [default: the one that it has, or landfeed]")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file is out of date.")
@click.option("--output", type=click.Choice(["text", "json"]), default=None, help="What stdout holds.")
@anywhere
def bundle(out: str | None, name: str | None, check: bool, **params: Any) -> None:
    """Write the Databricks bundle: each environment with a `databricks` block is a target."""
    from framework.databricks import State, compare, make_bundle, unwatched, write
    from framework.loader import load_targets

    request = request_of(params)
    with errors(as_json=request.as_json, config=request.config):
        projects = load_targets(request.config, environ=os.environ)
        folder = given(out) or os.path.dirname(os.path.abspath(request.config))
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
        print_json({"ok": not (check and changed), "targets": targets, "files": files, "notes": notes})
    else:
        for file in changed:
            tell(f"{file}: {states[file] if check else 'written'}")
        if not changed:
            tell("the bundle is up to date")
    for note in notes:
        say(f"note: {note}")
    if check and changed:
        say()
        say(f"hint: update with: landfeed --config {request.config} bundle" + (f" --out {out}" if out else ""))
    sys.exit(1 if check and changed else 0)
