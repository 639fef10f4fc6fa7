"""CPU seconds of a first `diagnose` of pictures with an open_clip model, by part, and of its texts at 77 tokens.

    python -m tests.benchmarks.first_run IMAGES --out FILE [--model ViT-B-32] [--n 200] [--every 8] [--turns 1]

The model has random weights, which cost what trained ones do. The loss is planted on the darkest fifth of the first
`n` pictures by name, in ten made classes. Every run has a process and an empty cache of its own. After it, every
eighth of the vocabulary's texts is encoded at its own length and at the whole context, as before November 2026, in
batches as the run's; "before" is the run's vocabulary times their ratio. Figures: docs/evidence/cost.md.
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
    "read": "opening",
    "read table": "opening",
    "open images": "pictures",
    "match pictures": "pictures",
    "check pictures": "pictures",
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


def measure(work: Path, every: int) -> dict[str, Any]:
    """One diagnosis in this process, with an empty cache, and its texts both ways."""
    steps, start = Steps(), time.monotonic()
    from core.diagnose import diagnose

    name = f"open_clip:local-dir:{work / 'model'}"
    with tempfile.TemporaryDirectory() as cache:
        found = diagnose(
            work / "table.csv", images=work / "up", encoder=name, loss="loss", cache=Path(cache), progress=steps
        )
    spent, wall = time.process_time(), time.monotonic() - start
    parts: dict[str, float] = {}
    for step, seconds in steps.close().items():
        parts[PARTS.get(step, step)] = parts.get(PARTS.get(step, step), 0.0) + seconds
    texts = texts_of(found.samples.class_names)
    own, whole, n = both_ways(name, texts[::every])
    return {
        "n": len(found.samples),
        "clusters": len(found.clusters),
        "phrases": 0 if found.words is None else len(found.words.phrases),
        "texts": len(texts),
        "cpu_s": {part: round(seconds, 1) for part, seconds in parts.items()},
        "cpu_s_all": round(spent, 1),
        "wall_s": round(wall, 1),
        "beside": {"texts": n, "own_s": round(own, 1), "whole_s": round(whole, 1)},
        "vocabulary_before_s": round(parts["vocabulary"] * whole / own, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def texts_of(class_names: Sequence[str]) -> list[str]:
    """The different sentences by which the vocabulary is spoken of these classes, the shortest first as they are
    encoded."""
    from core.language.phrases import PROMPTS
    from core.language.prompts import keep_apart, prompts, synonyms_of
    from core.language.vocabulary import read_vocabulary

    kept, _ = keep_apart(read_vocabulary(), class_names, synonyms_of(class_names))
    both = prompts(kept, class_names, PROMPTS)
    return sorted({text for groups in both for group in groups for text in group}, key=lambda text: (len(text), text))


def both_ways(name: str, texts: Sequence[str]) -> tuple[float, float, int]:
    """CPU seconds at their own length and at the whole context, a batch of each in turns; and how many texts."""
    from core.encoders import load_encoder

    encoder: Any = load_encoder(name)
    encoder.encode_texts(texts[:1])  # opens the text tower
    own = whole = 0.0
    for start in range(0, len(texts), encoder.batch_size):
        batch = texts[start : start + encoder.batch_size]
        times = [time.process_time()]
        encoder.encode_texts(batch)
        times.append(time.process_time())
        encoder.in_batches(encoder._tokenizer(list(batch)), encoder._model.encode_text)
        times.append(time.process_time())
        own, whole = own + times[1] - times[0], whole + times[2] - times[1]
    return own, whole, len(texts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the model and the table once, and measure in processes of their own."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("images", type=Path, help="a folder of pictures; with --one the folder that was made")
    ask.add_argument("--out", type=Path, required=True)
    ask.add_argument("--model", default="ViT-B-32")
    ask.add_argument("--n", type=int, default=200)
    ask.add_argument("--every", type=int, default=8, help="of how many texts one is encoded both ways")
    ask.add_argument("--turns", type=int, default=1)
    ask.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    said = ask.parse_args(arguments)
    if said.one:
        append_line(said.out, measure(said.images, said.every))
        return
    from tests.benchmarks.open_clip_texts import make_model

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").mkdir()
        make_model(said.model, Path(folder) / "model")
        write_table(said.images, said.n, Path(folder))
        for _ in range(said.turns):
            command = [sys.executable, "-m", "tests.benchmarks.first_run", folder, "--one", "--every", str(said.every)]
            subprocess.run([*command, "--out", str(said.out)], check=True)
            print(said.out.read_text("utf-8").splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
