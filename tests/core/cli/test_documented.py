"""What README and docs say of the command line: every command, option and table of options is one that the parser
knows."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from importlib.util import find_spec

import click
import pytest

from core.cli.command import Command
from core.cli.main import COMMANDS
from core.systems.composition.adapters import ADAPTERS
from core.systems.probes import PROBES
from tests.conftest import REPOSITORY

GUIDES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
PAGES = (*GUIDES, *sorted((REPOSITORY / "docs").glob("*/**/*.md")))
"""Guides, then decisions and evidence, which name options of benchmarks too."""
CALLED = "(?:python -m core|errata)"
LINE = re.compile(rf"^(?:\$ )?{CALLED} (.*)|`{CALLED} ([^`]*)`", re.MULTILINE)
PLACEHOLDERS = {("compose", "WHAT"): "run", ("probe", "NAME"): "zero-shot"}
"""Words that stand for any command's name, and one that serves."""
TABLES = {
    "docs/answers.md": ("answers",),
    "docs/composition.md": ("compose run", "compose adapt"),
    "docs/distillation.md": ("distil",),
    "docs/gate.md": ("gate",),
    "docs/probes.md": ("probe sus-x",),
    "docs/step_by_step.md": ("steps",),
    "docs/tasks.md": ("diagnose",),
    "docs/visual_words.md": ("visual-words",),
}
"""The command of each table of options, in the page's order."""


def documented() -> list[tuple[str, str]]:
    """(page, what stands behind `python -m core` or `errata`) of every command line in the pages."""
    return [
        (str(page.relative_to(REPOSITORY)), (match[1] or match[2]).partition(" # ")[0].partition(" > ")[0].strip())
        for page in PAGES
        for match in LINE.finditer(page.read_text("utf-8"))
    ]


def option_tables(page: str) -> list[list[str]]:
    """Of each table with the heading "option", what its rows name, such as "--out DIR"."""
    found: list[list[str]] = []
    for block in re.findall(r"(?:^\|.*\n)+", (REPOSITORY / page).read_text("utf-8"), re.MULTILINE):
        head, _, *rows = block.splitlines()
        if head.startswith("| option |"):
            found.append([name for row in rows for name in re.findall(r"`(--[^`]*)`", row.split("|")[1])])
    return found


def command_of(arguments: list[str]) -> tuple[Command, list[str]]:
    """The command that the arguments name, and what is left of them."""
    at, rest = COMMANDS, list(arguments)
    context = click.Context(COMMANDS)
    while isinstance(at, click.Group):
        name = rest.pop(0)
        found = at.get_command(context, PLACEHOLDERS.get((at.name or "", name), name))
        assert found is not None, f"{at.name} has no command {name!r}"
        at = found
    assert isinstance(at, Command)
    return at, [PLACEHOLDERS.get((at.name or "", word), word) for word in rest]


def options_of(command: Command, arguments: list[str]) -> dict[str, click.Option]:
    """Every name of an option that the command takes with these arguments."""
    own = frozenset(name for parameter in command.params for name in parameter.opts)
    more = [] if command.settings is None else command.settings(arguments, own)
    options = [parameter for parameter in (*command.params, *more) if isinstance(parameter, click.Option)]
    return {name: each for each in options for name in (*each.opts, *each.secondary_opts)}


def check(line: str) -> None:
    """Look a command line up without running it: names alone if it holds placeholders, else its values too.

    Raises:
        AssertionError: no such command or option.
        click.UsageError: a value that its option does not take, or an argument is missing.
    """
    arguments = shlex.split(re.sub(r"[][]|\.\.\.", " ", line))
    if arguments[:1] in (["--help"], ["--version"]):
        return
    command, rest = command_of(arguments)
    named = [word.partition("=")[0] for word in rest if word.startswith("--")]
    known = {*options_of(command, rest), "--help"}
    assert set(named) <= known, f"{command.name} has no {sorted(set(named) - known)}"
    if "--help" not in named and not re.search(r"\.\.\.|\[|\||\b[A-Z]{3,}\b(?![.\w])", line):
        command.make_context(command.name, rest)


@pytest.mark.parametrize(("page", "line"), documented())
def test_every_documented_command_line_is_one_that_the_parser_takes(page: str, line: str) -> None:
    check(line)


def test_the_pages_hold_command_lines_for_every_command() -> None:
    named = {line.split()[0] for _, line in documented()} - {"--version"}
    assert named == set(COMMANDS.list_commands(click.Context(COMMANDS)))


def test_every_name_that_a_command_imports_when_it_runs_is_there() -> None:
    """Commands import what they need inside their functions, so that a moved name would show only when one runs."""
    missing: list[str] = []
    for path in sorted((REPOSITORY / "core").rglob("*.py")):
        if "cli" not in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ("core", "webapp"):
                try:
                    module = import_module(node.module)
                except ModuleNotFoundError as error:
                    if (error.name or "").partition(".")[0] in ("core", "webapp"):
                        raise
                    continue  # an extra that is not installed
                missing += [
                    f"{path.name}: {node.module}.{each.name}"
                    for each in node.names
                    if not hasattr(module, each.name) and find_spec(f"{node.module}.{each.name}") is None
                ]
    assert missing == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("diagnoze --table val.csv", "no command 'diagnoze'"),
        ("compose runs rendered", "no command 'runs'"),
        ("diagnose --tabel FILE", "no .'--tabel'"),
        ("probe lp++ run --shot 4", "no .'--shot'"),
        ("compose adapt --adapter local --no-such", "no .'--no-such'"),
        ("export run --what everything", "everything"),
        ("compose run --out result", "Missing argument"),
    ],
)
def test_a_command_line_that_the_parser_does_not_take_is_noticed(line: str, fault: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)) as raised:
        check(line)
    told = raised.value.format_message() if isinstance(raised.value, click.UsageError) else str(raised.value)
    assert re.search(fault, told)


@pytest.mark.parametrize("page", [str(page.relative_to(REPOSITORY)) for page in PAGES])
def test_every_table_of_options_lists_options_of_its_command(page: str) -> None:
    for command, rows in zip(TABLES.get(page, ()), option_tables(page), strict=True):
        options = options_of(*command_of(command.split()))
        for row in rows:
            name, _, value = row.partition(" ")
            assert name in options, f"{command} has no {name}"
            assert not (value and options[name].is_flag), f"{name} takes no value"


def test_every_option_that_a_guide_names_in_passing_is_one_of_some_command() -> None:
    known = {"--help", "--version"}
    waiting: list[click.Command] = [COMMANDS]
    while waiting:
        command = waiting.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += filter(None, (command.get_command(context, name) for name in command.list_commands(context)))
        elif isinstance(command, Command):
            for arguments in [[], *([name] for name in PROBES), *(["--adapter", name] for name in ADAPTERS)]:
                known |= options_of(command, arguments).keys()
    unknown = {
        (str(page.relative_to(REPOSITORY)), name)
        for page in GUIDES
        for name in re.findall(r"`(--[\w-]+)", page.read_text("utf-8"))
        if name not in known
    }
    assert unknown == set()
