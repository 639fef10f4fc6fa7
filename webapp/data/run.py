"""From what stands in the form of "Your data" to a finished run: what cannot be used is refused before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import Progress
from webapp.state.choices import ROLE_NAMES, roles_from, sources
from webapp.state.jobs import Job
from webapp.state.session import RUNS

if TYPE_CHECKING:
    from core.discovery.settings import Settings

AUTOMATIC = "automatic"
HIDDEN = (("nothing", 0.0), ("a quarter", 0.25), ("a third", 0.33))
"""Parts of the data that may be held back, by name."""


def make_run(found: dict[str, Any], root: Path | None, *said: Any) -> Job:
    """A job for what stands in the form, in the order of `build`'s inputs; its result is the new run's id."""
    table, images, vectors, chosen, loss_kind, higher, encoder, phrases, alpha, seed, hidden, *picked = said
    given = sources(table, images, vectors, chosen, root)
    kind = None if loss_kind in (None, AUTOMATIC) else loss_kind
    roles = roles_from(dict(zip(ROLE_NAMES, picked)), found or {}, loss_kind=kind, higher_is_better=bool(higher))
    settings = make_settings(alpha, seed, quick_map=True)  # `refine_map` makes the better one afterwards
    share, own = read_share(hidden), read_phrases(phrases)
    return Job(
        lambda progress: run_diagnosis(
            given, roles, encoder or "embedded", settings, progress, hold_back=share, vocabulary=own
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
    given: dict[str, Path | None],
    roles: Roles,
    encoder: str,
    settings: Settings,
    progress: Progress,
    hold_back: float = 0.0,
    vocabulary: Path | None = None,
) -> str:
    """Diagnose and store; returns the run's id."""
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
        progress=progress,
    )
    return RUNS.add(diagnosis, progress)
