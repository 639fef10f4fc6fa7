"""A run as a folder that opens without a server: map, clusters, galleries, and table, as on the live page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from core.data.inline import text_of
from core.errors import InvalidInput
from core.files import ASSETS, write_text
from core.numbers import count
from core.records import Diagnosis, Progress, no_progress
from core.reports.tables.columns import columns_of
from webapp.explore.cards import cluster_list
from webapp.explore.colours import choices, colouring
from webapp.explore.detail import selection_pane
from webapp.explore.overview import strip
from webapp.explore.picked import describe_selection
from webapp.failure_map import SCRIPTS, map_points, packed
from webapp.markup.components import script
from webapp.markup.html import classes_said, sample_facts
from webapp.markup.images import inlined, picture
from webapp.markup.render import render
from webapp.state.downloads import fresh_folder
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, Job, follow, wire_cancel
from webapp.state.session import Session, require_run, selected_rows, shows_errors

MAX_PICTURES = 4_000
MAX_PICTURE_BYTES = 64 * 2**20
"""Number and bytes of the images in a folder: bounds that keep it easy to send."""
MAX_TEXTS = MAX_PICTURES
MAX_COLOUR_COLUMNS = 40
MAX_CANDIDATES = 24
GALLERY_PICTURES = 24
"""Columns that can color the map, candidates, and images of a gallery."""
SHEETS = ("tokens", "page", "explore", "samples", "words", "static")
PANE = ("pane", "heat")
PaneView = tuple[str, str, list[int] | None]
"""(name, markup, rows) of a view of the pane; the list of clusters has no rows."""


def write_page(diagnosis: Diagnosis, folder: Path, progress: Progress = no_progress) -> Path:
    """Write index.html, images/ and report.html into `folder`; returns the path of index.html.

    The page loads only its own images and runs only its own script, which its policy names by hash. Images of clusters,
    candidates, and counter-examples come first, then those of the highest losses, up to 4,000 and 64 MiB. The page
    counts the images left out.

    Raises:
        InvalidInput: the folder already contains files.
        OSError: it cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"The folder {folder.name} already contains files. Choose an empty one.")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    diagnosis = inlined(diagnosis)
    shown = _views(diagnosis, progress)
    first = [row for _, _, rows in shown for row in rows or ()]
    for cluster in diagnosis.clusters:
        first += cluster.counterexamples.tolist()
    order = dict.fromkeys([*first, *np.argsort(-diagnosis.outcomes.loss, kind="stable").tolist()])
    pictures = _write_pictures(diagnosis, folder / "pictures", list(order), progress)
    from core.reports.html.diagnosis import write_report

    progress("writing the page", 0, 1)
    write_report(diagnosis, folder / "report.html")
    code = _script()
    write_text(
        folder / "index.html",
        render(
            "explore/static_page.html.j2",
            diagnosis=diagnosis,
            css=Markup("\n".join((ASSETS / "css" / f"{name}.css").read_text("utf-8") for name in SHEETS)),
            digest=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
            script=Markup(code),
            data=Markup(_inside_script(_data(diagnosis, pictures, shown))),
            views=[(name, Markup(pictures.linked(markup))) for name, markup, _ in shown],
            strip=strip(diagnosis),
            map=render("failure_map.html.j2"),
            has_report=True,
            searched=_searched(diagnosis),
            left_out=pictures.missing_note(len(diagnosis.samples)),
            made=f"Made by Errata from run {diagnosis.fingerprint[:12]}. This page sends no data.",
        ),
    )
    progress("writing the page", 1, 1)
    return folder / "index.html"


def _views(diagnosis: Diagnosis, progress: Progress) -> list[PaneView]:
    """Render every view of the pane."""
    looks = [f"candidate-{index}" for index in range(min(len(diagnosis.candidates), MAX_CANDIDATES))]
    names = [*(f"cluster-{cluster.id}" for cluster in diagnosis.clusters), *looks]
    views = list[PaneView]([("list", cluster_list(diagnosis), None)])
    for at, name in enumerate(names):
        progress("drawing the groups", at, len(names))
        kind, _, number = name.partition("-")
        session = Session("", **{kind: int(number)}, shown=GALLERY_PICTURES)  # type: ignore[arg-type]
        rows = selected_rows(session, diagnosis)
        pane = selection_pane(diagnosis, describe_selection(session, diagnosis, rows))
        views.append((name, pane, rows.tolist()))
    return views


def _write_pictures(diagnosis: Diagnosis, folder: Path, rows: list[int], progress: Progress) -> WrittenPictures:
    """Write the images of the rows in order, each once, up to the bounds."""
    items = diagnosis.samples.items
    modality = diagnosis.samples.modality
    written = WrittenPictures({}, {}, 0)
    if items is None or modality == "text":
        return written
    used = 0
    most = min(len(rows), MAX_PICTURES)
    for at, row in enumerate(rows[:most]):
        if at % 100 == 0:
            progress("writing images", at, most)
        _, _, address = picture(diagnosis, row).partition(";base64,")
        if address not in written.files:
            payload = base64.b64decode(address)
            used += len(payload)
            if not payload or used > MAX_PICTURE_BYTES:
                continue
            written.files[address] = len(written.files)
            (folder / f"{written.files[address]}.webp").write_bytes(payload)
        written.rows[row] = written.files[address]
    progress("writing images", most, most)
    return WrittenPictures(written.rows, written.files, len(rows) - len(written.rows))


