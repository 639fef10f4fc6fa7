"""The rules that hold the house up: who may import whom, and what may not be loaded early."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.store import save
from scripts.structure import bound_in, circles, edges_of, lengths, modules, outline
from tests.support.diagnoses import make_diagnosis

HEAVY = (
    "torch",
    "torchvision",
    "sklearn",
    "pandas",
    "scipy",
    "pyarrow",
    "PIL",
    "open_clip",
    "transformers",
    "umap",
    "gradio",
    "plotly",
    "jinja2",
    "onnxruntime",
)
ROOMS = (
    "telemetry",
    "errors",
    "annotations",
    "extensions",
    "program",
    "limits row_runs",
    "received",
    "files",
    "locks",
    "options",
    "forms",
    "documents",
    "arrays",
    "folders",
    "registry",
    "records",
    "numbers",
    "yours",
    "statistics",
    "encoders",
    "data",
    "embeddings",
    "language",
    "discovery",
    "checks",
    "diagnose",
    "reports",
    "store",
    "results",
    "run",
    "figures",
    "cli",
    "systems",
    "__main__",
)
"""From the ground up: a room may import those before it, and itself."""
PAGE = (
    "markup",
    "theme guide failure_map",
    "state",
    "clicks",
    "explore",
    "panels",
    "data ask compare samples",
    "address api",
    "server",
    "app",
    "systems",
)
"""The page's own rooms, all above core; those of one line do not import each other."""
RANK = {
    **{f"core.{room}": rank for rank, rooms in enumerate(ROOMS) for room in rooms.split()},
    **{f"webapp.{room}": 100 + rank for rank, rooms in enumerate(PAGE) for room in rooms.split()},
}
DOOR = {("core.cli.serve", f"webapp.{room}") for room in ("app", "server.accounts", "server.rules")} | {
    ("core.cli.diagnose", "webapp.explore.static_page")
}
"""The commands `serve` and `export --what page` hand over to the page, with what was said, inside their functions."""
CONTRACT = ("core.extensions", "core.systems.contract")
"""The kernel's one look at systems: it asks them by name, and knows the types of what they bring and are given."""
SHARED = ("common", "contract")
"""What every system may import of `core.systems`."""
MAX_LINES = 600
"""Of a file of ours."""
OUTSIDE = ("gradio", "tests", "scripts")
NAMES = re.compile(r"\b(?:core|webapp|research|tests|scripts)(?:\.[A-Za-z_]\w*)+(?::\w+)?")
QUOTED = re.compile(rf"""["'}}](?:{NAMES.pattern})["'{{]""")
"""Only files with such a text are parsed in search of strings that are one."""

Edges = dict[str, set[str]]


@pytest.fixture(scope="module")
def edges(repository: Path) -> Edges:
    """Every import of ours, read once."""
    return edges_of(repository)


def room_of(name: str) -> str:
    return ".".join(name.split(".")[:2])


def imports(path: Path) -> set[str]:
    """Every module that a file imports, in functions and under TYPE_CHECKING too."""
    read = outline(path.read_text("utf-8"))
    assert not read.relative, f"{path}: relative imports hide the direction of an import"
    return {*read.plain, *(name for module, name in read.taken for name in (module, f"{module}.{name}"))}


def imports_at_top(path: Path) -> set[str]:
    """Those that a file imports while it is itself being imported."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        waiting.extend(ast.iter_child_nodes(node))
    return found


def loaded_by(code: str, repository: Path) -> set[str]:
    """Top-level packages in sys.modules after `code` has run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('\\n'.join({{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_every_room_imports_downward(edges: Edges) -> None:
    up = {
        (name, target)
        for name, targets in edges.items()
        for target in targets
        if room_of(name) != room_of(target)
        and name not in ("core", "webapp")
        and RANK[room_of(target)] >= RANK[room_of(name)]
    }
    assert up - {CONTRACT, ("core.extensions", "core.records")} == DOOR


def is_system(name: str) -> bool:
    return room_of(name).endswith(".systems")


def test_the_kernel_imports_no_system(edges: Edges) -> None:
    found = {(name, m) for name, targets in edges.items() for m in targets if is_system(m) and not is_system(name)}
    assert found == {CONTRACT}


def test_systems_import_the_kernel_and_what_they_share(edges: Edges) -> None:
    pairs = {(name, m) for name, targets in edges.items() for m in targets if is_system(name) and is_system(m)}
    between = {(a.split(".")[2], b.split(".")[2]) for a, b in pairs if a.count(".") > 1 and b.count(".") > 1}
    assert {(a, b) for a, b in between if a != b and b not in SHARED} == set()


def test_nothing_that_is_installed_imports_research(repository: Path) -> None:
    files = modules(repository)
    assert [name for name, path in files.items() if any(m.startswith("research") for m in imports(path))] == []


def test_core_knows_neither_gradio_nor_tests_nor_scripts(repository: Path) -> None:
    found = {
        name: sorted(m for m in imports(path) if m.split(".")[0] in OUTSIDE)
        for name, path in modules(repository, "core").items()
    }
    assert {name: m for name, m in found.items() if m} == {}
    assert not {m for m in imports_at_top(modules(repository)["core.cli.serve"]) if m.startswith("webapp")}


def test_what_has_types_of_transformers_imports_the_file_that_holds_them(repository: Path) -> None:
    """Its front door leads to every model there is: pyright then reads 3,000 files for one of ours, in place of 300."""
    files = [
        path
        for room in ("core", "webapp", "research", "tests", "scripts")
        for path in (repository / room).rglob("*.py")
    ]
    front = re.compile(r"^ *(import transformers\b|from transformers import )", re.MULTILINE)
    assert [path.name for path in files if front.search(path.read_text("utf-8"))] == []


def test_no_file_imports_itself_by_a_detour(edges: Edges) -> None:
    graph = {name: {m for m in targets if (name, m) not in (*DOOR, CONTRACT)} for name, targets in edges.items()}
    assert circles(graph) == []


def test_sub_rooms_import_no_sibling_that_imports_them(edges: Edges) -> None:
    pairs = {
        (name.rpartition(".")[0], target.rpartition(".")[0])
        for name, targets in edges.items()
        for target in targets
        if room_of(name) == room_of(target) and not is_system(name) and name.count(".") > 2 and target.count(".") > 2
    }
    assert {(a, b) for a, b in pairs if a < b and (b, a) in pairs} == set()


def test_records_come_from_the_one_place_that_hands_them_on(edges: Edges) -> None:
    around = {
        (name, target)
        for name, targets in edges.items()
        for target in targets
        if target.startswith("core.records.")
        and room_of(name) != "core.records"
        and target not in ("core.records.codec", "core.records.fields", "core.records.ledger")
    }
    assert around == set()


def strings_that_name(text: str) -> set[str]:
    """The strings in a file of this text that are the dotted name of something of ours."""
    if not QUOTED.search(text):
        return set()
    strings = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {value for value in strings if NAMES.fullmatch(value) and not value.startswith("core.systems.probes.none_")}


def test_every_string_that_names_a_module_of_ours_names_one(repository: Path) -> None:
    files = modules(repository, "core", "webapp", "research", "tests", "scripts")
    wrong: dict[str, str] = {}
    for name, path in files.items():
        for value in strings_that_name(path.read_text("utf-8")):
            try:
                resolve(value, files)
            except (AttributeError, ImportError) as error:
                wrong[f"{name}: {value}"] = str(error)
    assert wrong == {}


@pytest.mark.parametrize("rest", ["none", "encoders.none", "encoders:none", "files.none.x"])
def test_a_string_that_names_nothing_is_noticed(repository: Path, rest: str) -> None:
    files = modules(repository)
    assert strings_that_name(f"a = 'core.encoders:Encoder', 'core.{rest}'") == {"core.encoders:Encoder", f"core.{rest}"}
    resolve("core.encoders:Encoder", files)
    with pytest.raises((AttributeError, ImportError)):
        resolve(f"core.{rest}", files)


def test_every_module_that_docs_or_docstrings_name_is_there(repository: Path) -> None:
    files = modules(repository, "core", "webapp", "research", "tests", "scripts")
    pages = [repository / "README.md", *sorted((repository / "docs").glob("**/*.md"))]
    texts = {str(path.relative_to(repository)): path.read_text("utf-8") for path in (*files.values(), *pages)}
    wrong = {
        (page, named)
        for page, text in texts.items()
        for named in re.findall(r"\b(?:core|webapp|research|tests|scripts)/[\w/]+\.py\b", text)
        + re.findall(r"python -m ((?:core|research|tests|scripts)\.[\w.]*\w)", text)
        if not (repository / named).is_file() and named not in files
    }
    assert wrong == set()


def resolve(named: str, files: dict[str, Path]) -> None:
    """Find the longest part of a dotted name that is a module, and there the rest of it: at the top of the file, or, if
    nothing there has that name, by importing it and looking its attributes up.

    Raises:
        ImportError, AttributeError: no such module, or nothing of that name in it.
    """
    parts = named.replace(":", ".").split(".")
    n = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in files), 0)
    module, rest = ".".join(parts[:n]), parts[n:]
    if n == 0:
        raise ImportError(f"no module {named}")
    if not rest or (len(rest) == 1 and rest[0] in bound_in(files[module].read_text("utf-8"))):
        return
    target: object = importlib.import_module(module)
    for part in rest:
        target = getattr(target, part)


@pytest.mark.parametrize(
    "code",
    ["import core", "import core.records.diagnosis, core.errors, core.data.tables.roles", "import core.cli.main"],
)
def test_the_light_modules_load_nothing_heavy(repository: Path, code: str) -> None:
    assert loaded_by(code, repository).isdisjoint(HEAVY)


def test_importing_core_loads_not_even_numpy(repository: Path) -> None:
    assert "numpy" not in loaded_by("import core", repository)


def test_a_saved_run_opens_without_what_makes_one(repository: Path) -> None:
    run = repository / "assets" / "examples" / "scenes" / "run.errata"
    code = f"from pathlib import Path; from core.store import load; load(Path({str(run)!r}))"
    code += "; import sys; assert 'sklearn.cluster' not in sys.modules"
    assert "numpy" in loaded_by(code, repository)


@pytest.mark.parametrize("arguments", [["--help"], ["diagnose", "--help"], ["serve", "--help"]])
def test_help_loads_nothing_heavy(repository: Path, arguments: list[str]) -> None:
    code = f"from core.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert loaded_by(code, repository).isdisjoint((*HEAVY, "numpy"))


def test_opening_a_stored_run_needs_no_model_library(repository: Path, tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "run.errata")
    code = f"from core.store import load; load({str(tmp_path / 'run.errata')!r}).samples.items.read(0)"
    assert loaded_by(code, repository).isdisjoint(("torch", "sklearn", "pandas", "gradio", "onnxruntime", "open_clip"))


def too_long(folder: Path) -> dict[str, int]:
    files = lengths(folder, "core", "webapp", "research", "tests", "scripts")
    return {name: n for name, n in files.items() if n > MAX_LINES}


def test_files_are_short(repository: Path) -> None:
    assert too_long(repository) == {}


def test_a_long_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "as_long_as_may_be.py").write_text("\n" * MAX_LINES, "utf-8")
    (tmp_path / "core" / "longer.py").write_text("\n" * (MAX_LINES + 1), "utf-8")
    assert list(too_long(tmp_path).values()) == [MAX_LINES + 1]
