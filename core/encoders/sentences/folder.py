"""The parts of a text transformer's folder, checked before loading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from core.documents import read_json
from core.encoders.model_folder import CONFIG, ModelConfig, ModelFolder
from core.errors import InvalidInput
from core.forms import Form, FormT, read_form

NEEDED = (
    "a folder of a transformer of texts with config.json, model.safetensors and its tokenizer, as save_pretrained of "
    "transformers or save of sentence-transformers writes it"
)
TOKENIZERS = ("tokenizer.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "vocab.json")
MAX_TOKENS = 512
"""Word pieces read at most, even if the model would take more; 512 are the positions of a BERT."""
MIN_TOKENS = 8
Limit = Annotated[float, Field(ge=MIN_TOKENS)]
"""Limit of word pieces; tokenizers without a limit write a float of 1e30."""
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max"}
"""Names of poolings, by sentence-transformers' settings."""
AGAIN = "Save the model again."
_AFTER = ([], ["Pooling"], ["Pooling", "Normalize"], ["Pooling", "Dense"], ["Pooling", "Dense", "Normalize"])
"""Module types that may follow the transformer."""
_ROBERTA = ("roberta", "xlm-roberta", "camembert")
"""Model types whose first two positions belong to padding."""


class _Config(ModelConfig):
    model_type: str = ""
    max_position_embeddings: Annotated[float, Field(ge=MIN_TOKENS + 2)] | None = None


class _Transformer(Form):
    """Settings of sentence-transformers."""

    max_seq_length: Limit | None = None
    do_lower_case: bool = False


class _Tokenizer(Form):
    model_max_length: Limit | None = None


class _Step(Form):
    type: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class SentenceFolder:
    """A text transformer on disk."""

    model: ModelFolder
    """Config, weights and tokenizer, as transformers reads them."""
    others: tuple[Path, ...]
    """Files of config and tokenizer: with the weights, all that determines a text's vector."""
    pooling: str
    """"mean" over the tokens, "cls" (the first) or "max"."""
    max_tokens: int
    lower: bool
    """Whether the text is lowercased first, as sentence-transformers does."""
    dense: Path | None = None
    """Weights of a linear map of the pooled vector, as narrower students of `distil` have it."""


def read_folder(folder: Path) -> SentenceFolder:
    """Read the folder that transformers or sentence-transformers wrote.

    Raises:
        InvalidInput: a part is missing or unsupported, or the weights are not safetensors.
    """
    modules = folder / "modules.json"
    steps = [_Step(type="Transformer")]
    if modules.is_file():
        steps = read_form(list[_Step], read_json(modules), f"{folder.name}/{modules.name}", AGAIN)
    if any(Path(step.path).is_absolute() or ".." in Path(step.path).parts for step in steps):
        raise InvalidInput(f"{folder.name}/{modules.name}: every path must lie in the folder. {AGAIN}")
    kinds = [step.type.rpartition(".")[2] for step in steps]
    if kinds[:1] != ["Transformer"] or kinds[1:] not in _AFTER:
        raise InvalidInput(
            "A text encoder can have a transformer, a pooling, a linear map and a normalization: "
            f"{folder.name} has {', '.join(kinds)}. Save the model without the other parts, or add its vectors with "
            "--embeddings."
        )
    model = ModelFolder(folder / steps[0].path, NEEDED)
    config = model.config(_Config)
    settings = _settings(_Transformer, model.path / "sentence_bert_config.json")
    tokenizer = _settings(_Tokenizer, model.path / "tokenizer_config.json")
    # sentence-transformers, up to version 5, overrules the tokenizer
    limits = [MAX_TOKENS, settings.max_seq_length or tokenizer.model_max_length or MAX_TOKENS]
    if config.max_position_embeddings is not None:
        limits.append(config.max_position_embeddings - 2 * (config.model_type in _ROBERTA))
    names = (CONFIG, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", *TOKENIZERS)
    others = tuple(model.path / name for name in names if (model.path / name).is_file())
    pooling = "mean"
    dense = None
    if len(steps) > 1:
        pooling = pooling_of(folder / steps[1].path)
    if kinds[2:3] == ["Dense"]:
        dense = _find_dense(folder / steps[2].path)
    return SentenceFolder(model, others, pooling, int(min(limits)), settings.do_lower_case, dense)


def pooling_of(folder: Path) -> str:
    """Pooling in the folder, from tokens to one vector: "mean", "cls" or "max".

    Raises:
        InvalidInput: another pooling, or several at once.
    """
    settings = _settings(dict[str, Any], folder / "config.json")
    modes = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value is True]
    if "pooling_mode" in settings:  # from version 6 on
        modes.append(f"pooling_mode_{str(settings['pooling_mode'])[:40]}")
    poolings = POOLINGS | {f"pooling_mode_{name}": name for name in POOLINGS.values()}
    if len(modes) != 1 or modes[0] not in poolings:
        raise InvalidInput(
            f"A text encoder's pooling must be one of {', '.join(POOLINGS)}: got {', '.join(modes) or 'none'}. "
            "Add its vectors with --embeddings instead."
        )
    return poolings[modes[0]]


def _find_dense(folder: Path) -> Path:
    activation = str(_settings(dict[str, Any], folder / "config.json").get("activation_function", ""))
    if not activation.endswith(".Identity") or not (folder / "model.safetensors").is_file():
        raise InvalidInput(
            f"A text encoder's map {folder.name} must be linear, with its weights in model.safetensors: got "
            f"{activation.rpartition('.')[2][:60] or 'no config.json'}. Add its vectors with --embeddings instead."
        )
    return folder / "model.safetensors"


def _settings(form: type[FormT], path: Path) -> FormT:
    """Read a file of settings; a missing file has none."""
    document = read_json(path) if path.is_file() else {}
    return read_form(form, document, f"{path.name} in {path.parent.name}", AGAIN)
