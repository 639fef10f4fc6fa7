"""Your data tab: bring a table with pictures or embeddings, correct the roles of its columns, run, and stop if
wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.data.tables.roles import LOSS_KINDS, Roles
from core.errors import InvalidInput
from core.records import Progress
from webapp.explore.tab import View, on_downloads, on_new_run
from webapp.failure_map import map_points
from webapp.state.choices import (
    ENCODERS,
    IMAGES,
    PHRASES,
    ROLE_NAMES,
    SEVERAL_ROLES,
    SINGLE_ROLES,
    TABLES,
    VECTORS,
    columns_table,
    data_sets,
    recognised,
    roles_from,
    sources,
)
from webapp.state.jobs import HEAVY, JOBS, PLAIN, PRIVATE, QUICK, Job, closing, follow, on_cancel, on_wait
from webapp.state.session import RUNS, Session, shows_errors

if TYPE_CHECKING:
    from core.discovery.settings import Settings

AUTOMATIC = "automatic"


HIDDEN = (("nothing", 0.0), ("a quarter", 0.25), ("a third", 0.33))


HIDDEN_NOTE = (
    "What is found in the rest is frozen and then tried on the hidden part: whatever was luck does not come back."
)


def on_table(table: str | None) -> tuple[Any, ...]:
    """A table was brought: returns (recognised roles, columns table, then one dropdown for each of ROLE_NAMES)."""
    if not table:
        return (
            {},
            HINT,
            *(gr.update(choices=[], value=[] if name in dict(SEVERAL_ROLES) else None) for name in ROLE_NAMES),
        )
    from core.data.samples import describe_columns  # pandas

    columns = describe_columns(table)
    found, names = recognised(columns), [name for name, _, _ in columns]
    return (
        found,
        columns_table(columns),
        *(
            gr.update(choices=names, value=found.get(role, [] if role in dict(SEVERAL_ROLES) else None))
            for role in ROLE_NAMES
        ),
    )


def make_run(found: dict[str, Any], root: Path | None, *said: Any) -> Job:
    """A job for what stands in the form, in the order of `build`'s inputs; its result is the new run's id."""
    table, images, vectors, chosen, loss_kind, higher, encoder, phrases, alpha, seed, hidden, *picked = said
    brought = sources(table, images, vectors, chosen, root)
    kind = None if loss_kind in (None, AUTOMATIC) else loss_kind
    roles = roles_from(dict(zip(ROLE_NAMES, picked)), found or {}, loss_kind=kind, higher_is_better=bool(higher))
    settings = make_settings(alpha, seed, quick_map=True)  # `refine_map` makes the better one afterwards
    share, own = read_share(hidden), read_phrases(phrases)
    return Job(
        lambda progress: run_diagnosis(
            brought, roles, encoder or "embedded", settings, progress, hold_back=share, vocabulary=own
        )
    )


def read_phrases(phrases: str | None) -> Path | None:
    """The file of the visitor's own phrases, or None; raises InvalidInput at once where it cannot be read, before
    anything is embedded."""
    if not phrases:
        return None
    from core.language.vocabulary import read_vocabulary

    read_vocabulary(Path(phrases))
    return Path(phrases)


def read_share(hidden: Any) -> float:
    """The share of the data to hold back; raises InvalidInput where it is none of HIDDEN."""
    shares = [share for _, share in HIDDEN]
    if hidden is None or hidden not in shares:
        raise InvalidInput(
            f"The part to hide must be one of {', '.join(name for name, _ in HIDDEN)}: "
            f"got {str(hidden)[:20]!r}. Choose one."
        )
    return float(hidden)


def make_settings(alpha: Any, seed: Any, *, quick_map: bool) -> Settings:
    """The settings of a run; raises InvalidInput where alpha or the seed is out of range or no number."""
    from core.discovery.settings import Settings

    try:
        return Settings(alpha=float(alpha), seed=int(seed), map=not quick_map)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"alpha and seed must be numbers: got {str(alpha)[:20]!r} and {str(seed)[:20]!r}. "
            "Set them under More settings."
        ) from None


def run_diagnosis(
    brought: dict[str, Path | None],
    roles: Roles,
    encoder: str,
    settings: Settings,
    progress: Progress,
    hold_back: float = 0.0,
    vocabulary: Path | None = None,
) -> str:
    """Diagnose and store; returns the run's id."""
    from core.diagnose import diagnose  # the whole method with scikit-learn

    diagnosis = diagnose(
        brought["table"],
        images=brought["images"],
        embeddings=brought["embeddings"],
        encoder=encoder,
        vocabulary=vocabulary,
        roles=roles,
        settings=settings,
        hold_back=hold_back,
        progress=progress,
    )
    return RUNS.add(diagnosis, progress)


