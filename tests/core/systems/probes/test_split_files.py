from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import SampleSet
from core.systems.probes.split_files import apply_split, read_split


def written(tmp_path, train=(), val=(), test=()):
    path = tmp_path / "split_zhou_Made.json"
    path.write_text(
        json.dumps({"train": [list(e) for e in train], "val": [list(e) for e in val], "test": [list(e) for e in test]})
    )
    return path


TRAIN = [("images/cat/1.jpg", 1, "cat"), ("images/ant/1.jpg", 0, "ant"), ("images/ant/2.jpg", 0, "ant")]
TEST = [("images/cat/7.jpg", 1, "cat"), ("images/ant/9.jpg", 0, "ant")]
VAL = [("images/cat/8.jpg", 1, "cat")]


def samples(ids, labels=None, names=("cat", "ant")):
    return SampleSet(
        tuple(ids), labels=None if labels is None else np.array(labels), class_names=names if labels is not None else ()
    )


def test_the_parts_become_rows_and_classes_are_matched_by_name(tmp_path):
    file = read_split(written(tmp_path, TRAIN, VAL, TEST))
    ids = ["cat/1.jpg", "cat/7.jpg", "cat/8.jpg", "ant/1.jpg", "ant/2.jpg", "ant/9.jpg", "ant/77.jpg"]
    found = apply_split(file, samples(ids, [0, 0, 0, 1, 1, 1, 1]))
    (fold,) = found.split.folds
    assert (fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()) == ([0, 3, 4], [2], [1, 5])
    assert file.order == ("ant", "cat")  # by the file's labels, although the samples have cat first
    assert found.samples.class_names == ("cat", "ant")
    assert not found.notes
    assert dict(found.split.excluded)[6] == "the split file does not list it"
    assert set(dict(found.split.excluded)) == {0, 2, 3, 4, 6}


def test_samples_without_labels_take_the_files_and_those_it_does_not_have_are_left_out(tmp_path):
    file = read_split(written(tmp_path, TRAIN, (), TEST))
    found = apply_split(file, samples(["x/ant/9.jpg", "y/other.jpg", "x/cat/7.jpg", "x/cat/1.jpg", "x/ant/1.jpg"]))
    assert found.samples.ids == ("x/ant/9.jpg", "x/cat/7.jpg", "x/cat/1.jpg", "x/ant/1.jpg")
    assert found.samples.labels.tolist() == [0, 1, 1, 0]
    assert found.samples.class_names == ("ant", "cat")
    assert found.split.folds[0].test.tolist() == [0, 1]


def test_unmatched_paths_are_counted_and_named(tmp_path):
    file = read_split(written(tmp_path, TRAIN, VAL, TEST))
    found = apply_split(file, samples(["cat/1.jpg", "ant/1.jpg", "cat/7.jpg"], [0, 1, 0]))
    assert found.unmatched == ("images/ant/2.jpg", "images/cat/8.jpg", "images/ant/9.jpg")
    assert "3 paths" in found.notes[0]
    assert "images/cat/8.jpg" in found.notes[0]


def test_a_base_name_in_two_folders_is_told_apart_by_its_folder_or_left_out(tmp_path):
    file = read_split(written(tmp_path, TRAIN[:2], (), TEST))
    told = apply_split(file, samples(["a/cat/1.jpg", "a/ant/1.jpg", "7.jpg", "9.jpg"], [0, 1, 0, 1]))
    assert told.split.folds[0].train.tolist() == [0, 1]
    assert told.split.folds[0].test.tolist() == [2, 3]
    blurred = apply_split(
        read_split(written(tmp_path, [*TRAIN[:2], ("z/3.jpg", 1, "cat")], (), TEST)),
        samples(["p/1.jpg", "q/1.jpg", "3.jpg", "7.jpg"], [0, 1, 0, 0]),
    )
    assert set(blurred.unmatched) == {"images/cat/1.jpg", "images/ant/1.jpg", "images/ant/9.jpg"}


