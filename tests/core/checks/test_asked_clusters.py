"""A question that says the title of a confirmed cluster of the class that it names is told of that cluster first."""

from __future__ import annotations

from dataclasses import replace

from core.checks.questions import ask
from core.records import EVERYTHING, ClusterName
from core.reports.tables.answers import answer_document
from core.reports.wording.answers import answer_sentence
from core.reports.wording.summary import cluster_sentence
from tests.core.checks.test_asked_conditions import run_with_darkness


def test_the_title_of_a_confirmed_cluster_of_the_class_brings_the_cluster_first() -> None:
    run, tower = run_with_darkness()
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    wide, title = run.clusters[0], ClusterName(f"dark ({own.text})", "property")
    cluster = replace(wide, scope=own.scope, called=title)
    titled, plural = replace(run, clusters=(cluster,)), f"dark {own.scope}s"
    for text in (f"a dark {own.scope}", f"{own.scope}: dark", plural, f"{own.scope}: {title.text}"):
        (answer,) = ask(titled, [text], encoder=tower)
        said = answer_sentence(titled, answer)
        assert said.startswith(
            f'These words may mean cluster 1, "{own.scope}: dark ({own.text})", which is confirmed: '
        )
        assert f"which is confirmed: {cluster_sentence(titled, cluster)}." in said
        assert answer.cluster is cluster
        assert answer_document(titled, answer)["cluster"] == {
            "id": 0,
            "scope": own.scope,
            "size": cluster.size,
            "p": cluster.p,
            "measure": cluster.measure,
        }
    assert "They may also mean" in answer_sentence(titled, *ask(titled, [plural], encoder=tower))
    other = next(name for name in run.samples.class_names if name != own.scope)
    texts = [f"a bright {own.scope}", f"a {own.scope} that is not dark", f"a dark {other}", "in dim light"]
    texts += [f"a dark {own.scope} in snow", f"a dark {own.scope} and a {other}"]
    unconfirmed = replace(titled, clusters=(replace(cluster, confirmed=False),))
    others = [replace(titled, clusters=(replace(cluster, scope=EVERYTHING),)), unconfirmed]
    bright = replace(cluster, called=ClusterName("bright", "property"))
    others.append(replace(titled, clusters=(bright,)))
    answers = [*ask(titled, texts, encoder=tower), *(ask(one, [plural], encoder=tower)[0] for one in others)]
    for answer in answers:
        assert (answer.cluster, answer_document(titled, answer)["cluster"]) == (None, None), answer.text


def test_a_cluster_makes_a_condition_that_says_the_same_needless() -> None:
    run, tower = run_with_darkness()
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    instead = replace(own, text="tint = blue", tests=(("tint", "=", "blue"),), proxies=("brightness at most 0.213",))
    cluster = replace(run.clusters[0], scope=own.scope, called=ClusterName("dark", "property"))
    without, titled = (replace(run, insights=(instead,), clusters=c) for c in ((), (cluster,)))
    alone, beside = (ask(one, [f"a dark {own.scope}"], encoder=tower)[0] for one in (without, titled))
    assert (alone.condition, alone.cluster) == (instead, None)
    assert (beside.condition, beside.cluster) == (None, cluster)
    poorly = ask(titled, [f"poorly lit {own.scope}s"], encoder=tower)[0]
    assert poorly.cluster is cluster
