"""What a folder of a text transformer holds, checked before anything of it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.documents import read_json
from core.encoders.transformer_folder import CONFIG, WEIGHTS, read_config, weight_shapes
from core.errors import InvalidInput

NEEDED = (
    "a folder of a transformer of texts with config.json, model.safetensors and its tokenizer, as save_pretrained of "
    "transformers or save of sentence-transformers writes it"
)
TOKENIZERS = ("tokenizer.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model", "vocab.json")
MAX_TOKENS = 512
"""Word pieces that are read at most, whatever the model would take."""
MIN_TOKENS = 8
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_max_tokens": "max"}
"""sentence-transformers' settings, and what they are called here."""
_LIMITS = ("max_seq_length", "max_position_embeddings", "model_max_length")
"""Where sentence-transformers, the model and its tokenizer say how many word pieces are read."""
_AFTER = ([], ["Pooling"], ["Pooling", "Normalize"], ["Pooling", "Dense"], ["Pooling", "Dense", "Normalize"])
"""What may follow the transformer."""


@dataclass(frozen=True, slots=True)
class SentenceFolder:
    """A text transformer on disk."""

    model: Path
    """The folder that transformers reads."""
    weights: Path
    others: tuple[Path, ...]
    """Configuration and tokenizer: with the weights, all that a text's vector depends on."""
    pooling: str
    """"mean" over the tokens, "cls" (the first) or "max"."""
    max_tokens: int
    lower: bool
    """Whether sentence-transformers lowers the text first."""
    dense: Path | None = None
    """Weights of a linear map of the pooled vector, as narrower students of `distil` have."""


def read_folder(folder: Path) -> SentenceFolder:
    """The parts of a folder that transformers or sentence-transformers wrote.

    Raises:
        InvalidInput: it is no such folder, its weights are no safetensors, or it has parts that are not read here.
    """
    modules = folder / "modules.json"
    steps = _steps(folder, modules) if modules.is_file() else [("Transformer", "")]
    kinds = [kind for kind, _ in steps]
    if kinds[:1] != ["Transformer"] or kinds[1:] not in _AFTER:
        raise InvalidInput(
            "A text encoder must be a transformer, its pooling and at most a linear map and a normalisation: "
            f"{folder.name} has {', '.join(kinds)}. Save the model without the other parts, or bring its vectors as "
            "--embeddings."
        )
    model = folder / steps[0][1] if steps[0][1] else folder
    config = read_config(model, NEEDED)
    weight_shapes(model, NEEDED)
    pooling = pooling_of(folder / steps[1][1]) if len(steps) > 1 else "mean"
    dense = _dense(folder / steps[2][1]) if kinds[2:3] == ["Dense"] else None
    said = _settings(model / "sentence_bert_config.json")
    names = (CONFIG, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt", *TOKENIZERS)
    return SentenceFolder(
        model,
        model / WEIGHTS,
        tuple(model / name for name in names if (model / name).is_file()),
        pooling,
        _max_tokens(folder.name, said, config, _settings(model / "tokenizer_config.json")),
        bool(said.get("do_lower_case")),
        dense,
    )


def _max_tokens(name: str, *said: dict[str, Any]) -> int:
    """The least of what the files of `_LIMITS` say; sentence-transformers, up to version 5, overrules the tokenizer."""
    limits = [MAX_TOKENS]
    for key, values in zip(_LIMITS, said, strict=True):
        limit = values.get(key)
        if limit is None or (key == _LIMITS[2] and said[0].get(_LIMITS[0]) is not None):
            continue
        taken = 2 if values.get("model_type") in ("roberta", "xlm-roberta", "camembert") else 0  # by its padding
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not limit - taken >= MIN_TOKENS:
            raise InvalidInput(
                f"{key} of the text encoder in {name} must be a whole number from {MIN_TOKENS + taken}: "
                f"got {str(limit)[:20]}. Save the model anew."
            )
        limits.append(int(min(limit - taken, MAX_TOKENS)))
    return min(limits)


def _steps(folder: Path, modules: Path) -> list[tuple[str, str]]:
    """(last word of a module's type, its folder), in order."""
    listed = read_json(modules)
    entries = cast("list[Any]", listed) if isinstance(listed, list) else []
    steps = [
        (str(entry.get("type", "")).rpartition(".")[2], str(entry.get("path", "")))
        for entry in entries
        if isinstance(entry, dict)
    ]
    if not steps or any(Path(path).is_absolute() or ".." in Path(path).parts for _, path in steps):
        raise InvalidInput(f"{folder.name}/modules.json is no list of a model's parts. Save the model anew.")
    return steps


def pooling_of(folder: Path) -> str:
    """How the pooling part in the folder makes one vector of the tokens': "mean", "cls" or "max".

    Raises:
        InvalidInput: otherwise, or in several ways at once.
    """
    said = _settings(folder / "config.json")
    modes = [name for name, value in said.items() if name.startswith("pooling_mode_") and value is True]
    modes += [f"pooling_mode_{str(said['pooling_mode'])[:40]}"] if "pooling_mode" in said else []  # from version 6 on
    poolings = POOLINGS | {f"pooling_mode_{name}": name for name in POOLINGS.values()}
    if len(modes) != 1 or modes[0] not in poolings:
        raise InvalidInput(
            f"A text encoder's pooling must be one of {', '.join(POOLINGS)}: got {', '.join(modes) or 'none'}. "
            "Bring its vectors as --embeddings instead."
        )
    return poolings[modes[0]]


def _dense(folder: Path) -> Path:
    activation = str(_settings(folder / "config.json").get("activation_function", ""))
    if not activation.endswith(".Identity") or not (folder / "model.safetensors").is_file():
        raise InvalidInput(
            f"A text encoder's map {folder.name} must be linear, with its weights in model.safetensors: got "
            f"{activation.rpartition('.')[2][:60] or 'no config.json'}. Bring its vectors as --embeddings instead."
        )
    return folder / "model.safetensors"


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    found = read_json(path)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