def on_run(found: dict[str, Any], root: Path | None, *said: Any) -> Iterator[tuple[Any, str, str]]:
    """Run what stands in the form; yields (job id, status, run id), the run id empty until the run has ended well."""
    job = make_run(found, root, *said)
    yield from follow(job, "The run did not finish", "", kept="Your files and choices are still here.")
    if job.result:
        yield "", closing("Done", "The result is open in Explore."), job.result


def refine_map(run: str) -> Iterator[bool]:
    """Put UMAP in place of the quick map of a run that has just ended; yields whether it is there."""
    if not run or RUNS.get(run).map.method == "umap":
        return

    def work(progress: Progress) -> str:
        from core.embeddings.projection import umap_map  # compiles on first use

        diagnosis = RUNS.get(run)
        better = umap_map(diagnosis.embeddings, seed=int(diagnosis.settings.get("seed", 0)), progress=progress)
        RUNS.replace(run, replace(diagnosis, map=better, settings={**diagnosis.settings, "map": True}))
        return run

    for _ in JOBS.follow(Job(work), every=1.0):
        yield False
    yield True


def on_refined(session: Session, run: str, ready: bool) -> tuple[Any, Any]:
    """Returns (session, map) with the better map, if its run is still the open one; an outline on the old map is
    dropped."""
    if not ready or run != session.run:
        return gr.skip(), gr.skip()
    return replace(session, polygon=()), gr.update(value=map_points(RUNS.get(run), run))


@dataclass(frozen=True)
class Form:
    """The tab's components."""

    sources: list[Any]
    """Table, pictures, embeddings, data set on the server."""
    settings: list[Any]
    """Loss, direction, encoder, own phrases, alpha, seed, part to hide."""
    roles: list[Any]
    """One dropdown for each of ROLE_NAMES."""
    columns: gr.HTML
    run: gr.Button
    cancel: gr.Button
    status: gr.HTML

    def said(self) -> list[Any]:
        """What `make_run` reads, in its order."""
        return [*self.sources, *self.settings, *self.roles]


def build(
    session: gr.State, view: View, buttons: list[Any], tabs: gr.Tabs, root: Path | None, examples: list[tuple[str, str]]
) -> None:
    """Lay out the tab and wire its callbacks."""
    with gr.Row(elem_classes="bring"):
        with gr.Column(scale=46, min_width=320):
            brought = _sources(root)
            status_line = gr.HTML(closing("Nothing is running"), **PLAIN, elem_id="status")
        with gr.Column(scale=54, min_width=320):
            form = _form(brought, status_line)
    _wire(form, session, view, buttons, tabs, root, examples)


def _sources(root: Path | None) -> list[Any]:
    gr.HTML("<h2>1. Bring a table and its pictures</h2>", **PLAIN)
    table = gr.File(
        label="Table: CSV, TSV, JSON Lines or Parquet",
        file_types=list(TABLES),
        type="filepath",
        height=112,
        elem_id="table",
    )
    images = gr.File(
        label="Pictures: zip or tar", file_types=list(IMAGES), type="filepath", height=112, elem_id="images"
    )
    on_server = data_sets(root)
    title = (
        "Embeddings instead of pictures, or a data set on this server"
        if on_server
        else "Embeddings instead of pictures"
    )
    with gr.Accordion(title, open=bool(on_server)):
        vectors = gr.File(
            label="Embeddings: npy, npz, safetensors or Parquet",
            file_types=list(VECTORS),
            type="filepath",
            height=112,
            elem_id="vectors",
        )
        chosen = gr.Dropdown(
            ["", *on_server], value="", label="Data set on this server", visible=bool(on_server), elem_id="chosen"
        )
    return [table, images, vectors, chosen]


