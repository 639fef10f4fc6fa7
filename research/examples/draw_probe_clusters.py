"""Draw which of an example's failure clusters a probe fixes, shares and breaks: `python -m
research.examples.draw_probe_clusters [--probe zero-shot]`.

One row a cluster, one block each for "model wrong, probe right", "both wrong", "model right, probe wrong": the images
of highest membership.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.checks.compare import compare
from core.encoders import load_encoder
from core.files import ASSETS
from core.records import Bool, Diagnosis, FailureCluster, FourWay
from core.reports.wording.findings import cluster_title
from core.store import load
from core.systems.probes import make_probe
from core.systems.probes.base import Task
from core.systems.probes.records import results_of, with_results
from core.systems.probes.run import run_probe

KINDS = ("fixed", "both", "broken")
SAID = {"fixed": "your model wrong, probe right", "both": "both wrong", "broken": "your model right, probe wrong"}
SIDE = 76
EACH = 4
LEFT = 300
HEAD = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ASSETS / "examples/scenes/run.errata")
    parser.add_argument("--probe", default="zero-shot")
    parser.add_argument("--settings", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    diagnosis = load(given.run)
    if diagnosis.words is None:
        raise SystemExit("The run has no words, so no vectors for a probe.")
    probe = make_probe(given.probe, dict(pair.split("=", 1) for pair in given.settings))
    made = run_probe(
        given.probe, probe, Task(diagnosis.samples, diagnosis.words.joint, load_encoder(diagnosis.words.encoder))
    )
    picture(with_results(diagnosis, (made,))).save(given.out, quality=82)


def picture(diagnosis: Diagnosis) -> Image.Image:
    """The montage for the run's one probe."""
    found = compare(diagnosis)
    width = LEFT + len(KINDS) * (EACH * SIDE + 18)
    canvas = Image.new("RGB", (width, HEAD + len(found.clusters) * (SIDE + 30)), "white")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(13)
    for i, kind in enumerate(KINDS):
        pen.text((LEFT + i * (EACH * SIDE + 18), 12), SAID[kind].replace("probe", found.b), "black", font)
    for row, (cluster, counts) in enumerate(zip(diagnosis.clusters, found.clusters)):
        top = HEAD + row * (SIDE + 30)
        title = f"{cluster_title(diagnosis, cluster)}\n{counts.n} images, {counts.verdict}\n" + ", ".join(
            f"{k} {getattr(counts, k)}" for k in KINDS
        )
        pen.multiline_text((10, top + 6), title, "black", font, spacing=5)
        for i, kind in enumerate(KINDS):
            strip(diagnosis, cluster, counts, kind, canvas, (LEFT + i * (EACH * SIDE + 18), top))
    return canvas


def strip(
    diagnosis: Diagnosis, cluster: FailureCluster, counts: FourWay, kind: str, canvas: Image.Image, at: tuple[int, int]
) -> None:
    """Up to four images of one kind, each with what the model and the probe say."""
    samples = diagnosis.samples
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(10)
    rows = np.flatnonzero(of_kind(diagnosis, kind) & (cluster.membership >= 0.5))
    rows = rows[np.argsort(-cluster.membership[rows], kind="stable")][:EACH]
    if samples.items is None:
        return
    predicted = diagnosis.outcomes.predictions
    other = results_of(diagnosis)[0].outcomes.predictions
    for i, row in enumerate(rows.tolist()):
        small = Image.open(io.BytesIO(samples.items.read(row))).convert("RGB").resize((SIDE - 4, SIDE - 4))
        canvas.paste(small, (at[0] + i * SIDE, at[1]))
        if predicted is not None and other is not None:
            said = f"{samples.class_names[predicted[row]]} / {samples.class_names[other[row]]}"
            pen.text((at[0] + i * SIDE, at[1] + SIDE - 3), said, "black", font)


def of_kind(diagnosis: Diagnosis, kind: str) -> Bool:
    """(n,) rows of that kind; the probe scored all."""
    a = diagnosis.outcomes.errors
    b = results_of(diagnosis)[0].outcomes.errors
    if a is None or b is None:
        raise SystemExit("Errors are unknown.")
    return {"fixed": a & ~b, "both": a & b, "broken": ~a & b}[kind]


if __name__ == "__main__":
    main()
