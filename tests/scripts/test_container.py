"""The container's steps name files that are there, and each step has what it reads."""

from __future__ import annotations

import re
import shlex
from pathlib import Path


def steps(repository: Path) -> list[list[str]]:
    """The words of each instruction of the Dockerfile."""
    text = re.sub(r"\\\n", " ", (repository / "Dockerfile").read_text("utf-8"))
    return [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_every_step_finds_its_files_among_those_that_were_copied_before_it(repository: Path) -> None:
    copied, run = set[str](), 0
    for kind, *words in steps(repository):
        if kind == "COPY":
            sources = [word for word in words if not word.startswith("--")][:-1]
            assert all((repository / source).exists() for source in sources), sources
            copied |= {"." if source == "." else source for source in sources}
        if kind == "RUN" and words[0] == "bash":
            run += 1
            scripts = [words[1], "scripts/_environment"]
            code = "".join(_code((repository / script).read_text("utf-8")) for script in scripts)
            read = {*scripts, *re.findall(r"requirements[\w-]*\.(?:txt|lock)", code)}
            assert "requirements.lock" in read
            assert "." in copied or read <= copied, read - copied
    assert run == 1
    assert "." in copied


def _code(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))


def test_the_container_is_an_ordinary_users_and_listens_where_a_space_expects_it(repository: Path) -> None:
    said = steps(repository)
    assert ["USER", "errata"] in said
    assert any(words[0] == "RUN" and words[1:4] == ["useradd", "--create-home", "--uid"] for words in said)
    assert said.index(["USER", "errata"]) < next(i for i, words in enumerate(said) if words[:2] == ["RUN", "bash"])
    assert ["EXPOSE", "7860"] in said
    command = " ".join(said[-1])
    assert said[-1][0] == "CMD"
    assert all(word in command for word in ("scripts/app", "0.0.0.0", "7860"))
