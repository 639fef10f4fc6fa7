"""CPU seconds of a first `diagnose` of images with an open_clip model, by part, and of its texts at 77 tokens.

    python -m research.evidence.first_run IMAGES --out FILE [--n 200] [--every 8]

The model has random weights, which cost what trained ones do. The loss is planted on the darkest fifth of the first
`n` images by name, in ten made classes. The run has a process and an empty cache of its own. After it, every
eighth of the vocabulary's texts is encoded at its own length and at the whole context, as before November 2026, in
batches as the run's. Figures: docs/evidence/cost.md.
"""

from __future__ import annotations

import argparse
import json
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

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.language.phrases import PROMPTS
from core.language.prompts import keep_apart, prompts, synonyms_of
from core.language.vocabulary import read_vocabulary
from research.evidence.lines import append_line
from research.evidence.open_clip_texts import both_ways, make_model
from research.evidence.speed import Steps

PARTS = {
    **dict.fromkeys(("read", "read table"), "opening"),
    **dict.fromkeys(("open images", "match pictures", "check pictures", "embed"), "pictures"),
    "read the phrases": "vocabulary",
    **dict.fromkeys(("Fitting the loss model", "search", "test"), "search"),
    "Describing groups": "names",
}
"""What a step of the run is counted as; any other by its own name."""


def write_table(images: Path, n: int, work: Path) -> Path:
    """A table of n images whose darkest fifth has a higher loss, beside copies of them."""
    files = sorted(f for f in images.iterdir() if f.suffix in {".jpg", ".webp", ".png"})[:n]
    light = np.array([np.asarray(Image.open(file).convert("L").resize((16, 16))).mean() for file in files])
    losses = np.random.default_rng(0).gamma(2.0, np.where(light < np.quantile(light, 0.2), 1.0, 0.2))
    (work / "up").mkdir()
    for file in files:
        shutil.copyfile(file, work / "up" / file.name)
    rows = [f"{f.name},{x:.4f},class {i % 10}" for i, (f, x) in enumerate(zip(files, losses))]
    (work / "table.csv").write_text("\n".join(["file,loss,label", *rows]) + "\n", "utf-8")
    return work / "table.csv"


def measure(work: Path) -> dict[str, Any]:
    """One diagnosis in this process, with an empty cache."""
    begun = time.process_time()
    steps = Steps()
    from core.diagnose import diagnose

    name = f"open_clip:local-dir:{work / 'model'}"
    with tempfile.TemporaryDirectory() as cache:
        found = diagnose(
            work / "table.csv", images=work / "up", encoder=name, loss="loss", cache=Path(cache), progress=steps
        )
    spent = time.process_time()
    parts = {"opening": begun}
    for step, seconds in steps.close().items():
        parts[PARTS.get(step, step)] = round(parts.get(PARTS.get(step, step), 0.0) + seconds, 1)
    phrases = 0 if found.words is None else len(found.words.phrases)
    counts = {"n": len(found.samples), "clusters": len(found.clusters), "phrases": phrases}
    return counts | {"cpu_s": parts, "cpu_s_all": round(spent, 1), "load": round(os.getloadavg()[0], 1)}


def texts_of(class_names: Sequence[str]) -> list[str]:
    """The vocabulary's different sentences of these classes, the shortest first, as they are encoded."""
    kept, _ = keep_apart(read_vocabulary(), class_names, synonyms_of(class_names))
    said = (text for groups in prompts(kept, class_names, PROMPTS) for group in groups for text in group)
    return sorted(set(said), key=lambda text: (len(text), text))


def beside(encoder: OpenClipEncoder, texts: Sequence[str], every: int) -> dict[str, Any]:
    """Some of the texts both ways, in batches as the run's."""
    some = texts[::every]
    encoder.encode_texts(some[:1])  # opens the text tower
    batches = [[some[int(i)] for i in rows] for rows in encoder.text_batches(some)]
    whole, own, _ = np.sum([both_ways(encoder, batch) for batch in batches], 0)
    found = {"texts": len(texts), "both_ways": len(some), "whole_s": round(whole, 1), "own_s": round(own, 1)}
    return found | {"load_then": round(os.getloadavg()[0], 1)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model and the table, measure a run in a process of its own, and then the texts."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("images", type=Path, help="a folder of pictures")
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--n", type=int, default=200)
    ask.add_argument("--every", type=int, default=8, help="of how many texts one is encoded both ways")
    ask.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    said = ask.parse_args(arguments)
    if said.one:
        print(json.dumps(measure(said.images)))
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").mkdir()
        encoder = make_model("ViT-B-32", Path(folder) / "model")
        write_table(said.images, said.n, Path(folder))
        command = [sys.executable, "-m", "research.evidence.first_run", folder, "--out", str(said.out), "--one"]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = json.loads(out.splitlines()[-1]) | beside(encoder, texts_of([f"class {i}" for i in range(10)]), said.every)
    append_line(said.out, line)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
