"""How long ago a run was finished, told so that a clock that jumps deletes nothing.

Beside a run is kept how long the machine had been up when it was finished, and since which start. While the machine is
up, ages are differences of that time, which nobody can set. After a restart of the machine only the clock on the wall
can tell; it is believed as far as every look at it since this process first saw the run agrees, and not before the
process has seen the run for an hour (or for the longest age, where that is less), in which a clock that was wrong at
the start is put right. So a jump may keep a run longer, by the longest age at most; it never removes one early.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.files import write_text
from core.store.layout import STATE

FINISHED = "finished.json"
MIN_SEEN_S = 3600.0
"""How long a process has to have seen a run of an earlier start of the machine before it believes the wall clock."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class _Sighting:
    """What was known of a run of an earlier start of the machine when this process first saw it."""

    uptime: float
    age: float
    """The least that any look at the wall clock made of it."""


class Ages:
    """The ages of runs as this process has seen them."""

    def __init__(self) -> None:
        self._seen: dict[str, _Sighting] = {}

    def age(self, folder: Path, max_age_s: float) -> float:
        """Seconds since the run in `folder` was finished, or fewer where the clocks do not agree."""
        now = uptime()
        finished = _read(folder)
        if finished is not None:
            return max(0.0, now - finished)
        try:
            written = (folder / STATE).stat().st_mtime
        except OSError:
            return 0.0
        seen = self._seen.setdefault(folder.name, _Sighting(now, float("inf")))
        since = now - seen.uptime
        seen.age = min(seen.age, max(0.0, wall() - since - written))
        return since + seen.age if since >= min(MIN_SEEN_S, max_age_s) else since


def write_finished(folder: Path) -> None:
    """Note that the run in `folder` is finished now. Where that cannot be noted, the wall clock has to tell."""
    with suppress(OSError):
        write_text(folder / FINISHED, json.dumps({"boot": boot(), "uptime": uptime()}))


def _read(folder: Path) -> float | None:
    """The machine's uptime when the run was finished; None where it has been started since, or nobody noted it."""
    try:
        said = json.loads((folder / FINISHED).read_text("utf-8"))
        return float(said["uptime"]) if said["boot"] and said["boot"] == boot() else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def wall() -> float:
    """Seconds since 1970, as the clock that anybody may set says."""
    return time.time()


def uptime() -> float:
    """Seconds since some start, sleep included where the system counts it; nobody can set it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def boot() -> str:
    """Names this start of the machine; "" where the system does not tell, as only Linux does."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
