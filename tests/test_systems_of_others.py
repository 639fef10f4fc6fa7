"""A system that another package brings: the one of docs/systems.md, installed beside Errata and used; and one that is
broken everywhere, which must end nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import extensions
from tests.support.documented import block

OWN = "A system of your own"
COMMAND = "from core.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"
BROKEN = """
import errata

def fail(*given):
    raise RuntimeError("of another package")

def draws(diagnosis):
    return [errata.Section("Draws", figure=fail), errata.Section("Says", notes=["said all the same"])]

class Column:
    name, values = "short", [1]

SYSTEM = errata.System(
    "broken",
    commands={"diagnose": "errata_broken", "missing": "errata_missing"},
    panels=(errata.Panel("ask", "broken", "errata_broken:fail"), errata.Panel("tab", "explore", "errata_broken:fail")),
    sections="errata_broken:draws",
    documents={"broken": "errata_broken:fail", "verdict": "errata_broken:draws"},
    tables={"broken": "errata_broken:fail"},
    facts="errata_broken:fail",
    describers="errata_broken:described",
    endpoints="errata_broken:fail",
    records="errata_missing",
)

def described(samples):
    return [Column]

ABSENT = "no system"
"""
ENTRIES = "[errata.systems]\nbroken = errata_broken:SYSTEM\nabsent = errata_broken:ABSENT\ngone = errata_gone:SYSTEM\n"


@pytest.fixture(scope="module")
def documented(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package of docs/systems.md is installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    page = repository / "docs" / "systems.md"
    (source / "errata_weekdays.py").write_text(block(page, OWN), "utf-8")
    (source / "pyproject.toml").write_text(block(page, OWN, language="toml"), "utf-8")
    install = ["install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    return target


@pytest.fixture
def keeping(repository: Path, tmp_path: Path) -> Path:
    """The documented package with the part that keeps a result."""
    page = repository / "docs" / "systems.md"
    entries = "[errata.systems]\nweekdays = errata_weekdays:SYSTEM\n"
    return laid_out(tmp_path / "keeping", "errata_weekdays", f"{block(page, OWN)}\n{block(page, OWN, 1)}", entries)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A package whose every part fails, as `pip` would have laid it out."""
    return laid_out(tmp_path / "installed", "errata_broken", BROKEN, ENTRIES)


def laid_out(target: Path, module: str, code: str, entries: str) -> Path:
    """A package of one file in a folder, as `pip install --target` leaves it."""
    about = target / f"{module}-1.0.dist-info"
    about.mkdir(parents=True)
    (target / f"{module}.py").write_text(code, "utf-8")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text(entries, "utf-8")
    return target


def python(repository: Path, installed: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)


def write_days(folder: Path) -> Path:
    """Losses that are higher on Sundays, 120 samples with the day in their name and the loss as their vector."""
    rows = ["id,loss"]
    vectors: list[list[float]] = []
    for i in range(120):
        day = 1 + (i + 2) % 28
        sunday = day in (3, 10, 17, 24)  # of May 2026
        rows.append(f"2026-05-{day:02}_{i}.jpg,{(2.0 if sunday else 0.2) + (i % 5) / 500}")
        vectors.append([float(sunday) + (i % 5) / 20, (i % 11) / 11, (i % 3) / 3])
    (folder / "days.csv").write_text("\n".join(rows) + "\n", "utf-8")
    np.save(folder / "days.npy", np.array(vectors, np.float32))
    return folder / "days.csv"


