"""transformers without its own log output: Errata's readers report what is wrong with a model."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


@contextmanager
def quiet_transformers() -> Generator[Any]:
    """Import transformers, and silence its progress bars and warnings inside the block."""
    transformers = import_module("transformers")
    logging = import_module("transformers.utils.logging")
    shown = logging.is_progress_bar_enabled()
    level = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield transformers
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()
