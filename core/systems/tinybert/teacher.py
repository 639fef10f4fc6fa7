"""Read a BERT from a folder that transformers wrote: offline, and without running pickles or the folder's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from core.encoders.embedded.weights import minilm_folder
from core.encoders.model_folder import WEIGHTS, ModelConfig, ModelFolder
from core.encoders.sentences.folder import pooling_of
from core.errors import InvalidInput
from core.forms import Count
from core.received import digest
from core.systems.common.student_card import licence_of

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "added_tokens.json")
POOLING = "1_Pooling/config.json"
"""Sentence-transformers' file on pooling the tokens' states to a vector."""
Head = Literal["BertModel", "BertForSequenceClassification", "BertForMaskedLM", "BertForPreTraining"]
KINDS: Mapping[str, str] = {
    "BertModel": "vectors",
    "BertForSequenceClassification": "classes",
    "BertForMaskedLM": "words",
    "BertForPreTraining": "words",
}
"""Class of the model -> its output."""
EMBEDDED = "embedded"
"""Names Errata's sentence encoder, in place of a folder."""
NEEDED = (
    "a folder of a BertModel or BertForSequenceClassification, as save_pretrained of transformers writes it, or "
    f"{EMBEDDED!r} for Errata's sentence encoder"
)


class _Config(ModelConfig):
    """A BERT as published: with absolute positions, and not a decoder."""

    model_type: Literal["bert"]
    architectures: tuple[Head, ...] = Field(("BertModel",), min_length=1)
    vocab_size: Count
    position_embedding_type: Literal["absolute"] = "absolute"
    is_decoder: Literal[False] = False
    problem_type: str = "single_label_classification"
    num_labels: int = 2
    id2label: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _chooses_a_class(self) -> _Config:
        n = self.num_labels if self.id2label is None else len(self.id2label)
        chooses = self.problem_type == "single_label_classification" and n > 1
        if self.architectures[0] == "BertForSequenceClassification" and not chooses:
            raise ValueError(
                f"its head must choose one class of two or more: problem_type is {self.problem_type[:60]!r}, the "
                f"number of labels {n}"
            )
        return self


@dataclass(frozen=True, slots=True, eq=False)
class BertFolder:
    """A model in evaluation mode with its tokenizer."""

    folder: Path
    kind: str
    """One of KINDS' values."""
    model: Any
    tokenizer: Any
    licence: str

    @property
    def bert(self) -> Any:
        """The transformer without its head."""
        return self.model if self.kind == "vectors" else self.model.bert

    @property
    def config(self) -> Any:
        return self.model.config

    @property
    def digest(self) -> str:
        """Digest of the weights' file."""
        return digest(self.folder / WEIGHTS)[:32]


def read_bert(folder: Path | None, kinds: Sequence[str] = ("vectors", "classes", "words")) -> BertFolder:
    """Read the model in the folder.

    Args:
        kinds: values of `KINDS` to accept; "words" accepts a language model's head.

    Raises:
        InvalidInput: the folder contains no model, the model is not a BERT, is a pickle or not of these kinds, or its
            parts do not fit together.
    """
    if folder is None:
        raise InvalidInput(f"This command needs a model. Use {NEEDED}.")
    if str(folder) == EMBEDDED and not folder.exists():
        folder = minilm_folder()
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    head = config.architectures[0]
    if KINDS[head] not in kinds:
        wanted = " or ".join(name for name, kind in KINDS.items() if kind in kinds)
        raise InvalidInput(f"{folder} has a {head}. Use a {wanted}.")
    options: dict[str, Any] = {}
    if head == "BertModel":
        options = {"add_pooling_layer": False}
        pooling_folder = (folder / POOLING).parent
        pooling = pooling_of(pooling_folder) if pooling_folder.is_dir() else "mean"
        if pooling != "mean":
            raise InvalidInput(f"{folder} pools its vectors by {pooling!r}. Use a model that takes the mean.")
    model = parts.model(head, options=options)
    tokenizer = parts.tokenizer(config.vocab_size, ("tokenizer.json", "vocab.txt"))
    if tokenizer.pad_token_id is None or tokenizer.mask_token_id is None:
        raise InvalidInput(f"{folder}: the tokenizer lacks [PAD] or [MASK]. Use a BERT's tokenizer.")
    return BertFolder(folder, KINDS[head], model, tokenizer, licence_of(folder))


def check_apart(out: Path, teacher: BertFolder, start: Path | None) -> None:
    """Check that the student will not overwrite its input.

    Raises:
        InvalidInput: `out` is the teacher's folder or the folder to start from.
    """
    for folder in (teacher.folder, start):
        if folder is not None and out.resolve() == folder.resolve():
            raise InvalidInput(f"--out is the input folder {out}. Use another folder for the student.")
