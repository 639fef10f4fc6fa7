"""Test proposed words on samples that the proposer was not shown, by the test that `ask` makes, and keep those that
hold: as phrases that titles may use, and as findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from core.checks.answers import Answer
from core.checks.asked_text import require_words, same_question
from core.checks.questions import ask, speaker_of
from core.discovery.called import scope_rows
from core.discovery.design import Design, design_of
from core.discovery.effects import effects_of
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.chance import asked_directions
from core.language.competence import CompetenceTable, find_competence
from core.language.likeness import support_of
from core.language.naming import name_cluster
from core.language.prompts import class_in
from core.records import EVERYTHING, F32, F64, I64, Competence, Diagnosis, Insight, Verdict, Words
from core.reports.wording.findings import figures, sample_noun
from core.systems.proposer.records import KEY, Proposal, Proposed, proposals_of
from core.systems.proposer.sheet import Sheet

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

MAX_PROPOSALS = 20
"""Texts in one call: each raises the p of all."""
FAMILY = "proposed"
AFTER_LOOKING = "proposed after the results were read; check it on new data"


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Proposals with their results, and what the run gets of those that hold."""

    proposals: tuple[Proposal, ...]
    insights: tuple[Insight, ...]
    """h phrases that hold."""
    directions: F32
    """(h, d) of these."""
    competence: Competence
    support: F64 | None


def try_proposals(
    diagnosis: Diagnosis,
    texts: Sequence[str],
    sheet: Sheet,
    *,
    source: str,
    after_looking: bool = False,
    encoder: TextTower | None = None,
    cache: Path | None = None,
) -> Tested:
    """Test each text; p-values are adjusted for all proposals of the run.

    Args:
        diagnosis: the run.
        texts: proposed words, as one would caption such samples; 1 to `MAX_PROPOSALS`.
        sheet: what the proposer was shown.
        source: who proposed them, such as "an assistant".
        after_looking: whether the proposer knew results of the run besides the sheet. The texts are then counted on all
            samples and not tested.
        encoder: the naming encoder, if already loaded.
        cache: folder for text vectors.

    Raises:
        InvalidInput: no text, too many, none is a question, or the run has no words.
    """
    first = dict[str, str]()
    for text in texts:
        first.setdefault(same_question(text), text)
    texts = tuple(first.values())
    if not 1 <= len(texts) <= MAX_PROPOSALS:
        raise InvalidInput(f"Propose 1 to {MAX_PROPOSALS} texts in one call: got {len(texts)}. Give the best ones.")
    words = require_words(diagnosis, "test proposed words")
    tower = speaker_of(words, encoder)
    rows = sheet.unseen
    if after_looking:
        rows = np.flatnonzero(scope_rows(diagnosis, sheet.scope))
    part = _part(diagnosis, rows)
    before = [earlier.text for earlier in proposals_of(diagnosis)]
    design = design_of(part)
    proposals: list[Proposal] = []
    insights: list[Insight] = []
    for answer in ask(part, texts, before=before, tested=not after_looking, encoder=tower, cache=cache):
        scope = answer.scope if answer.scope != EVERYTHING else sheet.scope
        verdict: Verdict = "not tested"
        text = answer.refused.removesuffix(".")
        insight = None
        if answer.shown:
            insight = _insight(diagnosis, part, design, answer, rows)
            insight = replace(insight, scope=scope, source=source)
            text = figures(diagnosis, insight)
            if after_looking:
                text = f"{text}: {AFTER_LOOKING}"
        elif not text:
            text = f"no {sample_noun(diagnosis)} matches it"
            verdict = "not confirmed"
        if answer.p is not None:
            verdict = "confirmed" if answer.confirmed else "not confirmed"
        if insight is not None and answer.confirmed and not answer.counted:  # what is counted is a column already
            insights.append(insight)
        proposals.append(
            Proposal(
                answer.text,
                source,
                sheet.about,
                scope or sheet.scope,
                len(sheet.shown),
                len(rows),
                answer.asked,
                verdict,
                text,
                answer.support,
                answer.p,
                answer.p_alone,
            )
        )
    held = [insight.text for insight in insights]
    spoken: list[str | None] = []
    for text in held:
        label = class_in(text, diagnosis.samples.class_names)
        spoken.append(None if label is None else f"a {diagnosis.samples.class_names[label].replace('_', ' ')}")
    directions = np.zeros((0, words.directions.shape[1]), np.float32)
    support = None
    if held:
        directions = unit(asked_directions(tower, held, spoken, cache)[0])
    if held and words.support is not None:
        support = support_of(words.joint.vectors, held, tower, cache)
    table = find_competence(tower, cache)[0] or CompetenceTable("", "", "", {})
    return Tested(tuple(proposals), tuple(insights), directions, table.of(held), support)


