from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import SampleSet
from core.systems.probes.draws import make_draw, read_draw, write_draw
from core.systems.probes.splits import halves
from tests.core.systems.probes.test_split_files import samples

LABELS = np.tile(np.arange(3), 8)
NAMED = SampleSet(tuple(f"i{i}" for i in range(24)), labels=LABELS, class_names=("a", "b", "c"))
FOLD = {"shots": ["a"], "validation": [], "test": ["b", "c"]}


def test_a_written_draw_is_read_back_and_repeats_the_rows(tmp_path):
    split = halves(LABELS, None, 3)
    made = make_draw(NAMED, split, 2, 1, 3)
    write_draw(tmp_path / "draw.json", made)
    again, repeated = read_draw(tmp_path / "draw.json", NAMED)
    assert again == made
    for fold, drawn in zip(repeated.folds, made.folds):
        assert [NAMED.ids[i] for i in fold.train] == list(drawn.shots)
        assert [NAMED.ids[i] for i in np.asarray(fold.validation).tolist()] == list(drawn.validation)
    assert make_draw(NAMED, repeated, 2, 1, 99).folds[0].shots != ()
    assert sorted(make_draw(NAMED, repeated, 2, 1, 99).folds[0].shots) == sorted(made.folds[0].shots)


def test_a_draw_is_plain_json_with_seed_shots_and_ids(tmp_path):
    write_draw(tmp_path / "draw.json", make_draw(NAMED, halves(LABELS, None, 0), 1, 1, 0))
    said = json.loads((tmp_path / "draw.json").read_text())
    assert (said["seed"], said["shots"], len(said["folds"])) == (0, 1, 2)
    assert set(said["folds"][0]["shots"]) <= set(NAMED.ids)


def test_a_draw_of_other_samples_is_refused_with_the_missing_ids(tmp_path):
    write_draw(tmp_path / "draw.json", make_draw(NAMED, halves(LABELS, None, 0), 1, 0, 0))
    with pytest.raises(InvalidInput, match=r"1 images of the draw .*: i5"):
        read_draw(tmp_path / "draw.json", NAMED.keep(np.setdiff1d(np.arange(24), 5)))


@pytest.mark.parametrize("content", ['{"format": "x"}', "[]", '{"format": "errata few-shot draw", "folds": [{}]}'])
def test_a_file_that_is_no_draw_is_refused(tmp_path, content):
    (tmp_path / "draw.json").write_text(content)
    with pytest.raises(InvalidInput, match="few-shot draw"):
        read_draw(tmp_path / "draw.json", NAMED)


def test_a_draw_needs_labels():
    with pytest.raises(InvalidInput, match="no labels"):
        make_draw(SampleSet(("a", "b")), halves(np.array([0, 1]), None, 0), 1, 0, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folds": []}, "scores no image"),
        ({"folds": [{**FOLD, "test": []}]}, "scores no image"),
        ({"folds": [{**FOLD, "test": ["b", "b"]}]}, "scores 1 images twice"),
        ({"folds": [FOLD, FOLD]}, "scores 2 images twice"),
        ({"folds": [{**FOLD, "shots": [["a"]]}]}, r"folds\.0\.shots\.0 must be text: got"),
        ({"folds": [{**FOLD, "test": "abc"}]}, r"folds\.0\.test must be a list: got 'abc'. Use one from --save-draw"),
        ({"seed": float("inf")}, "seed must be a whole number: got"),
        ({"folds": [{**FOLD, "test": ["z"]}]}, "are not among the samples: z"),
    ],
)
def test_a_draw_that_scores_nothing_or_something_twice_or_holds_no_ids_is_bad_input(tmp_path, change, said):
    path = tmp_path / "d.json"
    path.write_text(json.dumps({"format": "errata few-shot draw", "seed": 0, "shots": 1, "folds": [FOLD], **change}))
    with pytest.raises(InvalidInput, match=said):
        read_draw(path, samples("abc", [0, 1, 0]))


def test_a_draw_that_cannot_be_written_is_bad_input(tmp_path):
    given = samples("abcd", [0, 1, 0, 1])
    assert given.labels is not None
    with pytest.raises(InvalidInput, match="Cannot write"):
        write_draw(tmp_path, make_draw(given, halves(given.labels, None, 0), 1, 0, 0))
