"""The study of descriptions: who sees what, and what counts as right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.files import ASSETS
from core.store import load
from core.systems.vl_t5.describe import CaptionedCluster, CaptionWord
from research.evidence.described import EACH, WORST, drawn, right, score, text_of

SAID = CaptionedCluster(
    0,
    "c",
    "all samples",
    20,
    80,
    ("a dog runs",),
    (CaptionWord("dog", 0.5, 0.1, 0.001, True), CaptionWord("cat", 0, 0, 1, False)),
    2,
)


def test_a_sheet_shows_the_worst_and_asks_about_others() -> None:
    found = load(ASSETS / "examples" / "scenes" / "run.errata")
    members = found.clusters[0].membership >= 0.5
    worst, rows, member = drawn(found, found.clusters[0], 3)
    assert found.outcomes.loss[worst].min() >= np.sort(found.outcomes.loss[members])[-WORST]
    assert len(worst) == WORST
    assert not set(worst) & set(rows)
    assert len(set(rows)) == 2 * EACH
    assert member == members[rows].tolist()
    assert sum(member) == EACH


def test_only_one_reader_is_told_what_captions_say() -> None:
    assert text_of("far away", None) == 'The group is called "far away".\n'
    told = text_of("", SAID)
    assert told.startswith("The group has no title.\n")
    assert '"a dog runs"' in told
    assert "dog (50% of the group, 10% of the rest)" in told
    assert "cat" not in told


def test_what_is_right_counts_members_and_others_alike() -> None:
    member = [True, False, False, False]
    assert right([1], member) == 1
    assert right([1, 2], member) == pytest.approx(5 / 6)
    assert right([], member) == right([1, 2, 3, 4], member) == 0.5


def test_the_gain_is_of_the_same_clusters_by_two_readers(tmp_path: Path) -> None:
    key = {
        "group_01": {"member": [True, False], "with": 0, "words": ["dog"]},
        "group_02": {"member": [False, True], "with": 1, "words": []},
    }
    told = {"group_01": "1", "group_02": "1"}, {"group_01": "", "group_02": "2"}
    answers = dict(zip(("one", "two", "three", "four"), (*told, *reversed(told))))
    (tmp_path / "key.json").write_text(json.dumps(key))
    for reader, said in answers.items():
        (tmp_path / reader).mkdir()
        for stem, text in said.items():
            (tmp_path / reader / f"{stem}.answer.txt").write_text(text)
    lines = score(tmp_path).splitlines()[2:]
    pictures = "| eight pictures and words | "
    assert lines[0].startswith(f"{pictures}all | 2 | 1.000 [1.000, 1.000] | 0.250 [")  # without: nothing, and wrong
    assert lines[1].startswith(f"{pictures}a word passes | 1 | 1.000")
    assert "| 0.500" in lines[1]
    assert lines[2].startswith(f"{pictures}none passes | 1 | 1.000")
    assert "| 0.000" in lines[2]
    assert lines[3].startswith("| words alone | all | 2 | 0.250 [")  # the other way round
