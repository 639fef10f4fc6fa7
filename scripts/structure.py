"""Measure the structure of a checkout: layers, import cycles, sizes of its parts. `python -m scripts.structure
[FOLDER]`; FOLDER can be an older checkout."""

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
    """The imports of one file, parsed once for all rules."""

    plain: frozenset[str]
    """Every `import module`, in functions and for types included."""
    taken: frozenset[tuple[str, str]]
    """Every `from module import name`."""
    relative: bool
    """Whether an import starts with a dot."""


@cache
def outline(text: str) -> Outline:
    """Parse the imports of a file with this text."""
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
    """Collect the names that a file defines, imports or assigns at its top level."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {name.asname or name.name for name in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def modules(folder: Path, *packages: str) -> dict[str, Path]:
    """Map dotted names to the modules below the packages (default: core and webapp)."""
    paths: list[Path] = []
    for package in packages or PACKAGES:
        paths += folder.glob(f"{package}/**/*.py")
    files: dict[str, Path] = {}
    for path in sorted(paths):
        parts = path.relative_to(folder).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def edges_of(folder: Path) -> dict[str, set[str]]:
    """Map every module of core and webapp to our modules that it imports anywhere, also in functions and for types."""
    files = modules(folder)
    return {name: imports_of(path, files) - {name} for name, path in files.items()}


def imports_of(path: Path, files: dict[str, Path]) -> set[str]:
    """Collect the modules among the files that a file imports anywhere."""
    imports = outline(path.read_text("utf-8"))
    inside: set[str] = set()
    for module, name in imports.taken:
        full = f"{module}.{name}"
        inside.add(full if full in files else module)
    return files.keys() & (imports.plain | inside)


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Find groups of modules that import each other, directly or indirectly."""
    names = list(edges)
    index = {name: i for i, name in enumerate(names)}
    pairs: list[tuple[int, int]] = []
    for name, targets in edges.items():
        pairs += [(index[name], index[target]) for target in targets]
    rows, columns = zip(*pairs, strict=True)
    graph = csr_array(([1] * len(pairs), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=True, connection="strong")
    groups: dict[int, set[str]] = {}
    for name, at in zip(names, labels.tolist(), strict=True):
        groups.setdefault(at, set()).add(name)
    return [group for group in groups.values() if len(group) > 1]


def floors(edges: dict[str, set[str]]) -> int:
    """Count the layers: files and folders directly below core and webapp, each above everything it imports; those that
    import each other share a layer."""
    units: dict[str, set[str]] = {}
    for name, targets in edges.items():
        unit = _unit(name)
        units.setdefault(unit, set()).update({_unit(t) for t in targets} - {unit})
    together = circles(units)
    of: dict[str, str] = {}
    for group in together:
        of |= dict.fromkeys(group, min(group))
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
    """Count the lines of every module below the packages."""
    return {name: len(path.read_text("utf-8").splitlines()) for name, path in modules(folder, *packages).items()}


def lines_by_part(folder: Path) -> dict[str, int]:
    """Count the lines of Python of the kernel, of each system with its page, of research, and of the tests."""
    lines: dict[str, int] = {}
    for name, n in lengths(folder, *PACKAGES, "research", "tests").items():
        part = part_of(name, (folder / Path(*name.split("."))).is_dir())
        lines[part] = lines.get(part, 0) + n
    return lines


def part_of(name: str, is_package: bool = False) -> str:
    """Return the part of a module. Modules beside the systems, such as their list, belong to the kernel.

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
    """Compute the printed figures, by title."""
    files = modules(folder)
    edges = edges_of(folder)
    lines = lengths(folder)
    parts = lines_by_part(folder)
    door: set[tuple[str, str]] = set()
    for name, targets in edges.items():
        if name.startswith("core."):
            door |= {(name, target) for target in targets if target.startswith("webapp")}
    wide = 0
    for path in files.values():
        wide += sum(len(text) > 120 for text in path.read_text("utf-8").splitlines())
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
    n = 0
    for package in PACKAGES:
        n += sum(len(path.read_text("utf-8").splitlines()) for path in folder.glob(f"{package}/**/{pattern}"))
    return n


if __name__ == "__main__":
    for title, value in measure(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).items():
        print(f"{title}: {value}")
