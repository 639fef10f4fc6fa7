"""Diagnoses that go on when their page is closed: found by their link, owned by the browser that keeps their id.

A job has two ids, as a run has (webapp/state/runs.py): its own allows cancelling it, and its link id only allows
watching it. The run that it makes has the same two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection

from core.errors import DiagnosisError
from webapp.state.notes import link_id
from webapp.state.quotas import quotas
from webapp.state.work import Job

MAX_FAILED = 200
"""Jobs that ended without a result, remembered so that a returning visitor reads why."""
MAX_VISITS = 1000
"""Visits that can own one job; further pages of its browser can watch it but not cancel it."""

_log = logging.getLogger(__name__)


class LastingJobs:
    """Lasting jobs by link id. Safe to share between threads."""

    def __init__(self) -> None:
        self._live: dict[str, Job] = {}
        self._failed: dict[str, Job] = {}
        """Earliest first."""
        self._shown: dict[str, str] = {}
        """The live job that a visit shows, by visit."""
        self._lock = threading.Lock()

    def begin(self, job: Job) -> None:
        """Record a job that enters the line; the visit that started it shows it."""
        link = link_id(job.id)
        with self._lock:
            self._live[link] = job
            for visit in job.visits:
                self._shown[visit] = link

    def end(self, job: Job) -> None:
        """Record the end of a job. A failed one stays to say why; a finished one is a run now."""
        link = link_id(job.id)
        error = job.error
        if error is not None:
            if not isinstance(error, DiagnosisError):  # nobody may follow it
                _log.error("a diagnosis failed", exc_info=error)
            error.__traceback__ = error.__context__ = error.__cause__ = None  # they hold the data of the job
        with self._lock:
            self._live.pop(link, None)
            self._shown = {visit: shown for visit, shown in self._shown.items() if shown != link}
            if job.error is not None:
                self._failed[link] = job
            while len(self._failed) > MAX_FAILED:
                del self._failed[next(iter(self._failed))]

    def find(self, link: str) -> Job | None:
        """Return the live or failed job with a link id, or None."""
        return self._live.get(link) or self._failed.get(link)

    def adopt(self, ids: Collection[str], visit: str, *, everything: bool = False) -> None:
        """Let a visit own the jobs with these own ids; unknown ids are ignored.

        Args:
            everything: whether it owns all jobs, because the server has a single user.
        """
        if not visit:
            return
        with self._lock:
            for job in (*self._live.values(), *self._failed.values()):
                if (everything or job.id in ids) and len(job.visits) < MAX_VISITS:
                    job.visits.add(visit)

    def show(self, link: str, visit: str) -> None:
        """Let a visit show a live job, of which its address then keeps the link."""
        with self._lock:
            if visit and link in self._live and len(self._shown) < quotas().max_sessions:
                self._shown[visit] = link

    def shown(self, visit: str) -> str:
        """Return the link id of the live job that a visit shows, by default its own latest one, or ""."""
        with self._lock:
            own_links = [link for link, job in self._live.items() if visit in job.visits]
            return self._shown.get(visit) or next(reversed(own_links), "")

    def own_ids(self, visit: str) -> list[str]:
        """Return the own ids of a visit's live jobs."""
        with self._lock:
            return [job.id for job in self._live.values() if visit in job.visits]

    def n_unattended(self, address: str) -> int:
        """Return the number of live jobs from an address that nobody follows."""
        with self._lock:
            jobs = [job for job in self._live.values() if job.address == address]
        return sum(job.n_followers == 0 for job in jobs)

    def expire(self, max_age_s: float) -> None:
        """Forget failed jobs that started earlier."""
        before = time.monotonic() - max_age_s
        with self._lock:
            self._failed = {link: job for link, job in self._failed.items() if job.started >= before}

    def forget(self, visit: str) -> None:
        """Forget the failed jobs of a visit."""
        with self._lock:
            self._failed = {link: job for link, job in self._failed.items() if visit not in job.visits}
