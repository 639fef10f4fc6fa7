"""A question that says the title of a confirmed cluster is told of that cluster first."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from core.checks.questions import ask
from core.language.naming import name_cluster
from core.records import EVERYTHING, ClusterName, ClusterPart, Diagnosis, FailureCluster, Insight
from core.reports.tables.answers import answer_document
from core.reports.wording.answers import answer_sentence
from core.reports.wording.findings import cluster_figures
from tests.core.checks.test_asked_conditions import run_with_darkness
from tests.support.planted_words import WordTower


def called(text: str, *words: str) -> ClusterName:
    return ClusterName(text, "property", grade="likely", chance=0.9, words=words)


def dark_cluster() -> tuple[Diagnosis, WordTower, FailureCluster, Insight]:
    """A run whose one cluster lies in a class and is titled by its darkness; with its condition."""
    run, tower = run_with_darkness()
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    title = called(f"Dark images of {own.scope}s", "dark", "at night")
    cluster = replace(run.clusters[0], scope=own.scope, called=title)
    return replace(run, clusters=(cluster,)), tower, cluster, own


def test_the_title_of_a_confirmed_cluster_of_the_class_brings_the_cluster_first() -> None:
    titled, tower, cluster, own = dark_cluster()
    assert cluster.called is not None
    plural = f"dark {own.scope}s"
    texts = [f"a dark {own.scope}", f"{own.scope}: dark", plural, cluster.called.text, f"a dark image of a {own.scope}"]
    for answer in ask(titled, texts, encoder=tower):
        said = answer_sentence(titled, answer)
        figures = cluster_figures(titled, cluster)
        assert f'Group 1, "Dark images of {own.scope}s", is confirmed: {figures}.' in said
        assert answer.cluster is cluster
        told = answer_document(titled, answer)["cluster"]
        assert (told["id"], told["scope"], told["size"], told["p"]) == (0, own.scope, cluster.size, cluster.p)
    assert ", is confirmed: " in answer_sentence(titled, *ask(titled, [plural], encoder=tower))


def test_what_does_not_say_the_title_brings_no_cluster() -> None:
    titled, tower, cluster, own = dark_cluster()
    plural, other = f"dark {own.scope}s", next(name for name in titled.samples.class_names if name != own.scope)
    texts = [f"a bright {own.scope}", f"a {own.scope} that is not dark", f"a dark {other}", "in dim light"]
    texts += [f"a dark {own.scope} in snow", f"a dark {own.scope} and a {other}", f"a {own.scope} at night"]
    unconfirmed = replace(titled, clusters=(replace(cluster, confirmed=False),))
    others = [replace(titled, clusters=(replace(cluster, scope=EVERYTHING),)), unconfirmed]
    others.append(replace(titled, clusters=(replace(cluster, called=called("Bright images", "bright")),)))
    answers = [*ask(titled, texts, encoder=tower), *(ask(one, [plural], encoder=tower)[0] for one in others)]
    for answer in answers:
        assert (answer.cluster, answer_document(titled, answer)["cluster"]) == (None, None), answer.text


def test_a_cluster_of_all_samples_is_brought_by_a_text_that_names_no_class() -> None:
    titled, tower, cluster, own = dark_cluster()
    everywhere = replace(cluster, scope=EVERYTHING, called=called("Dark images", "dark"))
    run = replace(titled, insights=(), clusters=(everywhere,))
    (title,) = ask(run, ["dark images"], encoder=tower)
    (of_class,) = ask(run, [f"a dark {own.scope}"], encoder=tower)
    assert title.cluster is everywhere
    assert of_class.cluster is None


def test_the_title_that_the_run_itself_gives_brings_its_cluster() -> None:
    run, tower = run_with_darkness()
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    dark = replace(run.clusters[0], scope=own.scope, membership=own.mask.astype(float), size=own.size)
    rows = np.flatnonzero(run.samples.labels == run.samples.class_names.index(own.scope))
    title = name_cluster(dark, run.insights, run.samples, run.outcomes, rows, run.words)
    cluster = replace(dark, called=title)
    (answer,) = ask(replace(run, clusters=(cluster,)), [title.text], encoder=tower)
    assert answer.cluster is cluster


@pytest.mark.parametrize("grade", ["likely", "perhaps"])
def test_either_part_of_a_cluster_of_two_kinds_brings_it(grade: Literal["likely", "perhaps"]) -> None:
    titled, tower, cluster, own = dark_cluster()
    parts = tuple(ClusterPart(f"{text} {own.scope}s", (text,), 0.8, np.arange(4), 0.5) for text in ("dark", "striped"))
    text = f"Dark {own.scope}s (50%) and striped {own.scope}s (50%)"
    two = replace(cluster, called=ClusterName(text, "parts", grade=grade, chance=0.8, parts=parts))
    run = replace(titled, clusters=(two,))
    for answer in ask(run, [f"a dark {own.scope}", f"striped {own.scope}s", text], encoder=tower):
        assert answer.cluster is two, answer.text


def test_of_two_clusters_the_one_of_that_very_title_is_meant_and_else_neither() -> None:
    titled, tower, cluster, own = dark_cluster()
    dark = replace(cluster, called=called(f"Dark {own.scope}s", "dark"))
    guess = ClusterName(f"Perhaps: {own.scope}s at night, dark", "phrase", grade="perhaps", words=("at night", "dark"))
    night = replace(cluster, id=1, called=guess)
    both, alone = (replace(titled, clusters=c) for c in ((night, dark), (night,)))
    one, either = ask(both, [f"a dark {own.scope}", f"poorly lit {own.scope}s"], encoder=tower)
    assert (one.cluster, either.cluster) == (dark, None)
    for answer in ask(alone, [f"a dark {own.scope}", f"{own.scope}s at night", guess.text], encoder=tower):
        assert answer.cluster is night, answer.text


def test_a_cluster_makes_a_condition_that_says_the_same_needless() -> None:
    titled, tower, cluster, own = dark_cluster()
    instead = replace(own, text="tint = blue", tests=(("tint", "=", "blue"),), proxies=("brightness at most 0.213",))
    without, titled = (replace(titled, insights=(instead,), clusters=c) for c in ((), (cluster,)))
    alone, beside = (ask(one, [f"a dark {own.scope}"], encoder=tower)[0] for one in (without, titled))
    assert (alone.condition, alone.cluster) == (instead, None)
    assert (beside.condition, beside.cluster) == (None, cluster)
    poorly = ask(titled, [f"poorly lit {own.scope}s"], encoder=tower)[0]
    assert poorly.cluster is cluster