def test_ids_without_an_ending_match_too(tmp_path):
    file = read_split(written(tmp_path, TRAIN[:1], (), TEST[:1]))
    assert apply_split(file, samples(["1", "7"], [0, 0])).split.folds[0].train.tolist() == [0]


def test_an_image_in_two_parts_is_scored_and_does_not_teach(tmp_path):
    file = read_split(written(tmp_path, [*TRAIN, TEST[0], TRAIN[0]], (), TEST))
    found = apply_split(
        file, samples(["cat/1.jpg", "ant/1.jpg", "ant/2.jpg", "cat/7.jpg", "ant/9.jpg"], [0, 1, 1, 0, 1])
    )
    (fold,) = found.split.folds
    assert fold.train.tolist() == [0, 1, 2]
    assert fold.test.tolist() == [3, 4]
    assert any("1 images in two parts" in note for note in found.notes)
    assert any("repeats 1 images" in note for note in found.notes)


def test_a_class_that_the_file_and_the_samples_say_differently_is_counted(tmp_path):
    file = read_split(written(tmp_path, TRAIN, (), TEST))
    found = apply_split(
        file, samples(["cat/1.jpg", "ant/1.jpg", "ant/2.jpg", "cat/7.jpg", "ant/9.jpg"], [0, 1, 1, 0, 0])
    )
    assert any("disagree on the class of 1 images" in note for note in found.notes)


def test_names_differ_by_case_and_underscores_only_without_harm(tmp_path):
    file = read_split(written(tmp_path, [("1.jpg", 0, "sea_lion")], (), [("2.jpg", 0, "sea_lion")]))
    assert (
        apply_split(file, samples(["1.jpg", "2.jpg"], [0, 0], ("Sea lion", "ant"))).samples.class_names[0] == "Sea lion"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "none of these parts"),
        ("{", "invalid JSON"),
        ('{"train": 3}', "not a list"),
        ('{"train": [["a.jpg", "0", "cat"]]}', "a label from 0"),
        ('{"train": [["a.jpg", 0]]}', "not three values"),
        ('{"train": [["a.jpg", 0, "cat"], ["b.jpg", 0, "dog"]]}', "the names 'cat' and 'dog'"),
        ('{"train": [["a.jpg", 0, "cat"], ["b.jpg", 1, "Cat"]]}', "two labels have the name"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_fault(tmp_path, content, said):
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=said):
        read_split(path)


def test_a_file_for_another_folder_or_other_classes_is_refused(tmp_path):
    file = read_split(written(tmp_path, TRAIN, (), TEST))
    with pytest.raises(InvalidInput, match="match no sample"):
        apply_split(file, samples(["u.jpg", "v.jpg"], [0, 1]))
    with pytest.raises(InvalidInput, match=r"classes that the samples lack, such as 'ant'"):
        apply_split(file, samples(["cat/1.jpg", "cat/7.jpg"], [0, 0], ("cat", "dog")))


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InvalidInput, match="not found"):
        read_split(tmp_path / "none.json")


def test_a_file_whose_training_images_are_all_scored_teaches_nothing(tmp_path):
    file = read_split(written(tmp_path, TEST, (), TEST))
    with pytest.raises(InvalidInput, match="also in another part"):
        apply_split(file, samples(["cat/7.jpg", "ant/9.jpg"], [0, 1]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "nested too deep"),
        (b"1" * 6000, "unreadable JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"\xef\xbb\xbf{}", "none of these parts"),  # a byte order mark is no fault
    ],
)
def test_a_split_file_that_is_no_sound_json_is_bad_input(tmp_path, content, said):
    (tmp_path / "s.json").write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read_split(tmp_path / "s.json")


def test_classes_are_matched_however_their_accents_are_composed(tmp_path):
    file = read_split(
        written(tmp_path, [("cafe\u0301/1.jpg", 0, "cafe\u0301"), ("b/2.jpg", 1, "b")], (), [("b/3.jpg", 1, "b")])
    )
    found = apply_split(file, samples(["1", "2", "3"], [0, 1, 1], ("caf\u00e9", "b")))
    assert not found.notes
