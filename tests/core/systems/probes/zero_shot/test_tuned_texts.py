"""The encoder tuned on descriptions: against a slow loop, and what it must not touch or see."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from core.data.texts.columns import TextItems
from core.encoders import load_encoder
from core.encoders.embedded.minilm_torch import load_tower
from core.errors import Cancelled, InvalidInput
from core.records import Embeddings, SampleSet
from core.systems.probes import make_probe
from core.systems.probes.base import Images, ProbeInput, Task
from core.systems.probes.run import run_probe
from core.systems.probes.zero_shot.label_descriptions import TUNED, TUNED_FORM, WORDED, DescribedLabels
from core.systems.probes.zero_shot.minilm_halves import MiniLMHalves
from core.systems.probes.zero_shot.tuned_texts import MAX_PIECES, TEMPERATURE, halves_of, tune, tuned_texts
from tests.support.word_tower import WordTower

NAMES = ("sports", "business")
SAID = {
    "sports": ("a match that was won", "football"),
    "business": ("shares fell", "the bank's yearly profit", "trade"),
}
PATTERNS = "Topic: <mask>.\nthis is about <mask>"
TEXTS = (
    "The home side scored twice in the last minutes.",
    "Oil prices rose again on Monday, and the market closed lower.",
    "Her coach said that she would run again.",
    "The merger was approved.",
)
FILLED = tuple(tuple(line.replace("<mask>", name) for name in NAMES) for line in PATTERNS.splitlines())


def task_of(labels: Any = (0, 1, 0, 1)) -> Task:
    encoder, ids = load_encoder("minilm"), tuple(f"t{i}" for i in range(len(TEXTS)))
    vectors = encoder.encode_items(np.array(TEXTS, object))[1]
    items = TextItems(ids, TEXTS)
    samples = SampleSet(ids, items, labels=np.array(labels), class_names=NAMES, modality="text")
    return Task(samples, Embeddings(vectors, "minilm", encoder.joint_space), encoder)


def part_of(task: Task) -> ProbeInput:
    return ProbeInput(NAMES, task.encoder, Images(task.joint.vectors, task.samples.ids), items=task.samples.items)


def probe(**more: Any) -> DescribedLabels:
    given: dict[str, Any] = {"patterns": "own", "own_patterns": PATTERNS, "by": "tuned", "shuffles": 0, **more}
    return DescribedLabels(descriptions=json.dumps(SAID), **given)


def slow_vector(model: Any, tokenizer: Any, text: str) -> torch.Tensor:
    found = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
    return found / found.norm()


def slow_tuning(steps: int, lr: float) -> tuple[Any, list[float]]:
    """The whole model, one text at a time, Adam written out; only the parameters of layers 4 to 6 move."""
    import copy

    model, tokenizer = load_tower()
    model = copy.deepcopy(model).requires_grad_(False)
    moving = [p.requires_grad_(True) for layer in model.encoder.layer[3:] for p in layer.parameters()]
    first, second, losses = [0.0 * p for p in moving], [0.0 * p for p in moving], list[float]()
    for step in range(1, steps + 1):
        terms: list[torch.Tensor] = []
        for c, name in enumerate(NAMES):
            for said in SAID[name]:
                for words in FILLED:
                    own = slow_vector(model, tokenizer, said)
                    logits = torch.stack([10 * own @ slow_vector(model, tokenizer, word) for word in words])
                    terms.append(-(logits[c] - torch.logsumexp(logits, 0)))
        loss = torch.stack(terms).mean()
        losses.append(loss.item())
        for i, (p, g) in enumerate(zip(moving, torch.autograd.grad(loss, moving), strict=True)):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g * g
            way = first[i] / (1 - 0.9**step) / ((second[i] / (1 - 0.999**step)).sqrt() + 1e-8)
            with torch.no_grad():
                p -= lr * way
    return model, losses


def test_the_tuned_encoder_is_that_of_a_slow_loop() -> None:
    assert TEMPERATURE == 10
    task, steps, lr = task_of(), 3, 1e-4
    found = tuned_texts(part_of(task), MiniLMHalves(), [SAID[name] for name in NAMES], FILLED, lr=lr, steps=steps)
    model, losses = slow_tuning(steps, lr)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-3)
    tokenizer = load_tower()[1]
    with torch.no_grad():
        slow = np.stack([slow_vector(model, tokenizer, text).numpy() for text in TEXTS])
        words = [[slow_vector(model, tokenizer, word).numpy() for word in own] for own in FILLED]
    np.testing.assert_allclose(found.features, slow, atol=2e-3)
    np.testing.assert_allclose(found.filled, np.array(words), atol=2e-3)
    assert np.abs(found.features - task.joint.vectors).max() > 0.02  # it has moved further than that


def test_untuned_halves_are_the_tower_itself() -> None:
    halves, encoder = MiniLMHalves(), load_encoder("minilm")
    np.testing.assert_allclose(halves.encode(TEXTS), encoder.encode_texts(TEXTS), atol=1e-5)
    np.testing.assert_allclose(halves.vectors(halves.lower(TEXTS)).detach(), encoder.encode_texts(TEXTS), atol=1e-5)


def test_the_lower_half_and_the_shared_tower_do_not_move() -> None:
    model, before = load_tower()[0], {k: v.clone() for k, v in load_tower()[0].state_dict().items()}
    halves = MiniLMHalves()
    losses = tune(halves, [SAID[name] for name in NAMES], FILLED, lr=1e-4, steps=3)
    assert losses[-1] < losses[0]
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    moved = [not torch.equal(a, b) for a, b in zip(halves.upper.parameters(), model.encoder.layer[3:].parameters())]
    assert all(moved)
    fresh = MiniLMHalves()
    np.testing.assert_allclose(fresh.encode(TEXTS), load_encoder("minilm").encode_texts(TEXTS), atol=1e-5)


def test_it_stands_beside_the_other_ways_with_each_wording_before_and_after() -> None:
    task = task_of()
    scored = probe().run(part_of(task))
    assert set(scored.controls) == {"bare names", WORDED, TUNED, "descriptions"}
    assert (
        scored.repeats[WORDED]
        == scored.repeats[TUNED]
        == tuple(f"line {i}: {line}" for i, line in enumerate(PATTERNS.splitlines(), 1))
    )
    assert scored.notes[0] == TUNED_FORM["text"]
    assert {c.name for c in scored.choices} == {"patterns", "lr", "steps"}
    halves = MiniLMHalves()
    tuned = tuned_texts(part_of(task), halves, [SAID[name] for name in NAMES], FILLED)
    for p in range(2):
        np.testing.assert_array_equal(scored.controls[TUNED][p], (tuned.features @ tuned.filled[p].T).argmax(1))
    mean = tuned.filled.mean(0)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(scored.logits, 20 * tuned.features @ mean.T, atol=1e-9)


def test_the_labels_of_the_samples_have_no_part_in_it() -> None:
    settings = {"descriptions": json.dumps(SAID), "by": "tuned", "shuffles": "0"}
    one, other = (
        run_probe("label-desc", make_probe("label-desc", settings), task_of(own))
        for own in ((0, 1, 0, 1), (1, 1, 0, 0))
    )
    np.testing.assert_array_equal(one.outcomes.scores, other.outcomes.scores)
    assert one.accuracy.value != other.accuracy.value
    rows = {control.name: control for control in one.controls}
    assert len(rows[TUNED].each) == 14


def test_it_can_be_stopped_while_it_tunes_and_while_it_encodes() -> None:
    for at in ("Tuning on descriptions", "Encoding texts with the tuned encoder"):

        def stop(step: str, done: int, total: int, at: str = at) -> None:
            if step == at:
                raise Cancelled("stopped")

        with pytest.raises(Cancelled):
            probe().run(replace(part_of(task_of()), progress=stop))


def test_progress_goes_on_within_a_step() -> None:
    said = {name: tuple(f"{name} number {i}" for i in range(70)) for name in NAMES}
    seen: list[tuple[int, int]] = []
    tune(
        MiniLMHalves(), list(said.values()), FILLED, steps=2, progress=lambda _, done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == [0, 64, 128, 140, 144, 208, 272, 284, 288]
    assert {total for _, total in seen} == {288}


def test_of_pictures_the_classes_move_and_the_pictures_stay() -> None:
    encoder = load_encoder("embedded")
    halves = halves_of(encoder)
    texts = [*(text for own in SAID.values() for text in own), *FILLED[1]]
    before = encoder.encode_texts(texts)
    np.testing.assert_allclose(halves.vectors(halves.lower(texts)).detach(), before, atol=2e-5)
    features = np.random.default_rng(0).normal(size=(6, before.shape[1])).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    part = ProbeInput(NAMES, encoder, Images(features, tuple("abcdef")))
    tuned = tuned_texts(part, halves, [SAID[name] for name in NAMES], FILLED, lr=1e-4, steps=3)
    assert tuned.losses[-1] < tuned.losses[0]
    np.testing.assert_array_equal(tuned.features, features.astype(np.float64))
    assert np.abs(tuned.filled[1] - before[-2:]).max() > 1e-3
    scored = probe().run(part)
    assert scored.notes[0] == TUNED_FORM["image"]
    assert set(scored.controls) == {"bare names", WORDED, TUNED, "descriptions"}


class Speechless(WordTower):
    """An encoder of texts that cannot be opened."""

    modality = "text"


def test_an_encoder_that_cannot_be_opened_is_refused_in_one_message() -> None:
    tower: Any = Speechless()
    with pytest.raises(InvalidInput, match=r"cannot be tuned on descriptions; 'minilm'"):
        halves_of(tower)


def test_texts_that_are_absent_or_others_are_refused() -> None:
    part = part_of(task_of())
    with pytest.raises(InvalidInput, match="this run has none"):
        probe().run(replace(part, items=None))
    with pytest.raises(InvalidInput, match="do not belong to its texts"):
        probe().run(replace(part, items=TextItems(part.test.ids, TEXTS[::-1])))


def test_too_many_texts_are_refused_before_any_is_encoded() -> None:
    long = ("word " * 200,) * (MAX_PIECES // 128 + 1)
    with pytest.raises(InvalidInput, match=f"word pieces .*: these {len(long) + 2 + sum(map(len, FILLED)):,} texts"):
        tune(MiniLMHalves(), [(*long, "a"), ("b",)], FILLED)
