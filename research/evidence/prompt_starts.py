"""What a step of learned prompts costs on open_clip's own text towers where what all prompts begin with goes through
the tower once, beside each prompt by itself.

    python -m research.evidence.prompt_starts [--model ViT-B-32] [--classes 10] [--repeats 5]

A model of the architecture with random weights, which cost what trained ones do, takes steps of CoOp (a batch of 32)
and of CoCoOp (one image) from "a photo of a" and from sixteen random vectors, in turns. Printed: median CPU
milliseconds of a step both ways, the median of their ratios, and the largest difference of the loss.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from core.systems.probes.prompt_learning.context import PromptTraining, lay_out
from core.systems.probes.prompt_learning.learner import PromptBatch, tower_of
from core.systems.probes.prompt_learning.training import backward, start
from research.evidence.open_clip_texts import make_model
from research.evidence.probes_speed import COLOURS, THINGS


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--model", default="ViT-B-32")
    ask.add_argument("--classes", type=int, default=10)
    ask.add_argument("--repeats", type=int, default=5)
    said = ask.parse_args()
    names = [f"{colour} {thing}" for thing in THINGS for colour in COLOURS][: said.classes]
    with tempfile.TemporaryDirectory() as folder:
        encoder = make_model(said.model, Path(folder))
    tower = tower_of(encoder)
    width = encoder.encode_texts(["a"]).shape[1]
    for kind, batch in (("coop", 32), ("cocoop", 1)):
        rows = torch.nn.functional.normalize(torch.randn(batch, width, generator=torch.Generator().manual_seed(0)))
        labels = torch.arange(batch) % said.classes
        for init in ("a photo of a", ""):
            learner = start(tower, PromptTraining(kind=kind, init=init), said.classes, width, 0)  # type: ignore[arg-type]
            batch = PromptBatch(tower, lay_out(tower, names, learner.ctx.shape[-2], "end"))
            alike = batch.n_shared
            spent = list[list[float]]()
            losses = list[float]()
            for _ in range(said.repeats + 1):
                spent.append([])
                for batch.n_shared in (0, alike):
                    begun = time.process_time()
                    losses.append(backward(batch, learner, rows, labels, 100.0))
                    spent[-1].append(1000 * (time.process_time() - begun))
            alone, shared = np.array(spent[1:]).T  # the first turn warms up
            print(
                f"{kind}, {batch.ids.shape[1]} tokens, {alike} alike: {np.median(alone):.0f} ms alone, "
                f"{np.median(shared):.0f} shared, {np.median(alone / shared):.1f}x, gap {np.ptp(losses):.1g}",
                flush=True,
            )


if __name__ == "__main__":
    main()
