from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics.losses import cross_entropy_of_logits
from core.systems.probes import make_probe
from core.systems.probes.few_shot.prolip import Projection, ProLip, fit_projection, load_projection, save_projection
from core.systems.probes.run import run_probe
from research.ladder.transfer import base_to_new
from tests.support.heads import NAMES, Tower, made_images, made_part, made_task

TEXTS = Tower().encode_texts([f"a {name}" for name in NAMES]).astype(np.float64)
WIDTH = TEXTS.shape[1]


def loss_of(learned, rows, labels, first, scale, weight):
    """The objective as the paper writes it, on the whole map."""
    seen = rows @ learned
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    return cross_entropy_of_logits(scale * (seen @ TEXTS.T), labels).mean() + weight * ((learned - first) ** 2).sum()


def test_no_step_of_the_whole_map_lowers_the_papers_objective():
    rows, labels = made_images(12)
    rng = np.random.default_rng(3)
    first = rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    learned = fit_projection(rows.astype(np.float64), labels, TEXTS, first, scale=10.0, weight=0.02)
    least = loss_of(learned, rows, labels, first, 10.0, 0.02)
    assert least < loss_of(first, rows, labels, first, 10.0, 0.02) - 0.01
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(20):
            other = learned + size * rng.normal(size=learned.shape) / WIDTH
            assert loss_of(other, rows, labels, first, 10.0, 0.02) >= least - 1e-9


def test_a_heavy_weight_keeps_the_map_and_the_lengths_of_rows_say_nothing():
    rows, labels = made_images(12)
    features, first = rows.astype(np.float64), np.eye(WIDTH)
    kept = fit_projection(features, labels, TEXTS, first, scale=10.0, weight=1e9)
    np.testing.assert_allclose(kept, first, atol=1e-6)
    told = Projection(fit_projection(features, labels, TEXTS, first, scale=10.0, weight=0.1), "f", False, 10.0)
    np.testing.assert_allclose(told.rows(7 * features), told.rows(features))


def test_it_wins_over_zero_shot_where_the_images_say_what_the_texts_do_not():
    part, truth = made_part(shots=4, test=200)
    scored = ProLip(shots=4).run(part)
    gained = (scored.logits.argmax(1) == truth).mean() - (scored.controls["zero-shot"][0] == truth).mean()
    assert gained > 0.15
    np.testing.assert_allclose(sum(scored.parts.values()), scored.logits)


def test_the_weight_is_one_over_the_shots_at_the_papers_scale():
    part, _ = made_part(shots=4)
    weight, scale = ProLip(shots=4).run(part).choices
    assert weight.value == pytest.approx((scale.value / 100) ** 2 / 4)
    assert ProLip(weight=3.0).run(part).choices[0].value == 3.0


def test_labels_that_say_nothing_bring_nothing():
    part, truth = made_part(shots=4, test=200)
    assert part.shots is not None
    assert part.shots.labels is not None
    wrong = replace(part, shots=replace(part.shots, labels=np.random.default_rng(0).permutation(part.shots.labels)))
    assert (ProLip(shots=4).run(wrong).logits.argmax(1) == truth).mean() < 0.5


def test_a_map_that_was_saved_scores_as_before_and_other_files_are_refused(tmp_path: Path):
    part, _ = made_part(shots=4)
    file = tmp_path / "deep" / "map.npz"
    made = ProLip(shots=4, save=str(file)).run(part)
    assert f"The map is saved in {file}." in made.notes
    again = ProLip(shots=4, save=str(file)).run(part)  # the other half's, or another day's: what is there is kept
    assert "The map is saved in " in " ".join(again.notes)
    assert (file.parent / "map-2.npz").is_file()
    loaded = ProLip(load=str(file)).run(replace(part, shots=None))
    np.testing.assert_allclose(loaded.logits, made.logits)
    assert "A map that was fitted before was used" in " ".join(loaded.notes)
    (tmp_path / "other.npz").write_bytes(b"no zip")
    for name, said in (("other.npz", "is not a map"), ("none.npz", "There is no file")):
        with pytest.raises(InvalidInput, match=said):
            load_projection(tmp_path / name, part.encoder)
    save_projection(Projection(np.eye(3), "another", False, 10.0), tmp_path / "map.npz")
    with pytest.raises(InvalidInput, match="behind another encoder"):
        load_projection(tmp_path / "map.npz", part.encoder)
    save_projection(Projection(np.full((3, 3), np.nan), part.encoder.fingerprint, False, 10.0), tmp_path / "nan.npz")
    with pytest.raises(InvalidInput, match="damaged"):
        load_projection(tmp_path / "nan.npz", part.encoder)
    save_projection(Projection(np.eye(3), part.encoder.fingerprint, False, 10.0), tmp_path / "small.npz")
    with pytest.raises(InvalidInput, match=r"must be \(24, 24\), .* got \(3, 3\)"):
        ProLip(load=str(tmp_path / "small.npz")).run(replace(part, shots=None))


def test_it_runs_as_a_probe_by_halves_and_serves_classes_that_taught_nothing():
    task = made_task()
    result = run_probe("prolip", make_probe("prolip", {"shots": "2"}), task)
    assert len(result.rows) == len(task.samples)
    apart = base_to_new("prolip", make_probe("prolip", {"shots": "2"}), task)
    assert apart.n_base + apart.n_new == len(task.samples)
