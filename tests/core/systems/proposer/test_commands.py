"""The command `propose` and `run.propose`, with a chat model of a test's own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import errata
from core.errors import InvalidInput
from core.store import load
from core.systems.proposer.records import proposals_of
from core.systems.proposer.sheet import make_sheet
from tests.support.chat import chat_server, completion
from tests.support.commands import refused, said
from tests.support.diagnoses import make_diagnosis

SCENES = Path(__file__).resolve().parents[4] / "assets/examples/scenes/run.errata"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    shutil.copy(SCENES.with_name("images.zip"), tmp_path)
    return Path(shutil.copy(SCENES, tmp_path))


@pytest.mark.slow
def test_words_of_a_chat_model_are_tested_told_and_stored(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with chat_server(completion('["in the dark", "on a beach", "<b>"]')) as server:
        text = said(capsys, "propose", str(run), "--with", server.url, "--model", "tiny")
        group = json.loads(
            said(capsys, "propose", str(run), "--with", server.url, "--model", "tiny", "--group", "2", "--json")
        )
    assert "1 of 2 texts proposed by tiny at 127.0.0.1 holds. Errata tested on 936 images" in text
    assert re.search(r'"in the dark": wrong on .* of the others; adjusted p < 0.001', text)
    assert re.search(r'"on a beach": wrong on .*not confirmed, could be chance', text)
    assert "Skipped 1 line of the answer" in text
    assert "All are of" not in server.asked[0][2]["messages"][0]["content"][0]["text"]
    assert group["skipped"] == 1
    assert "All are of 'animal'." in server.asked[1][2]["messages"][0]["content"][0]["text"]
    after = load(run)
    title = [finding.title for finding in errata.open(run).findings if finding.kind == "group"][1]
    assert [p["about"] for p in group["proposals"]] == [title] * 2
    assert [p.text for p in proposals_of(after)] == ["in the dark", "on a beach"]
    assert {i.source for i in after.insights} == {"", "tiny at 127.0.0.1"}


def test_wrong_arguments_get_one_line_and_nothing_is_sent(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with chat_server(completion('["dark"]')) as server:
        told = refused(capsys, "propose", str(run), "--with", server.url, "--model", "tiny", "--group", "9")
        assert "--group must be 1 to 3, the confirmed groups of the run: got 9." in told
        assert "The endpoint must be an address" in refused(
            capsys, "propose", str(run), "--with", "nowhere", "--model", "tiny"
        )
    assert not server.asked


@pytest.mark.slow
def test_from_python_a_chat_model_s_words_are_tested_and_one_s_own_are_counted() -> None:
    run = errata.open(SCENES)
    with chat_server(completion("in the dark\non a beach")) as server:
        result = run.propose(url=server.url, model="tiny", finding=run.findings[0])
    assert [p.holds for p in result.proposals] == [True, False]
    assert [p.about for p in result.proposals] == [run.findings[0].title] * 2
    assert any(finding.source for finding in result.run.findings if finding.kind == "phrase")
    assert "1 of 2 texts proposed by tiny at 127.0.0.1 holds." in repr(result)
    (own,) = result.run.propose("far away").proposals
    assert (own.source, own.verdict) == ("a person", "not tested")


def test_the_sheet_of_a_run_loaded_from_a_file_is_that_of_the_run(run: Path) -> None:
    assert make_sheet(load(run)).shown.tolist() == make_sheet(errata.open(SCENES)).shown.tolist()


def test_a_run_without_words_says_so() -> None:
    with pytest.raises(InvalidInput, match="cannot test proposed words"):
        errata.Run.of(make_diagnosis(60)).propose("dark")
