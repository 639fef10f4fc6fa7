"""A run as a folder that opens without a server: map, clusters, galleries and table, as on the live page."""

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
from webapp.explore.overview import class_section, strip
from webapp.explore.picked import describe_selection
from webapp.failure_map import SCRIPTS, map_points, packed
from webapp.markup.components import script
from webapp.markup.html import classes_said, picture, sample_facts
from webapp.markup.render import render
from webapp.state.downloads import fresh_folder
from webapp.state.jobs import HEAVY, PLAIN, PRIVATE, Job, follow, wire_cancel
from webapp.state.session import Session, require_run, selected_rows, shows_errors

MOST_PICTURES = 4_000
MOST_BYTES = 64 * 2**20
"""Of images in a folder, and of their bytes."""
MOST_TEXTS = MOST_PICTURES
MOST_COLUMNS = 40
MOST_CANDIDATES = 24
SHOWN = 24
"""Columns that may color the map, candidates, and images of a gallery."""
SHEETS = ("tokens", "page", "explore", "linked", "words", "static")
PANE = ("pane", "heat")
PaneView = tuple[str, str, list[int] | None]
"""(name, markup, rows) of what the pane may show; the list of clusters has no rows."""


def write_page(diagnosis: Diagnosis, folder: Path, progress: Progress = no_progress) -> Path:
    """Write index.html, images/ and report.html into `folder`; returns the path of index.html.

    The page fetches nothing but its own images and runs nothing but its own script, which its policy names by its
    hash. Images of clusters, candidates and counter-examples come first, then those of the highest losses, up to
    4,000 and 64 MiB; what is left out is counted on the page.

    Raises:
        InvalidInput: the folder holds files already.
        OSError: it cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"The folder {folder.name} holds files already. Choose an empty one.")
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    shown = _views(diagnosis, progress)
    pictures = _write_pictures(diagnosis, folder / "pictures", _first_rows(diagnosis, shown), progress)
    from core.reports.html.diagnosis import write_report

    progress("write the page", 0, 1)
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
            classes=class_section(diagnosis),
            map=render("failure_map.html.j2"),
            has_report=True,
            searched=_searched(diagnosis),
            left_out=pictures.told(len(diagnosis.samples)),
            made=f"Made by Errata of the run {diagnosis.fingerprint[:12]}. Nothing is sent anywhere.",
        ),
    )
    progress("write the page", 1, 1)
    return folder / "index.html"


def _views(diagnosis: Diagnosis, progress: Progress) -> list[PaneView]:
    """Everything that the pane may show of the run."""
    looks = [f"candidate-{place}" for place in range(min(len(diagnosis.candidates), MOST_CANDIDATES))]
    names = [*(f"cluster-{cluster.id}" for cluster in diagnosis.clusters), *looks]
    made = list[PaneView]([("list", cluster_list(diagnosis), None)])
    for at, name in enumerate(names):
        progress("draw the clusters", at, len(names))
        kind, _, number = name.partition("-")
        session = Session("", **{kind: int(number)}, shown=SHOWN)  # type: ignore[arg-type]
        rows = selected_rows(session, diagnosis)
        pane = selection_pane(diagnosis, describe_selection(session, diagnosis, rows))
        made.append((name, pane, rows.tolist()))
    return made


def _first_rows(diagnosis: Diagnosis, shown: list[PaneView]) -> list[int]:
    """Every row, those of clusters and candidates and the counter-examples first, the others by their loss."""
    counter = [row for cluster in diagnosis.clusters for row in cluster.counterexamples.tolist()]
    first = [row for _, _, rows in shown for row in rows or []]
    rest = np.argsort(-diagnosis.outcomes.loss, kind="stable").tolist()
    return list(dict.fromkeys([*first, *counter, *rest]))


def _write_pictures(diagnosis: Diagnosis, folder: Path, rows: list[int], progress: Progress) -> WrittenPictures:
    """Write the images of the rows in their order, each once, as far as the bounds reach."""
    items = diagnosis.samples.items
    modality = diagnosis.samples.modality
    written = WrittenPictures({}, {}, 0)
    if items is None or modality == "text":
        return written
    used = 0
    most = min(len(rows), MOST_PICTURES)
    for at, row in enumerate(rows[:most]):
        if at % 100 == 0:
            progress("write the images", at, most)
        _, _, address = picture(diagnosis, row).partition(";base64,")
        if address not in written.files:
            payload = base64.b64decode(address)
            used += len(payload)
            if not payload or used > MOST_BYTES:
                continue
            written.files[address] = len(written.files)
            (folder / f"{written.files[address]}.webp").write_bytes(payload)
        written.rows[row] = written.files[address]
    progress("write the images", most, most)
    return WrittenPictures(written.rows, written.files, len(rows) - len(written.rows))


@dataclass(frozen=True, slots=True)
class WrittenPictures:
    """What stands in the folder of images."""

    rows: dict[int, int]
    """The number of the file of each row that has one."""
    files: dict[str, int]
    """The number of each file by its content in base64."""
    missing: int
    """Samples without one."""

    def told(self, n: int) -> str:
        """What is said of the missing ones; "" where there are none."""
        if not self.rows or not self.missing:
            return ""
        return f"{count(self.missing, 'sample')} of {n:,} have no image in this folder."

    def linked(self, markup: str) -> str:
        """Markup whose images are files of the folder instead of data addresses, where they are there."""
        return re.sub(r'"data:image/webp[^",]*;base64,([A-Za-z0-9+/=]+)"', self._file, markup)

    def _file(self, found: re.Match[str]) -> str:
        number = self.files.get(found[1])
        return found[0] if number is None else f'"pictures/{number}.webp"'


def _data(diagnosis: Diagnosis, pictures: WrittenPictures, shown: list[PaneView]) -> dict[str, Any]:
    """What the script reads."""
    n = len(diagnosis.samples)
    keys = [column.key for column in columns_of(diagnosis)][:MOST_COLUMNS]
    colours = {key: colouring(diagnosis, "static", key, every=True) for key in keys}
    for colour in colours.values():
        del colour["choices"]
    texts = range(min(n, MOST_TEXTS)) if diagnosis.samples.modality == "text" else ()
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
        "lines": {row: sample_facts(diagnosis, row) for row in pictures.rows or range(min(n, MOST_PICTURES))},
        "texts": {row: text_of(diagnosis.samples, row) for row in texts},
    }


def _searched(diagnosis: Diagnosis) -> str:
    """Which texts the page has, and so searches; "" where that is all of them."""
    n = len(diagnosis.samples)
    if diagnosis.samples.modality != "text" or n <= MOST_TEXTS:
        return ""
    return f"Texts of the first {MOST_TEXTS:,} of {n:,} samples are kept here and searched; ids and classes of all."


def _inside_script(data: dict[str, Any]) -> str:
    """JSON in which nothing can end the script element or begin a comment in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _script() -> str:
    """The live page's scripts as functions, and what stands in for the server."""
    on_map = (name for name in SCRIPTS if name != "latest")  # nobody waits for an answer here
    bodies = {"map": "\n".join(map(script, on_map)), "pane": script(*PANE)}
    parts = ",\n".join(
        f"{name}: (element, props, trigger, watch, server) => {{\n{body}\n}}" for name, body in bodies.items()
    )
    return f"const parts = {{\n{parts}\n}};\n{script('static_page')}"


