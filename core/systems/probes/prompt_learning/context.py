"""Learned prompts: the layout of context vectors and name tokens, the record of trained prompts, and its file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from core.arrays import read_arrays
from core.documents import stored_json
from core.encoders import Encoder
from core.errors import InvalidInput
from core.files import write_arrays
from core.language.grammar import spoken_names
from core.records import F32, I64
from core.systems.common.epochs import Epoch

if TYPE_CHECKING:
    from core.encoders.prompts import PromptTower

Position = Literal["end", "middle", "front"]
"""Where the class name stands: after the context, between its halves, or before it."""
FORMAT = 1
_HEAD = "record"
_META = "meta."


@dataclass(frozen=True, slots=True)
class PromptTraining:
    """Settings of prompt training; the defaults are those of Zhou et al. (2022) unless noted."""

    kind: Literal["coop", "cocoop"] = "coop"
    init: str = "a photo of a"
    """Words that the context starts from, whose tokens give its length; empty starts from random vectors."""
    length: int = 16
    """Context vectors, without words to start from."""
    position: Position = "end"
    class_specific: bool = False
    epochs: int | None = None
    """None: 200 from 8 shots on, 100 for 2 to 7, 50 for one, or the text tower's own number; 10 for CoCoOp."""
    lr: float | None = None
    """None: the text tower's learning rate; for CoCoOp 0.002 times the batch."""
    batch: int = 32


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """Trained context vectors with everything needed to use them on other class names. k classes, M vectors of width
    w."""

    kind: Literal["coop", "cocoop"]
    encoder: str
    """Name of the encoder whose text tower they were trained on."""
    fingerprint: str
    tokenizer: str
    """Identifies the tokenizer and its word embeddings; see `PromptTower.tokenizer`."""
    names: tuple[str, ...]
    """k class names of the training."""
    ctx: F32
    """(M, w), or (k, M, w) for a class-specific context."""
    position: Position = "end"
    init: str = ""
    """Words that they started from; empty for random vectors."""
    meta: Mapping[str, F32] = field(default_factory=dict[str, F32])
    """CoCoOp's network: "0.weight" (h, d), "0.bias" (h,), "2.weight" (w, h), "2.bias" (w,). Empty for CoOp."""
    curve: tuple[Epoch, ...] = ()
    epoch: int = 0
    """The epoch of these vectors."""
    taught: tuple[str, ...] = ()
    """Ids of the training and validation images."""
    training: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Settings, seed and times, for the record."""

    @property
    def m(self) -> int:
        """Number of context vectors."""
        return self.ctx.shape[-2]

    @property
    def plain_curve(self) -> list[tuple[int, float | None, float | None]]:
        """(epoch, mean training loss, validation loss after it) of each epoch; None instead of nan, for JSON."""
        return [(e.number, e.loss, None if math.isnan(e.validation_loss) else e.validation_loss) for e in self.curve]

    @property
    def class_specific(self) -> bool:
        """Whether each class has vectors of its own."""
        return self.ctx.ndim == 3


@dataclass(frozen=True, slots=True, eq=False)
class PromptLayout:
    """Token ids of every class's prompt, with slots for the context."""

    ids: I64
    """(k, L) with a placeholder in each slot of the context."""
    slots: I64
    """(k, M) positions of the context vectors, first to last."""
    lengths: I64
    """(k,) number of tokens without padding."""
    cut: int = 0
    """Names truncated to the tower's limit."""


def name_tokens(tower: PromptTower, name: str) -> tuple[list[int], list[int]]:
    """Tokens of a name inside a sentence and of the full stop after it.

    Some tokenizers encode a word differently at a sentence's start, or drop full stops, so both come from a sentence.
    """
    lead = tower.tokens("a")
    bare = tower.tokens(f"a {name}")
    whole = tower.tokens(f"a {name}.")
    if bare[: len(lead)] != lead:  # the tokenizer joins words
        lead = []
        bare = tower.tokens(name)
        whole = tower.tokens(f"{name}.")
    if whole[: len(bare)] != bare:  # the full stop changes the name's last token, so it belongs to the name
        return whole[len(lead) :], []
    return bare[len(lead) :], whole[len(bare) :]


