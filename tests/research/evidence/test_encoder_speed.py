"""The benchmark of the embedded encoder takes turns, reports medians and adds up packages, on a stand-in for its
processes; a slow test runs the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from research.evidence import encoder_speed, encoder_work, installed
from research.evidence.lines import read_lines

STAND_IN = """
import json, shutil, sys
what, given = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
way = given["--way"] + given["--cores"]
turns = {folder!r} + "/turns"
if what != "serve":
    print(json.dumps(dict(n=int(given["-n"]), seconds=len(way), peak_mib=100 + len(way))))
    raise SystemExit
shutil.copy({folder!r} + ("/far.npy" if way.startswith("torch") else "/near.npy"), given["--out"])
print(json.dumps(dict(ready=2)), flush=True)
for turn, _ in enumerate(sys.stdin):
    with open(turns, "a") as log:
        log.write(f"{{turn}} {{way}}\\n")
    print(json.dumps(dict(wall=[0.5, 4, 1][turn], cpu=[2, 1, 3][turn])), flush=True)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    work = tmp_path / "work.py"
    work.write_text(STAND_IN.format(folder=str(tmp_path)))
    for name, far in (("near", 0.0), ("far", 0.1)):
        np.save(tmp_path / f"{name}.npy", np.array([[1, far], [0, 1]], np.float32))
    monkeypatch.setattr(encoder_speed, "WORK", work)
    return tmp_path


def test_contestants_take_turns_and_medians_count(stand_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = stand_in / "rows.jsonl"
    given = ["--only", "speed", "--repeats", "3", "--pictures", "2", "--texts", "4", "--files", "2", "--out", str(out)]
    encoder_speed.main(given)
    order = (stand_in / "turns").read_text().split()[1::2][:12]
    assert order[:8] == ["encoder0", "encoder1", "network1", "torch1", "torch1", "network1", "encoder1", "encoder0"]
    assert order[8:] == order[:4]
    said = capsys.readouterr().out
    assert "pictures, torch, 1 core: 2 a second (0 to 4), 1000.00 ms CPU each (500.00 to 1500.00)" in said
    assert "texts, encoder, all cores: 4 a second (1 to 8)" in said
    assert said.count("torch takes 1.00 times that (1.00 to 1.00)") == said.count("ms CPU each") == 11
    agreement = [row for row in read_lines(out) if row["measure"] == "agreement"]
    assert [row["title"].split(",")[0] for row in agreement] == ["pictures", "texts", "files", "files"]
    assert agreement[0]["largest"] == pytest.approx(0.1 / 1.01**0.5)
    assert agreement[0]["cosine"] == pytest.approx(1.01**-0.5)


def test_memory_and_start_are_of_processes_of_their_own_and_name_each_checkout(
    stand_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "older").mkdir()
    here = str(encoder_speed.REPOSITORY)
    encoder_speed.main(
        ["--only", "memory", "start", "--repeats", "1", "--embedded", "7", "9", "--code", here, str(tmp_path / "older")]
    )
    lines = capsys.readouterr().out.splitlines()
    assert "pictures, encoder, all cores [older]: peak 108 MiB for 7" in lines
    assert "texts, torch, 1 core: peak 106 MiB for 9" in lines
    assert "texts, encoder, all cores [older]: 8.0 s to the first vector (8.0 to 8.0)" in lines
    assert len(lines) == 2 * 2 * 3


def test_made_inputs_are_the_same_each_time_and_come_in_batches() -> None:
    texts = list(encoder_work.read_texts(None, 300))
    assert texts == list(encoder_work.read_texts(None, 300))
    assert {len(text.split()) for text in texts} >= {6, 9, 12, 15, 20}
    assert [len(b) for b in encoder_work.batches("texts", "encoder", None, 300)] == [128, 128, 44]
    assert [len(b) for b in encoder_work.batches("texts", "torch", None, 40)] == [32, 8]
    (batch,) = encoder_work.batches("pictures", "torch", None, 2)
    assert batch.shape == (2, 3, 224, 224)
    assert -1 <= batch.min() < batch.max() <= 1
    assert [len(b) for b in encoder_work.batches("files", "torch", None, 33)] == [32, 1]
    (files,) = encoder_work.batches("files", "encoder", None, 40)
    assert len(files) == 40
    assert encoder_work.opened(files[0]).shape == (3, 224, 224)


def test_disk_is_booked_under_the_package_that_a_file_belongs_to(tmp_path: Path) -> None:
    source = str(Path(np.__file__).parent / "version.py")
    compiled = str(Path(np.__file__).parent / "__pycache__" / "version.cpython-311.pyc")
    owned = {source: "numpy"}
    assert [installed.owner_of(path, owned) for path in (source, compiled, "/x/y.py")] == [
        "numpy",
        "numpy",
        "(no package)",
    ]
    (tmp_path / "a").write_bytes(b"x" * 5000)
    assert installed.disk_use(tmp_path)["(no package)"] >= 5000
    assert installed.packages_of([np.__file__, pytest.__file__, __file__]) == {"numpy", "pytest"}


def test_what_an_installer_brings_follows_requirements_and_their_conditions(tmp_path: Path) -> None:
    found = installed.required(["pandas>=2", 'pytest; python_version < "3"', "no-such-package"])
    assert {"pandas", "numpy", "python-dateutil"} <= found
    assert not {"pytest", "no-such-package"} & found
    (tmp_path / "r.txt").write_text("# a note\nnumpy>=2  # why\n\n-r other.txt\n")
    assert installed.read_requirements(tmp_path / "r.txt") == ["numpy>=2"]


@pytest.mark.slow
def test_files_become_the_vectors_that_a_plain_loop_makes_of_them() -> None:
    (files,) = encoder_work.batches("files", "encoder", None, 3)
    ours, torch = (encoder_work.WAYS[way]("files")(files) for way in ("encoder", "torch"))
    assert encoder_speed.difference(ours, torch)["cosine"] > 0.99999


@pytest.mark.slow
@pytest.mark.parametrize("kind", encoder_speed.KINDS)
def test_the_real_contestants_agree(kind: str) -> None:
    network, torch = (encoder_work.WAYS[way](kind) for way in ("network", "torch"))
    (batch,) = encoder_work.batches(kind, "torch", None, 3)
    assert encoder_speed.difference(network(batch), torch(batch))["largest"] < 1e-4


@pytest.mark.slow
def test_a_real_process_waits_for_its_turn_and_says_its_memory(tmp_path: Path) -> None:
    one = encoder_speed.Contestant("texts", "network", 1)
    ((times, vectors),) = encoder_speed.take_turns([one], 9, None, 1, tmp_path)
    assert times.shape == (1, 2)
    assert len(vectors) == 9
    assert one.once("memory", 9, None)["peak_mib"] > 50
