"""One task on one image as text: what is said to the model and what it has to say.

Among them spans that are masked, and texts that may be of another image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.systems.vl_t5.tasks import MATCHING, PREFIXES, SPANS

TRUE = "true"
FALSE = "false"
MASKED_SHARE = 0.3
MEAN_SPAN = 3.0
"""Of a text's words; words a span (T5's own, with the paper's share)."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One task on one image: what is said to the model and what it has to say."""

    picture: int
    """Row of the features."""
    given: str
    """Prefix and text."""
    wanted: str
    kind: str = ""
    """Such as "colour": what is measured apart."""

    @property
    def prefix(self) -> str:
        """Which task it is."""
        return next(prefix for prefix in PREFIXES if self.given.startswith(prefix))


def masked_spans(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """The text with spans of words out, each behind a sign, and the spans (Raffel et al. 2020, arXiv 1910.10683).

    Raises:
        InvalidInput: the text has fewer than two words.

    Example:
        >>> masked_spans("a red cube and a blue ball", np.random.default_rng(3))
        ('a red cube <extra_id_0> blue ball', '<extra_id_0> and a')
    """
    words = text.split()
    if len(words) < 2:
        raise InvalidInput(f"A text needs two words or more to have some masked: got {text[:60]!r}.")
    out = max(1, min(len(words) - 1, round(MASKED_SHARE * len(words))))
    spans = max(1, min(round(out / MEAN_SPAN), len(words) - out))
    inside = _split(out, spans, rng)
    outside = _split(len(words) - out, spans, rng)
    given: list[str] = []
    wanted: list[str] = []
    at = 0
    for k, (keep, drop) in enumerate(zip(outside, inside, strict=True)):
        given += [*words[at : at + keep], f"<extra_id_{k}>"]
        wanted += [f"<extra_id_{k}>", *words[at + keep : at + keep + drop]]
        at += keep + drop
    return " ".join(given), " ".join(wanted)


def _split(n: int, parts: int, rng: np.random.Generator) -> list[int]:
    """n as a sum of `parts` numbers from 1, each way as likely."""
    cuts = np.sort(rng.choice(n - 1, parts - 1, replace=False) + 1) if parts > 1 else np.zeros(0, np.int64)
    return np.diff(np.concatenate([[0], cuts, [n]])).astype(int).tolist()


def span_task(picture: int, text: str, rng: np.random.Generator) -> Spoken:
    given, wanted = masked_spans(text, rng)
    return Spoken(picture, f"{SPANS} {given}", wanted, "spans")


def matching_task(picture: int, own: str, others: Sequence[str], rng: np.random.Generator) -> Spoken:
    """The image's own text, or in half of the cases one of the others."""
    if rng.random() < 0.5:
        return Spoken(picture, f"{MATCHING} {others[int(rng.integers(len(others)))]}", FALSE, "match")
    return Spoken(picture, f"{MATCHING} {own}", TRUE, "match")
