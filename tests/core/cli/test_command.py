"""Click as the commands use it: what the arguments become, and what --help shows."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from core.cli.command import argument, command, entry, heading, option
from core.cli.main import MODULES, main
from core.systems.composition.commands.compose import PARTS
from tests.test_layering import HEAVY, loaded_by


@dataclass(frozen=True, slots=True)
class SpeakOutput:
    """Where it is kept."""

    out: Path = entry("DIR", "folder to write to", required=True)
    copies: int = entry("N", "how many (default 1)", 1)


@dataclass(frozen=True, slots=True)
class SpeakColumns:
    label: str | None = None
    both: tuple[str, str] | None = None


@command()
@argument("texts", "TEXT...", "what is said")
@option("--seed", "the same seed gives the same (default 0)")
@option("--scale X", "a factor")
@option("--names NAME", "several names")
@option("--loud", "say it loudly")
@heading("Columns")
@option("--label COL", "true class")
@option("--two COL", "a pair", to="named.both")
def speak(
    texts: tuple[str, ...],
    named: SpeakColumns,
    kept: SpeakOutput,
    seed: int = 0,
    scale: float | None = None,
    names: tuple[str, ...] = ("nobody",),
    loud: bool = False,
) -> None:
    """Say something.

    And keep it.
    """


def read(*arguments: str) -> dict[str, Any]:
    return speak.make_context("speak", list(arguments)).params


def test_types_and_defaults_are_those_of_the_signature() -> None:
    assert read("hello", "--out", "o") == {
        "texts": ("hello",),
        "named": SpeakColumns(),
        "kept": SpeakOutput(Path("o"), 1),
        "seed": 0,
        "scale": None,
        "names": ("nobody",),
        "loud": False,
    }
    given = read("--two", "a", "b", "--label", "y", "--copies", "3", "--out=o", "--loud", "--seed", "7", "one", "two")
    assert (given["named"], given["kept"]) == (SpeakColumns("y", ("a", "b")), SpeakOutput(Path("o"), 3))
    assert (given["texts"], given["seed"], given["loud"]) == (("one", "two"), 7, True)


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["x", "--names", "a", "b", "--loud"], "names", ("a", "b")),
        (["--names", "a", "b", "--", "x"], "names", ("a", "b")),
        (["x", "--names", "a", "--names", "b"], "names", ("b",)),
        (["--names=a", "x"], "names", ("a",)),
        (["x", "--seed", "1", "--seed", "2"], "seed", 2),
        (["x", "--scale", "-0.5"], "scale", -0.5),
        (["x", "--names", "- a dash", "-3"], "names", ("- a dash", "-3")),
        (["-5", "-", "--loud"], "texts", ("-5", "-")),
        (["--", "--loud"], "texts", ("--loud",)),
    ],
)
def test_values_are_told_from_options(arguments: list[str], name: str, value: Any) -> None:
    assert read("--out", "o", *arguments)[name] == value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x"], "Missing option '--out'"),
        (["--out", "o"], "Missing argument 'TEXT...'"),
        (["x", "--out", "--loud"], "'--out' needs a value: none given"),
        (["x", "--out", "o", "--two", "a"], "'--two' needs 2 values: 1 given"),
        (["x", "--out", "o", "--names"], "'--names' needs a value"),
        (["x", "--out", "o", "--seed", "1.5"], "'--seed': '1.5' is not a valid integer"),
        (["x", "--out", "o", "--lou"], "No such option '--lou'"),
        (["x", "--out", "o", "-x"], "No such option '-x'"),
    ],
)
def test_bad_usage_names_the_option_and_the_rule(arguments: list[str], message: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        read(*arguments)
    assert message in refused.value.format_message()
    assert refused.value.exit_code == 2


def test_help_has_every_option_below_its_heading() -> None:
    with click.Context(speak, info_name="speak") as context:
        told = speak.get_help(context)
    sections = {part.split(":\n")[0]: part for part in told.split("\n\n")}
    assert "TEXT...  what is said" in sections["Positional arguments"]
    assert [line.split()[0] for line in sections["Columns"].splitlines()[1:]] == ["--label", "--two"]
    assert "--two COL COL" in sections["Columns"]
    assert "--out DIR   folder to write to  [required]" in sections["Where it is kept"]
    assert "--names NAME ..." in sections["Options"]
    assert "Exit codes: 0 finished" in told


def test_a_command_loads_its_own_module_alone(repository: Path) -> None:
    code = (
        "import sys\nfrom core.cli.main import main\nmain(['phrases', '--help'])\n"
        "print(sorted(n for n in sys.modules if n.startswith('core.cli.')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert "core.cli.words" in done.stderr
    assert "core.cli.diagnose" not in done.stderr


def test_help_of_every_command_loads_nothing_heavy(repository: Path) -> None:
    asked = [[name] for name in MODULES] + [["compose", name] for name in PARTS]
    code = f"from core.cli.main import main\nfor asked in {asked}:\n    assert main([*asked, '--help']) == 0"
    assert loaded_by(code, repository).isdisjoint((*HEAVY, "numpy"))


def test_help_names_every_command_with_a_whole_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert all(f" {name} " in told for name in MODULES)
    assert "Tabulate the loss by phrase and class" in told
    assert "..." not in told.partition("Commands:")[2]
