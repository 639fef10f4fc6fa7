"""The student: a T5 from a folder, read without a network and without pickle, or a new small one with a vocabulary of
whole words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from core.encoders.model_folder import WEIGHTS, ModelFolder
from core.errors import InvalidInput
from core.received import digest
from core.systems.common.own_random import OwnRandom
from core.systems.common.student_card import licence_of
from core.systems.common.t5_config import TOKENIZERS, T5Config
from core.systems.common.words import frequent_words
from core.systems.step_by_step.settings import StepByStep

PREDICT = "predict: "
EXPLAIN = "explain: "
"""What stands before a text says which of the two tasks is asked for."""
MARKER = "So the answer is"
"""Between reason and label where both are one target."""
PAD = "<pad>"
END = "</s>"
UNKNOWN = "<unk>"
MAX_WORDS = 30_000
"""Of a new student's vocabulary: the most frequent ones."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model", "added_tokens.json")
ARCHITECTURE = "T5ForConditionalGeneration"
NEEDED = (
    f"a folder of a {ARCHITECTURE} with config.json, model.safetensors and its tokenizer, as save_pretrained of "
    "transformers writes it"
)


class _Config(T5Config):
    architectures: tuple[Literal["T5ForConditionalGeneration"], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class T5Student:
    """A T5 in evaluation mode with its tokenizer."""

    model: Any
    tokenizer: Any
    folder: Path | None = None
    """Where it came from; None of a new one."""
    licence: str = "your own"

    @property
    def source(self) -> dict[str, Any]:
        """What it started from, for the card."""
        if self.folder is None:
            return {"folder": None}
        return {"folder": self.folder.resolve().name, "weights": digest(self.folder / WEIGHTS)[:32]}

    @property
    def sizes(self) -> dict[str, int]:
        config = self.model.config
        model = self.model
        n = sum(p.numel() for p in model.parameters())
        named = {"layers": config.num_layers, "width": config.d_model, "words": config.vocab_size}
        return {**named, "parameters": n, "parameters_without_words": n - model.shared.weight.numel()}


def read_t5(folder: Path) -> T5Student:
    """The T5 in the folder.

    Raises:
        InvalidInput: there is none, it is a pickle, its parts do not fit together, or the tokenizer is another model's.
    """
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    tokenizer = parts.tokenizer(config.vocab_size, TOKENIZERS)
    for name in ("pad_token_id", "eos_token_id"):
        if getattr(tokenizer, name) != getattr(config, name):
            raise InvalidInput(
                f"{folder}: {name} is {getattr(tokenizer, name)} to the tokenizer and {getattr(config, name)} to the "
                "model. They are of two models: bring the model's own tokenizer."
            )
    return T5Student(parts.model(ARCHITECTURE), tokenizer, folder, licence_of(folder))


def make_t5(texts: Iterable[str], how: StepByStep) -> T5Student:
    """A new T5 that knows the words of the texts; the same texts, settings and seed give the same weights.

    Raises:
        InvalidInput: the width cannot be split over its heads.
    """
    if how.width % 8:
        raise InvalidInput(f"width (= {how.width}) must be divisible by 8. Take {how.width // 8 * 8 + 8}.")
    transformers: Any = import_module("transformers")
    tokenizer = _words_of([PREDICT, EXPLAIN, MARKER, *texts])
    heads = max(1, how.width // 16)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=how.width,
        d_kv=how.width // heads,
        d_ff=4 * how.width,
        num_layers=how.layers,
        num_heads=heads,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    with OwnRandom(how.seed):
        model = transformers.T5ForConditionalGeneration(config)
    return T5Student(model.eval(), tokenizer)


def check_speaks(student: T5Student, classes: Sequence[str]) -> None:
    """See that the student can write every class.

    Raises:
        InvalidInput: the tokenizer loses a part of one.
    """
    if not classes:
        return  # answers are free
    written = student.tokenizer.batch_decode(student.tokenizer(list(classes))["input_ids"], skip_special_tokens=True)
    for name, said in zip(classes, written):
        if squeezed(said) != squeezed(name):
            raise InvalidInput(
                f"The student's tokenizer does not know all of the class {name[:60]!r}: it writes {said[:60]!r}. "
                "Rename the class in plain words, or leave --student out to have a new student that knows your words."
            )


def squeezed(text: str) -> str:
    """The text without blanks, by which answers are compared: tokenizers differ in where they put them."""
    return "".join(text.split())


def _words_of(texts: Sequence[str]) -> Any:
    """A tokenizer of whole words and marks."""
    tokenizers = import_module("tokenizers")
    transformers = import_module("transformers")
    split = tokenizers.pre_tokenizers.Whitespace()
    # those of the tasks count as often as there are texts, so that they are never among those that are left out
    parts = [*(text.replace(END, " ") for text in texts), *[f"{PREDICT}{EXPLAIN}{MARKER}"] * len(texts)]
    kept = frequent_words(word for part in parts for word, _ in split.pre_tokenize_str(part))[:MAX_WORDS]
    vocabulary = {word: i for i, word in enumerate((PAD, END, UNKNOWN, *kept))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token=UNKNOWN))
    made.pre_tokenizer = split
    made.post_processor = tokenizers.processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )
