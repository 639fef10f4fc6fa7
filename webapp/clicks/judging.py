"""Thirty clicks: a person answers a random strip blind, to check whether a group's title or a phrase describes it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from core.discovery.called import cluster_name, scope_rows
from core.errors import InvalidInput
from core.numbers import bracketed, count, percent, points, with_interval
from core.records import F64, Bool, Diagnosis, Estimate, FailureCluster, Insight
from core.reports.html.intervals import Mark, dot_chart
from core.statistics.measures import insights_of
from webapp.markup.html import shown
from webapp.markup.render import render
from webapp.state.session import Clicks, Session, picked_cluster

if TYPE_CHECKING:
    from core.checks.clicks import Judgement, Strip

ANSWERS = {"y": True, "n": False, "s": None}
SEED_BITS = 32
STRIP = re.compile(r"(\d{1,4})\.(\d{1,10})\.([yns-]{1,99})", re.ASCII)
"""Claim, seed, and answers in an address."""
ANSWER_WORDS = {True: "yes", False: "no", None: "skipped"}
MIN_TITLE_SHARE = 0.5
"""Share of the cluster from which a phrase describes it: its majority, a convention."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """A text that may describe a group."""

    text: str
    """A phrase, or the group's title."""
    insight: Insight
    """The finding behind it, which scores every sample."""


def claims_of(diagnosis: Diagnosis, cluster: FailureCluster) -> list[Claim]:
    """Return what a person can judge of a group, the title first, then its phrases from the best; none without images,
    clips, or texts to look at."""
    if diagnosis.samples.items is None or not cluster.confirmed:
        return []
    name = cluster_name(diagnosis, cluster)
    insights = insights_of(diagnosis, cluster.id)
    claims = list[Claim]()
    for insight in insights:
        is_phrase = insight.kind == "phrase" and insight.number is not None and diagnosis.words is not None
        titles = insight.text in name.words[:1]
        if titles and (is_phrase or name.grade == "likely"):
            claims.insert(0, Claim(insight.text if is_phrase else name.text, insight))
        elif is_phrase:
            claims.append(Claim(insight.text, insight))
    return claims


def masks(diagnosis: Diagnosis, cluster: FailureCluster) -> tuple[Bool, Bool]:
    """Return (members, scope), each (n,)."""
    return cluster.membership >= 0.5, scope_rows(diagnosis, cluster.scope)


def score_of(diagnosis: Diagnosis, insight: Insight) -> F64:
    """Return (n,) the similarity of each sample to a phrase; of a condition, 1 where it is met and else 0."""
    if insight.kind != "phrase":
        return insight.mask.astype(np.float64)
    from core.discovery.design import design_of
    from core.language.directions import phrase_scores

    assert diagnosis.words is not None
    words = diagnosis.words
    directions = words.directions[insight.number][None]
    scores = phrase_scores(words.joint.vectors, directions, design_of(diagnosis).centring_stratum)
    return scores[:, 0].astype(np.float64)


def draw(session: Session, diagnosis: Diagnosis, claim: int) -> Session:
    """Return the session with a new strip of the open group.

    Args:
        claim: index in `claims_of`.
    """
    # a fresh draw each time: a judged strip shows which of its images are members
    return _drawn(session, diagnosis, claim, secrets.randbits(SEED_BITS))


def _drawn(session: Session, diagnosis: Diagnosis, claim: int, seed: int) -> Session:
    from core.checks.clicks import draw_strip  # scipy: not needed for the first view

    cluster, _ = _claimed(session, diagnosis, claim)
    members, scope = masks(diagnosis, cluster)
    strip = draw_strip(members, scope, seed=seed, groups=diagnosis.samples.groups)
    return replace(session, clicks=Clicks(claim, seed, strip, "-" * len(strip)))


def drawn_again(session: Session, diagnosis: Diagnosis, text: str) -> Session:
    """Return the session with the strip and the answers of an address, as `webapp.state.query.query_of` writes them.

    Raises:
        InvalidInput: they do not fit the run's open group.
    """
    parts = STRIP.fullmatch(text)
    if parts is None:
        raise InvalidInput(f"The link's answers are not valid: got {text[:40]!r}.")
    claim, seed, answers = parts.groups()
    session = _drawn(session, diagnosis, int(claim), int(seed) % 2**SEED_BITS)
    assert session.clicks is not None
    if len(answers) != len(session.clicks.strip):
        raise InvalidInput(f"The link has {len(answers)} answers for {len(session.clicks.strip)} samples.")
    return replace(session, clicks=replace(session.clicks, answers=answers))


