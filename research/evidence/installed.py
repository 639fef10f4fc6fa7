"""How much disk the installed packages take, and which of them a process or a list of requirements needs."""

from __future__ import annotations

import os
import re
import sysconfig
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

OTHER = "(no package)"


def canonical(name: str) -> str:
    """A package's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def owners() -> dict[str, str]:
    """Path of every file of an installed package, and the package."""
    found: dict[str, str] = {}
    for package in distributions():
        name = canonical(package.metadata["Name"])
        home = str(package.locate_file(""))
        found |= {os.path.normpath(os.path.join(home, str(entry))): name for entry in package.files or ()}
    return found


def owner_of(path: str, owned: dict[str, str]) -> str:
    """The package of a file; of compiled code, its source's."""
    if (found := owned.get(path)) is not None:
        return found
    folder, name = os.path.split(path)
    if os.path.basename(folder) == "__pycache__":
        return owned.get(os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py"), OTHER)
    return OTHER


def disk_use(folder: Path | None = None) -> Counter[str]:
    """Bytes on disk by package, of all files below the folder; site-packages if none is given."""
    owned = owners()
    sizes = Counter[str]()
    for place, _, names in os.walk(folder or sysconfig.get_path("purelib")):
        for name in names:
            path = os.path.join(place, name)
            state = os.lstat(path)
            sizes[owner_of(path, owned)] += getattr(state, "st_blocks", -(-state.st_size // 512)) * 512
    return sizes


def packages_of(files: Iterable[str]) -> set[str]:
    """The packages that these files belong to."""
    owned = owners()
    return {owned[path] for file in files if (path := os.path.normpath(file)) in owned}


def required(names: Iterable[str]) -> set[str]:
    """What an installer brings for these requirements on this machine, their own requirements included."""
    found = set[tuple[str, str]]()
    waiting = [(Requirement(name), "") for name in names]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        for asked in ("", *sorted(wanted.extras)):
            if (canonical(wanted.name), asked) in found:
                continue
            try:
                package = distribution(wanted.name)
            except PackageNotFoundError:
                break
            found.add((canonical(wanted.name), asked))
            waiting += [(Requirement(line), asked) for line in package.requires or ()]
    return {name for name, _ in found}


def read_requirements(file: Path) -> list[str]:
    """The lines of a requirements file that name packages."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]
