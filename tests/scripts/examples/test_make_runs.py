"""The shipped runs are what the shipped data give."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.discovery.settings import Settings
from core.probes.reference.names import KEY
from core.reports.wording.findings import cluster_title
from core.store import load
from scripts.examples.make_runs import EXAMPLES, diagnose_example


def check_that_it_says_the_same(name: str) -> None:
    """Of what is claimed; the map and the planted failures, which take longest and change no claim, are left out."""
    shipped = load(EXAMPLES / name / "run")
    again = diagnose_example(name, Settings(map=False, sensitivity=False))
    assert again.fingerprint == shipped.fingerprint or np.allclose(
        again.embeddings.vectors, shipped.embeddings.vectors, atol=2e-3
    )
    assert [(c.scope, c.size) for c in again.clusters] == [(c.scope, c.size) for c in shipped.clusters]
    for mine, theirs in zip(again.clusters, shipped.clusters):
        assert ((mine.membership >= 0.5) == (theirs.membership >= 0.5)).mean() > 0.99
        assert mine.p == pytest.approx(theirs.p, abs=0.005)
        assert mine.excess_loss.value == pytest.approx(theirs.excess_loss.value, abs=0.02)
    assert [i.text for i in again.insights if i.confirmed] == [i.text for i in shipped.insights if i.confirmed]


@pytest.mark.slow
class TestRendered:
    """Classes may run on different workers."""

    @pytest.mark.parametrize("name", ["scenes", "nothing_to_find", "clips", "scans"])
    def test_an_example_made_again_says_the_same(self, name: str) -> None:
        check_that_it_says_the_same(name)


@pytest.mark.slow
class TestReal:
    @pytest.mark.parametrize("name", ["clothing", "definitions"])
    def test_an_example_made_again_says_the_same(self, name: str) -> None:
        check_that_it_says_the_same(name)


def test_the_clips_show_that_those_with_a_cut_fail() -> None:
    run = load(EXAMPLES / "clips" / "run")
    truth = json.loads((EXAMPLES / "clips" / "truth.json").read_text())
    cut = np.array([truth[name]["has_cut"] for name in run.samples.ids])
    found = next(i for i in run.insights if i.confirmed and i.text == "cuts = 1" and i.scope == "all samples")
    assert (found.mask == cut).mean() > 0.95
    said = (EXAMPLES / "README.md").read_text()
    wrong = run.outcomes.errors
    assert wrong is not None
    assert f"| `clips` | {len(cut)} clips, 96 x 96 | {wrong.sum()} ({100 * wrong.mean():.1f} %)" in said
    assert f"{wrong[cut].sum()} of the {cut.sum()} with a cut are wrong and {wrong[~cut].sum()} of the others" in said


def test_the_scans_show_that_those_with_a_bias_field_fail() -> None:
    run = load(EXAMPLES / "scans" / "run")
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
    assert f"excess {excess.value:.2f} (95 % {excess.low:.2f} to {excess.high:.2f})" in said
    reference = run.extras[KEY]
    (dice,) = (one["dice"] for one in reference["structures"])
    assert f"Dice {dice['network']['value']:.2f} by the network, {dice['vote']['value']:.2f} by the vote" in said
    found = reference["correlation"]["network"]
    assert not reference["offered"]
    assert f"{found['value']:.2f}, may be as low as {found['low']:.2f}" in said


def test_the_scenes_show_what_was_planted_and_the_null_set_nothing():
    scenes, nothing = load(EXAMPLES / "scenes" / "run"), load(EXAMPLES / "nothing_to_find" / "run")
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
