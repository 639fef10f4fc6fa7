"""The student: a BERT with fewer layers, or narrower ones, and what it starts from."""

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
    """A BERT of the teacher's kind, and the linear map to the teacher's width (nothing where the widths are equal).

    Args:
        kind: "vectors" or "classes", as of `BertFolder`.
        model: a BertModel without pooler, or a BertForSequenceClassification. (The released code puts a ReLU before
            the classifier, which transformers would not know of.)
        map: the teacher's layer of each of its layers, from 1.
    """

    def __init__(self, kind: str, model: Any, teacher_width: int, map: tuple[int, ...]) -> None:
        super().__init__()
        self.kind = kind
        self.model = model
        self.map = map
        width = model.config.hidden_size
        self.to_teacher: nn.Module = nn.Identity() if width == teacher_width else nn.Linear(width, teacher_width)

    @property
    def bert(self) -> Any:
        return self.model if self.kind == "vectors" else self.model.bert


class Watched:
    """A BERT whose attention scores are seen: its queries and keys are kept as it runs.

    Args:
        layers: those that are kept, from 1.
    """

    def __init__(self, bert: Any, layers: Sequence[int]) -> None:
        self.bert = bert
        self.layers = tuple(layers)
        self._kept: dict[tuple[int, str], Tensor] = {}

    def run(self, ids: Tensor, mask: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Embeddings and states of all layers, each (n, t, d); and the (n, h, t, t) scores of the layers that are kept,
        before the softmax, the mask added.

        Args:
            ids: (n, t) tokens.
            mask: (n, t) 1 for tokens, 0 for padding.
        """
        hooks = [
            getattr(self.bert.encoder.layer[layer - 1].attention.self, part).register_forward_hook(
                self._keeper(layer, part)
            )
            for layer in self.layers
            for part in ("query", "key")
        ]
        try:
            found = self.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        finally:
            for hook in hooks:
                hook.remove()
        scores = tuple(self._scores(layer, mask) for layer in self.layers)
        self._kept.clear()
        return tuple(found.hidden_states), scores

    def _keeper(self, layer: int, part: str) -> Any:
        def keep(module: Any, given: Any, output: Tensor) -> None:
            self._kept[layer, part] = output

        return keep

    def _scores(self, layer: int, mask: Tensor) -> Tensor:
        heads = self.bert.config.num_attention_heads
        query, key = (self._kept[layer, part].unflatten(-1, (heads, -1)).transpose(1, 2) for part in ("query", "key"))
        hidden = (1.0 - mask[:, None, None, :].to(query.dtype)) * -10_000.0  # what BERT adds to masked keys
        return query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + hidden


def pooled(states: Tensor, mask: Tensor) -> Tensor:
    """(n, d) unit vectors: the mean over the tokens of (n, t, d) states."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=-1)


def make_student(teacher: BertFolder, how: Distillation) -> Student:
    """An untrained student.

    Raises:
        InvalidInput: it would have more layers than the teacher, its width cannot be split over the teacher's heads,
            or layers of another width would be inherited.
    """
    theirs = teacher.config
    found = layer_map(how.layers, theirs.num_hidden_layers, how.map)
    width = how.width or theirs.hidden_size
    heads = theirs.num_attention_heads
    if width % heads:
        raise InvalidInput(
            f"width (= {width}) must be divisible by {heads}, the number of the teacher's heads, since attention is "
            f"compared head by head. Take {max(1, width // heads) * heads} or {(width // heads + 1) * heads}."
        )
    inherit = how.inherit
    if inherit == "auto":
        inherit = "layers" if width == theirs.hidden_size else "words"
    if inherit == "layers" and width != theirs.hidden_size:
        raise InvalidInput(
            f"Layers can be inherited at the teacher's width ({theirs.hidden_size}) alone: got width {width}. "
            "Use --inherit words, or leave --width out."
        )
    config = deepcopy(theirs)
    config.num_hidden_layers = how.layers
    config.hidden_size = width
    if width != theirs.hidden_size:
        config.intermediate_size = max(1, round(theirs.intermediate_size * width / theirs.hidden_size))
    transformers: Any = import_module("transformers")
    with OwnRandom(how.seed):
        if teacher.kind == "classes":
            model = transformers.BertForSequenceClassification(config)
        else:
            model = transformers.BertModel(config, add_pooling_layer=False)
        student = Student("classes" if teacher.kind == "classes" else "vectors", model, theirs.hidden_size, found)
    if inherit != "none":
        _inherit_words(student, teacher)
    if inherit == "layers":
        _inherit_layers(student, teacher)
    return student.eval()


@torch.no_grad()
def _inherit_words(student: Student, teacher: BertFolder) -> None:
    """The teacher's embeddings, of which the words are not trained.

    At another width they are given along their leading directions, and the map to the teacher's width starts as the
    way back.
    """
    mine = student.bert.embeddings
    theirs = teacher.bert.embeddings
    mine.word_embeddings.weight.requires_grad_(False)
    width = student.bert.config.hidden_size
    given = teacher.config.hidden_size
    if width == given:
        mine.load_state_dict(theirs.state_dict())
        return
    words = theirs.word_embeddings.weight
    _, axes = torch.linalg.eigh(words.T @ words)  # ascending
    basis = axes[:, -width:] if width < given else torch.nn.functional.pad(axes, (0, width - given))  # (given, width)
    for part in ("word_embeddings", "position_embeddings", "token_type_embeddings"):
        getattr(mine, part).weight.copy_(getattr(theirs, part).weight @ basis)
    assert isinstance(student.to_teacher, nn.Linear)
    student.to_teacher.weight.copy_(basis)
    student.to_teacher.bias.zero_()


def _inherit_layers(student: Student, teacher: BertFolder) -> None:
    """The teacher's layers of the map, as TinyCLIP inherits them (Wu et al., ICCV 2023, arXiv 2309.12314), and its
    head."""
    for layer, given in zip(student.bert.encoder.layer, student.map):
        layer.load_state_dict(teacher.bert.encoder.layer[given - 1].state_dict())
    if student.kind == "classes":
        student.bert.pooler.load_state_dict(teacher.bert.pooler.state_dict())
        student.model.classifier.load_state_dict(teacher.model.classifier.state_dict())
