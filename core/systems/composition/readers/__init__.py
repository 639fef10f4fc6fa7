"""Benchmarks of composition by name, each read as it was published. The table names each leaf as "module:function",
loaded on request."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.registry import Registry
from core.systems.composition.readers.fields import path_of
from core.systems.composition.readers.recognise import recognise
from core.systems.composition.records import Benchmark

READERS = Registry(
    "benchmark",
    {
        "cola": "core.systems.composition.readers.formats:COLA",
        "cola-single": "core.systems.composition.readers.cola:read_single_object",
        "winoground": "core.systems.composition.readers.formats:WINOGROUND",
        "colorswap": "core.systems.composition.readers.formats:COLORSWAP",
        "sugarcrepe": "core.systems.composition.readers.formats:SUGARCREPE",
        "sugarcrepe++": "core.systems.composition.readers.formats:TWO_TRUE",
        "aro-relation": "core.systems.composition.readers.aro:RELATION",
        "aro-attribution": "core.systems.composition.readers.aro:ATTRIBUTION",
        "aro-order": "core.systems.composition.readers.aro:read_order",
        "crepe": "core.systems.composition.readers.formats:read_crepe",
        "valse": "core.systems.composition.readers.formats:VALSE",
        "clevr": "core.systems.composition.readers.clevr:read_scenes",
        "negclip": "core.systems.composition.readers.formats:NEGCLIP",
        "own": "core.systems.composition.readers.own_table:read_own",
        "captions": "core.systems.composition.readers.captions:read_captions",
    },
    otherwise=", or leave it out to have it recognized",
)

PROGRESS = "progress"
"""The parameter of readers that take long, which users cannot set."""

__all__ = ["READERS", "read_benchmark", "reader_options", "recognise"]


def read_benchmark(name: str, path: Path | str, *, progress: Progress = no_progress, **options: Any) -> Benchmark:
    """The benchmark in a file, or in a folder that holds its usual files.

    Args:
        name: a key of `READERS`; "" recognizes it by the file's shape.
        options: what the reader of that name takes: `seen` (cola-single), `negatives` (crepe), `seed` and `max_words`
            (aro-order), `split` and `seed` (captions).
        progress: for readers that take long.

    Raises:
        InvalidInput: the name or option is unknown, or the file is not of that form.
    """
    path = path_of(path, "The benchmark")
    name = name or recognise(path)
    read = READERS.load(name)
    allowed = reader_options(name)
    if strange := [option for option in options if option not in allowed]:
        raise InvalidInput(
            f"The benchmark {name!r} has no option {strange[0]!r}. It has {', '.join(allowed) or 'none'}."
        )
    reports = {PROGRESS: progress} if PROGRESS in inspect.signature(read).parameters else {}
    return read(path, **options, **reports)


def reader_options(name: str) -> tuple[str, ...]:
    """Names of the options that a reader takes."""
    kinds = inspect.signature(READERS.load(name)).parameters.values()
    only = (one.name for one in kinds if one.kind is inspect.Parameter.KEYWORD_ONLY)
    return tuple(name for name in only if name != PROGRESS)
