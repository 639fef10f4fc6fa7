"""Pretrain on a table of captioned images, and say on images that were held out what that brought."""

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
from core.systems.common.tokens import read_image_tokens
from core.systems.visual_words.pretraining.captions_table import CaptionTable
from core.systems.visual_words.pretraining.dictionary_file import read_dictionary
from core.systems.visual_words.pretraining.figures import (
    AT,
    POOL,
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

HELD_OUT = 0.2
MOST_HELD_OUT = 1000
"""Share of the images that nothing is learned from, and how many at most."""
LEAST = 40
"""Images, with which 8 are held out."""
CARD = "soho.json"
WEIGHTS = "soho.safetensors"
FORMAT = 1
PRETRAINED = Kind("pretraining", CARD, (CARD, WEIGHTS), lambda said: said.get("format") == FORMAT)
Scorer = Callable[[CaptionedPictures, I64], F64]
"""(p,) scores of (p, 2) places of an image and a caption."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Of one way to score pairs, on held-out images; intervals are 95%, over the queries."""

    pictures: dict[int, Estimate]
    """Share of captions whose image is among the first k, by k below the pool's size: empty where one image or none
    has a caption of its own."""
    captions: dict[int, Estimate]
    """The same of images, a caption sought."""
    matching: Estimate | None
    """Share of pairs told rightly as matching or not, with the threshold of the other half's; None where fewer than two
    held-out images have captions that differ."""
    right: Bool | None = None
    """(p,) which of those pairs are told rightly, both pairs of an image as far apart as there are images; the same
    pairs whatever scores them."""


@dataclass(frozen=True, slots=True, eq=False)
class PretrainingResult:
    """A network, and its figures beside the encoder's."""

    found: Pretrained
    n_learned: int
    n_held_out: int
    n_captions: int
    pool: int
    """Images among which one is sought."""
    pairs: int
    """Pairs by which matching was judged."""
    network: Figures
    encoder: Figures
    encoder_name: str
    notes: tuple[str, ...]

    @property
    def gain(self) -> Estimate | None:
        """Share of pairs that the network tells rightly minus that of the encoder, on the same pairs, images
        resampled whole; None where matching cannot be measured."""
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
    """Learn from four images in five, or all but 1,000 where that is more, and measure on the rest.

    Args:
        encoder: whose map the cells are.
        dictionary: weights to begin the dictionary from.

    Raises:
        InvalidInput: too few images, or all copies of one; the dictionary cannot be read or is of another size; the
            training diverged.
        Cancelled: from `progress`.
    """
    begun = None
    if dictionary is not None:
        begun = read_dictionary(dictionary)
        size, width = begun.embed.shape
        if not settings.dictionary or (size, width) != (settings.words, settings.width):
            raise InvalidInput(
                f"{dictionary.name} holds {size} words of {width} numbers: "
                f"give --words {size} --width {width}, and leave --no-dictionary out."
            )
    loaded = load_encoder(encoder)
    tower = tower_of(loaded)
    pictures = read_image_tokens(table.images, loaded, tower, cache=cache, progress=progress)
    data = captioned(pictures, list(table.captions))
    if len(data) < LEAST:
        raise InvalidInput(f"{len(data)} images have a caption and can be read; at least {LEAST} are needed.")
    rng = np.random.default_rng([settings.seed, 16])
    learned, held, copies = hold_out(data, _contents(table, data, progress), rng)
    found = pretrain(
        learned, tower.grid, settings, dictionary=begun, encode_words=loaded.encode_texts, progress=progress
    )

    def cosines(part: CaptionedPictures, pairs: I64) -> F64:
        joint = part.joint()
        texts = loaded.encode_texts(part.captions)
        return np.einsum("pd,pd->p", joint[pairs[:, 0]], texts[pairs[:, 1]]).astype(np.float64)

    pool, (pairs, match) = pool_of(held, rng, POOL), matching_pairs(held, rng)
    cut = (f"{found.cut:,} captions are longer than is read, and are cut.",) if found.cut else ()
    return PretrainingResult(
        found,
        len(learned),
        len(held),
        len(learned.captions),
        len(pool),
        len(pairs) // 2,
        measure(lambda part, p: score_pairs(found, part, p, progress), pool, held, pairs, match),
        measure(cosines, pool, held, pairs, match),
        loaded.name,
        (*table.notes, *pictures.notes, *cut, *copies),
    )


def hold_out(
    data: CaptionedPictures, contents: Sequence[bytes], rng: np.random.Generator
) -> tuple[CaptionedPictures, CaptionedPictures, tuple[str, ...]]:
    """What is learned from and what is held out: `HELD_OUT` of the images, at most `MOST_HELD_OUT`; images of one
    content lie on one side. Also a note of how many are such copies.

    Args:
        contents: what copies share.

    Raises:
        InvalidInput: too many are copies for any to be held out.
    """
    most = min(round(HELD_OUT * len(data)), MOST_HELD_OUT)
    groups = dict[bytes, list[int]]()
    for place in rng.permutation(len(data)).tolist():
        groups.setdefault(contents[place], []).append(place)
    held = list[int]()
    for places in groups.values():
        held += places if len(held) + len(places) <= most else []
    if not held:
        raise InvalidInput(
            f"The {len(data):,} images are {len(groups):,} different ones: none can be held out. Bring more of them."
        )
    n = len(data) - len(groups)
    copies = (f"{n:,} images are copies or near copies of others; copies are held out together.",) if n else ()
    at = np.sort(np.array(held, np.int64))
    return data.keep(np.setdiff1d(np.arange(len(data)), at)), data.keep(at), copies


def _contents(table: CaptionTable, data: CaptionedPictures, progress: Progress) -> list[bytes]:
    """What images share that are copies of each other, re-encoded ones too: told as a diagnosis tells them."""
    digests = list[bytes]()
    hashes = list[str]()
    for row in data.pictures.kept[data.rows].tolist():
        data_of_row = read_bytes(table.images, row)
        digests.append(hashlib.sha256(data_of_row).digest())
        hashes.append(picture_hash(shrink(decode(data_of_row).image, SIDE)))
    return [bytes(str(group), "ascii") for group in duplicate_groups(digests, hashes, data.joint(), progress).tolist()]


def measure(score: Scorer, pool: CaptionedPictures, held: CaptionedPictures, pairs: I64, match: Bool) -> Figures:
    """Figures of one way to score pairs.

    Args:
        pool: a caption each, as `pool_of` draws them.
        pairs: with `match` of `matching_pairs`, on the held-out images.

    Raises:
        InvalidInput: a score is not finite.
    """
    n = len(pool)
    if n < 2:
        return Figures({}, {}, *_matching(score, held, pairs, match))
    every = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), 2).reshape(-1, 2)
    found = retrieval(score(pool, every).reshape(n, n), pool.of, tuple(k for k in AT if k < n))
    return Figures(
        {k: wilson(round(share * n), n) for k, share in found.pictures.items()},
        {k: wilson(round(share * n), n) for k, share in found.captions.items()},
        *_matching(score, held, pairs, match),
    )