def lay_out(tower: PromptTower, class_names: Sequence[str], m: int, position: Position) -> PromptLayout:
    """Prompts of m context vectors and a class name each, in CoOp's order; names too long for the tower are truncated.

    Raises:
        InvalidInput: the context leaves no room for a name.

    Source: Zhou et al. 2022 (arXiv 2109.01134), section 3.2; "front" as in their code.
    """
    before, after = tower.marks()
    rows: list[list[int]] = []
    slots: list[list[int]] = []
    cut = 0
    half = m // 2
    for name in spoken_names(class_names):
        name_ids, stop = name_tokens(tower, name)
        room = tower.length - len(before) - len(after) - m - len(stop)
        if room < 1:
            raise InvalidInput(
                f"{m} context vectors leave no room for a class name: the text tower takes {tower.length} tokens. "
                "Use fewer vectors or shorter words."
            )
        cut = cut + (len(name_ids) > room)
        name_ids = name_ids[:room]
        lead = {"end": m, "middle": half, "front": 0}[position]
        body = [tower.placeholder] * lead + name_ids + [tower.placeholder] * (m - lead) + stop
        positions = [*range(lead), *range(lead + len(name_ids), m + len(name_ids))]
        rows.append([*before, *body, *after])
        slots.append([len(before) + position for position in positions])
    lengths = np.array([tower.padded([row]).shape[1] for row in rows], np.int64)
    return PromptLayout(tower.padded(rows), np.array(slots, np.int64).reshape(len(rows), m), lengths, cut)


def save_prompts(prompts: Prompts, path: Path) -> None:
    """Write prompts to one npz, whole or not at all: arrays, and a JSON record as bytes."""
    record = {"format": FORMAT} | {f.name: getattr(prompts, f.name) for f in fields(prompts)}
    del record["ctx"], record["meta"]
    record["curve"] = prompts.plain_curve
    head = np.frombuffer(json.dumps(record, default=dict).encode(), np.uint8)
    meta = {_META + name: array for name, array in prompts.meta.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(path, {_HEAD: head, "ctx": prompts.ctx, **meta})


def load_prompts(path: Path) -> Prompts:
    """The prompts that `save_prompts` wrote.

    Raises:
        InvalidInput: the file is missing, or is not such a file.
    """
    if not path.is_file():
        raise InvalidInput(f"{path}: no file of prompts. Train and save prompts first, or fix the path.")
    try:
        arrays = read_arrays(path)
        record: dict[str, Any] = stored_json(arrays.pop(_HEAD).tobytes())
        version = record.pop("format")
        ctx = arrays.pop("ctx").astype(np.float32)
        meta = {n.removeprefix(_META): a.astype(np.float32) for n, a in arrays.items() if n.startswith(_META)}
        curve = tuple(Epoch(int(e), t, math.nan if v is None else v) for e, t, v in record.pop("curve"))
        lists = {key: tuple(str(v) for v in record.pop(key)) for key in ("names", "taught")}
        prompts = Prompts(ctx=ctx, meta=meta, curve=curve, **lists, **record)
    except Exception as error:  # a zip, npz, JSON or key error: this is another file
        raise InvalidInput(f"{path.name}: not a file of prompts. Train and save the prompts again.") from error
    if version != FORMAT or ctx.ndim not in (2, 3) or not all(np.isfinite(a).all() for a in (ctx, *meta.values())):
        raise InvalidInput(f"{path.name}: prompts of another version, or damaged. Train and save the prompts again.")
    return prompts


def check_prompts(prompts: Prompts, encoder: Encoder, class_names: Sequence[str], tokenizer: str | None = None) -> None:
    """Refuse prompts that belong to another text tower, or class-specific ones for other classes.

    Raises:
        InvalidInput: tower, tokenizer or classes differ.
    """
    if prompts.fingerprint != encoder.fingerprint:
        raise InvalidInput(
            f"These prompts belong to {prompts.encoder} (checkpoint {prompts.fingerprint[:12]}), not to {encoder.name} "
            f"(checkpoint {encoder.fingerprint[:12]}). Use that encoder, or train prompts on this one."
        )
    if tokenizer is not None and prompts.tokenizer != tokenizer:
        raise InvalidInput(
            f"These prompts were trained with other word embeddings ({prompts.tokenizer}) than {encoder.name} has now "
            f"({tokenizer}). Train the prompts again."
        )
    if prompts.class_specific and spoken_names(prompts.names) != spoken_names(class_names):
        raise InvalidInput(
            f"These prompts have a context for each of {len(prompts.names)} classes, {', '.join(prompts.names[:5])}…, "
            "and cannot serve others. Use the same classes in the same order, or turn class_specific off and train "
            "again."
        )
