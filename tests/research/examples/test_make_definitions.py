"""The example of texts: read from WordNet's own file, and what the README says of it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.store import load
from research.examples.make_definitions import FOLDER, drawn, probabilities, read_definitions

HEAD = "  1 This software and database is being provided to you, the LICENSEE, by\n"
LINE = "{at:08d} {kind:02d} n 01 {word} 0 001 @ 00002137 n 0000 | {gloss}  \n"


def test_definitions_are_read_without_their_examples_and_equal_ones_once(tmp_path: Path) -> None:
    lines = [
        (5, "sea_dog", 'a seal that barks; "the sea dog slept"'),
        (5, "other", "A seal that barks"),
        (4, "act", "something that people do"),
        (15, "town", "two words"),
        (15, "spa", "a place with a spring; near hills"),
    ]
    text = HEAD + "".join(LINE.format(at=i, kind=k, word=w, gloss=g) for i, (k, w, g) in enumerate(lines))
    (tmp_path / "data.noun").write_text(text)
    found = read_definitions(tmp_path / "data.noun")
    assert [(one.word, one.text, one.kind) for one in found] == [
        ("sea dog", "a seal that barks", "animal"),
        ("spa", "a place with a spring; near hills", "place"),
    ]


def test_no_definition_is_both_fitted_and_scored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["red", "old", "soft", "wide", "cold", "thin", "loud"]
    glosses = [f"{words[i % 3]} {words[rng.integers(3, 7)]} thing {i}" for i in range(2100)]
    kinds_of = (5, 15, 20)
    text = "".join(LINE.format(at=i, kind=kinds_of[i % 3], word=f"w{i}", gloss=g) for i, g in enumerate(glosses))
    (tmp_path / "data.noun").write_text(text)
    fitted, scored = drawn(read_definitions(tmp_path / "data.noun"))
    assert (len(fitted), len(scored)) == (1200, 600)
    assert not {one.text for one in fitted} & {one.text for one in scored}
    said, kinds = probabilities(fitted, scored)
    right = np.mean([kinds[int(row.argmax())] == one.kind for row, one in zip(said, scored)])
    assert right > 0.9  # the first word tells


def test_the_readme_says_the_figures_of_the_run_that_ships() -> None:
    said = re.sub(r"\s+", " ", (FOLDER.parent / "README.md").read_text("utf-8"))
    run = load(FOLDER / "run.errata")
    wrong = run.outcomes.errors
    assert wrong is not None
    assert run.samples.labels is not None
    n = len(wrong)
    assert f"| `definitions` | {n:,} texts | {wrong.sum()} ({100 * wrong.mean():.1f}%)" in said
    place = run.samples.labels == run.samples.class_names.index("place")
    confirmed = {(i.scope, i.text): i for i in run.insights if i.confirmed}
    nameless = confirmed["place", "no capital letter"]
    failing = wrong[nameless.mask]
    others = place & ~nameless.mask
    assert nameless.p is not None
    assert nameless.p < 0.001
    assert (
        f"of the {len(failing)} places whose definition holds no capital letter {failing.sum()} are wrong "
        f"({100 * failing.mean():.0f}%), of the other {others.sum()} places {wrong[others].sum()} "
        f"({100 * wrong[others].mean():.1f}%)"
    ) in said
    assert len(run.clusters) == 7
    assert {cluster.scope for cluster in run.clusters} == set(run.samples.class_names) - {"artifact"}
