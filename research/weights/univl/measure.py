#!/usr/bin/env python
"""What a UniVL taught on drawn clips knows of clips that it never saw.

    python -m research.weights.univl.draw --n 400 --seed 9 --out FOLDER/test.npz
    python -m research.weights.univl.measure FOLDER/test.npz --model assets/clips [--model OTHER ...] [--beam 5]

Prints JSON: of each model retrieval, twins (a clip against the same events in the other order: does a text find its
own?), and captions written from clips alone; each as it is, and with frames in an order drawn at random.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from core.records import F32, F64, I64, Bool, Estimate
from core.statistics.intervals import bootstrap, wilson
from core.systems.univl.use import ShownClips, score_texts
from core.systems.univl.weights import FOLDER, ReadUnivl, read_univl
from research.evidence.caption_scores import bleu_of, bleu_parts
from research.weights.univl.captions import caption_clips
from research.weights.univl.draw import read_drawn
from research.weights.univl.drawn_clips import THEN
from research.weights.univl.training.drawn import DrawnEvents

AT = (1, 5, 10)
Drawn = tuple[list[str], F32]
"""Texts, and (n, F, w) features of their clips."""


def both_orders(drawn: DrawnEvents) -> tuple[Drawn, Drawn]:
    """Each ground's clip, its events as they were drawn, and the one in the other order."""
    found: list[Drawn] = []
    for swapped in (False, True):
        clips = [drawn.clip(row, (False, False), swapped) for row in range(len(drawn))]
        found.append(([text for text, _ in clips], torch.stack([x for _, x in clips]).numpy()))
    return found[0], found[1]


def shown(features: F32) -> ShownClips:
    return ShownClips(features, np.ones(features.shape[:2], np.float32))


def shuffled(features: F32, seed: int = 0) -> F32:
    """Frames of each clip in an order drawn at random."""
    order = np.random.default_rng(seed).random(features.shape[:2]).argsort(1)
    return np.take_along_axis(features, order[..., None], 1)


def share(right: Bool) -> Estimate:
    return wilson(int(right.sum()), len(right))


def half_ties(own: F32, other: F32) -> Estimate:
    """Share of rows in which a text's own clip scores above the other; a tie is half a hit, as a coin would have it."""
    hits = float((own > other).sum()) + float((own == other).sum()) / 2
    return wilson(round(hits), len(own))


def first_places(scores: F32) -> dict[str, Estimate]:
    """Share of texts whose own clip is among the first k; ties count as lost."""
    above = (scores >= scores.diagonal()[:, None]).sum(1) - 1
    return {f"R@{k}": share(above < k) for k in AT}


def twin_scores(found: ReadUnivl, first: Drawn, second: Drawn, aligned: bool, cosine: bool = False) -> tuple[F32, F32]:
    """(n,) of each first text with its own clip, and with that of the other order."""
    own = list[float]()
    other = list[float]()
    for text, a, b in zip(first[0], first[1], second[1], strict=True):
        one, two = score_texts(found, [text], shown(np.stack([a, b])), aligned=aligned, cosine=cosine)[0].tolist()
        own.append(one)
        other.append(two)
    return np.array(own, np.float32), np.array(other, np.float32)


def caption_figures(written: Sequence[str], wanted: Sequence[str]) -> dict[str, Estimate]:
    """BLEU-4, and the share written word for word."""
    parts: F64 = bleu_parts(written, [[text] for text in wanted])

    def bleu(rows: I64) -> float:
        return bleu_of(parts[rows])

    right = np.array([a == b for a, b in zip(written, wanted, strict=True)])
    return {"BLEU-4": bootstrap(bleu, len(parts), None, np.random.default_rng(0)), "exact": share(right)}


def things(text: str) -> tuple[str, ...]:
    """What events are told of, in the order of the text: such as ("a red cube", "a blue ball")."""
    return tuple(" ".join(event.split()[:3]) for event in text.split(THEN))


def order_figure(written: Sequence[str], wanted: Sequence[str]) -> dict[str, Estimate]:
    """Of captions that name the clip's two things, in either order, the share in the right one; and how many do."""
    pairs = [(things(a), things(b)) for a, b in zip(written, wanted, strict=True)]
    right = np.array([a == b for a, b in pairs if set(a) == set(b)], np.bool_)
    named = {"both things": wilson(len(right), len(pairs))}
    return named | ({"order of things": share(right)} if len(right) else {})


def figures(
    found: ReadUnivl, drawn: DrawnEvents, only: str = "", *, beam: int = 5, cosine: bool = False
) -> dict[str, dict[str, Estimate]]:
    """All that is measured of a model, or of one of "joint", "aligned" and "captions" alone."""
    first, second = both_orders(drawn)
    told: dict[str, dict[str, Estimate]] = {}
    for name in ("joint", "aligned"):
        if only not in ("", name):
            continue
        aligned = name == "aligned"
        scores = score_texts(found, first[0], shown(first[1]), aligned=aligned, cosine=cosine)
        told[name] = first_places(scores)
        told[name]["twins"] = half_ties(*twin_scores(found, first, second, aligned, cosine))
        mixed = (first[0], shuffled(first[1])), (second[0], shuffled(second[1], 1))
        told[name]["twins, shuffled frames"] = half_ties(*twin_scores(found, *mixed, aligned, cosine))
    if only not in ("", "captions"):
        return told
    for name, clips in (
        ("captions", first[1]),
        ("captions, shuffled frames", shuffled(first[1])),
        ("captions, another clip", np.roll(first[1], 1, 0)),
        ("captions, no frame told", np.broadcast_to(first[1].mean((0, 1)), first[1].shape).copy()),
    ):
        written = caption_clips(found, shown(clips), beam=beam)
        told[name] = caption_figures(written, first[0]) | order_figure(written, first[0])
    return told


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("--model", type=Path, nargs="+", default=[FOLDER])
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--cosine", action="store_true", help="of a network fine-tuned with a margin")
    parser.add_argument("--only", choices=("joint", "aligned", "captions"), help="measure this alone")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    drawn = read_drawn([given.drawn])
    for model in given.model:
        told = figures(read_univl(model), drawn, given.only or "", beam=given.beam, cosine=given.cosine)
        document = {part: {name: asdict(x) for name, x in row.items()} for part, row in told.items()}
        print(json.dumps({"model": model.name, "n": len(drawn), **document}), flush=True)


if __name__ == "__main__":
    main()
