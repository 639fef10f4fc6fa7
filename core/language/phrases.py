"""The vocabulary as directions of an encoder's joint space.

A phrase is the difference between prompts with it and the same prompts without it ("a photo of a dog in the dark" minus
"a photo of a dog"), averaged over templates and class names. So a constant gap between the modalities and the class
itself cancel (Zhang et al. 2024, arXiv 2401.08567, call the removal of the modality means "collapse"; Jain et al. 2023,
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
from core.records import F32, F64, Embeddings, Progress, Words, no_progress

ALIKE = 0.95
"""Phrases whose directions have a higher cosine are one phrase."""
MUTE = 1e-4
"""A phrase that moves its prompts by less says nothing to the encoder, as capitals to one that lowers all letters."""
PROMPTS = 8
"""Prompts averaged for each phrase."""
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
    """The words of a run: the shipped or the user's vocabulary as the named encoder speaks it.

    Args:
        joint: (n, d) the samples as that encoder sees them.
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
    """The words with what was measured of how well the encoder knows each and of whether any sample is like it, or with
    a note that nothing was."""
    table, note = find_competence(tower, cache)
    words = replace(words, notes=(*words.notes, note) if note else words.notes)
    if table is None:
        return words
    titles = None if table.titles is None else table.titles.write()
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
    """The vocabulary as directions of the encoder's joint space.

    Args:
        joint: (n, d) the samples as this encoder sees them.
        class_names: phrases that only restate a class are taken out; prompts speak of these classes.
        synonyms: other names of the classes.
        cache: folder where text vectors are kept between runs.
        progress: called between the parts of the work and after every batch of prompts.

    Raises:
        Cancelled: from `progress`.
        InvalidInput: the samples' vectors are of another space than the encoder's.
    """
    if joint.space != encoder.joint_space:
        raise InvalidInput(
            f"The samples' vectors are of the space {joint.space!r} and the encoder names in "
            f"{encoder.joint_space!r}. Use one encoder."
        )
    own, notes = keep_apart(vocabulary, class_names, synonyms or {})
    if not own.phrases:
        raise InvalidInput(
            f"No phrase is left of {len(vocabulary):,}: all only restate a class. "
            "Bring others with --vocabulary, or leave words out."
        )
    progress(STEP, 0, 1)
    means = _differences(own, encoder, class_names, cache, progress)
    directions = unit(means.astype(np.float32))
    strengths = np.linalg.norm(means, axis=1).astype(np.float32)
    kept, dropped = drop_alike(directions, ALIKE)
    mute = [own.phrases[i].text for i in kept if strengths[i] < MUTE]
    kept = kept[strengths[kept] >= MUTE]
    progress(STEP, 1, 1)
    if mute:
        notes = (*notes, f"To this encoder a sentence is the same with and without {quoted(*mute)}: left out.")
    if dropped:
        many = sum(map(len, dropped.values()))
        which = "1 phrase is" if many == 1 else f"{many:,} phrases are"
        notes = (*notes, f"{which} the same as another to this encoder and left out.")
    phrases = [own.phrases[i] for i in kept]
    texts = tuple(p.text for p in phrases)
    families = tuple(p.family for p in phrases)
    words = words_of(joint, directions[kept], texts, families, encoder=encoder.name, notes=notes)
    return replace(words, strengths=strengths[kept])


def phrase_directions(
    vocabulary: Vocabulary,
    encoder: TextTower,
    class_names: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> F32:
    """(P, d) unit direction of every phrase, none left out."""
    return unit(_differences(vocabulary, encoder, class_names, cache, progress).astype(np.float32))


def _differences(
    vocabulary: Vocabulary, encoder: TextTower, class_names: Sequence[str], cache: Path | None, progress: Progress
) -> F64:
    """(P, d) mean difference of each phrase's prompts with it and without it."""
    with_phrase, without = prompts(vocabulary, class_names, PROMPTS)
    count = [len(p) for p in with_phrase]
    texts = [t for group in (*with_phrase, *without) for t in group]
    vectors = encode_texts(encoder, texts, cache, progress=progress, step=STEP)
    half = sum(count)
    difference = vectors[:half] - vectors[half:]
    means = np.zeros((len(count), difference.shape[1]))
    np.add.at(means, np.repeat(np.arange(len(count)), count), difference)
    return means / np.maximum(np.array(count), 1)[:, None]
