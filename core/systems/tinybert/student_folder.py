"""A taught student on disk: a folder as its teacher's, and a card that says what it learned from.

A student of a sentence encoder is written as sentence-transformers lays such folders out, with the map to the teacher's
width (2_Dense) where the widths differ, so that its vectors can stand beside the teacher's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import Field
from torch import nn

from core.documents import read_json
from core.encoders.model_folder import CONFIG, WEIGHTS
from core.encoders.weights import check_names, read_tensors
from core.errors import InvalidInput
from core.files import write_text
from core.folders import all_at_once
from core.forms import Count, Form, read_form
from core.limits import Limits
from core.received import digest, read_plain
from core.systems.common.checkpoints import write_tensors
from core.systems.common.student_card import DISTILLED as CARD, FORMAT, student_files
from core.systems.common.student_texts import TextColumn
from core.systems.tinybert.figures import StudentFigures
from core.systems.tinybert.loop import TaughtStudent
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import Student
from core.systems.tinybert.teacher import POOLING, TOKENIZER, BertFolder, read_bert

MODULES = "modules.json"
DENSE = "2_Dense/config.json"
DENSE_WEIGHTS = "2_Dense/model.safetensors"
_TORCH = {"format": "pt"}
"""What transformers looks for in the head of a file of weights."""


_NAMES = (CONFIG, WEIGHTS, *TOKENIZER, MODULES, POOLING, DENSE, DENSE_WEIGHTS)
STUDENT = student_files(CARD, _NAMES, ("teacher", "map"))


@dataclass(frozen=True, slots=True)
class StudentCard:
    """What is known of a student besides its weights. Keys: docs/distillation.md."""

    teacher: Mapping[str, Any]
    student: Mapping[str, Any]
    map: tuple[int, ...]
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    seed: int
    curve: tuple[tuple[str, float], ...]
    seconds: float
    figures: Mapping[str, Any]
    licence: str
    """Of the teacher; its student is a work made from it."""
    versions: Mapping[str, str]


def make_card(
    teacher: BertFolder,
    taught: TaughtStudent,
    how: Distillation,
    column: TextColumn,
    counts: Mapping[str, int],
    figures: StudentFigures,
) -> StudentCard:
    """The card of a student.

    Args:
        counts: numbers of texts that it learned from, copies included, was measured on, and cut.
    """
    said = asdict(figures)
    data = {"table": column.table, "column": column.column, "rows": column.n_rows, "empty": column.n_empty}
    return StudentCard(
        sizes(teacher) | {"folder": teacher.folder.resolve().name, "kind": teacher.kind, "weights": teacher.digest},
        sizes(taught.student),
        taught.student.map,
        asdict(how),
        data | {"repeated": column.n_repeated} | dict(counts),
        how.seed,
        taught.curve,
        taught.seconds,
        {name: value for name, value in said.items() if _defined(value)},
        teacher.licence,
        {name: version(name) for name in ("torch", "transformers")},
    )


def _defined(value: Any) -> bool:
    number: float = value["value"] if isinstance(value, dict) else value
    return number == number


def sizes(model: BertFolder | Student) -> dict[str, int]:
    """Layers, width, heads, and numbers of parameters, with and without word vectors."""
    config = model.bert.config
    bert = model.model
    n = sum(p.numel() for p in bert.parameters())
    return {
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "parameters": n,
        "parameters_without_words": n - model.bert.embeddings.word_embeddings.weight.numel(),
    }


def save_student(taught: TaughtStudent, teacher: BertFolder, card: StudentCard, folder: Path) -> None:
    """Write config.json, model.safetensors, the tokenizer and the card, in place of an earlier student's.

    Raises:
        InvalidInput: the folder cannot be written, or holds the user's own files of such names.
    """
    student = taught.student
    config = student.model.config
    config.architectures = [type(student.model).__name__]
    config._name_or_path = ""
    with all_at_once(folder, STUDENT) as scratch:
        write_tensors(scratch / WEIGHTS, student.model.state_dict(), _TORCH)
        write_text(scratch / CONFIG, config.to_json_string())
        for name in TOKENIZER:
            if (teacher.folder / name).is_file():
                (scratch / name).write_bytes(read_plain(teacher.folder / name, Limits().max_document_bytes))
        dense = student.to_teacher if isinstance(student.to_teacher, nn.Linear) else None
        if dense is not None:
            _write_dense(dense, scratch)
        if teacher.kind == "vectors":
            _write_modules(student, scratch)
        said = asdict(card) | {"format": FORMAT, "student_weights": digest(scratch / WEIGHTS)[:32]}
        write_text(scratch / CARD, json.dumps(said, indent=1))


def _write_modules(student: Student, folder: Path) -> None:
    parts = [("", "Transformer"), ("1_Pooling", "Pooling")]
    parts += [("2_Dense", "Dense")] if isinstance(student.to_teacher, nn.Linear) else []
    parts.append((f"{len(parts)}_Normalize", "Normalize"))
    named = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    write_text(folder / MODULES, json.dumps(named, indent=1))
    pooling = {"word_embedding_dimension": student.bert.config.hidden_size, "pooling_mode_mean_tokens": True}
    (folder / POOLING).parent.mkdir()
    write_text(folder / POOLING, json.dumps(pooling | {"pooling_mode_cls_token": False}))


def _write_dense(dense: nn.Linear, folder: Path) -> None:
    """The map to the teacher's width."""
    (folder / DENSE).parent.mkdir()
    said = {"in_features": dense.in_features, "out_features": dense.out_features, "bias": True}
    write_text(folder / DENSE, json.dumps(said | {"activation_function": "torch.nn.modules.linear.Identity"}))
    write_tensors(folder / DENSE_WEIGHTS, {f"linear.{name}": t for name, t in dense.state_dict().items()}, _TORCH)


