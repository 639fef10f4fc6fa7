"""From rows to a `Benchmark`: images listed once, captions checked, what is left out counted."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import InvalidInput
from core.options import check_text
from core.records import Bool
from core.systems.composition.readers.recognise import IMAGES
from core.systems.composition.records import Benchmark, Box, Item, Kind, Picture

MAX_ITEMS = 200_000
MAX_CAPTION_LENGTH = 2000
"""Characters; the longest published caption has a tenth."""
TOO_LONG = f"a caption is longer than {MAX_CAPTION_LENGTH:,} characters"
"""Why an item is left out."""
MAX_NAME_LENGTH = 1000
FIRST_OF_EACH = ((0, 0), (1, 1))
"""The match of a pair: caption i belongs to image i."""


@dataclass(slots=True)
class Builder:
    """A benchmark as it is read, row by row."""

    name: str
    title: str
    kind: Kind
    headline: str
    source: str
    average: str = ""
    items: list[Item] = field(default_factory=list[Item])
    excluded: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    notes: list[str] = field(default_factory=list[str])
    _places: dict[tuple[str, Box | None], int] = field(default_factory=dict[tuple[str, "Box | None"], int])
    _ids: Counter[str] = field(default_factory=Counter[str])

    def picture(self, name: str, where: str, box: Box | None = None) -> int:
        """Place of the image, which is entered if it is new.

        Raises:
            InvalidInput: the name is empty, too long or holds what no file name can.
        """
        if not (written := name.strip()) or len(written) > MAX_NAME_LENGTH or "\0" in written:
            raise InvalidInput(
                f"{where}: an image's name must have 1 to {MAX_NAME_LENGTH:,} characters: got {written[:60]!r}. "
                "Name its file."
            )
        check_text(written, f"{where}: the image's name")
        return self._places.setdefault((written, box), len(self._places))

    def add(
        self,
        id: str,
        where: str,
        pictures: Sequence[int],
        captions: Iterable[str],
        *,
        match: Sequence[tuple[int, int]] = ((0, 0),),
        tags: Mapping[str, str] | None = None,
        hard: Bool | None = None,
    ) -> None:
        """Enter an item; one with an empty or too long caption, or a choice without a foil, is left out and counted.

        Raises:
            InvalidInput: there are too many items, or a caption is cut.
        """
        texts = tuple(captions)
        too_long = any(len(caption) > MAX_CAPTION_LENGTH for caption in texts)
        tidied = () if too_long else tuple(tidy_caption(caption, where) for caption in texts)
        if too_long:
            self.exclude(id, TOO_LONG)
        elif not all(tidied):
            self.exclude(id, "a caption is empty")
        elif self.kind == "choice" and len(tidied) < 2:
            self.exclude(id, "it has no foil")
        else:
            item_tags = {key: value for key, value in (tags or {}).items() if value}
            self.items.append(Item(self._own_id(id), tuple(pictures), tidied, tuple(match), item_tags, hard))
        if len(self.items) + len(self.excluded) > MAX_ITEMS:
            raise InvalidInput(f"{self.title} has more than {MAX_ITEMS:,} items, the limit. Split its file.")

    def add_pair(
        self,
        id: str,
        where: str,
        pictures: Sequence[str],
        captions: Iterable[str],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Enter two images by their names and the caption of each."""
        places = [self.picture(name, where) for name in pictures]
        self.add(id, where, places, captions, match=FIRST_OF_EACH, tags=tags)

    def add_choice(
        self,
        id: str,
        where: str,
        picture: str,
        captions: Iterable[str],
        tags: Mapping[str, str] | None = None,
        box: Box | None = None,
    ) -> None:
        """Enter an image by its name, its caption, and then its foils."""
        self.add(id, where, (self.picture(picture, where, box),), captions, tags=tags)

    def add_query(
        self, text: str, where: str, pictures: Sequence[int], fits: Bool, hard: Bool, tags: Mapping[str, str]
    ) -> None:
        """Enter a query over images, or leave it out where a ranking says nothing.

        Args:
            fits: (I,) whether the query describes an image.
            hard: (I,) whether the headline is computed on it.
        """
        match = [(int(i), 0) for i in np.flatnonzero(fits)]
        if fault := retrieval_fault(match, hard, len(pictures)):
            self.exclude(text, fault)
        else:
            self.add(text, where, tuple(pictures), (text,), match=match, tags=tags, hard=hard.copy())

    def exclude(self, id: str, reason: str) -> None:
        """Leave an item out. What follows ": " in the reason is an example, not another reason."""
        self.excluded.append((self._own_id(id), reason))

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def build(self) -> Benchmark:
        """The benchmark.

        Raises:
            InvalidInput: no item is left.
        """
        if not self.items:
            why = "; ".join(counted(self.excluded)) or "its file has no rows"
            raise InvalidInput(f"{self.title}: no item can be used ({why}). Use the published file.")
        pictures = tuple(Picture(name, box) for name, box in self._places)
        # what was left out is told of the result, by `excluded`
        notes = (*self.notes, f"Its images are {IMAGES[self.name]}.")
        return Benchmark(
            self.name,
            self.title,
            self.kind,
            tuple(self.items),
            pictures,
            self.headline,
            blind=self.kind == "choice",
            average=self.average,
            excluded=tuple(self.excluded),
            notes=notes,
            source=self.source,
        )

    def _own_id(self, id: str) -> str:
        written = " ".join(id.split())[:200] or "item"
        self._ids[written] += 1
        return written if self._ids[written] == 1 else f"{written} #{self._ids[written]}"


def tidy_caption(caption: str, where: str) -> str:
    """The caption with single spaces; "" where it has no character that can be seen, as one of a NUL or zero-width
    spaces alone.

    Raises:
        InvalidInput: it is longer than 2,000 characters, or holds half of a surrogate pair.
    """
    if len(caption) > MAX_CAPTION_LENGTH:
        raise InvalidInput(
            f"{where}: a caption has at most {MAX_CAPTION_LENGTH:,} characters: got {len(caption):,} "
            f"({caption[:40]!r}). Shorten it."
        )
    check_text(caption, where)
    seen = any(unicodedata.category(character)[0] not in "CZ" for character in caption)
    if seen:
        return " ".join(caption.split())
    return ""


def counted(excluded: Iterable[tuple[str, str]]) -> list[str]:
    """For each reason how many items it took, the commonest first, and an example of those with details."""
    reasons = [reason for _, reason in excluded]
    groups = Counter(reason.split(": ")[0] for reason in reasons).most_common()
    return [f"{n:,} {'item' if n == 1 else 'items'} because {group}" for group, n in groups]


def retrieval_fault(match: Sequence[tuple[int, int]], hard: Bool | None, n_pictures: int) -> str:
    """Why a query cannot be scored, or "". A ranking says something if an image fits and another does not, among the
    hard ones where marked."""
    if not match:
        return "no image fits the query"
    if hard is None:
        if n_pictures > len(match):
            return ""
        return "every image fits the query"
    if not hard.any():
        return "the query has no hard image"
    fitting = sum(bool(hard[picture]) for picture, _ in match)
    if not fitting:
        return "no fitting image is among its hard ones"
    if int(hard.sum()) > fitting:
        return ""
    return "every hard image fits the query"