def _claimed(session: Session, diagnosis: Diagnosis, claim: int) -> tuple[FailureCluster, Claim]:
    cluster = picked_cluster(session, diagnosis)
    claims = list[Claim]()
    if cluster is not None:
        claims = claims_of(diagnosis, cluster)
    if cluster is None or not 0 <= claim < len(claims):
        raise InvalidInput("Only a group with a likely title or a phrase can be judged. Open another group.")
    return cluster, claims[claim]


def answer(session: Session, letters: Any) -> Session:
    """Return the session with its strip answered.

    Args:
        letters: y, n, or s, one per sample, from the browser and not trusted.

    Raises:
        InvalidInput: no strip is open, or the answers do not fit it.
    """
    clicks = session.clicks
    if clicks is None:
        raise InvalidInput("No images were drawn for this group. Use “Is the title right?”.")
    wanted = len(clicks.strip)
    if not isinstance(letters, str) or len(letters) != wanted or not set(letters) <= set(ANSWERS):
        raise InvalidInput(f"The {wanted} samples need {wanted} answers, each y, n, or s. Draw them again.")
    return replace(session, clicks=replace(clicks, answers=letters))


def clicks_view(session: Session, diagnosis: Diagnosis) -> str:
    """Render the session's strip, or the judgment on it once it is answered; "" without one."""
    clicks = session.clicks
    if clicks is None:
        return ""
    cluster, claim = _claimed(session, diagnosis, clicks.claim)
    if not clicks.judged:
        texts = [claim.text for claim in claims_of(diagnosis, cluster)]
        return strip_view(diagnosis, clicks, texts)
    from core.checks.clicks import judge

    answers = [ANSWERS[letter] for letter in clicks.answers]
    members, scope = masks(diagnosis, cluster)
    judged = judge(clicks.strip, answers, score_of(diagnosis, claim.insight), members, scope)
    return judgement_view(diagnosis, clicks.strip, answers, judged, claim.text)


def strip_view(diagnosis: Diagnosis, clicks: Clicks, texts: Sequence[str]) -> str:
    """Render the images in the strip's random order, without ids, losses, or anything else that reveals membership.

    Args:
        texts: what can be judged of the group.
    """
    samples = [shown(diagnosis, row) for row in clicks.strip.rows.tolist()]
    noun = diagnosis.samples.modality
    return render("clicks/strip.html.j2", texts=texts, clicks=clicks, samples=samples, noun=noun)


def meaning(judged: Judgement) -> str:
    """Return what the answers mean for the phrase (plain text)."""
    gap = judged.difference
    if not judged.n_cluster or not judged.n_control:
        return "Too few answers to compare the group with the others. Answer a few samples of each."
    if gap.low > 0 and judged.share.value >= MIN_TITLE_SHARE:
        return "The phrase describes the group: it holds for most members and clearly fewer others."
    if gap.low > 0:
        return (
            "The phrase distinguishes the group but holds for less than half of its members. "
            "Look for what the other members share."
        )
    if gap.high < 0:
        return "The phrase does not describe the group: it holds less often there than for the others."
    return (
        "No difference shown between the group and the others. Do not use these words as a description, "
        "or judge other samples."
    )


def judgement_view(
    diagnosis: Diagnosis, strip: Strip, answers: Sequence[bool | None], judged: Judgement, text: str
) -> str:
    """Render the matching shares of the cluster and of the others, the conclusion, and which image was which."""

    def mark(share: Estimate, kind: str, label: str, n: int) -> Mark:
        return Mark(share, kind, f"{label} ({count(n, 'answer')})", with_interval(share, share=True))

    marks = [
        mark(judged.share, "observed", "Of the group", judged.n_cluster),
        mark(judged.control, "read", "Of the others", judged.n_control),
    ]
    gap = judged.difference
    difference = ""
    if not isnan(gap.value):
        difference = f" Difference {points(gap.value)} {bracketed(gap, points=True)}."
    words = [ANSWER_WORDS[answer] for answer in answers]
    judged_samples = [(*shown(diagnosis, row), answer) for row, answer in zip(strip.rows.tolist(), words)]
    return render(
        "clicks/judgement.html.j2",
        text=text,
        judged=judged,
        meaning=meaning(judged) + difference,
        chart=dot_chart(marks, (0.0, 1.0), percent),
        notes=[judged.reason, *judged.notes],
        members=[s for s, member in zip(judged_samples, strip.is_member) if member],
        others=[s for s, member in zip(judged_samples, strip.is_member) if not member],
    )
