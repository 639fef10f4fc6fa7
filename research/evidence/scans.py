"""What the Neuralizer that ships is worth on subjects and contrasts that it never saw, beside the vote of its examples.

    python -m research.evidence.scans [PART ...] [--data FOLDER] [--pairs FOLDER] [--network PATH] [--side PIXELS]
        [--items N] [--json FILE]

PART: masks, controls, images, real, pairs, corrections (default: all that the given data allow). --data holds mni152/
(coronal_2mm.npz: t1, gm, wm), --pairs the `data` folder of github.com/SteffenCzolbe/neuralizer. Figures:
docs/evidence/scans.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.data.scans.slices import fit_square, scale_to_unit
from core.data.scans.volume import Scan
from core.records import F32, F64, Bool
from core.statistics.intervals import bootstrap
from core.systems.neuralizer.corrections.correct import EXAMPLES, Corrector
from core.systems.neuralizer.corrections.names import CORRECTIONS
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.use import treat, vote
from core.systems.neuralizer.weights import FOLDER, read_network, side_of
from research.examples.planted_scans import bright, dice_losses, plant_scans, set_threshold
from research.weights.neuralizer.drawn_scans import STRUCTURES, UNSEEN, read_label_slices
from research.weights.neuralizer.pairs import read_pairs
from research.weights.neuralizer.tasks import SEGMENTATION, TASKS, ScanTasks, TaskBatch

NAMES = (*STRUCTURES, "brain")
LENGTHS = (1, 2, 4, 8, 15)
ITEMS = 24
"""Of each structure and task."""
Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Bench:
    network: Neuralizer
    side: int
    """Pixels of a slice."""
    items: int = ITEMS

    def tasks(self, seed: int) -> ScanTasks:
        """Of the four subjects that nothing was learned from, with examples of the others."""
        return ScanTasks(read_label_slices(self.side), torch.Generator().manual_seed(seed), targets=UNSEEN)


def arrays(batch: TaskBatch) -> tuple[F32, F32, F32, F32]:
    """(n, L, h, w) before and after, (n, h, w) target and what is wanted."""
    before, after, target, wanted = (x[..., 0, :, :].numpy() for x in (*batch.given, batch.target_out))
    return before, after, target, wanted


def dice(found: F32, wanted: F32) -> F64:
    """(n,) Dice of masks at one half; 1 of two empty ones."""
    a = found >= 0.5
    b = wanted >= 0.5
    both = (a & b).sum((1, 2))
    of = a.sum((1, 2)) + b.sum((1, 2))
    return np.where(of > 0, 2 * both / np.maximum(of, 1), 1.0)


def psnr(found: F32, wanted: F32) -> F64:
    """(n,) decibels, of images from 0 to 1."""
    return -10 * np.log10(((found - wanted) ** 2).mean((1, 2)) + 1e-9)


def said(values: F64) -> str:
    """Mean with its 95% bootstrap interval over the items."""
    found = bootstrap(lambda rows: float(values[rows].mean()), len(values), None, np.random.default_rng(0))
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def masks(bench: Bench) -> Rows:
    rows: Rows = [("structure (n)", *(f"L = {n}" for n in LENGTHS), "vote, L = 8", "L = 8 over 1")]
    for k, name in enumerate(NAMES):
        before, after, target, wanted = arrays(bench.tasks(100 + k).structure(name, bench.items, max(LENGTHS)))
        scores: dict[int, F64] = {}
        for n in LENGTHS:
            scores[n] = dice(treat(bench.network, before[:, :n], after[:, :n], target, mask=True), wanted)
        voted = dice(np.stack([vote(own[:8]) for own in after]), wanted)
        held = f"{name}{' (held out)' if name in bench.tasks(0).held_out else ''} ({len(wanted)})"
        rows.append((held, *(said(scores[n]) for n in LENGTHS), said(voted), said(scores[8] - scores[1])))
    return rows


def controls(bench: Bench) -> Rows:
    """Examples whose masks are of another structure, empty, or of another example's image."""
    rows: Rows = [("structure (n)", "right", "another structure", "empty masks", "mis-paired", "right minus vote")]
    for k, name in enumerate(NAMES[:-1]):
        drawn = bench.tasks(200 + k)
        before, after, target, wanted = arrays(drawn.structure(name, bench.items, 8))
        other = arrays(bench.tasks(300 + k).structure(NAMES[(k + 1) % 7], bench.items, 8))
        voted = dice(np.stack([vote(own) for own in after]), wanted)

        def score(b: F32, a: F32, target: F32 = target, wanted: F32 = wanted) -> F64:
            return dice(treat(bench.network, b, a, target, mask=True), wanted)

        right = score(before, after)
        # the other structure on images of its own, and the right images with masks moved on by one
        empty = score(before, 0 * after)
        moved = score(before, np.roll(after, 3, 1))
        made = (right, score(other[0], other[1]), empty, moved, right - voted)
        rows.append((f"{name} ({len(wanted)})", *(said(x) for x in made)))
    return rows


def images(bench: Bench) -> Rows:
    heads = ("input, dB", "L = 1", "L = 8", "L = 8 over input", "other task's examples", "right over wrong")
    rows: Rows = [("task (n)", *heads)]
    for k, task in enumerate(TASKS):
        if task == SEGMENTATION:
            continue
        before, after, target, wanted = arrays(bench.tasks(400 + k).batch(task, bench.items, 8))
        wrong = arrays(bench.tasks(500 + k).batch("inpaint" if task != "inpaint" else "modality", bench.items, 8))

        def score(b: F32, a: F32, target: F32 = target, wanted: F32 = wanted) -> F64:
            return psnr(treat(bench.network, b, a, target, mask=False), wanted)

        given = psnr(target, wanted)
        one = score(before[:, :1], after[:, :1])
        eight = score(before, after)
        bad = score(wrong[0], wrong[1])
        made = (given, one, eight, eight - given, bad, eight - bad)
        rows.append((f"{task} ({len(wanted)})", *(said(x) for x in made)))
    return rows