class _Map(Form):
    map: tuple[Count, ...] = Field(min_length=1)


def read_student(folder: Path, teacher: BertFolder) -> Student:
    """A student that `save_student` wrote, to go on learning from this teacher (of general distillation, say).

    Raises:
        InvalidInput: there is none, or its sizes do not fit the teacher.
    """
    if not (folder / CARD).is_file():
        raise InvalidInput(f"There is no student in {folder} (no {CARD}). Give the folder that `distil --out` wrote.")
    layers = read_form(_Map, read_json(folder / CARD), f"{CARD} in {folder}", "Distil it again.").map
    found = read_bert(folder, ("vectors", "classes"))
    config = found.config
    given = teacher.config
    if len(layers) != config.num_hidden_layers or max(layers) > given.num_hidden_layers:
        raise InvalidInput(f"{folder / CARD} names layers that {teacher.folder} does not have. Distil it again.")
    both = teacher.kind == found.kind == "classes"
    for name in ("vocab_size", "num_attention_heads", *(("num_labels",) if both else ())):
        if getattr(config, name) != getattr(given, name):
            raise InvalidInput(
                f"{folder} has a {name} of {getattr(config, name)}, the teacher one of {getattr(given, name)}: "
                "a student goes on with a teacher of the same words, heads and classes."
            )
    kind = "classes" if teacher.kind == "classes" else "vectors"
    student = Student(kind, _with_head(found, teacher), given.hidden_size, layers)
    if isinstance(student.to_teacher, nn.Linear) and (folder / DENSE_WEIGHTS).is_file():
        dense = {name.removeprefix("linear."): t for name, t in read_tensors(folder / DENSE_WEIGHTS).items()}
        check_names(student.to_teacher.state_dict(), dense, str(folder / DENSE_WEIGHTS), "a map to the teacher's width")
        student.to_teacher.load_state_dict(dense)
    return student.eval()


def _with_head(found: BertFolder, teacher: BertFolder) -> Any:
    """The transformer of `found`, below a fresh head where the teacher has one and it has none."""
    if teacher.kind == found.kind:
        return found.model
    if teacher.kind != "classes":
        return found.bert
    config = found.config
    config.id2label = teacher.config.id2label
    config.label2id = teacher.config.label2id
    model: Any = type(teacher.model)(config)
    model.bert.load_state_dict(found.bert.state_dict(), strict=False)  # it has no pooler
    return model
