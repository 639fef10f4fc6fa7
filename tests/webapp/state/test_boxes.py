"""A message names what its reader has before them: options, boxes of the page, or names in a program."""

from __future__ import annotations

import gradio as gr
import pytest

from core.errors import InvalidInput
from webapp.api import tells_errors
from webapp.state.boxes import on_page, to_program
from webapp.state.session import shows_errors

SAID = "Add --images (zip, tar, folder) or --embeddings, or run `diagnose --images x` again with --separate-copies."


def test_the_page_names_its_boxes_and_a_program_its_arguments() -> None:
    assert on_page(SAID).startswith(
        'Add "Pictures" (zip or tar) or "Embeddings of your own", or run `diagnose --images'
    )
    told = "Add `images` (zip, tar, folder) or `embeddings`, or run `diagnose --images x` again with `separate_copies`."
    assert to_program(SAID) == told


def test_an_endpoint_for_programs_names_no_box() -> None:
    def refuse() -> None:
        raise InvalidInput("Name it with --texts.")

    with pytest.raises(gr.Error, match="`texts`"):
        tells_errors(refuse)()
    with pytest.raises(gr.Error, match='"Text"'):
        shows_errors(refuse)()