def diagnosed(repository: Path, installed: Path, folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    table, run = write_days(folder), folder / "run.errata"
    quick = ("--permutations", "200", "--no-map", "--separate-copies")
    vectors = ("--embeddings", str(table.with_suffix(".npy")))
    done = python(
        repository, installed, COMMAND, "diagnose", "--table", str(table), *vectors, "--out", str(run), *quick
    )
    return done, run


def exported(repository: Path, installed: Path, run: Path) -> tuple[str, str, str]:
    """What `export` makes of the run where the system is installed: (diagnosis.json, the report, what it warns of)."""
    folder, report = run.with_suffix(""), run.with_suffix(".html")
    results = python(repository, installed, COMMAND, "export", str(run), "--what", "results", "--out", str(folder))
    read = python(repository, installed, COMMAND, "export", str(run), "--out", str(report))
    assert results.returncode == read.returncode == 0, results.stderr + read.stderr
    return (folder / "diagnosis.json").read_text("utf-8"), report.read_text("utf-8"), results.stderr + read.stderr


@pytest.mark.slow
def test_the_documented_system_adds_a_command_a_panel_a_section_and_a_condition(
    repository: Path, documented: Path, tmp_path: Path
) -> None:
    done, run = diagnosed(repository, documented, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Highest mean loss by weekday: Sunday, 2.0" in done.stdout
    document, report, _ = exported(repository, documented, run)
    assert "weekday = Sunday" in document
    assert "<h2>Weekdays</h2><table><tr><th>Day</th>" in report
    listed = python(repository, documented, COMMAND, "--help")
    assert "weekdays      Mean loss by the day of the week." in listed.stdout
    asked = python(repository, documented, COMMAND, "weekdays", str(run))
    assert asked.stdout.startswith("Sunday: 18 samples, mean loss 2.0")
    code = f"""
from pathlib import Path
from tests.support.page_over_http import HttpPage
from webapp.app import build_app, open_runs
from webapp.explore.tab import describe
from webapp.server.settings import launch_settings

first = open_runs([Path({str(run)!r})])
page = build_app(first=first)
visit = HttpPage(page.launch(prevent_thread_lock=True, quiet=True, **launch_settings())[1].rstrip("/"))
visit.open("ask")
said = [part["props"] for part in visit.config["components"]]
folds = [props for props in said if props.get("elem_id") == "weekdays"]
tables = [props for props in said if "<h2>Weekdays</h2>" in str(props.get("value"))]
print(len(folds), bool(tables), describe([first[0][1], 0])["lines"])
page.close(verbose=False)
"""
    shown = python(repository, documented, code)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("1 True [")
    assert shown.stdout.endswith("'weekday: Sunday', 'Taken on a weekend']\n")


@pytest.mark.slow
def test_what_a_documented_system_keeps_is_there_again_after_a_time_without_it(
    repository: Path, keeping: Path, tmp_path: Path
) -> None:
    done, run = diagnosed(repository, keeping, tmp_path)
    assert done.returncode == 0, done.stderr
    kept = python(repository, keeping, COMMAND, "keep-worst", str(run))
    assert kept.returncode == 0, kept.stderr
    again = f"import errata; run = errata.load({str(run)!r}); print(run.extras['weekdays'], run.notes[-1:])"
    without = python(repository, tmp_path / "nothing", f"{again}; errata.save(run, {str(run)!r})")
    unread = "This run holds results of 'weekdays', which no installed system can read. They stay in the run."
    assert unread in without.stdout
    assert "Worst(day='Sunday', mean_loss=2.0" in python(repository, keeping, again).stdout


@pytest.mark.slow
def test_a_broken_system_is_left_out_with_a_warning_and_ends_nothing(
    repository: Path, broken: Path, tmp_path: Path
) -> None:
    done, run = diagnosed(repository, broken, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "said all the same" in done.stdout
    document, _, warned = exported(repository, broken, run)
    assert "of another package" in warned
    assert "Traceback" not in warned
    assert "No module named 'errata_gone'" in done.stderr
    assert "Traceback" not in done.stderr
    said = json.loads(document)
    assert said["broken"] is None
    assert isinstance(said["verdict"], str)
    assert "short" not in document
    listed = python(repository, broken, COMMAND, "--help")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("  diagnose ") == 1
    asked = python(repository, broken, COMMAND, "missing")
    assert asked.returncode == 2
    assert "The command 'missing' of the package 'errata_missing' cannot be used (ModuleNotFoundError" in asked.stderr
    table = python(repository, broken, COMMAND, "export", str(run), "--what", "broken")
    assert (table.returncode, table.stderr.splitlines()[-1]) == (
        2,
        "errata: The table 'broken' could not be built: its system failed. Read the warning above.",
    )
    page = python(repository, broken, "from webapp.app import build_app; build_app()")
    assert page.returncode == 0, page.stderr


@pytest.fixture
def signed_on() -> Iterator[None]:
    """What is remembered of systems is forgotten before and after."""
    remembered = (extensions.foreign_systems, extensions.parts)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


def test_of_two_parts_of_one_name_the_first_counts_and_the_other_is_named(
    signed_on: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = extensions.own_systems()[0]
    monkeypatch.setattr(extensions, "foreign_systems", lambda: (first,))
    found = extensions.parts("commands")
    assert [part.name for part in found].count("tag") == 1
    assert not next(part for part in found if part.name == "tag").foreign
    assert "'tag' of the system 'label_descriptions' is taken (commands)" in caplog.text


def test_every_part_of_our_own_systems_names_something_that_is_there() -> None:
    for system in extensions.own_systems():
        named = [system.sections, system.facts, system.second_opinion, system.describers, system.endpoints]
        named += [*system.documents.values(), *system.tables.values()]
        named += [panel.build for panel in system.panels]
        named += [kind.load for kind in (*system.encoders.values(), *system.modalities.values())]
        named += [name for option in system.options for name in (option.check, option.change)]
        assert all(callable(extensions.load(name)) for name in named if name), system.name
