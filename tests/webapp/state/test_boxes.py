"""A message names what its reader has before them: options, boxes of the page, or names in a program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from core.errors import InvalidInput
from webapp.api import tells_errors
from webapp.state.boxes import on_page, to_program
from webapp.state.session import shows_errors

SAID = "Add --images (zip, tar, folder) or --embeddings, or run `diagnose --images x` again with --separate-copies."


def test_the_page_names_its_boxes_and_a_program_its_arguments() -> None:
    assert on_page(SAID).startswith('Add "Images" (zip or tar) or "Your own embeddings", or run `diagnose --images')
    told = "Add `images` (zip, tar, folder) or `embeddings`, or run `diagnose --images x` again with `separate_copies`."
    assert to_program(SAID) == told


def test_an_endpoint_for_programs_names_no_box() -> None:
    def refuse() -> None:
        raise InvalidInput("Name it with --texts.")

    with pytest.raises(gr.Error, match="`texts`"):
        tells_errors(refuse)()
    with pytest.raises(gr.Error, match='"Text"'):
        shows_errors(refuse)()


def texts_of_errors(folder: Path) -> Iterator[str]:
    """What each `InvalidInput` and `MissingDependency` of the code says, what is filled in left out."""
    for path in sorted(folder.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("InvalidInput", "MissingDependency"):
                parts = [n.value for n in ast.walk(call) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                yield "".join(parts)


def test_no_message_of_the_core_names_an_option_on_the_page(repository: Path) -> None:
    said = [text for text in texts_of_errors(repository / "core") if "--" in text]
    assert len(said) > 50
    shown = [re.sub(r"`[^`]*`|command line with --[a-z-]+", "", on_page(text)) for text in said]
    assert [text for text in shown if re.search(r"(?<![\w-])--[a-z]", text)] == []
