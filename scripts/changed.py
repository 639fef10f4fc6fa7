"""The test files that a change can reach, one a line: `python -m scripts.changed [COMMIT]`.

What differs from the commit, HEAD by default, and is not yet known to git, is followed along imports, modules that are
named in texts ("core.records.codec:decode"), and files that are named by modules and templates.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from scripts.structure import imports_of, modules

CODE = ("core", "webapp", "research", "scripts", "tests")
NAMED = re.compile(rf"[\"']((?:{'|'.join(CODE)})(?:\.\w+)+)")
EVERYTHING = re.compile(r"pyproject\.toml|requirements.*|constraints\.txt|scripts/(test|install|_environment)")
"""What no module names and all tests need."""
REGISTRIES = ("core/systems/__init__.py", "core/extensions.py")
"""Through which all uses each system: a system's own tests import it themselves."""


def users(folder: Path) -> dict[str, set[str]]:
    """For each file below the folder, by its path, the files that use it."""
    ours = modules(folder, *CODE)
    files = {name: path.relative_to(folder).as_posix() for name, path in ours.items()}
    others = [*folder.glob("*"), *(p for part in (*CODE, "assets", "docs") for p in (folder / part).rglob("*"))]
    plain = {p.relative_to(folder).as_posix() for p in others if p.suffix not in (".py", ".pyc") and p.is_file()}
    by_name: dict[str, set[str]] = {}
    for path in plain:
        by_name.setdefault(PurePosixPath(path).name, set()).add(path)
    texts = {
        path: (folder / path).read_text("utf-8") for path in (*files.values(), *(p for p in plain if p.endswith("j2")))
    }
    found: dict[str, set[str]] = {}
    for path, text in texts.items():
        used = {path for name in re.findall(r"[\w.-]+\.\w+", text) for path in by_name.get(name, ())}
        if path.endswith(".py"):
            named = {_module(name, files) for name in NAMED.findall(text)} - {""}
            used |= {files[name] for name in named | imports_of(folder / path, ours)}
        for one in used - {path}:
            found.setdefault(one, set()).add(path)
    return found


def _module(name: str, files: Mapping[str, str]) -> str:
    """The module that a dotted name is, or is in; "" where there is none."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


def reached_tests(folder: Path, changed: Iterable[str]) -> dict[str, int]:
    """The test files that changed files can reach, by the steps that lead there, the nearest first. With what all tests
    need, each of them."""
    begun = set(changed)
    graph = users(folder)
    tests = {path.relative_to(folder).as_posix() for path in (folder / "tests").rglob("test_*.py")}
    if any(EVERYTHING.fullmatch(path) for path in begun):
        return dict.fromkeys(sorted(tests), 0)
    whole = tuple(path.rpartition("/")[0] + "/" for path in begun if path.endswith(("/__init__.py", "/conftest.py")))
    steps = dict.fromkeys([*begun, *(path for path in (*graph, *tests) if path.startswith(whole or ("//",)))], 0)
    waiting = deque(steps)
    while waiting:
        path = waiting.popleft()
        if path in REGISTRIES and path not in begun:
            continue
        new = sorted(graph.get(path, set()) - steps.keys())
        steps |= dict.fromkeys(new, steps[path] + 1)
        waiting += new
    return {path: n for path, n in steps.items() if path in tests}


def main() -> None:
    folder = Path.cwd()
    since = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    asked = (["diff", "--name-only", since], ["ls-files", "--others", "--exclude-standard"])
    said = [subprocess.run(["git", *one], check=True, capture_output=True, text=True).stdout for one in asked]
    print("\n".join(reached_tests(folder, "".join(said).split("\n")[:-1])))


if __name__ == "__main__":
    main()
