"""Support images drawn by a diffusion model from class names alone, into one folder a class."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from core.errors import InvalidInput, MissingDependency
from core.language.grammar import spoken_names
from core.probes.few_shot.pools import NAMES_FILE
from core.records import Progress, no_progress

STEPS, GUIDANCE = 85, 9.5
INSTALL = "pip install diffusers transformers accelerate"


Draw = Callable[[str, int], Image.Image]
"""(prompt, seed) -> picture."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a run of the generator left in its folder."""

    folder: Path
    made: int
    there: int
    """Pictures of an earlier run that was stopped."""


def generate_images(
    class_names: Sequence[str],
    folder: Path,
    model: Path,
    *,
    per_class: int = 20,
    prompt: str = "A photo of a {}.",
    seed: int = 0,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
    draw: Draw | None = None,
    progress: Progress = no_progress,
) -> Generated:
    """Draw `per_class` pictures of each class; `core.probes.few_shot.pools.read_pool` reads the folder.

    Args:
        folder: pictures of an earlier run with the same settings are kept, so a run that was stopped goes on where it
            was.
        model: folder of a Stable Diffusion model, as `diffusers` saves it. Nothing is fetched from the network.
        prompt: {} stands for the class name.
        seed: each picture has a seed of its own, made of this, the class's name and the picture's number.
        draw: a drawing function instead of the model's, as tests give it.
        progress: called as ("generate", done, total); where it raises, what was drawn stays.

    Raises:
        MissingDependency: `diffusers` is not installed.
        InvalidInput: the model is no such folder, the prompt has no {}, or the folder holds pictures of other settings.

    Source: Udandarao et al. 2023 (arXiv 2211.16198), section 3.1, with the released code's 85 steps and guidance 9.5.
    Departure: the same seeds are not used for every class, so that classes do not share compositions.
    """
    if "{}" not in prompt:
        raise InvalidInput(f"The prompt must hold {{}} where the class name goes: got {prompt[:60]!r}.")
    if per_class < 1:
        raise InvalidInput(f"per_class must be at least 1: got {per_class}.")
    paint = draw or load_pipeline(model, steps, guidance)
    names, folders = spoken_names(class_names), folder_names(class_names)
    _claim(
        folder,
        dict(zip(folders, class_names)),
        {"model": model.name, "prompt": prompt, "seed": seed, "steps": steps, "guidance": guidance},
    )
    made = there = 0
    total = per_class * len(names)
    for name, inside in zip(names, folders):
        (folder / inside).mkdir(exist_ok=True)
        for number in range(per_class):
            progress("generate", made + there, total)
            path = folder / inside / f"{number:06d}.png"
            if path.exists():
                there += 1
                continue
            _save(paint(prompt.replace("{}", name), seed_of(seed, name, number)), path)
            made += 1
    progress("generate", total, total)
    return Generated(folder, made, there)


def load_pipeline(model: Path, steps: int = STEPS, guidance: float = GUIDANCE) -> Draw:
    """The drawing function of a model in a local folder.

    Raises:
        MissingDependency: `diffusers` is not installed.
        InvalidInput: the folder is not there or holds no model.
    """
    if find_spec("diffusers") is None:
        raise MissingDependency(
            f"Drawing support images needs diffusers. Run `{INSTALL}`, or bring a folder of images "
            "with one folder a class."
        )
    if not (model / "model_index.json").is_file():
        raise InvalidInput(
            f"{model.name!r} holds no diffusion model (model_index.json). "
            "Give the folder that diffusers' save_pretrained made."
        )
    torch: Any = import_module("torch")
    kind: Any = import_module("diffusers").StableDiffusionPipeline
    pipeline: Any = kind.from_pretrained(str(model), local_files_only=True).to(
        "cuda" if torch.cuda.is_available() else "cpu"
    )
    pipeline.set_progress_bar_config(disable=True)

    def draw(prompt: str, seed: int) -> Image.Image:
        generator = torch.Generator("cpu").manual_seed(seed)
        return pipeline(prompt, num_inference_steps=steps, guidance_scale=guidance, generator=generator).images[0]

    return draw


def seed_of(seed: int, name: str, number: int) -> int:
    """The seed of one picture; other classes, or their order, do not change it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}/{number}".encode()).digest()[:6], "big")


def folder_names(class_names: Sequence[str]) -> list[str]:
    """A folder name for each class that any file system takes; `classes.json` says which is which."""
    found: list[str] = []
    for name in class_names:
        safe = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', " ", name).strip(" .")[:80] or "class"
        while safe.casefold() in {other.casefold() for other in found}:
            safe += " 2"
        found.append(safe)
    return found


def _claim(folder: Path, folders: dict[str, str], settings: dict[str, Any]) -> None:
    """Write down what the folder holds, or see that it holds the same."""
    path = folder / NAMES_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before: Any = json.loads(path.read_text("utf-8")) if path.exists() else None
        if before is not None and before.get("settings") != settings:
            raise InvalidInput(
                f"The folder {folder.name!r} holds pictures drawn with other settings ({before.get('settings')}). "
                "Choose an empty one."
            )
        known = {} if before is None else dict(before.get("folders", {}))
        if any(known.get(inside, name) != name for inside, name in folders.items()):
            raise InvalidInput(
                f"The folder {folder.name!r} holds pictures of other classes under the same names. Choose an empty one."
            )
        path.write_text(
            json.dumps({"folders": known | folders, "settings": settings}, indent=1, ensure_ascii=False), "utf-8"
        )
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput(
            f"The folder {folder.name!r} cannot be used ({error}). Choose an empty one that can be written."
        ) from None


def _save(picture: Image.Image, path: Path) -> None:
    """Under another name first: a run that is stopped leaves no half picture that the next would take for a whole
    one."""
    half = path.with_suffix(".part")
    picture.save(half, format="PNG")
    os.replace(half, path)
