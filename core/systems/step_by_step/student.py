"""The student: a T5 from a folder, read without network or pickle, or a new small one with a vocabulary of whole
words."""

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
"""Prefixes of a text that select one of the two tasks."""
MARKER = "So the answer is"
"""Between reason and label in a single target."""
PAD = "<pad>"
END = "</s>"
UNKNOWN = "<unk>"
MAX_WORDS = 30_000
"""Most frequent words in a new student's vocabulary; about the size of T5's own, 32,000."""
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model", "added_tokens.json")
ARCHITECTURE = "T5ForConditionalGeneration"
NEEDED = (
    f"a folder of a {ARCHITECTURE} with config.json, model.safetensors, and its tokenizer, as save_pretrained of "
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
    """Its source; None for a new one."""
    licence: str = "your own"

    @property
    def source(self) -> dict[str, Any]:
        """Origin of the weights, for the card."""
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
    """Load the T5 of a folder.

    Raises:
        InvalidInput: a file is missing or a pickle, the parts do not fit together, or the tokenizer is another model's.
    """
    parts = ModelFolder(folder, NEEDED)
    config = parts.config(_Config)
    tokenizer = parts.tokenizer(config.vocab_size, TOKENIZERS)
    for name in ("pad_token_id", "eos_token_id"):
        if getattr(tokenizer, name) != getattr(config, name):
            raise InvalidInput(
                f"{folder}: {name} is {getattr(tokenizer, name)} in the tokenizer and {getattr(config, name)} in the "
                "model. Use the model's own tokenizer."
            )
    return T5Student(parts.model(ARCHITECTURE), tokenizer, folder, licence_of(folder))


def make_t5(texts: Iterable[str], how: StepByStep) -> T5Student:
    """Make a new T5 with the vocabulary of the texts; the same texts, settings and seed give the same weights.

    Raises:
        InvalidInput: the width is not divisible by 8.
    """
    if how.width % 8:
        raise InvalidInput(f"--width must be divisible by 8: got {how.width}. Use {how.width // 8 * 8 + 8}.")
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
    """Check that the student can write every class.

    Raises:
        InvalidInput: the tokenizer loses a part of a class.
    """
    if not classes:
        return  # answers are free
    written = student.tokenizer.batch_decode(student.tokenizer(list(classes))["input_ids"], skip_special_tokens=True)
    for name, text in zip(classes, written):
        if squeezed(text) != squeezed(name):
            raise InvalidInput(
                f"The student's tokenizer cannot write the class {name[:60]!r}: it writes {text[:60]!r}. "
                "Rename the class in plain words, or remove --student for a new student with your words."
            )


def squeezed(text: str) -> str:
    """The text without blanks, for comparing answers: tokenizers put blanks in different places."""
    return "".join(text.split())


def _words_of(texts: Sequence[str]) -> Any:
    """Make a tokenizer of whole words and punctuation."""
    tokenizers = import_module("tokenizers")
    transformers = import_module("transformers")
    split = tokenizers.pre_tokenizers.Whitespace()
    # the tasks' words count once for each text, so that they are never among the rare words that are dropped
    parts = [text.replace(END, " ") for text in texts] + [f"{PREDICT}{EXPLAIN}{MARKER}"] * len(texts)
    words: list[str] = []
    for part in parts:
        words += [word for word, _ in split.pre_tokenize_str(part)]
    frequent = frequent_words(words)[:MAX_WORDS]
    vocabulary = {word: i for i, word in enumerate((PAD, END, UNKNOWN, *frequent))}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = split
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )
