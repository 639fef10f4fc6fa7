"""Are visual words found that were planted, is nothing claimed where nothing is, and what do words of real images
mean?

    python -m research.evidence.visual_words planted --runs 5 --out FILE     a patch on 3 and 8% of photographs
    python -m research.evidence.visual_words null --runs 200 --out FILE      the example's losses, shuffled
    python -m research.evidence.visual_words meaning --data DIR --out FILE   textures and shapes of images of two cues
    python -m research.evidence.visual_words show --out FILE

Runs 0-99 tune, 1000 and on are reported.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits

from core.data.images.archives import open_images
from core.data.images.decoding import decode
from core.diagnose import diagnose
from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.encoders import load_encoder
from core.encoders.tokens import tower_of
from core.files import ASSETS, default_cache
from core.records import I64, Bool
from core.store import load
from core.systems.common.tokens import read_image_tokens
from core.systems.visual_words.findings import word_conditions
from core.systems.visual_words.fit import I16, VisualWords, fit_words
from core.systems.visual_words.search import search_words
from research.evidence.lines import append_line, clopper_pearson, keys_done, mean_over, read_lines, show
from tests.support.patched import as_png, paste_anywhere, patch_of

SHARES = (0.03, 0.08)
N = 500
SETTINGS = Settings(n_permutations=499, map=False, sensitivity=False, words=False)
CLOTHING = ASSETS / "examples" / "clothing"


def planted(runs: range, data: Path) -> Iterator[dict[str, Any]]:
    """A patch of 8 x 8 random colors, 64 pixels wide, anywhere on a share of the images; their loss is 1 higher."""
    store = open_images(CLOTHING / "images.zip")
    for run in runs:
        for share in SHARES:
            rng = np.random.default_rng([run, 16, round(100 * share)])
            has = np.zeros(N, bool)
            touched = np.zeros((N, 14, 14), bool)
            cells = list[bytes]()
            has[rng.choice(N, round(share * N), replace=False)] = True
            patch = patch_of(rng)
            for row, place in enumerate(rng.choice(len(store), N, replace=False).tolist()):
                image = _square(store.read(place))
                if has[row]:
                    touched[row] = paste_anywhere(patch, image, rng)
                cells.append(as_png(image))
            table = pd.DataFrame({"image": cells, "loss": rng.gamma(2, 0.25, N) + has})
            before = diagnose(table, settings=replace(SETTINGS, seed=run))
            found = search_words(before, seed=run)
            first = found.findings[0]
            yield {
                "what": "planted",
                "share": share,
                "run": run,
                "perplexity": found.words.perplexity,
                "confirmed": first.confirmed,
                "p": first.p,
                "recall": float(first.rows[has].mean()),
                "precision": float(has[first.rows].mean()),
                "cells_on_patch": found.words.share_on(first.word, touched),
                "clusters_without_words": len(before.clusters),
            }


def _square(data: bytes) -> Image.Image:
    image = decode(data).image.convert("RGB")
    side = min(image.size)
    left = (image.width - side) // 2
    top = (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)


def null(runs: range, data: Path) -> Iterator[dict[str, Any]]:
    """The example's losses and errors, shuffled over all images; words, conditions, phrases and clusters together."""
    run = load(CLOTHING / "run.errata")
    words = _words_of(open_images(CLOTHING / "images.zip").keep(np.arange(len(run.samples))))
    conditions = word_conditions(words.present)
    outcomes = run.outcomes
    for number in runs:
        order = np.random.default_rng([number, 5]).permutation(len(outcomes.loss))
        shuffled = replace(outcomes, loss=outcomes.loss[order], errors=outcomes.errors[order], predictions=None)
        found = diagnose_records(
            run.samples,
            shuffled,
            run.embeddings,
            words=run.words,
            conditions=conditions,
            settings=Settings(seed=number, n_permutations=199, map=False, sensitivity=False, n_members=2),
        )
        told = [i for i in found.insights if i.confirmed]
        yield {
            "what": "null",
            "run": number,
            "word": any(i.text.startswith("visual word") for i in told),
            "any": bool(told or found.clusters or any(c.confirmed for c in found.classes)),
        }


def _words_of(store: Any) -> VisualWords:
    encoder = load_encoder()
    tower = tower_of(encoder)
    return fit_words(read_image_tokens(store, encoder, tower, cache=default_cache()), tower)


def meaning(runs: range, data: Path) -> Iterator[dict[str, Any]]:
    """Of images whose texture and shape are of different classes: how often a cell's word says the class, where the
    word's class is that of most of its cells in the other half of the sources; beside shuffled classes."""
    frame = pd.read_csv(data / "cue_conflict" / "index.csv")
    frame = frame[(frame["kind"] == "cue-conflict") & (frame["shape_class"] != frame["texture_class"])]
    store = open_images(data / "cue_conflict")
    source = frame["file"].str.extract(r"_([a-z]+\d+)-", expand=False)
    places = {store.name(i): i for i in range(len(store))}
    words = _words_of(store.keep(np.array([places[name] for name in frame["file"]])))
    half = np.unique(source, return_inverse=True)[1] % 2 == 0
    for run in runs:
        rng = np.random.default_rng([run, 7])
        line: dict[str, Any] = {"what": "meaning", "run": run, "perplexity": words.perplexity}
        for cue in ("texture", "shape"):
            classes = np.unique(frame[f"{cue}_class"], return_inverse=True)[1]
            line[cue] = _purity(words.maps, classes, half)
            line[f"{cue}, shuffled"] = _purity(words.maps, rng.permutation(classes), half)
        yield line


def _purity(maps: I16, classes: I64, half: Bool) -> float:
    flat = maps.reshape(len(maps), -1)
    size = int(maps.max()) + 1
    counts = np.zeros((2, size, int(classes.max()) + 1))
    for side, rows in enumerate((half, ~half)):
        np.add.at(counts[side], (flat[rows].ravel(), np.repeat(classes[rows], flat.shape[1])), 1)
    right = sum(counts[1 - side][np.arange(size), counts[side].argmax(1)].sum() for side in (0, 1))
    return float(right / counts.sum())


def table(rows: list[dict[str, Any]]) -> str:
    lines = list[str]()
    for share in SHARES:
        own = [row for row in rows if row["what"] == "planted" and row["share"] == share]
        if own:
            said = {
                name: show(mean_over([row[name] for row in own])) for name in ("recall", "precision", "cells_on_patch")
            }
            first = show(clopper_pearson(sum(row["confirmed"] for row in own), len(own)))
            lines.append(f"planted on {share:.0%}, {len(own)} runs: first word confirmed {first}, {said}, perplexity ")
            lines[-1] += f"{np.mean([row['perplexity'] for row in own]):.0f}"
    own = [row for row in rows if row["what"] == "null"]
    for name in ("word", "any") if own else ():
        lines.append(
            f"null, {len(own)} runs, {name}: {show(clopper_pearson(sum(row[name] for row in own), len(own)), 3)}"
        )
    lines += [str(row) for row in rows if row["what"] == "meaning"][:3]
    return "\n".join(lines)


PARTS = {"planted": planted, "null": null, "meaning": meaning}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=(*PARTS, "show"))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2].parent / "shared" / "data")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.part != "show":
        done = {run for what, run in keys_done(read_lines(given.out), ("what", "run")) if what == given.part}
        runs = range(max([given.first, *(run + 1 for run in done)]), given.first + given.runs)
        with threadpool_limits(1):
            for line in PARTS[given.part](runs, given.data):
                append_line(given.out, line)
    print(table(read_lines(given.out)))


if __name__ == "__main__":
    main()
