"""Is there a faster student of the embedded MiniLM that may ship, near its teacher on texts of any kind?

    python -m research.evidence.general_students DATA --wordnet FOLDER --arm "1,5,6" --texts 6000 --out FILE
    python -m research.evidence.general_students --show FILE

What ships may learn from WordNet alone (FOLDER holds data.noun, data.verb, data.adj and data.adv of WordNet 3.0, Debian
package wordnet-base): definitions, examples, and mixtures of both (`glosses.Mixer`). DATA holds ag_news/, sst2/,
multi30k/, svamp/ and cose_cqa/, on which nothing is trained. `--half tune`, for choosing settings, measures on held-out
definitions and Multi30k's validation part. Every kind of text is one JSON line; intervals (95%) resample texts.

The arms name the teacher's layers that the student starts with. In "+ maps", linear maps of each token's state stand in
the place of the layers that are left out, fitted by least squares before the training. `--probe` also fits a regression
on the frozen vectors of SST-2's sentences.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.data.texts.columns import clean
from core.records import Estimate
from core.statistics.runs import mean_over, show as spelled
from core.systems.common.student_texts import batches
from core.systems.common.words import padded, tokens_of
from core.systems.tinybert.figures import measure, paired_times
from core.systems.tinybert.loop import teach
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import Student, make_student
from core.systems.tinybert.teacher import EMBEDDED, BertFolder, read_bert
from research.evidence.distillation import lines_of
from research.evidence.distillation_classes import sentences
from research.evidence.glosses import Mixer, parted, read_senses
from research.evidence.lines import append_line, read_lines
from research.evidence.sst2_probe import probed, said

MAPS = " + maps"
SHARES = {
    "definition": 0.25,
    "example": 0.2,
    "entry": 0.1,
    "several": 0.1,
    "many": 0.02,
    "mixed": 0.25,
    "headline": 0.08,
}
"""Of the texts that are learned from, by kind (`Mixer`)."""
MOST = 1000
TOKENS = 256
FITTED = 2500
RIDGE = 1.0
"""Texts of a kind; word pieces of a text; texts that the linear maps are fitted to, and their penalty."""


class TokenMap(nn.Module):
    """A linear map of each token's state, in a layer's place."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.map = nn.Linear(len(weight) - 1, weight.shape[1])
        with torch.no_grad():
            self.map.weight.copy_(weight[:-1].T)
            self.map.bias.copy_(weight[-1])

    def forward(self, states: Tensor, *_: Any, **__: Any) -> Tensor:
        return self.map(states)


def with_maps(teacher: BertFolder, layers: Sequence[int], tokens: Sequence[Sequence[int]]) -> Student:
    """All of the teacher's layers, runs of those that are not in `layers` replaced by one fitted map each."""
    n = teacher.config.num_hidden_layers
    student = make_student(teacher, Distillation(layers=n, inherit="layers"))
    own = list(student.bert.encoder.layer)
    kept = [layer in layers for layer in range(1, n + 1)]
    parts: list[nn.Module] = []
    for at in range(n):
        if kept[at]:
            parts.append(own[at])
        elif at + 1 == n or kept[at + 1]:  # the last of a run
            student.bert.encoder.layer = nn.ModuleList(parts)
            parts.append(TokenMap(_fitted(teacher, student, at + 1, tokens)))
    student.bert.encoder.layer = nn.ModuleList(parts)
    return student


