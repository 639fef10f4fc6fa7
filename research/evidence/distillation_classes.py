"""Do TinyBERT's losses of layers help a classifier's student? SST-2, with and without them at about equal CPU time.

    python -m research.evidence.distillation_classes SST2 --work FOLDER --seeds 100 --out FILE
    python -m research.evidence.distillation_classes --show FILE

SST2 is a folder of train.tsv.gz, dev.tsv.gz and test.tsv.gz with lines "text TAB 0|1". The teacher, the embedded MiniLM
fine-tuned on the training part, is made once and kept in the work folder. Nothing that ships is trained on these texts.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.encoders.embedded.weights import minilm_folder
from core.records import I64
from core.statistics.intervals import wilson
from core.statistics.paired import paired_difference
from core.statistics.runs import show as spelled
from core.systems.common.schedule import rate
from core.systems.common.steps import take_step
from core.systems.common.student_texts import batches
from core.systems.common.words import padded, tokens_of
from core.systems.tinybert.loop import outputs, teach
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.teacher import read_bert
from research.evidence.lines import append_line, read_lines

ARMS: dict[str, dict[str, Any]] = {
    "with losses of layers": {"intermediate_epochs": 3, "prediction_epochs": 3},
    "without attention": {"intermediate_epochs": 3, "prediction_epochs": 3, "attention": False},
    "prediction alone": {"intermediate_epochs": 0, "prediction_epochs": 7},
}
MOST = 64
"""Tokens of a sentence."""


def sentences(path: Path) -> tuple[list[str], I64]:
    """Texts and labels of a part."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").rsplit("\t", 1) for line in file if line.strip()]
    return [text for text, _ in rows], np.array([int(label) for _, label in rows])


def make_teacher(data: Path, folder: Path, epochs: int, lr: float = 1e-4) -> None:
    """Fine-tune MiniLM on the training part and save it."""
    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    source = str(minilm_folder())
    model = transformers.BertForSequenceClassification.from_pretrained(source, local_files_only=True, num_labels=2)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)
    texts, labels = sentences(data / "train.tsv.gz")
    tokens = tokens_of(tokenizer, texts, MOST)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=lr, weight_decay=0.01, fused=True)
    rng = np.random.default_rng(0)
    at = 0
    steps = epochs * (-(-len(texts) // 32))
    for _ in range(epochs):
        for rows in batches(tokens, 32, rng):
            ids, mask = padded(tokens, rows)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(input_ids=ids, attention_mask=mask).logits
            loss = torch.nn.functional.cross_entropy(logits.float(), torch.from_numpy(labels[rows]))
            take_step(optimiser, loss, rate(at, steps))
            at += 1
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def run(data: Path, work: Path, arm: str, n: int, inherit: str, lr: float, seed: int) -> dict[str, Any]:
    """One student, its errors on the test part, and the teacher's."""
    teacher = read_bert(work / "teacher")
    how = Distillation(inherit=inherit, lr=lr, seed=seed, max_tokens=MOST, **ARMS[arm])
    texts, _ = sentences(data / "train.tsv.gz")
    chosen = np.random.default_rng(seed).permutation(len(texts))[:n]
    tokens = tokens_of(teacher.tokenizer, [texts[i] for i in chosen.tolist()], MOST)
    began = time.process_time()
    taught = teach(teacher, make_student(teacher, how), tokens, how)
    held, labels = sentences(data / "test.tsv.gz")
    others = tokens_of(teacher.tokenizer, held, MOST)
    mine, theirs = (outputs(model, others).argmax(1).numpy() for model in (taught.student, teacher))
    return {
        "arm": arm,
        "texts": n,
        "inherit": inherit,
        "lr": lr,
        "seed": seed,
        "seconds": taught.seconds,
        "with_test": time.process_time() - began,
        "curve": taught.curve,
        "wrong": (mine != labels).astype(int).tolist(),
        "teacher_wrong": (theirs != labels).astype(int).tolist(),
        "differs": int((mine != theirs).sum()),
    }


def show(path: Path) -> str:
    """A table of the runs; differences are paired by test sentence against "prediction alone" of the same seed."""
    found = read_lines(path)
    alone = {(r["inherit"], r["seed"]): np.array(r["wrong"], bool) for r in found if r["arm"] == "prediction alone"}
    rows = ["| start | seed | arm | CPU s | accuracy | teacher's | same class | gain over prediction alone |"]
    rows.append("|" + "---|" * 8)
    for r in found:
        wrong = np.array(r["wrong"], bool)
        theirs = np.array(r["teacher_wrong"], bool)
        n = len(wrong)
        base = alone.get((r["inherit"], r["seed"]))
        gain = "" if base is None or r["arm"] == "prediction alone" else spelled(paired_difference(base, wrong), 3)
        shares = [spelled(wilson(n - int(k), n), 3) for k in (wrong.sum(), theirs.sum(), r["differs"])]
        cells = [r["inherit"], str(r["seed"]), r["arm"], f"{r['seconds']:.0f}", *shares, gain]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--work", type=Path, help="folder for the teacher")
    parser.add_argument("--teacher-epochs", type=int, default=2, help="of its fine-tuning")
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=tuple(ARMS))
    parser.add_argument("--inherit", default="words", help="what students start from, as of `distil`")
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--seeds", type=int, nargs="+", default=(100,))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    given = parser.parse_args(arguments)
    if given.show is not None:
        print(show(given.show))
        return
    torch.set_num_threads(1)
    if not (given.work / "teacher" / "config.json").is_file():
        make_teacher(given.data, given.work / "teacher", given.teacher_epochs)
    for seed in given.seeds:
        for arm in given.arms:
            found = run(given.data, given.work, arm, given.texts, given.inherit, given.lr, seed)
            append_line(given.out, found)
    print(show(given.out))


if __name__ == "__main__":
    main()
