"""How well an encoder knows each phrase: the table that `python -m core competence` makes, and where it is looked up.

A table belongs to one encoder, by its fingerprint. The embedded encoder's ships; one that somebody made for another
encoder lies in the cache. A table of another fingerprint is never used.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.documents import read_json
from core.embeddings.texts import TextTower
from core.encoders import EMBEDDED
from core.errors import InvalidInput
from core.files import ASSETS, default_cache, write_text
from core.language.chance import Chance
from core.language.grammar import words_in
from core.language.title_model import TitleModel
from core.records import Competence, Estimate

SHIPPED = ASSETS / "competence"
"""The tables that come along, one for each encoder that does."""
BAR = 0.75
"""An encoder knows a phrase if the lower end of its AUROC's interval is at least this: chosen on the tuning half of
`research/evidence/names.py`."""
MIN_PICTURES = 10
"""A phrase that fewer images show is not measured."""
VERSION = 2
ASKS = {"image": "--captions FILE --images FOLDER", "text": "--texts FILE", "clip": "--captions FILE --images FOLDER"}
"""What the command that measures it takes, by modality."""


@dataclass(frozen=True, slots=True)
class PhraseCompetence:
    """How well one phrase is known."""

    auroc: Estimate
    n_with: int
    n_without: int
    ground: str
    """"captions" or "edits" of images, "words" or "labels" of texts: by what it is known which samples show it."""
    said: float = math.nan
    """Of how many in 1,000 captioned photographs at least two captions mention it; nan where that was not counted."""


@dataclass(frozen=True, slots=True, eq=False)
class CompetenceTable:
    """What was measured of one encoder."""

    encoder: str
    fingerprint: str
    pictures: str
    """What it was measured on, a sentence."""
    phrases: Mapping[str, PhraseCompetence]
    line: float | None = None
    """Least support from which something is said to be shown: 24 in 25 of the known phrases reach it on images
    some of which show them; None where too few were measured."""
    chance: Chance | None = None
    """Of showing a text, by likeness; None where too few questions taught it."""
    titles: TitleModel | None = None
    """How likely a title is right; None where too few titles taught it."""

    def of(self, phrases: Sequence[str]) -> Competence:
        """The figures of these phrases, in their order."""
        by_words = {words_in(text): known for text, known in self.phrases.items()}
        found = [by_words.get(words_in(phrase)) for phrase in phrases]
        areas = np.array(
            [(math.nan,) * 3 if k is None else (k.auroc.value, k.auroc.low, k.auroc.high) for k in found], np.float64
        ).reshape(-1, 3)
        counts = np.array([(0, 0) if k is None else (k.n_with, k.n_without) for k in found], np.int64).reshape(-1, 2)
        said = np.array([math.nan if k is None else k.said for k in found], np.float64)
        return Competence(areas[:, 0], areas[:, 1], areas[:, 2], counts[:, 0], counts[:, 1], BAR, said)


def find_competence(encoder: TextTower, cache: Path | None = None) -> tuple[CompetenceTable | None, str]:
    """The table of this very encoder, from the cache or from what ships, and a note where there is none.

    The user's own cache is looked through whatever `cache` is: the page's visits have caches of their own, and a table
    says nothing of any visitor.
    """
    own = [kept_at(folder, encoder.fingerprint) for folder in (cache, default_cache()) if folder is not None]
    shipped = SHIPPED / f"{encoder.name}.json" if encoder.name in EMBEDDED.values() else None
    for path in (*own, shipped):
        if path is not None and path.is_file():
            table = read_competence(path)
            if table.fingerprint == encoder.fingerprint:
                return table, ""
    which = f"this edition of {encoder.name}" if shipped is not None and shipped.is_file() else encoder.name
    return None, (
        f"How well {which} knows its words was not measured, so a word titles a cluster only as a guess. "
        f"Measure it with `python -m core competence {encoder.name} {ASKS[encoder.modality]}`."
    )


def kept_at(cache: Path, fingerprint: str) -> Path:
    """Where a table of one's own lies."""
    name = "".join(c if c.isalnum() else "_" for c in fingerprint)
    return cache / "competence" / f"{name}.json"


def write_competence(table: CompetenceTable, path: Path) -> None:
    """Write JSON that `read_competence` gives back: one line a phrase."""
    lines = [f" {json.dumps(text, ensure_ascii=False)}: {json.dumps(_row(k))}" for text, k in table.phrases.items()]
    head: dict[str, Any] = {"version": VERSION, "encoder": table.encoder, "fingerprint": table.fingerprint}
    head |= {"pictures": table.pictures, "line": None if table.line is None else round(table.line, 3)}
    if table.chance is not None:
        head["chance"] = [round(value, 4) for value in astuple(table.chance)]
    if table.titles is not None:
        head["titles"] = table.titles.write()
    start = ",\n".join(f' "{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in head.items())
    write_text(path, f'{{\n{start},\n "phrases": {{\n' + ",\n".join(lines) + "\n}}\n")


def read_competence(path: Path) -> CompetenceTable:
    """The table of a file.

    Raises:
        InvalidInput: it cannot be read, or is no such table.
    """
    whole = read_json(path)
    try:
        said = cast("dict[str, Any]", whole)
        if said["version"] != VERSION:
            raise ValueError(f"version {said['version']}")
        encoder, fingerprint, pictures = (str(said[key]) for key in ("encoder", "fingerprint", "pictures"))
        line = None if said["line"] is None else float(said["line"])
        if line is not None and not math.isfinite(line):
            raise ValueError(f"a line of {line}")
        chance = None if said.get("chance") is None else Chance(*(float(value) for value in said["chance"]))
        if chance is not None and not all(map(math.isfinite, astuple(chance))):
            raise ValueError(f"a chance of {chance}")
        titles = None if said.get("titles") is None else TitleModel.read(said["titles"])
        phrases = {str(text): _known(values) for text, values in cast("dict[str, list[Any]]", said["phrases"]).items()}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as fault:
        raise InvalidInput(
            f"{path.name} is no table of an encoder's competence ({fault}). Make it with `python -m core competence`."
        ) from None
    return CompetenceTable(encoder, fingerprint, pictures, phrases, line, chance, titles)


def _row(known: PhraseCompetence) -> list[Any]:
    area = [round(v, 4) for v in (known.auroc.value, known.auroc.low, known.auroc.high)]
    said = None if math.isnan(known.said) else round(known.said, 2)
    return [*area, known.n_with, known.n_without, known.ground, said]


def _known(values: Sequence[Any]) -> PhraseCompetence:
    value, low, high, n_with, n_without, ground, *more = values
    said = math.nan if more in ([], [None]) else float(*more)
    if said < 0 or math.isinf(said):
        raise ValueError(f"said {said}")
    area = Estimate(float(value), float(low), float(high))
    if not 0 <= area.low <= area.value <= area.high <= 1:
        raise ValueError(f"an AUROC of {values[:3]}")
    if not (0 < int(n_with) < 2**53 and 0 < int(n_without) < 2**53):
        raise ValueError(f"pictures {n_with} and {n_without}")
    return PhraseCompetence(area, int(n_with), int(n_without), str(ground), said)
