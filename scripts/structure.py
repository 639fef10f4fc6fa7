"""The shape of a checkout in figures: floors, circles, sizes of its parts. `python -m scripts.structure [FOLDER]`;
FOLDER may be an older checkout."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

PACKAGES = ("core", "webapp")


@dataclass(frozen=True)
class Outline:
    """What the rules ask of one file, so that it is parsed once for all of them."""

    plain: frozenset[str]
    """Every `import module`, in functions and for types included."""
    taken: frozenset[tuple[str, str]]
    """Every `from module import name`."""
    relative: bool
    """Whether an import starts with a dot."""


@cache
def outline(text: str) -> Outline:
    """Of a file with this text."""
    tree = ast.parse(text)
    plain: set[str] = set()
    taken: set[tuple[str, str]] = set()
    relative = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            plain |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            relative = relative or node.level > 0
            taken |= {(node.module or "", name.name) for name in node.names}
    return Outline(plain=frozenset(plain), taken=frozenset(taken), relative=relative)


@cache
def bound_in(text: str) -> set[str]:
    """The names that a file defines, imports or assigns at its top, so that whoever imports it finds them."""
    found: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {name.asname or name.name for name in node.names}
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def modules(folder: Path, *packages: str) -> dict[str, Path]:
    """Dotted name of every module below the packages: core and webapp if none is named."""
    found: dict[str, Path] = {}
    for path in sorted(p for package in packages or PACKAGES for p in folder.glob(f"{package}/**/*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def edges_of(folder: Path) -> dict[str, set[str]]:
    """For every module of core and webapp, the modules of ours that it imports anywhere, in functions and for types
    included."""
    files = modules(folder)
    return {name: imports_of(path, files) - {name} for name, path in files.items()}


def imports_of(path: Path, files: dict[str, Path]) -> set[str]:
    """The modules among the files that a file imports anywhere."""
    read = outline(path.read_text("utf-8"))
    inside = {full if (full := f"{module}.{name}") in files else module for module, name in read.taken}
    return files.keys() & (read.plain | inside)


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that import each other, directly or by a detour."""
    names = list(edges)
    place = {name: i for i, name in enumerate(names)}
    pairs = [(place[a], place[b]) for a, targets in edges.items() for b in targets]
    rows, columns = zip(*pairs, strict=True)
    graph = csr_array(([1] * len(pairs), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=True, connection="strong")
    groups: dict[int, set[str]] = {}
    for name, at in zip(names, labels.tolist(), strict=True):
        groups.setdefault(at, set()).add(name)
    return [group for group in groups.values() if len(group) > 1]


def floors(edges: dict[str, set[str]]) -> int:
    """How high the house is: files and folders right below core and webapp, each above all that it imports; those that
    import each other share a floor."""
    units: dict[str, set[str]] = {}
    for name, targets in edges.items():
        unit = _unit(name)
        units.setdefault(unit, set()).update({_unit(t) for t in targets} - {unit})
    together = circles(units)
    of = {name: min(group) for group in together for name in group}
    below: dict[str, set[str]] = {}
    for unit, targets in units.items():
        at = of.get(unit, unit)
        below.setdefault(at, set()).update({of.get(t, t) for t in targets} - {at})
    heights: dict[str, int] = {}

    def height(unit: str) -> int:
        if unit not in heights:
            heights[unit] = 1 + max((height(t) for t in below[unit]), default=0)
        return heights[unit]

    return max(height(unit) for unit in below)


def _unit(name: str) -> str:
    return ".".join(name.split(".")[:2])


def lengths(folder: Path, *packages: str) -> dict[str, int]:
    """Lines of every module below the packages."""
    return {name: len(path.read_text("utf-8").splitlines()) for name, path in modules(folder, *packages).items()}


def lines_by_part(folder: Path) -> dict[str, int]:
    """Lines of Python of the kernel, of each system with its page, of research, and of the tests."""
    found: dict[str, int] = {}
    for name, n in lengths(folder, *PACKAGES, "research", "tests").items():
        part = part_of(name, (folder / Path(*name.split("."))).is_dir())
        found[part] = found.get(part, 0) + n
    return found


def part_of(name: str, is_package: bool = False) -> str:
    """The part that a module belongs to. What lies beside the systems, such as their list, is the kernel's.

    Example:
        >>> [part_of(name) for name in ("core.diagnose", "webapp.systems.probes.tab", "tests.test_pages")]
        ['kernel', 'probes', 'tests']
    """
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return parts[0]
    in_system = parts[1:2] == ["systems"] and len(parts) > (2 if is_package else 3)
    return parts[2] if in_system else "kernel"


def measure(folder: Path) -> dict[str, str]:
    """What is printed, by its title."""
    files = modules(folder)
    edges = edges_of(folder)
    lines = lengths(folder)
    parts = lines_by_part(folder)
    door = {(a, b) for a, targets in edges.items() for b in targets if a.startswith("core.") and b.startswith("webapp")}
    wide = sum(len(text) > 120 for path in files.values() for text in path.read_text("utf-8").splitlines())
    return {
        "files": f"{len(files)}",
        "lines of core and webapp": f"{sum(lines.values()):,}, of templates {_lines(folder, '*.j2'):,}",
        "lines past 120 columns": f"{wide:,}",
        "lines of each part": ", ".join(f"{part} {n:,}" for part, n in sorted(parts.items(), key=lambda p: -p[1])),
        "folders": f"{len({path.parent for path in files.values()})}",
        "floors": f"{floors(edges)}",
        "circles of files": f"{len(circles(edges))}",
        "imports of the page in core": ", ".join(f"{a} of {b}" for a, b in sorted(door)) or "none",
        "files past 300 lines": f"{sum(n > 300 for n in lines.values())}, the longest {max(lines.values())}",
    }


def _lines(folder: Path, pattern: str) -> int:
    found = (path for package in PACKAGES for path in folder.glob(f"{package}/**/{pattern}"))
    return sum(len(path.read_text("utf-8").splitlines()) for path in found)


if __name__ == "__main__":
    for title, value in measure(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).items():
        print(f"{title}: {value}")