def _form(brought: list[Any], status_line: gr.HTML) -> Form:
    gr.HTML("<h2>2. Check what was recognised</h2>", **PLAIN)
    columns = gr.HTML(HINT, **PLAIN, elem_id="columns")
    with gr.Accordion("Correct the roles", open=False), gr.Row(elem_classes="roles"):
        roles: list[Any] = [
            gr.Dropdown([], value=None, label=label, min_width=150, elem_id=f"role-{name}")
            for name, label in SINGLE_ROLES
        ]
        roles += [
            gr.Dropdown([], value=[], label=label, multiselect=True, min_width=220, elem_id=f"role-{name}")
            for name, label in SEVERAL_ROLES
        ]
    gr.HTML("<h2>3. Run</h2>", **PLAIN)
    with gr.Row():
        loss_kind = gr.Dropdown(
            [AUTOMATIC, *LOSS_KINDS], value=AUTOMATIC, label="Loss", min_width=150, elem_id="loss-kind"
        )
        encoder = gr.Dropdown(list(ENCODERS), value="embedded", label="Encoder", min_width=150, elem_id="encoder")
    gr.HTML(ENCODER_NOTE, **PLAIN)
    hidden = gr.Radio(list(HIDDEN), value=0.0, label="Hide a part and predict it", info=HIDDEN_NOTE, elem_id="hidden")
    with gr.Accordion("Your own phrases", open=False):
        gr.HTML(PHRASES_NOTE, **PLAIN)
        phrases = gr.File(
            label="Phrases: txt or json", file_types=list(PHRASES), type="filepath", height=96, elem_id="phrases"
        )
    with gr.Accordion("More settings", open=False), gr.Row():
        higher = gr.Checkbox(False, label="The loss column is a score: higher is better")
        alpha = gr.Slider(0.01, 0.2, 0.05, step=0.01, label="Level of the tests (alpha)")
        seed = gr.Number(0, precision=0, label="Seed", minimum=0)
    with gr.Row():
        run = gr.Button("Run the diagnosis", variant="primary", elem_id="run")
        cancel = gr.Button("Cancel", elem_id="cancel")
    return Form(
        brought, [loss_kind, higher, encoder, phrases, alpha, seed, hidden], roles, columns, run, cancel, status_line
    )


def _wire(
    form: Form,
    session: gr.State,
    view: View,
    buttons: list[Any],
    tabs: gr.Tabs,
    root: Path | None,
    examples: list[tuple[str, str]],
) -> None:
    found, job = gr.State({}), gr.State("")
    finished = gr.Textbox(visible=False, label="run id")
    refined = gr.Checkbox(False, visible=False, label="better map")
    table = form.sources[0]
    table.change(shows_errors(on_table), [table], [found, form.columns, *form.roles], **PRIVATE)

    def start(found: dict[str, Any], *said: Any) -> Iterator[tuple[Any, str, str]]:
        yield from on_run(found, root, *said)

    def finish(run: str) -> tuple[Any, ...]:
        return on_new_run(run, "Your run", examples)

    form.run.click(on_wait, None, form.status, js=SHOW_STATUS, **QUICK)
    started = form.run.click(
        shows_errors(start), [found, *form.said()], [job, form.status, finished], **HEAVY, **PRIVATE
    )
    opened = started.success(
        shows_errors(finish), [finished], [tabs, view.picker, session, *view.all(), *buttons], **PRIVATE
    )
    opened.then(shows_errors(on_downloads), [session], buttons, **PRIVATE)
    better = opened.then(shows_errors(refine_map), [finished], [refined], **HEAVY, **PRIVATE)
    better.then(shows_errors(on_refined), [session, finished, refined], [session, view.failure_map], **PRIVATE)
    form.cancel.click(on_cancel, [job], None, **QUICK)


SHOW_STATUS = "() => { document.querySelector('#status').scrollIntoView({ block: 'nearest' }); return []; }"


HINT = (
    '<div class="empty small"><p>One row for each sample: its picture\'s file name, '
    "and either a <code>loss</code> or what the model said "
    "(<code>label</code> with <code>prediction</code> or <code>prob_*</code>). "
    "Every other column may explain the failures.</p></div>"
)


PHRASES_NOTE = (
    '<p class="muted small-note">One phrase a line, such as <code>in the dark</code>, '
    "if you like with its family in front: "
    "<code>light: by torchlight</code>. They are tested in place of the shipped ones.</p>"
)


ENCODER_NOTE = (
    '<p class="muted small-note">The embedded encoder knows objects, light, weather and colour casts better than '
    "style, pose or number. "
    "A real CLIP sees more; your own embeddings work as well. "
    "With embeddings and pictures, failures are found in the embeddings "
    "and the encoder only finds the words.</p>"
)
