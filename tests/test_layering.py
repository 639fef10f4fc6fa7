"""The rules that hold the house up: who may import whom, and what may not be loaded early."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

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
FACES = ("gradio", "webapp")


def modules(folder: Path) -> dict[str, Path]:
    """Dotted name of every module below core."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("core/**/*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, at_top: bool = False) -> set[str]:
    """Every module that a file imports; `at_top`: only while it is itself being imported, so not in functions or under TYPE_CHECKING."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if at_top and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        ):
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide the direction of an import"
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        waiting.extend(ast.iter_child_nodes(node))
    return found


def loaded_by(code: str, repository: Path) -> set[str]:
    """Top-level packages in sys.modules after `code` has run in a fresh interpreter."""
    script = f"{code}\nimport sys\nprint('\\n'.join({{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_core_never_imports_the_page_or_gradio(repository: Path) -> None:
    found = {name: sorted(m for m in imports(path) if m.split(".")[0] in FACES) for name, path in modules(repository).items()}
    # The command `serve` hands over to the page, inside its function; that is the one door.
    assert {name: m for name, m in found.items() if m} == {"core.cli.diagnose": ["webapp.app", "webapp.app.main"]}
    assert not {m for m in imports(modules(repository)["core.cli.diagnose"], at_top=True) if m.split(".")[0] in FACES}


def test_core_has_no_import_cycle(repository: Path) -> None:
    files = modules(repository)
    edges = {name: {m for m in imports(path, at_top=True) if m in files and m != name} for name, path in files.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for target in sorted(edges[name]):
                visit(target, (*trail, name))
            done.add(name)

    for name in files:
        visit(name, ())
    assert done == set(files)


@pytest.mark.parametrize("code", ["import core", "import core.records.diagnosis, core.errors, core.data.tables.roles", "import core.cli.main"])
def test_the_light_modules_load_nothing_heavy(repository: Path, code: str) -> None:
    assert loaded_by(code, repository).isdisjoint(HEAVY)


def test_importing_core_loads_not_even_numpy(repository: Path) -> None:
    assert "numpy" not in loaded_by("import core", repository)


@pytest.mark.parametrize("arguments", [["--help"], ["diagnose", "--help"], ["serve", "--help"]])
def test_help_loads_nothing_heavy(repository: Path, arguments: list[str]) -> None:
    code = f"from core.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert loaded_by(code, repository).isdisjoint((*HEAVY, "numpy"))


def test_opening_a_stored_run_needs_no_model_library(repository: Path, tmp_path: Path) -> None:
    code = f"from pathlib import Path\nfolder = Path({str(tmp_path)!r})\n"
    loaded_by(code + "from tests.support.diagnoses import make_diagnosis\nfrom core.store import save\nsave(make_diagnosis(), folder)", repository)
    loaded = loaded_by(code + "from core.store import load\nload(folder).samples.images.read(0)", repository)
    assert loaded.isdisjoint({"torch", "sklearn", "pandas", "gradio", "onnxruntime", "open_clip"})


def test_no_file_is_past_350_lines(repository: Path) -> None:
    paths = [p for folder in ("core", "webapp", "tests", "scripts") for p in (repository / folder).glob("**/*") if p.suffix in (".py", "")]
    long = {str(p.relative_to(repository)): n for p in paths if p.is_file() and (n := len(p.read_text("utf-8").splitlines())) > 353}
    assert long == {}
