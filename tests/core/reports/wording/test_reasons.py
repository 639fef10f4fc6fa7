"""The sentence of a sample, and what such sentences are worth."""

from __future__ import annotations

import re
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


def test_a_sentence_names_what_is_known_and_no_more(diagnosis: Diagnosis) -> None:
    grounds = (
        Ground("cluster", number=0),
        Ground("condition", "light = low"),
        Ground("condition", "at least one negation"),
        Ground("phrase", "in the dark", scope="bus"),
        Ground("class", "bus"),
        Ground("neighbours", number=3),
    )
    said = sentence_of(diagnosis, SampleReason(0, 1.2, True, grounds))
    assert said.startswith("Failed, as was likely (expected loss 1.20 nats, the worst tenth): it lies in cluster 1")
    assert "it has what confirmed findings have: light = low and at least one negation;" in said
    assert 'it is among the images most like "in the dark" (within bus), which fail more than others;' in said
    assert "its class bus fails more than the others; 3 of its 5 nearest samples fail." in said
    assert re.search(r'The model answers "(bus|car|tram)"\.$', said)
    assert not re.search(r"\bbecause\b|\bcauses? it\b|\bdue to\b", said)
    assert sentence_of(diagnosis, SampleReason(0, 0.3, False, grounds[1:2])).startswith("Failed (expected loss 0.30")


def test_of_a_sample_that_failed_it_is_said_that_it_did(diagnosis: Diagnosis) -> None:
    errors = diagnosis.outcomes.errors
    assert errors is not None
    wrong, right = int(np.flatnonzero(errors)[0]), int(np.flatnonzero(~errors)[0])
    ground = (Ground("condition", "weather = fog"),)
    assert sentence_of(diagnosis, SampleReason(wrong, 0.3, False, ground)).startswith("Failed (expected loss 0.30")
    assert sentence_of(diagnosis, SampleReason(wrong, 1.2, True, ground)).startswith(
        "Failed, as was likely (expected loss 1.20 nats, the worst tenth): it has"
    )
    assert sentence_of(diagnosis, SampleReason(right, 1.2, True, ground)).startswith("Likely to fail (expected loss")
    assert nothing_known(diagnosis, wrong).startswith("Nothing is known of why this sample failed:")
    assert nothing_known(diagnosis, right).startswith("Nothing is known of why this sample may fail:")


def test_each_finding_is_said_once(diagnosis: Diagnosis) -> None:
    grounds = (
        Ground("phrase", "far away"),
        Ground("phrase", "far away", scope="bus"),
        Ground("phrase", "in the dark", scope="bus"),
        Ground("phrase", "in the dark", scope="car"),
    )
    said = sentence_of(diagnosis, SampleReason(0, 0.3, False, grounds))
    assert '"far away" (within bus, and in all), "in the dark" (within bus, car)' in said
    own = diagnosis.clusters[0]
    title, lead = cluster_name(diagnosis, own), diagnosis.insights[0].text
    assert title.said == (lead,)
    scope = "" if own.scope == EVERYTHING else own.scope
    both = (Ground("cluster", number=own.id), Ground("condition", lead, scope=scope))
    said = sentence_of(diagnosis, SampleReason(0, 0.3, False, both))
    assert f"it lies in cluster {own.id + 1} ({title.text})." in said
    assert lead not in said  # the title says it


def test_where_nothing_is_known_nothing_is_said(diagnosis: Diagnosis) -> None:
    assert sentence_of(diagnosis, SampleReason(0, 9.0, True, ())) == ""
    nothing = replace(make_diagnosis(n_clusters=0), insights=(), classes=())
    assert not any(reason_sentence(nothing, row) for row in range(60))


def test_many_conditions_are_counted(diagnosis: Diagnosis) -> None:
    grounds = tuple(Ground("condition", f"c{i} = x") for i in range(5))
    assert "have: c0 = x, c1 = x, c2 = x and 2 more." in sentence_of(diagnosis, SampleReason(0, 1, False, grounds))
    joined = (Ground("condition", "a = x and b = y"), Ground("condition", "c = z"))
    assert "have: a = x and b = y, c = z." in sentence_of(diagnosis, SampleReason(0, 1, False, joined))


def kind(name: CauseKind, n_named: int, value: float = 0.7) -> KindFaithfulness:
    area = Estimate(value, value - 0.05, value + 0.05)
    return KindFaithfulness(name, 100, 20, n_named, area, 0.5, 0.1)


def test_what_sentences_are_worth_is_said_with_interval_and_n(diagnosis: Diagnosis) -> None:
    found = Faithfulness((kind("cluster", 30), kind("phrase", 0), kind("any", 40, 0.72)))
    said = (
        "Naming a cause tells failures from the rest with AUROC 0.72 (0.67 to 0.77) on held-back halves of 100 "
        "samples: 50\u00a0% of the samples with a named cause fail, 10\u00a0% without."
    )
    assert faithfulness_sentence(diagnosis, found) == said
    told = faithfulness_lines(diagnosis, found)
    assert told[0] == f"{said} Of each kind, by itself (0.5 tells nothing):"
    assert told[1] == "  its cluster: 0.70 (0.65 to 0.75), named of 30"
    assert told[2] == "  any cause at all: 0.72 (0.67 to 0.77), named of 40"
    assert told[3] == "  Never named there: phrases that it is most like."
    assert kinds_table(found)[0] == ("its cluster", "0.70 (0.65 to 0.75)", "30")


def test_what_is_not_told_from_chance_says_so(diagnosis: Diagnosis) -> None:
    weak = faithfulness_sentence(diagnosis, Faithfulness((kind("any", 40, 0.54),)))
    assert weak.endswith("10\u00a0% without. That is not told from chance, which is 0.5.")
    outcomes = replace(diagnosis.outcomes, errors=None)
    unknown = faithfulness_sentence(replace(diagnosis, outcomes=outcomes), Faithfulness((kind("any", 40),)))
    assert unknown.startswith("Naming a cause tells the worst tenth of losses from the rest with AUROC 0.70")
    assert "of the samples with a named cause are in it, 10" in unknown


def test_what_could_not_be_measured_is_said(diagnosis: Diagnosis) -> None:
    assert faithfulness_lines(diagnosis, Faithfulness(refused="Too few.")) == [
        "Whether the named causes tell failing samples from others was not measured: Too few."
    ]
    nothing = faithfulness_lines(diagnosis, Faithfulness((kind("any", 0),)))
    assert "is anything confirmed" in nothing[0]
    assert "(100 samples, 20 of them failing)" in nothing[0]
    assert kinds_table(Faithfulness((kind("any", 0),))) == kinds_table(Faithfulness(refused="Too few.")) == []


def test_the_rule_says_its_numbers() -> None:
    assert "at least 3 of 5 fail" in RULE
