"""TransCLIP on made images, against slow loops, and its guards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.errors import Cancelled
from core.records import F32, I64
from core.systems.probes.base import Images, ProbeInput
from core.systems.probes.few_shot.transclip import TransClip
from core.systems.probes.run import run_probe
from tests.support.heads import NAMES, Tower, made_task

WIDTH = 256  # the method's constants are for features of some hundreds of dimensions


class Wide(Tower):
    """The same texts in a space as wide as CLIP's, at CLIP's scale."""

    logit_scale = 100.0

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return np.pad(super().encode_texts(texts), ((0, 0), (0, WIDTH - 24)))


def wide_images(n: int, seed: int, k: int = 4, *, noise: bool = False) -> tuple[F32, I64]:
    """A weak hint along each class's text, as small as CLIP's differences of cosine are, and a direction over all other
    axes that shows it."""
    rng, labels = np.random.default_rng(seed), np.arange(n) % k
    centres = unit(rng.normal(size=(k, WIDTH - 8)))
    hidden = rng.permutation(labels) if noise else labels  # with noise, clusters are there and aren't the classes
    rows = rng.normal(0, 0.05, (n, WIDTH))
    rows[:, :8] *= 0.25
    rows[np.arange(n), labels] += 0.015
    rows[:, 8:] += 0.6 * centres[hidden]
    return rows.astype(np.float32), labels.astype(np.int64)


def unit(rows: np.ndarray) -> F32:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def part_of(n: int, seed: int = 0, k: int = 4, *, noise: bool = False) -> tuple[ProbeInput, I64]:
    rows, labels = wide_images(n, seed, k, noise=noise)
    tower: object = Wide()
    return ProbeInput(NAMES, tower, Images(unit(rows), tuple(f"i{i}" for i in range(n)), None, np.arange(n))), labels  # pyright: ignore


def with_shots(part: ProbeInput, labels: I64, shots: int) -> tuple[ProbeInput, I64]:
    """The first images of each class as shots, as many as validation images, the rest to be scored."""
    at = np.arange(len(labels))
    test = part.test

    def seen(which: I64) -> Images:
        return replace(test.keep(which), labels=labels[which])

    first, second, rest = at[: 4 * shots], at[4 * shots : 8 * shots], at[8 * shots :]
    return replace(part, test=test.keep(rest), shots=seen(first), validation=seen(second)), labels[rest]


def gain(part: ProbeInput, labels: I64, probe: TransClip) -> float:
    found = probe.run(part)
    return float((found.logits.argmax(1) == labels).mean() - (found.controls["zero-shot"][0] == labels).mean())


def test_images_that_cluster_by_class_beat_the_texts_by_a_margin() -> None:
    gains = [gain(*part_of(200, seed), TransClip()) for seed in range(3)]
    assert min(gains) > 0.25


def test_images_whose_clusters_are_not_the_classes_do_not_win() -> None:
    gains = [gain(*part_of(200, seed, noise=True), TransClip()) for seed in range(5)]
    assert np.mean(gains) < 0.02


def test_the_order_of_the_rows_does_not_matter_to_the_last_bit_nor_does_a_repetition() -> None:
    part, _ = part_of(137)
    order = np.random.default_rng(1).permutation(137)
    first, moved = TransClip().run(part).logits, TransClip().run(replace(part, test=part.test.keep(order))).logits
    np.testing.assert_array_equal(first[order], moved)
    np.testing.assert_array_equal(first, TransClip().run(part).logits)


def test_the_parts_sum_to_the_logits_and_changes_are_counted() -> None:
    part, _ = part_of(137)
    found = TransClip().run(part)
    np.testing.assert_allclose(sum(found.parts.values()), found.logits, rtol=1e-12)
    changed = int((found.logits.argmax(1) != found.controls["zero-shot"][0]).sum())
    assert found.details == {"predictions changed": changed, "images": 137}


def test_a_class_that_does_not_occur_takes_no_images_from_the_others() -> None:
    part, labels = part_of(150, k=3)
    rows = part.test.features.copy()
    rows[:, 3] = -0.3  # no image leans to the fourth text
    found = TransClip().run(replace(part, test=replace(part.test, features=unit(rows))))
    assert not (found.logits.argmax(1) == 3).any()
    assert any("No image was given to 'fish'" in note for note in found.notes)
    assert (found.logits.argmax(1) == labels).mean() > (found.controls["zero-shot"][0] == labels).mean()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_images_is_scored_with_a_warning(n: int) -> None:
    found = TransClip().run(part_of(n)[0])
    assert np.isfinite(found.logits).all()
    assert any("are few" in note for note in found.notes)


def test_shots_help_and_their_weight_is_chosen_on_validation_images() -> None:
    part, labels = with_shots(*part_of(200), 4)
    found = TransClip(shots=4).run(part)
    names = {c.name: c.how for c in found.choices}
    assert names == {"lambda": "fixed", "gamma": "validation"}
    assert found.support is part.shots
    assert (found.logits.argmax(1) == labels).mean() > (found.controls["zero-shot"][0] == labels).mean() + 0.2
    fixed = TransClip(shots=4).run(replace(part, validation=None))
    assert {c.name: c.how for c in fixed.choices}["gamma"] == "fixed"


def test_a_run_can_be_cancelled_between_rounds() -> None:
    def stop(_: str, done: int, total: int) -> None:
        if done == 3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        TransClip().run(replace(part_of(30)[0], progress=stop))


def test_a_run_on_samples_scores_all_of_them_at_once() -> None:
    result = run_probe("transclip", TransClip(), made_task(80))
    assert result.details["images"] == 80
    assert len(result.rows) == 80
    assert result.controls[0].name == "zero-shot"
