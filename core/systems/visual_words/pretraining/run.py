"""Pretrain on a table of captioned images, and measure the benefit on held-out images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.data.images.decoding import decode
from core.data.images.duplicates import duplicate_groups, picture_hash
from core.data.images.properties import SIDE, shrink
from core.embeddings.prefetch import read_bytes
from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.files import write_text
from core.folders import Kind, all_at_once
from core.received import digest
from core.records import F64, I64, Bool, Estimate, Progress, no_progress
from core.records.codec import to_json
from core.statistics.intervals import wilson
from core.statistics.paired import paired_difference
from core.systems.common.checkpoints import write_tensors
from core.systems.common.tokens import read_image_tokens
from core.systems.visual_words.pretraining.captions_table import CaptionTable
from core.systems.visual_words.pretraining.dictionary_file import read_dictionary
from core.systems.visual_words.pretraining.figures import (
    AT,
    POOL_IMAGES,
    best_threshold,
    check_scores,
    matching_pairs,
    pool_of,
    retrieval,
    score_pairs,
)
from core.systems.visual_words.pretraining.loop import Pretrained, pretrain
from core.systems.visual_words.pretraining.pairs import CaptionedPictures, captioned
from core.systems.visual_words.pretraining.settings import Pretraining

HELD_OUT_SHARE = 0.2
MAX_HELD_OUT = 1000
"""Images."""
MIN_IMAGES = 40
"""Of these, 8 are held out."""
CARD = "soho.json"
WEIGHTS = "soho.safetensors"
FORMAT = 1
PRETRAINED = Kind("pretraining", CARD, (CARD, WEIGHTS), lambda card: card.get("format") == FORMAT)
Scorer = Callable[[CaptionedPictures, I64], F64]
"""(p,) scores of (p, 2) indexes of an image and a caption."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Figures of one way to score pairs, on held-out images, with 95% intervals over the queries."""

    pictures: dict[int, Estimate]
    """Share of captions whose image is among the first k, by k below the pool's size; empty where fewer than two images
    have distinct captions."""
    captions: dict[int, Estimate]
    """Share of images whose caption is among the first k, by k."""
    matching: Estimate | None
    """Share of pairs classified correctly as matching or not, with a threshold from the other half of the images; None
    where fewer than two held-out images have different captions."""
    right: Bool | None = None
    """(p,) which of those pairs are classified correctly; an image's two pairs lie p / 2 apart. All scorers get the
    same pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class PretrainingResult:
    """A network, with its figures and the encoder's."""

    pretrained: Pretrained
    n_learned: int
    n_held_out: int
    n_captions: int
    pool: int
    """Images among which retrieval searches."""
    pairs: int
    """Pairs that measure matching."""
    network: Figures
    encoder: Figures
    encoder_name: str
    notes: tuple[str, ...]

    @property
    def gain(self) -> Estimate | None:
        """Share of pairs that the network classifies correctly minus the encoder's, on the same pairs, resampling whole
        images; None where matching cannot be measured."""
        ours = self.network.right
        theirs = self.encoder.right
        if ours is None or theirs is None:
            return None
        return paired_difference(~theirs, ~ours, np.arange(len(ours)) % (len(ours) // 2))


def pretrain_on(
    table: CaptionTable,
    settings: Pretraining,
    *,
    encoder: str = "embedded",
    dictionary: Path | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> PretrainingResult:
    """Learn from four images in five, or all but 1,000 if that is more, and measure on the others.

    Args:
        encoder: encoder of the cells.
        dictionary: weights with a dictionary to begin with.

    Raises:
        InvalidInput: too few images, or all duplicates of one; the dictionary cannot be read or has another size; the
            training diverged.
        Cancelled: from `progress`.
    """
    first_dictionary = None
    if dictionary is not None:
        first_dictionary = read_dictionary(dictionary)
        size, width = first_dictionary.embed.shape
        if not settings.dictionary or (size, width) != (settings.words, settings.width):
            raise InvalidInput(
                f"{dictionary.name} holds {size} words of {width} numbers. "
                f"Use --words {size} --width {width}, and remove --no-dictionary."
            )
    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    pictures = read_image_tokens(table.images, loaded, tower, cache=cache, progress=progress)
    data = captioned(pictures, table.captions, MIN_IMAGES)
    rng = np.random.default_rng([settings.seed, 16])
    learned, held, copies = hold_out(data, _contents(table, data, progress), rng)
    pretrained = pretrain(
        learned, tower.grid, settings, dictionary=first_dictionary, encode_words=loaded.encode_texts, progress=progress
    )

    def cosines(part: CaptionedPictures, pairs: I64) -> F64:
        joint = part.joint()
        texts = loaded.encode_texts(part.captions)
        return np.einsum("pd,pd->p", joint[pairs[:, 0]], texts[pairs[:, 1]]).astype(np.float64)

    pool = pool_of(held, rng, POOL_IMAGES)
    pairs, match = matching_pairs(held, rng)
    notes = [*table.notes, *pictures.notes]
    if pretrained.cut:
        notes.append(f"Truncated {pretrained.cut:,} long captions.")
    return PretrainingResult(
        pretrained,
        len(learned),
        len(held),
        len(learned.captions),
        len(pool),
        len(pairs) // 2,
        measure(lambda part, p: score_pairs(pretrained, part, p, progress), pool, held, pairs, match),
        measure(cosines, pool, held, pairs, match),
        loaded.name,
        (*notes, *copies),
    )


def hold_out(
    data: CaptionedPictures, contents: Sequence[bytes], rng: np.random.Generator
) -> tuple[CaptionedPictures, CaptionedPictures, tuple[str, ...]]:
    """Split the images: `HELD_OUT_SHARE` of them are held out, at most `MAX_HELD_OUT`, near-duplicates together.

    Args:
        contents: one key per image, equal for near-duplicates.

    Returns:
        The images to learn from, the held-out ones, and a note on near-duplicates.

    Raises:
        InvalidInput: the images are too few distinct ones to hold any out.
    """
    max_held_out = min(round(HELD_OUT_SHARE * len(data)), MAX_HELD_OUT)
    groups = dict[bytes, list[int]]()
    for image in rng.permutation(len(data)).tolist():
        groups.setdefault(contents[image], []).append(image)
    held = list[int]()
    for images in groups.values():
        if len(held) + len(images) <= max_held_out:
            held += images
    if not held:
        raise InvalidInput(
            f"The {len(data):,} images are only {len(groups):,} distinct ones, too few to hold any out. Add images."
        )
    notes = ()
    if len(groups) < len(data):
        notes = (f"{len(data) - len(groups):,} near-duplicate images stay on the same side of the hold-out.",)
    at = np.sort(np.array(held, np.int64))
    return data.keep(np.setdiff1d(np.arange(len(data)), at)), data.keep(at), notes


def _contents(table: CaptionTable, data: CaptionedPictures, progress: Progress) -> list[bytes]:
    """A key per image, equal for near-duplicates by the rules of a diagnosis, re-encoded images included."""
    digests = list[bytes]()
    hashes = list[str]()
    for row in data.pictures.kept_rows[data.rows].tolist():
        data_of_row = read_bytes(table.images, row)
        digests.append(hashlib.sha256(data_of_row).digest())
        hashes.append(picture_hash(shrink(decode(data_of_row).image, SIDE)))
    return [bytes(str(group), "ascii") for group in duplicate_groups(digests, hashes, data.joint(), progress).tolist()]


def measure(score: Scorer, pool: CaptionedPictures, held: CaptionedPictures, pairs: I64, match: Bool) -> Figures:
    """Figures of one way to score pairs.

    Args:
        pool: images with one caption each, from `pool_of`.
        pairs: with `match`, the `matching_pairs` of the held-out images.

    Raises:
        InvalidInput: a score is not finite.
    """
    n = len(pool)
    if n < 2:
        return Figures({}, {}, *_matching(score, held, pairs, match))
    every = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), 2).reshape(-1, 2)
    shares = retrieval(score(pool, every).reshape(n, n), pool.of, tuple(k for k in AT if k < n))
    of_pictures, of_captions = ({k: wilson(round(share * n), n) for k, share in side.items()} for side in shares)
    return Figures(of_pictures, of_captions, *_matching(score, held, pairs, match))


def _matching(
    score: Scorer, held: CaptionedPictures, pairs: I64, match: Bool
) -> tuple[Estimate, Bool] | tuple[None, None]:
    # Every second image chooses the threshold that the others are measured with; both pairs of an image go together.
    n_images = len(pairs) // 2
    chooses = np.arange(len(pairs)) % max(n_images, 1) % 2 == 0
    if chooses.all():
        return None, None
    scores = score(held, pairs)
    check_scores(scores)
    called_match = scores[~chooses] > best_threshold(scores[chooses], match[chooses])
    right = called_match == match[~chooses]
    return wilson(int(right.sum()), len(right)), right


def result_document(result: PretrainingResult) -> dict[str, Any]:
    """The result as JSON values: docs/schema.md."""
    pretrained = result.pretrained
    return to_json(
        {
            "settings": asdict(pretrained.settings),
            "encoder": result.encoder_name,
            "grid": list(pretrained.grid),
            "vocabulary": len(pretrained.vocabulary),
            "learned": {"pictures": result.n_learned, "captions": result.n_captions},
            "held_out": {"pictures": result.n_held_out, "pool": result.pool, "pairs": result.pairs},
            "network": _document(result.network),
            "encoder_alone": _document(result.encoder),
            "gain": None if result.gain is None else asdict(result.gain),
            "perplexity": None if pretrained.model.dictionary is None else pretrained.perplexity,
            "curve": [asdict(point) for point in pretrained.curve],
            "seconds": pretrained.seconds,
            "notes": list(result.notes),
        }
    )


def _document(figures: Figures) -> dict[str, Any]:
    return {
        "pictures": {str(k): asdict(e) for k, e in figures.pictures.items()},
        "captions": {str(k): asdict(e) for k, e in figures.captions.items()},
        "matching": None if figures.matching is None else asdict(figures.matching),
    }


def save_pretrained(result: PretrainingResult, folder: Path, licence: str) -> None:
    """Write the weights and a card about their training, replacing an earlier pretraining.

    Raises:
        InvalidInput: the folder cannot be written, or holds the user's files under these names.
    """
    with all_at_once(folder, PRETRAINED) as scratch:
        write_tensors(scratch / WEIGHTS, result.pretrained.model.state_dict(), {"format": "pt"})
        card: dict[str, Any] = {"format": FORMAT, "weights": digest(scratch / WEIGHTS)[:32], "licence": licence}
        card |= result_document(result)
        card["words"] = list(result.pretrained.vocabulary.words)
        write_text(scratch / CARD, json.dumps(card, indent=1))
