"""A trained student on disk: a folder like its teacher's, and a card with its training data.

The folder of a sentence encoder's student has sentence-transformers' layout. Where the widths differ it includes the
map to the teacher's width (2_Dense), so that its vectors can be compared with the teacher's.
"""

from __future__ import annotations

import json
import math
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
_TORCH_METADATA = {"format": "pt"}
"""Metadata that transformers requires in a file of weights."""


_FILE_NAMES = (CONFIG, WEIGHTS, *TOKENIZER, MODULES, POOLING, DENSE, DENSE_WEIGHTS)
STUDENT = student_files(CARD, _FILE_NAMES, ("teacher", "map"))


@dataclass(frozen=True, slots=True)
class StudentCard:
    """A student's sizes, settings, data and figures. Keys: docs/distillation.md."""

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
    """The teacher's license, which also covers the student as a derived work."""
    versions: Mapping[str, str]


def make_card(
    teacher: BertFolder,
    taught: TaughtStudent,
    how: Distillation,
    column: TextColumn,
    counts: Mapping[str, int],
    figures: StudentFigures,
) -> StudentCard:
    """Make the card of a student.

    Args:
        counts: numbers of training texts and copies, held-out texts, and cut texts.
    """
    data = {"table": column.table, "column": column.column, "rows": column.n_rows, "empty": column.n_empty}
    defined: dict[str, Any] = {}
    for name, value in asdict(figures).items():
        number = value
        if isinstance(value, dict):  # an Estimate
            number = value["value"]
        if not math.isnan(number):
            defined[name] = value
    return StudentCard(
        sizes(teacher) | {"folder": teacher.folder.resolve().name, "kind": teacher.kind, "weights": teacher.digest},
        sizes(taught.student),
        taught.student.map,
        asdict(how),
        data | {"repeated": column.n_repeated} | dict(counts),
        how.seed,
        taught.curve,
        taught.seconds,
        defined,
        teacher.licence,
        {name: version(name) for name in ("torch", "transformers")},
    )


def sizes(model: BertFolder | Student) -> dict[str, int]:
    """Numbers of layers, width, heads, and parameters, with and without word vectors."""
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
    """Write config.json, model.safetensors, the tokenizer and the card, replacing an earlier student's.

    Raises:
        InvalidInput: the folder cannot be written, or contains the user's files with these names.
    """
    student = taught.student
    config = student.model.config
    config.architectures = [type(student.model).__name__]
    config._name_or_path = ""
    with all_at_once(folder, STUDENT) as scratch:
        write_tensors(scratch / WEIGHTS, student.model.state_dict(), _TORCH_METADATA)
        write_text(scratch / CONFIG, config.to_json_string())
        for name in TOKENIZER:
            if (teacher.folder / name).is_file():
                (scratch / name).write_bytes(read_plain(teacher.folder / name, Limits().max_document_bytes))
        dense = student.to_teacher
        if isinstance(dense, nn.Linear):
            sizes_of_map = {"in_features": dense.in_features, "out_features": dense.out_features, "bias": True}
            linear = {"activation_function": "torch.nn.modules.linear.Identity"}
            (scratch / DENSE).parent.mkdir()
            write_text(scratch / DENSE, json.dumps(sizes_of_map | linear))
            tensors = {f"linear.{name}": t for name, t in dense.state_dict().items()}
            write_tensors(scratch / DENSE_WEIGHTS, tensors, _TORCH_METADATA)
        if teacher.kind == "vectors":
            _write_modules(student, scratch)
        document = asdict(card) | {"format": FORMAT, "student_weights": digest(scratch / WEIGHTS)[:32]}
        write_text(scratch / CARD, json.dumps(document, indent=1))


def _write_modules(student: Student, folder: Path) -> None:
    """Write sentence-transformers' list of modules, and its pooling."""
    parts = [("", "Transformer"), ("1_Pooling", "Pooling")]
    if isinstance(student.to_teacher, nn.Linear):
        parts.append(("2_Dense", "Dense"))
    parts.append((f"{len(parts)}_Normalize", "Normalize"))
    modules: list[dict[str, Any]] = []
    for i, (path, kind) in enumerate(parts):
        modules.append({"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"})
    write_text(folder / MODULES, json.dumps(modules, indent=1))
    pooling = {"word_embedding_dimension": student.bert.config.hidden_size, "pooling_mode_mean_tokens": True}
    (folder / POOLING).parent.mkdir()
    write_text(folder / POOLING, json.dumps(pooling | {"pooling_mode_cls_token": False}))


class _Map(Form):
    map: tuple[Count, ...] = Field(min_length=1)


def read_student(folder: Path, teacher: BertFolder) -> Student:
    """Read a student of `save_student` for further training on this teacher, such as after general distillation.

    Raises:
        InvalidInput: the folder contains no student, or its sizes do not fit the teacher.
    """
    if not (folder / CARD).is_file():
        raise InvalidInput(f"{folder} contains no student: {CARD} is missing. Use the folder of `distil --out`.")
    layers = read_form(_Map, read_json(folder / CARD), f"{CARD} in {folder}", "Distill it again.").map
    student_bert = read_bert(folder, ("vectors", "classes"))
    config = student_bert.config
    theirs = teacher.config
    if len(layers) != config.num_hidden_layers or max(layers) > theirs.num_hidden_layers:
        raise InvalidInput(f"{folder / CARD} lists layers that {teacher.folder} does not have. Distill it again.")
    equal = ["vocab_size", "num_attention_heads"]
    if teacher.kind == student_bert.kind == "classes":
        equal.append("num_labels")
    for name in equal:
        if getattr(config, name) != getattr(theirs, name):
            raise InvalidInput(
                f"{folder} has a {name} of {getattr(config, name)}, the teacher one of {getattr(theirs, name)}. "
                "Use a teacher with the student's vocabulary, heads and classes."
            )
    kind = "classes" if teacher.kind == "classes" else "vectors"
    model: Any = student_bert.model
    if teacher.kind == "classes" and student_bert.kind != "classes":  # a new head
        config.id2label = theirs.id2label
        config.label2id = theirs.label2id
        model = type(teacher.model)(config)
        model.bert.load_state_dict(student_bert.bert.state_dict(), strict=False)  # the student lacks the pooler
    elif teacher.kind != student_bert.kind:
        model = student_bert.bert
    student = Student(kind, model, theirs.hidden_size, layers)
    if isinstance(student.to_teacher, nn.Linear) and (folder / DENSE_WEIGHTS).is_file():
        dense = {name.removeprefix("linear."): t for name, t in read_tensors(folder / DENSE_WEIGHTS).items()}
        check_names(student.to_teacher.state_dict(), dense, str(folder / DENSE_WEIGHTS), "a map to the teacher's width")
        student.to_teacher.load_state_dict(dense)
    return student.eval()
