"""A run's folder that was received is opened, or refused with one message: it is never waited for or read on and on."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.store import finish, load
from core.store.layout import ARRAYS, MODEL, REPORT, STATE
from tests.support.commands import refused
from tests.support.diagnoses import make_diagnosis


@pytest.fixture
def run(tmp_path: Path) -> Path:
    finish(make_diagnosis(with_images=False), tmp_path / "run")
    return tmp_path / "run"


def sparse(path: Path) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(40 << 30)


def say(run: Path, key: str, name: str, digest: str) -> None:
    """Have the state give a file's digest."""
    said = json.loads((run / STATE).read_text("utf-8"))
    said[key][name] = digest
    (run / STATE).write_text(json.dumps(said), "utf-8")


def test_a_state_of_any_size_is_not_read(run: Path) -> None:
    sparse(run / STATE)
    with pytest.raises(InvalidInput, match=r"damaged \(state.json has 40 GiB; at most"):
        load(run)


def test_a_model_of_any_size_is_not_digested(run: Path) -> None:
    sparse(run / MODEL)
    say(run, "digests", MODEL, "0")
    with pytest.raises(InvalidInput, match=r"damaged \(model.json has 40 GiB"):
        load(run)


def test_a_report_of_any_size_is_not_digested_and_said_to_be_another(run: Path) -> None:
    sparse(run / REPORT)
    assert REPORT in load(run).notes[-1]


@pytest.mark.parametrize("target", ["/dev/zero", "/proc/kmsg", "../outside"])
def test_a_link_is_not_followed(run: Path, target: str) -> None:
    (run.parent / "outside").write_text("{}")
    for name in (REPORT, ARRAYS):
        (run / name).unlink()
        (run / name).symlink_to(target)
    with pytest.raises(InvalidInput, match=r"damaged \(state.npz is a link"):
        load(run)
    (run / ARRAYS).unlink()
    finish(make_diagnosis(with_images=False), run)
    (run / REPORT).unlink()
    (run / REPORT).symlink_to(target)
    assert REPORT in load(run).notes[-1]
    assert (run.parent / "outside").read_text() == "{}"


def encrypted(content: bytearray, entry: int) -> None:
    content[entry + 8] |= 1


def strangely_packed(content: bytearray, entry: int) -> None:
    content[entry + 10] = 99


def broken(content: bytearray, entry: int) -> None:
    (start,) = struct.unpack_from("<I", content, entry + 42)
    name, extra = struct.unpack_from("<HH", content, start + 26)
    content[start + 30 + name + extra : start + 30 + name + extra + 20] = b"\xff" * 20


@pytest.mark.parametrize("change", [encrypted, strangely_packed, broken])
def test_arrays_that_cannot_be_unpacked_are_told_as_damage(run: Path, change: Callable[[bytearray, int], None]) -> None:
    content = bytearray((run / ARRAYS).read_bytes())
    with zipfile.ZipFile(run / ARRAYS) as archive:
        entry = archive.start_dir
    while (entry := content.find(b"PK\x01\x02", entry)) >= 0:
        change(content, entry)
        entry += 4
    (run / ARRAYS).write_bytes(content)
    say(run, "digests", ARRAYS, hashlib.sha256(content).hexdigest())
    with pytest.raises(InvalidInput, match="is damaged"):
        load(run)


def test_a_run_takes_no_file_of_the_users_in_its_names(tmp_path: Path) -> None:
    mine = (STATE, REPORT, "probes.parquet", "prediction.json", "thumbnails.zip", "diagnosis.json")
    for name in mine:
        (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(InvalidInput, match=r"diagnosis.json, prediction.json, .* Choose another folder"):
        finish(make_diagnosis(with_images=False), tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(mine)
    assert {(tmp_path / name).read_text() for name in mine} == {'{"mine": 1}'}


def test_diagnose_refuses_such_a_folder_before_it_reads_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / REPORT).write_text("mine")
    said = refused(capsys, "diagnose", "--table", str(tmp_path / "no table.csv"), "--out", str(tmp_path))
    assert "holds report.html, and no run that it is part of" in said
    assert (tmp_path / REPORT).read_text() == "mine"
