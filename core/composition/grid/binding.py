"""Where does binding fail? A grid of attributes and objects over pictures, with what goes wrong told apart in each
cell.

Of a picture with two things, a1 o1 and a2 o2, four questions are asked, each with one word exchanged so that the
sentences stay alike:

    attribute  a1 o1 against a' o1 for every attribute a' that the picture does not show
    object     a1 o1 against a1 o' for every object o' that the picture does not show
    binding    (a1 o1) + (a2 o2) against (a2 o1) + (a1 o2), the sums of the scores
    pair       a1 o1 against both a2 o1 and a1 o2

A model that sees a bag of words answers the first two, and the third by chance: whatever it thinks of each word cancels
in the sums. In the first two a model that always says "red" would seem to see red things, so what it thinks of two
phrases whatever is shown is taken off first: the mean difference over pictures that show the one word and over those
that show the other, in equal parts; in the third likewise what it thinks of the four phrases, where pictures of the
swapped things are there. The fourth is the plain question; there a word that the model favours decides, so it is shown
and not tested. Of a picture with one thing only the first two can be asked, and whether the true pair outscores every
other pair of the grid.

The four phrases are those of Cola's items (Ray et al. 2023, arXiv 2305.03689); the contrasts, the grid and the tests
are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from core.composition.grid.questions import BindingQuestion, Mode, PictureContents, ask, sentence
from core.errors import InvalidInput
from core.records import F64, Bool, Estimate, ItemStore
from core.statistics.intervals import UNDEFINED, wilson
from core.statistics.paired import mcnemar
from core.statistics.permutation import holm

ScorePictures = Callable[[ItemStore, Sequence[str]], F64]
"""(n pictures, T texts) -> (n, T) scores, larger is a better match; nan in the rows of pictures that could not be
read."""
ALPHA = 0.05
MIN_CELL_PICTURES = 5
"""Pictures below which a cell is greyed: neither tested nor claimed."""
TIE = 1e-7
"""A difference of scores that is no larger is a tie, and a tie is wrong."""
MAX_WORDS = 60
"""Attributes, and objects, of a grid."""
NO_ATTRIBUTE = "does not see the attribute"
NO_OBJECT = "does not see the object"
NEITHER = "sees neither the attribute nor the object"
UNBOUND = "sees both and binds them wrongly"
NOTHING = "no claim"
GREY = "too few pictures"
ALL = ("all", "all")
"""Stands for all pictures as one cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """How often one question is answered rightly."""

    value: Estimate
    """With its Wilson interval; undefined where the question cannot be asked."""
    n: int
    chance: float
    """Mean over the pictures of what guessing reaches."""
    ties: int
    """Pictures that count as wrong only because scores are equal."""


@dataclass(frozen=True, slots=True, eq=False)
class GridCell:
    """One attribute of one object."""

    attribute: str
    object: str
    n: int
    """Pictures that show it and can be asked."""
    sees_attribute: Share
    sees_object: Share
    binds: Share
    """In mode "one": the true pair outscores every other pair of the grid that is false of the picture."""
    pair: Share
    """In mode "two": the plain question; in mode "one" as `binds`."""
    p_attribute: float
    """That it is right half-way between chance and always, or more often; adjusted by Holm over all tests of the grid.
    nan where not tested."""
    p_object: float
    p_binding: float
    """That binding is right as often as the harder of the two (one-sided McNemar mid-p), adjusted likewise; nan in mode
    "one"."""
    verdict: str


@dataclass(frozen=True, slots=True, eq=False)
class BindingGrid:
    """Attributes in rows, objects in columns; cells row by row, those without a picture left out."""

    mode: Mode
    attributes: tuple[str, ...]
    objects: tuple[str, ...]
    cells: tuple[GridCell, ...]
    overall: GridCell
    """All pictures together, each once; tested as the cells are, within the same adjustment."""
    n_tests: int
    """Size of the family over which Holm's adjustment is made."""
    verdicts: Mapping[str, int]
    """Cells by verdict."""
    left_out: tuple[tuple[str, str], ...] = ()
    """(picture's name, reason)."""
    notes: tuple[str, ...] = ()


