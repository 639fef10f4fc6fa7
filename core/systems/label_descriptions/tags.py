"""Tags: properties of a sample, such as sarcasm or motion blur, known from a description alone."""

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
"""The name of the sixty shipped causes, for texts."""
MAX_TAGS = 500
"""Bounds the vectors and the family of tests; no list that a person writes comes near."""


@dataclass(frozen=True, slots=True)
class DescribedTags:
    """t tags and the texts that describe each."""

    names: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]


def read_tags(source: str, modality: str) -> DescribedTags:
    """Read the tags of a file or of a list.

    Args:
        source: "failure-causes"; or the path, or the text itself, of JSON ({"name": ["text", ...], ...}) or TSV (name
            TAB description); or the path of a .txt file with a name a line; or names separated by commas or line
            breaks. A few plain sentences describe a name that stands alone.
        modality: of the samples.

    Raises:
        InvalidInput: the file does not exist, a name occurs twice, or there are no names or too many.
    """
    text = source.strip()
    if text == SHIPPED and modality != "text":
        raise InvalidInput(f"{SHIPPED!r} are causes for texts, but the samples are {modality}s. Use your own names.")
    if text == SHIPPED:
        described = read_descriptions(str(FAILURE_CAUSES))
        return _checked(described.labels, described.texts)
    if text.startswith(("{", "[")) or "\t" in text or text.lower().endswith((".json", ".tsv")):
        described = read_descriptions(text)
        if described.numbered:  # a published file numbers its classes; the first text of each is its name
            return _checked(tuple(texts[0] for texts in described.texts), described.texts)
        return _checked(described.labels, described.texts)
    if text.lower().endswith(".txt"):
        lines = read_text(Path(text).expanduser()).splitlines()
    else:
        lines = text.replace("\n", ",").split(",")
    stripped = (" ".join(line.split()) for line in lines)
    names = tuple(name for name in stripped if name)
    return _checked(names, tuple(SPEECH[modality].has(name) for name in names))


def _checked(names: tuple[str, ...], texts: tuple[tuple[str, ...], ...]) -> DescribedTags:
    if not 1 <= len(names) <= MAX_TAGS:
        raise InvalidInput(f"Name 1 to {MAX_TAGS} tags, separated by commas: got {len(names):,}.")
    seen: dict[str, str] = {}
    for name in names:
        check_text(name, f"The tag {name[:40]!r}")
        folded = fold_name(name)
        if folded in seen:
            raise InvalidInput(f"Two tags have the same name: {seen[folded][:60]!r} and {name[:60]!r}. Remove one.")
        seen[folded] = name
    return DescribedTags(names, texts)


def tag_patterns(modality: str) -> tuple[Pattern, ...]:
    """The fourteen shipped wordings of a tag for samples of a modality."""
    return read_patterns(SPEECH[modality].trait_patterns)


@dataclass(frozen=True, slots=True, eq=False)
class TagDirections:
    """Unit vectors that a sample's vector is compared with.

    Nothing is subtracted from a tag's texts: less the same texts about "something", thirteen tags that can be checked
    against the words of news reached a mean AUROC of .62 instead of .67.
    """

    described: F64
    """(t, d) mean over each tag's texts."""
    worded: F64
    """(p, t, d) each tag's name in each pattern."""


def tag_directions(
    tags: DescribedTags,
    patterns: Sequence[Pattern],
    encoder: TextTower,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> TagDirections:
    """Encode the tags as directions of the encoder's joint space."""
    t = len(tags.names)
    texts: list[str] = []
    for pattern in patterns:
        texts += [pattern.filled(name) for name in tags.names]
    n_worded = len(texts)
    for tag_texts in tags.texts:
        texts += tag_texts
    vectors = unit_rows(encode_texts(encoder, texts, cache, progress=progress, step="encode the tags"))
    sums = np.zeros((t, vectors.shape[1]))
    tag_of_text = np.repeat(np.arange(t), [len(tag_texts) for tag_texts in tags.texts])
    np.add.at(sums, tag_of_text, vectors[n_worded:].astype(np.float64))
    return TagDirections(unit(sums), vectors[:n_worded].astype(np.float64).reshape(len(patterns), t, -1))
