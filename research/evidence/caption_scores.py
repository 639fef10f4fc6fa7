"""How near captions come to what people wrote: BLEU (Papineni et al. 2002) and CIDEr-D (Vedantam et al. 2015, arXiv
1411.5726), as the captioning literature computes them, on lower-case words without marks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from core.errors import InvalidInput
from core.records import F64
from core.systems.vl_t5.describe import Words, words_of

ORDERS = 4
SIGMA = 6.0
"""Of the penalty for another length, in words."""

Grams = Counter[Words]


def bleu_parts(captions: Sequence[str], references: Sequence[Sequence[str]]) -> F64:
    """(n, 2 ORDERS + 2) what BLEU adds up over images: matches and n-grams of each order, words written, and words of
    the reference nearest in length.

    Raises:
        InvalidInput: there are not as many captions as images, or an image has no reference.
    """
    _check(captions, references)
    rows: list[list[float]] = []
    for caption, own in zip(captions, references, strict=True):
        said = words_of(caption)
        wanted = [words_of(text) for text in own]
        row: list[float] = []
        for order in range(1, ORDERS + 1):
            grams = _grams(said, order)
            most = Counter[Words]()
            for reference in wanted:
                most |= _grams(reference, order)
            row += [sum((grams & most).values()), sum(grams.values())]
        nearest = min((len(reference) for reference in wanted), key=lambda n: (abs(n - len(said)), n))
        rows.append([*row, len(said), nearest])
    return np.array(rows, np.float64)


def bleu_of(parts: F64) -> float:
    """BLEU-4 of the images together: the geometric mean of precisions, times the brevity penalty."""
    total = parts.sum(0)
    matches = total[0 : 2 * ORDERS : 2]
    grams = total[1 : 2 * ORDERS : 2]
    if not matches.all():
        return 0.0
    said = total[-2]
    wanted = total[-1]
    short = 1.0 if said >= wanted else math.exp(1 - wanted / said)
    return float(short * np.exp(np.log(matches / grams).mean()))


def cider_of(captions: Sequence[str], references: Sequence[Sequence[str]]) -> F64:
    """(n,) CIDEr-D of each image's caption; their mean is the figure. How much an n-gram counts is taken from these
    images' references.

    Raises:
        InvalidInput: as of `bleu_parts`.
    """
    _check(captions, references)
    wanted = [[words_of(text) for text in own] for own in references]
    seen: Counter[Words] = Counter()
    for own in wanted:
        seen.update({gram for words in own for n in range(1, ORDERS + 1) for gram in _grams(words, n)})
    weigh = _weigher(seen, len(references))
    found = list[float]()
    for caption, own in zip(captions, wanted, strict=True):
        said = words_of(caption)
        found.append(10.0 * float(np.mean([_alike(said, reference, weigh) for reference in own])))
    return np.array(found, np.float64)


def _alike(said: Words, wanted: Words, weigh: Callable[[Words], float]) -> float:
    """Mean over orders of the cosine of tf-idf vectors, counts clipped at the reference's, times the penalty."""
    penalty = math.exp(-((len(said) - len(wanted)) ** 2) / (2 * SIGMA**2))
    total = 0.0
    for order in range(1, ORDERS + 1):
        a = {gram: n * weigh(gram) for gram, n in _grams(said, order).items()}
        b = {gram: n * weigh(gram) for gram, n in _grams(wanted, order).items()}
        norm = math.sqrt(sum(v * v for v in a.values())) * math.sqrt(sum(v * v for v in b.values()))
        if norm > 0:
            total += sum(min(v, b[gram]) * b[gram] for gram, v in a.items() if gram in b) / norm
    return penalty * total / ORDERS


def _weigher(seen: Counter[Words], n: int) -> Callable[[Words], float]:
    """The log of images over those whose references have the n-gram; one that none has counts as in one."""
    whole = math.log(max(n, 1))

    def weigh(gram: Words) -> float:
        return whole - math.log(max(1, seen[gram]))

    return weigh


def _grams(words: Words, order: int) -> Grams:
    return Counter(words[i : i + order] for i in range(len(words) - order + 1))


def _check(captions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(captions) != len(references):
        raise InvalidInput(f"There are {len(captions):,} captions for {len(references):,} pictures. Bring one each.")
    if not all(references):
        raise InvalidInput("Each picture needs a reference caption or more: one has none.")