def binding_grid(
    pictures: ItemStore,
    shown: Sequence[PictureContents],
    score: ScorePictures,
    *,
    mode: Mode = "two",
    family: Mapping[str, str] | None = None,
    template: str = "a photo of {}",
) -> BindingGrid:
    """Ask each picture the questions of its cells, and say where which of them fails.

    A cell is tested with at least 5 pictures. Claims, each at a family-wise level of 0.05 (Holm over the three tests of
    every cell and of all pictures together):

        does not see   the share is lower than half-way between chance and 1 (binomial)
        binds wrongly  it does see both (both intervals lie above chance), and binding is right less often than the
        harder of the two
                       (McNemar on the same pictures; the smaller of two is taken, which can only weaken the claim) and
                       in less than half-way between chance and 1, so that a small difference in a large data set is no
                       failure

    The binomial takes the mean chance of the cell's pictures, and pictures as independent: near-duplicates must be
    taken out beforehand.

    Args:
        pictures: those that `shown` speaks of, by place.
        shown: what each picture shows; see `core.composition.grid.questions` for how to get it from columns, captions
            and rendered scenes.
        score: an encoder's or adapted encoder's; see `core.training.scorers.matrix_of`.
        mode: "two" takes the pictures with two things, "one" those with one.
        family: attribute -> its family: an attribute is asked against those of its family alone. None takes all as one
            family.
        template: with one "{}" for the phrase "a red cube".

    Raises:
        InvalidInput: no picture fits the mode, fewer than two attributes or objects, too many of them, a bad template,
        or scores of another shape.
    """
    if template.count("{}") != 1:
        raise InvalidInput(f'The template needs "{{}}" once, for a phrase such as "a red cube": got {template[:60]!r}.')
    asked = ask(shown, len(pictures), mode, dict(family or {}))
    _check_words(asked.attributes, asked.objects)
    texts = list(dict.fromkeys(text for question in asked.questions for text in question.phrases()))
    matrix = np.asarray(score(pictures, [sentence(template, *text) for text in texts]), np.float64)
    if matrix.shape != (len(pictures), len(texts)):
        raise InvalidInput(
            f"The scorer must give ({len(pictures)}, {len(texts)}) scores, a row for each picture: got {matrix.shape}."
        )
    place = {text: i for i, text in enumerate(texts)}
    lost = frozenset(np.flatnonzero(~np.isfinite(matrix).all(axis=1)).tolist())
    even = _Even(matrix, place, [one for one in asked.kept if one.picture not in lost])
    answers = [
        _answer(question, matrix[question.picture], place, even)
        for question in asked.questions
        if question.picture not in lost
    ]
    if not answers:
        raise InvalidInput("Not one picture of the grid could be scored. Look at why they cannot be read.")
    unread = {question.picture for question in asked.questions if question.picture in lost}
    left_out = [(pictures.name(at), reason) for at, reason in asked.left_out] + [
        (pictures.name(at), "it has no score") for at in sorted(unread)
    ]
    cells, overall, n_tests = _cells(answers, asked.attributes, asked.objects, mode)
    verdicts = {
        name: n
        for name in (NO_ATTRIBUTE, NO_OBJECT, NEITHER, UNBOUND, NOTHING, GREY)
        if (n := sum(c.verdict == name for c in cells))
    }
    notes = (*asked.notes, *_notes(cells, mode))
    return BindingGrid(mode, asked.attributes, asked.objects, cells, overall, n_tests, verdicts, tuple(left_out), notes)


def _check_words(attributes: Sequence[str], objects: Sequence[str]) -> None:
    for name, words in (("attributes", attributes), ("objects", objects)):
        if len(words) < 2:
            raise InvalidInput(
                f"A grid needs at least two {name}: got {len(words)} ({', '.join(words)}). "
                "Bring pictures that differ in them."
            )
        if len(words) > MAX_WORDS:
            raise InvalidInput(
                f"A grid has at most {MAX_WORDS} {name}: got {len(words):,}. "
                "Choose a column with fewer values, or keep some pictures."
            )


