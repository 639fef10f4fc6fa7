#!/usr/bin/env python
"""Train the embedded encoder's part for captioned photographs and write assets/encoder/captions.safetensors.

    python -m research.weights.embedded.fit_captions CORPUS [--scratch FOLDER] [--seed 0] [--out FILE]

CORPUS holds captions.csv (file, split, caption_0 to caption_4) and images/: Flickr8k as it was measured. SCRATCH keeps
what the frozen networks say of images and captions. Reading the corpus takes about ten minutes on one core, training
about three and a half. Of the training images a tenth ("tune") is for choosing settings and a tenth ("held") for the
report: neither is fitted on.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
from PIL import Image

from core.encoders.embedded.caption_part import FILE, CaptionHead, CaptionPart
from core.records import F32
from research.weights.embedded.caption_heads import Pairs, Training, train
from research.weights.embedded.captioned import CaptionCorpus, Reader, Seen, cut_out, edit_with_words, read_corpus
from research.weights.embedded.fragments import read_fragments

CUTS = 3
"""Cuts of each image that is fitted on."""
_EDIT = 7
"""First number of the seeds of edits; that of cuts is the cut's own number."""


def read_pairs(corpus: CaptionCorpus, reader: Reader) -> Pairs:
    """The images as they are, cut and edited, their captions and pieces of these, and the classifier's names."""
    n = len(corpus.files)
    fitted = corpus.rows("fit")

    def cut(number: int) -> Image.Image:
        row = int(fitted[number % len(fitted)])
        return cut_out(corpus.open(row), np.random.default_rng([number // len(fitted), row]))

    def edit(row: int) -> tuple[Image.Image, str]:
        return edit_with_words(corpus.open(row), corpus.captions[row], np.random.default_rng([_EDIT, row]))

    whole = reader.pictures("whole", n, corpus.open)
    cuts = reader.pictures(f"cuts {CUTS}", CUTS * len(fitted), cut)
    edited = reader.pictures("edited", len(fitted), lambda number: edit(int(fitted[number]))[0])
    views = [whole]
    for k in range(CUTS):
        own = slice(k * len(fitted), (k + 1) * len(fitted))
        views.append(_spread(Seen(cuts.features[own], cuts.cues[own]), fitted, n))
    captions = reader.sentences("captions", [caption for five in corpus.captions for caption in five])
    said = reader.sentences("edits said", [edit(int(row))[1] for row in fitted])
    changed = _spread(edited, fitted, n)
    pieces = read_fragments(corpus, fitted, reader)
    names = reader.named("imagenet", list(IMAGENET_CLASSNAMES))
    return Pairs(views, captions, changed, _placed(said, fitted, n), fitted, pieces, names)


def _placed(rows: F32, numbers: np.ndarray, n: int) -> F32:
    """(n, ...) with the rows at their numbers, and zeros elsewhere."""
    placed = np.zeros((n, *rows.shape[1:]), np.float32)
    placed[numbers] = rows
    return placed


def _spread(seen: Seen, numbers: np.ndarray, n: int) -> Seen:
    return Seen(_placed(seen.features, numbers, n), _placed(seen.cues, numbers, n))


def write_part(part: CaptionPart, file: Path) -> str:
    """Save the maps in half precision and the rest in single. Returns the file's hash."""
    from safetensors.numpy import save

    arrays: dict[str, F32] = {}
    for field in fields(part):
        value: F32 | CaptionHead = getattr(part, field.name)
        if isinstance(value, CaptionHead):
            arrays |= {f"{field.name}.{f.name}": getattr(value, f.name) for f in fields(CaptionHead)}
        else:
            arrays[field.name] = value
    kept = {
        name: np.ascontiguousarray(array, np.float16 if array.ndim == 2 else np.float32)
        for name, array in arrays.items()
    }
    content = save(kept)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    reader = Reader(given.scratch)
    settings = replace(Training(), seed=given.seed)
    pairs = read_pairs(read_corpus(given.corpus), reader)
    part, scale = train(pairs, reader.encoder.alignment, settings)
    digest = write_part(part, given.out)
    size = given.out.stat().st_size / 1e6
    print(f"{given.out.name}: {size:.1f} MB, sha256 {digest}; {len(pairs.rows):,} pictures, scale {scale:.1f}")


if __name__ == "__main__":
    main()
