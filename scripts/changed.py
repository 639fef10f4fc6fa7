"""List the test files that a change can reach, one per line: `python -m scripts.changed [COMMIT]`.

Files that differ from the commit (default: HEAD), and untracked files, are followed along imports, modules named in
strings ("core.records.codec:decode"), and files named by modules and templates.
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
"""Files that no module names and all tests need."""
REGISTRIES = ("core/systems/__init__.py", "core/extensions.py")
"""Through these everything uses every system, so they are not followed: a system's tests import it themselves."""


def users(folder: Path) -> dict[str, set[str]]:
    """Map each file below the folder to the files that use it, by path."""
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
    users_of: dict[str, set[str]] = {}
    for path, text in texts.items():
        used: set[str] = set()
        for name in re.findall(r"[\w.-]+\.\w+", text):
            used |= by_name.get(name, set())
        if path.endswith(".py"):
            named = {_module(name, files) for name in NAMED.findall(text)} - {""}
            used |= {files[name] for name in named | imports_of(folder / path, ours)}
        for target in used - {path}:
            users_of.setdefault(target, set()).add(path)
    return users_of


def _module(name: str, files: Mapping[str, str]) -> str:
    """Return the module of a dotted name; "" without one."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


def reached_tests(folder: Path, changed: Iterable[str]) -> dict[str, int]:
    """Map the test files that changed files can reach to the number of steps, nearest first; all test files if a file
    changed that all need."""
    start = set(changed)
    graph = users(folder)
    tests = {path.relative_to(folder).as_posix() for path in (folder / "tests").rglob("test_*.py")}
    if any(EVERYTHING.fullmatch(path) for path in start):
        return dict.fromkeys(sorted(tests), 0)
    whole = tuple(path.rpartition("/")[0] + "/" for path in start if path.endswith(("/__init__.py", "/conftest.py")))
    steps = dict.fromkeys([*start, *(path for path in (*graph, *tests) if path.startswith(whole or ("//",)))], 0)
    waiting = deque(steps)
    while waiting:
        path = waiting.popleft()
        if path in REGISTRIES and path not in start:
            continue
        new = sorted(graph.get(path, set()) - steps.keys())
        steps |= dict.fromkeys(new, steps[path] + 1)
        waiting += new
    return {path: n for path, n in steps.items() if path in tests}


def main() -> None:
    folder = Path.cwd()
    since = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    paths: list[str] = []
    for arguments in (["diff", "--name-only", since], ["ls-files", "--others", "--exclude-standard"]):
        listed = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout
        paths += listed.splitlines()
    print("\n".join(reached_tests(folder, paths)))


if __name__ == "__main__":
    main()
