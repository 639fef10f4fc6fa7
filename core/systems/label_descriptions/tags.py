"""Tags: what a sample may have, such as sarcasm or motion blur, known from a description alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.documents import read_text
from core.embeddings.texts import TextTower, encode_texts
from core.encoders.arithmetic import unit, unit_rows
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.language.speech import SPEECH
from core.options import check_text
from core.records import F64, Progress, no_progress
from core.systems.common.class_descriptions import FAILURE_CAUSES, Pattern, read_descriptions, read_patterns

SHIPPED = "failure-causes"
"""Names the sixty causes that ship, for texts."""
MAX_TAGS = 500


@dataclass(frozen=True, slots=True)
class DescribedTags:
    """t tags and what is said of each."""

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


def read_tags(source: str, modality: str) -> DescribedTags:
    """The tags of a file or of a list.

    Args:
        source: "failure-causes"; or the path, or the text itself, of JSON ({"name": ["text", ...], ...}) or TSV (name
            TAB description); or the path of lines, a name each; or names with commas or line breaks between them. Where
            names stand alone, a few plain sentences describe each.
        modality: of the samples.

    Raises:
        InvalidInput: there is no such file, no name, one twice, or too many.
    """
    text = source.strip()
    if text == SHIPPED and modality != "text":
        raise InvalidInput(f"{SHIPPED!r} are causes of texts, and the samples are {modality}s. Use your own names.")
    if text == SHIPPED:
        found = read_descriptions(str(FAILURE_CAUSES))
        names = found.labels
        texts = found.texts
    elif text.startswith(("{", "[")) or "\t" in text or text.lower().endswith((".json", ".tsv")):
        found = read_descriptions(text)
        names = tuple(own[0] for own in found.texts) if found.numbered else found.labels
        texts = found.texts
    else:
        is_file = text.lower().endswith(".txt")
        lines = read_text(Path(text).expanduser()).splitlines() if is_file else text.replace("\n", ",").split(",")
        names = tuple(name for name in (" ".join(line.split()) for line in lines) if name)
        texts = tuple(SPEECH[modality].has(name) for name in names)
    return DescribedTags(_checked(names), texts)


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(names) <= MAX_TAGS:
        raise InvalidInput(
            f"1 to {MAX_TAGS} tags are allowed: got {len(names):,}. Name what you suspect, with commas between."
        )
    seen: dict[str, str] = {}
    for name in names:
        check_text(name, f"The tag {name[:40]!r}")
        if (twin := seen.setdefault(fold_name(name), name)) != name or names.count(name) > 1:
            raise InvalidInput(f"Two tags have the same name: {twin[:60]!r} and {name[:60]!r}. Keep one.")
    return names


def tag_patterns(modality: str) -> tuple[Pattern, ...]:
    """The fourteen wordings of a tag that ship for samples of that modality."""
    return read_patterns(SPEECH[modality].trait_patterns)


@dataclass(frozen=True, slots=True, eq=False)
class TagDirections:
    """What a sample's vector is held against, unit rows. Nothing is taken away from a tag's texts: taking away the same
    said of "something" told thirteen tags worse, whose truth can be read off the words of news, mean AUROC .62 for
    .67."""

    described: F64
    """(t, d) the mean of what is said of each tag."""
    worded: F64
    """(p, t, d) its name in each pattern."""


def tag_directions(
    tags: DescribedTags,
    patterns: Sequence[Pattern],
    encoder: TextTower,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> TagDirections:
    """The tags as directions of the encoder's joint space."""
    flat = [text for own in tags.texts for text in own]
    t = len(tags.names)
    texts = [*(pattern.filled(name) for pattern in patterns for name in tags.names), *flat]
    vectors = unit_rows(encode_texts(encoder, texts, cache, progress=progress, step="encode the tags"))
    at = len(patterns) * t
    sums = np.zeros((t, vectors.shape[1]))
    np.add.at(sums, np.repeat(np.arange(t), [len(own) for own in tags.texts]), vectors[at:].astype(np.float64))
    return TagDirections(unit(sums), vectors[:at].astype(np.float64).reshape(len(patterns), t, -1))
