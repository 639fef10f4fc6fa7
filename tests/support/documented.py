"""Blocks of code in the pages that people read, and running them as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import COMMANDS


def blocks(page: Path, language: str) -> list[str]:
    """All blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def block(page: Path, heading: str, number: int = 0, language: str = "python") -> str:
    """A block below a heading; "" stands for what is above the first."""
    sections = dict(zip(*[iter(["", *re.split(r"^## (.*)\n", page.read_text("utf-8"), flags=re.M)])] * 2))
    return re.findall(rf"^```{language}\n(.*?)^```", sections[heading], re.M | re.S)[number]


def run_python(code: str, **names: Any) -> dict[str, Any]:
    """Run a block where these names are known; the names that are known after it."""
    known = {"__name__": "docs", **names}
    exec(compile(code, "docs", "exec"), known)
    return known


def commands(text: str, called: str) -> list[list[str]]:
    """The words of each line that calls the program, without the program."""
    lines = [line.partition(" #")[0].strip() for line in text.splitlines()]
    return [shlex.split(line.removeprefix(called)) for line in lines if line.startswith(f"{called} ")]


def run_command(words: list[str]) -> None:
    """Run a command as its line does; it must end well."""
    with pytest.raises(SystemExit) as left:
        COMMANDS.main(words, prog_name="errata")
    assert left.value.code in (0, None), words


def described_keys(repository: Path, after: str) -> set[str]:
    """The keys that docs/schema.md names in the paragraph that holds this text, behind it."""
    page = (repository / "docs" / "schema.md").read_text("utf-8")
    return set(re.findall(r"`([a-z_]+)`", page.split(after)[1].split("\n\n")[0]))
