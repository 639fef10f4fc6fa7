"""Probes from the command line where something comes in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.probes.base import ProbeInput, Scored
from core.store import load, save
from tests.core.cli import test_probe as usual
from tests.support.probes import made_probe

run = usual.run  # the fixture


def test_a_result_that_another_command_added_meanwhile_is_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = usual.Guess.run

    def slow(self: usual.Guess, part: ProbeInput) -> Scored:
        found = load(run)
        save(replace(found, probes=(made_probe(found, name="meanwhile"),)), run)
        return work(self, part)

    monkeypatch.setattr(usual.Guess, "run", slow)
    usual.said(capsys, "probe", "zero-shot", str(run))
    assert [p.name for p in load(run).probes] == ["meanwhile", "zero-shot"]


def test_class_folders_that_cannot_be_told_apart_are_refused_before_they_are_embedded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual.make_folders(tmp_path / "set", ("a_b", "A b"), 10)
    told = usual.refused(
        capsys, "probe", "zero-shot", "--images", str(tmp_path / "set"), "--out", str(tmp_path / "run")
    )
    assert "same name to a text encoder" in told
