"""How well an encoder knows each phrase: the table that `python -m core competence` makes, and where it is found.

A table belongs to one encoder, by its fingerprint. The embedded encoder's is shipped; a user's table for another
encoder is in the cache. A table with another fingerprint is never used.
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
"""The shipped tables, one for each shipped encoder."""
BAR = 0.75
"""An encoder knows a phrase if the lower end of its AUROC's interval is at least this: chosen on the tuning half of
`research/evidence/names.py`."""
MIN_PICTURES = 10
"""A phrase that fewer images show is not measured. A convention."""
VERSION = 2
ASKS = {"image": "--captions FILE --images FOLDER", "text": "--texts FILE", "clip": "--captions FILE --images FOLDER"}
"""Options of the command that measures competence, by modality."""


@dataclass(frozen=True, slots=True)
class PhraseCompetence:
    """How well an encoder knows one phrase."""

    auroc: Estimate
    n_with: int
    n_without: int
    ground: str
    """How it is known which samples show it: "captions" or "edits" of images, "words" or "labels" of texts."""
    spoken: float = math.nan
    """Photographs in 1,000 with at least two captions that mention it; nan if not counted."""


@dataclass(frozen=True, slots=True, eq=False)
class CompetenceTable:
    """The measured competence of one encoder."""

    encoder: str
    fingerprint: str
    pictures: str
    """What it was measured on, in a sentence."""
    phrases: Mapping[str, PhraseCompetence]
    line: float | None = None
    """Support from which something counts as shown: 24 in 25 of the known phrases reach it on images some of which show
    them; None with too few measured phrases."""
    chance: Chance | None = None
    """Of showing a text, by likeness; None with too few usable questions."""
    titles: TitleModel | None = None
    """How likely a title is right; None with too few samples to fit it."""

    def of(self, phrases: Sequence[str]) -> Competence:
        """The figures of these phrases, in their order; nan and 0 for phrases that were not measured."""
        by_words = {words_in(text): known for text, known in self.phrases.items()}
        areas = np.full((len(phrases), 3), math.nan)
        counts = np.zeros((len(phrases), 2), np.int64)
        spoken = np.full(len(phrases), math.nan)
        for i, phrase in enumerate(phrases):
            known = by_words.get(words_in(phrase))
            if known is not None:
                areas[i] = known.auroc.value, known.auroc.low, known.auroc.high
                counts[i] = known.n_with, known.n_without
                spoken[i] = known.spoken
        return Competence(areas[:, 0], areas[:, 1], areas[:, 2], counts[:, 0], counts[:, 1], BAR, spoken)


def find_competence(encoder: TextTower, cache: Path | None = None) -> tuple[CompetenceTable | None, str]:
    """Find the table of this encoder in the cache or among the shipped ones; without one, a note.

    The user's own cache is always searched: visits to the page have their own caches, and a table contains nothing
    about a visitor.
    """
    paths = [cached_table(folder, encoder.fingerprint) for folder in (cache, default_cache()) if folder is not None]
    which = encoder.name
    if encoder.name in EMBEDDED.values():
        shipped = SHIPPED / f"{encoder.name}.json"
        paths.append(shipped)
        if shipped.is_file():
            which = f"this version of {encoder.name}"
    for path in paths:
        if path.is_file():
            table = read_competence(path)
            if table.fingerprint == encoder.fingerprint:
                return table, ""
    return None, (
        f"Words in titles are only guesses: it was not measured how well {which} knows them. "
        f"Measure it with `python -m core competence {encoder.name} {ASKS[encoder.modality]}`."
    )


def cached_table(cache: Path, fingerprint: str) -> Path:
    """Path of a user's table in a cache."""
    name = "".join(c if c.isalnum() else "_" for c in fingerprint)
    return cache / "competence" / f"{name}.json"


def write_competence(table: CompetenceTable, path: Path) -> None:
    """Write JSON that `read_competence` reads: one phrase per line."""
    lines = [f" {json.dumps(text, ensure_ascii=False)}: {json.dumps(_row(k))}" for text, k in table.phrases.items()]
    head: dict[str, Any] = {"version": VERSION, "encoder": table.encoder, "fingerprint": table.fingerprint}
    line = table.line
    if line is not None:
        line = round(line, 3)
    head |= {"pictures": table.pictures, "line": line}
    if table.chance is not None:
        head["chance"] = [round(value, 4) for value in astuple(table.chance)]
    if table.titles is not None:
        head["titles"] = table.titles.write()
    start = ",\n".join(f' "{key}": {json.dumps(value, ensure_ascii=False)}' for key, value in head.items())
    write_text(path, f'{{\n{start},\n "phrases": {{\n' + ",\n".join(lines) + "\n}}\n")


def read_competence(path: Path) -> CompetenceTable:
    """Read a table from a file.

    Raises:
        InvalidInput: it cannot be read, or is not a competence table.
    """
    whole = read_json(path)
    try:
        content = cast("dict[str, Any]", whole)
        if content["version"] != VERSION:
            raise ValueError(f"version {content['version']}")
        encoder, fingerprint, pictures = (str(content[key]) for key in ("encoder", "fingerprint", "pictures"))
        line = content["line"]
        if line is not None:
            line = float(line)
            if not math.isfinite(line):
                raise ValueError(f"a line of {line}")
        chance = None
        if content.get("chance") is not None:
            chance = Chance(*(float(value) for value in content["chance"]))
            if not all(map(math.isfinite, astuple(chance))):
                raise ValueError(f"a chance of {chance}")
        titles = None
        if content.get("titles") is not None:
            titles = TitleModel.read(content["titles"])
        rows = cast("dict[str, list[Any]]", content["phrases"])
        phrases = {str(text): _known(values) for text, values in rows.items()}
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as fault:
        raise InvalidInput(
            f"{path.name} is not a competence table ({fault}). Make one with `python -m core competence`."
        ) from None
    return CompetenceTable(encoder, fingerprint, pictures, phrases, line, chance, titles)


def _row(known: PhraseCompetence) -> list[Any]:
    area = [round(v, 4) for v in (known.auroc.value, known.auroc.low, known.auroc.high)]
    spoken = None
    if not math.isnan(known.spoken):
        spoken = round(known.spoken, 2)
    return [*area, known.n_with, known.n_without, known.ground, spoken]


def _known(values: Sequence[Any]) -> PhraseCompetence:
    value, low, high, n_with, n_without, ground, *more = values
    spoken = math.nan
    if more not in ([], [None]):
        spoken = float(*more)
    if spoken < 0 or math.isinf(spoken):
        raise ValueError(f"{spoken} mentions")
    area = Estimate(float(value), float(low), float(high))
    if not 0 <= area.low <= area.value <= area.high <= 1:
        raise ValueError(f"an AUROC of {values[:3]}")
    if not (0 < int(n_with) < 2**53 and 0 < int(n_without) < 2**53):
        raise ValueError(f"{n_with} samples with it and {n_without} without")
    return PhraseCompetence(area, int(n_with), int(n_without), str(ground), spoken)
