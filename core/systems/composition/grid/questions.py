"""What images show, as attributes of objects: from columns, captions or rendered scenes; and the questions that a
grid asks of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.errors import InvalidInput
from core.language.grammar import right_articles, spoken, takes_article
from core.records import SampleSet
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.parse import described_things

Mode = Literal["one", "two"]
""""one": images of one thing; "two": images of two things with their attributes, which alone can test binding."""
Pair = tuple[str, str]
"""(attribute, object)."""


@dataclass(frozen=True, slots=True)
class PictureContents:
    """What an image shows."""

    picture: int
    """Place of the image in its store."""
    things: tuple[Pair, ...]
    """(attribute, object) of each thing, as one says them: ("red", "cube")."""


@dataclass(frozen=True, slots=True)
class BindingQuestion:
    """What is asked of one thing of one image; each phrase is an (attribute, object)."""

    picture: int
    true: Pair
    other: Pair | None
    """The image's other thing, in mode "two"."""
    attributes: tuple[Pair, ...]
    """The same object with attributes that the image does not show."""
    objects: tuple[Pair, ...]
    """The same attribute with objects that the image does not show."""
    pairs: tuple[Pair, ...]
    """The two mis-bound pairs in mode "two"; in mode "one" every other pair of the grid's words."""

    def phrases(self) -> tuple[Pair, ...]:
        """Every phrase that must be scored."""
        second = () if self.other is None else (self.other,)
        return (self.true, *second, *self.attributes, *self.objects, *self.pairs)


@dataclass(frozen=True, slots=True)
class GridQuestions:
    """The questions of a grid."""

    questions: tuple[BindingQuestion, ...]
    kept: tuple[PictureContents, ...]
    """The images that are asked."""
    attributes: tuple[str, ...]
    objects: tuple[str, ...]
    left_out: tuple[tuple[int, str], ...]
    """(image, reason)."""


def sentence(template: str, attribute: str, thing: str) -> str:
    """The template with the phrase in its place, with the right article.

    >>> sentence("a photo of {}", "orange", "cube"), sentence("{}", "red", "jeans")
    ('a photo of an orange cube', 'red jeans')
    """
    phrase = f"a {attribute} {thing}" if takes_article(thing) else f"{attribute} {thing}"
    return right_articles(template.replace("{}", phrase))


def ask(shown: Sequence[PictureContents], mode: Mode) -> GridQuestions:
    """The questions of every image that fits the mode; the others are counted with their reason.

    Raises:
        InvalidInput: none fits the mode.
    """
    usable = list[PictureContents]()
    left_out = list[tuple[int, str]]()
    for content in shown:
        reason = _misfit(content, mode)
        if reason:
            left_out.append((content.picture, reason))
        else:
            usable.append(content)
    if not usable:
        why = "; ".join(
            f"{count:,} because {reason}" for reason, count in Counter(reason for _, reason in left_out).most_common()
        )
        things = "two objects that differ in name and attribute"
        if mode == "one":
            things = "one thing"
        raise InvalidInput(
            f"No image shows {things} with known attributes ({why or 'there are no images'}). Add such images, "
            "or choose the other mode."
        )
    attributes = tuple(sorted({attribute for content in usable for attribute, _ in content.things}))
    objects = tuple(sorted({thing for content in usable for _, thing in content.things}))
    questions = [
        _question(content, at, mode, attributes, objects) for content in usable for at in range(len(content.things))
    ]
    return GridQuestions(tuple(questions), tuple(usable), attributes, objects, tuple(left_out))


def _misfit(content: PictureContents, mode: Mode) -> str:
    if not content.things:
        return "no attribute of an object is known"
    if mode == "one":
        if len(content.things) == 1:
            return ""
        return "they show more than one object"
    if len(content.things) != 2:
        return "they do not show exactly two objects with known attributes"
    (first, first_object), (second, second_object) = content.things
    if first == second or first_object == second_object:
        return "their two objects share the attribute or the name"
    return ""


