"""What open_clip's texts cost filled up to their own length, beside the whole context of 77 tokens.

    python -m research.evidence.open_clip_texts [--model ViT-B-32] [--every 4] [--repeats 3]

A model of the architecture with random weights, which cost what trained ones do, encodes every fourth phrase of the
vocabulary in one prompt, by `encode_texts` and by open_clip's own `encode_text` over the same batches, in turns.
Printed: median CPU seconds, the median of their ratios, and the largest difference of a number between the two.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import open_clip
from safetensors.torch import save_file

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.language.vocabulary import read_vocabulary


def make_model(architecture: str, folder: Path) -> OpenClipEncoder:
    """Random weights of the architecture, read back from a folder."""
    shapes = {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD}
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": shapes}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    model = open_clip.create_model(architecture)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    return OpenClipEncoder(f"local-dir:{folder}")


def both_ways(encoder: OpenClipEncoder, texts: Sequence[str]) -> tuple[float, float, float]:
    """CPU seconds at the whole context and at the texts' own length, and the largest difference of a number."""
    start = time.process_time()
    whole = encoder.in_batches(encoder._tokenizer(list(texts)), encoder._model.encode_text)
    middle = time.process_time()
    short = encoder.encode_texts(texts)
    return middle - start, time.process_time() - middle, float(np.abs(whole - short).max())


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--model", default="ViT-B-32")
    ask.add_argument("--every", type=int, default=4, help="of how many phrases one is taken")
    ask.add_argument("--repeats", type=int, default=3)
    said = ask.parse_args()
    texts = [f"a photo of something {phrase.text}" for phrase in read_vocabulary().phrases[:: said.every]]
    with tempfile.TemporaryDirectory() as folder:
        encoder = make_model(said.model, Path(folder))
        found = [both_ways(encoder, texts) for _ in range(said.repeats)]
    spent = [one[:2] for one in found]
    gap = max(one[2] for one in found)
    whole_s, short_s = np.median(spent, 0)
    ratio = np.median([a / b for a, b in spent])
    print(
        f"{said.model}, {len(texts)} texts: {whole_s:.1f} CPU s whole, {short_s:.1f} short, {ratio:.1f}x, gap {gap:.1g}"
    )


if __name__ == "__main__":
    main()
