"""The part of `research.evidence.answers` that scores captions of photographs: written, retrieved, and a person's."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from core.encoders import load_encoder
from core.records import F32
from core.statistics.intervals import bootstrap
from core.systems.vl_t5.folder import read_describer
from core.systems.vl_t5.model import PictureParts
from core.systems.vl_t5.tasks import CAPTION
from core.systems.vl_t5.vision import grid_boxes
from research.evidence.caption_scores import bleu_of, bleu_parts, cider_of
from research.evidence.lines import append_line
from research.weights.embedded.captioned import read_corpus
from research.weights.vl_t5.material import cells_of, photo_cells, tidy
from research.weights.vl_t5.scene_tasks import GRID

BOX = grid_boxes(GRID, GRID)[None]


def captions(given: argparse.Namespace) -> None:
    """Captions of photographs that no training saw, written and retrieved, against what people wrote."""
    corpus = read_corpus(given.corpus)
    encoder = load_encoder("embedded")
    rows, cells = photo_cells(corpus, "dev", given.scratch)
    _, pooled = cells_of("flickr_dev", len(rows), tuple, given.scratch)
    wanted = [[tidy(caption) for caption in corpus.captions[row]] for row in rows]
    fitted = corpus.rows("fit")
    bank = [tidy(caption) for row in fitted for caption in corpus.captions[row][:1]]
    known: dict[str, F32] = {}
    vectors = encoded(encoder, bank, known)
    rng = np.random.default_rng(0)
    described = read_describer(given.model)
    parts = PictureParts(torch.from_numpy(cells.astype(np.float32)), BOX)
    made = described.answer([CAPTION] * len(rows), parts)
    nearest = [bank[i] for i in (pooled @ vectors.T).argmax(1).tolist()]
    prior = bank[int((vectors @ vectors.mean(0)).argmax())]
    ways = {
        "written": [one.text for one in made],
        "written, pictures swapped": [one.text for one in [*made[1:], made[0]]],
        "nearest of the training captions": nearest,
        "one caption for all": [prior] * len(rows),
        "a random training caption": [bank[int(i)] for i in rng.integers(0, len(bank), len(rows))],
        "another person's": [own[0] for own in wanted],
    }
    for name, said in ways.items():
        others = [own[1:] for own in wanted] if name == "another person's" else wanted
        agreement = (encoded(encoder, said, known) * pooled).sum(1)
        append_line(given.out, scored(name, said, others, agreement))
    surest = sorted(zip(made, nearest, wanted, strict=True), key=lambda three: -three[0].probability)
    append_line(
        given.out, {"what": "examples", "examples": [[a.text, b, own[0]] for a, b, own in surest[:: len(surest) // 8]]}
    )


def scored(name: str, said: Sequence[str], wanted: Sequence[Sequence[str]], agreement: F32) -> dict[str, Any]:
    """BLEU-4, CIDEr-D and the encoder's cosine with 95% by resampling images."""
    parts = bleu_parts(said, wanted)
    cider = cider_of(said, wanted)
    n = len(said)
    rng = np.random.default_rng(0)
    found = {
        "bleu4": bootstrap(lambda rows: bleu_of(parts[rows]), n, None, rng, repeats=200),
        "cider": bootstrap(lambda rows: float(cider[rows].mean()), n, None, rng),
        "agreement": bootstrap(lambda rows: float(agreement[rows].mean()), n, None, rng),
    }
    figures = {key: [round(v, 4) for v in (one.value, one.low, one.high)] for key, one in found.items()}
    return {"what": "captions", "way": name, "n": n, "different": len(set(said))} | figures


def encoded(encoder: Any, said: Sequence[str], known: dict[str, F32]) -> F32:
    """(n, d) unit rows of the joint space; `known` is what was encoded before, and grows."""
    new = sorted({text for text in said if text not in known}, key=len)  # texts of a length together: little padding
    for at in range(0, len(new), 64):
        batch = new[at : at + 64]
        known.update(zip(batch, encoder.encode_texts(batch), strict=True))
    return np.stack([known[text] for text in said])
