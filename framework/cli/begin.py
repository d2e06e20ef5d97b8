"""Commands to begin with: init, new, infer, completion."""

from __future__ import annotations

import io
import os
import shlex
import sys
from functools import partial

import click
from click.shell_completion import get_completion_class

from framework.cli.options import anywhere, errors, given, project_options
from framework.cli.say import next_steps
from framework.cli.streams import put, say, tell
from framework.errors import ConfigError, LandfeedError

__all__ = ["completion", "infer", "init", "new"]


@click.command()
@click.argument("folder", metavar="[DIR]", default=".")
@anywhere
def init(folder: str, **options: str | None) -> None:
    """Begin a project in DIR (here, if not given): an environment, a feed with a sample file, editor settings."""
    from framework.begin import FEED, lay_out, starting_project

    config, _ = _options(options)
    with errors(as_json=False, config=config):
        name = os.path.basename(os.path.normpath(config))
        laid_out = lay_out(folder, starting_project(name))
    for name in laid_out.written:
        tell(f"written  {os.path.normpath(os.path.join(folder, name))}")
    for name in laid_out.kept:
        tell(f"kept     {os.path.normpath(os.path.join(folder, name))} (it was there)")
    next_steps(
        ([f"cd {shlex.quote(folder)}"] if os.path.relpath(folder) != "." else [])
        + ["landfeed run", f"landfeed show {FEED}", "landfeed infer FILE      (a feed for a file of your own)"]
    )


def _options(options: dict[str, str | None]) -> tuple[str, str]:
    """--config and --env of a command that loads no project, wherever they stand."""
    root = click.get_current_context().find_root().params
    return project_options({name: given(options.get(name)) or root[name] for name in ("config", "env")})


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
    from framework.loader import new_feed

    def answer(option: str, question: str, default: str) -> str:
        said = answers.get(option)
        if said is None and sys.stdin.isatty():
            said = click.prompt(question, default=default)
        return said or default

    if not name.isidentifier():  # it becomes a file name; what else it must be is checked with the feed
        raise click.BadParameter("a feed's name has lower-case letters, digits and underscores", param_hint="NAME")
    config, env = _options(answers)
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
        schema=_schema_path(config),
    )
    with errors(as_json=False, config=config):
        file = _write_feed(name, text, config, env)
    tell(f"{file} is written; check it, then: landfeed plan {name}")


def _schema_path(config: str) -> str | None:
    """The feed schema as a path from the folder of feeds, when the project has it or is going to."""
    from framework.begin import SCHEMA_FILES
    from framework.loader import Kind

    name, package = SCHEMA_FILES[Kind.FEED], os.path.join("framework", "schemas")
    if os.path.exists(os.path.join(config, name)) or not os.path.isdir(os.path.join(config, "environments")):
        return f"../{name}"
    file = os.path.join(package, name)
    return os.path.relpath(file, os.path.join(config, "feeds")) if os.path.exists(file) else None


def _write_feed(name: str, text: str, config: str, env: str) -> str:
    """Write a feed file into the project, which is begun if there is none, and check it. The file's path. Raises
    ConfigError with what is wrong in it, and leaves no file then."""
    from framework.begin import bare_project, lay_out
    from framework.loader import check_project

    file = os.path.join(config, "feeds", f"{name}.yml")
    if not os.path.isdir(os.path.join(config, "environments")):
        root, folder = os.path.split(os.path.normpath(config))
        for written in lay_out(root, bare_project(folder)).written:
            say(f"written  {os.path.join(root, written)}")
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise LandfeedError(f"{file} is there already", "take another name, or remove the file") from error
    except OSError as error:
        raise LandfeedError(f"{file} cannot be written: {error.strerror}", "make its folder writable") from error
    _, problems = check_project(config, env, environ=os.environ)
    mine = [problem for problem in problems if problem.file == f"feeds/{name}.yml"]
    if mine:
        os.remove(file)
        raise ConfigError(mine)
    return file


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--name", help="The feed's name.  [default: from the files' names]")
@click.option("--path", help="The folder where such files will land.  [default: ${landing}/NAME/]")
@click.option("--header/--no-header", default=None, help="Whether the first record of CSV files names the columns.")
@click.option("--print", "only_print", is_flag=True, help="Print the feed file instead of writing it.")
@anywhere
def infer(
    files: tuple[str, ...],
    name: str | None,
    path: str | None,
    header: bool | None,
    only_print: bool,
    **options: str | None,
) -> None:
    """Write a feed file for files like FILE: format, columns, types, keys. It loads every row of them. No value of
    them is written into it; what they do not tell is said in comments."""
    from framework.infer import Sample
    from framework.infer import infer as inferred

    config, env = _options(options)
    samples = [Sample(os.path.basename(file), partial(io.FileIO, file)) for file in files]
    with errors(as_json=False, config=config):
        if name is not None and not name.isidentifier():
            raise click.BadParameter("lower-case letters, digits and underscores", param_hint="--name")
        feed = inferred(samples, name=name, path=path, header=header, schema=_schema_path(config))
        if only_print:
            for line in feed.text.splitlines():
                tell(line)
        else:
            file = _write_feed(feed.name, feed.text, config, env)
            tell(f"{file} is written; look at its comments")
        for note in feed.notes:
            say(f"note: {note}")
        if not only_print:
            next_steps(_loading(feed.name, files, config, env))


def _loading(name: str, files: tuple[str, ...], config: str, env: str) -> list[str]:
    """Commands that bring the samples into the table. The landing folder is made, if it is a local one."""
    from framework.loader import load_project

    project = load_project(config, env, environ=os.environ, feeds=[name])
    folder = project.feeds[0].source.path
    commands = [f"landfeed plan {name}", f"landfeed run {name}", f"landfeed show {name}"]
    if not os.path.isabs(folder):
        return [f"(put the files into {folder})", *commands]
    os.makedirs(folder, exist_ok=True)
    there = all(os.path.dirname(os.path.abspath(file)) == os.path.abspath(folder) for file in files)
    near = min(os.path.relpath(folder), folder, key=len)
    return commands if there else [f"cp {shlex.join(files)} {shlex.quote(near)}", *commands]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete commands, feeds and environments.

    \b
    bash:  eval "$(landfeed completion bash)"      in ~/.bashrc
    zsh:   eval "$(landfeed completion zsh)"       in ~/.zshrc
    fish:  landfeed completion fish | source       in config.fish
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 (click has all three)
    group = click.get_current_context().find_root().command
    put(found(group, {}, "landfeed", "_LANDFEED_COMPLETE").source())