# ---- answers


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the scores say to one question; a tie is wrong and marked."""

    question: BindingQuestion
    right: tuple[bool | None, ...]
    """(4,) attribute, object, binding, pair; None where it cannot be asked."""
    tied: tuple[bool, ...]
    chance: tuple[float, ...]


class _Even:
    """What the model thinks of two phrases whatever is shown: the difference of their scores, in equal parts over the
    pictures that show the word of the one and not of the other, and the reverse. A model that sees neither word has
    nothing but this; one that sees both well has none of its seeing taken off."""

    def __init__(self, matrix: F64, place: Mapping[tuple[str, str], int], kept: Sequence[PictureContents]) -> None:
        self.matrix, self.place = matrix, place
        self.showing: dict[tuple[int, str], set[int]] = {}
        for one in kept:
            for thing in one.things:
                for k, word in enumerate(thing):
                    self.showing.setdefault((k, word), set()).add(one.picture)
        self.known: dict[tuple[tuple[str, str], tuple[str, str], int], float] = {}
        self.holding: dict[frozenset[tuple[str, str]], list[int]] = {}
        for one in kept:
            self.holding.setdefault(frozenset(one.things), []).append(one.picture)

    def __call__(self, true: tuple[str, str], rival: tuple[str, str], k: int) -> float:
        """Mean of the true phrase minus the rival, which differ in the attribute (k = 0) or the object (k = 1); nan
        where it cannot be told."""
        key = (true, rival, k)
        if key not in self.known:
            first, second = self.showing.get((k, true[k]), set()), self.showing.get((k, rival[k]), set())
            sides = [sorted(first - second), sorted(second - first)]
            difference = self.matrix[:, self.place[true]] - self.matrix[:, self.place[rival]]
            self.known[key] = (
                float(np.mean([difference[rows].mean() for rows in sides])) if all(sides) else float("nan")
            )
        return self.known[key]

    def bound(self, picture: int, true: tuple[str, str], other: tuple[str, str]) -> float:
        """The contrast of sums of one picture, evened out over those that show the same and those that show the swapped
        pairs, if there are such: a liking for "red apple" then gains nothing. Without them a liking for single words
        has cancelled all the same."""
        swapped = (other[0], true[1]), (true[0], other[1])
        columns = [self.matrix[:, self.place[phrase]] for phrase in (true, other, *swapped)]
        contrast = columns[0] + columns[1] - columns[2] - columns[3]
        same, opposite = self.holding[frozenset((true, other))], self.holding.get(frozenset(swapped), [])
        liking = float(contrast[same].mean() + contrast[opposite].mean()) / 2 if opposite else 0.0
        return float(contrast[picture]) - liking


def _answer(question: BindingQuestion, row: F64, place: Mapping[tuple[str, str], int], even: _Even) -> _Answer:
    true, mine = float(row[place[question.true]]), question.true

    def seen(rivals: Sequence[tuple[str, str]], k: int) -> list[float]:
        margins = [true - float(row[place[rival]]) - even(mine, rival, k) for rival in rivals]
        return [margin for margin in margins if not np.isnan(margin)]

    plain = [true - float(row[place[phrase]]) for phrase in question.pairs]
    margins = [seen(question.attributes, 0), seen(question.objects, 1), plain, plain]
    chances = [1 / (1 + len(own)) for own in margins]
    least = [min(own) if own else float("nan") for own in margins]
    if question.other is not None:
        least[2], chances[2] = even.bound(question.picture, mine, question.other), 0.5
    right = [None if np.isnan(margin) else bool(margin > TIE) for margin in least]
    return _Answer(question, tuple(right), tuple(bool(abs(margin) <= TIE) for margin in least), tuple(chances))


def _share(answers: Sequence[_Answer], which: int) -> Share:
    asked = [answer for answer in answers if answer.right[which] is not None]
    if not asked:
        return Share(UNDEFINED, 0, float("nan"), 0)
    right = sum(bool(answer.right[which]) for answer in asked)
    chance = float(np.mean([answer.chance[which] for answer in asked]))
    return Share(wilson(right, len(asked)), len(asked), chance, sum(answer.tied[which] for answer in asked))


# ---- cells and their tests


def _cells(
    answers: Sequence[_Answer], attributes: Sequence[str], objects: Sequence[str], mode: Mode
) -> tuple[tuple[GridCell, ...], GridCell, int]:
    """The cells, all pictures as one, and the number of tests."""
    grouped: dict[tuple[str, str], list[_Answer]] = {}
    for answer in answers:
        grouped.setdefault(answer.question.true, []).append(answer)
    keys = [(a, o) for a in attributes for o in objects if (a, o) in grouped]
    every = {**{key: grouped[key] for key in keys}, ALL: _once(answers)}
    tests = {key: _tests(own, mode) for key, own in every.items() if len(own) >= MIN_CELL_PICTURES}
    known = [(key, k) for key, found in tests.items() for k in range(3) if np.isfinite(found[k])]
    adjusted = dict(zip(known, holm([tests[key][k] for key, k in known]).tolist())) if known else {}
    made = {
        key: _cell(key, own, [adjusted.get((key, k), float("nan")) for k in range(3)]) for key, own in every.items()
    }
    return tuple(made[key] for key in keys), made[ALL], len(known)


def _once(answers: Sequence[_Answer]) -> list[_Answer]:
    """Each picture once: of its two things the one that is named first."""
    first: dict[int, _Answer] = {}
    for answer in answers:
        first.setdefault(answer.question.picture, answer)
    return list(first.values())


def _cell(key: tuple[str, str], answers: Sequence[_Answer], p: Sequence[float]) -> GridCell:
    attribute, thing, binding, pair = (_share(answers, which) for which in range(4))
    verdict = GREY if len(answers) < MIN_CELL_PICTURES else _verdict((attribute, thing, binding), p)
    return GridCell(key[0], key[1], len(answers), attribute, thing, binding, pair, p[0], p[1], p[2], verdict)


def _verdict(shares: tuple[Share, Share, Share], p: Sequence[float]) -> str:
    blind = [value <= ALPHA for value in p[:2]]
    if any(blind):
        return NEITHER if all(blind) else NO_ATTRIBUTE if blind[0] else NO_OBJECT
    sees = all(share.value.low > share.chance for share in shares[:2])
    fails = shares[2].value.value < _half_way(shares[2])
    return UNBOUND if p[2] <= ALPHA and sees and fails else NOTHING


def _half_way(share: Share) -> float:
    """Half-way between chance and always."""
    return (1 + share.chance) / 2


def _tests(answers: Sequence[_Answer], mode: Mode) -> tuple[float, float, float]:
    """p that the attribute is seen, that the object is seen, and that binding is as often right as the harder of the
    two."""
    shares = [_share(answers, which) for which in range(3)]
    seen = [_binomial(share) for share in shares[:2]]
    if mode == "one" or not all(share.n for share in shares):
        return seen[0], seen[1], float("nan")
    columns = [_right(answers, which) for which in range(3)]
    harder = columns[0] if columns[0].sum() <= columns[1].sum() else columns[1]
    only_marginal, only_binding = int((harder & ~columns[2]).sum()), int((columns[2] & ~harder).sum())
    p = mcnemar(only_marginal, only_binding) / 2
    return seen[0], seen[1], p if only_marginal > only_binding else 1.0


def _binomial(share: Share) -> float:
    """p that a share at least half-way between chance and 1 comes out as low as this."""
    if not share.n:
        return float("nan")
    right = round(share.value.value * share.n)
    return float(stats.binom.cdf(right, share.n, _half_way(share)))


def _right(answers: Sequence[_Answer], which: int) -> Bool:
    return np.array([bool(answer.right[which]) for answer in answers])


def _notes(cells: Sequence[GridCell], mode: Mode) -> tuple[str, ...]:
    grey = sum(cell.verdict == GREY for cell in cells)
    made = (
        [f"{grey} of {len(cells)} cells have fewer than {MIN_CELL_PICTURES} pictures and are not tested."]
        if grey
        else []
    )
    if mode == "one":
        made.append(
            "A picture of one thing cannot show whether attribute and object are bound: "
            "bring pictures with two things to test binding."
        )
    unasked = sum(not (cell.sees_attribute.n and cell.sees_object.n) for cell in cells)
    if unasked:
        made.append(
            f"In {unasked} cells all pictures show all attributes or all objects, so whether they are seen cannot be "
            "asked, and binding is not tested. Bring pictures with more attributes and objects."
        )
    made.append("A cell without a claim is not proved to be right: it may have too few pictures to show a failure.")
    return tuple(made)
