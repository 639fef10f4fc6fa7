"""Titles are listed with the rates that the run holds, and a model is asked for what it never saw."""

import pandas as pd

from core.store import load
from research.evidence.title_tables import EXAMPLES, lines, numbers


def test_a_line_says_title_and_rates_as_observed():
    found = load(EXAMPLES / "scenes/run.errata")
    dark, inside = found.clusters[1], found.clusters[1].membership >= 0.5
    outside = (found.samples.labels == found.samples.class_names.index(dark.scope)) & ~inside
    rates = (f"{100 * found.outcomes.errors[rows].mean():.2g}%" for rows in (inside, outside))
    assert lines(found)[1].endswith(f"| confirmed | {dark.scope} | {inside.sum()} | {' | '.join(rates)} |")


def test_the_regression_is_asked_for_kinds_that_taught_it_nothing(tmp_path):
    kinds = ["cue-conflict"] * 60 + ["silhouette"] * 30
    frame = pd.DataFrame({"kind": kinds, "shape_class": ["dog", "cat"] * 45, "human_acc": [0.9] * 60 + [0.1] * 30})
    frame[[f"pred_{name}" for name in ("alexnet_caffe", "googlenet_caffe", "vgg16_caffe", "resnet50")]] = "dog"
    (tmp_path / "cue_conflict").mkdir()
    frame.to_csv(tmp_path / "cue_conflict/index.csv", index=False)
    table = numbers(tmp_path).table
    assert (table["kind"] == "silhouette").sum() == 30
    assert (table["guess"].round(6) == 0.9).all()