def real(bench: Bench, data: Path) -> Rows:
    """Slices of one real head: each segmented from others of the same."""
    with np.load(data / "mni152" / "coronal_2mm.npz", allow_pickle=False) as stored:
        t1 = stored["t1"]
        tissue = {"grey matter": stored["gm"], "white matter": stored["wm"]}
    fitted = fit_square(t1.shape[1:], (1.0, 1.0), bench.side)
    slices = np.stack([fitted.into(scale_to_unit(plane.astype(np.float32))) for plane in t1])
    rows: Rows = [("MNI152 (n)", "1 slice", "4 slices", "7 slices", "vote of 7")]
    for name, planes in tissue.items():
        half = (planes >= planes.max() / 2).astype(np.float32)
        wanted = np.stack([fitted.into(plane, mask=True) for plane in half])
        scores: dict[str, list[float]] = {}
        for k in range(len(slices)):
            near = sorted((j for j in range(len(slices)) if j != k), key=lambda j: (abs(j - k), j))[:7]
            for n in (1, 4, 7):
                own = near[:n]
                found = treat(bench.network, slices[own], wanted[own], slices[k : k + 1], mask=True)
                scores.setdefault(f"{n}", []).append(float(dice(found, wanted[k : k + 1])[0]))
            scores.setdefault("vote", []).append(float(dice(vote(wanted[near])[None], wanted[k : k + 1])[0]))
        rows.append((f"{name} ({len(slices)})", *(said(np.array(own)) for own in scores.values())))
    return rows


def authors_pairs(bench: Bench, folder: Path) -> Rows:
    """Leave one out of the real examples that the authors released."""
    rows: Rows = [("pairs (n)", "network", "vote, or the input as it is", "network minus that")]
    for name in ("binary_segmentation_example", "bias_correction", "modality_transfer_example"):
        mask = name.startswith("binary")
        _, pairs, _ = read_pairs(folder / name)
        fitted = fit_square(pairs.before.shape[1:], (1.0, 1.0), bench.side)
        before = np.stack([fitted.into(plane) for plane in pairs.before])
        after = np.stack([fitted.into(plane, mask=mask) for plane in pairs.after])
        seen: dict[bytes, int] = {plane.tobytes(): k for k, plane in enumerate(before)}  # one pair is there twice
        kept = sorted(seen.values())
        own = []
        other = []
        for k in kept:
            rest = [j for j in kept if j != k]
            found = treat(bench.network, before[rest], after[rest], before[k : k + 1], mask=mask)
            score = dice if mask else psnr
            own.append(score(found, after[k : k + 1])[0])
            base = vote(after[rest])[None] if mask else before[k : k + 1]
            other.append(score(base, after[k : k + 1])[0])
        gain = np.array(own) - np.array(other)
        rows.append((f"{name} ({len(kept)})", *(" ".join(f"{x:.2f}" for x in values) for values in (own, other, gain))))
    return rows


def corrections(bench: Bench) -> Rows:
    """Loss of a threshold model on planted faults, before and after each correction, and with its control."""
    heads = (*CORRECTIONS, *(f"{name}, control" for name in CORRECTIONS))
    rows: Rows = [("planted fault (n)", "loss", "without the fault", *heads)]
    for fault in CORRECTIONS:
        planted = plant_scans(100, fault=fault, share=0.2)
        threshold = set_threshold(planted)
        loss = dice_losses(bright(planted.slices, threshold), planted.masks)
        scans = [as_scan(plane) for plane in planted.slices]
        best = np.argsort(np.where(planted.spoilt, np.inf, loss))[:EXAMPLES]
        corrector = Corrector(bench.network, bench.side, [scans[k] for k in best.tolist()])
        spoilt = np.flatnonzero(planted.spoilt)[: max(10, bench.items // 2)]
        wanted: Bool = planted.masks[spoilt]
        made = [loss[spoilt], dice_losses(bright(planted.whole[spoilt], threshold), wanted)]
        for wrong in (False, True):
            for task in CORRECTIONS:
                found = [corrector.correct(scans[k], task, wrong=wrong)[0] for k in spoilt.tolist()]
                made.append(dice_losses(bright(np.stack(found), threshold), wanted))
        rows.append((f"{fault} ({len(spoilt)})", *(said(np.asarray(x, np.float64)) for x in made)))
    return rows


def as_scan(plane: F32) -> Scan:
    return Scan(plane[::-1].T[:, None], 1.0, 0.0, (2.0, 2.0, 2.0), "npz", 0)


def table(rows: Rows) -> str:
    """As Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--network", type=Path, default=FOLDER)
    parser.add_argument("--side", type=int, help="pixels of a slice; default: what the network was taught on")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    network, card = read_network(given.network)
    bench = Bench(network, given.side or side_of(card, network), given.items)
    parts: Mapping[str, Callable[[], Rows] | None] = {
        "masks": lambda: masks(bench),
        "controls": lambda: controls(bench),
        "images": lambda: images(bench),
        "real": (lambda: real(bench, given.data)) if given.data else None,
        "pairs": (lambda: authors_pairs(bench, given.pairs)) if given.pairs else None,
        "corrections": lambda: corrections(bench),
    }
    found: dict[str, Rows] = {}
    for name, part in parts.items():
        if part is not None and (not given.parts or name in given.parts):
            found[name] = part()
            print(f"\n{name}\n\n{table(found[name])}", flush=True)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main()
