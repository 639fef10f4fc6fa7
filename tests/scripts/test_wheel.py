"""The wheel, built, installed and used from a folder with packages `core` and `webapp` of somebody else, where torch
and what comes with the extras cannot be imported."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from core.cli.main import COMPLETE
from core.program import EXTRAS, VERSION

pytestmark = pytest.mark.slow

ROWS = 60
NAMES = (
    "errata/assets/examples/scenes/run.errata",
    "errata/webapp/templates/header.html.j2",
    "errata/webapp/systems/probes/templates/form.html.j2",
    "errata/webapp/systems/probes/probe.css",
    "errata/webapp/systems/probes/probe.js",
    "errata/core/systems/probes/templates/probe_details.html.j2",
    "errata/py.typed",
)


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, so that this holds everything that the wheel is made of."""
    out, pip = tmp_path_factory.mktemp("wheel"), [sys.executable, "-m", "pip"]
    code = f"import hatchling.build as b; print(b.build_sdist({str(out)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True, capture_output=True)
    (sdist,) = out.glob("*.tar.gz")
    build = [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out), str(sdist)]
    subprocess.run(build, check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment that holds the wheel and sees the packages that are here."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "all.pth").write_text(next(p for p in sys.path if p.endswith("site-packages")) + "\n", "utf-8")
    install = ["install", "-q", "--no-deps", "--no-index", str(wheel)]
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, capture_output=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is first on the path: `core` and `webapp` of somebody else, and no package of an extra."""
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("core", "webapp"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('somebody else')\n", "utf-8")
    for name in EXTRAS:
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name={name!r})\n", "utf-8")
    return folder


def ran(command: list[str | Path], cwd: Path, status: int = 0) -> str:
    told = subprocess.run(command, cwd=cwd, env=around(cwd), capture_output=True, text=True, timeout=400)
    assert told.returncode == status, told.stdout + told.stderr
    return told.stdout + told.stderr


def around(cwd: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(cwd), "ERRATA_CACHE": str(cwd / "cache"), "ERRATA_KEEP": "none"}


def test_the_wheel_holds_one_package_with_everything_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        said = file.read(f"errata-{VERSION}.dist-info/METADATA").decode()
        sources = {name: file.read(name).decode() for name in names if name.endswith((".py", ".j2"))}
    assert {name.split("/")[0] for name in names} == {"errata", f"errata-{VERSION}.dist-info"}
    assert set(NAMES) <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    assert not [name for name in names if "research" in name.split("/")]
    asked = re.findall(r"^Requires-Dist: (\S+?)(?:[<>=].*)?$", said, re.MULTILINE)
    assert {"numpy", "gradio", "torch"} <= set(asked)
    assert "Requires-Dist: torch>=2.6\n" not in said
    assert not [name for name, text in sources.items() if re.search(r"python -m core\b(?!\.)", text)]


def test_every_module_imports_and_none_of_somebody_else(installed: Path, elsewhere: Path) -> None:
    code = """
import errata, importlib, pkgutil, sys
assert not {"numpy", "torch"} & sys.modules.keys()
sys.path.insert(0, "FOLDER")
for found in pkgutil.walk_packages(errata.__path__, "errata."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
assert [getattr(errata, name) for name in errata.__all__]
assert not {"core", "webapp"} & sys.modules.keys()
print(errata.__version__, errata.diagnose.__module__)
"""
    folder = elsewhere.parent  # with the packages of the extras, which some modules are made of
    told = subprocess.run([installed / "python", "-c", code], cwd=folder, capture_output=True, text=True, timeout=400)
    assert told.stdout == f"{VERSION} errata.core.diagnose\n", told.stderr


def test_a_run_from_table_to_page_needs_no_package_of_an_extra(
    installed: Path, elsewhere: Path, repository: Path
) -> None:
    scenes = repository / "assets" / "examples" / "scenes"
    lines = (scenes / "table.csv").read_text("utf-8").splitlines(keepends=True)[: ROWS + 1]
    (elsewhere / "table.csv").write_text("".join(lines), "utf-8")
    program = installed / "errata"
    assert ran([program, "--version"], elsewhere) == f"errata {VERSION}\n"
    given = ["--table", "table.csv", "--images", scenes / "images.zip", "--permutations", "100", "--out", "run.errata"]
    assert "Written: run.errata" in ran([program, "diagnose", *given], elsewhere)
    assert "Open page/index.html" in ran(
        [program, "export", "run.errata", "--what", "page", "--out", "page"], elsewhere
    )
    ran([program, "export", "run.errata", "--what", "results", "--out", "results"], elsewhere)
    assert json.loads((elsewhere / "results" / "diagnosis.json").read_text("utf-8"))
    told = ran([program, "compose", "adapt", "--adapter", "local", "--out", "adapted"], elsewhere, status=3)
    assert told == "errata: This needs torch. Run `pip install 'errata[probes]'`.\n"
    assert "Usage: errata ask" in ran([installed / "python", "-m", "errata", "ask", "--help"], elsewhere)


@pytest.mark.parametrize(("shell", "said"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no")])
def test_completion_is_written_for_the_shells(installed: Path, elsewhere: Path, shell: str, said: str) -> None:
    asked = around(elsewhere) | {COMPLETE: f"{shell}_source"}
    told = subprocess.run([installed / "errata"], cwd=elsewhere, env=asked, capture_output=True, text=True, check=True)
    assert said in told.stdout
    words = around(elsewhere) | {COMPLETE: f"{shell}_complete", "COMP_WORDS": "errata diagn", "COMP_CWORD": "1"}
    words |= {"COMP_CWORD": "diagn"} if shell == "fish" else {}
    told = subprocess.run([installed / "errata"], cwd=elsewhere, env=words, capture_output=True, text=True, check=True)
    assert "diagnose" in told.stdout
    assert "encoders" not in told.stdout


@pytest.fixture
def served(installed: Path, elsewhere: Path) -> Iterator[str]:
    """The address of a page that the installed program serves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (elsewhere / "serve.log").open("w") as log:
        page = subprocess.Popen(
            [installed / "errata", "serve", "--port", str(port)], cwd=elsewhere, env=around(elsewhere), stdout=log
        )
        try:
            until = time.monotonic() + 120
            while "Errata is open" not in (elsewhere / "serve.log").read_text("utf-8"):
                assert page.poll() is None
                assert time.monotonic() < until
                time.sleep(0.3)
            yield f"http://127.0.0.1:{port}"
        finally:
            page.terminate()
            page.wait(30)


def test_the_page_opens_on_the_example_with_its_assets(served: str, repository: Path) -> None:
    with urlopen(f"{served}/config", timeout=60) as answer:
        told = json.load(answer)
    assert (repository / "assets" / "css" / "page.css").read_text("utf-8") in told["css"]
    assert (repository / "webapp" / "systems" / "probes" / "probe.css").read_text("utf-8") in told["css"]
    assert "<h1>Errata" in str(told)
    with urlopen(f"{served}/favicon.ico", timeout=60) as answer:
        assert answer.read() == (repository / "assets" / "favicon.svg").read_bytes()
