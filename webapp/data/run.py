"""From what stands in the form of "Your data" to a finished run: what cannot be used is refused before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import Progress
from webapp.state.caches import run_cache
from webapp.state.choices import ROLE_NAMES, Column, recognized, roles_from, sources
from webapp.state.jobs import JOBS, Job
from webapp.state.runs import RUNS

if TYPE_CHECKING:
    from core.discovery.settings import Settings

AUTOMATIC = "automatic"
MAX_CLASSES = 1000
"""That may be named to search inside."""
DRAWN: dict[str, Future[None]] = {}
"""By their runs, the better maps that are being drawn."""
HIDDEN = (("nothing", 0.0), ("a quarter", 0.25), ("a third", 0.33))
"""Parts of the data that may be held back, by name."""


def make_run(columns: Sequence[Column], root: Path | None, *said: Any) -> Job:
    """A job for what stands in the form, in the order of `build`'s inputs; its result is the new run's id.

    Args:
        columns: of the table, as they were recognized.
    """
    found = recognized(columns)
    table, images, vectors, chosen, loss_kind, higher, encoder, phrases, alpha, seed, hidden, within, as_is, *picked = (
        said
    )
    given = sources(table, images, vectors, chosen, root)
    kind = None if loss_kind in (None, AUTOMATIC) else loss_kind
    roles = roles_from(dict(zip(ROLE_NAMES, picked)), found, loss_kind=kind, higher_is_better=bool(higher))
    roles = replace(roles, as_is=bool(as_is))
    settings = make_settings(alpha, seed, within, quick_map=True)  # `draw_map` makes the better one
    reads_texts = images is None and bool(roles.texts or found.get("texts"))
    share = read_share(hidden)
    own = read_phrases(phrases, "text" if reads_texts else "image")
    return Job(
        lambda progress: run_diagnosis(
            given, roles, encoder or "embedded", settings, progress, hold_back=share, vocabulary=own
        )
    )


def read_phrases(phrases: str | None, modality: str = "image") -> Path | None:
    """The file of the visitor's own phrases, or None; raises InvalidInput at once where it cannot be read, before
    anything is embedded."""
    if not phrases:
        return None
    from core.language.vocabulary import read_vocabulary

    read_vocabulary(Path(phrases), modality)
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


def make_settings(alpha: Any, seed: Any, within: Any = (), *, quick_map: bool) -> Settings:
    """The settings of a run; raises InvalidInput where alpha or the seed is out of range or no number, or where
    `within`, the classes to search inside, is no list of names."""
    from core.discovery.settings import Settings

    classes = () if within is None else cast("list[Any]", within)
    is_list = isinstance(within, list | tuple | None) and len(classes) <= MAX_CLASSES
    if not is_list or not all(isinstance(name, str) for name in classes):
        raise InvalidInput(
            f"The classes to search inside must be a list of at most {MAX_CLASSES:,} names: got {str(within)[:80]!r}. "
            "Name them as the table does."
        )
    try:
        return Settings(alpha=float(alpha), seed=int(seed), within=tuple(classes), map=not quick_map)
    except (TypeError, ValueError, OverflowError):  # no whole number is infinite
        raise InvalidInput(
            f"alpha and seed must be numbers: got {str(alpha)[:20]!r} and {str(seed)[:20]!r}. "
            "Set them under More settings."
        ) from None


def run_diagnosis(
    given: dict[str, Path | None],
    roles: Roles,
    encoder: str,
    settings: Settings,
    progress: Progress,
    hold_back: float = 0.0,
    vocabulary: Path | None = None,
) -> str:
    """Diagnose and store; returns the run's id. Where the settings leave the map out, it is drawn afterwards, even if
    the page is closed."""
    RUNS.require_room()
    from core.diagnose import diagnose  # the whole method with scikit-learn

    diagnosis = diagnose(
        given["table"],
        images=given["images"],
        embeddings=given["embeddings"],
        encoder=encoder,
        vocabulary=vocabulary,
        roles=roles,
        settings=settings,
        hold_back=hold_back,
        cache=run_cache(),
        progress=progress,
    )
    run = RUNS.add(diagnosis, progress)
    if not settings.map:
        DRAWN[run] = JOBS.go_on(Job(lambda progress: draw_map(run, progress)))
        DRAWN[run].add_done_callback(lambda _: DRAWN.pop(run, None))
    return run


def draw_map(run: str, progress: Progress) -> None:
    """Put UMAP in place of the quick map of a run."""
    from core.embeddings.projection import umap_map  # compiles on first use

    diagnosis = RUNS.get(run)
    better = umap_map(diagnosis.embeddings, seed=int(diagnosis.settings.get("seed", 0)), progress=progress)
    RUNS.change(run, lambda now: replace(now, map=better, settings={**now.settings, "map": True}))
