"""A BERT in a folder, as transformers writes it: read without a network, without pickle and without code of its own."""

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
"""Of sentence-transformers: how the tokens' states become a vector."""
Head = Literal["BertModel", "BertForSequenceClassification", "BertForMaskedLM", "BertForPreTraining"]
KINDS: Mapping[str, str] = {
    "BertModel": "vectors",
    "BertForSequenceClassification": "classes",
    "BertForMaskedLM": "words",
    "BertForPreTraining": "words",
}
"""What a model with this head gives."""
EMBEDDED = "embedded"
"""Names the sentence encoder that comes along, in place of a folder."""
NEEDED = (
    "a folder of a BertModel or BertForSequenceClassification with config.json, model.safetensors and its tokenizer, "
    f"as save_pretrained of transformers writes it; or {EMBEDDED!r}, the sentence encoder that comes along"
)


class _Config(ModelConfig):
    """A BERT as published: with absolute positions, and no decoder."""

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
        one = self.problem_type == "single_label_classification" and n > 1
        if self.architectures[0] == "BertForSequenceClassification" and not one:
            raise ValueError(
                f"its head must choose one class of two or more: problem_type is {self.problem_type[:60]!r}, labels "
                f"are {n}"
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
        """Of the weights' file."""
        return digest(self.folder / WEIGHTS)[:32]


def read_bert(folder: Path | None, kinds: Sequence[str] = ("vectors", "classes", "words")) -> BertFolder:
    """The model in the folder; of one with a language model's head only `kinds` with "words" take it.

    Raises:
        InvalidInput: there is none, it is no BERT, it is a pickle, its parts do not fit together, or its kind is none
            of `kinds`.
    """
    if folder is None:
        raise InvalidInput(f"This command needs a model. Use {NEEDED}.")
    folder = minilm_folder() if str(folder) == EMBEDDED and not folder.exists() else folder
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    head = config.architectures[0]
    if KINDS[head] not in kinds:
        wanted = " or ".join(name for name, given in KINDS.items() if given in kinds)
        raise InvalidInput(f"{folder} has a {head}. Use a {wanted}.")
    pooling = (folder / POOLING).parent
    if head == "BertModel" and pooling.is_dir() and (found := pooling_of(pooling)) != "mean":
        raise InvalidInput(f"{folder}: its vectors are pooled by {found!r}; only the mean is distilled.")
    model = parts.model(head, options={"add_pooling_layer": False} if head == "BertModel" else {})
    tokenizer = parts.tokenizer(config.vocab_size, ("tokenizer.json", "vocab.txt"))
    if tokenizer.pad_token_id is None or tokenizer.mask_token_id is None:
        raise InvalidInput(f"{folder}: the tokenizer lacks [PAD] or [MASK]. Use a BERT's tokenizer.")
    return BertFolder(folder, KINDS[head], model, tokenizer, licence_of(folder))


def check_apart(out: Path, teacher: BertFolder, start: Path | None) -> None:
    """See that what is read is not written over.

    Raises:
        InvalidInput: `out` is a folder that is read.
    """
    for folder in (teacher.folder, start):
        if folder is not None and out.resolve() == folder.resolve():
            raise InvalidInput(f"--out is the input folder {out}. Use another folder for the student.")
