"""What people's reasons bring a small decoder that reads frozen sentence-encoder states, on e-SNLI, by the number of
rows that it learns from.

    python -m research.evidence.step_by_step_esnli ESNLI --n 50 100 200 500 2000 --seeds 0 5 --out FILE
    python -m research.evidence.step_by_step_esnli ESNLI --tune --lr 1e-3 3e-3 --updates 300 --seeds 100 102 --out FILE
    python -m research.evidence.step_by_step_esnli --show FILE

Premise and hypothesis are read as one text by the embedded MiniLM, whose token states are frozen and stand as the
encoder of a T5 with two layers of decoder. Rows to learn from are drawn from dev; 2,000 fixed rows of test measure.
With --tune a fifth of dev, by premise, measures instead: no row of it is ever learned from. Every run is one JSON line;
a run that is in the file already is not made again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.systems.common.student_texts import batches
from core.systems.common.words import padded
from core.systems.step_by_step.answers import predict
from core.systems.step_by_step.loop import teach
from core.systems.step_by_step.rationales import RationaleSet, subsample
from core.systems.step_by_step.released import SEPARATOR, read_esnli
from core.systems.step_by_step.settings import SHUFFLED, STANDARD, STEP_BY_STEP, StepByStep
from core.systems.step_by_step.student import EXPLAIN, PREDICT, T5Student
from core.systems.step_by_step.tokens import Tokens, inputs_of
from core.systems.tinybert.teacher import EMBEDDED, BertFolder, read_bert
from research.evidence.step_by_step import ARMS, lines
from research.lines import append_line, keys_done, read_lines

transformers: Any = import_module("transformers")

WIDTH = 128
INNER = 256
LAYERS = 2
BATCH = 16
MAX_TOKENS = 64
MAX_ANSWER = 24
N_TEST = 2000
TUNING = 0.2
PAD = 0
END = 1
KEYS = ("arm", "n", "seed", "updates", "lr", "part")


class FrozenStates:
    """MiniLM's token states of texts that were given to `remember`, by their tokens, in half precision."""

    def __init__(self, reader: BertFolder) -> None:
        self._reader = reader
        self._of: dict[bytes, Tensor] = {}

    @property
    def width(self) -> int:
        return self._reader.config.hidden_size

    def remember(self, tokens: Tokens) -> None:
        """Compute the states of those that are not there yet."""
        new = [row for row in tokens if _key(row) not in self._of]
        for rows in batches(new, 64):
            ids, mask = padded(new, rows)
            with torch.inference_mode():
                states = self._reader.model(input_ids=ids, attention_mask=mask).last_hidden_state.half()
            for at, row in enumerate(rows.tolist()):
                self._of[_key(new[row])] = states[at, : len(new[row])].clone()

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(n, t, width) states, 0 behind the end."""
        found = torch.zeros((*ids.shape, self.width))
        for at, (row, n) in enumerate(zip(ids.tolist(), mask.sum(1).tolist())):
            found[at, :n] = self._of[_key(row[:n])]
        return found


def _key(tokens: Sequence[int]) -> bytes:
    return np.array(tokens, np.int32).tobytes()


class FrozenEncoder(nn.Module):
    """Stands where a T5 has its encoder: frozen states, and a learned map to the decoder's width."""

    main_input_name = "input_ids"

    def __init__(self, states: FrozenStates, width: int) -> None:
        super().__init__()
        self._states = states
        self.to_decoder = nn.Linear(states.width, width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> Any:
        states = self.to_decoder(self._states(input_ids, attention_mask))
        return transformers.modeling_outputs.BaseModelOutput(last_hidden_state=states)


class ReadAndWritten:
    """MiniLM's word pieces: all of them where a text stands behind a task's prefix and is read, and those that the
    taught answers are made of, under numbers of their own, where one is written."""

    def __init__(self, tokenizer: Any, answers: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        pieces = tokenizer(list(answers), add_special_tokens=False)["input_ids"]
        self._known = [tokenizer.pad_token_id, tokenizer.sep_token_id, *sorted({p for row in pieces for p in row})]
        self._number = {piece: i for i, piece in enumerate(self._known)}

    def __len__(self) -> int:
        return len(self._known)

    def __call__(
        self, texts: Sequence[str], truncation: bool = True, max_length: int = MAX_TOKENS, padding: bool = False
    ) -> dict[str, Tokens]:
        if texts[0].startswith((PREDICT, EXPLAIN)):
            both = [text.replace(SEPARATOR, f" {self._tokenizer.sep_token} ") for text in texts]
            return {"input_ids": self._tokenizer(both, truncation=truncation, max_length=max_length)["input_ids"]}
        pieces = self._tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return {"input_ids": [[*(self._number[p] for p in row[: max_length - 1]), END] for row in pieces]}

    def batch_decode(self, tokens: Tensor, skip_special_tokens: bool = True) -> list[str]:
        pieces = [[self._known[at] for at in row] for row in tokens.tolist()]
        return self._tokenizer.batch_decode(pieces, skip_special_tokens=skip_special_tokens)


def make_student(states: FrozenStates, tokenizer: Any, learn: RationaleSet, seed: int) -> T5Student:
    """A new decoder that writes the word pieces of the labels and reasons that it learns from."""
    pieces = ReadAndWritten(tokenizer, [*learn.classes, *learn.rationales])
    kind: Any = transformers.T5Config
    config = kind(
        vocab_size=len(pieces),
        d_model=WIDTH,
        d_kv=32,
        d_ff=INNER,
        num_layers=LAYERS,  # of the encoder too, which is replaced
        num_heads=4,
        pad_token_id=PAD,
        eos_token_id=END,
        decoder_start_token_id=PAD,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = transformers.T5ForConditionalGeneration(config)
        model.encoder = FrozenEncoder(states, WIDTH)
    return T5Student(model.eval(), pieces)


@cache
def parts_of(folder: Path, *, tune: bool) -> tuple[RationaleSet, RationaleSet]:
    """(rows to learn from, rows that measure): no premise is in both."""
    dev = read_esnli(folder, "dev")
    premises = [text.partition(SEPARATOR)[0] for text in dev.texts]
    names = sorted(set(premises))
    kept = np.random.default_rng(1).permutation(len(names))[: round(TUNING * len(names))].tolist()
    tuning = {names[i] for i in kept}
    learn = dev.keep([i for i, premise in enumerate(premises) if premise not in tuning])
    if tune:
        return learn, dev.keep([i for i, premise in enumerate(premises) if premise in tuning])
    held = read_esnli(folder, "test")
    return learn, held.keep(np.sort(np.random.default_rng(2).permutation(len(held))[:N_TEST]))


@cache
def reader() -> BertFolder:
    return read_bert(Path(EMBEDDED), ("vectors",))


@cache
def known_states() -> FrozenStates:
    return FrozenStates(reader())


def run(folder: Path, arm: str, n: int, seed: int, updates: int, lr: float, *, tune: bool = False) -> dict[str, Any]:
    """One student, taught on n rows of dev."""
    method, times = ARMS[arm]
    how = StepByStep(
        method=method,
        updates=updates * times,
        batch=BATCH,
        seed=seed,
        lr=lr,
        max_tokens=MAX_TOKENS,
        max_answer=MAX_ANSWER,
    )
    pool, held = parts_of(folder, tune=tune)
    learn = pool.keep(subsample(pool.labels, n, seed))
    states = known_states()
    student = make_student(states, reader().tokenizer, learn, seed)
    for rows, prefixes in ((learn, (PREDICT, EXPLAIN)), (held, (PREDICT,))):
        for prefix in prefixes:
            states.remember(inputs_of(student, rows.texts, prefix, how.max_tokens))
    began = time.process_time()
    curve = teach(student, learn, how)
    taught = time.process_time()
    said = predict(student, held.texts, how, held.classes)
    return {
        **{"arm": arm, "n": n, "seed": seed, "noise": 0.0, "updates": updates, "lr": lr},
        **{"part": "tuning" if tune else "test", "n_held": len(held)},
        "accuracy": float(np.mean([one == label for one, label in zip(said, held.labels)])),
        "rationale": None,
        "no_class": sum(one not in held.classes for one in said),
        "loss": curve.losses[-1],
        "pieces": len(student.tokenizer),
        "asking": time.process_time() - taught,
        "seconds": time.process_time() - began,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="of the released files")
    parser.add_argument("--n", type=int, nargs="+", default=[50, 100, 200, 500, 2000])
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 5), help="from, and up to without")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=[STANDARD, SHUFFLED, STEP_BY_STEP])
    parser.add_argument("--updates", type=int, nargs="+", default=[300])
    parser.add_argument("--lr", type=float, nargs="+", default=[1e-3])
    parser.add_argument("--tune", action="store_true", help="measure on a part of dev")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--show", type=Path)
    given = parser.parse_args()
    if given.out is not None:
        done = keys_done(read_lines(given.out), KEYS)
        part = "tuning" if given.tune else "test"
        wanted = [
            (arm, n, seed, updates, lr)
            for seed in range(*given.seeds)  # all arms of a seed before the next one, so that a part is a fair part
            for lr in given.lr
            for updates in given.updates
            for n in given.n
            for arm in given.arms
        ]
        for key in wanted:
            if (*key, part) not in done:
                append_line(given.out, run(given.folder, *key, tune=given.tune))
    if (path := given.show or given.out) is not None:
        rows = read_lines(path)
        for lr in sorted({row["lr"] for row in rows}):
            print(f"step size {lr:g}")
            print("\n".join(lines([row for row in rows if row["lr"] == lr])))


if __name__ == "__main__":
    main()