def _question(
    content: PictureContents, at: int, mode: Mode, attributes: Sequence[str], objects: Sequence[str]
) -> BindingQuestion:
    attribute, noun = content.things[at]
    here = {a for a, _ in content.things}
    things = {o for _, o in content.things}
    absent = tuple((a, noun) for a in attributes if a not in here)
    elsewhere = tuple((attribute, o) for o in objects if o not in things)
    if mode == "one":
        pairs = tuple((a, o) for a in attributes for o in objects if (a, o) != (attribute, noun))
        return BindingQuestion(content.picture, (attribute, noun), None, absent, elsewhere, pairs)
    second = content.things[1 - at]
    crossed = ((second[0], noun), (attribute, second[1]))
    return BindingQuestion(content.picture, (attribute, noun), second, absent, elsewhere, crossed)


# ---- where it is known from


def shown_from_columns(samples: SampleSet, attribute: str, objects: str = "") -> tuple[PictureContents, ...]:
    """One thing an image: a category column as the attribute, another (or, with "", the label) as the object. Rows
    without either show nothing.

    Raises:
        InvalidInput: the column is missing or not a category, or the samples have no labels.
    """
    first = _values(samples, attribute)
    second = _values(samples, objects) if objects else _labels(samples)
    pairs = [(a, o) for a, o in zip(first, second)]
    return tuple(
        PictureContents(i, ((spoken(str(a)), spoken(str(o))),) if a is not None and o is not None else ())
        for i, (a, o) in enumerate(pairs)
    )


def _values(samples: SampleSet, name: str) -> list[Any]:
    column = next((column for column in samples.metadata if column.name == name), None)
    categories = [column.name for column in samples.metadata if column.kind == "category"]
    if column is None or column.kind != "category":
        raise InvalidInput(
            f"{name[:60]!r} is not a category column. Choose one of: {', '.join(categories[:12]) or 'none'}."
        )
    return list(column.values)


def _labels(samples: SampleSet) -> list[Any]:
    if samples.labels is None:
        raise InvalidInput(
            "Objects are the labels unless a column is named, and the samples have no labels. Name a column for "
            "the object."
        )
    return [samples.class_names[label] for label in samples.labels.tolist()]


def shown_from_captions(captions: Sequence[str], family: str = "") -> tuple[tuple[PictureContents, ...], str]:
    """What captions say, by the lexicon, one image a caption; of one family of attributes. A caption can be silent on
    what is in the image.

    Args:
        family: such as "colour"; "" takes the one that is said of two things in most captions.

    Returns:
        What each image shows, and the family.

    Raises:
        InvalidInput: the family is not known, or no caption names an attribute.
    """
    read = [described_things(caption) for caption in captions]
    families = sorted(set(read_lexicon().family.values()))
    if family and family not in families:
        raise InvalidInput(f"{family[:40]!r} is not a family of attributes. Choose one of: {', '.join(families)}.")
    if not any(read):
        raise InvalidInput(
            "No caption names an attribute of an object, such as a color, size or material. Add captions that "
            "do, or use columns."
        )
    if not family:
        counts = {
            own: (sum(_named(things, own) == 2 for things in read), sum(_named(things, own) > 0 for things in read))
            for own in families
        }
        family = max(families, key=lambda own: counts[own])
    pairs_of = [tuple(dict.fromkeys((a, o) for a, own, o in things if own == family)) for things in read]
    return tuple(PictureContents(i, pairs) for i, pairs in enumerate(pairs_of)), family


def _named(things: Sequence[tuple[str, str, str]], family: str) -> int:
    return sum(own == family for _, own, _ in things)


def shown_from_truth(
    scenes: Sequence[Sequence[Mapping[str, str]]], attribute: str = "color", thing: str = "shape"
) -> tuple[PictureContents, ...]:
    """Of rendered scenes whose truth is known, in the form of CLEVR's `objects`: for each image its things, each with
    named properties.

    Raises:
        InvalidInput: a thing lacks one of the two properties.
    """
    contents: list[PictureContents] = []
    for i, things in enumerate(scenes):
        for truth in things:
            if missing := [name for name in (attribute, thing) if name not in truth]:
                raise InvalidInput(
                    f"An object of image {i} has no {missing[0]!r}: it has "
                    f"{', '.join(map(str, list(truth)[:8]))}. Name one of these."
                )
        contents.append(
            PictureContents(i, tuple((spoken(str(truth[attribute])), spoken(str(truth[thing]))) for truth in things))
        )
    return tuple(contents)
