"""The student: a BERT with fewer or narrower layers, and its initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from core.errors import InvalidInput
from core.systems.common.own_random import OwnRandom
from core.systems.tinybert.layer_map import layer_map
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.teacher import BertFolder


class Student(nn.Module):
    """A BERT of the teacher's kind, and the linear map to the teacher's width (the identity at equal widths).

    Args:
        kind: "vectors" or "classes", as in `BertFolder`.
        model: a BertModel without pooler, or a BertForSequenceClassification. (The released code puts a ReLU before
            the classifier, which transformers would not read.)
        map: the teacher's layer for each of the student's layers, from 1.
    """

    def __init__(self, kind: str, model: Any, teacher_width: int, map: tuple[int, ...]) -> None:
        super().__init__()
        self.kind = kind
        self.model = model
        self.map = map
        width = model.config.hidden_size
        self.to_teacher: nn.Module = nn.Identity()
        if width != teacher_width:
            self.to_teacher = nn.Linear(width, teacher_width)

    @property
    def bert(self) -> Any:
        return self.model if self.kind == "vectors" else self.model.bert


class Watched:
    """A BERT whose attention scores can be read: hooks record its queries and keys as it runs.

    Args:
        layers: those to record, from 1.
    """

    def __init__(self, bert: Any, layers: Sequence[int]) -> None:
        self.bert = bert
        self.layers = tuple(layers)
        self._recorded: dict[tuple[int, str], Tensor] = {}

    def run(self, ids: Tensor, mask: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Embeddings and states of all layers, each (n, t, d); and the (n, h, t, t) scores of the recorded layers,
        before the softmax, with the mask added.

        Args:
            ids: (n, t) tokens.
            mask: (n, t) 1 for tokens, 0 for padding.
        """
        hooks: list[Any] = []
        for layer in self.layers:
            attention = self.bert.encoder.layer[layer - 1].attention.self
            hooks.append(attention.query.register_forward_hook(self._recorder(layer, "query")))
            hooks.append(attention.key.register_forward_hook(self._recorder(layer, "key")))
        try:
            output = self.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        finally:
            for hook in hooks:
                hook.remove()
        scores = tuple(self._scores(layer, mask) for layer in self.layers)
        self._recorded.clear()
        return tuple(output.hidden_states), scores

    def _recorder(self, layer: int, part: str) -> Any:
        def record(module: Any, inputs: Any, output: Tensor) -> None:
            self._recorded[layer, part] = output

        return record

    def _scores(self, layer: int, mask: Tensor) -> Tensor:
        heads = (self.bert.config.num_attention_heads, -1)
        query = self._recorded[layer, "query"].unflatten(-1, heads).transpose(1, 2)
        key = self._recorded[layer, "key"].unflatten(-1, heads).transpose(1, 2)
        masked = (1.0 - mask[:, None, None, :].to(query.dtype)) * -10_000.0  # as BERT adds to masked keys
        return query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + masked


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """(n, d) unit vectors: the normalized means over the tokens of (n, t, d) states."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)


def make_student(teacher: BertFolder, how: Distillation) -> Student:
    """Make an untrained student.

    Raises:
        InvalidInput: it would have more layers than the teacher, its width is not a multiple of the teacher's heads,
            or it would inherit layers of another width.
    """
    theirs = teacher.config
    layers = layer_map(how.layers, theirs.num_hidden_layers, how.map)
    width = how.width or theirs.hidden_size
    heads = theirs.num_attention_heads
    if width % heads:
        raise InvalidInput(
            f"width (= {width}) must be divisible by {heads}, the teacher's number of heads, because attention is "
            f"compared head by head. Use {max(1, width // heads) * heads} or {(width // heads + 1) * heads}."
        )
    inherit = how.inherit
    if inherit == "auto":
        inherit = "layers" if width == theirs.hidden_size else "words"
    if inherit == "layers" and width != theirs.hidden_size:
        raise InvalidInput(
            f"A student inherits layers only at the teacher's width ({theirs.hidden_size}): got width {width}. "
            "Use --inherit words, or remove --width."
        )
    config = deepcopy(theirs)
    config.num_hidden_layers = how.layers
    config.hidden_size = width
    if width != theirs.hidden_size:
        config.intermediate_size = max(1, round(theirs.intermediate_size * width / theirs.hidden_size))
    transformers: Any = import_module("transformers")
    with OwnRandom(how.seed):
        if teacher.kind == "classes":
            classifier = transformers.BertForSequenceClassification(config)
            student = Student("classes", classifier, theirs.hidden_size, layers)
        else:
            bert = transformers.BertModel(config, add_pooling_layer=False)
            student = Student("vectors", bert, theirs.hidden_size, layers)
    if inherit != "none":
        _inherit_words(student, teacher)
    if inherit == "layers":
        _inherit_layers(student, teacher)
    return student.eval()


@torch.no_grad()
def _inherit_words(student: Student, teacher: BertFolder) -> None:
    """Copy the teacher's embeddings, and freeze the words.

    At another width the student gets their projections on the leading directions, and the map to the teacher's width
    starts as the inverse.
    """
    mine = student.bert.embeddings
    theirs = teacher.bert.embeddings
    mine.word_embeddings.weight.requires_grad_(False)
    width = student.bert.config.hidden_size
    teacher_width = teacher.config.hidden_size
    if width == teacher_width:
        mine.load_state_dict(theirs.state_dict())
        return
    words = theirs.word_embeddings.weight
    _, axes = torch.linalg.eigh(words.T @ words)  # in rising order of eigenvalues
    basis = axes[:, -width:]
    if width > teacher_width:
        basis = torch.nn.functional.pad(axes, (0, width - teacher_width))
    # basis is (teacher_width, width)
    for part in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        getattr(mine, part).weight.copy_(getattr(theirs, part).weight @ basis)
    assert isinstance(student.to_teacher, nn.Linear)
    student.to_teacher.weight.copy_(basis)
    student.to_teacher.bias.zero_()


def _inherit_layers(student: Student, teacher: BertFolder) -> None:
    """Copy the teacher's head and the layers of the map, as TinyCLIP does (Wu et al., ICCV 2023, arXiv 2309.12314)."""
    for layer, number in zip(student.bert.encoder.layer, student.map):
        layer.load_state_dict(teacher.bert.encoder.layer[number - 1].state_dict())
    if student.kind == "classes":
        student.bert.pooler.load_state_dict(teacher.bert.pooler.state_dict())
        student.model.classifier.load_state_dict(teacher.model.classifier.state_dict())
