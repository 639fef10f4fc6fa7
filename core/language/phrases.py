"""The vocabulary as directions of an encoder's joint space.

A phrase is the difference between prompts with it and the same prompts without it ("a photo of a dog in the dark" minus
"a photo of a dog"), averaged over templates and class names. This cancels a constant gap between the modalities and the
class itself (Zhang et al. 2024, arXiv 2401.08567, call the removal of the modality means "collapse"; Jain et al. 2023,
arXiv 2206.14754, subtract the class prompt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.embeddings.texts import TextTower, encode_texts
from core.encoders import load_encoder
from core.encoders.arithmetic import unit
from core.errors import InvalidInput, quoted
from core.language.competence import find_competence
from core.language.directions import words_of
from core.language.likeness import support_of
from core.language.prompts import drop_alike, keep_apart, prompts, synonyms_of
from core.language.vocabulary import Vocabulary, read_vocabulary
from core.numbers import count
from core.records import F32, F64, Embeddings, Progress, Words, no_progress

MAX_COSINE = 0.95
"""Phrases whose directions have a higher cosine are one phrase."""
MIN_STRENGTH = 1e-4
"""A phrase that moves its prompts by less means nothing to the encoder: capitals to an encoder that lowers all
letters."""
PROMPTS_PER_PHRASE = 8
STEP = "read the phrases"


def name_samples(
    joint: Embeddings,
    encoder: str,
    class_names: Sequence[str],
    vocabulary: Path | None = None,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Words:
    """Read the words of a run: the shipped or the user's vocabulary in the space of the named encoder.

    Args:
        joint: (n, d) the samples in that encoder's space.
        vocabulary: file of the user's own phrases; see `core.language.vocabulary.read_vocabulary`.

    Raises:
        InvalidInput: the vocabulary cannot be read.
    """
    tower = load_encoder(encoder)
    phrases = read_vocabulary(vocabulary, tower.modality)  # before the text tower is loaded
    progress(STEP, 0, 1)
    synonyms = synonyms_of(class_names)
    progress(STEP, 0, 1)
    words = make_words(joint, tower, phrases, class_names, synonyms, cache, progress)
    progress(STEP, 1, 1)
    return replace(with_competence(words, tower, cache), encoder=encoder)


def with_competence(words: Words, tower: TextTower, cache: Path | None = None) -> Words:
    """Add the encoder's measured competence, and whether any sample is like each phrase; or a note that it was never
    measured."""
    table, note = find_competence(tower, cache)
    if note:
        words = replace(words, notes=(*words.notes, note))
    if table is None:
        return words
    titles = None
    if table.titles is not None:
        titles = table.titles.write()
    words = replace(words, competence=table.of(words.phrases), line=table.line, titles=titles)
    if words.line is None:
        return words
    return replace(words, support=support_of(words.joint.vectors, words.phrases, tower, cache))


def make_words(
    joint: Embeddings,
    encoder: TextTower,
    vocabulary: Vocabulary,
    class_names: Sequence[str] = (),
    synonyms: Mapping[str, Sequence[str]] | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Words:
    """Encode the vocabulary as directions of the encoder's joint space.

    Args:
        joint: (n, d) the samples in this encoder's space.
        class_names: phrases that only restate a class are skipped; prompts are about these classes.
        synonyms: other names of the classes.
        cache: folder for text vectors between runs.
        progress: called between the parts of the work and after every batch of prompts.

    Raises:
        Cancelled: from `progress`.
        InvalidInput: the samples' vectors are in another space than the encoder's.
    """
    n_phrases = len(vocabulary)
    if joint.space != encoder.joint_space:
        raise InvalidInput(
            f"The samples' vectors are in the space {joint.space!r}, the naming encoder's in "
            f"{encoder.joint_space!r}. Use one encoder for both."
        )
    vocabulary, notes = keep_apart(vocabulary, class_names, synonyms or {})
    if not vocabulary.phrases:
        raise InvalidInput(
            f"All {n_phrases:,} phrases only restate a class. Add others with --vocabulary, or leave words out."
        )
    progress(STEP, 0, 1)
    means = _differences(vocabulary, encoder, class_names, cache, progress)
    directions = unit(means.astype(np.float32))
    strengths = np.linalg.norm(means, axis=1).astype(np.float32)
    rows, dropped = drop_alike(directions, MAX_COSINE)
    mute = [vocabulary.phrases[i].text for i in rows if strengths[i] < MIN_STRENGTH]
    rows = rows[strengths[rows] >= MIN_STRENGTH]
    progress(STEP, 1, 1)
    if mute:
        notes = (*notes, f"Skipped {quoted(*mute)}: sentences with and without it have the same vector.")
    if dropped:
        n_dropped = count(sum(map(len, dropped.values())), "phrase")
        notes = (*notes, f"Skipped {n_dropped}: to this encoder the same as another phrase.")
    phrases = [vocabulary.phrases[i] for i in rows]
    texts = tuple(p.text for p in phrases)
    families = tuple(p.family for p in phrases)
    words = words_of(joint, directions[rows], texts, families, encoder=encoder.name, notes=notes)
    return replace(words, strengths=strengths[rows])


def phrase_directions(
    vocabulary: Vocabulary,
    encoder: TextTower,
    class_names: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> F32:
    """(P, d) unit direction of every phrase, without skipping any."""
    return unit(_differences(vocabulary, encoder, class_names, cache, progress).astype(np.float32))


def _differences(
    vocabulary: Vocabulary, encoder: TextTower, class_names: Sequence[str], cache: Path | None, progress: Progress
) -> F64:
    """(P, d) mean difference of each phrase's prompts with it and without it."""
    with_phrase, without = prompts(vocabulary, class_names, PROMPTS_PER_PHRASE)
    counts = [len(p) for p in with_phrase]
    texts: list[str] = []
    for group in (*with_phrase, *without):
        texts += group
    vectors = encode_texts(encoder, texts, cache, progress=progress, step=STEP)
    half = sum(counts)
    difference = vectors[:half] - vectors[half:]
    means = np.zeros((len(counts), difference.shape[1]))
    np.add.at(means, np.repeat(np.arange(len(counts)), counts), difference)
    return means / np.maximum(np.array(counts), 1)[:, None]
