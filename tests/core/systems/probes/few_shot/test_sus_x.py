"""SuS-X: identities, settings, and made images on which a support set must help, or must not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.probes import make_probe
from core.systems.probes.base import Images, ProbeInput, Scored
from core.systems.probes.few_shot.sus_x import SusX
from core.systems.probes.run import images_of, run_probe
from tests.support.heads import NAMES, Tower, accuracy, made_images, made_part, made_task


def part_of(n: int = 137, *, pool: int = 200, seed: int = 0, noise_pool: bool = False) -> tuple[ProbeInput, np.ndarray]:
    """Images whose class the texts hint at weakly and an axis that no text knows shows clearly; the pool is of the same
    kind, or noise."""
    rows, labels = made_images(n + pool + 40, seed, hint=0.2)
    if noise_pool:
        noise = np.random.default_rng([seed, 1]).normal(size=(pool, rows.shape[1]))
        rows[n : n + pool] = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    at = np.arange(len(rows))

    def images(which: np.ndarray, seen: bool = False) -> Images:
        return Images(rows[which], tuple(f"i{i}" for i in which), labels[which] if seen else None, which)

    tower: object = Tower()
    the_pool = replace(images(at[n : n + pool]), hidden=labels[n : n + pool])
    part = ProbeInput(NAMES, tower, images(at[:n]), None, images(at[n + pool :], True), the_pool)  # pyright: ignore
    return part, labels[:n]


def zero_shot(scored: Scored, labels: np.ndarray) -> float:
    return float((scored.controls["zero-shot"][0] == labels).mean())


def test_alpha_and_gamma_of_zero_are_zero_shot_exactly() -> None:
    part, _ = part_of()
    found = SusX(alpha=0, gamma=0).run(part)
    plain = make_probe("zero-shot").run(part)
    np.testing.assert_array_equal(found.logits, plain.logits)


@pytest.mark.parametrize("affinity", ["tip-adapter", "tip-x", "subspace"])
def test_the_parts_sum_to_the_logits_and_no_row_is_left_out(affinity: str) -> None:
    part, _ = part_of(137)
    found = SusX(affinity=affinity, alpha=2, gamma=2).run(part)
    np.testing.assert_allclose(sum(found.parts.values()), found.logits, rtol=1e-12)
    assert all(values.any(1).all() for values in found.parts.values())
    assert tuple(found.parts) == (
        ("zero-shot", "cache", "signature") if affinity == "tip-x" else ("zero-shot", "cache")
    )


def test_permuting_the_classes_permutes_the_logits() -> None:
    part, _ = part_of(60)
    order = np.array([2, 0, 3, 1])
    found, moved = (
        SusX(alpha=3, gamma=3).run(p) for p in (part, replace(part, class_names=tuple(NAMES[i] for i in order)))
    )
    np.testing.assert_allclose(moved.logits, found.logits[:, order], rtol=1e-9, atol=1e-9)


def test_weights_hold_for_a_scale_of_100_and_keep_their_relation_at_another() -> None:
    part, _ = part_of(30)
    other: object = type("Other", (Tower,), {"logit_scale": 100.0})()
    at_20, at_100 = SusX(alpha=2, gamma=1).run(part), SusX(alpha=2, gamma=1).run(replace(part, encoder=other))  # pyright: ignore
    np.testing.assert_allclose(at_100.logits, 5 * at_20.logits, rtol=1e-12)


@pytest.mark.parametrize("affinity", ["tip-adapter", "tip-x"])
def test_a_support_set_that_carries_the_classes_beats_the_texts_by_a_margin(affinity: str) -> None:
    gains = []
    for seed in range(3):
        part, labels = part_of(seed=seed)
        found = SusX(affinity=affinity, tune=True, validation=10).run(part)
        gains.append(accuracy(found, labels) - zero_shot(found, labels))
    assert min(gains) > 0.08
    assert np.mean(gains) > 0.12


def test_a_pool_of_noise_does_not_win() -> None:
    gains = []
    for seed in range(5):
        part, labels = part_of(seed=seed, noise_pool=True)
        found = SusX(tune=True).run(part)
        gains.append(accuracy(found, labels) - zero_shot(found, labels))
    assert np.mean(gains) < 0.02


def test_settings_are_said_to_be_fixed_searched_or_given() -> None:
    part, _ = part_of(30)
    how = {c.name: (c.value, c.how) for c in SusX().run(part).choices}
    assert how == {"alpha": (0.1, "fixed"), "beta": (1.0, "fixed"), "gamma": (0.1, "fixed")}
    assert [c.how for c in SusX(tune=True, beta=4).run(part).choices] == [
        "validation",
        "given",
        "validation",
        "validation",
    ]
    assert [c.name for c in SusX(affinity="tip-adapter").run(part).choices] == ["alpha", "beta"]


def test_the_search_never_sees_the_images_that_are_scored() -> None:
    part, _ = part_of(80)
    half = replace(part, test=part.test.keep(np.arange(40)))
    whole, first = SusX(tune=True).run(part), SusX(tune=True).run(half)
    assert whole.choices == first.choices
    np.testing.assert_allclose(whole.logits[:40], first.logits, rtol=1e-9)


def test_validation_images_are_not_in_the_support_set() -> None:
    part, _ = part_of(20, pool=40)
    both = replace(part, validation=replace(part.pool.keep(np.arange(12)), labels=part.pool.hidden[:12], hidden=None))
    found = SusX(tune=True, per_class=100).run(both)
    assert not set(found.support.rows.tolist()) & set(both.validation.rows.tolist())
    assert SusX(tune=True, validation=7).needs().validation == 7
    assert SusX().needs().validation == 0


def test_shots_are_the_cache_where_they_are_asked_for() -> None:
    part, labels = made_part(4, 60)
    found = SusX(shots=4, tune=True).run(part)
    assert found.support is part.shots
    assert found.purity is None
    assert found.support_source == "4 shots a class"
    assert not SusX(shots=4).needs().pool
    assert accuracy(found, labels) > zero_shot(found, labels) + 0.1


def test_neighbours_name_places_in_the_support_set_by_both_affinities() -> None:
    part, _ = part_of(15)
    found = SusX().run(part)
    image, signature = found.neighbours
    assert (image.affinity, signature.affinity) == ("image", "signature")
    cosine = part.test.features @ found.support.features.T
    np.testing.assert_array_equal(image.nearest[:, 0], cosine.argmax(1))
    assert image.nearest.shape == signature.nearest.shape == (15, 8)
    assert (signature.similarity <= 0).all()


def test_the_cache_alone_is_a_control_of_tip_x() -> None:
    part, _ = part_of(30)
    found = SusX(alpha=5, gamma=5).run(part)
    alone = SusX(affinity="tip-adapter", alpha=5).run(part)
    np.testing.assert_array_equal(found.controls["cache alone"][0], alone.logits.argmax(1))


def test_descriptions_each_search_the_pool_and_are_asked_for_where_they_lack() -> None:
    part, _ = part_of(20)
    with pytest.raises(InvalidInput, match="needs descriptions"):
        SusX(query="descriptions").run(part)
    texts = json.dumps({name: [f"a {name} on grass.", f"a small {name}."] for name in NAMES})
    found = SusX(query="descriptions", descriptions=texts).run(part)
    assert "descriptions" in found.support_source


def test_a_missing_pool_or_validation_part_is_said() -> None:
    part, _ = part_of(20)
    with pytest.raises(InvalidInput, match="needs a pool"):
        SusX().run(replace(part, pool=None))
    with pytest.raises(InvalidInput, match="needs labeled validation images"):
        SusX(tune=True).run(replace(part, validation=None))


def test_a_whole_run_measures_purity_and_keeps_real_labels_from_the_probe() -> None:
    result = run_probe("sus-x", SusX(per_class=5), made_task(80))
    assert result.support.purity.shape == (4,)
    assert result.support.true_purity.min() > 0.2
    assert {control.name for control in result.controls} == {"zero-shot", "cache alone"}
    by_fold = {fold: set(result.support.rows[result.support.folds == fold].tolist()) for fold in (0, 1)}
    assert not by_fold[0] & by_fold[1]


def test_without_a_pool_it_is_said_what_stands_in_for_one() -> None:
    task, probe = made_task(80), make_probe("sus-x", {})
    said = "Without a pool, the samples that are not scored served as one, without their labels."
    assert said in run_probe("sus-x", probe, task).notes
    assert said not in run_probe("sus-x", probe, replace(task, pool=images_of(task, np.arange(40)))).notes
