"""The kernel without its systems: in a copy from which both `systems` folders are deleted, a diagnosis is made, asked,
predicted, gated and exported, and the page is laid out. What is not there is simply not offered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.extensions import own_systems
from core.store import load, save
from core.systems.probes.records import results_of
from tests.support.diagnoses import make_diagnosis
from tests.support.probes import with_probes

pytestmark = pytest.mark.slow

N = 120
RUN = """
import contextlib, io, json, sys
from core.cli.main import main

told = {}
for name, arguments in json.loads(sys.argv[1]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    told[name] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(told))
"""
PAGE = """
import gradio as gr
from webapp.app import build_app
from webapp.state.query import tabs

page = build_app()
laid_out = [block.id for block in page.blocks.values() if isinstance(block, gr.Tab)]
assert sorted(laid_out) == sorted(tabs()), (laid_out, tabs())
print(*laid_out)
"""


@pytest.fixture(scope="module")
def kernel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without systems."""
    top = tmp_path_factory.mktemp("kernel")
    ignored = shutil.ignore_patterns("__pycache__", "systems")
    for folder in ("core", "webapp"):
        shutil.copytree(repository / folder, top / folder, ignore=ignored)
    shutil.copytree(repository / "assets", top / "assets")
    shutil.copy(repository / "errata.py", top)
    return top


def python(top: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=top, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run_commands(top: Path, commands: dict[str, list[str]]) -> dict[str, tuple[int, str, str]]:
    """Exit code, output and messages of each command, one after the other."""
    return {name: tuple(said) for name, said in json.loads(python(top, RUN, json.dumps(commands))).items()}


def write_table(folder: Path, name: str, seed: int, ids: str) -> None:
    """A classifier that is wrong wherever the first feature is large, with its features as embeddings."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(N, 8))
    hard = vectors[:, 0] > 0.8
    wrong = np.where(hard, rng.random(N) < 0.9, rng.random(N) < 0.05)
    rows = [f"{ids}{i},{'cat' if i % 2 else 'dog'},{'dog' if (i % 2) == w else 'cat'}" for i, w in enumerate(wrong)]
    (folder / f"{name}.csv").write_text("id,label,prediction\n" + "\n".join(rows) + "\n", "utf-8")
    np.save(folder / f"{name}.npy", vectors.astype(np.float32))


def test_every_step_of_a_diagnosis_works_without_systems(kernel: Path, tmp_path: Path) -> None:
    write_table(tmp_path, "first", 1, "a")
    write_table(tmp_path, "fresh", 2, "b")
    run, first, fresh = (str(tmp_path / name) for name in ("run.errata", "first", "fresh"))
    example = str(kernel / "assets" / "examples" / "scenes" / "run.errata")
    quick = ["--permutations", "200", "--no-map"]
    said = run_commands(
        kernel,
        {
            "diagnose": ["diagnose", "--table", f"{first}.csv", "--embeddings", f"{first}.npy", "--out", run, *quick],
            "ask": ["ask", example, "in the dark"],
            "predict": ["predict", run, "--fresh", f"{fresh}.csv", "--embeddings", f"{fresh}.npy"],
            "gate": ["gate", run, "--second", f"{first}.csv"],
            "export": ["export", run, "--what", "clusters"],
            "results": ["export", run, "--what", "results", "--out", str(tmp_path / "results")],
            "page": ["export", example, "--what", "page", "--out", str(tmp_path / "page")],
            "help": ["--help"],
            "probe": ["probe", "zero-shot", example],
            "encoders": ["encoders"],
        },
    )
    good = ("diagnose", "ask", "predict", "gate", "export", "results", "page", "help", "encoders")
    assert {name: said[name][0] for name in good} == dict.fromkeys(good, 0), said
    assert "1 group accounts for about " in said["diagnose"][1]
    assert "images" in said["ask"][1]
    assert (tmp_path / "page" / "index.html").is_file()
    assert said["probe"][0] == 2
    assert "No such command 'probe'" in said["probe"][2]
    commands = {name for system in own_systems() for name in system.commands}
    assert not {name for name in commands if f"\n  {name} " in said["help"][1]}
    assert "neuralizer" not in said["encoders"][1]
    document = json.loads((tmp_path / "results" / "diagnosis.json").read_text("utf-8"))
    assert len(document["clusters"]) == 1
    assert "probes" not in document


def test_the_page_is_laid_out_without_systems(kernel: Path) -> None:
    assert python(kernel, PAGE).split() == ["explore", "ask", "probe", "compare", "samples", "data", "reading"]


def test_what_a_missing_system_found_is_carried_on(kernel: Path, tmp_path: Path) -> None:
    """A run with probes is opened, added to and saved without the probes' system, and read again with it."""
    before = with_probes(make_diagnosis())
    save(before, tmp_path / "run.errata")
    code = """
import sys
from dataclasses import replace
from pathlib import Path
from core.store import load, save

run = load(Path(sys.argv[1]))
print([note for note in run.notes if "probes" in note])
save(replace(run, extras={**run.extras, "mine": "kept"}), Path(sys.argv[1]))
"""
    said = python(kernel, code, str(tmp_path / "run.errata"))
    assert "results of 'probes'" in said
    after = load(tmp_path / "run.errata")
    assert after.extras["mine"] == "kept"
    assert not [note for note in after.notes if "probes" in note]
    for one, other in zip(results_of(before), results_of(after), strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.outcomes.loss, other.outcomes.loss)


def test_scans_without_their_encoder_are_refused_by_name(kernel: Path, tmp_path: Path) -> None:
    scans = kernel / "assets" / "examples" / "scans"
    given = ["--table", str(scans / "table.csv"), "--images", str(scans / "images.zip")]
    code, _, err = run_commands(kernel, {"diagnose": ["diagnose", *given, "--out", str(tmp_path / "run.errata")]})[
        "diagnose"
    ]
    assert code == 2
    assert "scan" in err
    assert err.count("\n") == 1