@dataclass(frozen=True, slots=True)
class WrittenPictures:
    """The images in the folder."""

    rows: dict[int, int]
    """File number of each row with an image."""
    files: dict[str, int]
    """File number by content in base64."""
    missing: int
    """Samples without an image."""

    def missing_note(self, n: int) -> str:
        """Return a sentence on samples without an image, or ""."""
        if not self.rows or not self.missing:
            return ""
        return f"{self.missing:,} of {count(n, 'sample')} have no image in this folder."

    def linked(self, markup: str) -> str:
        """Replace data addresses in markup by files of the folder, where they exist."""
        return re.sub(r'"data:image/webp[^",]*;base64,([A-Za-z0-9+/=]+)"', self._file, markup)

    def _file(self, match: re.Match[str]) -> str:
        number = self.files.get(match[1])
        if number is None:
            return match[0]
        return f'"pictures/{number}.webp"'


def _data(diagnosis: Diagnosis, pictures: WrittenPictures, shown: list[PaneView]) -> dict[str, Any]:
    """Return the data for the script."""
    n = len(diagnosis.samples)
    keys = [column.key for column in columns_of(diagnosis)][:MAX_COLOUR_COLUMNS]
    colours = {key: colouring(diagnosis, "static", key, every=True) for key in keys}
    for colour in colours.values():
        del colour["choices"]
    texts = ()
    if diagnosis.samples.modality == "text":
        texts = range(min(n, MAX_TEXTS))
    return {
        "points": map_points(diagnosis, "static", every=True),
        "colours": colours,
        "choices": [choice for choice in choices(diagnosis) if choice["key"] in colours],
        "members": {name: rows for name, _, rows in shown if rows is not None},
        "ids": list(diagnosis.samples.ids),
        "unit": diagnosis.outcomes.said_unit,
        "loss": packed(diagnosis.outcomes.loss.astype("<f4")),
        "predicted": packed(diagnosis.estimate.predicted.astype("<f4")),
        "said": [classes_said(diagnosis, row) for row in range(n)],
        "pictured": list(pictures.rows.items()),
        "lines": {row: sample_facts(diagnosis, row) for row in pictures.rows or range(min(n, MAX_PICTURES))},
        "texts": {row: text_of(diagnosis.samples, row) for row in texts},
    }


def _searched(diagnosis: Diagnosis) -> str:
    """Return a sentence on the searched texts, or "" if all are searched."""
    n = len(diagnosis.samples)
    if diagnosis.samples.modality != "text" or n <= MAX_TEXTS:
        return ""
    return f"Search covers all ids and classes, and the texts of the first {MAX_TEXTS:,} of {n:,} samples."


def _inside_script(data: dict[str, Any]) -> str:
    """Encode JSON so that no text can end the script element or begin a comment in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _script() -> str:
    """Return the live page's scripts as functions, and the replacement of the server."""
    on_map = (name for name in SCRIPTS if name != "latest")  # no server, so no answers to wait for
    bodies = {"map": "\n".join(map(script, on_map)), "pane": script(*PANE)}
    parts = ",\n".join(
        f"{name}: (element, props, trigger, watch, server) => {{\n{body}\n}}" for name, body in bodies.items()
    )
    return f"const parts = {{\n{parts}\n}};\n{script('static_page')}"


def on_make(session: Session) -> Iterator[tuple[Any, ...]]:
    """Make the zip of the open run; yields (job id, status, download)."""
    diagnosis = require_run(session)
    folder = fresh_folder("page")

    def work(progress: Progress) -> str:
        target = folder / "errata-page"
        write_page(diagnosis, target, progress)
        archive = shutil.make_archive(str(target), "zip", root_dir=target)
        shutil.rmtree(target)
        return archive

    def outputs(path: str) -> tuple[Any, ...]:
        return (gr.update(value=path, interactive=True),)

    waiting = gr.update(interactive=False)
    done = f"It shows {diagnosis.samples.name}. Unzip it and open index.html."  # another run may be open by then
    yield from follow(Job(work), "The static page was not made", waiting, outputs=outputs, done=done)


def build(session: gr.State) -> None:
    """Lay out the buttons and wire them."""
    job = gr.State("")
    with gr.Row(elem_classes="downloads"):
        gr.HTML("<span>Static page</span>", elem_classes="downloads-title", **PLAIN)
        make = gr.Button("Make", size="sm", elem_id="static-make")
        cancel = gr.Button("Cancel", size="sm", elem_id="static-cancel", interactive=False)
        take = gr.DownloadButton("Static page (ZIP)", size="sm", interactive=False, elem_id="static-take")
        line = gr.HTML("", elem_id="static-status", **PLAIN)
    make.click(shows_errors(on_make), [session], [job, line, take], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