def _matching(
    score: Scorer, held: CaptionedPictures, pairs: I64, match: Bool
) -> tuple[Estimate, Bool] | tuple[None, None]:
    chooses = np.arange(len(pairs)) % (len(pairs) // 2) % 2 == 0 if len(pairs) else match  # both pairs of an image
    if chooses.all():
        return None, None
    scores = score(held, pairs)
    check_scores(scores)
    told = scores[~chooses] > best_threshold(scores[chooses], match[chooses])
    right = told == match[~chooses]
    return wilson(int(right.sum()), len(right)), right


def result_document(result: PretrainingResult) -> dict[str, Any]:
    """The result as JSON values: docs/schema.md."""
    found = result.found
    return to_json(
        {
            "settings": asdict(found.settings),
            "encoder": result.encoder_name,
            "grid": list(found.grid),
            "vocabulary": len(found.vocabulary),
            "learned": {"pictures": result.n_learned, "captions": result.n_captions},
            "held_out": {"pictures": result.n_held_out, "pool": result.pool, "pairs": result.pairs},
            "network": _document(result.network),
            "encoder_alone": _document(result.encoder),
            "gain": None if result.gain is None else asdict(result.gain),
            "perplexity": None if found.model.dictionary is None else found.perplexity,
            "curve": [asdict(point) for point in found.curve],
            "seconds": found.seconds,
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
    """Write the weights and a card that says what they learned from, in place of an earlier pretraining's.

    Raises:
        InvalidInput: the folder cannot be written, or holds the user's own files of such names.
    """
    import safetensors.torch

    with all_at_once(folder, PRETRAINED) as scratch:
        tensors = {name: tensor.contiguous() for name, tensor in result.found.model.state_dict().items()}
        (scratch / WEIGHTS).write_bytes(safetensors.torch.save(tensors, {"format": "pt"}))
        said = {"format": FORMAT, "weights": digest(scratch / WEIGHTS)[:32], "licence": licence}
        card = said | result_document(result) | {"words": list(result.found.vocabulary.words)}
        write_text(scratch / CARD, json.dumps(card, indent=1))