def _fitted(teacher: BertFolder, student: Student, layer: int, tokens: Sequence[Sequence[int]]) -> Tensor:
    """(d + 1, d) least squares from the student's states, a 1 behind each, to those of the teacher's layer."""
    left = right = torch.zeros(())
    for rows in batches(tokens, 64):
        ids, mask = padded(tokens, rows)
        with torch.inference_mode():
            states = student.bert(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
            found = teacher.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        x = nn.functional.pad(states.double(), (0, 1), value=1.0)
        left = left + x.T @ x
        right = right + x.T @ found.hidden_states[layer][mask.bool()].double()
    return torch.linalg.solve(left + RIDGE * torch.eye(len(left), dtype=left.dtype), right).float()


def read_kinds(data: Path, wordnet: Path, half: str) -> dict[str, list[str]]:
    """Texts by kind, none of which was learned from."""
    _, tune, report = parted(read_senses(wordnet), 0)
    if half == "tune":
        captions = lines_of(data / "multi30k/task1_val.en.gz")
        return {"definitions": [s.definition for s in tune], "captions": drawn(captions)}
    news = list(csv.reader(io.StringIO(gzip.decompress((data / "ag_news/test.csv.gz").read_bytes()).decode())))
    articles = drawn([clean(f"{title}\n{body}") for _, title, body in news])
    questions = gzip.decompress((data / "cose_cqa/v1.0_dev_rand_split.jsonl.gz").read_bytes()).decode().splitlines()
    sums = json.loads((data / "svamp/SVAMP.json").read_text("utf-8"))
    return {
        "definitions (WordNet)": [s.definition for s in report],
        "captions (Multi30k)": drawn(lines_of(data / "multi30k/task1_test_2016_flickr.en.gz")),
        "film reviews (SST-2)": drawn(sentences(data / "sst2/test.tsv.gz")[0]),
        "news (AG News)": articles,
        "questions (CommonsenseQA)": drawn([json.loads(line)["question"]["stem"] for line in questions]),
        "sums in words (SVAMP)": drawn([f"{item['Body']} {item['Question']}" for item in sums]),
    }


def drawn(texts: Sequence[str]) -> list[str]:
    """At most 1,000 different ones of them."""
    known = list(dict.fromkeys(texts))
    return [known[i] for i in np.sort(np.random.default_rng(0).permutation(len(known))[:MOST]).tolist()]


def taught(teacher: BertFolder, arm: str, wordnet: Path, n: int, how: dict[str, Any]) -> tuple[Student, float, float]:
    """A student of the arm, the CPU seconds of its training, and its last mean loss."""
    given = arm.removesuffix(MAPS)
    layers = tuple(int(layer) for layer in given.split(","))
    settings = Distillation(
        layers=len(layers), map=given, inherit="layers", intermediate_epochs=0, max_tokens=TOKENS, **how
    )
    learned, _, _ = parted(read_senses(wordnet), 0)
    texts = Mixer(learned, np.random.default_rng([settings.seed, 1])).texts(max(n, FITTED), SHARES)
    tokens = tokens_of(teacher.tokenizer, texts, TOKENS)
    mapped = arm.endswith(MAPS)
    student = with_maps(teacher, layers, tokens[:FITTED]) if mapped else make_student(teacher, settings)
    if not n or not settings.prediction_epochs:
        return student, 0.0, float("nan")
    found = teach(teacher, student, tokens[:n], settings)
    return found.student, found.seconds, found.curve[-1][1]


def run(given: argparse.Namespace) -> None:
    """Teach one student, measure it on each kind, and write the lines."""
    teacher = read_bert(Path(EMBEDDED))
    how = {"prediction_epochs": given.epochs, "lr": given.lr, "seed": given.seed}
    student, seconds, loss = taught(teacher, given.arm, given.wordnet, given.texts, how)
    named = {"arm": given.arm, "texts": given.texts, "half": given.half, **how, "seconds": seconds, "loss": loss}
    if given.probe:
        named["probe"] = probed(given.data / "sst2", teacher, student)
    for kind, texts in read_kinds(given.data, given.wordnet, given.half).items():
        tokens = tokens_of(teacher.tokenizer, texts, TOKENS)
        figures = asdict(measure(teacher, student, tokens, turns=1))
        times = paired_times(teacher, student, tokens[:128], given.turns)
        speed = asdict(mean_over(times[:, 0] / times[:, 1], seed=0))
        told = {name: figures[name] for name in ("n", "cosine", "rank_correlation", "recall_at_1")}
        append_line(given.out, named | {"kind": kind, **told, "speedup": speed})


def show(path: Path) -> str:
    """A table of the lines, and each student's probe."""
    rows = ["| layers | texts x epochs | CPU s | kind of text | n | cosine | rank correlation | times as fast |"]
    rows.append("|" + "---|" * 8)
    lines = read_lines(path)
    for found in lines:
        figures = [spelled(Estimate(**found[name]), 3) for name in ("cosine", "rank_correlation")]
        cells = [found["arm"], f"{found['texts']:,} x {found['prediction_epochs']}", f"{found['seconds']:.0f}"]
        cells += [found["kind"], f"{found['n']:,}", *figures, spelled(Estimate(**found["speedup"]), 2)]
        rows.append("| " + " | ".join(cells) + " |")
    probes = {f"{found['arm']}, {found['texts']:,}: {said(found['probe'])}" for found in lines if "probe" in found}
    return "\n".join([*rows, *sorted(probes)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--wordnet", type=Path)
    parser.add_argument("--arm", default="1,5,6", help='layers such as "1,5,6" or "1,3,5,6 + maps"')
    parser.add_argument("--texts", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--lr", type=float, default=7e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--half", choices=("report", "tune"), default="report")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--probe", action="store_true", help="a regression on the vectors of SST-2")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    given = parser.parse_args(arguments)
    if given.show is not None:
        print(show(given.show))
        return
    torch.set_num_threads(1)
    run(given)
    print(show(given.out))


if __name__ == "__main__":
    main()
