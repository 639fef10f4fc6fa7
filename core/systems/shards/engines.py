"""Run a job on shards, in this process or in workers of Ray."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.shards.jobs import CLUSTER, OTHER_MACHINES, TOKEN, ShardDone, ShardJob, Worker

T = TypeVar("T")

EngineName = Literal["local", "ray"]
ENGINES: tuple[EngineName, ...] = ("local", "ray")
MAX_SHOWN_PROBLEMS = 3
"""Broken shards that a message describes."""


@dataclass(frozen=True, slots=True)
class ShardEngine:
    """The processes that work on shards."""

    name: EngineName = "local"
    workers: int = 1
    """Workers of Ray, one core each; 1 for "local"."""

    def __post_init__(self) -> None:
        if self.name not in ENGINES or self.workers < 1 or (self.name == "local" and self.workers > 1):
            raise InvalidInput(
                f"The engine must be local with 1 worker, or ray with at least 1: got {self.name!r} with "
                f"{self.workers}. Use --engine ray for several workers."
            )

    def results(self, job: ShardJob[T], names: Sequence[str]) -> Iterator[ShardDone[T]]:
        """The result of each shard, in the order in which they are done."""
        if self.name == "ray":
            if not os.environ.get(CLUSTER):
                os.environ[OTHER_MACHINES] = "0"
                os.environ.setdefault(TOKEN, secrets.token_hex(32))  # else Ray writes one to the home folder
            from core.systems.shards.ray_engine import ray_results  # Ray

            return ray_results(job, names, self.workers)
        return map(Worker(job), names)


LOCAL = ShardEngine()


def over_shards(
    job: ShardJob[T], names: Sequence[str], step: str, *, engine: ShardEngine = LOCAL, progress: Progress = no_progress
) -> dict[str, T]:
    """The job's value for each shard, by name and in the order of the names.

    A broken shard does not stop the others: their files stay, and a later run skips them.

    Args:
        step: name of the progress, counted in shards.

    Raises:
        InvalidInput: some shards are broken; the message names the first three and gives the reasons.
        MissingDependency: Ray is not installed.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    progress(step, 0, len(names))
    for done in engine.results(job, names):
        if done.problem:
            problems[done.name] = done.problem
        else:
            values[done.name] = done.value
        progress(step, len(values) + len(problems), len(names))
    if problems:
        shown = " ".join(problems[name] for name in sorted(problems)[:MAX_SHOWN_PROBLEMS])
        raise InvalidInput(
            f"{len(problems):,} of {len(names):,} shards could not be used. {shown} Fix or remove them, and run the "
            "same command again: finished shards are not repeated."
        )
    return {name: values[name] for name in names}
