"""CPU seconds and memory of each probe on 10,000 images x 100 classes from cached features, with the embedded encoder's
text tower.

    python -m research.evidence.probes_speed [--images 10000] [--classes 100] [--only NAME ...]

Features are made: each image lies near its class's text vector, with noise. A child process runs each probe, so its
peak memory is its own. CoOp is trained for 2 epochs of its 50; CoCoOp, which encodes every class once for every image,
for one epoch on one shot a class, and scores 200
images: their details say what a step and an image took, from which the whole is reckoned. The last column is the ratio
    to zero-shot in the
same call.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from core.encoders import Encoder, load_encoder
from core.records import Embeddings, SampleSet
from core.systems.probes import PROBES, make_probe
from core.systems.probes.base import Task
from core.systems.probes.run import run_probe

FEW: dict[str, dict[str, int]] = {
    "lp++": {"shots": 16},
    "linear-probe": {"shots": 16},
    "tip-adapter": {"shots": 16},
    "coop": {"shots": 16, "epochs": 2},
    "cocoop": {"shots": 1, "epochs": 1},
}
SLOW = {"cocoop": 200}
"""Images that are really scored, where the rest is extrapolated."""


def task(n: int, k: int, encoder: Encoder) -> Task:
    """n images of k classes."""
    rng = np.random.default_rng(0)
    classes = tuple(f"{a} {b}" for a in COLOURS for b in THINGS)[:k]
    centres = encoder.encode_texts([f"a photo of a {c}." for c in classes])
    labels = rng.permutation(np.arange(n) % k)
    vectors = centres[labels] + 1.2 * rng.standard_normal((n, centres.shape[1])).astype(np.float32) / np.sqrt(
        centres.shape[1]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    samples = SampleSet(tuple(map(str, range(n))), labels=labels, class_names=classes)
    return Task(samples, Embeddings(vectors.astype(np.float32), encoder.name, encoder.joint_space), encoder)


COLOURS = ("red", "green", "blue", "white", "black", "yellow", "wooden", "old", "small", "striped")
THINGS = (
    "car",
    "dog",
    "bird",
    "house",
    "boat",
    "chair",
    "tree",
    "bottle",
    "book",
    "shoe",
    "cup",
    "horse",
    "train",
    "cat",
    "clock",
)


def child(name: str, n: int, k: int) -> dict[str, Any]:
    """One probe's cost in this process."""
    encoder = load_encoder("embedded")
    n_run = SLOW.get(name, n)
    brought = task(max(n_run, 40 * k if name in FEW else 0), k, encoder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    probe = make_probe(name, FEW.get(name, {}))
    if name in SLOW:
        from core.systems.probes.splits import Fold, Split

        rows = np.arange(len(brought.samples), dtype=np.int64)
        split = Split((Fold(rows[n_run:], rows[:n_run]),), "the first rows are scored")
        brought = Task(brought.samples, brought.joint, encoder, split=split)
    made = run_probe(name, probe, brought)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said: dict[str, Any] = {
        "probe": name,
        "n": n_run,
        "seconds": seconds,
        "before_mib": before / 1024,
        "peak_mib": peak / 1024,
    }
    return said | {
        "accuracy": made.accuracy.value,
        "details": {key: v for key, v in made.details.items() if "second" in key},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=list(PROBES), choices=list(PROBES))
    parser.add_argument("--child", choices=list(PROBES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.child, options.images, options.classes)))
        return
    base = None
    print(f"{'probe':14}{'images':>8}{'CPU s':>10}{'peak MiB':>10}{'accuracy':>10}{'ratio':>8}")
    for name in options.only:
        call = [
            sys.executable,
            "-m",
            "research.evidence.probes_speed",
            "--child",
            name,
            "--images",
            str(options.images),
        ]
        done = subprocess.run([*call, "--classes", str(options.classes)], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{name:14} did not run: {done.stderr.strip().splitlines()[-1][:120]}")
            continue
        said = json.loads(done.stdout.splitlines()[-1])
        base = base or said["seconds"]
        cost = f"{said['n']:8,}{said['seconds']:10.1f}{said['peak_mib']:10.0f}"
        print(f"{name:14}{cost}{said['accuracy']:10.3f}{said['seconds'] / base:8.1f}  {said['details']}", flush=True)


if __name__ == "__main__":
    main()
