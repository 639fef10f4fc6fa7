from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.probes import make_probe
from core.systems.probes.run import run_probe
from core.systems.probes.zero_shot.label_descriptions import DUAL_FORM, DescribedLabels, proposed
from tests.support.looks import LOOKS, NAMES, looks_task as task_of, part_of
from tests.support.word_tower import WordTower

SAID = json.dumps(LOOKS)


class TextTower(WordTower):
    """The same for texts."""

    modality = "text"


def test_every_way_is_the_plain_loop_over_texts() -> None:
    task = task_of(9)
    scored = DescribedLabels(
        descriptions=SAID, patterns="own", own_patterns="it is <mask>\na <mask> here", words="dog: hound", shuffles=0
    ).run(part_of(task))
    words = ("cat", "hound", "hen")

    def vector(*texts: str) -> np.ndarray:
        mean = np.stack([task.encoder.encode_texts([t])[0] for t in texts]).astype(np.float64).mean(0)
        return np.asarray(mean / np.linalg.norm(mean))

    rows = task.joint.vectors.astype(np.float64)
    centroids = np.stack([vector(*LOOKS[name]) for name in NAMES])
    np.testing.assert_allclose(scored.logits, 30 * rows @ centroids.T, atol=1e-5)
    bare = np.stack([vector(name) for name in NAMES])
    np.testing.assert_array_equal(scored.controls["bare names"][0], (rows @ bare.T).argmax(1))
    for p, pattern in enumerate(("it is {}", "a {} here")):
        filled = np.stack([vector(pattern.format(word)) for word in words])
        np.testing.assert_array_equal(scored.controls["one word in each pattern"][p], (rows @ filled.T).argmax(1))
    assert scored.prompts == tuple(LOOKS[name] for name in NAMES)
    assert scored.repeats["one word in each pattern"] == ("line 1: it is <mask>", "line 2: a <mask> here")


def test_descriptions_beat_names_and_those_drawn_anew_are_at_chance() -> None:
    result = run_probe("label-desc", make_probe("label-desc", {"descriptions": SAID, "shuffles": "60"}), task_of())
    beside = {control.name: control for control in result.controls}
    assert result.accuracy.value > 0.8
    assert beside["bare names"].gain.low > 0.2
    drawn = beside["shuffled descriptions"]
    assert drawn.repeats == len(drawn.each) == 60
    assert drawn.accuracy.value == pytest.approx(1 / 3, abs=0.08)
    assert drawn.accuracy.value == pytest.approx(np.mean([value for _, value in drawn.each]))


def test_the_wordings_are_told_apart_by_name_with_mean_and_spread() -> None:
    result = run_probe("label-desc", make_probe("label-desc", {"words": "dog: hound"}), task_of(named=0.6))
    control = next(c for c in result.controls if c.name == "one word in each pattern")
    values = [value for _, value in control.each]
    assert len({name for name, _ in control.each}) == 14
    assert control.accuracy.value == pytest.approx(np.mean(values))
    assert control.spread == pytest.approx(np.std(values, ddof=1))
    assert result.notes[0] == DUAL_FORM


@pytest.mark.parametrize(
    ("by", "gone", "there"), [("names", "bare names", "descriptions"), ("patterns", "", "bare names")]
)
def test_the_probe_may_go_by_another_way_and_the_rest_stands_beside_it(by: str, gone: str, there: str) -> None:
    scored = DescribedLabels(descriptions=SAID, by=by, shuffles=2).run(part_of(task_of(12)))
    assert gone not in scored.controls
    assert there in scored.controls
    assert len(scored.prompts[0]) == {"names": 1, "patterns": 14}[by]


def test_texts_are_spoken_of_as_texts_and_pictures_as_pictures() -> None:
    texts, pictures = (
        run_probe("label-desc", make_probe("label-desc", {"by": "patterns"}), task_of(tower=tower))
        for tower in (TextTower, WordTower)
    )
    assert (texts.modality, pictures.modality) == ("text", "image")
    assert any("text" in prompt for prompt in texts.prompts[0])
    assert any("photo" in prompt for prompt in pictures.prompts[0])
    assert proposed(("cat",), "text") == (("cat", "a text about cat."),)


def test_an_order_without_descriptions_is_refused() -> None:
    with pytest.raises(InvalidInput, match="descriptions with numbers, and there is none"):
        DescribedLabels(order="a, b").run(part_of(task_of(6)))


def test_descriptions_that_lose_their_end_and_that_several_classes_share_are_told() -> None:
    part, long = part_of(task_of(6)), "collar " * 21  # the tower reads 20 words
    told = DescribedLabels(descriptions=json.dumps({**LOOKS, "dog": ["collar", long], "hen": ["collar", "comb"]}))
    notes = told.run(part).notes
    assert notes[1:] == (
        "1 description belongs to more than one class and cannot separate them: 'collar'.",
        "The text tower truncated 1 of 49 descriptions and filled patterns.",
    )
    assert DescribedLabels(descriptions=SAID).run(part).notes == (DUAL_FORM,)


def test_own_patterns_are_checked_before_anything_is_run() -> None:
    with pytest.raises(InvalidInput, match="has <mask> 0 times"):
        make_probe("label-desc", {"patterns": "own", "own_patterns": "it is <mask>\nit is"})


def test_zero_shot_says_of_a_text_that_it_is_about_its_class() -> None:
    result = run_probe("zero-shot", make_probe("zero-shot"), task_of(tower=TextTower))
    assert result.prompts[0] == ("a text about cat.",)
    with pytest.raises(InvalidInput, match="describe photographs, and the samples are texts"):
        run_probe("zero-shot", make_probe("zero-shot", {"templates": "7"}), task_of(tower=TextTower))


@pytest.mark.parametrize("name", ["coop", "cocoop"])
def test_a_probe_that_learns_prompts_is_refused_on_texts_before_it_starts(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"learns prompts through a text tower.*of texts, has none"):
        run_probe(name, make_probe(name), task_of(tower=TextTower))


@pytest.mark.parametrize("name", ["lp++", "tip-adapter", "linear-probe", "sus-x"])
def test_probes_on_features_alone_run_on_texts(name: str) -> None:
    result = run_probe(name, make_probe(name), task_of(tower=TextTower))
    assert result.accuracy.value > 0.5
    assert result.modality == "text"


def test_in_a_published_file_the_first_description_is_the_word_of_its_class() -> None:
    rows = [f"{c}\t{text}" for c, name in enumerate(NAMES, 1) for text in LOOKS[name]]
    scored = DescribedLabels(descriptions="\n".join(rows), order="cat, dog, hen", by="patterns", shuffles=0).run(
        part_of(task_of(6))
    )
    assert [row["word"] for row in scored.details["Classes"]] == ["claws", "collar", "beak"]
    assert all("collar" in text for text in scored.prompts[1])
