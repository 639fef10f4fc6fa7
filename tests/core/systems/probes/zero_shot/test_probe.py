from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F64
from core.systems.probes import make_probe
from core.systems.probes.base import Images, ProbeInput
from core.systems.probes.run import run_probe
from core.systems.probes.zero_shot.probe import ZeroShot
from core.systems.probes.zero_shot.similarities import prompt_similarities
from tests.support.looks import LOOKS, NAMES, looks_task, part_of
from tests.support.word_tower import WIDTH, WordTower

DESCRIPTIONS = json.dumps(LOOKS)


def test_logits_are_the_scale_times_the_cosine_with_each_name():
    task = looks_task(7)
    scored = ZeroShot().run(part_of(task))
    slow = [
        [30.0 * float(row @ task.encoder.encode_texts([f"a photo of a {name}."])[0]) for name in NAMES]
        for row in task.joint.vectors
    ]
    np.testing.assert_allclose(scored.logits, slow, atol=1e-4)
    assert scored.controls == {}


def test_descriptions_that_say_what_is_seen_beat_templates_and_random_words():
    result = run_probe("zero-shot", make_probe("zero-shot", {"descriptions": DESCRIPTIONS}), looks_task())
    beside = {control.name: control for control in result.controls}
    assert (beside["random words"].repeats, beside["templates alone"].repeats) == (7, 1)
    assert result.accuracy.value > 0.8
    for control in beside.values():
        assert control.gain.low > 0.2
        assert control.p < 0.01


def test_descriptions_of_what_is_not_seen_beat_random_words_by_nothing():
    result = run_probe("zero-shot", make_probe("zero-shot", {"descriptions": DESCRIPTIONS}), looks_task(described=0.0))
    control = next(c for c in result.controls if c.name == "random words")
    assert control.gain.low < 0


@pytest.mark.parametrize("scoring", ["mean vector", "mean of cosines"])
@pytest.mark.parametrize("weight", [None, 0.3, 1.0])
def test_the_parts_of_templates_and_descriptions_sum_to_the_logits(weight: float | None, scoring: str):
    scored = ZeroShot(descriptions=DESCRIPTIONS, description_weight=weight, scoring=scoring, random_runs=0).run(
        part_of(looks_task(9))
    )
    np.testing.assert_allclose(scored.parts["templates"] + scored.parts["descriptions"], scored.logits, atol=1e-12)
    assert list(scored.controls) == ["templates alone"]
    assert (weight == 1.0) == (not scored.parts["templates"].any())


@pytest.mark.parametrize(("size", "texts"), [("matched", 3), ("30", 30)])
def test_random_words_come_in_the_size_of_the_descriptions_or_in_thirty(size: str, texts: int):
    scored = ZeroShot(descriptions=DESCRIPTIONS, random_words=size, random_runs=2).run(part_of(looks_task(9)))
    assert scored.controls["random words"].shape == (2, 9)
    assert scored.details["Random texts a class"] == texts


def test_templates_alone_predict_what_the_same_probe_says_without_descriptions():
    part = part_of(looks_task(60))
    scored = ZeroShot("7", descriptions=DESCRIPTIONS, description_weight=0.5).run(part)
    np.testing.assert_array_equal(scored.controls["templates alone"][0], ZeroShot("7").run(part).logits.argmax(1))


def test_progress_counts_all_texts_once():
    seen: list[tuple[int, int]] = []

    def report(step: str, done: int, total: int) -> None:
        seen.append((done, total))

    task = looks_task(9)
    ZeroShot(descriptions=DESCRIPTIONS, random_runs=2).run(
        ProbeInput(NAMES, task.encoder, Images(task.joint.vectors, task.samples.ids), progress=report)
    )
    assert seen == [(3, 30), (12, 30), (21, 30), (30, 30)]


def test_the_estimate_grows_with_classes_templates_and_descriptions(tmp_path: Path):
    file = tmp_path / "d.json"
    file.write_text(DESCRIPTIONS)
    one, more = ZeroShot().estimate(100, 1000, 1), ZeroShot("80").estimate(100, 1000, 1)
    described = ZeroShot(descriptions=str(file)).estimate(100, 1000, 1)
    assert ZeroShot().estimate(100, 10, 1) < one < more
    assert described - one == pytest.approx(1000 * 3 * 8 * 0.0064, rel=0.01)
    assert ZeroShot(descriptions="not there.json").estimate(100, 10, 1) > 0


@pytest.mark.parametrize(
    ("settings", "said"), [({"random_words": "31"}, "matched, 30"), ({"random_runs": -1}, "random_runs must be")]
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str):
    with pytest.raises(InvalidInput, match=said):
        ZeroShot(**settings)


def test_each_text_of_the_asked_classes_is_set_beside_the_image():
    task = looks_task()
    result = run_probe("zero-shot", make_probe("zero-shot", {"descriptions": DESCRIPTIONS, "random_runs": 0}), task)
    row = task.joint.vectors[4]
    found = prompt_similarities(result, 3 * row, task.encoder, [2, 0, 2])
    assert [s.class_index for s in found] == [2] * 4 + [0] * 4
    assert found[0].cosine >= found[1].cosine
    for said in found:
        assert said.cosine == pytest.approx(_cosine(row, task.encoder.encode_texts([said.text])[0]), abs=1e-6)
    assert prompt_similarities(result, row, task.encoder, []) == []


def _cosine(a: Any, b: Any) -> float:
    x: F64 = a.astype(np.float64)
    y: F64 = b.astype(np.float64)
    return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))


def test_similarities_refuse_another_encoder_class_or_space():
    task = looks_task(9)
    result = run_probe("zero-shot", ZeroShot(), task)
    other: Any = WordTower()
    other.fingerprint = "another"
    with pytest.raises(InvalidInput, match="Use the same"):
        prompt_similarities(result, task.joint.vectors[0], other, [0])
    with pytest.raises(InvalidInput, match="Classes must be 0 to 2: got 3"):
        prompt_similarities(result, task.joint.vectors[0], task.encoder, [3])
    with pytest.raises(InvalidInput, match="must have 64 numbers"):
        prompt_similarities(result, task.joint.vectors[0, :5], task.encoder, [0])


@pytest.mark.parametrize("name", ["clothing", "cifar10"])
def test_the_shipped_descriptions_are_descriptors_of_ten_classes(repository: Path, name: str):
    file = repository / "assets" / "prompts" / f"{name}.json"
    lists = json.loads(file.read_text("utf-8"))
    assert len(lists) == 10
    encoder: Any = WordTower(40)
    scored = ZeroShot(descriptions=str(file), random_runs=1).run(
        ProbeInput(tuple(lists), encoder, Images(np.eye(2, WIDTH, dtype=np.float32), ("a", "b")))
    )
    assert "as descriptors" in scored.notes[0]
    assert len(scored.notes) == 1
