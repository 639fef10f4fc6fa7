"""The container's steps name files that are there, each step has what it reads, and what they make serves the page."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

HOME = "/home/errata"
PIP = """import sys
from pathlib import Path

files = [word for word in sys.argv if word.endswith((".txt", ".lock"))]
assert sys.argv[1] == "install" and files and all(Path(file).is_file() for file in files), sys.argv
with open("pip.log", "a") as log:
    log.write(" ".join(files) + "\\n")
"""
"""Stands in for pip, so that no package is fetched: those of the tests' own Python serve."""


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


def ignored(name: str, patterns: list[str]) -> bool:
    """Whether the .dockerignore keeps a path out of the container."""
    parts = name.split("/")
    return any(
        fnmatch(part, pattern.removeprefix("**/"))
        for pattern in patterns
        for part in (parts if pattern.startswith("**/") else parts[:1])
    )


def copied(repository: Path, source: str) -> Iterator[str]:
    """The files that a COPY of the source brings, below the repository."""
    patterns = (repository / ".dockerignore").read_text("utf-8").split()
    begin = repository / source
    for folder, folders, files in os.walk(begin) if begin.is_dir() else [(str(begin.parent), [], [begin.name])]:
        below = Path(folder).relative_to(repository)
        folders[:] = [name for name in folders if not ignored((below / name).as_posix(), patterns)]
        yield from (name for file in files if not ignored(name := (below / file).as_posix(), patterns))


def python_of_the_tests(app: Path) -> None:
    """A .venv that has the packages of this Python, and the stand-in for its pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", app / ".venv"], check=True)
    (site,) = (app / ".venv").glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    (site / "pip").mkdir()
    (site / "pip/__init__.py").touch()
    (site / "pip/__main__.py").write_text(PIP, "utf-8")


def answer(address: str, process: subprocess.Popen[bytes]) -> str:
    """The page, once it is there."""
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(address, timeout=10) as found:
                return found.read().decode()
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError("the page did not answer within a minute")


@pytest.mark.slow
def test_the_steps_made_in_a_clean_folder_serve_the_page(repository: Path, tmp_path: Path) -> None:
    """All but the base image, the user and what pip fetches: only what COPY names lies there, RUN and CMD are run as
    they stand, but for a port that is free, with no variable but PATH and those of ENV."""
    home = tmp_path / "home"
    app, known = home / "app", {"PATH": os.environ["PATH"]}
    app.mkdir(parents=True)
    python_of_the_tests(app)
    for kind, *words in steps(repository):
        if kind == "ENV":
            known |= {name: value.replace(HOME, str(home)) for name, _, value in (w.partition("=") for w in words)}
        elif kind == "WORKDIR":
            assert words == [f"{HOME}/app"]
        elif kind == "COPY":
            *sources, to = (word for word in words if not word.startswith("--"))
            for source in sources:
                for name in copied(repository, source):
                    place = app / to / (name if source == "." else Path(name).name)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(repository / name, place)
        elif kind == "RUN" and words[0] == "bash":
            subprocess.run(words, cwd=app, env=known, check=True)
    assert (app / "pip.log").read_text("utf-8").split() == ["requirements-torch.lock", "requirements.lock"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [port if word == "7860" else word for word in said_by_cmd(repository)]
    with subprocess.Popen(command, cwd=app, env=known, start_new_session=True) as process:
        try:
            assert "example-scenes" in answer(f"http://127.0.0.1:{port}/", process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert (app / "pip.log").read_text("utf-8").count("\n") == 2  # the start installed nothing more
    assert all(path.name.startswith(".") or path == app for path in home.iterdir())


def said_by_cmd(repository: Path) -> list[str]:
    """The words of CMD, a list in JSON."""
    (text,) = re.findall(r"^CMD (\[.*\])$", (repository / "Dockerfile").read_text("utf-8"), re.M)
    return json.loads(text)
