"""The sentence of a sample, and what such sentences are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.checks.reasons import Ground, SampleReason
from core.discovery.called import cluster_name
from core.records import EVERYTHING, CauseKind, Diagnosis, Estimate, Faithfulness, KindFaithfulness
from core.reports.wording.reasons import (
    RULE,
    faithfulness_lines,
    faithfulness_sentence,
    kinds_table,
    nothing_known,
    reason_sentence,
    sentence_of,
)
from tests.support.diagnoses import make_diagnosis


def kind(name: CauseKind, n_named: int, value: float = 0.7) -> KindFaithfulness:
    area = Estimate(value, value - 0.05, value + 0.05)
    return KindFaithfulness(name, 100, 20, n_named, area, 0.5, 0.1)


def test_the_sentence_of_a_sample_names_what_is_known_and_no_more(
    diagnosis: Diagnosis, golden: Callable[..., None]
) -> None:
    errors, own = diagnosis.outcomes.errors, diagnosis.clusters[0]
    assert errors is not None
    wrong, right = int(np.flatnonzero(errors)[0]), int(np.flatnonzero(~errors)[0])
    fog = (Ground("condition", "weather = fog"),)
    every = (
        Ground("cluster", number=0),
        Ground("condition", "light = low"),
        Ground("condition", "at least one negation"),
        Ground("phrase", "in the dark", scope="bus"),
        Ground("class", "bus"),
        Ground("neighbours", number=3),
    )
    twice = tuple(
        Ground("phrase", text, scope=scope)
        for text, scope in (("far away", ""), ("far away", "bus"), ("in the dark", "bus"), ("in the dark", "car"))
    )
    assert cluster_name(diagnosis, own).title_words == (diagnosis.insights[0].text,)
    scope = "" if own.scope == EVERYTHING else own.scope
    titled = (Ground("cluster", number=own.id), Ground("condition", diagnosis.insights[0].text, scope=scope))
    scenes = {
        "Every kind of ground": [(0, 1.2, True, every)],
        "A wrong one, one whose failure was likely, and a right one": [
            (wrong, 0.3, False, fog),
            (wrong, 1.2, True, fog),
            (right, 1.2, True, fog),
        ],
        "Each phrase once, with its scopes": [(0, 0.3, False, twice)],
        "What the title says is not said again": [(0, 0.3, False, titled)],
        "Many conditions are counted": [(0, 1, False, tuple(Ground("condition", f"c{i} = x") for i in range(5)))],
        "A joined one apart from the next": [
            (0, 1, False, (Ground("condition", "a = x and b = y"), Ground("condition", "c = z")))
        ],
        "No ground, no sentence": [(0, 9.0, True, ())],
    }
    golden(
        "reasons.txt",
        {title: [sentence_of(diagnosis, SampleReason(*one)) for one in reasons] for title, reasons in scenes.items()}
        | {"Nothing known of a wrong one and of a right one": [nothing_known(diagnosis, row) for row in (wrong, right)]}
        | {"The rule with its numbers": RULE},
    )
    nothing = replace(make_diagnosis(n_clusters=0), insights=(), classes=())
    assert not any(reason_sentence(nothing, row) for row in range(60))


def test_what_the_sentences_are_worth_is_said_with_interval_and_n(
    diagnosis: Diagnosis, golden: Callable[..., None]
) -> None:
    found = Faithfulness((kind("cluster", 30), kind("phrase", 0), kind("any", 40, 0.72)))
    unknown = replace(diagnosis, outcomes=replace(diagnosis.outcomes, errors=None))
    none, refused = Faithfulness((kind("any", 0),)), Faithfulness(refused="Too few.")
    golden(
        "faithfulness.txt",
        {
            "Each kind": faithfulness_lines(diagnosis, found),
            "The first of these alone": faithfulness_sentence(diagnosis, found),
            "Not told from chance": faithfulness_sentence(diagnosis, Faithfulness((kind("any", 40, 0.54),))),
            "Where errors are unknown": faithfulness_sentence(unknown, Faithfulness((kind("any", 40),))),
            "Not measured": faithfulness_lines(diagnosis, refused),
            "Nothing confirmed": faithfulness_lines(diagnosis, none),
            "As a table": [" | ".join(row) for row in kinds_table(found)],
        },
    )
    assert kinds_table(none) == kinds_table(refused) == []


def test_a_sample_without_a_prediction_names_none(diagnosis: Diagnosis) -> None:
    none = replace(diagnosis, outcomes=replace(diagnosis.outcomes, predictions=np.full(60, -1, np.int64)))
    reason = SampleReason(0, 1.0, False, (Ground("neighbours", number=3),))
    assert "Predicted" in sentence_of(diagnosis, reason)
    assert "Predicted" not in sentence_of(none, reason)


def test_causes_that_point_the_wrong_way_are_said_to(diagnosis: Diagnosis) -> None:
    whole = kind("any", 20, 0.32)
    text = faithfulness_sentence(diagnosis, Faithfulness((whole,)))
    assert text.startswith("Samples with a named cause are wrong less often")