def make_zip(diagnosis: Diagnosis, folder: Path, progress: Progress) -> Path:
    """Write the page and pack it; returns the path of the archive."""
    target = folder / "errata-page"
    write_page(diagnosis, target, progress)
    packed_up = Path(shutil.make_archive(str(target), "zip", root_dir=target))
    shutil.rmtree(target)
    return packed_up


def on_make(session: Session) -> Iterator[tuple[Any, ...]]:
    """Make the archive of the open run; yields (job id, status, download)."""
    diagnosis = require_run(session)
    folder = fresh_folder("page")
    job = Job(lambda progress: str(make_zip(diagnosis, folder, progress)))

    def made(path: str) -> tuple[Any, ...]:
        return (gr.update(value=path, interactive=True),)

    waiting = gr.update(interactive=False)
    done = f"It shows {diagnosis.samples.name}. Unpack it and open index.html."  # also once another run is open
    yield from follow(job, "The page was not made", waiting, outputs=made, done=done)


def build(session: gr.State) -> None:
    """Lay out the buttons and wire them."""
    job = gr.State("")
    with gr.Row(elem_classes="downloads"):
        gr.HTML("<span>A page that needs no server</span>", elem_classes="downloads-title", **PLAIN)
        make = gr.Button("Make it", size="sm", elem_id="static-make")
        cancel = gr.Button("Cancel", size="sm", elem_id="static-cancel", interactive=False)
        take = gr.DownloadButton("Static page (ZIP)", size="sm", interactive=False, elem_id="static-take")
        line = gr.HTML("", elem_id="static-status", **PLAIN)
    make.click(shows_errors(on_make), [session], [job, line, take], **HEAVY, **PRIVATE)
    wire_cancel(cancel, job)
