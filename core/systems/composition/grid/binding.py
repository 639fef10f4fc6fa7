"""Where does binding fail? A grid of attributes and objects over images, with what goes wrong told apart in each
cell.

Of an image with two things, a1 o1 and a2 o2, four questions are asked, each with one word exchanged so that the
sentences stay alike:

    attribute  a1 o1 against a' o1 for every attribute a' that the image does not show
    object     a1 o1 against a1 o' for every object o' that the image does not show
    binding    (a1 o1) + (a2 o2) against (a2 o1) + (a1 o2), the sums of the scores
    pair       a1 o1 against both a2 o1 and a1 o2

A model that sees a bag of words answers the first two, and the third by chance: whatever it thinks of each word cancels
in the sums. In the first two a model that always says "red" would seem to see red things, so what it thinks of two
phrases whatever is shown is taken off first: the mean difference over images that show the one word and over those
that show the other, in equal parts; in the third likewise what it thinks of the four phrases, where images of the
swapped things are there. The fourth is the plain question; there a word that the model favours decides, so it is shown
and not tested. Of an image with one thing only the first two can be asked, and whether the true pair outscores every
other pair of the grid.

The four phrases are those of Cola's items (Ray et al. 2023, arXiv 2305.03689); the contrasts, the grid and the tests
are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F64, ItemStore
from core.systems.composition.grid.answers import Evened, GridAnswer, answer_of
from core.systems.composition.grid.cells import GREY, MIN_CELL_PICTURES, VERDICTS, GridCell, cells_of
from core.systems.composition.grid.questions import GridQuestions, Mode, PictureContents, ask, sentence

ScorePictures = Callable[[ItemStore, Sequence[str]], F64]
"""(n images, T texts) -> (n, T) scores, larger is a better match; nan in the rows of images that could not be
read."""
MAX_WORDS = 60
"""Attributes, and objects, of a grid."""


@dataclass(frozen=True, slots=True, eq=False)
class BindingGrid:
    """Attributes in rows, objects in columns; cells row by row, those without an image left out."""

    mode: Mode
    attributes: tuple[str, ...]
    objects: tuple[str, ...]
    cells: tuple[GridCell, ...]
    overall: GridCell
    """All images together, each once; tested as the cells are, within the same adjustment."""
    n_tests: int
    """Size of the family over which Holm's adjustment is made."""
    verdicts: Mapping[str, int]
    """Cells by verdict."""
    left_out: tuple[tuple[str, str], ...] = ()
    """(image's name, reason)."""
    notes: tuple[str, ...] = ()


def binding_grid(
    pictures: ItemStore,
    shown: Sequence[PictureContents],
    score: ScorePictures,
    *,
    mode: Mode = "two",
    template: str = "a photo of {}",
) -> BindingGrid:
    """Ask each image the questions of its cells, and say where which of them fails.

    A cell is tested with at least 5 images. Claims, each at a family-wise level of 0.05 (Holm over the three tests of
    every cell and of all images together):

        does not see   the share is lower than half-way between chance and 1 (binomial)
        binds wrongly  it does see both (both intervals lie above chance), and binding is right less often than the
                       harder of the two (McNemar on the same images; the smaller of two is taken, which can only
                       weaken the claim) and in less than half-way between chance and 1, so that a small difference in
                       a large data set is no failure

    The binomial takes the mean chance of the cell's images, and images as independent: near-duplicates must be
    taken out beforehand.

    Args:
        images: those that `shown` speaks of, by place.
        shown: what each image shows; `grid.questions` gets it from columns, captions and rendered scenes.
        score: an encoder's or adapted encoder's; see `training.scorers.matrix_of`.
        mode: "two" takes the images with two things, "one" those with one.
        template: with one "{}" for the phrase "a red cube".

    Raises:
        InvalidInput: no image fits the mode, fewer than two attributes or objects, too many of them, or a bad template.
    """
    if template.count("{}") != 1:
        raise InvalidInput(
            f'The template needs "{{}}" once, for a phrase such as "a red cube": got {template[:60]!r}. Fix it.'
        )
    asked = ask(shown, mode)
    _check_words(asked.attributes, asked.objects)
    answers, unscored = _answers(asked, pictures, score, template)
    left_out = [*asked.left_out, *((at, "it has no score") for at in unscored)]
    cells, overall, n_tests = cells_of(answers, asked.attributes, asked.objects, mode)
    counts = Counter(cell.verdict for cell in cells)
    return BindingGrid(
        mode,
        asked.attributes,
        asked.objects,
        cells,
        overall,
        n_tests,
        {name: counts[name] for name in VERDICTS if counts[name]},
        tuple((pictures.name(at), reason) for at, reason in left_out),
        _notes(cells, mode),
    )


def _answers(
    asked: GridQuestions, pictures: ItemStore, score: ScorePictures, template: str
) -> tuple[list[GridAnswer], list[int]]:
    """What the scores say to each question, and the images that have no score."""
    texts = list(dict.fromkeys(text for question in asked.questions for text in question.phrases()))
    matrix = np.asarray(score(pictures, [sentence(template, *text) for text in texts]), np.float64)
    lost = frozenset(np.flatnonzero(~np.isfinite(matrix).all(axis=1)).tolist())
    column_of = {text: i for i, text in enumerate(texts)}
    even = Evened(matrix, column_of, [one for one in asked.kept if one.picture not in lost])
    answers = [answer_of(question, even) for question in asked.questions if question.picture not in lost]
    if not answers:
        raise InvalidInput("The model could score none of the images. Check that their files open.")
    return answers, sorted({question.picture for question in asked.questions} & lost)


def _check_words(attributes: Sequence[str], objects: Sequence[str]) -> None:
    for name, words in (("attributes", attributes), ("objects", objects)):
        if len(words) < 2:
            raise InvalidInput(
                f"A grid needs at least two {name}: got {len(words)} ({', '.join(words)}). Add images that "
                "differ in them."
            )
        if len(words) > MAX_WORDS:
            raise InvalidInput(
                f"A grid has at most {MAX_WORDS} {name}: got {len(words):,}. Choose a column with fewer values, "
                "or use fewer images."
            )


def _notes(cells: Sequence[GridCell], mode: Mode) -> tuple[str, ...]:
    grey = sum(cell.verdict == GREY for cell in cells)
    unasked = sum(not (cell.sees_attribute.n and cell.sees_object.n) for cell in cells)
    notes = {
        f"Skipped the tests of {grey} of {len(cells)} cells: fewer than {MIN_CELL_PICTURES} images each.": grey,
        "Images of one object cannot test binding of attribute and object. Add images with two objects.": mode == "one",
        f"Skipped {unasked} cells: all images show all attributes or all objects. Add images with more.": unasked,
        "A cell without a claim is not proved right. It may have too few images to show a failure.": True,
    }
    return tuple(note for note, holds in notes.items() if holds)
