"""The shipped runs are what the shipped data give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.data.samples import read_data_set
from core.discovery import clusters
from core.discovery.method import diagnose_records
from core.discovery.provenance import settings_of
from core.discovery.search.family_test import FamilyTest, read_family
from core.discovery.settings import DEFAULTS, Settings
from core.embeddings.rows import read_rows
from core.encoders import Encoder, encoder_for, load_encoder
from core.language.phrases import phrase_directions
from core.language.vocabulary import read_vocabulary
from core.records import Diagnosis
from core.reports.wording.findings import cluster_title
from core.store import load
from core.systems.neuralizer.reference.wording import KEY
from research.examples.compare_runs import HALVED, differences
from research.examples.make_runs import EXAMPLES, check, with_check

EVERY = ("scenes", "nothing_to_find", "clips", "scans", "clothing", "definitions")
IN_FULL = ("scans",)
BY_PARTS = tuple(name for name in EVERY if name not in IN_FULL)
N_READ, N_SPOKEN, N_FEW = 12, 6, 512
"""Of the examples that are made again by parts: so many samples are read again, so many phrases spoken again, and the
search is tested with so many permutations."""


def encoder_of(run: Diagnosis) -> Encoder:
    return load_encoder(encoder_for(run.samples.modality, "embedded"))


def some(n: int, count: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).choice(n, count, replace=False))


@pytest.mark.parametrize("name", EVERY)
def test_a_run_is_of_the_table_beside_it_and_of_today_s_defaults(name: str) -> None:
    folder, run = EXAMPLES / name, load(EXAMPLES / name / "run.errata")
    archive = folder / "images.zip"
    read = read_data_set(folder / "table.csv", images=archive if archive.is_file() else None)
    assert read.samples.ids == run.samples.ids
    assert read.samples.class_names == run.samples.class_names
    labels, kept_labels = read.samples.labels, run.samples.labels
    assert (labels is None) == (kept_labels is None)
    assert labels is None or kept_labels is None or np.array_equal(labels, kept_labels)
    # the last digit of a logarithm is the processor's
    np.testing.assert_allclose(read.outcomes.loss, run.outcomes.loss, rtol=1e-12)
    kept = {column.name: column.values.tolist() for column in run.samples.metadata}
    assert all(kept[column.name] == column.values.tolist() for column in read.samples.metadata)
    defaults = replace(DEFAULTS, n_permutations=DEFAULTS.permutations(len(run.samples)))
    of_today = settings_of(defaults, replace(run.embeddings, space=encoder_of(run).finding_space), 0.0)
    own = ("alpha_inside",)  # of the data, too
    assert plain(run.settings, own) == plain(of_today, own)


def plain(settings: Mapping[str, Any], without: tuple[str, ...]) -> dict[str, Any]:
    """The settings as they are after a journey through a document."""
    return json.loads(json.dumps({key: value for key, value in settings.items() if key not in without}))


def test_the_check_on_new_data_stays_with_the_findings_that_were_checked_and_with_no_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shipped = load(EXAMPLES / "scenes" / "run.errata")
    again = replace(shipped, prediction=None)
    assert with_check(again, shipped).prediction is shipped.prediction
    assert capsys.readouterr().out == ""
    assert with_check(replace(again, clusters=again.clusters[:1]), shipped).prediction is None
    assert "other findings than those checked" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_FULL)
def test_an_example_made_again_says_the_same(name: str) -> None:
    assert check(name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_PARTS)
class TestByParts:
    """From the images or texts to the vectors, and from the stored vectors to what is said; all of it in one go:
    `python -m research.examples.make_runs --check`."""

    def test_samples_read_again_are_seen_and_measured_as_they_were(self, name: str) -> None:
        folder, run = EXAMPLES / name, load(EXAMPLES / name / "run.errata")
        archive = folder / "images.zip"
        items = read_data_set(folder / "table.csv", images=archive if archive.is_file() else None).samples.items
        rows = some(len(run.samples), N_READ)
        reading = read_rows(items.keep(rows), encoder_of(run), modality=run.samples.modality)
        assert np.allclose(reading.embeddings.vectors, run.embeddings.vectors[rows], atol=HALVED)
        assert np.allclose(reading.joint.vectors, run.words.joint.vectors[rows], atol=HALVED)
        kept = {column.name: column.values[rows].tolist() for column in run.samples.metadata}
        for column in reading.properties:
            of_today = column.values.tolist()
            if column.kind == "number":  # in six digits, whatever the order of a sum was
                assert of_today == pytest.approx(kept[column.name], rel=1e-6, abs=1e-7, nan_ok=True), column.name
            else:
                assert of_today == kept[column.name], column.name

    def test_phrases_spoken_again_point_where_they_did(self, name: str) -> None:
        run, words = load(EXAMPLES / name / "run.errata"), load(EXAMPLES / name / "run.errata").words
        encoder, rows = encoder_of(run), some(len(words.phrases), N_SPOKEN)
        shipped = read_vocabulary(None, encoder.modality)
        assert set(words.phrases) <= {phrase.text for phrase in shipped.phrases}
        said = {phrase.text: phrase for phrase in shipped.phrases}
        few = replace(shipped, phrases=tuple(said[words.phrases[i]] for i in rows))
        nouns = [run.samples.class_names[c] for c in np.unique(run.samples.labels)]
        assert np.allclose(phrase_directions(few, encoder, nouns), words.directions[rows], atol=HALVED)

    def test_the_stored_vectors_lead_to_what_is_said(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        run = load(EXAMPLES / name / "run.errata")
        monkeypatch.setattr(clusters, "read_family", with_null_of(run))
        few = Settings(map=False, sensitivity=False, n_permutations=N_FEW)
        again = diagnose_records(run.samples, run.outcomes, run.embeddings, words=run.words, settings=few)
        assert again.estimate.predicted == pytest.approx(run.estimate.predicted, abs=2e-3)
        # A p of .02 has an error of .006 with so few, and what an excess is shrunk by follows the p.
        assert differences(again, run, off_p=0.025, off_loss=0.1) == []


def with_null_of(run: Diagnosis) -> Callable[..., FamilyTest]:
    """`read_family` whose first null, once it is known to begin as that of the run, is that of the run: so that few
    permutations decide nothing of what the first test says."""
    first, whole = [True], run.family_null
    assert whole is not None

    def read(*given: Any, **named: Any) -> FamilyTest:
        test = read_family(*given, **named)
        if not first:
            return test
        first.clear()
        drawn = bool((np.diff(whole) < 0).any())  # of groups across classes it is kept by size
        assert not drawn or np.median(np.abs(test.null - whole[:N_FEW])) < 1e-6
        return replace(test, null=whole)

    return read


def test_a_difference_is_told() -> None:
    run = load(EXAMPLES / "scans" / "run.errata")
    (one,) = run.clusters
    assert differences(run, run) == []
    assert "clusters" in differences(replace(run, clusters=()), run)[0]
    worse = replace(one, p=0.04, name="another", excess_loss=replace(one.excess_loss, value=0.9))
    told = differences(replace(run, clusters=(worse,)), run)
    assert [line.split(": ")[1].split()[0] for line in told] == ["p", "excess", "called"]
    assert "confirmed" in differences(replace(run, insights=()), run)[0]
    extras = {KEY: run.extras[KEY] | {"offered": True}}
    assert "reference" in differences(replace(run, extras=extras), run)[0]
    other = replace(run.embeddings, vectors=run.embeddings.vectors[:, ::-1])
    assert differences(replace(run, embeddings=other, fingerprint=""), run) == ["the vectors differ"]


def test_the_clips_show_that_those_with_a_cut_fail() -> None:
    run = load(EXAMPLES / "clips" / "run.errata")
    truth = json.loads((EXAMPLES / "clips" / "truth.json").read_text())
    cut = np.array([truth[name]["has_cut"] for name in run.samples.ids])
    found = next(i for i in run.insights if i.confirmed and i.text == "cuts = 1" and i.scope == "all samples")
    assert (found.mask == cut).mean() > 0.95
    said = (EXAMPLES / "README.md").read_text()
    wrong = run.outcomes.errors
    assert wrong is not None
    assert f"| `clips` | {len(cut)} clips, 96 x 96 | {wrong.sum()} ({100 * wrong.mean():.1f}%)" in said
    assert f"{wrong[cut].sum()} of the {cut.sum()} with a cut are wrong and {wrong[~cut].sum()} of the others" in said


def test_the_scans_show_that_those_with_a_bias_field_fail() -> None:
    run = load(EXAMPLES / "scans" / "run.errata")
    truth = json.loads((EXAMPLES / "scans" / "truth.json").read_text())
    spoilt = np.array([truth[name]["has_bias_field"] for name in run.samples.ids])
    (cluster,), loss = run.clusters, run.outcomes.loss
    assert spoilt[cluster.membership >= 0.5].all()
    assert run.samples.items is not None
    assert len(run.samples.items.marks(0)) == 2
    said = " ".join((EXAMPLES / "README.md").read_text().split())
    assert f"| `scans` | {len(spoilt)} slices, 96 x 96 | mean 1 - Dice {loss.mean():.3f} |" in said
    assert f"Mean loss is {loss[spoilt].mean():.3f} with a bias field and {loss[~spoilt].mean():.3f} without" in said
    excess, name = cluster.excess_loss, cluster_title(run, cluster)
    assert f'one cluster of {cluster.size}, all of them with a field, called "{name}"' in said
    assert f"excess {excess.value:.2f} (95% {excess.low:.2f} to {excess.high:.2f})" in said
    reference = run.extras[KEY]
    (dice,) = (one["dice"] for one in reference["structures"])
    assert f"Dice {dice['network']['value']:.2f} by the network, {dice['vote']['value']:.2f} by the vote" in said
    found = reference["correlation"]["network"]
    assert not reference["offered"]
    assert f"{found['value']:.2f}, may be as low as {found['low']:.2f}" in said


def test_the_scenes_show_what_was_planted_and_the_null_set_nothing():
    scenes, nothing = load(EXAMPLES / "scenes" / "run.errata"), load(EXAMPLES / "nothing_to_find" / "run.errata")
    dark, small = (
        next(i for i in scenes.insights if i.confirmed and i.text == text and i.scope == scope)
        for text, scope in (("light = dark", "animal"), ("object_size = small", "all samples"))
    )
    planted = {
        entry["sentence"]: set(entry["files"])
        for entry in json.loads((EXAMPLES / "scenes" / "truth.json").read_text())["planted"]
    }
    for insight, sentence in ((dark, "animals in the dark"), (small, "small objects")):
        found = {scenes.samples.ids[i] for i in np.flatnonzero(insight.mask)}
        assert planted[sentence] <= found
    assert not nothing.clusters
    assert not any(i.confirmed for i in nothing.insights)
    assert not any(c.confirmed for c in nothing.classes)
