"""From the form of "New run" to a finished run; invalid input is rejected before the run starts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.data.tables.roles import Roles
from core.data.tasks.options import TaskOptions
from core.errors import InvalidInput
from core.records import Progress
from webapp.state.caches import run_cache
from webapp.state.choices import ROLE_NAMES, Column, recognized, roles_from, sources, task_from
from webapp.state.jobs import JOBS, Job
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    from core.discovery.settings import Settings

AUTOMATIC = "automatic"
MAX_CLASSES = 1000
"""Classes that can be named to search inside."""
DRAWN: dict[str, Future[None]] = {}
"""Better maps in progress, by run."""
HIDDEN = (("nothing", 0.0), ("a quarter", 0.25), ("a third", 0.33))
"""Shares of the data that can be held out, by name."""


def make_run(columns: Sequence[Column], root: Path | None, *inputs: Any) -> Job:
    """Return a job for the form's values, in the order of `build`'s inputs; its result is the new run's id, which is
    its own. It goes on without its visitor.

    Args:
        columns: the table's columns as recognized.
    """
    recognized_roles = recognized(columns)
    table, images, vectors, chosen, loss_kind, higher, encoder, phrases, alpha, seed, hidden, within, as_is, *rest = (
        inputs
    )
    *columns_picked, task, second = rest
    picked = dict(zip(ROLE_NAMES, columns_picked, strict=True))
    files = sources(table, images, vectors, chosen, root)
    kind = None
    if loss_kind not in (None, AUTOMATIC):
        kind = loss_kind
    roles = roles_from(picked, recognized_roles, loss_kind=kind, higher_is_better=bool(higher))
    options, roles = task_from(str(task), files, second, picked, replace(roles, as_is=bool(as_is)))
    settings = make_settings(alpha, seed, within, quick_map=True)  # `draw_map` adds UMAP later
    modality = "image"
    if images is None and (roles.texts or recognized_roles.get("texts")):
        modality = "text"
    share = read_share(hidden)
    vocabulary = read_phrases(phrases, modality)

    def work(progress: Progress) -> str:
        run = run_diagnosis(
            options,
            roles,
            encoder or "embedded",
            settings,
            progress,
            hold_back=share,
            vocabulary=vocabulary,
            run=job.id,  # so that the link of the job becomes the link of the run
        )
        for visit in tuple(job.visits):  # those after a reload too
            RUNS.adopt([run], visit)
        return run

    job = Job(work, lasting=True)
    return job


def read_phrases(phrases: str | None, modality: str = "image") -> Path | None:
    """Check the file of the visitor's phrases and return its path, or None; raises InvalidInput before embedding if it
    cannot be read."""
    if not phrases:
        return None
    from core.language.vocabulary import read_vocabulary

    read_vocabulary(Path(phrases), modality)
    return Path(phrases)


def read_share(hidden: Any) -> float:
    """Return the share of the data to hold out; raises InvalidInput if it is not one of HIDDEN."""
    shares = [share for _, share in HIDDEN]
    if hidden is None or hidden not in shares:
        raise InvalidInput(
            f"The part to hold out must be one of {', '.join(name for name, _ in HIDDEN)}: "
            f"got {str(hidden)[:20]!r}. Choose one."
        )
    return float(hidden)


def make_settings(alpha: Any, seed: Any, within: Any = (), *, quick_map: bool) -> Settings:
    """Return the settings of a run; raises InvalidInput if alpha or the seed is out of range or not a number, or if
    `within`, the classes to search inside, is not a list of names."""
    from core.discovery.settings import Settings

    classes = ()
    if within is not None:
        classes = cast("list[Any]", within)
    is_list = isinstance(within, list | tuple | None) and len(classes) <= MAX_CLASSES
    if not is_list or not all(isinstance(name, str) for name in classes):
        raise InvalidInput(
            f"The classes to search must be a list of at most {MAX_CLASSES:,} names: got {str(within)[:80]!r}. "
            "Use the table's class names."
        )
    try:
        return Settings(alpha=float(alpha), seed=int(seed), within=tuple(classes), map=not quick_map)
    except (TypeError, ValueError, OverflowError):  # int() of infinity overflows
        raise InvalidInput(
            f"alpha and seed must be numbers: got {str(alpha)[:20]!r} and {str(seed)[:20]!r}. "
            "Fix them in More settings."
        ) from None


def run_diagnosis(
    task: TaskOptions,
    roles: Roles,
    encoder: str,
    settings: Settings,
    progress: Progress,
    hold_back: float = 0.0,
    vocabulary: Path | None = None,
    run: str = "",
) -> str:
    """Diagnose and store; returns the run's id, a new one by default. If the settings skip the map, it is drawn
    afterwards, even after the page is closed."""
    RUNS.require_room()
    from core.data.tasks.read import read_task
    from core.diagnose import diagnose_data_set  # the whole method with scikit-learn
    from core.discovery.settings import EmbeddingSettings

    diagnosis = diagnose_data_set(
        read_task(task, roles, progress),
        EmbeddingSettings(encoder, vocabulary=vocabulary, cache=run_cache()),
        hold_back=hold_back,
        settings=settings,
        progress=progress,
    )
    run = RUNS.add(diagnosis, progress, run)
    if not settings.map:
        DRAWN[run] = JOBS.go_on(Job(lambda progress: draw_map(run, progress)))
        DRAWN[run].add_done_callback(lambda _: DRAWN.pop(run, None))
    return run


def draw_map(run: str, progress: Progress) -> None:
    """Replace the quick map of a run with UMAP."""
    from core.embeddings.projection import umap_map  # compiles on first use

    diagnosis = RUNS.get(run)
    better = umap_map(diagnosis.embeddings, seed=int(diagnosis.settings.get("seed", 0)), progress=progress)
    RUNS.change(run, lambda now: replace(now, map=better, settings={**now.settings, "map": True}))
