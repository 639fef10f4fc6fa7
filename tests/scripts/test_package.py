"""What the wheel is made of: imports put below `errata`, one version, dependencies that agree with requirements.txt."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import errata
from core import program
from core.errors import MissingDependency
from core.program import EXTRAS, NEEDS, PACKAGES, VERSION, install_line, missing_dependency
from scripts.package import Unclear, below, modules_of, write_package
from tests.scripts.test_versions import wanted
from tests.support.diagnoses import make_diagnosis
from tests.support.second_models import write_answers

APART = {"all", "ray"}
"""Extras that the app is not made of: what brings the others together, and the workers of another machine."""
LEARNED = frozenset({"core", "core.systems.probes", "core.cli.main", "webapp"})


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, object]:
    return tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.mark.parametrize(
    ("source", "built"),
    [
        ("from core.systems.probes import PROBES\n", "from errata.core.systems.probes import PROBES\n"),
        ("from core import (\n    errors,\n)\n", "from errata.core import (\n    errors,\n)\n"),
        ("def f():\n    'é'; from webapp.app import main\n", "def f():\n    'é'; from errata.webapp.app import main\n"),
        ("import core.systems.probes as p, os\n", "import errata.core.systems.probes as p, os\n"),
        (
            'x = {"é": "core.systems.probes:PROBES", "b": "core.systems.probes"}\n',
            'x = {"é": "errata.core.systems.probes:PROBES", "b": "errata.core.systems.probes"}\n',
        ),
        ('x = "core", "webapp:show", "core.none"\n', 'x = "core", "errata.webapp:show", "core.none"\n'),
        (
            '"""Of `core.systems.probes`."""\nimport corest, cores.core\n',
            '"""Of `core.systems.probes`."""\nimport corest, cores.core\n',
        ),
        ('say(f"Next: python -m core ask {run}")\n', 'say(f"Next: errata ask {run}")\n'),
    ],
)
def test_names_of_ours_go_below_errata_and_nothing_else(source: str, built: str) -> None:
    assert below(source, LEARNED) == built


@pytest.mark.parametrize(
    "source", ["import core.systems.probes\n", 'x = f"{y}" "core.systems.probes"\n', 'x = r"core.systems.probes"\n']
)
def test_a_name_that_cannot_be_put_below_errata_stops_the_build(source: str) -> None:
    with pytest.raises(Unclear, match="line 1"):
        below(source, LEARNED)


def test_every_file_of_ours_can_be_put_below_errata(repository: Path) -> None:
    known = modules_of(repository)
    for path in (
        repository / "errata.py",
        *(p for name in ("core", "webapp") for p in (repository / name).rglob("*.py")),
    ):
        compile(below(path.read_text("utf-8"), known), str(path), "exec")


def by_name(requirements: list[Requirement]) -> dict[str, str]:
    return {canonicalize_name(one.name): str(one.specifier) for one in requirements}


def test_wheel_and_requirements_ask_for_the_same(repository: Path, project: dict[str, dict[str, list[str]]]) -> None:
    light, extras = project["dependencies"], project["optional-dependencies"]
    every = [Requirement(one) for one in light] + [
        Requirement(one) for name, extra in extras.items() if name not in APART for one in extra
    ]
    named = by_name(every)
    assert all(str(one.specifier) == named[canonicalize_name(one.name)] for one in every)
    assert named == by_name(wanted(repository / "requirements.txt"))
    assert Requirement(extras["all"][0]).extras == extras.keys() - APART


def test_a_light_install_asks_for_none_of_the_extras(project: dict[str, dict[str, list[str]]]) -> None:
    light = by_name([Requirement(one) for one in project["dependencies"]])
    extras = {
        name: by_name([Requirement(one) for one in extra]) for name, extra in project["optional-dependencies"].items()
    }
    for module, extra in EXTRAS.items():
        package = canonicalize_name(PACKAGES.get(module, module))
        assert package not in light
        assert package in extras[extra]
    assert all("torch" in extras[extra] for extra in NEEDS.values())


def test_a_missing_package_is_named_by_the_extra_of_an_installed_errata(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ModuleNotFoundError("No module named 'open_clip.model'", name="open_clip.model")
    assert "needs open_clip_torch. Run `pip install open_clip_torch`" in str(missing_dependency(missing))
    monkeypatch.setattr(program, "INSTALLED", True)
    told = missing_dependency(missing, "The encoder open_clip")
    assert isinstance(told, MissingDependency)
    assert str(told) == "The encoder open_clip needs open_clip_torch. Run `pip install 'errata[clip]'`."
    assert install_line("torch", "transformers", "h5py") == "pip install 'errata[probes,language]' h5py"
    torch = ModuleNotFoundError(name="torch")
    assert str(missing_dependency(torch)) == "This needs torch. Run `pip install 'errata[probes]'`."
    assert "'errata[language]'" in str(missing_dependency(torch, name="distil"))
    assert "Run `pip install h5py`" in str(missing_dependency(ModuleNotFoundError(name="h5py"), name="answers"))
    monkeypatch.undo()
    assert missing_dependency(ModuleNotFoundError(name="core.systems.probes.none_such")) is None


def test_the_package_holds_nothing_of_research(repository: Path, tmp_path: Path) -> None:
    write_package(repository, tmp_path / "errata")
    inside = {path.name for path in (tmp_path / "errata").iterdir()}
    assert {"core", "webapp", "assets"} <= inside
    assert not inside & {"research", "tests", "scripts"}
    assert not [path for path in (tmp_path / "errata").rglob("*") if "research" in path.name]


def test_the_version_is_said(repository: Path) -> None:
    told = subprocess.run([sys.executable, "-m", "core", "--version"], cwd=repository, capture_output=True, text=True)
    assert told.stdout == f"errata {VERSION}\n"
    assert errata.__version__ == VERSION


def test_importing_errata_is_light_and_every_name_is_there(repository: Path) -> None:
    code = "import errata, sys; print({'numpy', 'scipy', 'torch', 'gradio'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
    assert all(getattr(errata, name) is not None for name in errata.__all__)
    with pytest.raises(AttributeError, match=r"errata has no 'diagnoze'. It has: .*diagnose"):
        _ = errata.diagnoze


def test_folders_and_files_may_be_given_as_text(tmp_path: Path) -> None:
    made = make_diagnosis()
    errata.save(made, str(tmp_path / "run.errata"))
    found = errata.load(str(tmp_path / "run.errata"))
    answers = write_answers(found, np.arange(len(found.samples)) % 3 == 0, tmp_path / "new.csv")
    beside, name, _ = errata.with_second(found, str(answers))
    assert errata.compare(beside, name).b == "new"
    errata.write_report(found, str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").is_file()


def test_a_python_without_packages_gets_one_line(repository: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-S", "-E", "-m", "core", "--help"], cwd=repository, capture_output=True, text=True
    )
    assert (told.returncode, told.stdout) == (3, "")
    assert told.stderr.startswith("errata: ")
    assert "scripts/install" in told.stderr
    assert len(told.stderr.splitlines()) == 1
