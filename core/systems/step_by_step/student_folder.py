"""Folder of a student: files that transformers opens, and a card with what it learned from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from core.documents import read_json
from core.encoders.model_folder import CONFIG, WEIGHTS
from core.errors import InvalidInput
from core.files import write_text
from core.folders import all_at_once
from core.forms import read_form
from core.limits import Limits
from core.options import read_settings
from core.received import digest, read_plain
from core.systems.common.checkpoints import write_tensors
from core.systems.common.student_card import FORMAT, REASONED as CARD, student_files
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import TOKENIZER, T5Student, read_t5

_TIED = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")
_TORCH = {"format": "pt"}
REASONED = student_files(CARD, (CONFIG, WEIGHTS, *TOKENIZER), ("settings", "classes"))


@dataclass(frozen=True, slots=True)
class ReasonedCard:
    """Origin, settings and figures of a student. Keys: docs/step_by_step.md."""

    start: Mapping[str, Any]
    student: Mapping[str, Any]
    settings: Mapping[str, Any]
    classes: tuple[str, ...]
    data: Mapping[str, Any]
    figures: Mapping[str, Any]
    controls: Mapping[str, Any]
    curve: tuple[float, ...]
    seconds: float
    licence: str

    @property
    def how(self) -> StepByStep:
        return StepByStep(**read_settings(StepByStep, {k: v for k, v in self.settings.items() if v is not None}))


def save_student(student: T5Student, card: ReasonedCard, folder: Path) -> None:
    """Write model, tokenizer and card, replacing an earlier student's.

    Raises:
        InvalidInput: the folder cannot be written, or holds files of these names that are not a student's.
    """
    with all_at_once(folder, REASONED) as scratch:
        write_student(student, scratch)
        versions = {name: version(name) for name in ("torch", "transformers")}
        document = asdict(card) | {"format": FORMAT, "versions": versions, "weights": digest(scratch / WEIGHTS)[:32]}
        write_text(scratch / CARD, json.dumps(document, indent=1))


def write_student(student: T5Student, folder: Path) -> None:
    """Write model and tokenizer in the layout of transformers."""
    model = student.model
    model.config.architectures = [type(model).__name__]
    model.config._name_or_path = ""
    tensors = {name: value for name, value in model.state_dict().items() if name not in _TIED}
    # newer versions of transformers call every T5 tied, but do not tie one whose file holds two heads, as T5 1.1's does
    tied = bool(torch.equal(tensors["lm_head.weight"], tensors["shared.weight"]))
    if tied:
        del tensors["lm_head.weight"]
    write_tensors(folder / WEIGHTS, tensors, _TORCH)
    config = json.loads(model.config.to_json_string(use_diff=False)) | {"tie_word_embeddings": tied}
    write_text(folder / CONFIG, json.dumps(config, indent=1))
    if student.folder is None:
        student.tokenizer.save_pretrained(folder)
        for path in folder.iterdir():  # files that the card does not list, such as a chat template
            if path.name not in REASONED.names:
                path.unlink()
        return
    for name in TOKENIZER:
        if (student.folder / name).is_file():
            (folder / name).write_bytes(read_plain(student.folder / name, Limits().max_document_bytes))


def read_reasoned(folder: Path) -> tuple[T5Student, ReasonedCard]:
    """Read a student that `save_student` wrote.

    Raises:
        InvalidInput: the folder has no valid card, or no T5.
    """
    if not (folder / CARD).is_file():
        raise InvalidInput(f"{folder} has no {CARD}. Use a folder from `steps --out`.")
    card = read_form(ReasonedCard, read_json(folder / CARD), f"{CARD} in {folder}", "Train it again with `steps`.")
    _ = card.how  # raises if a setting cannot be read
    return read_t5(folder), card
