"""What a student of the embedded sentence encoder (MiniLM, 6 layers x 384) keeps of it, by how it is taught.

    python -m research.evidence.distillation DATA --arm inherited --texts 5000 --epochs 0 5 --out FILE
    python -m research.evidence.distillation --show FILE

DATA is Multi30k's folder: task1_train.en.gz teaches, task1_test_2016_flickr.en.gz reports, and task1_val.en.gz serves
for choosing settings (--half tune). --sst2 FOLDER also fits a regression on the frozen vectors of SST-2's sentences.
Every run is one JSON line. Nothing that ships is trained on these captions.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.options import read_settings
from core.systems.common.words import tokens_of
from core.systems.tinybert.figures import measure
from core.systems.tinybert.loop import teach
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.student_folder import sizes
from core.systems.tinybert.teacher import EMBEDDED, read_bert
from research.evidence.lines import append_line, read_lines
from research.evidence.sst2_probe import probed, said

ARMS: dict[str, dict[str, Any]] = {
    "inherited": {"inherit": "layers"},
    "random layers": {"inherit": "words"},
    "random": {"inherit": "none"},
}
HALVES = {"report": "task1_test_2016_flickr.en.gz", "tune": "task1_val.en.gz"}


def lines_of(path: Path) -> list[str]:
    """The captions of a file, each once, in order."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(dict.fromkeys(line.strip() for line in file if line.strip()))


def run(
    data: Path, arm: str, half: str, n: int, settings: dict[str, Any], turns: int, sst2: Path | None = None
) -> dict[str, Any]:
    """One student, taught on n captions and measured on the half's, and by a probe where there is `sst2`."""
    how = Distillation(**ARMS[arm], **settings)
    teacher = read_bert(Path(EMBEDDED))
    held = lines_of(data / HALVES[half])
    texts = [text for text in lines_of(data / "task1_train.en.gz") if text not in set(held)]
    chosen = np.random.default_rng(how.seed).permutation(len(texts))[:n]
    tokens = tokens_of(teacher.tokenizer, [texts[i] for i in chosen.tolist()], how.max_tokens)
    others = tokens_of(teacher.tokenizer, held, how.max_tokens)
    student = make_student(teacher, how)
    untaught = measure(teacher, student, others, turns=1)
    began = time.process_time()
    taught = teach(teacher, student, tokens, how)
    figures = measure(teacher, taught.student, others, turns=turns)
    return {
        "arm": arm,
        "half": half,
        "texts": len(tokens),
        "settings": asdict(how),
        "sizes": sizes(taught.student),
        "seconds": taught.seconds,
        "with_figures": time.process_time() - began,
        "curve": taught.curve,
        "untaught_cosine": untaught.cosine.value,
        "figures": asdict(figures),
        **({} if sst2 is None else {"probe": probed(sst2, teacher, taught.student)}),
    }


def show(path: Path) -> str:
    """A table of the runs, and the probes that were made."""
    probes: list[str] = []
    rows = ["| start | texts | epochs | lr | CPU s | untaught | cosine | rank correlation | R@1 | times as fast |"]
    rows.append("|" + "---|" * 10)
    for found in read_lines(path):
        how = found["settings"]
        figures = found["figures"]
        on = [name for name in ("embedding", "hidden", "attention") if how[name]]
        losses = "" if len(on) == 3 or not how["intermediate_epochs"] else f" ({', '.join(on)})"
        cells = [f"{found['arm']}, {how['layers']} x {found['sizes']['width']}, seed {how['seed']}, {found['half']}"]
        cells += [f"{found['texts']:,}", f"{how['intermediate_epochs']}{losses} + {how['prediction_epochs']}"]
        cells += [f"{how['lr']:g}", f"{found['seconds']:.0f}", f"{found['untaught_cosine']:.3f}"]
        for name in ("cosine", "rank_correlation", "recall_at_1", "speedup"):
            cells.append("{value:.3f} [{low:.3f}, {high:.3f}]".format(**figures[name]))
        rows.append("| " + " | ".join(cells) + " |")
        if "probe" in found:
            probes.append(f"{cells[0]}, {cells[1]}: {said(found['probe'])}")
    return "\n".join([*rows, *probes])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--arm", choices=tuple(ARMS), default="inherited")
    parser.add_argument("--half", choices=tuple(HALVES), default="report")
    parser.add_argument("--texts", type=int, default=5000)
    parser.add_argument("--epochs", type=int, nargs=2, default=(0, 5), metavar=("INTERMEDIATE", "PREDICTION"))
    parser.add_argument("--set", nargs="*", default=(), metavar="NAME=VALUE", help="other settings, such as lr=0.001")
    parser.add_argument("--seeds", type=int, nargs="+", default=(100,))
    parser.add_argument("--turns", type=int, default=20, help="of the paired timing")
    parser.add_argument("--sst2", type=Path, help="SST-2's folder, for the probe")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    given = parser.parse_args(arguments)
    if given.show is not None:
        print(show(given.show))
        return
    torch.set_num_threads(1)
    more = read_settings(Distillation, dict(pair.split("=", 1) for pair in given.set))
    for seed in given.seeds:
        epochs = {"intermediate_epochs": given.epochs[0], "prediction_epochs": given.epochs[1]}
        how = {**epochs, **more, "seed": seed}
        found = run(given.data, given.arm, given.half, given.texts, how, given.turns, given.sst2)
        print(json.dumps(found))
        if given.out is not None:
            append_line(given.out, found)


if __name__ == "__main__":
    main()
