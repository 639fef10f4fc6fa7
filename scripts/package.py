"""Build hook of the wheel (pyproject.toml): one package `errata` of `core`, `webapp` and `assets`.

An installed `core` or `webapp` could shadow another package, so the wheel moves every import of ours below `errata`, at
positions from Python's parser, including strings that name a module (docs/decisions/package.md).
"""

from __future__ import annotations

import ast
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("core", "webapp")
NAME = "errata"
MOVED = {"errata.py": "__init__.py", "core/__main__.py": "__main__.py"}
"""Files with another path in the wheel."""
_MODULE = re.compile(r"(?:core|webapp)(?:\.[a-z_]\w*)*(?::\w+)?")
_CALLED = re.compile(r"python -m core\b(?!\.)")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


class Unclear(ValueError):
    """A name of ours in a form that cannot be moved below `errata`."""


def below(source: str, known: frozenset[str] = frozenset()) -> str:
    """Convert a file of ours for the wheel.

    Args:
        source: Python code.
        known: dotted names of all our modules; a string such as "core.systems.probes" or "core.systems.probes:PROBES"
            counts as a name if its module is among them.

    Raises:
        Unclear: `import core.x` without "as", which binds the name `core`, or a module name built from parts.
    """
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    for line, column, expected in sorted(_places(ast.parse(source), lines, known), reverse=True):
        text = lines[line - 1]
        if not text[column:].startswith(expected.encode()):
            raise Unclear(f"line {line}: {expected!r} is not at the expected position: {text.decode().strip()!r}")
        lines[line - 1] = text[:column] + f"{NAME}.".encode() + text[column:]
    return _CALLED.sub(NAME, b"".join(lines).decode())


def _places(tree: ast.AST, lines: list[bytes], known: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """Yield (line from 1, column in bytes, expected text) of every name to move below `errata`."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node)}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if _ours(module):
                yield node.lineno, node.col_offset + len("from "), f"{module} "
            case ast.Import(names=names):
                for alias in names:
                    if _ours(alias.name):
                        if alias.asname is None:
                            raise Unclear(f"line {node.lineno}: write `from {alias.name} import ...` instead")
                        yield alias.lineno, alias.col_offset, alias.name
            case ast.Constant(value=str(value)) if _names_module(value, known):
                quote = lines[node.lineno - 1][node.col_offset : node.col_offset + 1].decode()
                if id(node) in inside or quote not in "\"'":
                    raise Unclear(f"line {node.lineno}: the name {value!r} is built from parts. Write one string.")
                yield node.lineno, node.col_offset + 1, value + quote
            case _:
                pass


def _ours(module: str) -> bool:
    return module.partition(".")[0] in PACKAGES


def _names_module(value: str, known: frozenset[str]) -> bool:
    """ "core" alone can be any word, as in processor core; with a dot or a colon it is a module name."""
    module = value.partition(":")[0]
    return value not in PACKAGES and _MODULE.fullmatch(value) is not None and module in known


def modules_of(top: Path) -> frozenset[str]:
    """Collect the dotted names of our modules below the checkout's top folder."""
    parts = [path.relative_to(top).with_suffix("").parts for name in PACKAGES for path in (top / name).rglob("*.py")]
    return frozenset(".".join(part[:-1] if part[-1] == "__init__" else part) for part in parts)


def write_package(top: Path, out: Path) -> None:
    """Write the package `errata` of the wheel into the new folder `out`, from the checkout at `top`."""
    for name in (*PACKAGES, "assets"):
        shutil.copytree(top / name, out / name, ignore=_LEFT_OUT)
    for source, target in MOVED.items():
        shutil.copyfile(top / source, out / target)
        (out / source).unlink(missing_ok=True)
    known = modules_of(top)
    for path in sorted(out.rglob("*.py")):
        if "assets" in path.relative_to(out).parts[:1]:
            continue
        try:
            path.write_text(below(path.read_text("utf-8"), known), "utf-8")
        except Unclear as fault:
            raise Unclear(f"{path.relative_to(out)}, {fault}") from None
    for path in sorted(out.rglob("*.j2")):
        path.write_text(_CALLED.sub(NAME, path.read_text("utf-8")), "utf-8")
    (out / "py.typed").touch()


class ErrataBuild(BuildHookInterface[Any]):
    """Adds the package of `write_package` to the wheel from a temporary folder, and removes that afterwards."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the package; called by hatchling before it packs."""
        if version == "editable":
            raise Unclear("Editable installs are not supported. Use scripts/install and `python -m core`.")
        self.folder = Path(tempfile.mkdtemp(prefix="errata-wheel-"))
        write_package(Path(self.root), self.folder / NAME)
        build_data["force_include"][str(self.folder / NAME)] = NAME

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder; called by hatchling when the wheel is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)
