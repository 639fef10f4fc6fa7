"""CPU seconds of a first `diagnose` of pictures with an open_clip model, by part, texts at their own length and at 77.

    python -m tests.benchmarks.first_run IMAGES --out FILE [--model ViT-B-32] [--n 200] [--turns 2]

The model has random weights, which cost what trained ones do. The loss is planted on the darkest fifth of the first
`n` pictures by name, in ten made classes. Every run has a process and an empty cache of its own; in each turn the texts
are encoded at their own length and at the whole context, as before November 2026, the first of the two in turns.
Figures: docs/evidence/cost.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.benchmarks.lines import append_line
from tests.benchmarks.speed import Steps

PARTS = {
    "read": "open the model and the table",
    "read table": "open the model and the table",
    "embed": "pictures",
    "read the phrases": "vocabulary",
    "fit the ensemble": "search",
    "search": "search",
    "test": "search",
    "describe": "names",
    "map": "map",
}
"""What a step of the run is counted as; any other by its own name."""


def write_table(images: Path, n: int, work: Path) -> Path:
    """A table of n pictures whose darkest fifth has a higher loss, beside copies of them."""
    files = sorted(f for f in images.iterdir() if f.suffix in {".jpg", ".webp", ".png"})[:n]
    assert len(files) == n, f"{images} holds {len(files)} pictures"
    light = np.array([np.asarray(Image.open(file).convert("L").resize((16, 16))).mean() for file in files])
    losses = np.random.default_rng(0).gamma(2.0, np.where(light < np.quantile(light, 0.2), 1.0, 0.2))
    (work / "up").mkdir()
    for file in files:
        shutil.copyfile(file, work / "up" / file.name)
    rows = [f"{f.name},{x:.4f},class {i % 10}" for i, (f, x) in enumerate(zip(files, losses))]
    (work / "table.csv").write_text("\n".join(["file,loss,label", *rows]) + "\n", "utf-8")
    return work / "table.csv"


def measure(work: Path, whole: bool) -> dict[str, Any]:
    """One diagnosis in this process, with an empty cache."""
    steps, start = Steps(), time.monotonic()
    from core.diagnose import diagnose
    from core.encoders.open_clip.encoder import OpenClipEncoder

    if whole:
        OpenClipEncoder._short_tower = None  # pyright: ignore
    encoder = f"open_clip:local-dir:{work / 'model'}"
    with tempfile.TemporaryDirectory() as cache:
        found = diagnose(
            work / "table.csv", images=work / "up", encoder=encoder, loss="loss", cache=Path(cache), progress=steps
        )
        texts = [len(np.load(file)["texts"]) for file in (Path(cache) / "texts").glob("*.npz")]
    parts: dict[str, float] = {}
    for step, seconds in steps.close().items():
        parts[PARTS.get(step, step)] = parts.get(PARTS.get(step, step), 0.0) + seconds
    return {
        "texts": "whole" if whole else "own",
        "n": len(found.samples),
        "clusters": len(found.clusters),
        "phrases": 0 if found.words is None else len(found.words.phrases),
        "encoded": texts,
        "cpu_s": {name: round(seconds, 1) for name, seconds in parts.items()},
        "cpu_s_all": round(time.process_time(), 1),
        "wall_s": round(time.monotonic() - start, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model and the table once, and measure in processes of their own."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("images", type=Path, help="a folder of pictures; with --one the folder that was made")
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--model", default="ViT-B-32")
    ask.add_argument("--n", type=int, default=200)
    ask.add_argument("--turns", type=int, default=2)
    ask.add_argument("--one", choices=["own", "whole"], help=argparse.SUPPRESS)
    said = ask.parse_args(arguments)
    if said.one:
        append_line(said.out, measure(said.images, said.one == "whole"))
        return
    from tests.benchmarks.open_clip_texts import make_model

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").mkdir()
        make_model(said.model, Path(folder) / "model")
        write_table(said.images, said.n, Path(folder))
        for turn in range(said.turns):
            for one in ("own", "whole")[:: -1 if turn % 2 else 1]:
                command = [sys.executable, "-m", "tests.benchmarks.first_run", folder, "--one", one]
                subprocess.run([*command, "--out", str(said.out)], check=True)
                print(said.out.read_text("utf-8").splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
