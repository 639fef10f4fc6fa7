"""Answers by likeness to questions that name a class and what is known of each sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.questions import ask
from core.records import EVERYTHING
from core.reports.wording.answers import answer_parts, answer_sentence
from tests.core.checks.test_asked_conditions import run_with_darkness


def test_of_rows_told_by_likeness_it_is_counted_how_many_have_what_the_words_name() -> None:
    run, tower = run_with_darkness()
    brightness, labels, names = run.samples.metadata[0].values, run.samples.labels, run.samples.class_names
    assert labels is not None
    own = [i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING]
    other = next(name for name in names if name != own[0].scope)
    elsewhere = ask(run, [f"a dark {other}"], encoder=tower)[0]
    for answer in (*ask(run, [f"a dark {own[0].scope}"], encoder=tower), elsewhere):
        assert answer.known is not None
        assert not answer.counted
        limit = float(answer.known.text.removeprefix("brightness at most "))
        dark = int((brightness[answer.rows] <= limit + 0.0005).sum())
        assert 0 < dark < answer.support
        assert (answer.known.matches, answer.labelled) == (dark, answer.support)
        said = f"all have the label {answer.scope} and {dark} have {answer.known.text}."
        assert said in answer_parts(run, answer).likeness
    assert elsewhere.condition is None
    few = replace(elsewhere, text=f"a dark {own[0].scope}", labelled=0)
    assert f"none has the label {own[0].scope} and" in answer_sentence(run, few)
    plain, bright, both = ask(run, ["far away", f"a bright {other}", f"a dark {own[0].scope} in snow"], encoder=tower)
    assert (plain.known, plain.labelled, both.known) == (None, None, None)
    assert "found by likeness" not in answer_sentence(run, plain)
    assert bright.known is not None
    assert bright.known.text.startswith("brightness at least")


def test_of_a_finding_that_the_words_name_by_another_it_is_said_how_many_of_its_rows_have_what_they_say() -> None:
    run, tower = run_with_darkness()
    run = replace(run, clusters=())  # one that is called dark would be meant first
    own = next(i for i in run.insights if i.kind == "condition" and i.confirmed and i.scope != EVERYTHING)
    mixed = own.mask.copy()
    mixed[np.flatnonzero(own.mask)[: own.size // 2]] = False
    mixed[np.flatnonzero((run.samples.metadata[0].values > 0.9) & (run.samples.labels == 0))[:5]] = True
    wide = replace(own, text="noise at most 1", tests=(("noise", "<=", 1.0),), proxies=(own.text,))
    wide = replace(wide, mask=mixed, size=int(mixed.sum()))
    answer = ask(replace(run, insights=(wide,)), [f"a dark {own.scope}"], encoder=tower)[0]
    assert (answer.condition, answer.named) == (wide, own.text)
    assert answer.known is not None
    dark = int((mixed & own.mask).sum())
    assert answer.known.of_finding == dark < wide.size
    assert f"Of those {wide.size}, {dark} have {own.text}." in answer_parts(run, answer).condition
    assert answer_parts(run, ask(run, [f"a dark {own.scope}"], encoder=tower)[0]).condition.count("Of those") == 0