def with_tested(diagnosis: Diagnosis, tested: Tested) -> Diagnosis:
    """The run with the proposals, and with the phrases that hold among its words and findings; groups are titled
    again."""
    new = {same_question(proposal.text) for proposal in tested.proposals}
    earlier = [proposal for proposal in proposals_of(diagnosis) if same_question(proposal.text) not in new]
    extras = {**diagnosis.extras, KEY: Proposed((*earlier, *tested.proposals))}
    diagnosis = replace(diagnosis, extras=extras)
    words = diagnosis.words
    known = {(same_question(i.text), i.scope) for i in diagnosis.insights if i.kind == "phrase"}
    kept = [at for at, i in enumerate(tested.insights) if (same_question(i.text), i.scope) not in known]
    if words is None or not kept:
        return diagnosis
    words, numbers = _with_phrases(words, tested, kept)
    insights = list(diagnosis.insights)
    for at, number in zip(kept, numbers):
        insights.append(replace(tested.insights[at], number=number))
    clusters = []
    for cluster in diagnosis.clusters:
        rows = np.flatnonzero(scope_rows(diagnosis, cluster.scope))
        called = name_cluster(cluster, insights, diagnosis.samples, diagnosis.outcomes, rows, words)
        clusters.append(replace(cluster, called=called))
    return replace(diagnosis, words=words, insights=tuple(insights), clusters=tuple(clusters))


def _with_phrases(words: Words, tested: Tested, kept: Sequence[int]) -> tuple[Words, list[int]]:
    """The words with the phrases that they lack, and the number of each kept phrase."""
    number_of = {same_question(text): number for number, text in enumerate(words.phrases)}
    added: list[int] = []
    numbers: list[int] = []
    for at in kept:
        text = same_question(tested.insights[at].text)
        if text not in number_of:
            number_of[text] = len(number_of)
            added.append(at)
        numbers.append(number_of[text])
    texts = tuple(tested.insights[at].text for at in added)
    more = replace(
        words,
        phrases=(*words.phrases, *texts),
        families=(*words.families, *(FAMILY for _ in texts)),
        directions=np.concatenate([words.directions, tested.directions[added]]),
        strengths=None,
        support=None,
        competence=None,
    )
    if words.strengths is not None:  # their prompts differ from those of the vocabulary: as strong as most
        usual = np.full(len(texts), np.median(words.strengths), words.strengths.dtype)
        more = replace(more, strengths=np.concatenate([words.strengths, usual]))
    if words.support is not None and tested.support is not None:
        more = replace(more, support=np.concatenate([words.support, tested.support[added]]))
    known = words.competence
    if known is not None:
        more = replace(more, competence=known.followed_by(tested.competence.keep(np.array(added, np.int64))))
    return more, numbers


def _part(diagnosis: Diagnosis, rows: I64) -> Diagnosis:
    """The run with some of its rows and without findings, for `ask`."""
    assert diagnosis.words is not None
    return replace(
        diagnosis,
        samples=diagnosis.samples.keep(rows),
        outcomes=diagnosis.outcomes.keep(rows),
        embeddings=diagnosis.embeddings.keep(rows),
        words=diagnosis.words.keep(rows),
        clusters=(),
        candidates=(),
        insights=(),
        family_null=None,
        settings={key: value for key, value in diagnosis.settings.items() if key != "within"},
        extras={},
    )


def _insight(diagnosis: Diagnosis, part: Diagnosis, design: Design, answer: Answer, rows: I64) -> Insight:
    """What an answer found, as a finding of the whole run."""
    inside = np.isin(np.arange(len(rows)), answer.rows)
    scope = np.flatnonzero(np.isfinite(answer.scores))
    threshold = float("nan")
    if answer.p is not None:
        threshold = float(norm.isf(answer.alpha / answer.asked))
    effects = effects_of(inside, scope, part.outcomes, design, threshold, None, of=scope)
    error_inside = None
    if part.outcomes.errors is not None:
        error_inside = float(part.outcomes.errors[inside].mean())
    return Insight(
        text=answer.text,
        columns=(),
        scope=answer.scope,
        cluster=None,
        mask=np.isin(np.arange(len(diagnosis.samples)), rows[inside]),
        size=answer.support,
        effect=effects.excess_loss,
        error_inside=error_inside,
        error_outside=effects.error_outside,
        p=answer.p,
        confirmed=answer.confirmed,
        retrieval=None,
        error_difference=effects.error_difference,
        kind="phrase",
        family=FAMILY,
        measure=answer.measure,
    )
