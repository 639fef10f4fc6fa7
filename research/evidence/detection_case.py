"""Detections with a known weakness: is it found, and is anything claimed without it?

    # one case in full, for docs/tasks.md
    python -m research.evidence.detection_case --stock FOLDER
    # the rates over seeds, one JSON line each with --out
    python -m research.evidence.detection_case --stock FOLDER --seeds 100 120

Scenes are composed from real cut-outs over real photographs (`research/examples/stock.py` fetches both into FOLDER),
three or four objects each. The detector is simulated, since no trained one may be had here: it misses 8% of all
objects, calls 4% by another name, places boxes a little off, doubles some and invents some. With the weakness it misses
70% of the small birds in the dark. Seeds below 100 are for tuning; nothing was tuned.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.data.tasks.detection.samples import read_detection_samples
from core.diagnose import diagnose_data_set
from core.discovery.settings import EmbeddingSettings, Settings
from core.files import default_cache
from core.records import Diagnosis
from core.reports.terminal import text_summary
from core.statistics.intervals import wilson
from research.evidence.lines import append_line, keys_done, read_lines
from research.examples.stock import AUDIT, AUDIT_PLACES, fetch, identities, read_cutouts, read_photographs
from research.scenes.photographs import SceneObject, SceneSpec, render
from research.weights.univl.plans import ScenePlan

CLASSES = ("animal", "bird", "boat", "car")
SHARES = (0.22, 0.34, 0.22, 0.22)
LIGHT = {"bright": 0.35, "dim": 0.25, "dark": 0.40}
SIDE = 320
SIZES = (("small", 0.10, 0.16), ("medium", 0.18, 0.26), ("large", 0.28, 0.36))
MISSED = 0.08
CONFUSED = 0.04
DOUBLED = 0.04
INVENTED = 0.25
PLANTED = 0.70
Record = dict[str, Any]


@dataclass
class Stock:
    cutouts: dict[str, Image.Image]
    photographs: dict[str, Image.Image]
    names: dict[str, list[str]]
    """Cut-outs of each class."""


@dataclass
class Case:
    images: list[Record] = field(default_factory=list)
    annotations: list[Record] = field(default_factory=list)
    results: list[Record] = field(default_factory=list)
    weak: set[str] = field(default_factory=set)


def read_stock(folder: Path) -> Stock:
    """The cut-outs and photographs of the audit part; fetched if they are not there."""
    assets, backgrounds = fetch(folder)
    part = {label: AUDIT[label] for label in CLASSES}
    names = {label: list(found) for label, found in identities(part).items()}
    return Stock(read_cutouts(part, assets), read_photographs(AUDIT_PLACES, backgrounds, width=1600), names)


def make(folder: Path, stock: Stock, seed: int, n_images: int, planted: float) -> Case:
    """Write images, truth.json and results.json."""
    rng = np.random.default_rng(seed)
    case = Case()
    plan = ScenePlan(
        {label: tuple(names) for label, names in stock.names.items()},
        AUDIT_PLACES,
        weather={"clear": 0.7, "fog": 0.3},
        light=LIGHT,
    )
    (folder / "pictures").mkdir(parents=True)
    for number, scene in enumerate(plan.draw(n_images, seed)):
        name = f"{number:04d}.jpg"
        spec, kept = _objects(scene, stock, rng)
        render(spec, stock.cutouts, stock.photographs, size=SIDE).save(folder / "pictures" / name, quality=92)
        case.images.append({"id": number, "file_name": name, "width": SIDE, "height": SIDE})
        for thing, box, size in kept:
            weak = size == "small" and spec.light == "dark" and thing.label == "bird"
            if weak:
                case.weak.add(f"{name}#{len(case.annotations) + 1}")
            _detect(case, thing, box, number, planted if weak and planted else MISSED, rng)
        if rng.random() < INVENTED:
            x, y, w, h = (float(v) for v in rng.uniform(20, 120, 4))
            case.results.append(
                {
                    "image_id": number,
                    "category_id": int(rng.integers(4)),
                    "bbox": [x, y, w, h],
                    "score": float(rng.uniform(0.25, 0.6)),
                }
            )
    categories = [{"id": i, "name": label} for i, label in enumerate(CLASSES)]
    truth = {"images": case.images, "annotations": case.annotations, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(truth), "utf-8")
    (folder / "results.json").write_text(json.dumps(case.results), "utf-8")
    return case


def _objects(
    scene: SceneSpec, stock: Stock, rng: np.random.Generator
) -> tuple[SceneSpec, list[tuple[SceneObject, list[float], str]]]:
    """The scene with three or four objects that hardly touch, with the box of each."""
    kept: list[tuple[SceneObject, list[float], str]] = []
    for _ in range(int(rng.integers(3, 5))):
        label = str(rng.choice(CLASSES, p=SHARES))
        size, low, high = SIZES[int(rng.integers(3))]
        for _ in range(20):
            side = float(rng.uniform(low, high))
            thing = SceneObject(
                label,
                str(rng.choice(stock.names[label])),
                side,
                float(rng.uniform(side / 2, 1 - side / 2)),
                float(rng.uniform(0.4, 0.97)),
            )
            box = box_of(thing, stock.cutouts[thing.identity])
            if all(_apart(box, other) for _, other, _ in kept):
                kept.append((thing, box, size))
                break
    return replace(scene, objects=tuple(thing for thing, _, _ in sorted(kept, key=lambda k: k[0].y))), kept


def box_of(thing: SceneObject, cutout: Image.Image) -> list[float]:
    """Left, top, width, height in pixels of an upright object, cut at the image's border."""
    shape = cutout.getchannel("A").point([0] * 9 + [255] * 247).getbbox() or (0, 0, 1, 1)
    wide = shape[2] - shape[0]
    high = shape[3] - shape[1]
    scale = thing.size * SIDE / max(wide, high)
    left = round(thing.x * SIDE - wide * scale / 2)
    foot = round(thing.y * SIDE)
    top = max(foot - round(high * scale), 0)
    return [
        float(max(left, 0)),
        float(top),
        float(min(left + round(wide * scale), SIDE) - max(left, 0)),
        float(min(foot, SIDE) - top),
    ]


