"""The address for programs that runs a benchmark of composition."""

from __future__ import annotations

from typing import Any

import gradio as gr

from core.records import Progress
from webapp.api import known_options, tells_errors
from webapp.markup.components import json_object
from webapp.state.jobs import HEAVY, JOBS

OPTIONS = ("encoder", "beside", "format")


def compose(name: str, file: str | None = None, images: str | None = None, options: Any = None) -> dict[str, Any]:
    """Score one or two image-text encoders on a benchmark of composition: does the encoder tell "a red cube and a blue
    ball" from the swap? Of two, also the paired comparison.

    Args:
        name: a benchmark that ships with Errata, such as "rendered", or "rendered:60" for 60 of its items; "" for the
            benchmark in `file`.
        file: a benchmark's own file, if `name` is "".
        images: a zip or tar of its images.
        options: an object: "encoder" and "beside" (names of encoders; "embedded" needs no download) and "format" (how
            the file is laid out, such as "winoground").
    """
    from webapp.systems.composition.files import results_document  # loads pandas when it is asked
    from webapp.systems.composition.models import ModelAccess
    from webapp.systems.composition.state import NAMED, OWN, open_benchmark, run_models
    from webapp.systems.composition.visit import BenchmarkRun, ComposeState

    chosen = known_options(options, OPTIONS)
    choice = OWN
    if name:
        choice = NAMED.get(str(name), str(name))
    models = [str(chosen.get("encoder") or "embedded")]
    if chosen.get("beside"):
        models.append(str(chosen["beside"]))

    def work(progress: Progress) -> BenchmarkRun:
        benchmark = open_benchmark(choice, file, images, str(chosen.get("format") or ""), None)
        return run_models(choice, benchmark, models, (), ModelAccess(), progress)

    ran = JOBS.run(work)
    return results_document(ComposeState(choice, ran.loaded, results=ran.results))


def build() -> None:
    """Add it to the open Blocks."""
    uploads = [gr.File(visible=False, type="filepath", label=name) for name in ("file", "images")]
    benchmark = gr.Textbox(visible=False, label="name")
    how = json_object("options", {})
    document = json_object("composition")
    gr.Button(visible=False).click(
        tells_errors(compose), [benchmark, *uploads, how], document, api_name="compose", **HEAVY
    )