def _apart(a: list[float], b: list[float]) -> bool:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return across <= 0 or down <= 0 or across * down < 0.15 * min(a[2] * a[3], b[2] * b[3])


def _detect(
    case: Case, thing: SceneObject, box: list[float], number: int, missed: float, rng: np.random.Generator
) -> None:
    """One true object of image `number`, and what the simulated detector, which misses it by chance, makes of it."""
    kind = CLASSES.index(thing.label)
    identity = len(case.annotations) + 1
    case.annotations.append({"id": identity, "image_id": number, "category_id": kind, "bbox": box, "iscrowd": 0})
    if rng.random() < missed:
        return
    called = int(rng.integers(4)) if rng.random() < CONFUSED else kind
    for extra in range(2 if rng.random() < DOUBLED else 1):
        left, top, width, height = (float(v + rng.normal(0, 0.04 * max(box[2:]))) for v in box)
        score = float(rng.uniform(0.3, 0.99)) * (0.8 if extra else 1.0)
        result = {
            "image_id": number,
            "category_id": called,
            "bbox": [left, top, max(width, 4), max(height, 4)],
            "score": round(score, 3),
        }
        case.results.append(result)


def run(
    stock: Stock, seed: int, *, n_images: int, planted: float, permutations: int, words: bool, rows: str = "objects"
) -> tuple[Case, Diagnosis]:
    """Make one case and diagnose it from its files."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        case = make(folder, stock, seed, n_images, planted)
        audit = read_detection_samples(
            folder / "truth.json", folder / "results.json", images=folder / "pictures", rows=rows
        )
        settings = Settings(seed=seed, n_permutations=permutations, map=False, words=words)
        return case, diagnose_data_set(audit, EmbeddingSettings(cache=default_cache()), settings=settings)


def line(case: Case, found: Diagnosis, planted: float, seed: int, seconds: float) -> Record:
    """What one run found of the planted rows, as plain values."""
    weak = np.array([name in case.weak for name in found.samples.ids])
    overlaps = [(int((c.membership >= 0.5).sum()), int((weak & (c.membership >= 0.5)).sum())) for c in found.clusters]
    best = max(overlaps, key=lambda o: o[1] / max(o[0] + int(weak.sum()) - o[1], 1), default=(0, 0))
    conditions = [i.text for i in found.insights if i.confirmed]
    hits = [
        i.text
        for i in found.insights
        if i.confirmed and weak[i.mask].sum() >= 0.5 * i.mask.sum() and weak[i.mask].sum() >= 0.5 * weak.sum()
    ]
    return {
        "seed": seed,
        "planted": planted,
        "n": len(found.samples),
        "weak": int(weak.sum()),
        "clusters": len(found.clusters),
        "size": best[0],
        "overlap": best[1],
        "conditions": len(conditions),
        "conditions that name it": len(hits),
        "seconds": round(seconds),
    }


def rates(lines: list[Record]) -> str:
    """The rates in sentences, with Wilson intervals over seeds."""
    said: list[str] = []
    for planted in (True, False):
        some = [one for one in lines if bool(one["planted"]) == planted]
        if not some:
            continue
        hit = [one["overlap"] >= 0.5 * one["size"] > 0 and one["overlap"] >= 0.5 * one["weak"] for one in some]
        pure = [one["overlap"] >= 0.5 * one["size"] > 0 for one in some]
        named = [one["conditions that name it"] > 0 for one in some]
        any_claim = [one["clusters"] + one["conditions"] > 0 for one in some]
        for what, flags in (
            ("at least half of a cluster is of it", pure),
            ("and at least half of it lies there", hit),
            ("a condition names it", named),
            ("anything claimed", any_claim),
        ):
            if planted or what == "anything claimed":
                share = wilson(sum(flags), len(flags))
                interval = f"{share.low:.2f} to {share.high:.2f}"
                said.append(
                    f"{'planted' if planted else 'nothing planted'}: {what} in {sum(flags)} of "
                    f"{len(flags)} runs ({interval})"
                )
    return "\n".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--stock", type=Path, required=True, help="folder of the cut-outs and photographs; fetched into it if missing"
    )
    parser.add_argument(
        "--seeds", type=int, nargs=2, metavar=("FROM", "TO"), help="rates over these seeds instead of one case in full"
    )
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--permutations", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="JSON lines to add to; seeds in it are not run again")
    options = parser.parse_args()
    stock = read_stock(options.stock)
    if options.seeds is None:
        for rows in ("objects", "predictions"):
            case, found = run(
                stock, 100, n_images=options.images, planted=PLANTED, permutations=5000, words=True, rows=rows
            )
            print(
                f"## rows: {rows} (n = {len(found.samples)}, planted rows {len(case.weak)})\n\n{text_summary(found)}\n"
            )
            print(json.dumps(line(case, found, PLANTED, 100, 0)) if rows == "objects" else "")
        return
    lines = read_lines(options.out) if options.out else []
    done = keys_done(lines, ["seed", "planted"])
    for seed in range(*options.seeds):
        for planted in (PLANTED, 0.0):
            if (seed, planted) not in done:
                start = time.process_time()
                lines.append(line(*run_one(stock, seed, planted, options), planted, seed, time.process_time() - start))
                if options.out:
                    append_line(options.out, lines[-1])
    print(rates(lines))


def run_one(stock: Stock, seed: int, planted: float, options: argparse.Namespace) -> tuple[Case, Diagnosis]:
    """One run without words, as the options say."""
    return run(stock, seed, n_images=options.images, planted=planted, permutations=options.permutations, words=False)


if __name__ == "__main__":
    main()
